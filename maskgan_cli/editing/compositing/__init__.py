"""Edited faces in their photos.

compose.py      the finished picture: moved photo and painting
registration.py, closing.py, moving.py   displacement field between masks; photos moved by it
mouths.py, mouth_light.py   the inside of the mouth, the line between the lips, the chin; the light on teeth
blend.py, paste.py         blending of the painting into the photo; pasting of a crop into its photo
membrane.py, colours.py, texture.py, grain.py   the painting's light, colours, texture and grain
hair_fit.py, hair_swap.py, hair_photo.py   another person's hair: aligned to a face, blended into its crop and photo
hidden_parts.py brows and ears that were hidden by hair
hair_base.py, extension.py the photo without its hair; continuation of what lies beside a hole
matting.py, hair_colour.py alpha matte of hair; colours of hair
own_hair.py     new hair from patches of the photo's own hair
kept_glasses.py glasses that keep their place while eyes and brows are edited
painted_glasses.py, accessories/   painted and drawn accessories
"""
