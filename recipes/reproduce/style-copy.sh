#!/bin/sh
# maskgan reproduce style-copy --preset tiny: 24 commands, about 12 minutes of one core, and 2 not measured.
set -eu
mkdir -p reproduce/tiny
cd reproduce/tiny

# render faces: about 75 seconds of one core
maskgan synth faces -n 800 --identities 200 --size 64 --seed 0

# prepare: about 10 seconds of one core
maskgan prep-data faces data --size 64

# pairs style-copy: about 5 seconds of one core
maskgan eval pairs data --protocol style-copy --seed 0 -o style-copy/pairs.csv --overwrite

# train spade: about 2 minutes of one core
maskgan train spade data --recipe tiny-cpu -o runs/spade --seed 0 --set schedule.steps=210 --set schedule.decay_from=null

# paint style-copy spade: about 10 seconds of one core
maskgan style-copy --pairs style-copy/pairs.csv --method spade --weights runs/spade -o style-copy/spade

# train attributes: about 2 minutes of one core
maskgan train attributes data --recipe tiny-cpu -o runs/attributes --seed 0 --set schedule.steps=1000 --set schedule.decay_from=500 --set network.image_size=128 --set network.width=16 --set data.batch_size=16 --set augment.rotate=3 --set augment.zoom=0.05 --set augment.shift=0.03 --set augment.light=0.15 --set augment.tint=0.1 --set augment.blur=0 --set augment.noise=0.01 --attributes Smiling,Male,Heavy_Makeup,No_Beard

# measure style-copy spade: about 10 seconds of one core
maskgan eval results data style-copy/spade --pairs style-copy/pairs.csv --method spade --metrics attributes,segmentation,fid --attributes-weights runs/attributes --features attributes --features-weights runs/attributes -o style-copy/spade.json --overwrite

# train sean: about 2 minutes of one core
maskgan train sean data --recipe tiny-cpu -o runs/sean --seed 0 --set schedule.steps=150 --set schedule.decay_from=null

# paint style-copy sean: about 10 seconds of one core
maskgan style-copy --pairs style-copy/pairs.csv --method sean --weights runs/sean -o style-copy/sean

# measure style-copy sean: about 10 seconds of one core
maskgan eval results data style-copy/sean --pairs style-copy/pairs.csv --method sean --metrics attributes,segmentation,fid --attributes-weights runs/attributes --features attributes --features-weights runs/attributes -o style-copy/sean.json --overwrite

# train pix2pixhd-m: about 2 minutes of one core
maskgan train pix2pixhd-m data --recipe tiny-cpu -o runs/pix2pixhd-m --seed 0 --set schedule.steps=270 --set schedule.decay_from=null

# paint style-copy pix2pixhd-m: about 10 seconds of one core
maskgan style-copy --pairs style-copy/pairs.csv --method pix2pixhd-m --weights runs/pix2pixhd-m -o style-copy/pix2pixhd-m

# measure style-copy pix2pixhd-m: about 10 seconds of one core
maskgan eval results data style-copy/pix2pixhd-m --pairs style-copy/pairs.csv --method pix2pixhd-m --metrics attributes,segmentation,fid --attributes-weights runs/attributes --features attributes --features-weights runs/attributes -o style-copy/pix2pixhd-m.json --overwrite

# train maskgan: about 2 minutes of one core
maskgan train dmn data --recipe tiny-cpu -o runs/maskgan --seed 0 --set schedule.steps=270 --set schedule.decay_from=null

# paint style-copy maskgan: about 10 seconds of one core
maskgan style-copy --pairs style-copy/pairs.csv --method dmn --weights runs/maskgan -o style-copy/maskgan

# measure style-copy maskgan: about 10 seconds of one core
maskgan eval results data style-copy/maskgan --pairs style-copy/pairs.csv --method maskgan --metrics attributes,segmentation,fid --attributes-weights runs/attributes --features attributes --features-weights runs/attributes -o style-copy/maskgan.json --overwrite

# train vae: time not measured
maskgan train vae data --recipe tiny-cpu -o runs/vae --seed 0 --set schedule.steps=300 --set schedule.decay_from=null

# train maskgan-ebst: time not measured
maskgan train ebst data --recipe tiny-cpu -o runs/maskgan-ebst --seed 0 --set schedule.steps=60 --set schedule.decay_from=null --dmn runs/maskgan --vae runs/vae

# paint style-copy maskgan-ebst: about 10 seconds of one core
maskgan style-copy --pairs style-copy/pairs.csv --method dmn --weights runs/maskgan-ebst -o style-copy/maskgan-ebst

# measure style-copy maskgan-ebst: about 10 seconds of one core
maskgan eval results data style-copy/maskgan-ebst --pairs style-copy/pairs.csv --method maskgan-ebst --metrics attributes,segmentation,fid --attributes-weights runs/attributes --features attributes --features-weights runs/attributes -o style-copy/maskgan-ebst.json --overwrite

# table style-copy md: about 5 seconds of one core
maskgan eval report style-copy/spade.json style-copy/sean.json style-copy/pix2pixhd-m.json style-copy/maskgan.json style-copy/maskgan-ebst.json --format markdown -o style-copy/table.md --overwrite

# table style-copy html: about 5 seconds of one core
maskgan eval report style-copy/spade.json style-copy/sean.json style-copy/pix2pixhd-m.json style-copy/maskgan.json style-copy/maskgan-ebst.json --format html -o style-copy/table.html --overwrite

# table style-copy tex: about 5 seconds of one core
maskgan eval report style-copy/spade.json style-copy/sean.json style-copy/pix2pixhd-m.json style-copy/maskgan.json style-copy/maskgan-ebst.json --format latex -o style-copy/table.tex --overwrite

# figure style-copy: about 5 seconds of one core
maskgan compare --pairs style-copy/pairs.csv --method spade=style-copy/spade --method sean=style-copy/sean --method pix2pixhd-m=style-copy/pix2pixhd-m --method maskgan=style-copy/maskgan --method maskgan-ebst=style-copy/maskgan-ebst -n 6 -o style-copy/figure --overwrite
