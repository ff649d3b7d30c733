#!/bin/sh
# maskgan reproduce attribute-transfer --preset tiny: 33 commands, about 15 minutes of one core, and 2 not measured.
set -eu
mkdir -p reproduce/tiny
cd reproduce/tiny

# render faces: about 75 seconds of one core
maskgan synth faces -n 800 --identities 200 --size 64 --seed 0

# prepare: about 10 seconds of one core
maskgan prep-data faces data --size 64

# pairs smiling: about 5 seconds of one core
maskgan eval pairs data --protocol smiling --seed 0 -o smiling/pairs.csv --overwrite

# truth smiling: about 10 seconds of one core
maskgan eval truths faces smiling/pairs.csv -o smiling/truth --overwrite

# train stargan: about 90 seconds of one core
maskgan train stargan data --recipe tiny-cpu -o runs/stargan --seed 0 --set schedule.steps=440 --set schedule.decay_from=null --attributes Smiling

# paint smiling stargan: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs smiling/truth/pairs.csv --method stargan --weights runs/stargan -o smiling/stargan

# train attributes: about 2 minutes of one core
maskgan train attributes data --recipe tiny-cpu -o runs/attributes --seed 0 --set schedule.steps=1000 --set schedule.decay_from=500 --set network.image_size=128 --set network.width=16 --set data.batch_size=16 --set augment.rotate=3 --set augment.zoom=0.05 --set augment.shift=0.03 --set augment.light=0.15 --set augment.tint=0.1 --set augment.blur=0 --set augment.noise=0.01 --attributes Smiling,Male,Heavy_Makeup,No_Beard

# train identity: about 45 seconds of one core
maskgan train identity data --recipe tiny-cpu -o runs/identity --seed 0 --set schedule.steps=150 --set schedule.decay_from=90 --set data.batch_size=32 --set loss.warmup=60

# measure smiling stargan: about 5 seconds of one core
maskgan eval results data smiling/stargan --pairs smiling/truth/pairs.csv --method stargan --metrics attributes,fid,identity --attributes-weights runs/attributes --identity-weights runs/identity --features attributes --features-weights runs/attributes -o smiling/stargan.json --overwrite

# train elegant: about 85 seconds of one core
maskgan train elegant data --recipe tiny-cpu -o runs/elegant --seed 0 --set schedule.steps=270 --set schedule.decay_from=null --attributes Smiling,Eyeglasses

# paint smiling elegant: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs smiling/truth/pairs.csv --method elegant --weights runs/elegant -o smiling/elegant

# measure smiling elegant: about 5 seconds of one core
maskgan eval results data smiling/elegant --pairs smiling/truth/pairs.csv --method elegant --metrics attributes,fid,identity --attributes-weights runs/attributes --identity-weights runs/identity --features attributes --features-weights runs/attributes -o smiling/elegant.json --overwrite

# train spade: about 2 minutes of one core
maskgan train spade data --recipe tiny-cpu -o runs/spade --seed 0 --set schedule.steps=210 --set schedule.decay_from=null

# paint smiling spade: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs smiling/truth/pairs.csv --method spade --weights runs/spade --save-masks -o smiling/spade

# measure smiling spade: about 5 seconds of one core
maskgan eval results data smiling/spade --pairs smiling/truth/pairs.csv --method spade --metrics attributes,segmentation,fid,identity --attributes-weights runs/attributes --identity-weights runs/identity --features attributes --features-weights runs/attributes -o smiling/spade.json --overwrite

# train sean: about 2 minutes of one core
maskgan train sean data --recipe tiny-cpu -o runs/sean --seed 0 --set schedule.steps=150 --set schedule.decay_from=null

# paint smiling sean: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs smiling/truth/pairs.csv --method sean --weights runs/sean --save-masks -o smiling/sean

# measure smiling sean: about 5 seconds of one core
maskgan eval results data smiling/sean --pairs smiling/truth/pairs.csv --method sean --metrics attributes,segmentation,fid,identity --attributes-weights runs/attributes --identity-weights runs/identity --features attributes --features-weights runs/attributes -o smiling/sean.json --overwrite

# train pix2pixhd-m: about 2 minutes of one core
maskgan train pix2pixhd-m data --recipe tiny-cpu -o runs/pix2pixhd-m --seed 0 --set schedule.steps=270 --set schedule.decay_from=null

# paint smiling pix2pixhd-m: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs smiling/truth/pairs.csv --method pix2pixhd-m --weights runs/pix2pixhd-m --save-masks -o smiling/pix2pixhd-m

# measure smiling pix2pixhd-m: about 5 seconds of one core
maskgan eval results data smiling/pix2pixhd-m --pairs smiling/truth/pairs.csv --method pix2pixhd-m --metrics attributes,segmentation,fid,identity --attributes-weights runs/attributes --identity-weights runs/identity --features attributes --features-weights runs/attributes -o smiling/pix2pixhd-m.json --overwrite

# train maskgan: about 2 minutes of one core
maskgan train dmn data --recipe tiny-cpu -o runs/maskgan --seed 0 --set schedule.steps=270 --set schedule.decay_from=null

# paint smiling maskgan: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs smiling/truth/pairs.csv --method dmn --weights runs/maskgan --save-masks -o smiling/maskgan

# measure smiling maskgan: about 5 seconds of one core
maskgan eval results data smiling/maskgan --pairs smiling/truth/pairs.csv --method maskgan --metrics attributes,segmentation,fid,identity --attributes-weights runs/attributes --identity-weights runs/identity --features attributes --features-weights runs/attributes -o smiling/maskgan.json --overwrite

# train vae: time not measured
maskgan train vae data --recipe tiny-cpu -o runs/vae --seed 0 --set schedule.steps=300 --set schedule.decay_from=null

# train maskgan-ebst: time not measured
maskgan train ebst data --recipe tiny-cpu -o runs/maskgan-ebst --seed 0 --set schedule.steps=60 --set schedule.decay_from=null --dmn runs/maskgan --vae runs/vae

# paint smiling maskgan-ebst: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs smiling/truth/pairs.csv --method dmn --weights runs/maskgan-ebst --save-masks -o smiling/maskgan-ebst

# measure smiling maskgan-ebst: about 5 seconds of one core
maskgan eval results data smiling/maskgan-ebst --pairs smiling/truth/pairs.csv --method maskgan-ebst --metrics attributes,segmentation,fid,identity --attributes-weights runs/attributes --identity-weights runs/identity --features attributes --features-weights runs/attributes -o smiling/maskgan-ebst.json --overwrite

# measure smiling truth: about 5 seconds of one core
maskgan eval results data smiling/truth --pairs smiling/truth/pairs.csv --method truth --metrics attributes,segmentation,fid,identity --masks smiling/maskgan --attributes-weights runs/attributes --identity-weights runs/identity --features attributes --features-weights runs/attributes -o smiling/truth.json --overwrite

# table attribute-transfer md: about 5 seconds of one core
maskgan eval report smiling/stargan.json smiling/elegant.json smiling/spade.json smiling/sean.json smiling/pix2pixhd-m.json smiling/maskgan.json smiling/maskgan-ebst.json smiling/truth.json --format markdown -o attribute-transfer/table.md --overwrite

# table attribute-transfer html: about 5 seconds of one core
maskgan eval report smiling/stargan.json smiling/elegant.json smiling/spade.json smiling/sean.json smiling/pix2pixhd-m.json smiling/maskgan.json smiling/maskgan-ebst.json smiling/truth.json --format html -o attribute-transfer/table.html --overwrite

# table attribute-transfer tex: about 5 seconds of one core
maskgan eval report smiling/stargan.json smiling/elegant.json smiling/spade.json smiling/sean.json smiling/pix2pixhd-m.json smiling/maskgan.json smiling/maskgan-ebst.json smiling/truth.json --format latex -o attribute-transfer/table.tex --overwrite

# figure attribute-transfer: about 5 seconds of one core
maskgan compare --pairs smiling/truth/pairs.csv --method stargan=smiling/stargan --method elegant=smiling/elegant --method spade=smiling/spade --method sean=smiling/sean --method pix2pixhd-m=smiling/pix2pixhd-m --method maskgan=smiling/maskgan --method maskgan-ebst=smiling/maskgan-ebst -n 6 -o attribute-transfer/figure --overwrite --masks smiling/maskgan
