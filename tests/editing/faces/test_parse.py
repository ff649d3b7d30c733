"""The face parser's masks: large photos are parsed at a limited size, and masks have the photo's size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from maskgan_cli.editing.faces import parse
from maskgan_cli.files import write_image


class _Bright:
    """A parser with one rule: bright pixels are skin. It records the sizes of its inputs."""

    careful_sha256 = "0"

    def __init__(self) -> None:
        self.seen: list[tuple[int, ...]] = []

    def carefully(self, images: Tensor) -> Tensor:
        self.seen.append(tuple(images.shape))
        return (images[:, 0] > 127).to(torch.uint8)


def test_a_large_photo_is_parsed_at_the_network_size_and_its_mask_has_the_photos_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parse, "LONGEST", 32)
    picture = np.zeros((48, 96, 3), np.uint8)
    picture[:, 48:] = 255
    large, small = write_image(tmp_path / "l.png", picture), write_image(tmp_path / "s.png", picture[:16, 40:56])
    judge = _Bright()
    masks = dict(parse.parse_files(judge, [large, small, small], size=None, batch_size=8))  # type: ignore[arg-type]
    assert judge.seen == [(1, 3, 32, 32), (2, 3, 16, 16)], "expected limited squares, with equal sizes in one batch"
    list(parse.parse_files(judge, [large] * 3, size=None, batch_size=8))  # type: ignore[arg-type]
    assert judge.seen[2:] == [(1, 3, 32, 32)] * 3, "a batch needs more memory than one photo of the largest size"
    assert (masks[large] == (picture[..., 0] > 127)).all()
    assert (masks[small] == (picture[:16, 40:56, 0] > 127)).all()


def test_batches_are_no_larger_than_requested(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.png", np.zeros((16, 16, 3), np.uint8))
    judge = _Bright()
    assert len(list(parse.parse_files(judge, [path] * 5, size=8, batch_size=2))) == 5  # type: ignore[arg-type]
    assert [shape[0] for shape in judge.seen] == [2, 2, 1]


def test_only_dark_photos_are_brightened() -> None:
    seen: list[Tensor] = []

    class Watching(_Bright):
        def carefully(self, images: Tensor) -> Tensor:
            seen.extend(images)
            return super().carefully(images)

    rng = np.random.default_rng(0)
    usual = torch.from_numpy(rng.integers(0, 256, (3, 32, 32), np.uint8))
    dark = (usual * 0.3).to(torch.uint8)
    _, labels = parse.parse(Watching(), torch.stack([usual, dark]))  # type: ignore[arg-type]
    assert torch.equal(seen[0], usual)
    most = float(np.percentile(dark.amax(0), 98))
    assert torch.equal(seen[1], (dark.float() * 210 / most).clamp(max=255).to(torch.uint8))
    assert ((labels == 1) == (seen[1][0] > 127).numpy()).all()
    (black,) = parse.parse(_Bright(), torch.zeros(1, 3, 8, 8, dtype=torch.uint8))  # type: ignore[arg-type]
    assert not black.any()
