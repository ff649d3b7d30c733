"""Editing: functions from masks and pictures to masks and pictures.

options.py      what a user may ask of an edit; light to import
faces.py        a picture and its mask, wherever that comes from; lists of pairs
framing.py      is this a face crop, by its mask?
search.py, overview.py   the faces of a photo: found, numbered, chosen
reader.py       any picture as a face to edit: crops as they are, photos searched and cut
cutouts.py, uncrop.py    a face cut out of its photo, and the way back
parse.py        masks by the face parser
swap.py         the mask of SRC with parts of TGT's; what lies behind a lost part
reshape.py      parts grown, moved and scaled, mouths opened and closed, without a second face
shapes.py       a mask moved along MaskVAE's manifold; things to wear
upright.py      the frame of a face in which eyes and mouth lie where CelebA-HQ has them
motion.py       how a face's mask moves along a direction: measured in MaskVAE's masks, drawn at the mask's own size
mouth_shape.py, part_shapes.py, outline_shape.py, hair_shape.py, borders.py    its parts: measured, changed, drawn
limits.py       how far a face can go in a direction and look human
directions.py   ways along that manifold: the package's own, and those of a data set's attributes
library.py      masks that come with the package
fit.py          the parts of one face brought onto another by their points
edits.py        the edits: a row of files -> what a method is asked to paint
methods.py      who paints: the table of methods, and what each of them can do
render.py       the paper's method: a Dense Mapping Network on pictures of any size, batched
painters.py     that network in PyTorch or as ONNX
baselines.py    the paper's baselines as methods
transfer.py     an attribute changed: by parts of the mask, by a label, or by an exemplar
colours.py      the colours of a face's parts, taken from its photo
mouths.py       the inside of a moved mouth, its lip line, and the chin below it
carry.py        the photo's own lips, teeth and brows, carried to their new shape
hair_fit.py     another person's hair brought onto a face: heads aligned, outlines matched
hair_swap.py    that hair laid on a photo, with a soft border; matting.py finds how much of each pixel it covers
hair_base.py    the photo behind its hair; extension.py continues what lies beside a hole
hair_colour.py  the colours of hair: cleaned of what is behind it, changed to those of other hair
own_hair.py     new hair out of a photo's own, in patches
compose.py      the finished picture of an edit, by the composition that is asked for
registration.py the smooth displacement field that carries one label map to another
closing.py      a mouth that closes: what was between the lips is left out
moving.py       a photo sampled through that field, and what it then still lacks
blend.py        the painting pasted back into the source, untouched pixels untouched
membrane.py     the difference of the two on the rim, spread inside
grain.py        the photo's grain, which a painting lacks
worn.py         glasses on a photo: clear panes, firm frames
editor.py       all of it from Python: `from maskgan_cli import Editor`
jobs.py         rows of files -> pictures on disk, by any method; interrupted lists go on
outputs.py      where results go, and nowhere else
morph.py        masks between those of two photos, which stand at the ends
interpolate.py  masks between, beyond and around masks, by MaskVAE; strip and animation
simulate.py     the edits that EBST trains with, as files
"""
