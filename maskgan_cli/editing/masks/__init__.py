"""Edits of masks, from label maps to label maps.

swap.py, fit.py            parts of another face: replaced, and aligned by the faces' points
reshape.py      parts grown, moved and scaled, mouths opened and closed
shapes.py, library.py      accessories in masks, and the package's shapes
take_off.py     removal of accessories
directions.py, direction_limits.py   directions in MaskVAE's latent space, and their range
motion.py, upright.py      motion of a mask in a direction; a face's upright frame
mouth_shape.py, part_shapes.py, outline_shape.py, hair_shape.py, borders.py   its parts
interpolate.py, morph.py   interpolation between masks, between masks of photos
simulate.py     simulated edits of EBST as files
"""
