"""Tests of HopeNet: published tensor layout, expected angles of known logits, and bins."""

from __future__ import annotations

import pytest
import torch

from maskgan_cli.models.hopenet import HopeNet, HopeNetConfig, bin_of, expected_angles
from tests.layouts import layout


def test_state_dict_has_the_published_layout_without_the_unused_layer() -> None:
    with torch.device("meta"):
        network = HopeNet(HopeNetConfig())
    ours = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    theirs = {name: shape for name, shape in layout("hopenet_resnet50").items() if "fc_finetune" not in name}
    assert ours == theirs


def test_expected_angle_of_one_bin_and_of_a_uniform_distribution() -> None:
    logits = torch.full((2, 66), -1e4)
    logits[0, 33] = 0.0  # 3 * 33 - 99
    logits[1, [10, 20]] = 0.0
    assert expected_angles(logits).tolist() == pytest.approx([0.0, 3 * 15 - 99])
    assert expected_angles(torch.zeros(66)).item() == pytest.approx(3 * 32.5 - 99)


def test_bins_are_three_degrees_from_minus_99() -> None:
    angles = torch.tensor([-200.0, -99.0, -96.1, -96.0, 0.0, 98.9, 200.0])
    assert bin_of(angles, 66).tolist() == [0, 0, 0, 1, 33, 65, 65]


def test_each_head_predicts_its_own_angle() -> None:
    network = HopeNet(HopeNetConfig(width=8, blocks=(1, 1, 1, 1), bottleneck=False, image_size=32)).eval()
    with torch.no_grad():
        for place, head in enumerate((network.fc_yaw, network.fc_pitch, network.fc_roll)):
            head.weight.zero_()
            head.bias.copy_(torch.full((66,), -1e4).index_fill(0, torch.tensor(20 + place), 0.0))
        logits = network(torch.rand(2, 3, 32, 32))
    assert logits.shape == (2, 3, 66)
    assert expected_angles(logits).tolist() == [pytest.approx([-39.0, -36.0, -33.0])] * 2


def test_invalid_settings_are_rejected() -> None:
    with pytest.raises(ValueError, match="four numbers"):
        HopeNetConfig(blocks=(1, 2))
    assert HopeNetConfig(blocks=[1, 1, 1, 1]).blocks == (1, 1, 1, 1)  # type: ignore[arg-type]
