"""The paper's rivals (Tables 2 to 4), as networks: torch and the label table are all they know.

stargan.py    StarGAN (Choi et al. 2018): a picture and the attributes it shall have
elegant.py    ELEGANT (Xiao et al. 2018): a picture, an exemplar, and the attribute to exchange
spade.py      SPADE (Park et al. 2019): a mask, and a look as one vector

Pix2PixHD-m is the Dense Mapping Network with ``fusion: none``. What each is and how it is trained:
docs/baselines.md.
"""
