"""transfer: every method gives faces an attribute, for one face or a list, and records how each picture was made."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from maskgan_cli.editing.editor import Editor
from maskgan_cli.editing.masks.swap import swap_parts
from maskgan_cli.editing.methods import METHODS, Mixed, Request
from maskgan_cli.editing.transfer import PARTS_OF, known_attributes, parts_of
from maskgan_cli.errors import InputError
from maskgan_cli.files import read_image, read_label_map, sha256
from maskgan_cli.labels import ID, PARTS
from maskgan_cli.models.attributes import AttributeConfig
from maskgan_cli.models.baselines.elegant import ElegantConfig
from maskgan_cli.models.baselines.sean import SEANConfig
from maskgan_cli.models.baselines.spade import SPADEConfig
from maskgan_cli.models.baselines.stargan import StarGANConfig, StarGANGenerator
from maskgan_cli.models.dmn import Pix2PixHDmConfig
from maskgan_cli.models.layers import to_bytes, to_unit
from maskgan_cli.networks import KINDS, resolve
from maskgan_cli.weights.format import load, save_weights
from tests.conftest import Command

CONFIGS: dict[str, Any] = {
    "pix2pixhd-m": Pix2PixHDmConfig(64, 4, 2, 1, 2),
    "spade": SPADEConfig(64, 2, 4, latent=8, encoded_size=128),
    "sean": SEANConfig(64, 2, 4, 8, 2),
    "stargan": StarGANConfig(64, ("Smiling", "Male"), 4, 1),
    "elegant": ElegantConfig(64, ("Male", "Smiling"), 4),
    "attributes": AttributeConfig(("Smiling", "Male"), 32, 8, (1, 1, 1, 1)),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Untrained weights of every method."""
    folder, written = tmp_path_factory.mktemp("methods"), {}
    for kind, config in CONFIGS.items():
        torch.manual_seed(1)
        network = resolve(KINDS[kind].network)(config)
        written[kind] = save_weights(
            folder / f"{kind}.safetensors", network, kind=kind, config=asdict(config), about={}
        )
    return written


def _faces(prepared: Path) -> tuple[Path, Path]:
    return prepared / "images" / "0.png", prepared / "images" / "400.png"


def _note(path: Path) -> dict[str, Any]:
    with Image.open(path) as image:
        note: dict[str, Any] = json.loads(image.info["maskgan"])
    return note


@pytest.mark.parametrize("method", ["pix2pixhd-m", "spade", "sean", "stargan", "elegant"])
def test_a_list_is_painted_resumed_and_recorded(
    method: str, files: dict[str, Path], prepared: Path, tmp_path: Path, maskgan: Command
) -> None:
    images = [prepared / "images" / f"{i * 400}.png" for i in range(4)]
    lines = [f"{a},{b},{i}.png\n" for i, (a, b) in enumerate(itertools.pairwise(images))]
    (tmp_path / "pairs.csv").write_text("source,target,output\n" + "".join(lines))
    call = (
        "transfer",
        "--attribute",
        "Smiling",
        "--method",
        method,
        "-w",
        files[method],
        "--device",
        "cpu",
        "--pairs",
        tmp_path / "pairs.csv",
        "-o",
        tmp_path / "out",
        "--sheet",
        tmp_path / "sheet.png",
    )
    done = maskgan(*call)
    assert done.code == 0, done.err
    assert done.lines[:3] == [str(tmp_path / "out" / f"{i}.png") for i in range(3)]
    note = _note(tmp_path / "out" / "1.png")
    assert (note["edit"], note["attribute"], note["method"]) == ("transfer", "Smiling", method)
    assert note["weights"] == sha256(files[method])
    assert note["inputs"]["source"] == sha256(images[1])
    assert ("target" in note["inputs"]) == (method != "stargan")
    kept = (tmp_path / "out" / "2.png").read_bytes()
    (tmp_path / "out" / "2.png").unlink()
    assert maskgan(*call[:-2]).code == 0
    assert (tmp_path / "out" / "2.png").read_bytes() == kept
    other = maskgan(*(x if x != "Smiling" else "Male" for x in call[:-2]))
    assert other.code == 2
    assert "--overwrite" in other.err or "--attribute" in other.err


def test_mask_methods_swap_the_parts_that_show_the_attribute(
    files: dict[str, Path], prepared: Path, tmp_path: Path, maskgan: Command
) -> None:
    source, target = _faces(prepared)
    for attribute, parts in (("Smiling", ("mouth", "u_lip", "l_lip")), ("Bangs", ("hair",)), ("Big_Nose", ("nose",))):
        out = tmp_path / f"{attribute}.png"
        done = maskgan(
            "transfer",
            source,
            target,
            "--attribute",
            attribute,
            "--method",
            "spade",
            "-w",
            files["spade"],
            "--device",
            "cpu",
            "-o",
            out,
            "--save-masks",
        )
        assert done.code == 0, done.err
        before, other = (read_label_map(prepared / "masks" / f.name) for f in (source, target))
        expected = swap_parts(before, other, [ID[p] for p in parts])
        assert np.array_equal(read_label_map(out.with_suffix(".mask.png")), expected)
        assert _note(out)["parts"] == sorted(parts, key=ID.__getitem__)
    assert all(parts_of(name) for name in PARTS_OF)
    for name, shown in {
        "Eyeglasses": ["eye_g"],
        "Wearing_Hat": ["hat"],
        "Wearing_Earrings": ["ear_r"],
        "Wearing_Necklace": ["neck_l"],
        "Narrow_Eyes": ["l_eye", "r_eye"],
    }.items():
        assert parts_of(name) == tuple(ID[part] for part in shown)


def test_stargan_sets_or_clears_one_attribute_and_keeps_the_manifests_other_values(
    files: dict[str, Path], prepared: Path, tmp_path: Path, maskgan: Command
) -> None:
    source, _ = _faces(prepared)
    assert known_attributes(source) == {"Male": False, "Smiling": False}
    assert known_attributes(prepared / "images" / "400.png") == {"Male": True, "Smiling": True}
    torch.manual_seed(1)
    network = StarGANGenerator(CONFIGS["stargan"])
    image = to_unit(torch.from_numpy(read_image(source).copy()).permute(2, 0, 1)[None])
    for option, label in (((), [1.0, 0.0]), (("--remove",), [0.0, 0.0])):
        out = tmp_path / f"{len(option)}.png"
        done = maskgan(
            "transfer", source, "--method", "stargan", "-w", files["stargan"], "-o", out, "--device", "cpu", *option
        )
        assert done.code == 0, done.err
        with torch.no_grad():
            expected = to_bytes(network(image, torch.tensor([label])))[0].permute(1, 2, 0).numpy()
        assert np.abs(read_image(out).astype(int) - expected).max() <= 1
        assert _note(out)["value"] is not bool(option)


def test_without_a_manifest_a_classifier_estimates_the_attributes(
    files: dict[str, Path], prepared: Path, tmp_path: Path, maskgan: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = tmp_path / "photo.png"
    Image.fromarray(read_image(_faces(prepared)[0])).save(photo)
    call = ("transfer", photo, "--method", "stargan", "-w", files["stargan"], "--device", "cpu", "-o")
    alone = maskgan(*call, tmp_path / "a.png")
    assert alone.code == 2
    assert "expected a face whose attribute Male is known, found no label and no classifier of it" in alone.err
    monkeypatch.setenv("MASKGAN_ATTRIBUTES_WEIGHTS", str(files["attributes"]))
    labelled = maskgan(*call, tmp_path / "b.png")
    assert labelled.code == 0, labelled.err
    assert _note(tmp_path / "b.png")["attributes"] == sha256(files["attributes"])


def test_elegant_takes_the_attribute_from_the_exemplar_with_the_given_strength(
    files: dict[str, Path], prepared: Path, tmp_path: Path, maskgan: Command
) -> None:
    source, target = _faces(prepared)
    call = ("transfer", source, "--method", "elegant", "-w", files["elegant"], "--device", "cpu")
    pictures = {}
    for name, (exemplar, strength) in {"own": (source, "1"), "none": (target, "0"), "all": (target, "1")}.items():
        out = tmp_path / f"{name}.png"
        done = maskgan(*call[:2], exemplar, *call[2:], "--strength", strength, "-o", out)
        assert done.code == 0, done.err
        pictures[name] = read_image(out).astype(int)
    assert np.array_equal(pictures["own"], pictures["none"]), "a face is its own exemplar"
    assert _note(tmp_path / "all.png")["strength"] == 1.0


def test_style_is_copied_by_the_mask_methods(
    files: dict[str, Path], prepared: Path, tmp_path: Path, maskgan: Command
) -> None:
    for method in ("spade", "sean", "pix2pixhd-m"):
        out = tmp_path / f"{method}.png"
        done = maskgan(
            "style-copy", *_faces(prepared), "--method", method, "-w", files[method], "-o", out, "--device", "cpu"
        )
        assert done.code == 0, done.err
        assert (_note(out)["edit"], _note(out)["method"]) == ("style-copy", method)
    assert _note(tmp_path / "spade.png")["code"] == "mean"


def test_parts_of_the_style_are_copied_by_sean(
    files: dict[str, Path], prepared: Path, tmp_path: Path, maskgan: Command
) -> None:
    source, target = _faces(prepared)
    network, weights = load("sean", files["sean"], torch.device("cpu"))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(20)  # with the published initialisation pictures hardly differ
    visible = save_weights(tmp_path / "sean.safetensors", network, kind="sean", config=weights.config, about={})
    call = ("style-copy", source, target, "--method", "sean", "-w", visible, "--device", "cpu", "-o")
    every = ",".join(PARTS)
    for name, parts in {"all": (), "hair": ("--parts", "hair"), "every": ("--parts", every)}.items():
        done = maskgan(*call, tmp_path / f"{name}.png", *parts)
        assert done.code == 0, done.err
    assert _note(tmp_path / "hair.png")["parts"] == ["hair"]
    pictures = {name: read_image(tmp_path / f"{name}.png") for name in ("all", "hair", "every")}
    assert not np.array_equal(pictures["all"], pictures["hair"])
    assert not np.array_equal(pictures["every"], pictures["hair"])
    own = METHODS["sean"].load(visible, "cpu")
    labels = [read_label_map(prepared / "masks" / f.name) for f in (source, target)]
    faces = [read_image(f) for f in (source, target)]
    kept = Request(labels[0], labels[1], faces[1], Mixed(labels[0], faces[0], ()))
    plain = Request(labels[0], labels[0], faces[0])
    reconstructed = own.paint([kept, plain])
    assert np.array_equal(reconstructed[0], reconstructed[1]), "no part takes the other face's style"
    editor = Editor(visible, device="cpu", method="sean")
    edited = editor.style(editor.open(source), editor.open(target), "hair")
    assert np.array_equal(edited.picture, pictures["hair"])
    refused = maskgan(
        "style-copy",
        source,
        target,
        "--method",
        "spade",
        "-w",
        files["spade"],
        "--parts",
        "hair",
        "-o",
        tmp_path / "no.png",
    )
    assert refused.code == 2
    assert "--parts: expected --method sean" in refused.err


def test_contradictory_options_give_one_line(
    files: dict[str, Path], prepared: Path, tmp_path: Path, maskgan: Command
) -> None:
    source, target = _faces(prepared)
    stargan, elegant = ("--method", "stargan", "-w", files["stargan"]), ("--method", "elegant", "-w", files["elegant"])
    cases: tuple[tuple[tuple[object, ...], str], ...] = (
        (("transfer", source, target, "--attribute", "Young"), "--attribute: expected one that a mask can show: A"),
        (("transfer", source, target, "--attribute", "Young", *stargan), "these weights change: Smiling, M"),
        (("transfer", source, target, "--attribute", "Bangs", *elegant), "weights change: Male, Smiling, found B"),
        (("transfer", source, *elegant), "missing REFERENCE"),
        (("transfer", source, target, "--remove"), "--remove: expected --method stargan"),
        (("transfer", source, target, "--strength", "0.5", *stargan), "--strength: expected --method elegant"),
        (("transfer", source, target, "--save-masks", *stargan), "--save-masks: expected a method that uses masks"),
        (("transfer", source, target, "--blend", *elegant), "--blend: expected a method that uses masks"),
        (("transfer", source, target, "--method", "oil"), "expected one of dmn, pix2pixhd-m, spade, sean, stargan"),
        (("swap", source, target, *stargan), "it paints no masks: `maskgan transfer` changes attributes with it"),
        (("style-copy", source, target, *elegant), "it paints no masks"),
        (("transfer", source, target, "--method", "spade", "-w", files["stargan"]), "spade weights, found s"),
    )
    for arguments, line in cases:
        outcome = maskgan(*arguments, "-o", tmp_path / "o.png", "--device", "cpu", "-q")
        assert (outcome.code, len(outcome.err.splitlines()), line in outcome.err) == (2, 1, True), outcome.err
    assert not (tmp_path / "o.png").exists()
    with pytest.raises(InputError, match="mask can show"):
        parts_of("Blond_Hair")
