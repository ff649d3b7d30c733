"""Attributes, segmentation and identity, by judges whose answers are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from maskgan_cli.data import pictures as reading
from maskgan_cli.data.given_masks import MaskRules, mask_rules
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation import pictures
from maskgan_cli.evaluation.attributes import AttributeAccuracy
from maskgan_cli.evaluation.identity import IdentityAccuracy
from maskgan_cli.evaluation.segmentation import SegmentationAccuracy, masks_asked_for
from maskgan_cli.evaluation.subject import Subject, show
from maskgan_cli.files import read_image, sha256, write_image, write_label_map
from maskgan_cli.labels import convert
from maskgan_cli.metrics.confusion import table_agreement
from tests.drawn_faces import draw_face


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
    measure = AttributeAccuracy(_red_and_green, ["red", "green"], wanted)
    show(paths, [measure], _watch, batch_size=3)
    assert measure.shares() == {"red": 0.75, "green": 0.5}
    with pytest.raises(InputError, match="the classifier: expected the attribute Smiling, found red, green"):
        AttributeAccuracy(_red_and_green, ["red", "green"], {"Smiling": [1] * 4})
    with pytest.raises(InputError, match="a column for each attribute"):
        AttributeAccuracy(_red_and_green, ["red"], {})


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
    measure = SegmentationAccuracy(lambda images: images[:, 0], masks)
    show([result], [measure], _watch)
    table = measure.table
    assert measure.shares == [63 / 64]
    assert table.sum() == 64
    assert (table[0, 0], table[0, 2], table[1, 1]) == (31, 1, 32)
    agreed = table_agreement(torch.from_numpy(table).double())
    assert agreed["accuracy"] == 63 / 64
    assert agreed["miou"] == pytest.approx((31 / 32 + 1 + 0) / 3)


def test_masks_asked_for_in_another_class_order(tmp_path: Path) -> None:
    """BiSeNet's ids: refused with the order that is suspected, and right in that order."""
    labels = draw_face(0, 64)[2]
    result = write_image(tmp_path / "a.png", np.repeat(labels[..., None], 3, -1))
    mask = tmp_path / "a.mask.png"
    Image.fromarray(convert(labels, "celebamask", "parser")).save(mask)

    def measure() -> SegmentationAccuracy:
        made = SegmentationAccuracy(lambda images: images[:, 0], [mask])
        show([result], [made], _watch)
        return made

    with pytest.raises(InputError, match=r"a\.mask\.png: .*add --order parser"):
        measure()
    with mask_rules(MaskRules("parser")):
        assert measure().shares == [1.0]
    with mask_rules(MaskRules(force=True)):
        assert measure().shares[0] < 1


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

    def shares(results: list[Path], sources: list[Path], threshold: float) -> tuple[float, float]:
        measure = IdentityAccuracy(embed, sources, threshold, _watch)
        show(results, [measure], _watch)
        cosines = measure.cosines()
        return float((cosines >= threshold).mean()), float(cosines.mean())

    assert shares(results, sources, 0.6) == (pytest.approx(1 / 3), pytest.approx((1 + 0.5 + 0) / 3, abs=2e-3))
    assert shares(results, sources, 0.4)[0] == pytest.approx(2 / 3)
    with pytest.raises(InputError, match="found NaN or zero for some faces"):
        shares(_plain(tmp_path / "z", [(0, 0, 0)]), sources[:1], 0.5)


def test_several_measures_read_each_picture_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers are those of each alone; every result is decoded and hashed once."""
    paths = _plain(tmp_path / "r", [(0, i, 3 * i) for i in range(1, 8)])
    masks = [write_label_map(tmp_path / "m" / f"{i}.png", np.zeros((8, 8), np.uint8)) for i in range(7)]
    sources = _plain(tmp_path / "s", [(0, 3, i) for i in range(1, 8)])

    def make() -> list[Any]:
        return [
            AttributeAccuracy(_red_and_green, ["red", "green"], {"green": [1, -1, -1, -1, -1, -1, -1]}),
            SegmentationAccuracy(lambda images: images[:, 0], masks),
            IdentityAccuracy(lambda images: images.float().mean((2, 3)), sources, 0.9, _watch),
        ]

    def results(subject: Subject, measures: list[Any]) -> list[dict[str, Any]]:
        show(subject.paths, measures, _watch, batch_size=3)
        return [measure.result(subject).document() for measure in measures]

    alone = [results(Subject(tmp_path / "r", paths, "m"), [measure])[0] for measure in make()]
    read, hashed = Counter[Path](), Counter[Path]()

    def counted(counter: Counter[Path], function: Any) -> Any:
        def call(path: Path) -> Any:
            counter[path] += 1
            return function(path)

        return call

    monkeypatch.setattr(reading, "read_image", counted(read, read_image))
    monkeypatch.setattr(pictures, "sha256", counted(hashed, sha256))
    subject, measures = Subject(tmp_path / "r", paths, "m"), make()
    read.clear()
    assert results(subject, measures) == alone
    assert read == dict.fromkeys(paths, 1)
    assert {hashed[path] for path in paths} == {1}
