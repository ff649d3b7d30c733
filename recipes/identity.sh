#!/usr/bin/env bash
# The table of identity preservation of MaskGAN and Pix2PixHD-m: each face is compared with itself after a mouth swap.
# Settings are in tables.sh.
set -euo pipefail
. "$(dirname "$0")/tables.sh"
judges identity
learn dmn maskgan "$RECIPE" "$STEPS" --set network.fusion=sft "${SETS[@]}"
learn dmn pix2pixhd-m "$RECIPE" "$STEPS" --set network.fusion=none "${SETS[@]}"
maskgan eval pairs "$data" --protocol identity -n "$PAIRS" --seed "$SEED" -o "$pairs" --overwrite >&2
for method in pix2pixhd-m maskgan; do
    maskgan swap-mouth --pairs "$pairs" --weights "$work/runs/$method" --device "$DEVICE" \
        -o "$work/results/$method" >&2
    measure "$method" identity
done
table "$work/json/pix2pixhd-m.json" "$work/json/maskgan.json"
