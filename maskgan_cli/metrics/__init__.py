"""Compute metrics of label maps, pictures, features and scores. This package runs no networks.

confusion.py     accuracy and IoU of label maps; confusion counts of binary predictions
frechet.py       Frechet distance between two sets of features (FID)
kernel.py        kernel distance between two sets of features (KID)
manifold.py      precision and recall of generated pictures, from features
intervals.py     confidence intervals of proportions and means
similarity.py    PSNR and SSIM of two pictures, inside and outside a region
sharpness.py     sharpness of pictures: the mean absolute Laplacian
verification.py  face verification: balanced pairs, ROC, cross-validated accuracy
"""
