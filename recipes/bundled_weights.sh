#!/usr/bin/env bash
# The weights that come with the package: Dense Mapping Network and MaskVAE at 64 px, trained on
# rendered faces alone. About an hour on two processor cores.
#   recipes/bundled_weights.sh [work folder]
set -euo pipefail
work=${1:-bundled-weights}
assets=$(dirname "$0")/../maskgan_cli/assets
maskgan synth "$work/raw" -n 1600 --identities 320 --size 128 --seed 1
[ -e "$work/data/dataset.json" ] || maskgan prep-data "$work/raw" "$work/data" --size 64
maskgan train dmn "$work/data" --recipe tiny-cpu -o "$work/dmn" --set schedule.steps=2800 \
    --set schedule.decay_from=1600 --set network.style_width=16 --set ema=0.995
maskgan train vae "$work/data" --recipe tiny-cpu -o "$work/vae" --set schedule.steps=2000 --set schedule.decay_from=1200
cp "$work/dmn/model.safetensors" "$assets/dmn.safetensors"
cp "$work/vae/model.safetensors" "$assets/vae.safetensors"
