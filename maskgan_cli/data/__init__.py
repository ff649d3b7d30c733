"""From downloads to batches.

celebamask.py   the raw CelebAMask-HQ layout: part files, mapping, attributes, poses, identities
pairs_folder.py any folder of images and label maps
prepare.py      either of them -> a prepared data set
prepared.py     reading a prepared data set
checks.py       what is in it: class shares, suspicious samples, a contact sheet
dataset.py      prepared data set -> batches of tensors, the same for any number of processes
"""
