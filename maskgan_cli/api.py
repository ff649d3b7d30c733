"""The public Python API.

The names of this module, and `maskgan_cli.Editor`, are public. All other modules are internal: their names may change
with every version.
"""

from maskgan_cli.config import load_recipe
from maskgan_cli.data.loader import batches
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.editing.editor import Editor
from maskgan_cli.editing.masks.swap import swap_parts
from maskgan_cli.editing.methods import METHODS, Method, Request
from maskgan_cli.errors import InputError
from maskgan_cli.files import read_image, read_label_map, write_image, write_label_map
from maskgan_cli.labels import CLASSES, ID, part_ids
from maskgan_cli.models.dmn import DenseMappingNetwork, DMNConfig
from maskgan_cli.models.mask_vae import MaskVAE, MaskVAEConfig
from maskgan_cli.synth import face, write_dataset
from maskgan_cli.weights.format import load
from maskgan_cli.weights.lookup import find_weights

__all__ = [
    "CLASSES",
    "ID",
    "METHODS",
    "DMNConfig",
    "DenseMappingNetwork",
    "Editor",
    "InputError",
    "MaskVAE",
    "MaskVAEConfig",
    "Method",
    "PreparedData",
    "Request",
    "batches",
    "face",
    "find_weights",
    "load",
    "load_recipe",
    "part_ids",
    "read_image",
    "read_label_map",
    "swap_parts",
    "write_dataset",
    "write_image",
    "write_label_map",
]
