"""How long it takes to begin: weights are read without PyTorch's compiler."""

from __future__ import annotations

import subprocess
import sys

_LOAD = """
import sys
import torch
from maskgan_cli.weights.format import load
from maskgan_cli.weights.lookup import bundled
for kind in ("dmn", "vae", "parser"):
    load(kind, bundled(kind), torch.device("cpu"))
print([name for name in ("torch._dynamo", "sympy") if name in sys.modules])
"""


def test_bundled_weights_are_loaded_without_the_compiler() -> None:
    """Its import takes two seconds of every command's start."""
    answer = subprocess.run([sys.executable, "-c", _LOAD], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
