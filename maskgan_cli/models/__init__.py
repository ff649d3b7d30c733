"""The networks, and nothing but the networks: torch and the label table are all they know.

dmn.py             Dense Mapping Network = image generation backbone + spatial-aware style encoder
discriminator.py   two-scale PatchGAN discriminator
perceptual.py      VGG-19 features for the perceptual loss
layers.py          the blocks they share
"""
