"""The networks, and nothing but the networks: torch and the label table are all they know.

dmn.py             Dense Mapping Network = image generation backbone + spatial-aware style encoder
mask_vae.py        MaskVAE: masks as codes
alpha_blender.py   two pictures of one face blended, for Editing Behaviour Simulated Training
discriminator.py   two-scale PatchGAN discriminator
perceptual.py      VGG-19 features for the perceptual loss
parser.py          the face parser
attributes.py      attribute classifiers
hopenet.py         HopeNet: head pose
arcface.py         ArcFace: identity
resnet.py          the residual networks that judges are made of
inception.py       the network of the FID
lpips.py           the learnt distance of pictures, LPIPS
layers.py          the blocks they share
spectral.py        convolutions with spectral norm
checkpointing.py   activations computed again instead of kept
limits.py          bounds of their settings
baselines/         StarGAN, ELEGANT and SPADE, which the paper compares itself with
"""
