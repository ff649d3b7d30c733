#!/usr/bin/env bash
# The pictures of the site's concept pages: rendered faces that the bundled networks never saw, 128 px.
#   docs/figures.sh [work folder]
set -euo pipefail
work=${1:-site-figures}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$here/figures"
maskgan synth "$work/raw" -n 40 --identities 40 --size 128 --seed 7
[ -e "$work/data/dataset.json" ] || maskgan prep-data "$work/raw" "$work/data" --size 128
images="$work/data/images"
printf '%s\n' "$images/12.png,$images/32.png" "$images/32.png,$images/2.png" |
    maskgan swap --parts hair --pairs - -o "$work/masks" --sheet "$here/figures/masks.png" --overwrite
printf '%s\n' "$images/2.png,$images/12.png" "$images/12.png,$images/32.png" |
    maskgan style-copy --pairs - -o "$work/style" --sheet "$here/figures/style.png" --overwrite
maskgan interpolate "$images/12.png" "$images/32.png" --steps 6 --style "$images/12.png" -o "$work/between" --overwrite
cp "$work/between/strip.png" "$here/figures/maskvae.png"
maskgan simulate-edits "$work/data" -n 2 -o "$work/edits" --overwrite
maskgan render --pairs "$work/edits/edits.csv" -o "$work/edited" --sheet "$here/figures/ebst.png" --overwrite
