"""Tests of the import of the baselines: all tensors are converted, and outputs equal the references'."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from maskgan_cli.errors import InputError
from maskgan_cli.models.baselines.elegant import Elegant, ElegantConfig, ElegantDiscriminatorConfig
from maskgan_cli.models.baselines.sean import SEANConfig, SEANNoise
from maskgan_cli.models.baselines.spade import SPADE, SPADEConfig
from maskgan_cli.models.baselines.stargan import StarGANConfig, StarGANDiscriminatorConfig
from maskgan_cli.models.discriminator import DiscriminatorConfig
from maskgan_cli.networks import KINDS, resolve
from maskgan_cli.weights.convert import convert, import_weights
from maskgan_cli.weights.format import build, read_weights, shapes_of
from tests.conftest import Command
from tests.layouts import layout
from tests.weights import references
from tests.weights.checkpoints import Tensors, filled, narrow, saved

Shapes = dict[str, tuple[int, ...]]
NAMES = ("Smiling", "Eyeglasses")
# Kind -> the published files it is made of, and what they do not say.
PUBLISHED: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "stargan": (("stargan_G",), {}),
    "stargan-discriminator": (("stargan_D",), {}),
    "elegant": (("elegant_Enc", "elegant_Dec"), {"attributes": NAMES}),
    "elegant-discriminator": (("elegant_D", "elegant_D"), {}),
    "spade": (("spade_netG", "spade_netE"), {}),
    "spade-discriminator": (("spade_netD",), {}),
    "sean": (("sean_netG",), {}),
}


def _parts(kind: str, files: tuple[str, ...]) -> Shapes:
    """All keys of a kind's files, as one dictionary."""
    parts = resolve(KINDS[kind].layout).parts or ("",)
    return {
        f"{part}.{key}".lstrip("."): shape
        for part, file in zip(parts, files, strict=True)
        for key, shape in layout(file).items()
    }


@pytest.mark.parametrize("kind", PUBLISHED)
def test_every_published_tensor_has_exactly_one_name_here(kind: str) -> None:
    files, unsaid = PUBLISHED[kind]
    theirs = _parts(kind, files)
    if kind == "elegant-discriminator":  # D1 of 128 px and D2, which sees half of it: a quarter of the inputs
        theirs["scales.1.linear.0.weight"] = (1, 512 * 4 * 4)
    plan = resolve(KINDS[kind].layout)
    settings = {**plan.settings(theirs), **unsaid}
    theirs = {key: shape for key, shape in theirs.items() if not any(re.fullmatch(p, key) for p in plan.unused)}
    ours = shapes_of(build(KINDS[kind], settings).state_dict())
    names = plan.names(settings) if plan.names else {}
    renamed = {}
    for key, shape in theirs.items():
        module, _, tensor = key.rpartition(".")
        renamed[names.get(key, f"{names.get(module, module)}.{tensor}") if plan.names else key] = shape
    assert renamed == ours
    assert len(renamed) == len(theirs), "two keys must not become one"
    known = {
        "stargan": StarGANConfig(),
        "stargan-discriminator": StarGANDiscriminatorConfig(),
        "elegant": ElegantConfig(attributes=NAMES),
        "elegant-discriminator": ElegantDiscriminatorConfig(128),
        "sean": SEANConfig(),
        "spade": SPADEConfig(),
        "spade-discriminator": DiscriminatorConfig(),
    }
    assert settings == vars(known[kind]), "the shapes tell the published settings"


def _stargan() -> tuple[Shapes, Shapes]:
    trunk = {key: value for key, value in narrow("stargan_D", 16).items() if "main.8" not in key and "10" not in key}
    trunk |= {"conv1.weight": (1, 32, 3, 3), "conv2.weight": (5, 32, 2, 2)}
    return narrow("stargan_G", 16), trunk


def _double(network: nn.Module) -> nn.Module:
    return network.double().eval()


def _images(count: int, size: int, seed: int = 0) -> Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(seed)).double() * 2 - 1


def _masks(count: int, size: int) -> Tensor:
    labels = torch.randint(0, 19, (count, size, size), generator=torch.Generator().manual_seed(3))
    return nn.functional.one_hot(labels, 19).permute(0, 3, 1, 2).double()


def _filled(shapes: Shapes, seed: int) -> Tensors:
    """Random tensors in double precision; u and v of spectral normalisation are results of a power iteration."""
    tensors = {name: x.double() if x.is_floating_point() else x for name, x in filled(shapes, seed).items()}
    for name in [name for name in tensors if name.endswith("alpha")]:  # so that pixels differ after their norm
        tensors[name] = tensors[name].abs() + 3
    for name in [name for name in tensors if name.endswith("weight_orig")]:
        stem, flat = name.removesuffix("orig"), tensors[name].flatten(1)
        u = torch.ones(len(flat), dtype=flat.dtype)
        for _ in range(3):
            v = nn.functional.normalize(flat.T @ u, dim=0)
            u = nn.functional.normalize(flat @ v, dim=0)
        tensors[f"{stem}u"], tensors[f"{stem}v"] = u, v
    return tensors


def _same(ours: Tensor, theirs: Tensor, scale: float = 1e-3) -> None:
    assert ours.shape == theirs.shape
    assert theirs.std() > scale, "the outputs must not be blank"
    assert (ours - theirs).abs().max() < 1e-5


def _converted(kind: str, tmp_path: Path, *tensors: Tensors, **unsaid: Any) -> nn.Module:
    files = [saved(t, tmp_path / f"{i}.pth") for i, t in enumerate(tensors)]
    return _double(convert(KINDS[kind], files, unsaid).network)


def test_stargan_agrees_with_the_reference(tmp_path: Path) -> None:
    generator, discriminator = (_filled(shapes, seed) for seed, shapes in enumerate(_stargan()))
    image, label = _images(2, 32), torch.tensor([[1, 0, 0, 1, 0], [0, 1, 0, 0, 1]]).double()
    network = _converted("stargan", tmp_path, generator, image_size=32)
    with torch.no_grad():
        _same(network(image, label), references.stargan_generator(generator, image, label, 6))
        assert not torch.equal(network(image, label), network(image, 1 - label))
        network.train()  # the authors never leave training, which must make no difference
        _same(network(image, label), references.stargan_generator(generator, image, label, 6))
        critic = _converted("stargan-discriminator", tmp_path, discriminator)
        for ours, theirs in zip(critic(image), references.stargan_discriminator(discriminator, image, 4), strict=True):
            _same(ours, theirs)


def test_elegant_agrees_with_the_reference(tmp_path: Path) -> None:
    encoder, decoder = (_filled(narrow(f"elegant_{part}", 16), i) for i, part in enumerate(("Enc", "Dec")))
    a, b = _images(2, 64, 1), _images(2, 64, 2)
    network = _converted("elegant", tmp_path, encoder, decoder, image_size=64, attributes=("x", "y", "z"))
    assert isinstance(network, Elegant)
    code_b, skips = references.elegant_encoder(encoder, b)
    code_a, _ = references.elegant_encoder(encoder, a)
    for attribute, (start, end) in enumerate(((0, 11), (11, 21), (21, 32))):  # thirds of 32 channels, rounded
        mixed = code_b.clone()
        mixed[:, start:end] = code_a[:, start:end]
        for strength in (1.0, 0.4):
            new = code_b + strength * (mixed - code_b)
            residual = references.elegant_decoder(decoder, new, code_b, skips)
            with torch.no_grad():
                _same(network(b, a, attribute, strength), (b + residual).clamp(-1, 1))
    shapes = narrow("elegant_D", 16)
    shapes |= {"linear.0.weight": (1, 32 * 4 * 4), "conv.0.weight": (4, 6, 3, 3)}
    d1, d2 = _filled(shapes, 5), _filled({**shapes, "linear.0.weight": (1, 32 * 2 * 2)}, 6)
    label = torch.tensor([[1, 0, 1], [0, 0, 1]]).double()
    both = _converted("elegant-discriminator", tmp_path, d1, d2)
    half = (a[..., ::2, ::2] + a[..., 1::2, ::2] + a[..., ::2, 1::2] + a[..., 1::2, 1::2]) / 4
    with torch.no_grad():
        full_size, half_size = both(a, label)
    _same(full_size.sigmoid(), references.elegant_discriminator(d1, a, label), 1e-4)
    _same(half_size.sigmoid(), references.elegant_discriminator(d2, half, label), 1e-4)


@pytest.mark.parametrize("depth", ["normal", "more", "most"])
@pytest.mark.parametrize("encoded", [True, False])
def test_spade_generator_agrees_with_the_reference(depth: str, encoded: bool, tmp_path: Path) -> None:
    config = SPADEConfig(128, 4, 8, depth=depth, encoder=encoded, latent=16, encoded_size=128)  # type: ignore[arg-type]
    ours = shapes_of(SPADE(config).state_dict())
    theirs = _published_names(ours, config)
    tensors = _filled(theirs, 1)
    parts = [
        {name.removeprefix(f"{part}."): t for name, t in tensors.items() if name.startswith(part)}
        for part in ("generator", "encoder")
    ]
    unsaid = {} if depth == "normal" and encoded else {"image_size": 128}
    files = parts if encoded else parts[:1]
    if depth == "more":  # no shape tells it from "normal" at half the size
        with torch.device("meta"):
            network: nn.Module = SPADE(config)
        network.load_state_dict({name: tensors[key] for name, key in zip(ours, theirs, strict=True)}, assign=True)
        network = _double(network)
    else:
        network = _converted("spade", tmp_path, *files, **unsaid)
        assert vars(network.config) == vars(config) | ({} if encoded else {"latent": 256, "encoded_size": 256})
    mask, image = _masks(2, 128), _images(2, 128)
    code = None
    with torch.no_grad():
        if encoded:
            code, log_variance = references.spade_encoder(parts[1], image)
            mean, ours_too = network.encoder(image)
            _same(mean.double(), code)
            _same(ours_too.double(), log_variance)
        _same(network.generator(mask, code), references.spade_generator(parts[0], mask, code, depth))


def _published_names(ours: Shapes, config: SPADEConfig) -> Shapes:
    plan = resolve(KINDS["spade"].layout)
    assert plan.names is not None
    back = {our: their for their, our in plan.names(vars(config)).items()}
    return {f"{back[name.rpartition('.')[0]]}.{name.rpartition('.')[2]}": shape for name, shape in ours.items()}


def test_spade_discriminator_agrees_with_the_reference(tmp_path: Path) -> None:
    shapes = {
        key: tuple({22: 22, 1: 1, 3: 3, 4: 4}.get(d, d // 16) for d in shape)
        for key, shape in layout("spade_netD").items()
    }
    tensors = _filled(shapes, 4)
    network = _converted("spade-discriminator", tmp_path, tensors)
    mask, image = _masks(2, 64), _images(2, 64)
    with torch.no_grad():
        outputs = network(mask, image)
    expected = references.spade_discriminator(tensors, torch.cat([mask, image], 1))
    assert [len(scale) for scale in outputs] == [5, 5]
    for ours, theirs in zip(outputs, expected, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            _same(a, b)


def test_sean_agrees_with_the_reference(tmp_path: Path) -> None:
    tensors = _filled(narrow("sean_netG", 16, least=32), 3)
    network = _converted("sean", tmp_path, tensors, image_size=64)
    assert vars(network.config) == {"image_size": 64, "width": 4, "hidden": 8, "style": 32, "encoder_width": 2}
    for module in network.modules():
        if isinstance(module, SEANNoise):  # the reference has no noise
            nn.init.zeros_(module.amount)
    mask, style_mask, image = _masks(2, 64), _masks(2, 64).flip(0), _images(2, 64)
    style_mask[0, 5], style_mask[0, 0] = 0, style_mask[0, 0] + style_mask[0, 5]  # the first face has no class 5
    codes = references.sean_encoder(tensors, style_mask, image)
    with torch.no_grad():
        ours = network.encode_style(style_mask, image).double()
        _same(ours, codes)
        assert not ours[0, 5].any() and ours[1, 5].any()
        _same(network(mask, style_mask, image), references.sean_generator(tensors, mask, codes))


def test_files_are_imported_exactly_from_the_command_line(tmp_path: Path, maskgan: Command) -> None:
    encoder, decoder = (filled(narrow(f"elegant_{part}", 16), i) for i, part in enumerate(("Enc", "Dec")))
    files = [saved(encoder, tmp_path / "Enc.pth"), saved(decoder, tmp_path / "Dec.pth")]
    out = tmp_path / "elegant.safetensors"
    outcome = maskgan("weights", "import", "elegant", *files, "-o", out, "--attributes", "Smiling, Bangs", "--size", 64)
    assert outcome.code == 0, outcome.err
    read = read_weights(out, "elegant")
    assert read.config == {"image_size": 64, "attributes": ["Smiling", "Bangs"], "width": 4}
    assert torch.equal(read.tensors["decoder.last.weight"], decoder["main.4.0.weight"])
    assert len(read.tensors) == len(encoder) + len(decoder)
    assert read.about["source"]["file"] == "Enc.pth, Dec.pth"
    assert "ELEGANT" in out.with_suffix(".md").read_text()


def test_incompatible_files_are_one_line(tmp_path: Path, maskgan: Command) -> None:
    encoder, decoder = (saved(filled(narrow(f"elegant_{p}", 16), 0), tmp_path / f"{p}.pth") for p in ("Enc", "Dec"))
    shapes, _ = _stargan()
    one = saved(filled({**shapes, "main.0.weight": (4, 4, 7, 7)}), tmp_path / "one.pth")
    cases: tuple[tuple[tuple[object, ...], str], ...] = (
        (("elegant", encoder, decoder), "expected the option --attributes"),
        (("elegant", encoder, "--attributes", "Smiling"), "also name the file of the decoder"),
        (("elegant", decoder, encoder, "--attributes", "Smiling"), "expected the tensors of ELEGANT"),
        (("elegant", encoder, decoder, decoder, "--attributes", "a"), "expected 2 files (encoder, decoder), found 3"),
        (("stargan", one), "expected the option --attributes"),
        (("stargan", one, "--attributes", "Smiling,Smiling"), "distinct names"),
        (("stargan", one, "--attributes", "Smiling,Male"), "main.0.weight of shape (4, 4, 7, 7) instead of (4, 5, 7"),
        (("vae", one, "--attributes", "Smiling"), "shapes show attributes"),
    )
    for arguments, line in cases:
        outcome = maskgan("weights", "import", *arguments, "-o", tmp_path / "out.safetensors")
        assert (outcome.code, len(outcome.err.splitlines()), line in outcome.err) == (2, 1, True), outcome.err
    assert not (tmp_path / "out.safetensors").exists()
    with pytest.raises(InputError, match=r"main\.0\.weight"):
        import_weights("stargan-discriminator", one, tmp_path / "out.safetensors")
