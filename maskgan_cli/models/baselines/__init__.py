"""Networks of the paper's baselines (Tables 2 to 4), and SEAN. They import only torch, `labels` and other `models`.

stargan.py    StarGAN (Choi et al. 2018): input is a picture and the target attributes
elegant.py    ELEGANT (Xiao et al. 2018): input is a picture, an exemplar, and the attribute to transfer
spade.py      SPADE (Park et al. 2019): input is a mask and a style code
sean.py       SEAN (Zhu et al. 2020): input is a mask and a style code for each class

Pix2PixHD-m is the Dense Mapping Network with ``fusion: none``. docs/baselines.md describes the baselines and
their training.
"""
