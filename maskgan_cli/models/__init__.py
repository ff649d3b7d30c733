"""Network architectures. They depend only on torch and the label table.

dmn.py             Dense Mapping Network = image generation backbone + spatial-aware style encoder
mask_vae.py        MaskVAE: a latent space of face masks
alpha_blender.py   Alpha Blender: blends two pictures of one face in Editing Behaviour Simulated Training
discriminator.py   two-scale PatchGAN discriminator
perceptual.py      VGG-19 features for the perceptual loss
parser.py          the face parser
attributes.py      attribute classifiers
hopenet.py         HopeNet: head pose
arcface.py         ArcFace: identity
resnet.py          residual networks, the trunks of the evaluation networks
inception.py       Inception features for the FID
lpips.py           LPIPS, a learnt perceptual distance
layers.py          shared blocks
padding.py         padding and upsampling that are fast in bfloat16 on the CPU
spectral.py        convolutions with spectral norm
checkpointing.py   activations computed again instead of kept
range_checks.py    range checks of the settings
baselines/         StarGAN, ELEGANT and SPADE, the paper's baselines, and SEAN
"""
