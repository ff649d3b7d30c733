"""Metrics on arrays, without networks.

confusion.py     agreement of label maps, confusion counts of binary predictions
frechet.py       Frechet distance of two sets of features (FID)
kernel.py        kernel distance of two sets of features (KID)
manifold.py      precision and recall of a set of features
intervals.py     confidence intervals of proportions and means
similarity.py    PSNR and SSIM of two pictures, by region
sharpness.py     the mean absolute Laplacian
verification.py  face verification: balanced pairs, ROC, cross-validated accuracy
"""
