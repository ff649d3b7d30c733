"""Tests of the editing commands from the command line."""

from __future__ import annotations

import io
import itertools
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import save_file
from torch import zeros

from maskgan_cli.editing.dmn_method import Renderer, Request
from maskgan_cli.files import read_image, read_label_map, sha256, write_image, write_label_map
from maskgan_cli.labels import ID, part_ids
from maskgan_cli.models.dmn import DenseMappingNetwork, DMNConfig
from maskgan_cli.weights.format import save_weights
from tests.conftest import Command


@pytest.fixture
def faces(prepared: Path) -> tuple[Path, Path]:
    return prepared / "images" / "0.png", prepared / "images" / "400.png"


@pytest.fixture
def cpu(weights: Path) -> tuple[str, ...]:
    return ("--weights", str(weights), "--device", "cpu")


def test_swap_mouth_renders_the_face_with_the_references_mouth(
    faces: tuple[Path, Path], weights: Path, cpu: tuple[str, ...], prepared: Path, tmp_path: Path, maskgan: Command
) -> None:
    out = tmp_path / "out.png"
    outcome = maskgan("swap-mouth", *faces, "-o", out, "--save-masks", *cpu)
    assert outcome.code == 0
    assert outcome.lines == [str(out), str(tmp_path / "out.mask.png")]
    source, target = (read_label_map(prepared / "masks" / f.name) for f in faces)
    asked = read_label_map(tmp_path / "out.mask.png")
    mouth = part_ids("mouth")
    assert (np.isin(asked, mouth) == np.isin(target, mouth)).all()
    assert (
        asked[~np.isin(source, mouth) & ~np.isin(target, mouth)]
        == source[~np.isin(source, mouth) & ~np.isin(target, mouth)]
    ).all()
    request = Request(asked, source, read_image(faces[0]))
    assert (read_image(out) == Renderer(weights, "cpu").paint([request])[0]).all(), "the look is the source's"


def test_swap_with_parts_mouth_is_swap_mouth(
    faces: tuple[Path, Path], cpu: tuple[str, ...], tmp_path: Path, maskgan: Command
) -> None:
    maskgan("swap-mouth", *faces, "-o", tmp_path / "a.png", *cpu)
    maskgan("swap", *faces, "--parts", "mouth", "-o", tmp_path / "b.png", *cpu)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_style_copy_and_render_agree(
    faces: tuple[Path, Path], cpu: tuple[str, ...], prepared: Path, tmp_path: Path, maskgan: Command
) -> None:
    source, target = faces
    maskgan("style-copy", source, target, "-o", tmp_path / "a.png", *cpu)
    maskgan("render", prepared / "masks" / source.name, target, "-o", tmp_path / "b.png", *cpu)
    assert (read_image(tmp_path / "a.png") == read_image(tmp_path / "b.png")).all()


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (["--add", "moustache"], "accessory: expected glasses or hat"),
        (["--hair-reference", "REF"], "--hair-reference: expected an edit with --blend and --edge move"),
        (["--blend", "--edge", "soft", "--hair-reference", "REF"], "found --edge soft"),
        (["--blend", "--hair-reference", "nowhere.png"], "nowhere.png"),
    ],
)
def test_render_says_what_accessories_and_hair_need(
    given: list[str],
    line: str,
    faces: tuple[Path, Path],
    cpu: tuple[str, ...],
    prepared: Path,
    tmp_path: Path,
    maskgan: Command,
) -> None:
    source, reference = faces
    words = [reference if word == "REF" else word for word in given]
    outcome = maskgan("render", prepared / "masks" / source.name, source, *words, "-o", tmp_path / "out.png", *cpu)
    assert outcome.code == 2 and line in outcome.err, outcome.err
    assert outcome.err.count("maskgan: ") == 1
    assert not (tmp_path / "out.png").exists()


def test_blend_keeps_pixels_away_from_the_edit(
    cpu: tuple[str, ...], raw: Path, tmp_path: Path, maskgan: Command
) -> None:
    maskgan("prep-data", raw, tmp_path / "data", "--size", 128, "--workers", 1)
    images = tmp_path / "data" / "images"
    out = tmp_path / "out.png"
    outcome = maskgan(
        "swap-mouth", images / "0.png", images / "400.png", "-o", out, "--blend", "--softness", 0.05, *cpu
    )
    assert outcome.code == 0
    source, result = read_image(images / "0.png"), read_image(out)
    assert result.shape == source.shape == (128, 128, 3)
    assert (result[:40] == source[:40]).all()
    assert (result != source).any()


def test_edits_of_photos_are_pasted_and_edits_of_prepared_faces_are_not(
    faces: tuple[Path, Path], cpu: tuple[str, ...], tmp_path: Path, maskgan: Command
) -> None:
    photo = tmp_path / "photo.png"
    shutil.copy(faces[0], photo)
    shutil.copy(faces[0].parent.parent / "masks" / faces[0].name, tmp_path / "photo.mask.png")

    def swap(source: Path, *options: object) -> np.ndarray:
        outcome = maskgan("swap-mouth", source, faces[1], "-o", tmp_path / "o.png", "--overwrite", *options, *cpu)
        assert outcome.code == 0, outcome.err
        return read_image(tmp_path / "o.png")

    bare, pasted = swap(faces[0]), swap(photo)
    assert (bare != pasted).any()
    assert (pasted[:20] == read_image(photo)[:20]).all()
    assert (swap(photo, "--no-blend") == bare).all()
    assert (swap(faces[0], "--blend") == pasted).all()
    soft = swap(faces[0], "--blend", "--edge", "soft")
    assert (soft != pasted).any()
    assert (swap(faces[0], "--blend", "--softness", 0.05) == soft).all(), "a softness asks for the soft edge"
    assert (swap(faces[0], "--softness", 0.05) == bare).all()
    outcome = maskgan("swap-mouth", photo, faces[1], "--edge", "seamless", "--softness", 0.1, *cpu)
    assert (outcome.code, "--softness: expected --edge soft, found" in outcome.err) == (2, True)


def test_pairs_from_a_file_or_stdin_give_the_same_results_for_all_batch_sizes(
    cpu: tuple[str, ...], prepared: Path, tmp_path: Path, maskgan: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [prepared / "images" / f"{i * 400}.png" for i in range(6)]
    lines = [f"{a},{b}" for a, b in itertools.pairwise(images)]
    table = "yaw_distance,target,source,output\n" + "\n".join(
        f"0.1,{b},{a},{i}.png" for i, (a, b) in enumerate(itertools.pairwise(images))
    )
    (tmp_path / "pairs.csv").write_text(table)
    first = maskgan("swap-mouth", "--pairs", tmp_path / "pairs.csv", "-o", tmp_path / "a", "--batch-size", 2, *cpu)
    assert first.lines == [str(tmp_path / "a" / f"{i}.png") for i in range(5)]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(lines) + "\n"))
    second = maskgan("swap-mouth", "--pairs", "-", "-o", tmp_path / "b", "--batch-size", 1, "--json", *cpu)
    records = json.loads(second.out)["results"]
    assert records[0]["image"] == str(tmp_path / "b" / "0__400.png")
    for i, record in enumerate(records):
        a, b = read_image(tmp_path / "a" / f"{i}.png"), read_image(record["image"])
        assert np.abs(a.astype(int) - b).max() <= 1, "batching may round differently, no more"


def test_an_interrupted_list_resumes_and_other_files_are_not_replaced(
    cpu: tuple[str, ...], prepared: Path, tmp_path: Path, maskgan: Command
) -> None:
    images = [prepared / "images" / f"{i * 400}.png" for i in range(4)]
    (tmp_path / "pairs.txt").write_text("".join(f"{a}\t{b}\n" for a, b in itertools.pairwise(images)))
    call = ("swap-mouth", "--pairs", tmp_path / "pairs.txt", "-o", tmp_path / "out", *cpu)
    done = maskgan(*call)
    kept, again = Path(done.lines[0]), Path(done.lines[1])
    time, before = kept.stat().st_mtime_ns, again.read_bytes()
    again.unlink()
    assert maskgan(*call).lines == done.lines
    assert kept.stat().st_mtime_ns == time
    assert again.read_bytes() == before
    outcome = maskgan("swap", "--parts", "nose", *call[1:])
    assert outcome.code == 2
    assert "--overwrite" in outcome.err
    assert maskgan("swap", "--parts", "nose", *call[1:], "--overwrite").code == 0


def test_results_store_the_hashes_of_weights_and_inputs(
    faces: tuple[Path, Path], weights: Path, cpu: tuple[str, ...], tmp_path: Path, maskgan: Command
) -> None:
    maskgan("swap-mouth", *faces, "-o", tmp_path / "out.png", *cpu)
    with Image.open(tmp_path / "out.png") as image:
        note = json.loads(image.info["maskgan"])
    assert note["weights"] == sha256(weights / "model.safetensors")
    assert note["inputs"]["source"] == sha256(faces[0])
    assert note["parts"] == ["mouth", "u_lip", "l_lip"]


def test_a_sheet_shows_inputs_mask_and_result(
    faces: tuple[Path, Path], cpu: tuple[str, ...], tmp_path: Path, maskgan: Command
) -> None:
    outcome = maskgan("swap-mouth", *faces, "-o", tmp_path / "o.png", "--sheet", tmp_path / "s.png", *cpu)
    assert outcome.lines == [str(tmp_path / "o.png"), str(tmp_path / "s.png")]
    assert read_image(tmp_path / "s.png").shape == (128, 4 * 128, 3)


def test_bad_input_is_one_line_and_leaves_no_files(
    faces: tuple[Path, Path], weights: Path, cpu: tuple[str, ...], tmp_path: Path, maskgan: Command
) -> None:
    source, target = faces
    labels = read_label_map(source.parent.parent / "masks" / source.name)
    bad = tmp_path / "bad"
    bad.mkdir()
    Image.fromarray(read_image(source)).save(bad / "whole.jpg")
    (bad / "truncated.jpg").write_bytes((bad / "whole.jpg").read_bytes()[:700])
    wrong = labels.copy()
    wrong[0, 0] = ID["cloth"] + 1
    Image.fromarray(wrong).save(bad / "nineteen.png")
    Image.fromarray(labels.astype(np.uint16)).save(bad / "deep.png")
    write_label_map(bad / "small.png", labels[:32, :32])
    (bad / "text.png").write_text("hello")
    (bad / "oblong.png").write_bytes(b"")
    write_image(bad / "oblong.png", read_image(source)[:40])
    shutil.copy(source, bad / "alone.png")
    save_weights(
        bad / "vae.safetensors", DenseMappingNetwork(DMNConfig(64, 4, 2, 1, 2)), kind="vae", config={}, about={}
    )
    save_file({"a": zeros(1)}, bad / "nameless.safetensors")
    save_weights(
        bad / "other.safetensors",
        DenseMappingNetwork(DMNConfig(64, 4, 2, 1, 2)),
        kind="dmn",
        config={"image_size": 64, "width": 4, "downs": 2, "blocks": 2, "style_width": 2},
        about={},
    )
    (bad / "damaged.safetensors").write_bytes((weights / "model.safetensors").read_bytes()[:1000])
    out = tmp_path / "out" / "o.png"
    mask = ("--src-mask", source.parent.parent / "masks" / source.name)
    cases: dict[str, tuple[object, ...]] = {
        "truncated.jpg: expected a picture, found": (bad / "truncated.jpg", target, *mask, *cpu),
        "nineteen.png: expected class ids 0 to 18, found value 19": (
            source,
            target,
            "--src-mask",
            bad / "nineteen.png",
            *cpu,
        ),
        "deep.png: expected an 8-bit label map, found a 16-bit": (source, target, "--src-mask", bad / "deep.png", *cpu),
        "small.png: expected a mask of its image's size 64x64, found 32x32": (
            source,
            target,
            "--src-mask",
            bad / "small.png",
            *cpu,
        ),
        "text.png: expected a picture (PNG, JPEG, WebP, BMP, TIFF or GIF), found a file that is no picture": (
            bad / "text.png",
            target,
            *mask,
            *cpu,
        ),
        "expected a mask of its image's size 64x40, found 64x64": (bad / "oblong.png", target, *mask, *cpu),
        "nowhere: expected parser weights, found no such file": (
            bad / "alone.png",
            target,
            *cpu,
            "--parser-weights",
            "nowhere",
        ),
        "none.png: expected a picture, found no such file": (bad / "none.png", target, *mask, *cpu),
        "nowhere: expected dmn weights, found no such file": (source, target, "--weights", bad / "nowhere"),
        "vae.safetensors: expected dmn weights, found vae weights": (
            source,
            target,
            "--weights",
            bad / "vae.safetensors",
        ),
        "nameless.safetensors: expected dmn weights written by maskgan": (
            source,
            target,
            "--weights",
            bad / "nameless.safetensors",
        ),
        "other.safetensors: expected the tensors of DenseMappingNetwork, found missing": (
            source,
            target,
            "--weights",
            bad / "other.safetensors",
        ),
        "damaged.safetensors: expected dmn weights": (source, target, "--weights", bad / "damaged.safetensors"),
        "bad: expected a run folder with model.safetensors": (source, target, "--weights", bad),
        "--device: expected one of cpu": (source, target, "--weights", weights, "--device", "cuda:7"),
        "--device: expected auto, cpu, cuda": (source, target, "--weights", weights, "--device", "tpu"),
    }
    for message, arguments in cases.items():
        outcome = maskgan("swap-mouth", *arguments, "-o", out, "-q")
        assert (outcome.code, outcome.out) == (2, ""), message
        assert len(outcome.err.splitlines()) == 1, outcome.err
        assert message in outcome.err, outcome.err
        assert not out.parent.exists() or not list(out.parent.iterdir()), message


def test_unwritable_and_existing_outputs_are_rejected(
    faces: tuple[Path, Path], cpu: tuple[str, ...], tmp_path: Path, maskgan: Command
) -> None:
    (tmp_path / "file").write_text("precious")
    for out, message in (
        (tmp_path / "file" / "o.png", "a place that can be written"),
        (tmp_path / "o.xyz", "expected a name ending in one of"),
        (tmp_path / "file.png", "a result that exists already"),
    ):
        if out.name == "file.png":
            out.write_text("precious")
        outcome = maskgan("swap-mouth", *faces, "-o", out, "-q", *cpu)
        assert (outcome.code, message in outcome.err) == (2, True), outcome.err
    assert (tmp_path / "file.png").read_text() == "precious"


def test_a_single_result_can_be_written_to_a_folder(
    faces: tuple[Path, Path], cpu: tuple[str, ...], tmp_path: Path, maskgan: Command
) -> None:
    name = f"{faces[0].stem}__{faces[1].stem}.png"
    for again in ("", "kept 1 existing result"):
        outcome = maskgan("swap-mouth", *faces, "-o", f"{tmp_path / 'new'}/", *cpu)
        assert outcome.lines == [str(tmp_path / "new" / name)], outcome.err
        assert again in outcome.err
    (tmp_path / "plain").write_text("precious")
    outcome = maskgan("swap-mouth", *faces, "-o", tmp_path / "plain", *cpu, "-q")
    assert (outcome.code, (tmp_path / "plain").read_text()) == (2, "precious")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected lines of source, target, found nothing"),
        ("source,target\n", "found a header and nothing else"),
        ("a.png\n", "line 1: expected source, target, found no target"),
        ("source,target,output\na/x.png,y.png,o.png\nb/x.png,z.png,o.png\n", "pair 1 and pair 2 both writing it"),
    ],
)
def test_lists_of_pairs_are_checked(
    text: str, message: str, cpu: tuple[str, ...], tmp_path: Path, maskgan: Command
) -> None:
    (tmp_path / "pairs.csv").write_text(text)
    outcome = maskgan("swap-mouth", "--pairs", tmp_path / "pairs.csv", "-o", tmp_path / "out", *cpu)
    assert outcome.code == 2
    assert message in outcome.err
