"""Network architectures. These modules import only torch and `maskgan_cli.labels`.

dmn.py             Dense Mapping Network = image generation backbone + spatial-aware style encoder
skips.py           its optional skip connections, and the fit of its style map to another mask
mask_vae.py        MaskVAE: a latent space of face masks
alpha_blender.py   Alpha Blender: blends two pictures of one face in Editing Behaviour Simulated Training
discriminator.py   two-scale PatchGAN discriminator
perceptual.py      VGG-19 features, used by the perceptual loss
parser.py          the face parser
attributes.py      attribute classifiers, e.g. for smiling
hopenet.py         HopeNet: predicts the head pose
arcface.py         ArcFace: embeddings that identify a person
resnet.py          residual networks (ResNet-18, ResNet-50) that the evaluation networks build on
inception.py       Inception-v3, whose features the FID compares
lpips.py           LPIPS, a learnt perceptual distance
layers.py          layers and blocks that several networks share
padding.py         reflection padding and upsampling that are fast in bfloat16 on the CPU
spectral.py        convolutions with spectral norm
checkpointing.py   activation checkpointing: less memory, more time
range_checks.py    checks that the settings of a network are in range
baselines/         StarGAN, ELEGANT and SPADE, the paper's baselines, and SEAN
"""
