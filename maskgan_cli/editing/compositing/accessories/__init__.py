"""Renders glasses, hats, earrings and necklaces as 3D objects into a photo.

The renderer's coordinates are in decimetres: x to the right, y up, z towards the camera if the head is upright.

put_on.py       entry point: draws accessories over a picture
overlay.py      rendered accessories as layers, which are composited over a picture
photo_light.py  estimates the photo's light
draw.py         renders meshes to a layer with colour, opacity and shadow
glasses.py, hats.py, jewellery.py   meshes of the accessories
inpaint.py      removes glasses with clear lenses from a picture
"""
