#!/usr/bin/env bash
# Run the paper's three trainings in their order: MaskVAE, Dense Mapping Network, EBST.
#   recipes/vae_dmn_ebst.sh DATA [recipe] [work folder]
# The recipe is a name that all three trainings have (paper-512, paper-256, small-256, tiny-cpu). DMN_SETS, VAE_SETS and
# EBST_SETS are further options, e.g. DMN_SETS="--set perceptual.weights=vgg19.pth". If the script is interrupted, run it
# again to resume. It prints the paths of the three networks' weights.
set -euo pipefail
data=$1 recipe=${2:-tiny-cpu} work=${3:-runs}
read -ra VAE_SETS <<<"${VAE_SETS:-}"
read -ra DMN_SETS <<<"${DMN_SETS:-}"
read -ra EBST_SETS <<<"${EBST_SETS:-}"
maskgan train vae "$data" --recipe "$recipe" -o "$work/vae" "${VAE_SETS[@]}"
maskgan train dmn "$data" --recipe "$recipe" -o "$work/dmn" "${DMN_SETS[@]}"
maskgan train ebst "$data" --recipe "$recipe" --dmn "$work/dmn" --vae "$work/vae" -o "$work/ebst" "${EBST_SETS[@]}"
