"""Layouts of published checkpoints: how to convert their tensor names, and how to infer the network's settings.

`maskgan_cli.networks` lists the layout of each kind. The functions ``*_names`` return a dict from the published path
of each module to its path in this project; e.g. the tensor ``model.1.weight`` belongs to the module ``model.1``. The
functions ``_*_settings`` infer a network's settings from the tensor shapes of a checkpoint; without shapes they return
the published settings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from maskgan_cli.models.alpha_blender import AlphaBlenderConfig
from maskgan_cli.models.arcface import ArcFaceConfig
from maskgan_cli.models.discriminator import DiscriminatorConfig
from maskgan_cli.models.dmn import DMNConfig
from maskgan_cli.models.hopenet import HopeNetConfig
from maskgan_cli.models.mask_vae import MaskVAEConfig
from maskgan_cli.models.parser import ParserConfig
from maskgan_cli.models.perceptual import PAST_RELU5_1
from maskgan_cli.models.resnet import TrunkConfig
from maskgan_cli.weights.format import Shapes

Settings = dict[str, Any]
Names = dict[str, str]


@dataclass(frozen=True)
class Layout:
    """The layout of one kind of published checkpoint.

    Attributes:
        what: description of the network, for messages.
        settings: function that receives the shapes of a checkpoint (a dict from tensor name to shape) and returns the
            network's settings (keyword arguments of its configuration). For a checkpoint of another kind, it may raise
            KeyError, ValueError or IndexError. For an empty dict, it returns the settings of the published network.
        names: function that receives the settings and returns a dict from published module paths (or names of single
            tensors) to the project's paths (or names); None if the published paths and the project's are the same.
        unused: tensors that the project does not use, as a dict from a regular expression for their names to a
            description for messages.
        unsaid: names of the settings that cannot be inferred from the shapes. For these settings, the function
            ``settings`` returns the published values, or None if the caller must give a value.
        parts: if the network is published as several files, names of the submodules in these files, in order; else
            empty. ``settings`` and ``names`` then use tensor names of the form ``PART.PUBLISHED_NAME``.
    """

    what: str
    settings: Callable[[Shapes], Settings]
    names: Callable[[Settings], Names] | None = None
    unused: Mapping[str, str] = field(default_factory=dict)
    unsaid: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


def generator_names(settings: Settings) -> Names:
    """Return a dict from the published module paths of MaskGAN's generator to the project's.

    The published numbers of the backbone's layers also count ReLU and norm layers.
    """
    downs, blocks = settings["downs"], settings["blocks"]
    return {
        **_backbone_names(downs, blocks, "backbone."),
        **{f"enc_style.model.{i}.conv": f"style_encoder.image_head.{2 * i}.1" for i in range(3)},
        **{f"enc_style.model_middle.{i}.conv": f"style_encoder.image_tail.{2 * i}.1" for i in range(3)},
        "enc_style.model_last.1": "style_encoder.to_style",
        **{
            f"enc_style.sft{i}.SFT_{branch}_conv{j}": f"style_encoder.fuse{i}.{branch}.{2 * (j - 1)}"
            for i in (1, 2)
            for branch in ("scale", "shift")
            for j in (1, 2)
        },
        **{f"enc_label.model.{i}.conv": f"style_encoder.label_to_prior1.{2 * i}.1" for i in range(3)},
        **{f"enc_label.model_last.{i}.conv": f"style_encoder.prior1_to_prior2.{2 * i - 1}.1" for i in (1, 2, 3)},
    }


def blender_names(settings: Settings) -> Names:
    """Return a dict from the published module paths of the Alpha Blender to the project's.

    The Alpha Blender is a narrower version of the generator's backbone.
    """
    return _backbone_names(settings["downs"], settings["blocks"], "")


def _backbone_names(downs: int, blocks: int, prefix: str) -> Names:
    """Return a dict from the published module paths of a pix2pixHD backbone to the project's.

    Args:
        downs: number of downsampling layers, and also of upsampling layers.
        blocks: number of residual blocks.
        prefix: text before the project's paths.
    """
    first = 4 + 3 * downs  # number of the first residual block in the published layout
    ups = first + blocks  # number of the first upsampling layer
    return {
        "model.1": f"{prefix}head.0.1",
        **{f"model.{4 + 3 * i}": f"{prefix}downs.{i}.0" for i in range(downs)},
        **{
            f"model.{first + i}.conv_block.{j}.conv": f"{prefix}blocks.{i}.conv{j + 1}.1"
            for i in range(blocks)
            for j in range(2)
        },
        **{f"model.{ups + 3 * i}": f"{prefix}ups.{i}.0" for i in range(downs)},
        f"model.{ups + 3 * downs + 1}": f"{prefix}tail.0.1",
    }


def discriminator_names(settings: Settings) -> Names:
    """Return a dict from the published module paths of the discriminator to the project's.

    In the published network, scale 0 receives the smallest picture; in this project, scale 0 receives the largest.
    """
    scales, layers = settings["scales"], settings["layers"]
    return {
        f"scale{scales - 1 - scale}_layer{layer}.0": f"scales.{scale}.layers.{layer}{'' if layer == layers else '.0'}"
        for scale in range(scales)
        for layer in range(layers + 1)
    }


def vae_names(settings: Settings) -> Names:
    """Return a dict from the published module paths of MaskVAE to the project's.

    The published numbers of the layers continue from the encoder to the decoder.
    """
    stages = len(MaskVAEConfig(**settings).channels)
    return {
        **{f"e{i + 1}": f"encoder.{i}.0" for i in range(stages)},
        **{f"bn{i + 1}": f"encoder.{i}.1" for i in range(stages)},
        "fc1": "to_mean",
        "fc2": "to_log_variance",
        "d1": "from_code",
        **{f"d{i + 2}": f"decoder.{i}.2" for i in range(stages)},
        **{f"bn{i + 1 + stages}": f"decoder.{i}.3" for i in range(stages - 1)},
    }


def parser_names(_: Settings) -> Names:
    """Return a dict from the published module paths of the face parser to the project's.

    The face parser is a U-Net with five encoder levels and four decoder levels. In this project, the two convolutions
    of each level are in one list.
    """
    levels = {**{f"conv{i + 1}": f"down.{i}" for i in range(4)}, "center": "bottom"}
    levels |= {f"up_concat{4 - i}.conv": f"up.{i}.conv" for i in range(4)}
    names = {
        f"{published}.conv{j + 1}.{k}": f"{own}.{3 * j + k}"
        for published, own in levels.items()
        for j in range(2)
        for k in range(2)
    }
    return {**names, **{f"up_concat{4 - i}.up": f"up.{i}.up" for i in range(4)}, "final": "head"}


def _generator_settings(shapes: Shapes) -> Settings:
    if not shapes:
        return asdict(DMNConfig())
    return asdict(DMNConfig(**_backbone_settings(shapes), style_width=shapes["enc_style.model.0.conv.weight"][0]))


def _blender_settings(shapes: Shapes) -> Settings:
    return asdict(AlphaBlenderConfig(**_backbone_settings(shapes)) if shapes else AlphaBlenderConfig())


def _backbone_settings(shapes: Shapes) -> Settings:
    blocks = {int(name.split(".")[1]) for name in shapes if ".conv_block." in name}
    return {"width": shapes["model.1.weight"][0], "downs": (min(blocks) - 4) // 3, "blocks": len(blocks)}


def _discriminator_settings(shapes: Shapes) -> Settings:
    if not shapes:
        return asdict(DiscriminatorConfig())
    scales, layers = (len({name.split(".")[0].split("_")[i] for name in shapes}) for i in (0, 1))
    return asdict(DiscriminatorConfig(shapes["scale0_layer0.0.weight"][0], scales, layers - 1))


def _vae_settings(shapes: Shapes) -> Settings:
    if not shapes:
        return asdict(MaskVAEConfig())
    stages = 0
    while f"e{stages + 1}.weight" in shapes:
        stages += 1
    widths = [shapes[f"e{i + 1}.weight"][0] for i in range(stages)]
    return asdict(MaskVAEConfig(4 << stages, widths[0], max(widths), shapes["fc1.weight"][0]))


def _parser_settings(shapes: Shapes) -> Settings:
    return asdict(ParserConfig(width=shapes["conv1.conv1.0.weight"][0]) if shapes else ParserConfig())


def _hopenet_settings(shapes: Shapes) -> Settings:
    if not shapes:
        return asdict(HopeNetConfig())
    width, bins = shapes["conv1.weight"][0], shapes["fc_yaw.weight"][0]
    return asdict(HopeNetConfig(width, _blocks(shapes), "layer1.0.conv3.weight" in shapes, bins))


def _arcface_settings(shapes: Shapes) -> Settings:
    if not shapes:
        return asdict(ArcFaceConfig())
    width, (embedding, flat) = shapes["conv1.weight"][0], shapes["fc.weight"]
    side = round((flat / (8 * width)) ** 0.5)  # side of the last feature map, a sixteenth of the image size
    return asdict(ArcFaceConfig(_blocks(shapes), width, embedding, 16 * side))


def _blocks(shapes: Shapes) -> tuple[int, ...]:
    """Return the number of residual blocks in each of the four stages ``layer1`` to ``layer4``."""
    blocks = {tuple(name.split(".")[:2]) for name in shapes if name.startswith("layer")}
    return tuple(sum(stage == f"layer{i}" for stage, _ in blocks) for i in (1, 2, 3, 4))


GENERATOR = Layout(
    "MaskGAN's generator (netG)",
    _generator_settings,
    generator_names,
    {r".*\.norm\.running_(mean|var)": "statistics that AdaIN does not use"},
    ("image_size",),
)
DISCRIMINATOR = Layout("MaskGAN's discriminator (netD)", _discriminator_settings, discriminator_names)
BLENDER = Layout("MaskGAN's Alpha Blender (netB)", _blender_settings, blender_names)
VAE = Layout("MaskGAN's MaskVAE", _vae_settings, vae_names)
PARSER = Layout("the face parser of MaskGAN's authors (U-Net)", _parser_settings, parser_names, unsaid=("image_size",))
HOPENET = Layout(
    "HopeNet", _hopenet_settings, unused={r"fc_finetune\.(weight|bias)": "a layer that HopeNet does not use"}
)
ARCFACE = Layout("ArcFace's IResNet", _arcface_settings)
RESNET18 = Layout(
    "torchvision's ResNet-18", lambda _: asdict(TrunkConfig()), unused={r"fc\.(weight|bias)": "ImageNet's 1000 classes"}
)
VGG19 = Layout("torchvision's VGG-19", lambda _: {}, unused={rf"({PAST_RELU5_1.pattern}).*": "layers after relu5_1"})
INCEPTION = Layout(
    "pytorch-fid's Inception", lambda _: {}, unused={r"fc\.(weight|bias)": "the classifier of 1008 classes"}
)
