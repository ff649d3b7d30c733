"""Renders portraits of invented people, with an exact label map, head pose, identity and attributes.

``face(seed, number, size)`` renders one face, ``write_dataset(out, count, size)`` writes a raw data set. A
counterfactual is a picture that is rendered again with another expression and everything else unchanged.

parameters.py, sampling.py, expressions.py   the parameters of a picture, and their sampling from seeds
shape.py, regions.py, geometry.py            the head model, its regions, vector geometry
hair.py, hairstyles.py, hats.py, wardrobe.py, fabrics.py   hair, hats, clothes and jewellery
camera.py, raster.py, surface.py             the visible surface of each pixel, and its class
paint.py, noise.py, lighting.py, shading.py, background.py   colours, lighting and background
label_map.py, celeba_attributes.py           ground truth: label map, CelebA's 40 attributes
render.py                                    renders one picture with its ground truth
dataset_plan.py                              which person and which scene each picture of a data set shows
writer.py                                    writes the raw CelebAMask-HQ layout, in parallel and resumable
"""

from maskgan_cli.synth.dataset_plan import read_plan
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
