"""From downloads to batches.

celebamask.py   the raw CelebAMask-HQ layout: part files, mapping, attributes, poses, identities
celeba.py       the CelebA layout: aligned pictures without masks
pairs_folder.py any folder of images and label maps
sources.py      what all of them list: candidates, before anything is decoded
merge.py        several prepared data sets as one source
prepare.py      any of them -> a prepared data set
prepared.py     reading a prepared data set: samples, attributes, poses, identities
checks.py       what is in it: class shares, suspicious samples, a contact sheet
duplicates.py   pictures that are nearly the same
dataset.py      prepared data set -> batches of tensors, the same for any number of processes
pictures.py     any list of pictures -> batches of tensors
resize.py       square pictures and label maps at another size
alignment.py    five points of a face, and where face networks expect them
crop.py         the square that CelebA-HQ cuts out of a photo
pose.py         yaw, pitch and roll under mirrors and turns
class_order.py  which class order a label map is in, judged by where its parts lie
given_masks.py  masks that users give: their class order, and whether their parts lie where a face has them
shared_memory.py shared memory of loader processes: its room, and errors where it is full
"""
