"""Edit faces: change the semantic mask, let a network paint the changed mask, and paste the painting into the photo.

masks/          change masks: swap parts, reshape parts, move in MaskVAE's latent space, interpolate
compositing/    put an edited face into its photo: warp the photo with its mask, and fill the rest from the painting
faces/          read faces: files, face detection in photos, masks by the face parser
options.py      options of an edit
edit.py         one edit: the input of the painting network, and the steps from its painting to the finished picture
file_edits.py, transfer.py   make edits from the file names of one command or of one row of a list
bare_face.py    remove glasses from a face before an edit, or give it another person's hair
methods.py      table of the methods (networks that paint), and their interface
dmn_method.py, baseline_methods.py   the Dense Mapping Network and the paper's baselines as methods
painters.py     run the networks in PyTorch or in onnxruntime
jobs.py, outputs.py        run lists of edits, and choose the paths of the results
editor.py       editing from Python: `from maskgan_cli import Editor`
"""
