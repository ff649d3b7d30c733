"""Rendered faces: portraits with exact masks, pose, identity, attributes and counterfactuals.

``face(seed, number, size)`` draws one, ``write_dataset(out, count, size)`` a whole raw data set.
"""

from maskgan_cli.synth.render import Rendered, face, render, with_expression
from maskgan_cli.synth.sampling import sample_identity, sample_scene
from maskgan_cli.synth.sheet import contact_sheet
from maskgan_cli.synth.writer import write_dataset

__all__ = [
    "Rendered",
    "contact_sheet",
    "face",
    "render",
    "sample_identity",
    "sample_scene",
    "with_expression",
    "write_dataset",
]
