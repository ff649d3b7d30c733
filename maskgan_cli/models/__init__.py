"""The networks, and nothing but the networks: torch and the label table are all they know.

dmn.py             Dense Mapping Network = image generation backbone + spatial-aware style encoder
mask_vae.py        MaskVAE: masks as codes
alpha_blender.py   two pictures of one face blended, for Editing Behaviour Simulated Training
discriminator.py   two-scale PatchGAN discriminator
perceptual.py      VGG-19 features for the perceptual loss
layers.py          the blocks they share
spectral.py        convolutions with spectral norm
baselines/         StarGAN, ELEGANT and SPADE, which the paper compares itself with
"""
