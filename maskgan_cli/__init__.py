"""MaskGAN: diverse and interactive facial image manipulation through semantic masks."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maskgan_cli.editing.editor import Editor

__version__ = "0.1.0"
__all__ = ["Editor", "__version__"]


def __getattr__(name: str) -> object:
    """`Editor`, imported when it is first asked for: the command line's ``--help`` does without PyTorch."""
    if name == "Editor":
        return importlib.import_module("maskgan_cli.editing.editor").Editor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
