#!/usr/bin/env bash
# The picture at the top of the README: hair and mouth swapped between people of the test split.
#   recipes/readme_picture.sh [work folder]
set -euo pipefail
work=${1:-readme-picture}
maskgan synth "$work/raw" -n 200 --identities 200 --size 128 --seed 7
maskgan prep-data "$work/raw" "$work/data" --size 128
images="$work/data/images"
printf '%s\n' "$images/12.png,$images/32.png" "$images/32.png,$images/42.png" "$images/92.png,$images/122.png" \
    "$images/162.png,$images/172.png" |
    maskgan swap --parts hair,mouth --pairs - -o "$work/results" --sheet docs/swap.png --overwrite
