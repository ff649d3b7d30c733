"""Published weights that something here can use: where they are, under which licence, what needs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from maskgan_cli.weights.cache import cached_weights

_MASKGAN = "non-commercial research and education only (the authors' repository says so)"
_IMAGENET = "BSD-3-Clause code; trained on ImageNet, whose terms may bind the weights"


@dataclass(frozen=True)
class Published:
    """One published file.

    Attributes:
        kind: what to import it as, a key of ``weights.layouts.LAYOUTS``.
        weights: the kind of the weights file it becomes.
        what: one line on it.
        page: where it is published, for people.
        licence: as its publishers state it.
        megabytes: size of its tensors in 10^6 bytes (the smallest network's, where there are several).
        needed_by: what here uses it.
        urls: direct downloads of the same file, tried in order; none if it must be fetched by hand.
        sha256: the file's, or its first digits, or empty where it is not known: then the first
            download is remembered and a later one must be the same.
    """

    kind: str
    weights: str
    what: str
    page: str
    licence: str
    megabytes: int
    needed_by: str
    urls: tuple[str, ...] = ()
    sha256: str = ""

    @property
    def here(self) -> bool:
        """Whether the cache holds weights of this kind."""
        return cached_weights(self.weights).is_file()


# torchvision and pytorch-fid put the first eight digits of the SHA-256 into their files' names.
# The others publish no hash that we know.
_ALL = (
    Published(
        "generator", "dmn", "MaskGAN's generator, 512 px",
        "https://drive.google.com/file/d/1AjhjO4tmIdTESQvFVX8Eaq06FkVEmxgo/view (the link in MaskGAN_demo/README.md of "
        "https://github.com/switchablenorms/CelebAMask-HQ)",
        _MASKGAN, 359, "render, swap-mouth, swap, style-copy, interpolate --style, train ebst",
    ),
    Published(
        "discriminator", "discriminator", "MaskGAN's discriminator",
        "https://github.com/switchablenorms/CelebAMask-HQ", _MASKGAN, 22, "nothing yet",
    ),
    Published(
        "blender", "blender", "MaskGAN's Alpha Blender",
        "https://github.com/switchablenorms/CelebAMask-HQ", _MASKGAN, 18, "nothing yet",
    ),
    Published(
        "vae", "vae", "MaskGAN's MaskVAE, 512 px",
        "https://github.com/switchablenorms/CelebAMask-HQ", _MASKGAN, 683, "interpolate, train ebst",
    ),
    Published(
        "parser", "parser", "the face parser of MaskGAN's authors",
        "https://drive.google.com/file/d/1Me181DqwnE-yptAh04cZ1wsHViYrZuhc/view (the link in face_parsing/README.md of "
        "https://github.com/switchablenorms/CelebAMask-HQ)",
        _MASKGAN, 8, "parse, eval segmentation",
    ),
    Published(
        "hopenet", "hopenet", "HopeNet, head pose, trained on 300W-LP",
        "https://drive.google.com/open?id=1m25PrSE7g9D2q2XJVMR6IA7RaCvWSzCR (robust to image quality; others in the "
        "README of https://github.com/natanielruiz/deep-head-pose)",
        "not stated where we looked: see its repository", 96, "eval pairs",
    ),
    Published(
        "arcface", "arcface", "ArcFace IResNets (r18, r34, r50, r100) of InsightFace",
        "https://1drv.ms/u/s!AswpsDO2toNKq0lWY69vN58GR6mw?e=p9Ov5d (the model zoo in recognition/arcface_torch of "
        "https://github.com/deepinsight/insightface)",
        "non-commercial research only", 96, "eval identity",
    ),
    Published(
        "vgg19", "vgg19", "VGG-19, ImageNet", "https://pytorch.org/vision/stable/models/vgg.html", _IMAGENET, 575,
        "train dmn and train ebst with the paper's perceptual loss",
        ("https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",), "dcbb9e9d",
    ),
    Published(
        "resnet18", "resnet18", "ResNet-18, ImageNet", "https://pytorch.org/vision/stable/models/resnet.html",
        _IMAGENET, 47, "a start for attribute classifiers",
        ("https://download.pytorch.org/models/resnet18-f37072fd.pth",), "f37072fd",
    ),
    Published(
        "inception", "inception", "Inception-v3 as FID is defined with", "https://github.com/mseitzer/pytorch-fid",
        "Apache-2.0", 96, "eval fid",
        ("https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",),
        "6726825d",
    ),
)  # fmt: skip
REGISTRY: Mapping[str, Published] = {entry.kind: entry for entry in _ALL}


def licence_of(kind: str) -> str:
    """The licence of a kind's published weights; empty if the kind is not in the registry."""
    return REGISTRY[kind].licence if kind in REGISTRY else ""
