"""Tests that missing inputs of plans are found before training: weights, poses, thresholds, sizes, attributes."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from maskgan_cli.config import recipe_folder
from maskgan_cli.files import sha256
from maskgan_cli.models.arcface import ArcFaceConfig, IResNet
from maskgan_cli.models.attributes import AttributeConfig, AttributeNet
from maskgan_cli.reproduce.needs import DataProperties, missing, rendered_faces, threshold_split
from maskgan_cli.reproduce.plan import ReproductionPlan
from maskgan_cli.reproduce.preset import load_preset
from maskgan_cli.reproduce.tables import TABLES
from maskgan_cli.weights.format import save_weights
from tests.conftest import Command


def _plan(table: str, preset: str = "tiny", **settings: Any) -> ReproductionPlan:
    plan = ReproductionPlan(load_preset(preset), **settings)
    TABLES[table](plan)
    return plan


@pytest.fixture
def iresnet(tmp_path: Path) -> Path:
    """A random IResNet in the published format: a state dict without a threshold."""
    torch.manual_seed(0)
    torch.save(IResNet(ArcFaceConfig((1, 1, 1, 1), 8, 16, 48)).state_dict(), tmp_path / "arcface.pth")
    return tmp_path / "arcface.pth"


def _without(prepared: Path, out: Path, columns: tuple[str, ...]) -> Path:
    """A copy of a data set without some columns of its manifest."""
    shutil.copytree(prepared, out)
    rows = list(csv.DictReader((out / "manifest.csv").read_text("utf-8").splitlines()))
    with (out / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [name for name in rows[0] if name not in columns], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    description = json.loads((out / "dataset.json").read_text("utf-8"))
    description["manifest"] = sha256(out / "manifest.csv")
    (out / "dataset.json").write_text(json.dumps(description), "utf-8")
    return out


def test_dry_run_of_the_paper_preset_lists_missing_weights(maskgan: Command, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("MASKGAN_CACHE", str(tmp_path / "empty"))
    outcome = maskgan("reproduce", "attribute-transfer", "--preset", "paper", "--dry-run")
    assert outcome.code == 0, outcome.err
    lines = [line for line in outcome.out.splitlines() if line.startswith("maskgan ")]
    trained = {line.split()[2]: line for line in lines if line.startswith("maskgan train")}
    for name in ("dmn", "ebst", "spade", "sean", "pix2pixhd-m", "vae", "parser"):
        assert f"train {name} data --recipe paper-512" in trained[name]
    for name in ("stargan", "elegant"):
        assert f"train {name} data-256 --recipe paper-256" in trained[name]
    for name in ("Smiling", "Male", "Heavy_Makeup", "No_Beard"):
        assert any(f"-o runs/attributes/{name} " in line and f"--attributes {name}" in line for line in lines)
    assert "maskgan prep-data faces data-256 --size 256" in lines
    assert "stage `train stargan`" not in outcome.err
    for name in ("train spade", "train sean", "train maskgan", "train pix2pixhd-m", "train maskgan-ebst"):
        assert f"missing: stage `{name}`: no vgg19 weights; maskgan weights pull vgg19" in outcome.err
    assert "missing: stage `measure smiling stargan`: no inception weights; maskgan weights pull" in outcome.err
    refused = maskgan("reproduce", "attribute-transfer", "--preset", "paper", "-o", tmp_path / "run")
    assert refused.code == 2
    assert "more: see --dry-run" in refused.err
    assert not (tmp_path / "run").exists(), "no stage may start"
    listed = json.loads(maskgan("reproduce", "attribute-transfer", "--preset", "paper", "--dry-run", "--json").out)
    assert {"stage": "train spade", "what": "no vgg19 weights", "hint": "maskgan weights pull vgg19"} in listed[
        "missing"
    ]


def test_threshold_of_a_published_identity_network_is_chosen_on_validation_pairs(
    iresnet: Path, maskgan: Command
) -> None:
    call = ("reproduce", "identity", "--judge", f"identity={iresnet}", "--dry-run")
    chosen = maskgan(*call)
    assert chosen.code == 0, chosen.err
    assert "missing" not in chosen.err
    commands = [line for line in chosen.out.splitlines() if line.startswith("maskgan")]
    verify = next(i for i, line in enumerate(commands) if line.startswith("maskgan eval verify"))
    measured = [i for i, line in enumerate(commands) if line.startswith("maskgan eval results")]
    assert f"--weights {iresnet} --split val" in commands[verify] and "--points crop" in commands[verify]
    assert verify < min(measured)
    assert all("--threshold-from threshold.json" in commands[i] for i in measured)
    given = maskgan(*call, "--threshold", "0.3")
    assert "eval verify" not in given.out
    assert given.out.count("--threshold 0.3") == len(measured) + 1, "the reproduce command repeats it"


def test_rendered_faces_with_one_person_to_validate_on_have_no_impostor_pairs(
    iresnet: Path, tmp_path: Path, maskgan: Command
) -> None:
    values = yaml.safe_load((recipe_folder("reproduce") / "tiny.yaml").read_text())
    for people, split in ((10, "train"), (25, "val")):
        preset = tmp_path / f"{people}.yaml"
        preset.write_text(yaml.safe_dump({**values, "faces": {"count": 100, "people": people}}))
        outcome = maskgan("reproduce", "identity", "--preset", preset, "--judge", f"identity={iresnet}", "--dry-run")
        assert outcome.code == 0, outcome.err
        assert f"--split {split} " in outcome.out
    shown = rendered_faces(100, 25)
    assert Counter(split for split, _ in shown) == {"train": 76, "val": 12, "test": 12}
    assert threshold_split(shown) == "val"
    assert threshold_split([("val", "a")] * 9) == "", "36 genuine pairs, and no impostor pair"


def test_threshold_of_the_weights_file_is_used(tmp_path: Path, maskgan: Command) -> None:
    config = ArcFaceConfig((1, 1, 1, 1), 8, 16, 48)
    own = save_weights(
        tmp_path / "own.safetensors", IResNet(config), kind="identity", config=vars(config), about={"threshold": 0.4}
    )
    outcome = maskgan("reproduce", "identity", "--judge", f"identity={own}", "--dry-run")
    assert outcome.code == 0
    assert "--threshold" not in outcome.out + outcome.err and "eval verify" not in outcome.out


def test_data_set_without_poses_or_genuine_pairs(prepared: Path, iresnet: Path, tmp_path: Path) -> None:
    faces = DataProperties.of(_without(prepared, tmp_path / "plain", ("yaw", "pitch", "roll", "identity")))
    assert (faces.has_poses, faces.has_identities, faces.threshold_split) == (False, False, "")
    settings: dict[str, Any] = {
        "data": str(faces.data.root),
        "has_identities": False,
        "has_poses": False,
        "judges": {"identity": str(iresnet)},
    }
    plan = _plan("identity", **settings)
    assert "train pose" in plan.stages, "poses are estimated"
    assert plan.stages["train pose"].words[2] == "posed-data"
    assert "runs/pose" in plan.stages["pairs identity"].words
    assert ["fewer than 10 pairs" in one.what for one in missing(plan, faces) if "threshold" in one.what] == [True]
    paper = _plan("identity", "paper-256", **settings)
    assert any("no head poses" in one.what and "pose=HOPENET.pkl" in one.hint for one in missing(paper, faces))
    named = _plan("identity", "paper-256", **{**settings, "judges": {"identity": str(iresnet), "pose": "/hopenet.pkl"}})
    assert "/hopenet.pkl" in named.stages["pairs identity"].words
    assert not any("no head poses" in one.what for one in missing(named, faces))


def test_missing_attributes_are_named(prepared: Path, tmp_path: Path) -> None:
    faces = DataProperties.of(_without(prepared, tmp_path / "plain", ("Heavy_Makeup",)))
    plan = _plan("style-copy", data=str(faces.data.root))
    assert any("does not say which faces have Heavy_Makeup" in one.what for one in missing(plan, faces))


def test_attribute_transfer_needs_smiling_alone(prepared: Path, tmp_path: Path, maskgan: Command) -> None:
    some = _without(prepared, tmp_path / "some", ("Heavy_Makeup",))
    faces = DataProperties.of(some)
    assert faces.attributes.startswith("Smiling") and "Heavy_Makeup" not in faces.attributes
    plan = _plan("attribute-transfer", data=str(some), attributes=faces.attributes)
    assert "Heavy_Makeup" not in " ".join(one.what for one in missing(plan, faces))
    outcome = maskgan("reproduce", "attribute-transfer", "--data", some, "--dry-run")
    assert f"--attributes {faces.attributes}" in outcome.out
    unknown = DataProperties.of(_without(prepared, tmp_path / "none", ("Smiling",)))
    plan = _plan("attribute-transfer", data=str(unknown.data.root), attributes=unknown.attributes)
    assert any("does not say which faces have Smiling" in one.what for one in missing(plan, unknown))


def test_unsuitable_judges_are_rejected_before_training(tmp_path: Path, maskgan: Command) -> None:
    config = AttributeConfig(("Male",), 64, 8)
    only = save_weights(
        tmp_path / "a.safetensors", AttributeNet(config), kind="attributes", config=vars(config), about={}
    )
    (tmp_path / "broken.pth").write_bytes(b"nothing")
    outcome = maskgan(
        "reproduce",
        "style-copy",
        "--judge",
        f"attributes={only}",
        "--judge",
        f"parser={tmp_path / 'broken.pth'}",
        "--dry-run",
    )
    assert outcome.code == 0
    assert "does not know Smiling; it knows Male" in outcome.err
    assert "broken.pth cannot be used" in outcome.err
