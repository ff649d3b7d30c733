#!/usr/bin/env bash
# Train and compare all methods of attribute transfer: StarGAN, ELEGANT, SPADE, Pix2PixHD-m and MaskGAN. The outputs are
# Smiling by all methods (table.md, compare), Eyeglasses by ELEGANT (glasses.json, compare-glasses), and the accuracy of
# the attribute classifier on unedited test faces (judge.json). STARGAN_STEPS and ELEGANT_STEPS set the number of steps
# of these methods, and STEPS sets that of the others. STARGAN_SETS, ELEGANT_SETS and SPADE_SETS are --set options.
# PARSER=bundled uses the bundled parser as evaluation network. tables.sh lists the other settings.
#   FACES=5400 PEOPLE=1080 PAIRS=200 PARSER=bundled recipes/baselines.sh
set -euo pipefail
JUDGED=${JUDGED:-Smiling,Eyeglasses}
# Small faces are enlarged for the attribute classifier, because its first layers reduce them to a quarter of their
# size. docs/design/baselines.md has the numbers.
mild="augment.rotate=3 augment.zoom=0.05 augment.shift=0.03 augment.light=0.15 augment.tint=0.1 augment.blur=0"
enlarged="network.image_size=128 network.width=16 data.batch_size=16 augment.noise=0.01 $mild"
ATTRIBUTES_SETS=${ATTRIBUTES_SETS:-$(printf -- '--set %s ' $enlarged)}
. "$(dirname "$0")/tables.sh"
metrics=(attributes segmentation fid identity)
maskless=(attributes fid identity) # StarGAN and ELEGANT do not use masks, so segmentation accuracy is not defined
judges "${metrics[@]}"
read -ra STARGAN_SETS <<<"${STARGAN_SETS:-}"
read -ra ELEGANT_SETS <<<"${ELEGANT_SETS:-}"
read -ra SPADE_SETS <<<"${SPADE_SETS:-}"
learn dmn maskgan "$RECIPE" "$STEPS" "${SETS[@]}"
learn pix2pixhd-m pix2pixhd-m "$RECIPE" "$STEPS" "${SETS[@]}"
learn spade spade "$RECIPE" "$STEPS" "${SPADE_SETS[@]}"
learn elegant elegant "$RECIPE" "${ELEGANT_STEPS:-$STEPS}" --attributes Smiling,Eyeglasses "${ELEGANT_SETS[@]}"
learn stargan stargan "$RECIPE" "${STARGAN_STEPS:-$STEPS}" --attributes Smiling "${STARGAN_SETS[@]}"

# The attribute classifier on test faces: its accuracy and its false positive rate.
maskgan eval judge attributes "$data" --weights "$ATTRIBUTES" --device "$DEVICE" -o "$work/judge.json" --overwrite >&2

maskgan eval pairs "$data" --protocol smiling -n "$PAIRS" --seed "$SEED" -o "$pairs" --overwrite >&2

# change ATTRIBUTE METHOD NAME METRIC... [-- option...]: edit with $work/runs/NAME into $work/results/NAME, and measure.
change() {
    local attribute=$1 method=$2 name=$3 measured=()
    shift 3
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        measured+=("$1")
        shift
    done
    [ $# -eq 0 ] || shift
    maskgan transfer --pairs "$pairs" --attribute "$attribute" --method "$method" --weights "$work/runs/$name" \
        --device "$DEVICE" -o "$work/results/$name" "$@" >&2
    measure "$name" "${measured[@]}"
}
change Smiling stargan stargan "${maskless[@]}"
change Smiling elegant elegant "${maskless[@]}"
change Smiling spade spade "${metrics[@]}" -- --save-masks
change Smiling pix2pixhd-m pix2pixhd-m "${metrics[@]}" -- --save-masks
change Smiling dmn maskgan "${metrics[@]}" -- --save-masks
names=(stargan elegant spade pix2pixhd-m maskgan)
results=() compared=()
for name in "${names[@]}"; do
    results+=("$work/json/$name.json")
    compared+=(--method "$name=$work/results/$name")
done
maskgan compare --pairs "$pairs" "${compared[@]}" -n 6 --size 64 -o "$work/compare" --overwrite >&2

# Glasses, which ELEGANT copies from the exemplar.
glasses=$work/glasses.csv
maskgan eval pairs "$data" --protocol transfer --attribute Eyeglasses --seed "$SEED" -o "$glasses" --overwrite >&2
maskgan transfer --pairs "$glasses" --attribute Eyeglasses --method elegant --weights "$work/runs/elegant" \
    --device "$DEVICE" -o "$work/results/glasses" >&2
maskgan eval attributes "$work/results/glasses" --pairs "$glasses" --weights "$ATTRIBUTES" --device "$DEVICE" \
    -o "$work/glasses.json" --overwrite >&2
maskgan compare --pairs "$glasses" --method elegant="$work/results/glasses" -n 6 --size 64 -o "$work/compare-glasses" \
    --overwrite >&2

table "${results[@]}"
