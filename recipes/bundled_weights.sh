#!/usr/bin/env bash
# Trains the bundled weights: Dense Mapping Network and MaskVAE at 256 px, face parsers at 128 and 256 px. The first parser
# and MaskVAE are trained on rendered faces, the generator and the second parser finally also on public-domain portraits
# (the second argument, see docs/tutorials/portraits.md; without it, the result is a generator for rendered faces).
# Times on two CPU cores with other load: 5,400 faces 28 minutes; the generator's four parts at 128 px 60, 31, 105 and 36
# minutes on one core each; the parser's parts less than two hours, 5, 24, 15 and 9 minutes on one core. On one H200 with 16
# CPU cores and other load: 1,600 faces 72 seconds, 4,800 faces 290 seconds, the generator's fifth and sixth part 290 and 200
# seconds, MaskVAE 90 seconds. The generator's last two parts: 18 and 31 minutes on one CPU core.
#   recipes/bundled_weights.sh [work folder] [folder of portraits: images/, manifest.csv and landmarks.npz]
set -euo pipefail
work=${1:-bundled-weights}
portraits=${2:-}
assets=$(dirname "$0")/../maskgan_cli/assets
pack() { maskgan weights pack "$1" "$2" -o "$assets/$3.safetensors" --licence Apache-2.0 --overwrite; }
prepared() { [ -e "$2/dataset.json" ] || maskgan prep-data "$1" "$2" --size "$3"; }

# The generator at 128 px. Its parts were stopped at steps 4,048, 1,203, 2,699 and 1,350. The perceptual loss of the last
# part used the parser of 2,600 steps below, which was trained before.
maskgan synth "$work/first" -n 2400 --identities 600 --size 256 --seed 11
prepared "$work/first" "$work/first128" 128
maskgan train dmn "$work/first128" --recipe bundled-128-first -o "$work/dmn-first"
maskgan synth "$work/second" -n 5400 --identities 1350 --size 256 --seed 21
prepared "$work/second" "$work/second256" 256
prepared "$work/second256" "$work/second128" 128
maskgan train dmn "$work/second128" --recipe bundled-128 -o "$work/dmn-second" --start-from "$work/dmn-first" \
    --set loss.adversarial=1 --set loss.pixel=20 --set schedule.steps=1203 --set schedule.decay_from=null
maskgan train dmn "$work/second128" --recipe bundled-128 -o "$work/dmn-third" --start-from "$work/dmn-second" \
    --set schedule.steps=2699 --set schedule.decay_from=null
maskgan train dmn "$work/second128" --recipe bundled-128 -o "$work/dmn-fourth" --start-from "$work/dmn-third" \
    --set schedule.steps=1350 --set schedule.decay_from=250

# The parser is trained on larger pictures of more people, first at 64 px, then at 128 px.
maskgan synth "$work/large" -n 2000 --identities 750 --size 256 --seed 7
prepared "$work/large" "$work/data256" 256
for size in 64 128; do
    prepared "$work/data256" "$work/data$size" "$size"
done
light=(--set augment.light=0.3 --set augment.tint=0.25 --set augment.blur=0.5 --set augment.noise=0.08)
maskgan train parser "$work/data64" --recipe tiny-cpu -o "$work/parser64" --set network.image_size=64 \
    --set schedule.steps=1600 --set schedule.decay_from=1000 "${light[@]}"
maskgan train parser "$work/data128" --recipe tiny-cpu -o "$work/parser-first" --start-from "$work/parser64" \
    --set schedule.steps=400 --set schedule.decay_from=1 "${light[@]}"
# Then it is trained on the generator's data, with regions in random colours.
recoloured() { # steps, decay from, out, start
    maskgan train parser "$work/second128" --recipe bundled-128 -o "$work/$3" --start-from "$work/$4" \
        --set seed=0 --set "schedule.steps=$1" --set "schedule.decay_from=$2" --set augment.light=0.3 \
        --set augment.tint=0.2 --set augment.shade=0.3 --set augment.repaint=0.6 "${@:5}"
}
recoloured 400 133 parser-second parser-first --set augment.zoom=0.2 --set augment.shift=0.06 --set augment.backdrop=0.4
recoloured 2600 1000 parser-third parser-second --set augment.zoom=0.25 --set augment.shift=0.07 --set augment.backdrop=0.5
maskgan train parser "$work/second128" --recipe bundled-128 -o "$work/parser-fourth" --start-from "$work/parser-third"
# Then it is trained on mouths like those of photos. The weights are averaged, because the earlier ones are better at other
# parts.
maskgan train parser "$work/data128" --recipe bundled-128 -o "$work/parser-mouths" --start-from "$work/parser-fourth" \
    --set seed=2 --set schedule.steps=2000 --set schedule.decay_from=600 --set augment.mouths=0.3 \
    --set augment.lips=0.5 --set augment.outline=0.4
maskgan weights average "$work/parser-fourth" "$work/parser-mouths" --share 0.7 -o "$work/parser.safetensors" --overwrite
pack "$work/parser.safetensors" "$work/data128" parser

# The generator at 256 px, on scenes with two expressions. Its fifth part was stopped at step 2,942, its seventh, which
# started from 16-bit weights, at step 406 of 1,300. The last two parts have a smaller adversarial loss and larger
# reconstruction losses, which gives fewer spurious details and cleaner teeth.
maskgan synth "$work/few" -n 1600 --identities 400 --expressions 2 --size 256 --seed 51
prepared "$work/few" "$work/few256" 256
maskgan synth "$work/many" -n 4800 --identities 1200 --expressions 2 --size 256 --seed 52
prepared "$work/many" "$work/many256" 256
parser_loss=(--set "perceptual.weights=$work/parser.safetensors")
maskgan train dmn "$work/few256" --recipe bundled-256 -o "$work/dmn-fifth" --start-from "$work/dmn-fourth" \
    --set schedule.steps=2942 --set schedule.decay_from=null "${parser_loss[@]}"
maskgan train dmn "$work/many256" --recipe bundled-256 -o "$work/dmn-sixth" --start-from "$work/dmn-fifth" "${parser_loss[@]}"
fine_tune() { # out, start, seed, steps, moving average, adversarial, feature matching
    maskgan train dmn "$work/many256" --recipe bundled-256 -o "$work/$1" --start-from "$work/$2" "${parser_loss[@]}" \
        --set precision=no --set "seed=$3" --set data.batch_size=4 --set optimiser.lr=1e-4 --set "schedule.steps=$4" \
        --set schedule.decay_from=1 --set "ema=$5" --set "loss.adversarial=$6" --set "loss.feature_matching=$7" \
        --set loss.pixel=60 --set loss.segmentation=1
}
fine_tune dmn-seventh dmn-sixth 2 1300 0.995 0.15 10
fine_tune dmn dmn-seventh 3 700 0.99 0.05 2
pack "$work/dmn" "$work/many256" dmn
maskgan train vae "$work/many256" --recipe tiny-cpu -o "$work/vae" --set network.image_size=256 --set network.latent=192 \
    --set schedule.steps=5000 --set schedule.decay_from=1500 --set schedule.validation_samples=160
pack "$work/vae" "$work/many256" vae

# Portraits: 868 for training, labelled, and each warped to the proportions of two others. With 1,552 rendered faces, they
# train a parser at 256 px (for the generator's perceptual loss) and a small identity network. The generator's parts were
# stopped at steps 773, 1,220, 500, 126, 739, 171, 129, 94, 226, 121 and, part 12, 222; the others ran all their steps. A step
# of batch 4 took 2 to 3 seconds on one CPU core in bfloat16 (Intel Sapphire Rapids), four and a half hours in total; the
# last part took an hour on an AMD EPYC. The samples were two portraits to one warped and one rendered face; parts 1 and 2
# had no warped faces, and parts 1 to 4 and the parser's 1,000 steps had other shares.
[ -n "$portraits" ] || exit 0
here=$(dirname "$0")
faces=$work/portraits
mkdir -p "$faces"
ln -sfn "$(realpath "$portraits")/images" "$faces/images"
cp "$portraits/manifest.csv" "$faces/"
python "$here/label_faces.py" "$faces/images" "$faces/masks" --landmarks "$portraits/landmarks.npz"
python "$here/reshape_faces.py" "$faces" "$work/reshaped" --landmarks "$portraits/landmarks.npz"
maskgan synth "$work/rendered" -n 2400 --identities 600 --expressions 2 --size 256 --seed 61 # 1,552 of them were used
prepared "$work/reshaped" "$work/portraits256" 256
prepared "$work/rendered" "$work/rendered256" 256
[ -e "$work/faces/dataset.json" ] || maskgan merge-data "$work/portraits256" "$work/rendered256" -o "$work/faces"
maskgan train parser "$work/faces" --recipe bundled-128 -o "$work/parser256" --start-from "$work/parser.safetensors" \
    --set network.image_size=256 --set precision=bf16 --set seed=11 --set schedule.steps=1000 --set schedule.decay_from=450 \
    --set augment.zoom=0.4 --set augment.shift=0.1 --set augment.rotate=15 --set augment.backdrop=0.5 \
    --set augment.repaint=0.5 --set augment.mouths=0.15 --set augment.lips=0.3
# The second bundled parser, of which `parse` and edits average the probabilities with those of the first: two more parts with
# a Dice loss for small classes (450 and 410 steps in 32-bit floats), on portraits before other backdrops too. In the last
# part, two of seven faces have long hair: more than 16 % of the mask, and more than 5 % of its lower three eighths.
python "$here/replace_backdrops.py" "$work/reshaped" "$work/backdrops" --each 1 --size 256 --seed 3
prepared "$work/backdrops" "$work/backdrops256" 256
[ -e "$work/parsed/dataset.json" ] || maskgan merge-data "$work/portraits256" "$work/rendered256" "$work/backdrops256" -o "$work/parsed"
thin() { # out, start, seed, steps, settings
    maskgan train parser "$work/$1-faces" --recipe bundled-128 -o "$work/$1" --start-from "$work/$2" --set "seed=$3" \
        --set network.image_size=256 --set loss.dice=1 --set "schedule.steps=$4" --set data.balance=source \
        --set augment.zoom=0.4 --set augment.shift=0.1 --set augment.rotate=15 --set augment.backdrop=0.3 \
        --set augment.repaint=0.5 --set augment.mouths=0.15 --set augment.lips=0.3 "${@:5}"
}
ln -sfn parsed "$work/parser256-thin-faces"
thin parser256-thin parser256 12 450 --set schedule.decay_from=200 \
    --set "data.shares={portraits256: 2, backdrops256: 2, rendered256: 1}"
long_hair() { # data, out: a copy in which faces with long hair have a source of their own
    mkdir -p "$work/$2"
    ln -sfn "../$1/images" "../$1/masks" "$work/$2/"
    python - "$work/$1" "$work/$2" <<'PY'
import csv, pathlib, sys
import numpy as np
from PIL import Image
data, out = map(pathlib.Path, sys.argv[1:])
with (data / "manifest.csv").open() as file:
    rows = list(csv.DictReader(file))
for row in rows:
    hair = np.asarray(Image.open(data / row["mask"]).resize((64, 64), Image.Resampling.NEAREST)) == 13
    if row["split"] == "train" and row["source"] != "rendered256" and hair.mean() > 0.16 and hair[40:].mean() > 0.05:
        row["source"] = "long256"
with (out / "manifest.csv").open("w", newline="") as file:
    writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
PY
}
long_hair parsed long
[ -e "$work/parser256-long-faces/dataset.json" ] || maskgan prep-data "$work/long" "$work/parser256-long-faces" --size 256
thin parser256-long parser256-thin 13 410 --set schedule.decay_from=245 \
    --set "data.shares={portraits256: 2, backdrops256: 2, long256: 2, rendered256: 1}"
# Last, 950 steps in bfloat16 with relabelled portraits, whose copies before other backdrops also get rendered accessories
# and low necklines, and 800 rendered faces. Its learning rate fell from step 450 on.
python "$here/label_faces.py" "$faces/images" "$faces/masks" --landmarks "$portraits/landmarks.npz"
python "$here/reshape_faces.py" "$faces" "$work/reshaped-again" --landmarks "$portraits/landmarks.npz"
python "$here/replace_backdrops.py" "$work/reshaped-again" "$work/backdrops-again" --each 1 --size 256 --seed 5 \
    --accessories 0.6 --necklines 0.4
prepared "$work/reshaped-again" "$work/again/portraits256" 256
prepared "$work/backdrops-again" "$work/again/backdrops256" 256
[ -e "$work/parsed-again/dataset.json" ] || maskgan merge-data "$work/again/portraits256" "$work/rendered256" \
    "$work/again/backdrops256" -o "$work/parsed-again"
long_hair parsed-again long-again
[ -e "$work/parser256-worn-faces/dataset.json" ] || maskgan prep-data "$work/long-again" "$work/parser256-worn-faces" --size 256
thin parser256-worn parser256-long 21 950 --set schedule.decay_from=450 --set precision=bf16 --set augment.backdrop=0.25 \
    --set "data.shares={portraits256: 2, backdrops256: 3, long256: 2, rendered256: 1}"
pack "$work/parser256-worn" "$work/parser256-worn-faces" parser-256
maskgan train identity "$work/faces" --recipe tiny-cpu -o "$work/identity" --set network.image_size=112 \
    --set network.width=24 --set network.embedding=192 --set precision=bf16 --set augment.light=0.3 --set augment.tint=0.25 \
    --set augment.rotate=8 --set augment.zoom=0.12 --set augment.shift=0.04 --set augment.noise=0.06 \
    --set data.batch_size=48 --set schedule.steps=700 --set schedule.decay_from=350 --set loss.warmup=200
# The first eleven parts had a pooled style and the least squares loss.
pooled=(--set network.style_map=1 --set network.norm_limit=0 --set network.upsampling=bilinear --set r1=0
    --set adversarial_loss=least_squares --set "discriminator={width: 32, scales: 2, layers: 4, norm: none}"
    --set discriminator_rate=2 --set loss.adversarial=2 --set loss.feature_matching=2 --set loss.pixel=8
    --set loss.colours=2 --set loss.texture=0.5 --set style_augmentation.others=0.25 --set ema=0.995
    --set optimiser.lr=2.5e-4 --set schedule.decay_from=null)
old=(--set "discriminator={width: 32, scales: 3, layers: 3}" --set discriminator_rate=1 --set network.upsampling=resize
    --set discriminator_augment.cutout=0.3 --set loss.texture=0)
plain=("${old[@]}" --set network.noise=false --set style_augmentation.others=0 --set loss.colours=0)
known=(--set loss.identity=1.5 --set "identity.weights=$work/identity")
mapped() { # out, start, seed, steps, settings
    maskgan train dmn "$work/faces" --recipe bundled-faces-256 -o "$work/$1" --start-from "$2" --set "seed=$3" \
        --set "schedule.steps=$4" --set "perceptual.weights=$work/parser256" --set network.style_map=8 \
        --set network.skips=false --set style_augmentation.style_still=0 --set "data.shares={portraits256: 3, rendered256: 1}" "${@:5}"
}
portrait() { mapped "${@:1:4}" "${pooled[@]}" "${@:5}"; }
portrait faces-1 "$work/dmn" 0 773 "${plain[@]}" --set loss.adversarial=1 --set loss.pixel=20 --set ema=0.998 \
    --set loss.feature_matching=10 --set optimiser.lr=3e-4
portrait faces-2 "$work/faces-1" 1 1220 "${plain[@]}" --set loss.feature_matching=10
portrait faces-3 "$work/faces-2" 3 500 "${old[@]}" --set loss.feature_matching=4 --set loss.colours=4 --set optimiser.lr=3e-4
portrait faces-4 "$work/faces-3" 4 126 "${old[@]}" --set loss.feature_matching=4 --set loss.colours=4 "${known[@]}"
portrait faces-5 "$work/faces-4/model.safetensors" 5 739 "${old[@]}" --set loss.feature_matching=4 --set loss.colours=4 \
    "${known[@]}" --set "discriminator={width: 48, scales: 2, layers: 4}" --set discriminator_rate=2
portrait faces-6 "$work/faces-5/model.safetensors" 6 171 "${known[@]}" --set network.upsampling=resize \
    --set loss.adversarial=1 --set loss.texture=0 --set discriminator_rate=1
portrait faces-7 "$work/faces-6" 7 129 "${known[@]}" --set loss.adversarial=1.5 --set loss.texture=0 --set discriminator_rate=1.5
portrait faces-8 "$work/faces-7" 8 94 "${known[@]}" --set loss.texture=0 --set optimiser.lr=1e-4 --set discriminator_rate=6
portrait faces-9 "$work/faces-8" 9 226 "${known[@]}"
portrait faces-10 "$work/faces-9" 10 121 --set loss.texture=0.7 --set loss.pixel=12 --set loss.colours=1
# Finally, smaller adversarial and texture losses remove artefacts in hair and on noses.
portrait faces-11 "$work/faces-10" 11 340 --set loss.texture=0 --set loss.adversarial=0.1 --set loss.feature_matching=1 \
    --set loss.pixel=40 --set loss.colours=1 --set style_augmentation.others=0.15 --set ema=0.99 --set schedule.decay_from=150
# Last, the recipe as it is: with a style map, antialiased upsampling, clamped instance norm and a highpass discriminator.
# Part 12 also had a loss that is no longer in the code: the sliced Wasserstein distance between patches, weight 0.5. R1 was
# computed in every eighth step.
mapped faces-12 "$work/faces-11/model.safetensors" 24 222 --set style_augmentation.others=0.15 --set loss.adversarial=0.05 \
    --set loss.pixel=20 --set discriminator_rate=1.5 --set schedule.decay_from=null
mapped faces-13 "$work/faces-12" 25 900 --set style_augmentation.others=0.15 --set loss.adversarial=0.15 --set loss.pixel=15 \
    --set schedule.decay_from=500
mapped faces-14 "$work/faces-13" 26 620 --set schedule.decay_from=220
mapped faces-15 "$work/faces-14" 27 240 --set style_augmentation.others=0.1 --set loss.adversarial=0.2 --set loss.pixel=20 \
    --set optimiser.lr=2.5e-4 --set schedule.decay_from=60
mapped faces-16 "$work/faces-15" 28 200 --set style_augmentation.others=0.15 --set loss.adversarial=0.2 --set loss.pixel=20 \
    --set loss.colours=4 --set "data.shares={portraits256: 3, rendered256: 2}" --set schedule.decay_from=80
# A finer style map needs no other weights. The last parts, of batch 2 and in 32-bit floats, had 1,200 rendered
# faces. The rate of the last one fell more slowly up to step 473, as if it had 720 steps.
finer() { # run, its steps, side, out, seed, steps, settings
    mkdir -p "$work/finer-$3"
    python "$here/finer_style_map.py" "$work/$1" "$work/finer-$3/dmn.safetensors" --side "$3"
    cp "$work/$1/state/step-000$2/discriminator.safetensors" "$work/finer-$3/"
    mapped "$4" "$work/finer-$3" "$5" "$6" --set "network.style_map=$3" --set precision=no --set data.batch_size=2 \
        --set "data.shares={portraits256: 4, rendered256: 1}" --set r1=0 --set loss.pixel=20 --set optimiser.lr=2.5e-4 "${@:7}"
}
finer faces-16 200 16 faces-17 32 400 --set loss.adversarial=0.12 --set loss.colours=3 \
    --set style_augmentation.others=0.12 --set schedule.decay_from=220
finer faces-17 400 32 faces-18 41 600 --set loss.adversarial=0.2 --set loss.colours=2 \
    --set style_augmentation.others=0.15 --set style_augmentation.style_rotate=3 --set style_augmentation.style_zoom=0.05 \
    --set style_augmentation.style_shift=0.015 --set schedule.decay_from=400
# bfloat16, relabelled portraits and 800 rendered faces; part 19 starts from 16-bit weights.
[ -e "$work/faces-again/dataset.json" ] || maskgan merge-data "$work/again/portraits256" "$work/rendered256" -o "$work/faces-again"
again() { # out, start, seed, steps, settings
    maskgan train dmn "$work/faces-again" --recipe bundled-faces-256 -o "$work/$1" --start-from "$work/$2" \
        --set "seed=$3" --set "schedule.steps=$4" --set network.style_map=32 --set "perceptual.weights=$work/parser256-long" \
        --set data.batch_size=2 --set r1=0 --set "data.shares={portraits256: 4, rendered256: 1}" --set loss.pixel=16 \
        --set loss.colours=2 --set style_augmentation.others=0.2 --set style_augmentation.style_rotate=3 \
        --set style_augmentation.style_zoom=0.05 --set style_augmentation.style_shift=0.015 "${@:5}"
}
older=(--set network.skips=false --set style_augmentation.style_still=0 --set optimiser.lr=2.5e-4)
again faces-19 faces-18 51 1640 "${older[@]}" --set schedule.decay_from=950
again faces-20 faces-19 61 74 "${older[@]}" --set schedule.decay_from=null
# Skip connections. Their first 641 steps used details everywhere, the next 241 only where both masks have the same class
# (and the local style everywhere), the next 156 with zeros for the details of other classes. The code has changed since.
again faces-21 faces-20 71 641 --set style_augmentation.blur=0.2 --set schedule.decay_from=null
again faces-22 faces-21 81 241 --set style_augmentation.blur=0.2 --set schedule.decay_from=null
again faces-23 faces-22 91 156 --set style_augmentation.blur=0.2 --set style_augmentation.others=0.25 --set schedule.decay_from=null
again faces-24 faces-23 101 1250 --set style_augmentation.blur=0.2 --set style_augmentation.others=0.25 --set schedule.decay_from=680
pack "$work/faces-24" "$work/faces-again" dmn
# MaskVAE goes on with the masks of the portraits. Its rate fell from step 600 to 0.61 at step 1,029, began again, and fell to 0
# at step 1,330.
maskgan train vae "$work/faces-again" --recipe tiny-cpu -o "$work/vae-faces" --start-from "$work/vae" --set seed=5 \
    --set network.image_size=256 --set network.latent=192 --set data.batch_size=16 --set loss.dice=0.5 \
    --set data.balance=source --set "data.shares={portraits256: 2, rendered256: 1}" --set optimiser.lr=1.5e-3 \
    --set schedule.steps=1330 --set schedule.decay_from=1030 --set precision=bf16
pack "$work/vae-faces" "$work/faces-again" vae
