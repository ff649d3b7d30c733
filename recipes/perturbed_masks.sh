#!/usr/bin/env bash
# Measure the attribute accuracy on perturbed masks. The generators before and after EBST synthesise every test face in
# the two edited masks that EBST simulates. Edits of the shape should not change attributes.
# VAE_RECIPE, VAE_STEPS and VAE_SETS are settings of MaskVAE; EBST_RECIPE, EBST_STEPS and EBST_SETS are those of EBST.
# tables.sh lists the other settings. BEFORE, AFTER and VAE name existing runs, which are then not trained.
set -euo pipefail
. "$(dirname "$0")/tables.sh"
metrics=(attributes segmentation fid)
judges "${metrics[@]}"
read -ra VAE_SETS <<<"${VAE_SETS:-}"
read -ra EBST_SETS <<<"${EBST_SETS:-}"
[ -n "${BEFORE:-}" ] || learn dmn before-ebst "$RECIPE" "$STEPS" "${SETS[@]}"
BEFORE=${BEFORE:-$work/runs/before-ebst}
[ -n "${VAE:-}" ] || learn vae vae "${VAE_RECIPE:-tiny-cpu}" "${VAE_STEPS:-}" "${VAE_SETS[@]}"
VAE=${VAE:-$work/runs/vae}
[ -n "${AFTER:-}" ] || learn ebst after-ebst "${EBST_RECIPE:-tiny-cpu}" "${EBST_STEPS:-}" --dmn "$BEFORE" --vae "$VAE" "${EBST_SETS[@]}"
AFTER=${AFTER:-$work/runs/after-ebst}
maskgan simulate-edits "$data" --weights "$VAE" --seed "$SEED" --device "$DEVICE" -o "$work/edits" --overwrite \
    --attributes "${KEPT:-Smiling,Male,Heavy_Makeup,No_Beard}" >&2
cp "$work/edits/edits.csv" "$pairs"
MASKS=$work/edits
for method in before-ebst after-ebst; do
    weights=$BEFORE
    [ "$method" = before-ebst ] || weights=$AFTER
    maskgan render --pairs "$pairs" --weights "$weights" --device "$DEVICE" -o "$work/results/$method" >&2
    measure "$method" "${metrics[@]}"
done
table "$work/json/before-ebst.json" "$work/json/after-ebst.json"
