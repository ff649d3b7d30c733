"""Editing: from masks and pictures to edited masks and pictures.

masks/          edits of masks: swaps, changed parts, directions in MaskVAE's latent space, interpolation
compositing/    edited faces in their photos: the photo moves with its mask, and the rest is painted
faces/          reading of faces: files, detection in photos, masks by the face parser
options.py      options of an edit
edit.py         an edit: the request for a method, and how its painting becomes the finished picture
file_edits.py, transfer.py   make edits from rows of files
bare_face.py    a face whose accessories are taken off
methods.py      table of methods, and their interface
dmn_method.py, baseline_methods.py   the Dense Mapping Network and the paper's baselines as methods
painters.py     networks in PyTorch or as ONNX
jobs.py, outputs.py        lists of edits, and the paths of results
editor.py       editing from Python: `from maskgan_cli import Editor`
"""
