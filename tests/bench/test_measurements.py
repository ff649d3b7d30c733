"""Tests that each measurement runs the work that it reports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maskgan_cli.bench import distance, painting, preparation, starting, training
from maskgan_cli.bench.table import MEASUREMENTS, BenchOptions
from maskgan_cli.data.celebamask import read_source
from maskgan_cli.editing.painters import open_painter
from maskgan_cli.files import read_image
from maskgan_cli.networks import resolve


@pytest.fixture
def options(weights: Path, tmp_path: Path) -> BenchOptions:
    return BenchOptions(False, weights, "cpu", tmp_path)


def test_painting_round_is_one_batch(weights: Path) -> None:
    file = weights / "model.safetensors"
    with painting.work(file, 2, "cpu") as work:
        pictures = work.once()
    assert isinstance(pictures, np.ndarray)
    np.testing.assert_array_equal(pictures, open_painter("dmn", file, "cpu").paint(*painting.random_inputs(2, 64)))
    assert (work.count, work.unit, work.about) == (2, "picture", {"size": 64, "batch": 2})


def test_painting_cases_cover_runtimes_and_batch_sizes(options: BenchOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    exported: list[Path] = []
    monkeypatch.setattr(painting, "export_onnx", lambda weights, out: exported.append(out))
    monkeypatch.setattr(painting, "_can_export", lambda: True)
    names = [case.name for case in painting.cases(options)]
    assert names == ["torch, batch 1", "torch, batch 8", "ONNX, batch 1", "ONNX, batch 8"]
    assert len(exported) == 1
    monkeypatch.setattr(painting, "_can_export", lambda: False)
    assert [case.name for case in painting.cases(options)] == names[:2]


def test_raw_layout_is_complete_and_images_are_twice_as_large_as_masks(tmp_path: Path) -> None:
    raw = preparation.raw_layout(tmp_path / "raw", 5, size=64)
    source = read_source(raw)
    assert [candidate.id for candidate in source.candidates] == list("01234")
    assert not any(candidate.reason for candidate in source.candidates)
    assert read_image(source.candidates[4].image or raw).shape == (128, 128, 3)
    assert source.candidates[4].masks.keys() == source.candidates[0].masks.keys()
    with preparation.work(raw, 64, 1) as work:
        work.once()
        work.once()  # its outputs must not affect the next round
    assert (work.count, work.unit) == (5, "face")


def test_training_round_is_one_step() -> None:
    tiny = [
        "network.width=4",
        "network.style_width=4",
        "discriminator.width=4",
        "perceptual.width=4",
        "data.batch_size=2",
    ]
    with training.work("tiny-cpu", "cpu", tiny) as work:
        work.once()
        work.once()
    assert work.about == {"size": 64, "batch": 2, "recipe": "tiny-cpu"}


def test_noise_depends_on_the_seed_only(tmp_path: Path) -> None:
    paths = [distance.noise(tmp_path / name, 2, 32, seed) for name, seed in (("a", 0), ("b", 0), ("c", 1))]
    bytes_of = [[path.read_bytes() for path in folder] for folder in paths]
    assert bytes_of[0] == bytes_of[1] != bytes_of[2]
    assert bytes_of[0][0] != bytes_of[0][1]


def test_start_round_runs_the_command() -> None:
    with starting.work(("-c", "pass")) as work:
        work.once()
    with starting.work(("-c", "1/0")) as work, pytest.raises(Exception, match="non-zero exit status 1"):
        work.once()


def test_every_measurement_resolves() -> None:
    for entry in MEASUREMENTS.values():
        assert callable(resolve(entry.cases))
        assert callable(resolve(entry.work))
