"""Judges from published checkpoints, and several classifiers as one judge."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.verification import read_threshold
from maskgan_cli.files import write_json
from maskgan_cli.judges.attributes import load_attributes
from maskgan_cli.judges.identity import IdentityJudge
from maskgan_cli.judges.pose import load_pose
from maskgan_cli.models.attributes import AttributeConfig, AttributeNet
from maskgan_cli.models.hopenet import HopeNet, HopeNetConfig
from maskgan_cli.weights.format import save_weights

CPU = torch.device("cpu")
FACES = torch.randint(0, 256, (2, 3, 64, 64), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def test_a_hopenet_checkpoint_is_read_as_it_is(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = HopeNetConfig(8, (1, 1, 1, 1), True)
    network = HopeNet(config).eval()
    vestige = {"fc_finetune.weight": torch.zeros(3, 3), "fc_finetune.bias": torch.zeros(3)}
    torch.save({**network.state_dict(), **vestige}, tmp_path / "hopenet.pkl")
    own = save_weights(tmp_path / "w.safetensors", network, kind="pose", config=vars(config), about={})
    assert torch.equal(load_pose(tmp_path / "hopenet.pkl", CPU)(FACES), load_pose(own, CPU)(FACES))


def _classifier(folder: Path, name: str, seed: int) -> None:
    torch.manual_seed(seed)
    config = AttributeConfig((name,), 64, 8)
    save_weights(folder / "model.safetensors", AttributeNet(config), kind="attributes", config=vars(config), about={})


def test_a_classifier_for_each_attribute_is_one_judge(tmp_path: Path) -> None:
    _classifier(tmp_path / "runs" / "Smiling", "Smiling", 0)
    _classifier(tmp_path / "runs" / "Male", "Male", 1)
    judge = load_attributes(tmp_path / "runs", CPU)
    assert judge.names == ["Male", "Smiling"]
    alone = [load_attributes(tmp_path / "runs" / name, CPU)(FACES) for name in judge.names]
    assert torch.equal(judge(FACES), torch.cat(alone, 1))
    before = judge.sha256
    _classifier(tmp_path / "runs" / "Male", "Male", 2)
    assert load_attributes(tmp_path / "runs", CPU).sha256 != before
    _classifier(tmp_path / "runs" / "again", "Male", 3)
    with pytest.raises(InputError, match="expected every attribute once, found two classifiers of Male"):
        load_attributes(tmp_path / "runs", CPU)


def test_a_threshold_is_of_one_network(tmp_path: Path) -> None:
    judge = IdentityJudge("x", lambda x: x.float().flatten(1), size=112, device=CPU, digest="a" * 64)
    chosen = write_json(tmp_path / "t.json", {"threshold": 0.25, "sha256": "a" * 64})
    assert read_threshold(chosen, judge) == 0.25
    other = write_json(tmp_path / "o.json", {"threshold": 0.25, "sha256": "b" * 64})
    with pytest.raises(InputError, match="found that of another network"):
        read_threshold(other, judge)
    with pytest.raises(InputError, match="found no threshold"):
        read_threshold(write_json(tmp_path / "n.json", [1]), judge)
