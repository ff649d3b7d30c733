#!/usr/bin/env bash
# The picture at the top of the README: hair and mouth swapped between people of the test split.
#   recipes/readme_picture.sh [work folder]
set -euo pipefail
work=${1:-readme-picture}
maskgan synth "$work/raw" -n 60 --identities 60 --size 128 --seed 7
maskgan prep-data "$work/raw" "$work/data" --size 128
images="$work/data/images"
printf '%s\n' "$images/2.png,$images/12.png" "$images/22.png,$images/32.png" "$images/42.png,$images/52.png" |
    maskgan swap --parts hair,mouth --pairs - -o "$work/results" --sheet docs/swap.png --overwrite
