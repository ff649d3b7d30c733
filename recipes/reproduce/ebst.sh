#!/bin/sh
# maskgan reproduce ebst --preset tiny: 50 commands, about 11 minutes of one core, and 4 not measured.
set -eu
mkdir -p reproduce/tiny
cd reproduce/tiny

# render faces: about 75 seconds of one core
maskgan synth faces -n 800 --identities 200 --size 64 --seed 0

# prepare: about 10 seconds of one core
maskgan prep-data faces data --size 64

# train maskgan: about 2 minutes of one core
maskgan train dmn data --recipe tiny-cpu -o runs/maskgan --seed 0 --set schedule.steps=270 --set schedule.decay_from=null

# train control-0: about 25 seconds of one core
maskgan train dmn data --recipe tiny-cpu -o runs/control-0 --seed 0 --set schedule.steps=60 --set schedule.decay_from=null --set optimiser.lr=0.0002 --start-from runs/maskgan

# train control-1: about 25 seconds of one core
maskgan train dmn data --recipe tiny-cpu -o runs/control-1 --seed 1 --set schedule.steps=60 --set schedule.decay_from=null --set optimiser.lr=0.0002 --start-from runs/maskgan

# train control-2: about 25 seconds of one core
maskgan train dmn data --recipe tiny-cpu -o runs/control-2 --seed 2 --set schedule.steps=60 --set schedule.decay_from=null --set optimiser.lr=0.0002 --start-from runs/maskgan

# train vae: time not measured
maskgan train vae data --recipe tiny-cpu -o runs/vae --seed 0 --set schedule.steps=300 --set schedule.decay_from=null

# train maskgan-ebst: time not measured
maskgan train ebst data --recipe tiny-cpu -o runs/maskgan-ebst --seed 0 --set schedule.steps=60 --set schedule.decay_from=null --dmn runs/maskgan --vae runs/vae

# train maskgan-ebst-1: time not measured
maskgan train ebst data --recipe tiny-cpu -o runs/maskgan-ebst-1 --seed 1 --set schedule.steps=60 --set schedule.decay_from=null --dmn runs/maskgan --vae runs/vae

# train maskgan-ebst-2: time not measured
maskgan train ebst data --recipe tiny-cpu -o runs/maskgan-ebst-2 --seed 2 --set schedule.steps=60 --set schedule.decay_from=null --dmn runs/maskgan --vae runs/vae

# simulate edits: about 5 seconds of one core
maskgan simulate-edits data --weights runs/vae --seed 0 --attributes Smiling,Male,Heavy_Makeup,No_Beard -o edits --overwrite

# pairs smiling: about 5 seconds of one core
maskgan eval pairs data --protocol smiling --seed 0 -o smiling/pairs.csv --overwrite

# truth smiling: about 10 seconds of one core
maskgan eval truths faces smiling/pairs.csv -o smiling/truth --overwrite

# paint edits maskgan: about 10 seconds of one core
maskgan render --pairs edits/edits.csv --method dmn --weights runs/maskgan -o edits/maskgan

# train attributes: about 2 minutes of one core
maskgan train attributes data --recipe tiny-cpu -o runs/attributes --seed 0 --set schedule.steps=1000 --set schedule.decay_from=500 --set network.image_size=128 --set network.width=16 --set data.batch_size=16 --set augment.rotate=3 --set augment.zoom=0.05 --set augment.shift=0.03 --set augment.light=0.15 --set augment.tint=0.1 --set augment.blur=0 --set augment.noise=0.01 --attributes Smiling,Male,Heavy_Makeup,No_Beard

# measure edits maskgan: about 5 seconds of one core
maskgan eval results data edits/maskgan --pairs edits/edits.csv --method maskgan --metrics attributes,segmentation,fid --masks edits --attributes-weights runs/attributes --features attributes --features-weights runs/attributes -o edits/maskgan.json --overwrite

# paint smiling maskgan: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs smiling/truth/pairs.csv --method dmn --weights runs/maskgan --save-masks -o smiling/maskgan

# train identity: about 45 seconds of one core
maskgan train identity data --recipe tiny-cpu -o runs/identity --seed 0 --set schedule.steps=150 --set schedule.decay_from=90 --set data.batch_size=32 --set loss.warmup=60

# measure smiling maskgan: about 5 seconds of one core
maskgan eval results data smiling/maskgan --pairs smiling/truth/pairs.csv --method maskgan --metrics attributes,segmentation,fid,identity --attributes-weights runs/attributes --identity-weights runs/identity --features attributes --features-weights runs/attributes -o smiling/maskgan.json --overwrite

# paint edits control-0: about 10 seconds of one core
maskgan render --pairs edits/edits.csv --method dmn --weights runs/control-0 -o edits/control-0

# measure edits control-0: about 5 seconds of one core
maskgan eval results data edits/control-0 --pairs edits/edits.csv --method control-0 --metrics attributes,segmentation,fid --masks edits --attributes-weights runs/attributes --features attributes --features-weights runs/attributes -o edits/control-0.json --overwrite

# paint smiling control-0: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs smiling/truth/pairs.csv --method dmn --weights runs/control-0 --save-masks -o smiling/control-0

# measure smiling control-0: about 5 seconds of one core
maskgan eval results data smiling/control-0 --pairs smiling/truth/pairs.csv --method control-0 --metrics attributes,segmentation,fid,identity --attributes-weights runs/attributes --identity-weights runs/identity --features attributes --features-weights runs/attributes -o smiling/control-0.json --overwrite

# paint edits control-1: about 10 seconds of one core
maskgan render --pairs edits/edits.csv --method dmn --weights runs/control-1 -o edits/control-1

# measure edits control-1: about 5 seconds of one core
maskgan eval results data edits/control-1 --pairs edits/edits.csv --method control-1 --metrics attributes,segmentation,fid --masks edits --attributes-weights runs/attributes --features attributes --features-weights runs/attributes -o edits/control-1.json --overwrite

# paint smiling control-1: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs smiling/truth/pairs.csv --method dmn --weights runs/control-1 --save-masks -o smiling/control-1

# measure smiling control-1: about 5 seconds of one core
maskgan eval results data smiling/control-1 --pairs smiling/truth/pairs.csv --method control-1 --metrics attributes,segmentation,fid,identity --attributes-weights runs/attributes --identity-weights runs/identity --features attributes --features-weights runs/attributes -o smiling/control-1.json --overwrite

# paint edits control-2: about 10 seconds of one core
maskgan render --pairs edits/edits.csv --method dmn --weights runs/control-2 -o edits/control-2

# measure edits control-2: about 5 seconds of one core
maskgan eval results data edits/control-2 --pairs edits/edits.csv --method control-2 --metrics attributes,segmentation,fid --masks edits --attributes-weights runs/attributes --features attributes --features-weights runs/attributes -o edits/control-2.json --overwrite

# paint smiling control-2: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs smiling/truth/pairs.csv --method dmn --weights runs/control-2 --save-masks -o smiling/control-2

# measure smiling control-2: about 5 seconds of one core
maskgan eval results data smiling/control-2 --pairs smiling/truth/pairs.csv --method control-2 --metrics attributes,segmentation,fid,identity --attributes-weights runs/attributes --identity-weights runs/identity --features attributes --features-weights runs/attributes -o smiling/control-2.json --overwrite

# paint edits maskgan-ebst: about 10 seconds of one core
maskgan render --pairs edits/edits.csv --method dmn --weights runs/maskgan-ebst -o edits/maskgan-ebst

# measure edits maskgan-ebst: about 5 seconds of one core
maskgan eval results data edits/maskgan-ebst --pairs edits/edits.csv --method maskgan-ebst --metrics attributes,segmentation,fid --masks edits --attributes-weights runs/attributes --features attributes --features-weights runs/attributes -o edits/maskgan-ebst.json --overwrite

# paint smiling maskgan-ebst: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs smiling/truth/pairs.csv --method dmn --weights runs/maskgan-ebst --save-masks -o smiling/maskgan-ebst

# measure smiling maskgan-ebst: about 5 seconds of one core
maskgan eval results data smiling/maskgan-ebst --pairs smiling/truth/pairs.csv --method maskgan-ebst --metrics attributes,segmentation,fid,identity --attributes-weights runs/attributes --identity-weights runs/identity --features attributes --features-weights runs/attributes -o smiling/maskgan-ebst.json --overwrite

# paint edits maskgan-ebst-1: about 10 seconds of one core
maskgan render --pairs edits/edits.csv --method dmn --weights runs/maskgan-ebst-1 -o edits/maskgan-ebst-1

# measure edits maskgan-ebst-1: about 5 seconds of one core
maskgan eval results data edits/maskgan-ebst-1 --pairs edits/edits.csv --method maskgan-ebst-1 --metrics attributes,segmentation,fid --masks edits --attributes-weights runs/attributes --features attributes --features-weights runs/attributes -o edits/maskgan-ebst-1.json --overwrite

# paint smiling maskgan-ebst-1: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs smiling/truth/pairs.csv --method dmn --weights runs/maskgan-ebst-1 --save-masks -o smiling/maskgan-ebst-1

# measure smiling maskgan-ebst-1: about 5 seconds of one core
maskgan eval results data smiling/maskgan-ebst-1 --pairs smiling/truth/pairs.csv --method maskgan-ebst-1 --metrics attributes,segmentation,fid,identity --attributes-weights runs/attributes --identity-weights runs/identity --features attributes --features-weights runs/attributes -o smiling/maskgan-ebst-1.json --overwrite

# paint edits maskgan-ebst-2: about 10 seconds of one core
maskgan render --pairs edits/edits.csv --method dmn --weights runs/maskgan-ebst-2 -o edits/maskgan-ebst-2

# measure edits maskgan-ebst-2: about 5 seconds of one core
maskgan eval results data edits/maskgan-ebst-2 --pairs edits/edits.csv --method maskgan-ebst-2 --metrics attributes,segmentation,fid --masks edits --attributes-weights runs/attributes --features attributes --features-weights runs/attributes -o edits/maskgan-ebst-2.json --overwrite

# paint smiling maskgan-ebst-2: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs smiling/truth/pairs.csv --method dmn --weights runs/maskgan-ebst-2 --save-masks -o smiling/maskgan-ebst-2

# measure smiling maskgan-ebst-2: about 5 seconds of one core
maskgan eval results data smiling/maskgan-ebst-2 --pairs smiling/truth/pairs.csv --method maskgan-ebst-2 --metrics attributes,segmentation,fid,identity --attributes-weights runs/attributes --identity-weights runs/identity --features attributes --features-weights runs/attributes -o smiling/maskgan-ebst-2.json --overwrite

# table ebst md: about 5 seconds of one core
maskgan eval report edits/maskgan.json edits/control-0.json edits/control-1.json edits/control-2.json edits/maskgan-ebst.json edits/maskgan-ebst-1.json edits/maskgan-ebst-2.json --format markdown -o ebst/table.md --overwrite

# table ebst html: about 5 seconds of one core
maskgan eval report edits/maskgan.json edits/control-0.json edits/control-1.json edits/control-2.json edits/maskgan-ebst.json edits/maskgan-ebst-1.json edits/maskgan-ebst-2.json --format html -o ebst/table.html --overwrite

# table ebst tex: about 5 seconds of one core
maskgan eval report edits/maskgan.json edits/control-0.json edits/control-1.json edits/control-2.json edits/maskgan-ebst.json edits/maskgan-ebst-1.json edits/maskgan-ebst-2.json --format latex -o ebst/table.tex --overwrite

# table ebst-smiling md: about 5 seconds of one core
maskgan eval report smiling/maskgan.json smiling/control-0.json smiling/control-1.json smiling/control-2.json smiling/maskgan-ebst.json smiling/maskgan-ebst-1.json smiling/maskgan-ebst-2.json --format markdown -o ebst-smiling/table.md --overwrite

# table ebst-smiling html: about 5 seconds of one core
maskgan eval report smiling/maskgan.json smiling/control-0.json smiling/control-1.json smiling/control-2.json smiling/maskgan-ebst.json smiling/maskgan-ebst-1.json smiling/maskgan-ebst-2.json --format html -o ebst-smiling/table.html --overwrite

# table ebst-smiling tex: about 5 seconds of one core
maskgan eval report smiling/maskgan.json smiling/control-0.json smiling/control-1.json smiling/control-2.json smiling/maskgan-ebst.json smiling/maskgan-ebst-1.json smiling/maskgan-ebst-2.json --format latex -o ebst-smiling/table.tex --overwrite

# figure ebst: about 5 seconds of one core
maskgan compare --pairs smiling/truth/pairs.csv --method maskgan=smiling/maskgan --method control-0=smiling/control-0 --method control-1=smiling/control-1 --method control-2=smiling/control-2 --method maskgan-ebst=smiling/maskgan-ebst --method maskgan-ebst-1=smiling/maskgan-ebst-1 --method maskgan-ebst-2=smiling/maskgan-ebst-2 -n 6 -o ebst/figure --overwrite --masks smiling/maskgan
