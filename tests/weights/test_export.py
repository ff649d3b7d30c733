"""Tests of ONNX export: outputs equal PyTorch's for all batch sizes, and commands can use the file alone."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from maskgan_cli.editing.dmn_method import Renderer, Request
from maskgan_cli.files import read_image, read_label_map, sha256
from maskgan_cli.models.dmn import DenseMappingNetwork, DMNConfig
from maskgan_cli.models.layers import one_hot
from maskgan_cli.models.parser import FaceParser, ParserConfig
from maskgan_cli.weights import export
from maskgan_cli.weights.card import card_path
from maskgan_cli.weights.format import load, save_weights
from tests.conftest import Command


@pytest.fixture(scope="module")
def exported(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("onnx") / "face.onnx"
    assert export.export_onnx(weights, out) < 1e-3
    return out


def _session(path: Path) -> Any:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("count", [1, 5])
def test_outputs_equal_pytorchs_for_all_batch_sizes(count: int, exported: Path, weights: Path) -> None:
    generator = torch.Generator().manual_seed(count)
    mask, style_mask = torch.randint(0, 19, (2, count, 64, 64), generator=generator, dtype=torch.uint8)
    image = torch.rand(count, 3, 64, 64, generator=generator) * 2 - 1
    named = {"mask": mask, "style_mask": style_mask, "style_image": image}
    (answer,) = _session(exported).run(["image"], {name: tensor.numpy() for name, tensor in named.items()})
    network, _ = load("dmn", weights, torch.device("cpu"))
    with torch.inference_mode():
        expected = network(one_hot(mask), one_hot(style_mask), image).numpy()
    assert answer.shape == (count, 3, 64, 64)
    assert np.abs(answer - expected).max() < 1e-3


def test_a_generator_like_the_bundled_one_is_exported(tmp_path: Path) -> None:
    """With fixed noise, a style map and skip connections."""
    torch.manual_seed(0)
    config = DMNConfig(
        image_size=64,
        width=4,
        downs=3,
        blocks=2,
        style_width=2,
        style_map=8,
        upsampling="antialiased",
        norm_limit=5,
        noise=True,
        skips=True,
    )
    network = DenseMappingNetwork(config)
    network.balance()
    save_weights(tmp_path / "dmn.safetensors", network, kind="dmn", config=asdict(config), about={})
    assert export.export_onnx(tmp_path / "dmn.safetensors", tmp_path / "exported.onnx") < 1e-3


def test_the_file_has_a_description_and_a_card(exported: Path, weights: Path) -> None:
    (entry,) = onnx.load(exported).metadata_props
    described = json.loads(entry.value)
    assert (entry.key, described["kind"], described["config"]["image_size"]) == ("maskgan", "dmn", 64)
    assert described["weights"] == sha256(weights / "model.safetensors")
    card = card_path(exported).read_text()
    assert sha256(exported) in card
    assert "Dense Mapping Network" in card
    assert [path.name for path in exported.parent.iterdir() if path.name.startswith(".")] == []


def test_render_needs_only_the_onnx_file(
    exported: Path, weights: Path, prepared: Path, tmp_path: Path, maskgan: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask, face = prepared / "masks" / "0.png", prepared / "images" / "400.png"
    labels, look = read_label_map(prepared / "masks" / "400.png"), read_image(face)
    expected = Renderer(weights, "cpu").paint([Request(read_label_map(mask), labels, look)])[0]

    def no_weights(*_: object) -> None:
        raise AssertionError("torch weights were asked for")

    monkeypatch.setattr("maskgan_cli.editing.painters.load", no_weights)
    outcome = maskgan("render", mask, face, "--onnx", exported, "-o", tmp_path / "o.png", "--device", "cpu")
    assert outcome.code == 0, outcome.err
    assert f"rendering at 64 px with {exported} (given by option)" in outcome.err.replace("\n", "")
    painted = read_image(tmp_path / "o.png")
    assert np.abs(painted.astype(int) - expected).max() <= 1, "rounding may fall the other way"
    swapped = maskgan("swap-mouth", prepared / "images" / "0.png", face, "-w", exported, "-o", tmp_path / "s.png")
    assert swapped.code == 0, swapped.err


def test_files_of_other_networks_are_one_line(exported: Path, prepared: Path, tmp_path: Path, maskgan: Command) -> None:
    (tmp_path / "text.onnx").write_text("hello")
    nameless = onnx.load(exported)
    del nameless.metadata_props[:]
    onnx.save(nameless, tmp_path / "nameless.onnx")
    for name, about in {
        "nested": "[" * 100_000,
        "null": "null",
        "bare": '{"kind": "dmn"}',
        "vast": '{"kind": "dmn", "config": {"image_size": 32000}}',
        "vae": '{"kind": "vae", "config": {}}',
    }.items():
        del nameless.metadata_props[:]
        onnx.helper.set_model_props(nameless, {"maskgan": about})
        onnx.save(nameless, tmp_path / f"{name}.onnx")
    nameless.graph.input[0].name = "wig"
    onnx.save(nameless, tmp_path / "renamed.onnx")
    broken = onnx.load(exported)
    for number in broken.graph.initializer:
        if number.data_type == onnx.TensorProto.FLOAT and len(number.dims) == 4:
            values = np.full(tuple(number.dims), np.nan, np.float32)
            number.CopyFrom(onnx.numpy_helper.from_array(values, number.name))
    onnx.save(broken, tmp_path / "nan.onnx")
    whole = exported.read_bytes()
    (tmp_path / "half.onnx").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "deep.onnx").write_bytes(b"\x3a\xff\xff\xff\xff\x0f" * 100_000)
    cases: dict[str, tuple[object, ...]] = {
        "text.onnx: expected a network as ONNX": (tmp_path / "text.onnx",),
        "nameless.onnx: expected a Dense Mapping Network exported by": (tmp_path / "nameless.onnx",),
        **{
            f"{name}.onnx: expected a Dense Mapping Network exported by": (tmp_path / f"{name}.onnx",)
            for name in ("nested", "null", "bare", "vae", "nan")
        },
        "vast.onnx: expected the settings of a dmn, found image_size": (tmp_path / "vast.onnx",),
        **{
            f"{name}.onnx: expected a network as ONNX": (tmp_path / f"{name}.onnx",)
            for name in ("half", "deep", "renamed")
        },
        "none.onnx: expected a network as ONNX, found no such file": (tmp_path / "none.onnx",),
        "--onnx: expected a file whose name ends in .onnx": (tmp_path / "w.safetensors",),
        "--device: expected auto or cpu": (exported, "--device", "mps"),
    }
    for message, (file, *rest) in cases.items():
        outcome = maskgan(
            "render",
            prepared / "masks" / "0.png",
            prepared / "images" / "0.png",
            "--onnx",
            file,
            *rest,
            "-o",
            tmp_path / "o.png",
            "-q",
        )
        assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1), outcome.err
        assert message in outcome.err
        assert not (tmp_path / "o.png").exists()


def test_the_parser_is_exported_and_other_kinds_are_not(vae_weights: Path, tmp_path: Path, maskgan: Command) -> None:
    config = ParserConfig(64, 4)
    parser = FaceParser(config).eval()
    file = save_weights(tmp_path / "p.safetensors", parser, kind="parser", config=asdict(config), about={})
    outcome = maskgan("weights", "export", file, "--onnx", tmp_path / "parser.onnx", "--json")
    assert outcome.code == 0, outcome.err
    document = json.loads(outcome.out)
    assert document["difference"] < 1e-3
    assert document["written"] == [str(tmp_path / "parser.onnx"), str(tmp_path / "parser.md")]
    image = torch.rand(4, 3, 64, 64) * 2 - 1
    (logits,) = _session(tmp_path / "parser.onnx").run(["logits"], {"image": image.numpy()})
    with torch.inference_mode():
        assert np.abs(logits - parser(image).numpy()).max() < 1e-3
    for arguments, message in (
        ((file, "--onnx", tmp_path / "parser.onnx"), "add --overwrite"),
        ((vae_weights, "--onnx", tmp_path / "vae.onnx"), "expected weights of one of the kinds dmn, parser, "),
        ((file, "--onnx", tmp_path / "p.bin"), "a name ending in .onnx"),
        (
            (tmp_path / "none", "--onnx", tmp_path / "n.onnx"),
            "none: expected weights written by maskgan, found",
        ),
    ):
        outcome = maskgan("weights", "export", *arguments)
        assert (outcome.code, message in outcome.err) == (2, True), outcome.err
    assert not [path for path in tmp_path.iterdir() if path.name in ("vae.onnx", "p.bin", "n.onnx")]


def test_a_difference_in_the_output_leaves_no_file(
    tmp_path: Path, maskgan: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wrong(torch.nn.Module):
        """Its output changes after the export."""

        def __init__(self, network: FaceParser) -> None:
            super().__init__()
            self.network = network

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            logits: torch.Tensor = self.network(image)
            return logits + 0.01 if torch.compiler.is_exporting() else logits

    config = ParserConfig(32, 1)
    file = save_weights(tmp_path / "p.safetensors", FaceParser(config), kind="parser", config=asdict(config), about={})
    monkeypatch.setattr(export, "PARSER", export.Portable(Wrong, ("image",), "logits"))
    outcome = maskgan("weights", "export", file, "--onnx", tmp_path / "out" / "wrong.onnx")
    assert outcome.code == 1
    assert "onnxruntime's output differs from PyTorch's by 0.01" in outcome.err
    assert list((tmp_path / "out").iterdir()) == []
