"""Sharpness: pictures whose Laplacian is known."""

from __future__ import annotations

import pytest
import torch

from maskgan_cli.metrics.sharpness import sharpness


def _grey(plane: torch.Tensor) -> torch.Tensor:
    return plane.to(torch.uint8).expand(1, 3, *plane.shape)


def test_pictures_of_known_laplacian() -> None:
    ramp = torch.arange(12.0).view(1, 12).expand(10, 12) * 20
    assert float(sharpness(_grey(torch.full((10, 12), 77.0)))) == pytest.approx(0, abs=1e-3)
    assert float(sharpness(_grey(ramp))) == pytest.approx(0, abs=1e-3)
    point = torch.zeros(10, 12)
    point[4, 5] = 100
    assert float(sharpness(_grey(point))) == pytest.approx(800 / (8 * 10), rel=1e-5)
    board = (torch.arange(10).view(10, 1) + torch.arange(12).view(1, 12)) % 2
    both = torch.cat([_grey(board * 200.0), _grey(board * 100.0)])
    assert sharpness(both).tolist() == pytest.approx([800, 400], rel=1e-5)
