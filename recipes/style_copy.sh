#!/usr/bin/env bash
# The table of style copy (Male, Heavy_Makeup, No_Beard): MaskGAN and Pix2PixHD-m, trained and measured here.
# Settings are in tables.sh.
set -euo pipefail
. "$(dirname "$0")/tables.sh"
metrics=(attributes segmentation fid)
judges "${metrics[@]}"
learn dmn maskgan "$RECIPE" "$STEPS" --set network.fusion=sft "${SETS[@]}"
learn dmn pix2pixhd-m "$RECIPE" "$STEPS" --set network.fusion=none "${SETS[@]}"
maskgan eval pairs "$data" --protocol style-copy -n "$PAIRS" --seed "$SEED" -o "$pairs" --overwrite >&2
for method in pix2pixhd-m maskgan; do
    maskgan style-copy --pairs "$pairs" --weights "$work/runs/$method" --device "$DEVICE" \
        -o "$work/results/$method" >&2
    measure "$method" "${metrics[@]}"
done
table "$work/json/pix2pixhd-m.json" "$work/json/maskgan.json"
