"""Glasses, hats, earrings and necklaces, rendered as 3D objects into a photo.

put_on.py       entry point: draws accessories over a picture
overlay.py      accessories as layers over versions of a picture
head_fit.py, photo_light.py   the head's pose from a mask; the photo's light
draw.py         meshes to a layer with opacity and a shadow
glasses.py, hats.py, jewellery.py   meshes of the accessories
inpaint.py      removes clear glasses from a picture
"""
