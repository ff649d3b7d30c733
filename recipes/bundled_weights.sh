#!/usr/bin/env bash
# The weights that come with the package: Dense Mapping Network and MaskVAE at 64 px, face parser at
# 128 px, trained on rendered faces alone. About two hours on two processor cores.
#   recipes/bundled_weights.sh [work folder]
set -euo pipefail
work=${1:-bundled-weights}
assets=$(dirname "$0")/../maskgan_cli/assets
maskgan synth "$work/raw" -n 1600 --identities 320 --size 128 --seed 1
[ -e "$work/data/dataset.json" ] || maskgan prep-data "$work/raw" "$work/data" --size 64
maskgan train dmn "$work/data" --recipe tiny-cpu -o "$work/dmn" --set schedule.steps=2800 \
    --set schedule.decay_from=1600 --set network.style_width=16 --set ema=0.995
maskgan train vae "$work/data" --recipe tiny-cpu -o "$work/vae" --set schedule.validation_samples=160
cp "$work/dmn/model.safetensors" "$assets/dmn.safetensors"
cp "$work/vae/model.safetensors" "$assets/vae.safetensors"

# The parser learns from larger pictures of more people: first small and quick, then at its own size.
maskgan synth "$work/large" -n 2000 --identities 750 --size 256 --seed 7
[ -e "$work/data256/dataset.json" ] || maskgan prep-data "$work/large" "$work/data256" --size 256
for size in 64 128; do
    [ -e "$work/data$size/dataset.json" ] || maskgan prep-data "$work/data256" "$work/data$size" --size "$size"
done
light=(--set augment.light=0.3 --set augment.tint=0.25 --set augment.blur=0.5 --set augment.noise=0.08)
maskgan train parser "$work/data64" --recipe tiny-cpu -o "$work/parser64" --set network.image_size=64 \
    --set schedule.steps=1600 --set schedule.decay_from=1000 "${light[@]}"
maskgan train parser "$work/data128" --recipe tiny-cpu -o "$work/parser" --start-from "$work/parser64" \
    --set schedule.steps=400 --set schedule.decay_from=1 "${light[@]}"
cp "$work/parser/model.safetensors" "$assets/parser.safetensors"
