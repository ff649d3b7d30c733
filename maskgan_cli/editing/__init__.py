"""Editing: from masks and pictures to edited masks and pictures.

options.py      options of an edit
faces.py       reading of faces, masks and lists of pairs
framing.py      check whether a picture is a face crop
search.py, overview.py     detection of faces in photos
reader.py       reading of faces from crops and photos
cutouts.py, paste.py       crops of photos, and pasting them back
parse.py        masks by the face parser
swap.py, fit.py            parts of another face: replaced, and aligned by the faces' points
reshape.py      parts grown, moved and scaled, mouths opened and closed
shapes.py, library.py      accessories in masks, and the package's shapes
directions.py, limits.py   directions in MaskVAE's latent space, and their range
motion.py, upright.py      motion of a mask in a direction; a face's upright frame
mouth_shape.py, part_shapes.py, outline_shape.py, hair_shape.py, borders.py   its parts
interpolate.py, morph.py   interpolation between masks, between masks of photos
simulate.py     simulated edits of EBST as files
edits.py, transfer.py      edits: from files to requests, and from painted to finished pictures
methods.py      table of methods, and their interface
render.py, baselines.py    the Dense Mapping Network and the paper's baselines as methods
painters.py     networks in PyTorch or as ONNX
compose.py      the finished picture: moved photo and painting
registration.py, closing.py, moving.py   displacement field between masks; photos moved by it
mouths.py       the inside of the mouth, the line between the lips, the chin
blend.py        blending of the painting into the photo
membrane.py, colours.py, texture.py, grain.py   its light, colours, texture and grain
hair_fit.py, hair_swap.py  another person's hair: aligned to a face, and blended into its photo
hair_base.py, extension.py the photo without its hair; continuation of what lies beside a hole
matting.py, hair_colour.py alpha matte of hair; colours of hair
own_hair.py     new hair from patches of the photo's own hair
painted_glasses.py, accessories/   painted and drawn accessories
jobs.py, outputs.py        lists of edits, and the paths of results
editor.py       editing from Python: `from maskgan_cli import Editor`
"""
