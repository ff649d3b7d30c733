"""Glasses, hats, earrings and necklaces as drawn 3D objects in a photo.

`head_fit.py` fits the renderer's head to a mask, `photo_light.py` estimates the photo's light, `draw.py` rasterises and
shades meshes into a layer with alpha and a shadow, `objects.py` and `hats.py` have the meshes of glasses and hats,
`jewellery.py` those of earrings and necklaces, and draws them. `put_on.py` lays them over a picture. `inpaint.py`
removes clear glasses from a picture.
"""
