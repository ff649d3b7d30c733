"""The registry of networks: names, published weights, training commands.

Model cards, weight look-up, import, export, evaluation networks, ``weights list`` and the ``train`` commands all use
`KINDS`. To add a network, add its model file, its training file, its entry here, and recipes. This module does not
import torch: classes are given as ``module:name`` and imported on use (`resolve`).
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from maskgan_cli.errors import InputError
from maskgan_cli.kinds import Kind, Option, Published, Training


def resolve(where: str) -> Any:
    """Import and return the class or function with the name ``where``, which has the form ``module:name``."""
    module, _, name = where.partition(":")
    return getattr(importlib.import_module(module), name)


def canonical(name: str) -> str:
    """Convert an old name of a kind of network to the current name; return all other names unchanged."""
    return next((kind.name for kind in KINDS.values() if name in (kind.name, *kind.aliases)), name)


def choose(name: str, among: Iterable[str], argument: str) -> Kind:
    """Return the registry entry of the kind of network that the user names.

    Args:
        name: the current or an old name of the kind.
        among: names of the accepted kinds.
        argument: name of the command-line argument, for the error message.

    Raises:
        InputError: the name is not one of ``among``.
    """
    names = tuple(among)
    if canonical(name) in names:
        return KINDS[canonical(name)]
    old = [alias for kind in KINDS.values() if kind.name in names for alias in kind.aliases]
    close = difflib.get_close_matches(name, [*names, *old], n=1)
    raise InputError(
        argument,
        expected=f"one of {', '.join(names)}",
        found=name[:40],
        hint=f"did you mean {canonical(close[0])}?" if close else "",
    )


def trainings() -> Iterator[Training]:
    """Yield the registry entries of all commands of ``maskgan train``."""
    for kind in KINDS.values():
        yield from kind.trainings


def judges() -> tuple[str, ...]:
    """Return the names of the kinds of network that are used for evaluation."""
    return tuple(name for name, kind in KINDS.items() if kind.judge)


def imported() -> tuple[str, ...]:
    """Return the names of the kinds of network whose published checkpoints can be imported."""
    return tuple(name for name, kind in KINDS.items() if kind.layout)


def exported() -> tuple[str, ...]:
    """Return the names of the kinds of network that can be exported to ONNX."""
    return tuple(name for name, kind in KINDS.items() if kind.onnx)


def published() -> dict[str, Published]:
    """Return a dict from the name of a kind of network to its published weights, for the kinds that have some."""
    return {name: kind.published for name, kind in KINDS.items() if kind.published is not None}


_MASKGAN = "https://github.com/switchablenorms/CelebAMask-HQ"
_DRIVE = "https://drive.google.com/"
_RESEARCH = "non-commercial research and education only (the authors' repository says so)"
_IMAGENET = "BSD-3-Clause code; trained on ImageNet, whose terms may bind the weights"
_BASELINES = "maskgan_cli.models.baselines"
_CHANGED = Option("attributes", str, "Attributes to change, e.g. Smiling,Male.", setting="network.attributes=[{}]")
_EDIT = "maskgan swap-mouth {source} {target} --weights {out} -o result.png"

# torchvision and pytorch-fid include the first eight digits of the SHA-256 in their file names.
# The other publishers give no hash.
_ALL: Final = (
    Kind(
        "dmn",
        "Dense Mapping Network",
        "maskgan_cli.models.dmn:DenseMappingNetwork",
        "maskgan_cli.models.dmn:DMNConfig",
        aliases=("generator",),
        variable="MASKGAN_WEIGHTS",
        bundled=True,
        layout="maskgan_cli.weights.layouts:GENERATOR",
        onnx="maskgan_cli.weights.export:DMN",
        published=Published(
            "MaskGAN's generator, 512 px",
            f"{_DRIVE}file/d/1AjhjO4tmIdTESQvFVX8Eaq06FkVEmxgo/view (the link in MaskGAN_demo/README.md of {_MASKGAN})",
            _RESEARCH,
            359,
            "render, swap-mouth, swap, style-copy, interpolate --style, train ebst",
        ),
        trainings=(
            Training(
                "dmn",
                "maskgan_cli.training.tasks.dmn",
                "DMNRecipe",
                "Train the Dense Mapping Network (Stage I) to reconstruct faces from their masks and styles.",
                _EDIT,
                several=True,
            ),
            Training(
                "ebst",
                "maskgan_cli.training.tasks.ebst",
                "EBSTRecipe",
                "Continue training a generator with simulated edits (EBST), so that it follows edited masks.",
                _EDIT,
                several=True,
                options=(
                    Option("dmn", Path, "Run folder (or weights) of `maskgan train dmn`; or use --start-from."),
                    Option("vae", Path, "Run folder (or weights) of `maskgan train vae`; default: the bundled MaskVAE"),
                    Option("edits", Path, "Use the edited masks of this folder (`maskgan simulate-edits`)."),
                ),
            ),
        ),
    ),
    Kind(
        "discriminator",
        "multi-scale discriminator",
        "maskgan_cli.models.discriminator:MultiScaleDiscriminator",
        "maskgan_cli.models.discriminator:DiscriminatorConfig",
        layout="maskgan_cli.weights.layouts:DISCRIMINATOR",
        published=Published("MaskGAN's discriminator", _MASKGAN, _RESEARCH, 22, "nothing yet"),
    ),
    Kind(
        "blender",
        "Alpha Blender",
        "maskgan_cli.models.alpha_blender:AlphaBlender",
        "maskgan_cli.models.alpha_blender:AlphaBlenderConfig",
        layout="maskgan_cli.weights.layouts:BLENDER",
        published=Published("MaskGAN's Alpha Blender", _MASKGAN, _RESEARCH, 18, "nothing yet"),
    ),
    Kind(
        "vae",
        "MaskVAE",
        "maskgan_cli.models.mask_vae:MaskVAE",
        "maskgan_cli.models.mask_vae:MaskVAEConfig",
        bundled=True,
        layout="maskgan_cli.weights.layouts:VAE",
        published=Published("MaskGAN's MaskVAE, 512 px", _MASKGAN, _RESEARCH, 683, "interpolate, train ebst"),
        trainings=(
            Training(
                "vae",
                "maskgan_cli.training.tasks.mask_vae",
                "VAERecipe",
                "Train MaskVAE, a latent space in which masks can be interpolated.",
                "maskgan interpolate {source} {target} --weights {out} -o between",
                several=True,
            ),
        ),
    ),
    Kind(
        "parser",
        "face parser",
        "maskgan_cli.models.parser:FaceParser",
        "maskgan_cli.models.parser:ParserConfig",
        bundled=True,
        layout="maskgan_cli.weights.layouts:PARSER",
        onnx="maskgan_cli.weights.export:PARSER",
        judge="maskgan_cli.judges.parser:load_parser",
        published=Published(
            "the face parser of MaskGAN's authors",
            f"{_DRIVE}file/d/1Me181DqwnE-yptAh04cZ1wsHViYrZuhc/view (the link in face_parsing/README.md of {_MASKGAN})",
            _RESEARCH,
            8,
            "parse, eval segmentation",
        ),
        trainings=(
            Training(
                "parser",
                "maskgan_cli.training.tasks.parser",
                "ParserRecipe",
                "Train the face parser, which predicts the mask of a photo.",
                "maskgan parse {source} --weights {out} -o masks",
            ),
        ),
    ),
    Kind(
        "attributes",
        "attribute classifiers",
        "maskgan_cli.models.attributes:AttributeNet",
        "maskgan_cli.models.attributes:AttributeConfig",
        judge="maskgan_cli.judges.attributes:load_attributes",
        trunks={"resnet18": "trunk"},
        trainings=(
            Training(
                "attributes",
                "maskgan_cli.training.tasks.attributes",
                "AttributeRecipe",
                "Train an attribute classifier: one network for all given attributes.\n\n"
                "The paper trains one network per attribute; for that, give one attribute at a time.",
                "maskgan eval judge attributes {data} --weights {out}",
                options=(Option("attributes", str, "Attributes, e.g. Smiling,Male.", setting="network.names=[{}]"),),
            ),
        ),
    ),
    Kind(
        "pose",
        "HopeNet, head pose",
        "maskgan_cli.models.hopenet:HopeNet",
        "maskgan_cli.models.hopenet:HopeNetConfig",
        aliases=("hopenet",),
        layout="maskgan_cli.weights.layouts:HOPENET",
        judge="maskgan_cli.judges.pose:load_pose",
        published=Published(
            "HopeNet, head pose, trained on 300W-LP",
            f"{_DRIVE}open?id=1m25PrSE7g9D2q2XJVMR6IA7RaCvWSzCR (robust to image quality; others in the README of "
            "https://github.com/natanielruiz/deep-head-pose)",
            "no licence found; see its repository",
            96,
            "eval pairs",
        ),
        trainings=(
            Training(
                "pose",
                "maskgan_cli.training.tasks.pose",
                "PoseRecipe",
                "Train HopeNet, which predicts yaw, pitch and roll of a face.",
                "maskgan eval pairs {data} --pose-weights {out} -o pairs.csv",
            ),
        ),
    ),
    Kind(
        "identity",
        "ArcFace, identity",
        "maskgan_cli.models.arcface:IResNet",
        "maskgan_cli.models.arcface:ArcFaceConfig",
        aliases=("arcface",),
        layout="maskgan_cli.weights.layouts:ARCFACE",
        judge="maskgan_cli.judges.identity:load_identity",
        start="face",
        published=Published(
            "ArcFace IResNets (r18, r34, r50, r100) of InsightFace",
            "https://1drv.ms/u/s!AswpsDO2toNKq0lWY69vN58GR6mw?e=p9Ov5d (the model zoo in recognition/arcface_torch of "
            "https://github.com/deepinsight/insightface)",
            "non-commercial research only",
            96,
            "eval identity",
        ),
        trainings=(
            Training(
                "identity",
                "maskgan_cli.training.tasks.identity",
                "IdentityRecipe",
                "Train an ArcFace network, which tells whether two faces show the same person.",
                "maskgan eval verify {data} --weights {out}",
            ),
        ),
    ),
    Kind(
        "pix2pixhd-m",
        "Pix2PixHD-m",
        "maskgan_cli.models.dmn:DenseMappingNetwork",
        "maskgan_cli.models.dmn:Pix2PixHDmConfig",
        onnx="maskgan_cli.weights.export:DMN",
        trainings=(
            Training(
                "pix2pixhd-m",
                "maskgan_cli.training.tasks.pix2pixhd",
                "Pix2PixHDmRecipe",
                "Train Pix2PixHD-m, the Dense Mapping Network without its label branch, a baseline of the paper.",
                "maskgan style-copy {source} {target} --method pix2pixhd-m --weights {out} -o result.png",
                several=True,
            ),
        ),
    ),
    Kind(
        "spade",
        "SPADE",
        f"{_BASELINES}.spade:SPADE",
        f"{_BASELINES}.spade:SPADEConfig",
        layout="maskgan_cli.weights.baseline_layouts:SPADE",
        onnx="maskgan_cli.weights.export:SPADE_GENERATOR",
        trainings=(
            Training(
                "spade",
                "maskgan_cli.training.tasks.spade",
                "SPADERecipe",
                "Train SPADE, which generates faces from a mask and a style vector, a baseline of the paper.",
                "maskgan style-copy {source} {target} --method spade --weights {out} -o result.png",
                several=True,
            ),
        ),
    ),
    Kind(
        "spade-discriminator",
        "SPADE's discriminator",
        f"{_BASELINES}.spade:SPADEDiscriminator",
        "maskgan_cli.models.discriminator:DiscriminatorConfig",
        layout="maskgan_cli.weights.baseline_layouts:SPADE_DISCRIMINATOR",
    ),
    Kind(
        "sean",
        "SEAN",
        f"{_BASELINES}.sean:SEAN",
        f"{_BASELINES}.sean:SEANConfig",
        layout="maskgan_cli.weights.baseline_layouts:SEAN",
        onnx="maskgan_cli.weights.export:SEAN_GENERATOR",
        trainings=(
            Training(
                "sean",
                "maskgan_cli.training.tasks.sean",
                "SEANRecipe",
                "Train SEAN, which generates faces from a mask and a style vector for each of its parts.",
                "maskgan style-copy {source} {target} --method sean --weights {out} -o result.png",
                several=True,
            ),
        ),
    ),
    Kind(
        "sean-discriminator",
        "SEAN's discriminator",
        f"{_BASELINES}.sean:SEANDiscriminator",
        "maskgan_cli.models.discriminator:DiscriminatorConfig",
    ),
    Kind(
        "stargan",
        "StarGAN",
        f"{_BASELINES}.stargan:StarGANGenerator",
        f"{_BASELINES}.stargan:StarGANConfig",
        layout="maskgan_cli.weights.baseline_layouts:STARGAN",
        onnx="maskgan_cli.weights.export:STARGAN",
        trainings=(
            Training(
                "stargan",
                "maskgan_cli.training.tasks.stargan",
                "StarGANRecipe",
                "Train StarGAN, which changes attributes of faces, a baseline of the paper.",
                "maskgan transfer {source} --attribute Smiling --method stargan --weights {out} -o result.png",
                options=(_CHANGED,),
                several=True,
            ),
        ),
    ),
    Kind(
        "stargan-discriminator",
        "StarGAN's discriminator",
        f"{_BASELINES}.stargan:StarGANDiscriminator",
        f"{_BASELINES}.stargan:StarGANDiscriminatorConfig",
        layout="maskgan_cli.weights.baseline_layouts:STARGAN_DISCRIMINATOR",
    ),
    Kind(
        "elegant",
        "ELEGANT",
        f"{_BASELINES}.elegant:Elegant",
        f"{_BASELINES}.elegant:ElegantConfig",
        layout="maskgan_cli.weights.baseline_layouts:ELEGANT",
        onnx="maskgan_cli.weights.export:ELEGANT",
        trainings=(
            Training(
                "elegant",
                "maskgan_cli.training.tasks.elegant",
                "ElegantRecipe",
                "Train ELEGANT, which transfers an attribute from an exemplar, a baseline of the paper.",
                "maskgan transfer {source} {target} --attribute Smiling --method elegant --weights {out} -o result.png",
                options=(_CHANGED,),
                several=True,
            ),
        ),
    ),
    Kind(
        "elegant-discriminator",
        "ELEGANT's discriminators",
        f"{_BASELINES}.elegant:ElegantDiscriminators",
        f"{_BASELINES}.elegant:ElegantDiscriminatorConfig",
        layout="maskgan_cli.weights.baseline_layouts:ELEGANT_DISCRIMINATOR",
    ),
    Kind(
        "vgg19",
        "VGG-19 features up to relu5_1",
        "maskgan_cli.models.perceptual:VGG19Features",
        layout="maskgan_cli.weights.layouts:VGG19",
        published=Published(
            "VGG-19, ImageNet",
            "https://pytorch.org/vision/stable/models/vgg.html",
            _IMAGENET,
            575,
            "train dmn and train ebst with the paper's perceptual loss",
            ("https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",),
            "dcbb9e9d",
        ),
    ),
    Kind(
        "resnet18",
        "ResNet-18 trunk",
        "maskgan_cli.models.resnet:trunk",
        "maskgan_cli.models.resnet:TrunkConfig",
        layout="maskgan_cli.weights.layouts:RESNET18",
        published=Published(
            "ResNet-18, ImageNet",
            "https://pytorch.org/vision/stable/models/resnet.html",
            _IMAGENET,
            47,
            "train attributes (pretrained trunk)",
            ("https://download.pytorch.org/models/resnet18-f37072fd.pth",),
            "f37072fd",
        ),
    ),
    Kind(
        "inception",
        "Inception of pytorch-fid",
        "maskgan_cli.models.inception:FIDInception",
        layout="maskgan_cli.weights.layouts:INCEPTION",
        published=Published(
            "Inception-v3 as used by the FID",
            "https://github.com/mseitzer/pytorch-fid",
            "Apache-2.0",
            96,
            "eval fid",
            (
                "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
                "pt_inception-2015-12-05-6726825d.pth",
            ),
            "6726825d",
        ),
    ),
)
KINDS: Final[dict[str, Kind]] = {kind.name: kind for kind in _ALL}
