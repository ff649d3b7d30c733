"""Editing: functions from masks and pictures to masks and pictures.

swap.py         the mask of SRC with parts of TGT's; what lies behind a lost part
render.py       a Dense Mapping Network on pictures of any size, batched
interpolate.py  masks between, beyond and around masks, by MaskVAE; strip and animation
blend.py        the result pasted back into the source, untouched pixels untouched
faces.py        a picture and its mask, wherever that comes from; lists of pairs
"""
