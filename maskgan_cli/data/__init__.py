"""Data sets: sources, preparation, checks, and batches for training.

celebamask.py   the raw CelebAMask-HQ layout: part files, mapping, attributes, poses, identities
celeba.py       the CelebA layout: aligned pictures with annotations, without masks
pairs_folder.py folders of images and label maps
sources.py      sources: lists of samples to prepare
merge.py        several prepared data sets as one source
prepare.py      preparation of a source
journal.py      the journal of a preparation, from which an interrupted preparation resumes
prepared.py     reading of prepared data sets: samples, attributes, poses, identities
checks.py       class statistics, suspicious samples, contact sheet
duplicates.py   detection of nearly identical pictures
dataset.py      faces of a prepared data set, and batches of them
edit_files.py   files of simulated edits: two edited masks of each face
draws.py        the sampler, which selects the samples of each training step
loader.py       loading of batches, in loader processes or in the training process
picture_batches.py  batches of a list of pictures
resize.py       resizing of square pictures and label maps
alignment.py    facial landmarks and alignment
crop.py         face crops as in CelebA-HQ
head_pose.py    yaw, pitch and roll of heads, also for mirrored and rotated pictures
class_order.py  detection of the class order of a label map
given_masks.py  reading of users' masks with a check of their class order
shared_memory.py shared memory of loader processes: free space and errors
"""
