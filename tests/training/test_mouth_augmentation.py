"""Augmentation of mouths: what changes, by how much, and what stays the same."""

from __future__ import annotations

import torch
from torch import Tensor

from maskgan_cli.labels import ID
from maskgan_cli.training.mouth_augmentation import enlarge_lips, light_from_above, reshape_mouths

_SIDE = 64
_LIPS = (ID["mouth"], ID["u_lip"], ID["l_lip"])


def _faces(count: int = 1) -> tuple[Tensor, Tensor]:
    """Grey pictures in [-1, 1] with lighter lips, and their label maps; the last of several has no mouth."""
    labels = torch.full((count, _SIDE, _SIDE), ID["skin"], dtype=torch.uint8)
    labels[:, 42:46, 24:40] = ID["u_lip"]
    labels[:, 46:51, 24:40] = ID["l_lip"]
    if count > 1:
        labels[-1] = ID["skin"]
    shades = torch.zeros(256)
    shades[ID["u_lip"]], shades[ID["l_lip"]] = 0.3, 0.5
    return shades[labels.long()].unsqueeze(1).repeat(1, 3, 1, 1), labels


def _sides(labels: Tensor) -> tuple[int, int]:
    """Height and width of a mouth."""
    mouth = torch.isin(labels, torch.tensor(_LIPS))
    return int(mouth.any(1).sum()), int(mouth.any(0).sum())


def test_mouths_become_thinner_and_wider_on_average_and_labels_match() -> None:
    torch.manual_seed(0)
    images, labels = _faces(9)
    moved, changed = reshape_mouths(images, labels, 0.4)
    sides = torch.tensor([_sides(one) for one in changed[:-1]], dtype=torch.float)
    assert changed.dtype == torch.uint8
    assert float(sides[:, 0].mean()) < 9 - 0.5
    assert float(sides[:, 1].mean()) > 16 + 0.5
    assert len({tuple(one.tolist()) for one in sides}) > 2  # mouths change differently
    shown, labelled = moved[:, 0] > 0.4, changed == ID["l_lip"]
    assert float((shown & labelled).sum() / (shown | labelled).sum()) > 0.8
    corner = (slice(None), slice(None), slice(0, 16), slice(0, 16))
    assert torch.allclose(moved[corner], images[corner], atol=1e-3)
    assert torch.equal(moved[-1], images[-1])  # no mouth
    torch.manual_seed(0)
    assert torch.equal(reshape_mouths(images, labels, 0.4)[0], moved)


def test_light_from_above_darkens_the_upper_lip_and_leaves_the_rest_unchanged() -> None:
    images, labels = _faces(2)
    seen = []
    for seed in range(12):
        torch.manual_seed(seed)
        lit = light_from_above(images, labels, 0.5)
        assert float(lit.abs().max()) <= 1.0
        assert torch.equal(lit[:, :, :30], images[:, :, :30])
        assert torch.equal(lit[1], images[1])
        seen.append([float((lit - images)[0, 0, row, 32]) for row in (44, 48, 52)])
    upper, lower, under = torch.tensor(seen).mean(0).tolist()
    assert upper < 0 < lower
    assert under < 0


def test_some_lips_are_enlarged_by_a_pixel_over_skin_only() -> None:
    _, labels = _faces()
    labels[0, 41, 30] = ID["nose"]
    assert torch.equal(enlarge_lips(labels, 0.0), labels)
    larger = enlarge_lips(labels, 1.0)
    assert larger.dtype == torch.uint8
    assert _sides(larger[0]) == (11, 18)
    assert int(larger[0, 41, 30]) == ID["nose"]
    assert torch.equal(larger[labels == ID["l_lip"]], labels[labels == ID["l_lip"]])
    torch.manual_seed(0)
    several = enlarge_lips(labels.repeat(64, 1, 1), 0.5)
    grown = [not torch.equal(one, labels[0]) for one in several]
    assert 16 < sum(grown) < 48
