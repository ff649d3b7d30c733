"""The published checkpoints' keys and shapes (tests/layouts/*.json), as the tests read them."""

from __future__ import annotations

import json
from pathlib import Path

FOLDER = Path(__file__).parent / "layouts"


def layout(name: str) -> dict[str, tuple[int, ...]]:
    """Key -> shape of a published checkpoint, in its order."""
    return {key: tuple(shape) for key, shape in json.loads((FOLDER / f"{name}.keys.json").read_text()).items()}
