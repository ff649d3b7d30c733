"""Attributes, segmentation and identity, by judges whose answers are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.attributes import attribute_accuracy
from maskgan_cli.evaluation.identity import verify
from maskgan_cli.evaluation.segmentation import confusion, masks_asked_for
from maskgan_cli.files import write_image, write_label_map
from maskgan_cli.metrics.confusion import table_agreement


def _watch(items: Iterable[Any], _: int) -> Iterator[Any]:
    yield from items


def _plain(folder: Path, colours: list[tuple[int, int, int]], size: int = 8) -> list[Path]:
    return [
        write_image(folder / f"{i}.png", np.full((size, size, 3), colour, np.uint8)) for i, colour in enumerate(colours)
    ]


def _red_and_green(images: Tensor) -> Tensor:
    """Probabilities that a picture is red and that it is green."""
    return images[:, :2].float().mean((2, 3)) / 255


def test_attribute_accuracy_is_the_share_seen_as_wanted(tmp_path: Path) -> None:
    paths = _plain(tmp_path, [(255, 0, 0), (200, 200, 0), (0, 255, 0), (0, 0, 0)])
    wanted = {"red": [1, 1, 1, -1], "green": [-1, -1, -1, -1]}
    found = attribute_accuracy(paths, wanted, _red_and_green, ["red", "green"], _watch)
    assert found == {"red": 0.75, "green": 0.5}
    with pytest.raises(InputError, match="the classifier: expected the attribute Smiling, found red, green"):
        attribute_accuracy(paths, {"Smiling": [1] * 4}, _red_and_green, ["red", "green"], _watch)
    with pytest.raises(InputError, match="a column for each attribute"):
        attribute_accuracy(paths, {}, _red_and_green, ["red"], _watch)


def test_confusion_counts_pixels_by_what_was_asked_and_what_is_seen(tmp_path: Path) -> None:
    """A parser that reads the class off the red channel, asked for a mask of half the side."""
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[:, 4:, 0] = 1
    picture[0, 0, 0] = 2
    asked = np.zeros((4, 4), np.uint8)
    asked[:, 2:] = 1
    result = write_image(tmp_path / "a.png", picture)
    write_label_map(tmp_path / "a.mask.png", asked)
    masks = masks_asked_for([result], None, None)
    table = confusion([result], masks, lambda images: images[:, 0], _watch)
    assert table.sum() == 64
    assert (table[0, 0], table[0, 2], table[1, 1]) == (31, 1, 32)
    agreed = table_agreement(torch.from_numpy(table).double())
    assert agreed["accuracy"] == 63 / 64
    assert agreed["miou"] == pytest.approx((31 / 32 + 1 + 0) / 3)


def test_the_mask_asked_for_is_named_beside_or_the_sources(tmp_path: Path) -> None:
    result = write_image(tmp_path / "a.png", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(InputError, match=r"a\.mask\.png: expected the mask that a\.png was painted from.*--save-masks"):
        masks_asked_for([result], None, None)
    assert masks_asked_for([result], None, [tmp_path / "source.png"]) == [tmp_path / "source.png"]
    beside = write_label_map(tmp_path / "a.mask.png", np.zeros((8, 8), np.uint8))
    assert masks_asked_for([result], None, [tmp_path / "source.png"]) == [beside]
    with pytest.raises(InputError, match="no such file"):
        masks_asked_for([result], tmp_path / "masks", [beside])
    named = write_label_map(tmp_path / "masks" / "a.png", np.zeros((8, 8), np.uint8))
    assert masks_asked_for([result], tmp_path / "masks", None) == [named]


def test_identity_is_the_share_of_cosines_over_the_threshold(tmp_path: Path) -> None:
    """Embeddings are mean colours: 0, 60 and 90 degrees between source and result."""
    results = _plain(tmp_path / "r", [(100, 0, 0), (50, 87, 0), (0, 0, 200)])
    sources = _plain(tmp_path / "s", [(200, 0, 0), (90, 0, 0), (0, 10, 0)])

    def embed(images: Tensor) -> Tensor:
        return images.float().mean((2, 3))

    found = verify(results, sources, embed, 0.6, _watch)
    assert found.accuracy == pytest.approx(1 / 3)
    assert found.cosine == pytest.approx((1 + 0.5 + 0) / 3, abs=2e-3)
    assert verify(results, sources, embed, 0.4, _watch).accuracy == pytest.approx(2 / 3)
    with pytest.raises(InputError, match="found NaN or zero for some faces"):
        verify(_plain(tmp_path / "z", [(0, 0, 0)]), sources[:1], embed, 0.5, _watch)
