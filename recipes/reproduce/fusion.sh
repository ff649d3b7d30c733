#!/bin/sh
# maskgan reproduce fusion --preset tiny: 19 commands, about 10 minutes of one core.
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

# train pix2pixhd-m: about 2 minutes of one core
maskgan train pix2pixhd-m data --recipe tiny-cpu -o runs/pix2pixhd-m --seed 0 --set schedule.steps=270 --set schedule.decay_from=null

# paint smiling pix2pixhd-m: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs smiling/truth/pairs.csv --method pix2pixhd-m --weights runs/pix2pixhd-m --save-masks -o smiling/pix2pixhd-m

# train attributes: about 2 minutes of one core
maskgan train attributes data --recipe tiny-cpu -o runs/attributes --seed 0 --set schedule.steps=1000 --set schedule.decay_from=500 --set network.image_size=128 --set network.width=16 --set data.batch_size=16 --set augment.rotate=3 --set augment.zoom=0.05 --set augment.shift=0.03 --set augment.light=0.15 --set augment.tint=0.1 --set augment.blur=0 --set augment.noise=0.01 --attributes Smiling,Male,Heavy_Makeup,No_Beard

# train identity: about 45 seconds of one core
maskgan train identity data --recipe tiny-cpu -o runs/identity --seed 0 --set schedule.steps=150 --set schedule.decay_from=90 --set data.batch_size=32 --set loss.warmup=60

# measure smiling pix2pixhd-m: about 5 seconds of one core
maskgan eval results data smiling/pix2pixhd-m --pairs smiling/truth/pairs.csv --method pix2pixhd-m --metrics attributes,segmentation,fid,identity --attributes-weights runs/attributes --identity-weights runs/identity --features attributes --features-weights runs/attributes -o smiling/pix2pixhd-m.json --overwrite

# train concat: about 2 minutes of one core
maskgan train dmn data --recipe tiny-cpu -o runs/concat --seed 0 --set schedule.steps=270 --set schedule.decay_from=null --set network.fusion=concat

# paint smiling concat: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs smiling/truth/pairs.csv --method dmn --weights runs/concat --save-masks -o smiling/concat

# measure smiling concat: about 5 seconds of one core
maskgan eval results data smiling/concat --pairs smiling/truth/pairs.csv --method concat --metrics attributes,segmentation,fid,identity --attributes-weights runs/attributes --identity-weights runs/identity --features attributes --features-weights runs/attributes -o smiling/concat.json --overwrite

# train maskgan: about 2 minutes of one core
maskgan train dmn data --recipe tiny-cpu -o runs/maskgan --seed 0 --set schedule.steps=270 --set schedule.decay_from=null

# paint smiling maskgan: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs smiling/truth/pairs.csv --method dmn --weights runs/maskgan --save-masks -o smiling/maskgan

# measure smiling maskgan: about 5 seconds of one core
maskgan eval results data smiling/maskgan --pairs smiling/truth/pairs.csv --method maskgan --metrics attributes,segmentation,fid,identity --attributes-weights runs/attributes --identity-weights runs/identity --features attributes --features-weights runs/attributes -o smiling/maskgan.json --overwrite

# table fusion md: about 5 seconds of one core
maskgan eval report smiling/pix2pixhd-m.json smiling/concat.json smiling/maskgan.json --format markdown -o fusion/table.md --overwrite

# table fusion html: about 5 seconds of one core
maskgan eval report smiling/pix2pixhd-m.json smiling/concat.json smiling/maskgan.json --format html -o fusion/table.html --overwrite

# table fusion tex: about 5 seconds of one core
maskgan eval report smiling/pix2pixhd-m.json smiling/concat.json smiling/maskgan.json --format latex -o fusion/table.tex --overwrite

# figure fusion: about 5 seconds of one core
maskgan compare --pairs smiling/truth/pairs.csv --method pix2pixhd-m=smiling/pix2pixhd-m --method concat=smiling/concat --method maskgan=smiling/maskgan -n 6 -o fusion/figure --overwrite --masks smiling/maskgan
