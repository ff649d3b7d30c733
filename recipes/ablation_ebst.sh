#!/usr/bin/env bash
# The ablation of Editing Behaviour Simulated Training: the generator before and after EBST.
# VAE_RECIPE, VAE_STEPS, VAE_SETS and EBST_RECIPE, EBST_STEPS, EBST_SETS are settings of MaskVAE and EBST; tables.sh lists
# the others.
set -euo pipefail
. "$(dirname "$0")/tables.sh"
metrics=(attributes segmentation fid)
judges "${metrics[@]}"
learn dmn without-ebst "$RECIPE" "$STEPS" "${SETS[@]}"
read -ra VAE_SETS <<<"${VAE_SETS:-}"
learn vae vae "${VAE_RECIPE:-$RECIPE}" "${VAE_STEPS:-}" "${VAE_SETS[@]}"
read -ra EBST_SETS <<<"${EBST_SETS:-}"
learn ebst with-ebst "${EBST_RECIPE:-tiny-cpu}" "${EBST_STEPS:-}" \
    --dmn "$work/runs/without-ebst" --vae "$work/runs/vae" "${EBST_SETS[@]}"
maskgan eval pairs "$data" --protocol smiling -n "$PAIRS" --seed "$SEED" -o "$pairs" --overwrite >&2
for method in without-ebst with-ebst; do
    maskgan swap-mouth --pairs "$pairs" --weights "$work/runs/$method" --device "$DEVICE" --save-masks \
        -o "$work/results/$method" >&2
    measure "$method" "${metrics[@]}"
done
table "$work/json/without-ebst.json" "$work/json/with-ebst.json"
