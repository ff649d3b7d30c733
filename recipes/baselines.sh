#!/usr/bin/env bash
# Attribute transfer (Smiling) with every method: StarGAN, ELEGANT, SPADE, Pix2PixHD-m and MaskGAN, trained and
# measured here. STARGAN_STEPS, ELEGANT_STEPS are those two's; STEPS the others', which see equally many steps;
# STARGAN_SETS, ELEGANT_SETS, SPADE_SETS are changes of their recipes; the other settings are in tables.sh.
#   SIZE=64 FACES=2000 PEOPLE=400 STEPS=1500 STARGAN_STEPS=8000 ELEGANT_STEPS=3000 recipes/baselines.sh
set -euo pipefail
. "$(dirname "$0")/tables.sh"
metrics=(attributes segmentation fid identity)
maskless=(attributes fid identity) # StarGAN and ELEGANT paint no mask that could be read again
judges "${metrics[@]}"
read -ra STARGAN_SETS <<<"${STARGAN_SETS:-}"
read -ra ELEGANT_SETS <<<"${ELEGANT_SETS:-}"
read -ra SPADE_SETS <<<"${SPADE_SETS:-}"
learn dmn maskgan "$RECIPE" "$STEPS" "${SETS[@]}"
learn pix2pixhd-m pix2pixhd-m "$RECIPE" "$STEPS" "${SETS[@]}"
learn spade spade "$RECIPE" "$STEPS" "${SPADE_SETS[@]}"
learn elegant elegant "$RECIPE" "${ELEGANT_STEPS:-$STEPS}" --attributes Smiling,Eyeglasses "${ELEGANT_SETS[@]}"
learn stargan stargan "$RECIPE" "${STARGAN_STEPS:-$STEPS}" --attributes Smiling "${STARGAN_SETS[@]}"
maskgan eval pairs "$data" --protocol smiling -n "$PAIRS" --seed "$SEED" -o "$pairs" --overwrite >&2

# change METHOD NAME METRIC... [-- option...]: results of a method to $work/results/NAME, measured.
change() {
    local method=$1 name=$2 measured=()
    shift 2
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        measured+=("$1")
        shift
    done
    [ $# -eq 0 ] || shift
    maskgan transfer --pairs "$pairs" --attribute Smiling --method "$method" --weights "$work/runs/$name" \
        --device "$DEVICE" -o "$work/results/$name" "$@" >&2
    measure "$name" "${measured[@]}"
}
change stargan stargan "${maskless[@]}"
change elegant elegant "${maskless[@]}"
change spade spade "${metrics[@]}" -- --save-masks
change pix2pixhd-m pix2pixhd-m "${metrics[@]}" -- --save-masks
change dmn maskgan "${metrics[@]}" -- --save-masks
results=()
for name in stargan elegant spade pix2pixhd-m maskgan; do results+=("$work/json/$name.json"); done
table "${results[@]}"
