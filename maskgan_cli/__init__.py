"""MaskGAN: diverse and interactive facial image manipulation through semantic masks."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maskgan_cli.editing.editor import Editor

__version__ = "0.1.0"
__all__ = ["Editor", "__version__"]


def __getattr__(name: str) -> object:
    """Return `Editor`, imported on first use, so that the command line's ``--help`` does not import PyTorch."""
    if name == "Editor":
        return importlib.import_module("maskgan_cli.editing.editor").Editor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
