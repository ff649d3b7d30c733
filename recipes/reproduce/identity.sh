#!/bin/sh
# maskgan reproduce identity --preset tiny: 29 commands, about 12 minutes of one core, and 2 not measured.
set -eu
mkdir -p reproduce/tiny
cd reproduce/tiny

# render faces: about 75 seconds of one core
maskgan synth faces -n 800 --identities 200 --size 64 --seed 0

# prepare: about 10 seconds of one core
maskgan prep-data faces data --size 64

# pairs identity: about 5 seconds of one core
maskgan eval pairs data --protocol identity --seed 0 -o identity/pairs.csv --overwrite

# truth identity: about 10 seconds of one core
maskgan eval truths faces identity/pairs.csv -o identity/truth --overwrite

# train elegant: about 85 seconds of one core
maskgan train elegant data --recipe tiny-cpu -o runs/elegant --seed 0 --set schedule.steps=270 --set schedule.decay_from=null --attributes Smiling,Eyeglasses

# paint identity elegant: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs identity/truth/pairs.csv --method elegant --weights runs/elegant -o identity/elegant

# train identity: about 45 seconds of one core
maskgan train identity data --recipe tiny-cpu -o runs/identity --seed 0 --set schedule.steps=150 --set schedule.decay_from=90 --set data.batch_size=32 --set loss.warmup=60

# measure identity elegant: about 5 seconds of one core
maskgan eval results data identity/elegant --pairs identity/truth/pairs.csv --method elegant --metrics identity --identity-weights runs/identity -o identity/elegant.json --overwrite

# train spade: about 2 minutes of one core
maskgan train spade data --recipe tiny-cpu -o runs/spade --seed 0 --set schedule.steps=210 --set schedule.decay_from=null

# paint identity spade: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs identity/truth/pairs.csv --method spade --weights runs/spade --save-masks -o identity/spade

# measure identity spade: about 5 seconds of one core
maskgan eval results data identity/spade --pairs identity/truth/pairs.csv --method spade --metrics identity --identity-weights runs/identity -o identity/spade.json --overwrite

# train sean: about 2 minutes of one core
maskgan train sean data --recipe tiny-cpu -o runs/sean --seed 0 --set schedule.steps=150 --set schedule.decay_from=null

# paint identity sean: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs identity/truth/pairs.csv --method sean --weights runs/sean --save-masks -o identity/sean

# measure identity sean: about 5 seconds of one core
maskgan eval results data identity/sean --pairs identity/truth/pairs.csv --method sean --metrics identity --identity-weights runs/identity -o identity/sean.json --overwrite

# train pix2pixhd-m: about 2 minutes of one core
maskgan train pix2pixhd-m data --recipe tiny-cpu -o runs/pix2pixhd-m --seed 0 --set schedule.steps=270 --set schedule.decay_from=null

# paint identity pix2pixhd-m: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs identity/truth/pairs.csv --method pix2pixhd-m --weights runs/pix2pixhd-m --save-masks -o identity/pix2pixhd-m

# measure identity pix2pixhd-m: about 5 seconds of one core
maskgan eval results data identity/pix2pixhd-m --pairs identity/truth/pairs.csv --method pix2pixhd-m --metrics identity --identity-weights runs/identity -o identity/pix2pixhd-m.json --overwrite

# train maskgan: about 2 minutes of one core
maskgan train dmn data --recipe tiny-cpu -o runs/maskgan --seed 0 --set schedule.steps=270 --set schedule.decay_from=null

# paint identity maskgan: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs identity/truth/pairs.csv --method dmn --weights runs/maskgan --save-masks -o identity/maskgan

# measure identity maskgan: about 5 seconds of one core
maskgan eval results data identity/maskgan --pairs identity/truth/pairs.csv --method maskgan --metrics identity --identity-weights runs/identity -o identity/maskgan.json --overwrite

# train vae: time not measured
maskgan train vae data --recipe tiny-cpu -o runs/vae --seed 0 --set schedule.steps=300 --set schedule.decay_from=null

# train maskgan-ebst: time not measured
maskgan train ebst data --recipe tiny-cpu -o runs/maskgan-ebst --seed 0 --set schedule.steps=60 --set schedule.decay_from=null --dmn runs/maskgan --vae runs/vae

# paint identity maskgan-ebst: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs identity/truth/pairs.csv --method dmn --weights runs/maskgan-ebst --save-masks -o identity/maskgan-ebst

# measure identity maskgan-ebst: about 5 seconds of one core
maskgan eval results data identity/maskgan-ebst --pairs identity/truth/pairs.csv --method maskgan-ebst --metrics identity --identity-weights runs/identity -o identity/maskgan-ebst.json --overwrite

# measure identity truth: about 5 seconds of one core
maskgan eval results data identity/truth --pairs identity/truth/pairs.csv --method truth --metrics identity --identity-weights runs/identity -o identity/truth.json --overwrite

# table identity md: about 5 seconds of one core
maskgan eval report identity/elegant.json identity/spade.json identity/sean.json identity/pix2pixhd-m.json identity/maskgan.json identity/maskgan-ebst.json identity/truth.json --format markdown -o identity/table.md --overwrite

# table identity html: about 5 seconds of one core
maskgan eval report identity/elegant.json identity/spade.json identity/sean.json identity/pix2pixhd-m.json identity/maskgan.json identity/maskgan-ebst.json identity/truth.json --format html -o identity/table.html --overwrite

# table identity tex: about 5 seconds of one core
maskgan eval report identity/elegant.json identity/spade.json identity/sean.json identity/pix2pixhd-m.json identity/maskgan.json identity/maskgan-ebst.json identity/truth.json --format latex -o identity/table.tex --overwrite

# figure identity: about 5 seconds of one core
maskgan compare --pairs identity/truth/pairs.csv --method elegant=identity/elegant --method spade=identity/spade --method sean=identity/sean --method pix2pixhd-m=identity/pix2pixhd-m --method maskgan=identity/maskgan --method maskgan-ebst=identity/maskgan-ebst -n 6 -o identity/figure --overwrite --masks identity/maskgan
