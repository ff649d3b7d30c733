"""Masks between masks: positions, codes, sizes, and the command that writes them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from maskgan_cli.data.resize import resize_labels
from maskgan_cli.editing.dmn_method import Renderer, Request
from maskgan_cli.editing.masks.interpolate import MaskManifold, around, between, encode_animation, frames, positions
from maskgan_cli.files import read_image, read_label_map, sha256, write_label_map
from maskgan_cli.labels import NUM_CLASSES, PALETTE, colourise
from maskgan_cli.models.layers import one_hot
from maskgan_cli.synth import face
from maskgan_cli.weights.lookup import bundled
from tests.conftest import Command


@pytest.fixture
def masks(prepared: Path) -> tuple[Path, Path]:
    return prepared / "masks" / "0.png", prepared / "masks" / "400.png"


@pytest.fixture
def cpu(vae_weights: Path) -> tuple[str, ...]:
    return ("--weights", str(vae_weights), "--device", "cpu")


def test_positions_are_evenly_spaced_and_extend_beyond_both_ends() -> None:
    np.testing.assert_allclose(positions(5), [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(positions(4, beyond=0.25), [-0.25, 0.25, 0.75, 1.25])


def test_codes_between_two_lie_on_their_line() -> None:
    first, second = torch.tensor([[0.0, 2.0]]), torch.tensor([[4.0, 0.0]])
    codes = between(first, second, [-0.5, 0.0, 0.25, 1.0])
    torch.testing.assert_close(codes, torch.tensor([[-2.0, 3.0], [0.0, 2.0], [1.0, 1.5], [4.0, 0.0]]))


def test_codes_around_one_have_the_given_spread_and_depend_on_the_seed() -> None:
    centre = torch.full((1, 4), 3.0)
    codes = around(centre, 20_000, spread=0.5, seed=1)
    few = around(centre, 3, spread=0.5, seed=1)
    assert (codes.mean(0) - 3.0).abs().max() < 0.02
    assert (codes.std(0) - 0.5).abs().max() < 0.02
    assert torch.equal(around(centre, 3, spread=0.5, seed=1), few)
    assert not torch.equal(around(centre, 3, spread=0.5, seed=2), few)
    assert torch.equal(around(centre, 1, spread=0.0, seed=1), centre)


def test_encode_returns_the_mean_and_decode_the_most_likely_class(vae_weights: Path, masks: tuple[Path, Path]) -> None:
    manifold = MaskManifold(vae_weights, "cpu")
    labels = read_label_map(masks[0])
    mean, _ = manifold.network.encode(one_hot(torch.from_numpy(labels)[None]))
    code = manifold.encode(labels)
    torch.testing.assert_close(code, mean)
    expected = manifold.network.decode(mean).argmax(1).numpy().astype(np.uint8)
    assert (next(iter(manifold.decode(code, 64))) == expected[0]).all()
    for side in (40, 64, 128):
        (decoded,) = manifold.decode(code, side)
        assert decoded.shape == (side, side)
        assert decoded.dtype == np.uint8


def test_frames_are_coloured_tiles_with_the_face_below() -> None:
    labels = np.arange(NUM_CLASSES, dtype=np.uint8).repeat(4)[:64]
    mask = np.tile(labels, (64, 1))
    (bare,) = frames([mask], [])
    assert (bare == colourise(resize_labels(mask, 128))).all()
    (with_face,) = frames([mask], [np.full((32, 32, 3), 7, np.uint8)])
    assert with_face.shape == (256, 128, 3)
    assert (with_face[:128] == bare).all()
    assert (with_face[128:] == 7).all()


def test_the_animation_keeps_order_and_exact_colours() -> None:
    pictures = [np.tile(np.roll(PALETTE, i, 0), (19, 1, 1)) for i in range(3)]
    with Image.open(io.BytesIO(encode_animation(pictures))) as gif:
        assert (getattr(gif, "n_frames", 1), gif.info["loop"]) == (3, 0)
        for i, picture in enumerate(pictures):
            gif.seek(i)
            assert (np.asarray(gif.convert("RGB")) == picture).all()


def test_the_command_prints_masks_in_order_then_strip_then_animation(
    masks: tuple[Path, Path], vae_weights: Path, cpu: tuple[str, ...], tmp_path: Path, maskgan: Command
) -> None:
    outcome = maskgan("interpolate", *masks, "--steps", 4, "-o", tmp_path / "o", *cpu)
    names = [f"mask-{i:03d}.png" for i in range(4)] + ["strip.png", "animation.gif"]
    assert outcome.lines == [str(tmp_path / "o" / name) for name in names]
    manifold = MaskManifold(vae_weights, "cpu")
    first, second = (manifold.encode(read_label_map(mask)) for mask in masks)
    expected = list(manifold.decode(first + torch.tensor([[0.0], [1 / 3], [2 / 3], [1.0]]) * (second - first), 64))
    written = [read_label_map(path) for path in outcome.lines[:4]]
    for ours, path in zip(expected, outcome.lines, strict=False):
        with Image.open(path) as image:
            assert image.mode == "P"
        assert (ours != read_label_map(path)).mean() < 0.01  # rounding can change an argmax
    strip = read_image(outcome.lines[4])
    assert (strip == np.hstack([colourise(resize_labels(labels, 128)) for labels in written])).all()


def test_ends_are_kept_exactly_and_pictures_can_replace_their_masks(
    masks: tuple[Path, Path], prepared: Path, cpu: tuple[str, ...], tmp_path: Path, maskgan: Command
) -> None:
    large = resize_labels(read_label_map(masks[1]), 96)
    write_label_map(tmp_path / "large.png", large)
    picture = prepared / "images" / "0.png"
    call = ("interpolate", picture, tmp_path / "large.png", "--steps", 3, "--keep-ends", "-o", tmp_path / "o", *cpu)
    outcome = maskgan(*call)
    assert outcome.code == 0, outcome.err
    first, _, last = (read_label_map(path) for path in outcome.lines[:3])
    assert (first == read_label_map(masks[0])).all()
    assert (last == resize_labels(large, 64)).all()


def test_samples_around_one_mask(
    masks: tuple[Path, Path], cpu: tuple[str, ...], tmp_path: Path, maskgan: Command
) -> None:
    call = ("interpolate", masks[0], "--sample", 2, "--spread", 3, *cpu)
    a = maskgan(*call, "-o", tmp_path / "a", "--seed", 1)
    assert [Path(line).name for line in a.lines] == ["mask-000.png", "mask-001.png", "strip.png", "animation.gif"]
    maskgan(*call, "-o", tmp_path / "b", "--seed", 1)
    maskgan(*call, "-o", tmp_path / "c", "--seed", 2)
    one, same, other = (read_label_map(tmp_path / x / "mask-000.png") for x in "abc")
    assert (one == same).all()
    assert (one != other).any()


def test_a_style_paints_every_mask(
    masks: tuple[Path, Path],
    prepared: Path,
    weights: Path,
    vae_weights: Path,
    cpu: tuple[str, ...],
    tmp_path: Path,
    maskgan: Command,
) -> None:
    style = prepared / "images" / "800.png"
    outcome = maskgan(
        "interpolate",
        *masks,
        "--steps",
        3,
        "-o",
        tmp_path / "o",
        "--style",
        style,
        "--dmn-weights",
        weights,
        "--batch-size",
        1,
        "--json",
        *cpu,
    )
    document = json.loads(outcome.out)
    assert document["weights"] == sha256(vae_weights / "model.safetensors")
    assert document["dmn_weights"] == sha256(weights / "model.safetensors")
    assert document["positions"] == [0.0, 0.5, 1.0]
    style_inputs = (read_label_map(prepared / "masks" / "800.png"), read_image(style))
    renderer = Renderer(weights, "cpu")
    for mask, painted in zip(document["masks"], document["faces"], strict=True):
        expected = renderer.paint([Request(read_label_map(mask), *style_inputs)])[0]
        assert (read_image(painted) == expected).all()
    assert read_image(document["strip"]).shape == (256, 3 * 128, 3)


def test_a_second_run_keeps_all_files(
    masks: tuple[Path, Path],
    prepared: Path,
    weights: Path,
    cpu: tuple[str, ...],
    tmp_path: Path,
    maskgan: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, faces = tmp_path / "o", [prepared / "images" / f"{name}.png" for name in (800, 400)]
    call = ("interpolate", *masks, "--steps", 3, "-o", out, "--dmn-weights", weights, *cpu, "--style")
    first = maskgan(*call, faces[0])
    assert (first.code, "kept" in first.err) == (0, False), first.err
    files = {path: path.read_bytes() for path in out.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(Renderer, "paint", lambda *_: pytest.fail("existing faces were painted"))
        second = maskgan(*call, faces[0])
    assert (second.code, second.lines) == (0, first.lines), second.err
    assert "kept 8 existing files of the same inputs, weights and settings" in second.err
    (out / "mask-001.png").unlink()
    (out / "animation.gif").unlink()
    assert "kept 6 existing files" in maskgan(*call, faces[0]).err
    other = maskgan(*call, faces[1])  # masks are the same, faces are not
    assert other.code == 2 and "strip.png: found a result that exists already" in other.err, other.err
    assert {path: path.read_bytes() for path in out.iterdir()} == files


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.png"], "missing SECOND"),
        (["a.png", "b.png", "--sample", "3"], "--sample: expected one mask only"),
        (["a.png", "b.png", "--keep-ends", "--extrapolate", "0.2"], "--keep-ends: expected a line that ends"),
        (["a.png", "b.png", "--style-mask", "m.png"], "--style-mask: expected --style, found none"),
        (["a.png", "b.png", "--style", "s.png", "--dmn-weights", "n"], "a.png: expected a picture"),
        (["a.png", "b.png", "--steps", "1"], "--steps"),
        (["a.png", "b.png"], "a.png: expected a picture, found no such file"),
    ],
)
def test_contradictory_options_raise_errors(
    arguments: list[str],
    message: str,
    cpu: tuple[str, ...],
    tmp_path: Path,
    maskgan: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MASKGAN_WEIGHTS", raising=False)
    outcome = maskgan("interpolate", *arguments, "-o", tmp_path / "o", *cpu)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert not (tmp_path / "o").exists()


def test_existing_results_are_replaced_only_with_overwrite(
    masks: tuple[Path, Path], weights: Path, cpu: tuple[str, ...], tmp_path: Path, maskgan: Command
) -> None:
    out = tmp_path / "o"
    out.mkdir()
    (out / "strip.png").write_text("precious")
    call = ("interpolate", *masks, "--steps", 2, "-o", out)
    outcome = maskgan(*call, *cpu)
    assert (outcome.code, "strip.png: found a result that exists already" in outcome.err) == (2, True)
    assert [path.name for path in out.iterdir()] == ["strip.png"]
    assert maskgan(*call, "--overwrite", *cpu).code == 0
    outcome = maskgan("interpolate", *masks, "-o", out / "strip.png", *cpu)
    assert "expected a folder for the results, found a file" in outcome.err
    outcome = maskgan("interpolate", *masks, "-o", tmp_path / "p", "--weights", weights)
    assert "expected vae weights, found dmn weights" in outcome.err


def test_with_the_bundled_weights_every_step_moves_from_one_face_to_the_other() -> None:
    """Between rendered test faces: the difference from A rises in every step, and the difference from B falls."""
    weights = bundled("vae")
    assert weights is not None
    manifold = MaskManifold(weights, "cpu")
    maps = [face(3, number, 64, 6).labels for number in range(6)]
    kept = []
    for first, second in zip(maps, maps[1:] + maps[:1], strict=True):
        strip = list(manifold.decode(between(manifold.encode(first), manifold.encode(second), positions(8)), 64))
        leaving, nearing = ([float((mask != end).mean()) for mask in strip] for end in (first, second))
        assert leaving == sorted(leaving)
        assert nearing == sorted(nearing, reverse=True)
        kept.append(1 - leaving[0])
    assert np.mean(kept) > 0.92, "the ends nearly equal the masks"
