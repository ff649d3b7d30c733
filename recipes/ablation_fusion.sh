#!/usr/bin/env bash
# The ablation of the style encoder: mask and image joined by SFT (as published) or by concatenation.
# Settings are in tables.sh.
set -euo pipefail
. "$(dirname "$0")/tables.sh"
metrics=(attributes segmentation fid)
judges "${metrics[@]}"
maskgan eval pairs "$data" --protocol smiling -n "$PAIRS" --seed "$SEED" -o "$pairs" --overwrite >&2
for fusion in concat sft; do
    learn dmn "$fusion" "$RECIPE" "$STEPS" --set network.fusion="$fusion" "${SETS[@]}"
    maskgan swap-mouth --pairs "$pairs" --weights "$work/runs/$fusion" --device "$DEVICE" --save-masks \
        -o "$work/results/$fusion" >&2
    measure "$fusion" "${metrics[@]}"
done
table "$work/json/concat.json" "$work/json/sft.json"
