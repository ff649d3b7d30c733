"""Metrics of attributes, segmentation and identity with judges whose predictions are known."""

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

from maskgan_cli.data import picture_batches as reading
from maskgan_cli.data.given_masks import MaskRules, mask_rules
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation import picture_set
from maskgan_cli.evaluation.attributes import AttributeAccuracy
from maskgan_cli.evaluation.identity import IdentityAccuracy
from maskgan_cli.evaluation.method_results import MethodResults, update_metrics
from maskgan_cli.evaluation.segmentation import SegmentationAccuracy, input_masks
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


def test_attribute_accuracy_is_the_share_of_correct_results(tmp_path: Path) -> None:
    paths = _plain(tmp_path, [(255, 0, 0), (200, 200, 0), (0, 255, 0), (0, 0, 0)])
    wanted = {"red": [1, 1, 1, -1], "green": [-1, -1, -1, -1]}
    metric = AttributeAccuracy(_red_and_green, ["red", "green"], wanted)
    update_metrics(paths, [metric], _watch, batch_size=3)
    assert metric.shares() == {"red": 0.75, "green": 0.5}
    with pytest.raises(InputError, match="the classifier: expected the attribute Smiling, found red, green"):
        AttributeAccuracy(_red_and_green, ["red", "green"], {"Smiling": [1] * 4})
    with pytest.raises(InputError, match="a column for each attribute"):
        AttributeAccuracy(_red_and_green, ["red"], {})


def test_the_confusion_matrix_counts_pixels_by_mask_and_prediction(tmp_path: Path) -> None:
    """The parser takes the class from the red channel; the input mask has half the side."""
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[:, 4:, 0] = 1
    picture[0, 0, 0] = 2
    mask = np.zeros((4, 4), np.uint8)
    mask[:, 2:] = 1
    result = write_image(tmp_path / "a.png", picture)
    write_label_map(tmp_path / "a.mask.png", mask)
    masks = input_masks([result], None, None)
    metric = SegmentationAccuracy(lambda images: images[:, 0], masks)
    update_metrics([result], [metric], _watch)
    table = metric.table
    assert metric.shares == [63 / 64]
    assert table.sum() == 64
    assert (table[0, 0], table[0, 2], table[1, 1]) == (31, 1, 32)
    agreed = table_agreement(torch.from_numpy(table).double())
    assert agreed["accuracy"] == 63 / 64
    assert agreed["miou"] == pytest.approx((31 / 32 + 1 + 0) / 3)


def test_input_masks_in_another_class_order(tmp_path: Path) -> None:
    """Masks with BiSeNet's class order raise an error that names it, and are correct with that order."""
    labels = draw_face(0, 64)[2]
    result = write_image(tmp_path / "a.png", np.repeat(labels[..., None], 3, -1))
    mask = tmp_path / "a.mask.png"
    Image.fromarray(convert(labels, "celebamask", "parser")).save(mask)

    def measure() -> SegmentationAccuracy:
        metric = SegmentationAccuracy(lambda images: images[:, 0], [mask])
        update_metrics([result], [metric], _watch)
        return metric

    with pytest.raises(InputError, match=r"a\.mask\.png: .*add --order parser"):
        measure()
    with mask_rules(MaskRules("parser")):
        assert measure().shares == [1.0]
    with mask_rules(MaskRules(force=True)):
        assert measure().shares[0] < 1


def test_input_masks_are_in_a_folder_or_beside_the_result_or_the_default(tmp_path: Path) -> None:
    result = write_image(tmp_path / "a.png", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(InputError, match=r"a\.mask\.png: expected the mask that a\.png was painted from.*--save-masks"):
        input_masks([result], None, None)
    assert input_masks([result], None, [tmp_path / "source.png"]) == [tmp_path / "source.png"]
    beside = write_label_map(tmp_path / "a.mask.png", np.zeros((8, 8), np.uint8))
    assert input_masks([result], None, [tmp_path / "source.png"]) == [beside]
    with pytest.raises(InputError, match="no such file"):
        input_masks([result], tmp_path / "masks", [beside])
    named = write_label_map(tmp_path / "masks" / "a.png", np.zeros((8, 8), np.uint8))
    assert input_masks([result], tmp_path / "masks", None) == [named]


def test_identity_accuracy_is_the_share_of_cosines_over_the_threshold(tmp_path: Path) -> None:
    """Embeddings are mean colours; the angles between source and result are 0, 60 and 90 degrees."""
    results = _plain(tmp_path / "r", [(100, 0, 0), (50, 87, 0), (0, 0, 200)])
    sources = _plain(tmp_path / "s", [(200, 0, 0), (90, 0, 0), (0, 10, 0)])

    def embed(images: Tensor) -> Tensor:
        return images.float().mean((2, 3))

    def shares(results: list[Path], sources: list[Path], threshold: float) -> tuple[float, float]:
        metric = IdentityAccuracy(embed, sources, threshold, _watch)
        update_metrics(results, [metric], _watch)
        cosines = metric.cosines()
        return float((cosines >= threshold).mean()), float(cosines.mean())

    assert shares(results, sources, 0.6) == (pytest.approx(1 / 3), pytest.approx((1 + 0.5 + 0) / 3, abs=2e-3))
    assert shares(results, sources, 0.4)[0] == pytest.approx(2 / 3)
    with pytest.raises(InputError, match="found NaN or zero for some faces"):
        shares(_plain(tmp_path / "z", [(0, 0, 0)]), sources[:1], 0.5)


def test_several_metrics_read_each_picture_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The values equal those of each metric alone; every result is decoded and hashed once."""
    paths = _plain(tmp_path / "r", [(0, i, 3 * i) for i in range(1, 8)])
    masks = [write_label_map(tmp_path / "m" / f"{i}.png", np.zeros((8, 8), np.uint8)) for i in range(7)]
    sources = _plain(tmp_path / "s", [(0, 3, i) for i in range(1, 8)])

    def make() -> list[Any]:
        return [
            AttributeAccuracy(_red_and_green, ["red", "green"], {"green": [1, -1, -1, -1, -1, -1, -1]}),
            SegmentationAccuracy(lambda images: images[:, 0], masks),
            IdentityAccuracy(lambda images: images.float().mean((2, 3)), sources, 0.9, _watch),
        ]

    def computed(results: MethodResults, metrics: list[Any]) -> list[dict[str, Any]]:
        update_metrics(results.paths, metrics, _watch, batch_size=3)
        return [metric.compute(results).document() for metric in metrics]

    alone = [computed(MethodResults(tmp_path / "r", paths, "m"), [metric])[0] for metric in make()]
    read, hashed = Counter[Path](), Counter[Path]()

    def counted(counter: Counter[Path], function: Any) -> Any:
        def call(path: Path) -> Any:
            counter[path] += 1
            return function(path)

        return call

    monkeypatch.setattr(reading, "read_image", counted(read, read_image))
    monkeypatch.setattr(picture_set, "sha256", counted(hashed, sha256))
    results, metrics = MethodResults(tmp_path / "r", paths, "m"), make()
    read.clear()
    assert computed(results, metrics) == alone
    assert read == dict.fromkeys(paths, 1)
    assert {hashed[path] for path in paths} == {1}
