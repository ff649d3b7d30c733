"""``reproduce identity`` from end to end with identity networks that were not trained here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from maskgan_cli.files import read_json, sha256
from maskgan_cli.models.arcface import ArcFaceConfig, IResNet
from tests.conftest import Command
from tests.reproduce.test_tables import JUDGE, SMALLEST

SHARED = Path(__file__).parents[3] / "shared" / "data"
ROWS = ["elegant", "spade", "sean", "pix2pixhd-m", "maskgan", "maskgan-ebst"]

pytestmark = pytest.mark.slow


@pytest.fixture
def preset(tmp_path: Path) -> Path:
    """The smallest networks, two steps each; four pairs; a pose network for data sets without poses."""
    networks: dict[str, Any] = dict(SMALLEST["networks"])  # type: ignore[call-overload]
    networks["pose"] = {"recipe": "tiny-cpu", "steps": 2, "set": JUDGE}
    values = {**SMALLEST, "faces": {"count": 100, "people": 25}, "pairs": {"identity": 4}, "networks": networks}
    path = tmp_path / "smallest.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def _check(document: dict[str, Any], work: Path, weights: Path, rows: list[str]) -> None:
    """Every row was measured by this network, at the threshold that was chosen on validation pairs."""
    assert list(document["tables"]["identity"]["rows"]) == rows
    chosen = read_json(work / "threshold.json")
    assert -1 < chosen["threshold"] < 1
    for name in rows:
        (result,) = read_json(work / "identity" / f"{name}.json")
        assert result["weights"]["identity"]["sha256"] == sha256(weights)
        assert result["details"]["threshold"] == chosen["threshold"]
        assert 0 <= result["value"] <= 1


@pytest.mark.skipif(
    not (SHARED / "celebamask-mini").is_dir() or not (SHARED / "onnx").is_dir(),
    reason="no ../shared/data/celebamask-mini (850 faces of CelebAMask-HQ) or no ../shared/data/onnx",
)
def test_onnx_embedder_on_real_faces(preset: Path, tmp_path: Path, executed: list[str], maskgan: Command) -> None:
    assert maskgan("prep-data", SHARED / "celebamask-mini", "real", "--size", 64, "-q").code == 0
    embedder = SHARED / "onnx" / "mobilefacenet-112.onnx"
    outcome = maskgan(
        "reproduce",
        "identity",
        "--data",
        "real",
        "--preset",
        preset,
        "--judge",
        f"identity={embedder}",
        "-o",
        "work",
        "--workers",
        "1",
        "-q",
    )
    assert outcome.code == 0, outcome.err
    assert "train pose" in executed, "the data set has no poses"
    assert executed.index("choose threshold") < executed.index("measure identity elegant")
    _check(read_json(tmp_path / "work" / "identity" / "results.json"), tmp_path / "work", embedder, ROWS)
    threshold = read_json(tmp_path / "work" / "threshold.json")
    assert threshold["accuracy"] > 0.7, "a trained embedder tells people apart at 64 px"


def test_imported_arcface_on_rendered_faces(
    preset: Path, tmp_path: Path, executed: list[str], maskgan: Command
) -> None:
    torch.manual_seed(0)
    torch.save(IResNet(ArcFaceConfig((1, 1, 1, 1), 8, 16, 48)).state_dict(), tmp_path / "arcface.pth")
    imported = tmp_path / "identity.safetensors"
    assert maskgan("weights", "import", "identity", tmp_path / "arcface.pth", "-o", imported).code == 0
    outcome = maskgan(
        "reproduce",
        "identity",
        "--preset",
        preset,
        "--judge",
        f"identity={imported}",
        "-o",
        "work",
        "--workers",
        "1",
        "-q",
    )
    assert outcome.code == 0, outcome.err
    assert "train identity" not in executed
    _check(read_json(tmp_path / "work" / "identity" / "results.json"), tmp_path / "work", imported, [*ROWS, "truth"])
