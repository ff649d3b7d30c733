"""Pure numbers, no files and no networks.

confusion.py     label maps pixel by pixel, yes-or-no answers face by face
frechet.py       the distance between two sets of features
kernel.py        the kernel distance between two sets of features
manifold.py      precision and recall of a set of features
intervals.py     how sure a share or a mean is
similarity.py    PSNR and SSIM of two pictures, by region
verification.py  is it the same person? balanced pairs, ROC, cross-validated accuracy
"""
