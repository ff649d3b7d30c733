#!/bin/sh
# maskgan reproduce counterfactual --preset tiny: 32 commands, about 13 minutes of one core, and 2 not measured.
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

# train identity: about 45 seconds of one core
maskgan train identity data --recipe tiny-cpu -o runs/identity --seed 0 --set schedule.steps=150 --set schedule.decay_from=90 --set data.batch_size=32 --set loss.warmup=60

# compare smiling stargan with the truth: about 5 seconds of one core
maskgan eval counterfactual smiling/stargan --pairs smiling/truth/pairs.csv --method stargan --identity-weights runs/identity -o smiling/stargan.truth.json --overwrite

# train elegant: about 85 seconds of one core
maskgan train elegant data --recipe tiny-cpu -o runs/elegant --seed 0 --set schedule.steps=270 --set schedule.decay_from=null --attributes Smiling,Eyeglasses

# paint smiling elegant: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs smiling/truth/pairs.csv --method elegant --weights runs/elegant -o smiling/elegant

# compare smiling elegant with the truth: about 5 seconds of one core
maskgan eval counterfactual smiling/elegant --pairs smiling/truth/pairs.csv --method elegant --identity-weights runs/identity -o smiling/elegant.truth.json --overwrite

# train spade: about 2 minutes of one core
maskgan train spade data --recipe tiny-cpu -o runs/spade --seed 0 --set schedule.steps=210 --set schedule.decay_from=null

# paint smiling spade: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs smiling/truth/pairs.csv --method spade --weights runs/spade --save-masks -o smiling/spade

# compare smiling spade with the truth: about 5 seconds of one core
maskgan eval counterfactual smiling/spade --pairs smiling/truth/pairs.csv --method spade --identity-weights runs/identity -o smiling/spade.truth.json --overwrite

# train sean: about 2 minutes of one core
maskgan train sean data --recipe tiny-cpu -o runs/sean --seed 0 --set schedule.steps=150 --set schedule.decay_from=null

# paint smiling sean: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs smiling/truth/pairs.csv --method sean --weights runs/sean --save-masks -o smiling/sean

# compare smiling sean with the truth: about 5 seconds of one core
maskgan eval counterfactual smiling/sean --pairs smiling/truth/pairs.csv --method sean --identity-weights runs/identity -o smiling/sean.truth.json --overwrite

# train pix2pixhd-m: about 2 minutes of one core
maskgan train pix2pixhd-m data --recipe tiny-cpu -o runs/pix2pixhd-m --seed 0 --set schedule.steps=270 --set schedule.decay_from=null

# paint smiling pix2pixhd-m: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs smiling/truth/pairs.csv --method pix2pixhd-m --weights runs/pix2pixhd-m --save-masks -o smiling/pix2pixhd-m

# compare smiling pix2pixhd-m with the truth: about 5 seconds of one core
maskgan eval counterfactual smiling/pix2pixhd-m --pairs smiling/truth/pairs.csv --method pix2pixhd-m --identity-weights runs/identity -o smiling/pix2pixhd-m.truth.json --overwrite

# train maskgan: about 2 minutes of one core
maskgan train dmn data --recipe tiny-cpu -o runs/maskgan --seed 0 --set schedule.steps=270 --set schedule.decay_from=null

# paint smiling maskgan: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs smiling/truth/pairs.csv --method dmn --weights runs/maskgan --save-masks -o smiling/maskgan

# compare smiling maskgan with the truth: about 5 seconds of one core
maskgan eval counterfactual smiling/maskgan --pairs smiling/truth/pairs.csv --method maskgan --identity-weights runs/identity -o smiling/maskgan.truth.json --overwrite

# train vae: time not measured
maskgan train vae data --recipe tiny-cpu -o runs/vae --seed 0 --set schedule.steps=300 --set schedule.decay_from=null

# train maskgan-ebst: time not measured
maskgan train ebst data --recipe tiny-cpu -o runs/maskgan-ebst --seed 0 --set schedule.steps=60 --set schedule.decay_from=null --dmn runs/maskgan --vae runs/vae

# paint smiling maskgan-ebst: about 10 seconds of one core
maskgan transfer --attribute Smiling --pairs smiling/truth/pairs.csv --method dmn --weights runs/maskgan-ebst --save-masks -o smiling/maskgan-ebst

# compare smiling maskgan-ebst with the truth: about 5 seconds of one core
maskgan eval counterfactual smiling/maskgan-ebst --pairs smiling/truth/pairs.csv --method maskgan-ebst --identity-weights runs/identity -o smiling/maskgan-ebst.truth.json --overwrite

# compare smiling truth with the truth: about 5 seconds of one core
maskgan eval counterfactual smiling/truth --pairs smiling/truth/pairs.csv --method truth --identity-weights runs/identity -o smiling/truth.truth.json --overwrite

# table counterfactual md: about 5 seconds of one core
maskgan eval report smiling/stargan.truth.json smiling/elegant.truth.json smiling/spade.truth.json smiling/sean.truth.json smiling/pix2pixhd-m.truth.json smiling/maskgan.truth.json smiling/maskgan-ebst.truth.json smiling/truth.truth.json --format markdown -o counterfactual/table.md --overwrite

# table counterfactual html: about 5 seconds of one core
maskgan eval report smiling/stargan.truth.json smiling/elegant.truth.json smiling/spade.truth.json smiling/sean.truth.json smiling/pix2pixhd-m.truth.json smiling/maskgan.truth.json smiling/maskgan-ebst.truth.json smiling/truth.truth.json --format html -o counterfactual/table.html --overwrite

# table counterfactual tex: about 5 seconds of one core
maskgan eval report smiling/stargan.truth.json smiling/elegant.truth.json smiling/spade.truth.json smiling/sean.truth.json smiling/pix2pixhd-m.truth.json smiling/maskgan.truth.json smiling/maskgan-ebst.truth.json smiling/truth.truth.json --format latex -o counterfactual/table.tex --overwrite

# figure counterfactual: about 5 seconds of one core
maskgan compare --pairs smiling/truth/pairs.csv --method stargan=smiling/stargan --method elegant=smiling/elegant --method spade=smiling/spade --method sean=smiling/sean --method pix2pixhd-m=smiling/pix2pixhd-m --method maskgan=smiling/maskgan --method maskgan-ebst=smiling/maskgan-ebst -n 6 -o counterfactual/figure --overwrite --masks smiling/maskgan
