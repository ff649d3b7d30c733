"""Start-up time: loading weights and detecting faces do not import PyTorch's compiler."""

from __future__ import annotations

import subprocess
import sys

import pytest

_LOAD = """
import sys
import torch
from maskgan_cli.weights.format import load
from maskgan_cli.weights.lookup import bundled
for kind in ("dmn", "vae", "parser"):
    load(kind, bundled(kind), torch.device("cpu"))
if FINDER:
    from maskgan_cli.judges.finder import FaceFinder
    from maskgan_cli.editing.masks.library import example_photo
    assert len(FaceFinder(torch.device("cpu")).find_all(example_photo())) == 1
print([name for name in ("torch._dynamo", "sympy") if name in sys.modules])
"""


@pytest.mark.parametrize("finder", [False, True])
def test_the_compiler_is_not_imported(finder: bool) -> None:
    """Its import would add two seconds to the start of every command."""
    if finder:
        pytest.importorskip("facenet_pytorch")
    script = f"FINDER = {finder}\n{_LOAD}"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
