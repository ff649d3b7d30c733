#!/usr/bin/env bash
# The pictures of the site's pages: rendered faces that the bundled networks never saw, 256 px, and a photo of the
# astronaut Eileen Collins (NASA, public domain) that comes with scikit-image.
#   docs/figures.sh [work folder]
set -euo pipefail
work=${1:-site-figures}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$here/figures"
maskgan synth "$work/raw" -n 40 --identities 40 --size 256 --seed 7
[ -e "$work/data/dataset.json" ] || maskgan prep-data "$work/raw" "$work/data" --size 256
images="$work/data/images"
printf '%s\n' "$images/12.png,$images/32.png" "$images/32.png,$images/2.png" |
    maskgan swap --parts hair --pairs - -o "$work/masks" --sheet "$here/figures/masks.png" --overwrite
printf '%s\n' "$images/2.png,$images/12.png" "$images/12.png,$images/32.png" |
    maskgan style-copy --pairs - -o "$work/style" --sheet "$here/figures/style.png" --overwrite
maskgan interpolate "$images/12.png" "$images/32.png" --steps 6 --style "$images/12.png" -o "$work/between" --overwrite
cp "$work/between/strip.png" "$here/figures/maskvae.png"
maskgan simulate-edits "$work/data" -n 2 -o "$work/edits" --overwrite
maskgan render --pairs "$work/edits/edits.csv" -o "$work/edited" --sheet "$here/figures/ebst.png" --overwrite
python "$here/../recipes/interactive_editing.py" -o "$here/figures/interactive.jpg"
photo="$work/astronaut.png"
fetch='import sys; from skimage import data, io; [io.imsave(path, data.astronaut()) for path in sys.argv[1:]]'
python -c "$fetch" "$photo" "$here/figures/photo.jpg"
maskgan reshape "$photo" --open-mouth 16 -o "$here/figures/photo-mouth.jpg" --overwrite
maskgan reshape "$photo" --along hair-length -o "$here/figures/photo-hair.jpg" --overwrite
maskgan reshape "$photo" --add glasses -o "$here/figures/photo-glasses.jpg" --overwrite
