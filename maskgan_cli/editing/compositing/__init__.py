"""Compositing: blends the painting of an edited face (the network's output) into the photo that the face comes from.

compose.py      entry point: the finished picture of an edit
registration.py, closing.py, moving.py   displacement field between two masks; warping of the photo by this field
mouths.py, mouth_light.py   the inside of the mouth, the line between the lips, the chin; the light on teeth
blend.py, paste.py         blending of the painting into the face crop; pasting of the crop into its photo
membrane.py, colours.py, texture.py, grain.py   adapt the painting to the photo's light, colours, texture and grain
hair_fit.py, hair_swap.py, hair_photo.py   another person's hair: aligned to a face, blended into its crop and photo
hidden_parts.py adds brows and ears that the photo's hair hid
hair_base.py, extension.py   removes the photo's hair; fills holes by smooth extrapolation
matting.py, hair_colour.py   alpha matte of hair; colours of hair
own_hair.py     synthesises new hair from patches of the photo's own hair
kept_glasses.py keeps glasses in place while eyes and brows are edited
painted_glasses.py, accessories/   accessories painted by the network; accessories rendered as 3D objects
"""
