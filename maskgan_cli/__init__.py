"""MaskGAN: diverse and interactive facial image manipulation through semantic masks."""

__version__ = "0.1.0"
