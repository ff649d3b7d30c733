"""Rendered faces: portraits with exact masks, pose, identity, attributes and counterfactuals.

``face(seed, number, size)`` draws one, ``write_dataset(out, count, size)`` a whole raw data set.

parameters.py, sampling.py, expressions.py   what decides a picture, and how it is drawn from seeds
shape.py, regions.py, geometry.py            the head model, where things are on it, vector geometry
hair.py, hairstyles.py, hats.py, wardrobe.py, fabrics.py   what grows on it and what people wear
camera.py, raster.py, surface.py             what each pixel sees, and which class that is
paint.py, noise.py, lighting.py, shading.py, background.py   colours, light and the place behind
masks.py, attributes.py                      the truth about a picture: label map, CelebA's 40 attributes
render.py                                    one picture with everything that is true of it
plan.py                                      which person and scene each picture of a data set shows
writer.py                                    the raw CelebAMask-HQ layout, on all cores and resumable
"""

from maskgan_cli.synth.plan import read_plan
from maskgan_cli.synth.render import Rendered, face, render, with_expression
from maskgan_cli.synth.sampling import sample_identity, sample_scene
from maskgan_cli.synth.writer import write_dataset

__all__ = [
    "Rendered",
    "face",
    "read_plan",
    "render",
    "sample_identity",
    "sample_scene",
    "with_expression",
    "write_dataset",
]
