"""Tests of the import of published checkpoints: all tensors are converted exactly, or no file is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from maskgan_cli.files import sha256
from maskgan_cli.judges.identity import load_identity
from maskgan_cli.judges.inception import Inception
from maskgan_cli.judges.parser import load_parser
from maskgan_cli.judges.pose import load_pose
from maskgan_cli.models import layers
from maskgan_cli.models.arcface import ArcFaceConfig, IResNet
from maskgan_cli.models.dmn import DMNConfig
from maskgan_cli.models.hopenet import HopeNet, HopeNetConfig
from maskgan_cli.models.inception import FIDInception
from maskgan_cli.models.layers import one_hot
from maskgan_cli.models.perceptual import VGG19Features
from maskgan_cli.networks import KINDS, resolve
from maskgan_cli.training.perceptual_features import PerceptualSettings, feature_network
from maskgan_cli.weights.convert import convert, import_weights
from maskgan_cli.weights.format import load, published_sha256, read_weights, shapes_of
from tests.conftest import Command
from tests.layouts import layout
from tests.models import test_alpha_blender, test_dmn, test_mask_vae
from tests.weights.checkpoints import (
    Tensors,
    filled,
    paint_by_their_names,
    parse_by_their_names,
    published,
    saved,
    small_generator_shapes,
)

SMALL = small_generator_shapes()


def _modules(names: dict[str, str]) -> Any:
    """Map a published tensor name to the project's, given a map of module paths."""

    def translate(name: str) -> str | None:
        module, _, tensor = name.rpartition(".")
        return f"{names[module]}.{tensor}" if module in names else None

    return translate


def _discriminator(name: str) -> str:
    scale, layer, tensor = name[5], name[12], name.rpartition(".")[2]
    return f"scales.{1 - int(scale)}.layers.{layer}{'' if layer == '4' else '.0'}.{tensor}"


def _parser(name: str) -> str:
    for theirs, ours in {
        "up_concat": "UP.",
        "center": "bottom",
        "final": "head",
        ".conv1.0.": ".0.",
        ".conv1.1.": ".1.",
        ".conv2.0.": ".3.",
        ".conv2.1.": ".4.",
    }.items():
        name = name.replace(theirs, ours)
    for i in range(4):
        name = name.replace(f"UP.{4 - i}", f"up.{i}")
        name = f"down.{i}" + name.removeprefix(f"conv{i + 1}") if name.startswith(f"conv{i + 1}") else name
    return name


# Layout file -> kind, their name -> ours (None: dropped), written down apart from the package's own maps.
CASES = {
    "official_netG": ("dmn", _modules(test_dmn.OFFICIAL)),
    "official_netD": ("discriminator", _discriminator),
    "official_netB": ("blender", _modules(test_alpha_blender.OFFICIAL)),
    "official_vae": ("vae", _modules(test_mask_vae.OFFICIAL)),
    "official_unet": ("parser", _parser),
    "hopenet_resnet50": ("pose", lambda name: None if name.startswith("fc_finetune") else name),
    "arcface_iresnet18": ("identity", lambda name: name),
    "arcface_iresnet50": ("identity", lambda name: name),
}
LARGE = ("official_netG", "official_vae", "arcface_iresnet50")  # hundreds of megabytes, written twice


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in LARGE)) for n in CASES])
def test_every_layout_is_imported_exactly(name: str, tmp_path: Path) -> None:
    kind, translate = CASES[name]
    theirs = published(name)
    file = saved(theirs, tmp_path / "checkpoint.pth")
    said: list[str] = []
    out = import_weights(kind, file, tmp_path / "out.safetensors", say=said.append)
    file.unlink()
    read = read_weights(out, kind)
    expected = {ours: tensor for key, tensor in theirs.items() if (ours := translate(key)) is not None}
    assert read.tensors.keys() == expected.keys()
    for ours, tensor in expected.items():
        assert read.tensors[ours].dtype == tensor.dtype
        assert torch.equal(read.tensors[ours], tensor), ours
    dropped = len(theirs) - len(expected)
    assert bool(said) == bool(dropped), "what is dropped is said"
    assert json.loads(json.dumps(resolve(KINDS[kind].layout).settings({}))) | DEEPER.get(name, {}) == read.config


DEEPER = {"arcface_iresnet50": {"blocks": [3, 4, 14, 3]}}


def test_files_of_torchvision_and_pytorch_fid(tmp_path: Path) -> None:
    with torch.device("meta"):
        from torchvision.models import inception_v3, resnet18, vgg19

        networks = {
            "vgg19": vgg19(),
            "resnet18": resnet18(),
            "inception": inception_v3(weights=None, num_classes=1008, aux_logits=False, init_weights=False),
        }
    for kind, network in networks.items():
        theirs = filled(
            {name: tuple(t.shape) for name, t in network.state_dict().items() if not name.startswith("classifier")}
        )
        converted = convert(KINDS[kind], saved(theirs, tmp_path / "f.pth"), {})
        ours = converted.network.state_dict()
        left_out = theirs.keys() - ours.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
        expected = {
            "vgg19": {f"features.{i}.{kind}" for i in (30, 32, 34) for kind in ("weight", "bias")},
            "resnet18": {"fc.weight", "fc.bias"},
            "inception": {"fc.weight", "fc.bias"},
        }
        assert left_out == expected[kind]


def test_the_imported_vgg_serves_the_perceptual_loss_by_path_and_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKGAN_CACHE", str(tmp_path / "cache"))
    theirs = filled({name: tuple(t.shape) for name, t in VGG19Features().state_dict().items()})
    file = saved({**theirs, "classifier.0.weight": torch.zeros(2, 2)}, tmp_path / "vgg19.pth")
    out = import_weights("vgg19", file)
    assert out == tmp_path / "cache" / "weights" / "vgg19.safetensors"
    image = torch.rand(1, 3, 32, 32) * 2 - 1
    outputs = []
    for settings in (PerceptualSettings(weights=file), PerceptualSettings(weights=out), PerceptualSettings()):
        network, _ = feature_network(settings)
        assert network is not None
        outputs.append(network(image))
    for other in outputs[1:]:
        assert all(torch.equal(a, b) for a, b in zip(outputs[0], other, strict=True))


def test_imported_evaluation_networks_work(tmp_path: Path) -> None:
    small: dict[str, torch.nn.Module] = {
        "hopenet": HopeNet(HopeNetConfig(width=8, blocks=(1, 1, 1, 1), bins=66)),
        "arcface": IResNet(ArcFaceConfig(blocks=(1, 1, 1, 1), width=8, embedding=16, image_size=32)),
    }
    pictures = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    cpu = torch.device("cpu")
    outputs = {}
    for kind, network in small.items():
        file = saved(filled(shapes_of(network.state_dict())), tmp_path / f"{kind}.pth")
        import_weights(kind, file, tmp_path / f"{kind}.safetensors")
    import_weights("parser", saved(published("official_unet"), tmp_path / "p.pth"), tmp_path / "parser.safetensors")
    outputs = {
        "angles": load_pose(tmp_path / "hopenet.safetensors", cpu)(pictures),
        "embeddings": load_identity(tmp_path / "arcface.safetensors", cpu)(pictures),
        "labels": load_parser(tmp_path / "parser.safetensors", cpu)(pictures),
    }
    assert {name: tuple(x.shape) for name, x in outputs.items()} == {
        "angles": (2, 3),
        "embeddings": (2, 16),
        "labels": (2, 64, 64),
    }
    assert outputs["angles"].abs().max() <= 99
    torch.testing.assert_close(outputs["embeddings"].norm(dim=1), torch.ones(2))


def test_an_imported_inception_keeps_the_name_fid_and_gives_the_same_features(tmp_path: Path) -> None:
    theirs = filled(shapes_of(FIDInception().state_dict()))
    file = saved({**theirs, "fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}, tmp_path / "i.pth")
    out = import_weights("inception", file, tmp_path / "i.safetensors")
    assert published_sha256(out) == published_sha256(file) == sha256(file) != sha256(out)
    picture = torch.randint(0, 256, (1, 3, 299, 299), dtype=torch.uint8)
    first, second = (Inception(path, torch.device("cpu")).features(picture) for path in (file, out))
    assert torch.equal(first, second)


def test_the_imported_generator_agrees_with_the_reference(tmp_path: Path) -> None:
    theirs = filled(SMALL)
    network = convert(KINDS["dmn"], saved(theirs, tmp_path / "netG.pth"), {"image_size": 64}).network.eval()
    masks, image = one_hot(torch.randint(0, 19, (4, 64, 64))).double(), torch.rand(2, 3, 64, 64).double() * 2 - 1
    with torch.no_grad():
        ours = network.double()(masks[:2], masks[2:], image)
        theirs = {name: tensor.double() for name, tensor in theirs.items()}
        expected = paint_by_their_names(theirs, masks[:2], masks[2:], image)
    assert expected.std() > 0.05
    torch.testing.assert_close(ours, expected, atol=1e-9, rtol=1e-9)


def test_the_imported_parser_agrees_with_the_reference(tmp_path: Path) -> None:
    theirs = published("official_unet")
    network = convert(KINDS["parser"], saved(theirs, tmp_path / "unet.pth"), {}).network.eval()
    image = torch.rand(1, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        torch.testing.assert_close(network(image), parse_by_their_names(theirs, image), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("size", [64, pytest.param(256, marks=pytest.mark.slow)])
def test_the_imported_generators_picture_does_not_depend_on_its_batch(size: int, tmp_path: Path) -> None:
    # Filled as training starts, N(0, 0.02): numbers a network has, so that rounding stays rounding.
    theirs = filled(SMALL if size == 64 else layout("official_netG"), deviation=0.02)
    out = import_weights(
        "generator", saved(theirs, tmp_path / "g.pth"), tmp_path / "g.safetensors", unsaid={"image_size": size}
    )
    network, _ = load("dmn", out, torch.device("cpu"))
    generator = torch.Generator().manual_seed(3)
    mask = one_hot(torch.randint(0, 19, (3, size, size), generator=generator))
    image = torch.rand(3, 3, size, size, generator=generator) * 2 - 1
    with torch.inference_mode():
        together = network(mask, mask.flip(0), image)
        for i in range(3):
            alone = network(mask[i : i + 1], mask.flip(0)[i : i + 1], image[i : i + 1])
            assert (alone - together[i : i + 1]).abs().max() <= 1e-5


def test_adain_takes_bias_before_weight_layer_by_layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = filled(small_generator_shapes(width=2, downs=2, blocks=3))
    theirs["enc_style.model_last.1.weight"].zero_()
    theirs["enc_style.model_last.1.bias"] = torch.arange(3 * 4 * 8.0)  # every parameter a constant of its own
    network = convert(KINDS["dmn"], saved(theirs, tmp_path / "g.pth"), {"image_size": 64}).network
    seen: list[tuple[list[float], list[float]]] = []
    plain = layers.adaptive_instance_norm

    def watched(features: Tensor, bias: Tensor, weight: Tensor, limit: float = 0.0) -> Tensor:
        seen.append((bias[0].tolist(), weight[0].tolist()))
        return plain(features, bias, weight, limit)

    monkeypatch.setattr(layers, "adaptive_instance_norm", watched)
    mask = one_hot(torch.zeros(1, 64, 64, dtype=torch.uint8))
    with torch.no_grad():
        network(mask, mask, torch.zeros(1, 3, 64, 64))
    constants = [[float(8 * i + c) for c in range(8)] for i in range(12)]
    assert seen == [(constants[2 * i], constants[2 * i + 1]) for i in range(6)]


def test_prefixes_wrappers_and_missing_counters_are_handled(tmp_path: Path) -> None:
    small = HopeNet(HopeNetConfig(width=8, blocks=(1, 1, 1, 1), bins=5))
    shapes = {name: tuple(tensor.shape) for name, tensor in small.state_dict().items()}
    plain = filled(shapes)
    old = {name: tensor for name, tensor in plain.items() if not name.endswith("num_batches_tracked")}
    variants: dict[str, object] = {
        "plain": plain,
        "parallel": {f"module.{name}": tensor for name, tensor in plain.items()},
        "wrapped": {"epoch": 3, "state_dict": {f"module.{name}": tensor for name, tensor in plain.items()}},
        "twice": {"model": {"state_dict": plain}, "optimizer": {"state": {}}},
        "old": old,
    }
    for name, variant in variants.items():
        converted = convert(KINDS["pose"], saved(variant, tmp_path / f"{name}.pkl"), {})
        ours = converted.network.state_dict()
        expected = {**plain, **{k: torch.tensor(0) for k in plain if name == "old" and k not in old}}
        assert all(torch.equal(ours[key], expected[key]) for key in expected), name
        assert converted.settings["blocks"] == (1, 1, 1, 1)
        assert converted.settings["width"] == 8
        said = {"parallel": 1, "wrapped": 2, "twice": 2, "old": 1}
        assert len(converted.remarks) == said.get(name, 0), converted.remarks


@pytest.mark.parametrize(
    ("variant", "words"),
    [
        (lambda plain: {"global_step": 9, "state_dict_backbone": plain}, "'state_dict_backbone'"),
        (lambda plain: {"backbone": plain, "head": {"weight": torch.ones(2)}}, "'backbone'"),
        (lambda plain: {f"backbone.{name}": tensor for name, tensor in plain.items()}, "'backbone.'"),
        (
            lambda plain: {
                "state_dict": {f"module.backbone.{name}": tensor for name, tensor in plain.items()}
                | {"module.head.weight": torch.ones(4, 2)}
            },
            "'backbone.'",
        ),
        (lambda plain: {f"_orig_mod.{name}": tensor for name, tensor in plain.items()}, "'_orig_mod.'"),
    ],
)
def test_arcface_inside_a_training_checkpoint(variant: Any, words: str, tmp_path: Path) -> None:
    small = IResNet(ArcFaceConfig((1, 1, 1, 1), 8, 16, 32))
    plain = filled({name: tuple(tensor.shape) for name, tensor in small.state_dict().items()})
    converted = convert(KINDS["identity"], saved(variant(plain), tmp_path / "a.pt"), {})
    ours = converted.network.state_dict()
    assert all(torch.equal(ours[key], plain[key]) for key in plain)
    assert words in " ".join(converted.remarks)


def _without(tensors: Tensors, name: str) -> Tensors:
    return {key: tensor for key, tensor in tensors.items() if key != name}


def test_a_wrong_file_gives_one_line_with_the_tensors_and_no_output(tmp_path: Path, maskgan: Command) -> None:
    good = filled(SMALL)
    wrong: dict[str, tuple[object, str, str]] = {
        "missing": (_without(good, "model.1.bias"), "generator", "found missing model.1.bias"),
        "extra": ({**good, "model.99.weight": torch.zeros(1)}, "generator", "found extra model.99.weight"),
        "shape": ({**good, "model.4.bias": torch.zeros(3)}, "generator", "model.4.bias of shape (3,) instead of (8,)"),
        "gap": (_without(good, "enc_style.model.0.conv.weight"), "generator", "missing enc_style.model.0.conv.weight"),
        "other": (published("official_netB"), "generator", "of shape (32, 6, 7, 7) instead of (64, 19, 7, 7)"),
        "parser": (good, "parser", "the tensors of the face parser of MaskGAN's authors (U-Net), found missing conv1"),
        "discriminator": (good, "discriminator", "found missing scale1_layer0.0.weight"),
        "empty": ({}, "vae", "found a file without a plain state dict"),
        "numbers": ({"a": 1.0}, "arcface", "found a file without a plain state dict"),
        "code": (Path("x"), "hopenet", "files with code are not read"),
    }
    out = tmp_path / "out" / "w.safetensors"
    for name, (content, kind, message) in wrong.items():
        outcome = maskgan("weights", "import", kind, saved(content, tmp_path / f"{name}.pth"), "-o", out)
        assert (outcome.code, outcome.out) == (2, ""), name
        assert len(outcome.err.splitlines()) == 1, outcome.err
        assert message in outcome.err, outcome.err
        assert not out.parent.exists(), name
    damaged = tmp_path / "damaged.pth"
    damaged.write_bytes((tmp_path / "missing.pth").read_bytes()[:5000])
    for file, kind, message in (
        (damaged, "generator", "damaged.pth: expected weights of MaskGAN's generator"),
        (tmp_path / "none.pth", "generator", "found no such file"),
        (tmp_path / "missing.pth", "wig", "KIND: expected one of dmn"),
    ):
        outcome = maskgan("weights", "import", kind, file, "-o", out)
        assert (outcome.code, len(outcome.err.splitlines()), message in outcome.err) == (2, 1, True), outcome.err
        assert not out.parent.exists()


def test_commands_find_imported_weights_and_the_card_is_written(
    tmp_path: Path, maskgan: Command, monkeypatch: pytest.MonkeyPatch, prepared: Path
) -> None:
    monkeypatch.setenv("MASKGAN_CACHE", str(tmp_path / "cache"))
    file = saved(filled(SMALL), tmp_path / "netG.pth")
    outcome = maskgan("weights", "import", "generator", file, "--size", 64)
    out = tmp_path / "cache" / "weights" / "dmn.safetensors"
    assert outcome.lines == [str(out), str(out.with_suffix(".md"))]
    assert "dropped statistics that AdaIN does not use: model.10.conv_block.0.norm.running_mean" in outcome.err
    card = out.with_suffix(".md").read_text()
    read = read_weights(out, "dmn")
    assert read.sha256 in card
    assert "non-commercial research" in card
    assert "netG.pth" in card
    assert read.config == DMNConfig(64, 4, 2, 2, 2).__dict__
    faces = prepared / "images"
    painted = maskgan("swap-mouth", faces / "0.png", faces / "400.png", "-o", tmp_path / "o.png", "--device", "cpu")
    assert painted.code == 0, painted.err
    assert f"rendering at 64 px with {out} (the cache)" in painted.err.replace("\n", "")
    again = maskgan("weights", "import", "generator", file, "--size", 64)
    assert (again.code, "--overwrite" in again.err) == (2, True)
    assert maskgan("weights", "import", "generator", file, "--size", 64, "--overwrite").code == 0
    refused = maskgan("weights", "import", "vae", file, "--size", 64)
    assert "the file's shapes show image_size" in refused.err
    for size, message in ((100, "image_size must be a multiple of 32"), (64, "a name ending in .safetensors")):
        refused = maskgan(
            "weights",
            "import",
            "generator",
            file,
            "--size",
            size,
            "-o",
            tmp_path / "x.bin",
            *(["-o", tmp_path / "x.safetensors"] if size == 100 else []),
        )
        assert (refused.code, message in refused.err) == (2, True), refused.err
    assert not list(tmp_path.glob("x.*"))
