"""Tests that the bundled weights, their documentation and the script that trains them agree."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from maskgan_cli.files import sha256
from maskgan_cli.networks import KINDS
from maskgan_cli.weights.format import kind_of
from maskgan_cli.weights.lookup import bundled, recorded

ROOT = Path(__file__).parents[1]
ASSETS = ROOT / "maskgan_cli" / "assets"
BUNDLED = [name for name, kind in KINDS.items() if kind.bundled]


def test_exactly_the_bundled_kinds_have_weights() -> None:
    assert {path.stem for path in ASSETS.glob("*.safetensors")} == {*BUNDLED, "parser-256"}
    assert {bundled(kind) for kind in BUNDLED} == {ASSETS / f"{kind}.safetensors" for kind in BUNDLED}


@pytest.mark.parametrize("name", [*BUNDLED, "parser-256"])
def test_overview_has_the_hash_and_the_script_writes_the_file(name: str) -> None:
    path = ASSETS / f"{name}.safetensors"
    assert kind_of(path) == name.removesuffix("-256")
    assert sha256(path) in (ASSETS / "WEIGHTS.md").read_text()
    script = (ROOT / "recipes" / "bundled_weights.sh").read_text()
    assert f"assets/{name}.safetensors" in script or re.search(rf"^pack .* {name}$", script, re.MULTILINE)
    card = path.with_suffix(".md")
    assert not card.exists() or sha256(path) in card.read_text()


def test_records_name_bundled_weights_by_package_path(tmp_path: Path) -> None:
    path = bundled("parser")
    assert path is not None
    assert recorded(path) == "maskgan_cli/assets/parser.safetensors"
    assert recorded(tmp_path / "x.safetensors") == str(tmp_path / "x.safetensors")


def test_bundled_weights_have_at_most_40_megabytes() -> None:
    assert sum(path.stat().st_size for path in ASSETS.glob("*.safetensors")) <= 40e6


def test_readme_pictures_were_made_with_the_bundled_weights() -> None:
    folder = ROOT / "docs" / "demo"
    about = json.loads((folder / "pictures.json").read_text())
    for kind, digest in about["weights"].items():
        assert digest == sha256(ASSETS / f"{kind}.safetensors"), "run recipes/readme_picture.sh"
    for name in ("photo.jpg", "faces.jpg"):
        assert about["pictures"][name] == sha256(folder / name)
        assert f"docs/demo/{name}" in (ROOT / "README.md").read_text()
