"""Tests of the tables at the smallest scale, from rendering to the JSON record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from maskgan_cli.files import read_json, sha256
from tests.conftest import Command

NARROW = {"network.width": 4, "discriminator.width": 4, "data.batch_size": 4, "schedule.validation_samples": 4}
PAINTER = {**NARROW, "network.style_width": 4, "perceptual.width": 4}
JUDGE = {"network.width": 16, "data.batch_size": 4}


def _network(settings: dict[str, int], **more: object) -> dict[str, object]:
    return {"recipe": "tiny-cpu", "steps": 2, "set": settings, **more}


SMALLEST = {
    "size": 64,
    "faces": {"count": 100, "people": 20},
    "features": "attributes",
    "repetitions": 2,
    "shown": 1,
    "pairs": {"smiling": 2, "edits": 2},
    "networks": {
        "parser": _network({}, bundled=True),
        "attributes": _network(JUDGE),
        "identity": _network(JUDGE),
        "maskgan": _network(PAINTER),
        "concat": _network(PAINTER),
        "pix2pixhd-m": _network(PAINTER),
        "control": _network(PAINTER),
        "elegant": _network(NARROW),
        "stargan": _network(NARROW),
        "spade": _network({**NARROW, "network.width": 2, "perceptual.width": 4}),
        "sean": _network({**NARROW, "network.width": 2, "network.style": 8, "perceptual.width": 4}),
        "vae": _network({"network.width": 4, "data.batch_size": 4, "schedule.validation_samples": 4}),
        "ebst": _network(
            {
                "discriminator.width": 4,
                "perceptual.width": 4,
                "blender.width": 4,
                "data.batch_size": 4,
                "schedule.validation_samples": 4,
            }
        ),
    },
}


@pytest.mark.slow
def test_tables_share_stages_and_the_record_has_every_number(
    tmp_path: Path, executed: list[str], maskgan: Command
) -> None:
    (tmp_path / "smallest.yaml").write_text(yaml.safe_dump(SMALLEST))

    def table(name: str) -> dict[str, Any]:
        executed.clear()
        outcome = maskgan("reproduce", name, "--preset", "smallest.yaml", "-o", "work", "--workers", "1", "-q")
        assert outcome.code == 0, outcome.err
        assert f"work/{name}/results.json" in outcome.out
        assert (tmp_path / "work" / name / "figure" / "comparison.png").is_file()
        return read_json(tmp_path / "work" / name / "results.json")

    rows = ["stargan", "elegant", "spade", "sean", "pix2pixhd-m", "maskgan", "maskgan-ebst", "truth"]
    first = table("attribute-transfer")
    assert list(first["tables"]["attribute-transfer"]["rows"]) == rows
    assert len(executed) == len(first["stages"])
    for where, digest in {**first["tables"]["attribute-transfer"]["files"], **first["figures"]}.items():
        assert sha256(tmp_path / "work" / where) == digest
    weights = {e["sha256"] for r in first["tables"]["attribute-transfer"]["results"] for e in r["weights"].values()}
    assert set(first["weights"].values()) - {first["weights"]["runs/vae"]} <= weights

    second = table("counterfactual")
    found = second["tables"]["counterfactual"]["rows"]
    assert list(found) == rows
    assert found["truth"]["ssim_inside"]["value"] == 1
    assert all(found[name]["ssim_inside"]["value"] < 1 for name in rows[:-1])
    assert not any(name.startswith(("train", "paint", "render")) for name in executed), "these stages were finished"

    table("counterfactual")
    assert executed == []
