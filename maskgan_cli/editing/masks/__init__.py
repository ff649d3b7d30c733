"""Edit masks: functions that take label maps and return changed label maps.

swap.py, fit.py            replace parts by those of another face, after aligning the faces by their landmarks
head_fit.py, mouth_fit.py  fit a 3D head to a mask; transform a mouth from one head's pose to another's
reshape.py      grow, move and scale parts; open and close the mouth
shapes.py, library.py      add accessories to masks; the shapes that are included in the package
take_off.py     remove accessories
directions.py, direction_limits.py   directions in MaskVAE's latent space, and how far a face can be moved in them
motion.py       measure how a direction changes a mask, and apply this change; it uses these modules:
    upright.py  rotate a mask to an upright position and back
    mouth_shape.py, part_shapes.py, outline_shape.py, hair_shape.py, borders.py   change single parts of a mask
interpolate.py, morph.py   interpolate between masks; the same with the masks of photos at both ends
simulate.py     write the simulated edits of Editing Behavior Simulated Training (EBST) to files
"""
