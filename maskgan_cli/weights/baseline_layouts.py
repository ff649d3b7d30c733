"""Layouts of published StarGAN, ELEGANT, SPADE and SEAN checkpoints; see `maskgan_cli.weights.layouts`.

The functions ``_*_settings`` infer a network's settings from the tensor shapes of a checkpoint; without shapes they
return the settings of the published network. The functions ``_*_names`` return a dict from the published path of each
module to its path in this project.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from math import isqrt

from maskgan_cli.labels import NUM_CLASSES
from maskgan_cli.models.baselines.elegant import ElegantConfig, ElegantDiscriminatorConfig
from maskgan_cli.models.baselines.sean import SEANConfig
from maskgan_cli.models.baselines.spade import SPADEConfig
from maskgan_cli.models.baselines.stargan import StarGANConfig, StarGANDiscriminatorConfig
from maskgan_cli.models.discriminator import DiscriminatorConfig
from maskgan_cli.weights.format import Shapes
from maskgan_cli.weights.layouts import Layout, Names, Settings


def _stargan_settings(shapes: Shapes) -> Settings:
    """Infer the settings of StarGAN's generator from the tensor shapes of a checkpoint.

    The shapes show the number of attributes, not their names. If the number is that of the published network, the
    names are those of the published network. Otherwise ``attributes`` is None, and the user must name the attributes.
    """
    if not shapes:
        return asdict(StarGANConfig())
    width, inputs = shapes["main.0.weight"][:2]
    blocks = len({name.split(".")[1] for name in shapes if ".main." in name})
    published = StarGANConfig(width=width, blocks=blocks)
    attributes = published.attributes if inputs - 3 == len(published.attributes) else None
    return {**asdict(published), "attributes": attributes}


def _stargan_discriminator_settings(shapes: Shapes) -> Settings:
    """Infer the settings of StarGAN's discriminator from the tensor shapes of a checkpoint.

    The kernel of the layer ``conv2`` is as large as the feature map that this layer receives. So the image size follows
    from the size of the kernel and the number of downsampling layers.
    """
    if not shapes:
        return asdict(StarGANDiscriminatorConfig())
    layers = sum(name.startswith("main.") and name.endswith(".weight") for name in shapes)
    attributes, _, side, _ = shapes["conv2.weight"]
    return asdict(StarGANDiscriminatorConfig(side << layers, attributes, shapes["main.0.weight"][0], layers))


def _stargan_discriminator_names(settings: Settings) -> Names:
    """Return a dict from the published module paths of StarGAN's discriminator to the project's.

    The layers ``main.0``, ``main.2``, ... have the same paths in the published network and in this project.
    """
    trunk = {f"main.{2 * i}": f"main.{2 * i}" for i in range(settings["layers"])}
    return {**trunk, "conv1": "patches", "conv2": "classes"}


def _elegant_settings(shapes: Shapes) -> Settings:
    """Infer the settings of ELEGANT's encoder and decoder from the tensor shapes of a checkpoint.

    No shape shows the attributes, so the setting ``attributes`` is None, and the user must name the attributes.
    """
    if not shapes:
        return {**asdict(ElegantConfig()), "attributes": None}
    return {**asdict(ElegantConfig(width=shapes["encoder.main.0.0.weight"][0])), "attributes": None}


def _elegant_names(_: Settings) -> Names:
    """Return a dict from the published module paths of ELEGANT's encoder and decoder to the project's.

    The encoder and the decoder have five layers each. The last layer of the decoder has neither norm nor activation.
    """
    return {
        **{f"encoder.main.{i}.{j}": f"encoder.layers.{i}.{j}" for i in range(5) for j in (0, 1)},
        **{f"decoder.main.{i}.{j}": f"decoder.layers.{i}.{j}" for i in range(4) for j in (0, 1)},
        "decoder.main.4.0": "decoder.last",
    }


def _elegant_discriminator_settings(shapes: Shapes) -> Settings:
    """Infer the settings of ELEGANT's discriminators D1 and D2 from the tensor shapes of a checkpoint.

    D1's linear layer covers a feature map whose side is a sixteenth of the image size.
    """
    if not shapes:
        return asdict(ElegantDiscriminatorConfig())
    width, inputs = shapes["scales.0.conv.0.weight"][:2]
    side = isqrt(shapes["scales.0.linear.0.weight"][1] // (8 * width))
    return asdict(ElegantDiscriminatorConfig(16 * side, inputs - 3, width))


def _elegant_discriminator_names(_: Settings) -> Names:
    """Return a dict from the published module paths of ELEGANT's discriminators to the project's.

    D1 (``scales.0``) and D2 (``scales.1``) are published as two files with the same tensor names.
    """
    names = {f"conv.{3 * i + j}": f"layers.{i}.{j}" for i in range(4) for j in (0, 1)} | {"linear.0": "verdict"}
    return {f"scales.{scale}.{theirs}": f"scales.{scale}.{ours}" for scale in (0, 1) for theirs, ours in names.items()}


def _spade_settings(shapes: Shapes) -> Settings:
    """Infer the settings of SPADE's generator and encoder from the tensor shapes of a checkpoint.

    The shapes always show the depth, the width and whether there is an encoder. They show the image size only if there
    is an encoder and the depth is ``normal`` or ``most``.
    """
    if not shapes:
        return asdict(SPADEConfig())
    width = shapes["generator.conv_img.weight"][1]
    hidden = shapes["generator.head_0.norm_0.mlp_shared.0.weight"][0]
    first = shapes["generator.fc.weight"]
    if any(name.startswith("generator.up_4.") for name in shapes):
        config = SPADEConfig(width=2 * width, hidden=hidden, depth="most")
    else:
        config = SPADEConfig(width=width, hidden=hidden)
    if len(first) == 4:
        return asdict(replace(config, encoder=False))
    side = isqrt(first[0] // (16 * config.width))
    flat = shapes.get("encoder.fc_mu.weight", (0, 8 * config.width * 16))[1]
    return asdict(
        replace(
            config, image_size=side << config.ups, latent=first[1], encoded_size=64 * isqrt(flat // (8 * config.width))
        )
    )


def _spade_names(settings: Settings) -> Names:
    """Return a dict from the published module paths of SPADE to the project's.

    The published blocks have individual names; in this project they are one list.
    """
    blocks = [
        "head_0",
        "G_middle_0",
        "G_middle_1",
        *(f"up_{i}" for i in range(5 if settings["depth"] == "most" else 4)),
    ]
    inner = {
        **{f"conv_{i}": f"conv{i}" for i in (0, 1)},
        "conv_s": "conv_skip",
        **{
            f"norm_{theirs}.{layer}": f"norm{ours}.{to}"
            for theirs, ours in (("0", "0"), ("1", "1"), ("s", "_skip"))
            for layer, to in (
                ("param_free_norm", "norm"),
                ("mlp_shared.0", "shared"),
                ("mlp_gamma", "gamma"),
                ("mlp_beta", "beta"),
            )
        },
    }
    return {
        "generator.fc": "generator.first",
        "generator.conv_img": "generator.tail",
        **{
            f"generator.{block}.{theirs}": f"generator.blocks.{i}.{ours}"
            for i, block in enumerate(blocks)
            for theirs, ours in inner.items()
        },
        **{f"encoder.layer{i + 1}.0": f"encoder.layers.{i}.0" for i in range(6)},
        "encoder.fc_mu": "encoder.to_mean",
        "encoder.fc_var": "encoder.to_log_variance",
    }


def _spade_discriminator_settings(shapes: Shapes) -> Settings:
    """Infer the settings of SPADE's discriminator from the names and shapes of a checkpoint's tensors."""
    if not shapes:
        return asdict(DiscriminatorConfig())
    scales = {name.split(".")[0] for name in shapes}
    layers = {name.split(".")[1] for name in shapes}
    return asdict(DiscriminatorConfig(shapes["discriminator_0.model0.0.weight"][0], len(scales), len(layers) - 1))


def _spade_discriminator_names(settings: Settings) -> Names:
    """Return a dict from the published module paths of SPADE's discriminator to the project's.

    Each published inner layer is nested in one more module, together with its norm.
    """
    layers = settings["layers"]
    inner = {"model0.0": "layers.0.0", f"model{layers}.0": f"layers.{layers}"}
    inner |= {f"model{i}.0.0": f"layers.{i}.0" for i in range(1, layers)}
    return {
        f"discriminator_{scale}.{theirs}": f"scales.{scale}.{ours}"
        for scale in range(settings["scales"])
        for theirs, ours in inner.items()
    }


def _sean_settings(shapes: Shapes) -> Settings:
    """Infer the settings of SEAN's generator and encoder from the tensor shapes of a checkpoint.

    No shape shows the image size, because the first layer is a convolution of the mask.
    """
    if not shapes:
        return asdict(SEANConfig())
    return asdict(
        SEANConfig(
            width=shapes["conv_img.weight"][1],
            hidden=shapes["head_0.ace_0.Spade.mlp_shared.0.weight"][0],
            style=shapes["Zencoder.model.14.weight"][0],
            encoder_width=shapes["Zencoder.model.1.weight"][0],
        )
    )


def _sean_names(_: Settings) -> Names:
    """Return a dict from the published module paths of SEAN to the project's.

    The published blocks have individual names; in this project they are one list. The published numbers of the
    encoder's layers also count padding, norms and activations.
    """
    blocks = ["head_0", "G_middle_0", "G_middle_1", *(f"up_{i}" for i in range(4))]
    norm = {
        "": "",
        ".noise_var": ".noise.amount",
        ".param_free_norm": ".norm",
        ".Spade.mlp_shared.0": ".shared",
        ".Spade.mlp_gamma": ".gamma",
        ".Spade.mlp_beta": ".beta",
        ".conv_gamma": ".style_gamma",
        ".conv_beta": ".style_beta",
        **{f".fc_mu{i}": f".per_class.{i}" for i in range(NUM_CLASSES)},
    }
    inner = {
        "conv_0": "conv0",
        "conv_1": "conv1",
        "conv_s": "conv_skip",
        **{
            f"ace_{theirs}{part}": f"norm{ours}{to}"
            for theirs, ours in (("0", "0"), ("1", "1"), ("s", "_skip"))
            for part, to in norm.items()
        },
    }
    encoder = {1: (0, 1), 4: (1, 0), 7: (2, 0), 10: (3, 0), 14: (4, 1)}
    return {
        "fc": "generator.first",
        "conv_img": "generator.tail",
        **{
            f"{block}.{theirs}": f"generator.blocks.{i}.{ours}"
            for i, block in enumerate(blocks)
            for theirs, ours in inner.items()
        },
        **{f"Zencoder.model.{place}": f"encoder.layers.{i}.{j}" for place, (i, j) in encoder.items()},
    }


STARGAN = Layout("StarGAN's generator (G)", _stargan_settings, unsaid=("image_size", "attributes"))
STARGAN_DISCRIMINATOR = Layout(
    "StarGAN's discriminator (D)", _stargan_discriminator_settings, _stargan_discriminator_names
)
ELEGANT = Layout(
    "ELEGANT's encoder and decoder (Enc, Dec)",
    _elegant_settings,
    _elegant_names,
    unsaid=("image_size", "attributes"),
    parts=("encoder", "decoder"),
)
ELEGANT_DISCRIMINATOR = Layout(
    "ELEGANT's discriminators (D1, D2)",
    _elegant_discriminator_settings,
    _elegant_discriminator_names,
    parts=("scales.0", "scales.1"),
)
SPADE = Layout(
    "SPADE's generator and encoder (net_G, net_E)",
    _spade_settings,
    _spade_names,
    unsaid=("image_size",),
    parts=("generator", "encoder"),
)
SPADE_DISCRIMINATOR = Layout("SPADE's discriminator (net_D)", _spade_discriminator_settings, _spade_discriminator_names)
SEAN = Layout(
    "SEAN's generator with its encoder (net_G)",
    _sean_settings,
    _sean_names,
    {
        r".*\.Spade\.param_free_norm\.(running_mean|running_var|num_batches_tracked)": "statistics of unused norms",
        r"up_3\.ace_.\.blending_(gamma|beta)": "weights of the style in the last block, which has none",
    },
    unsaid=("image_size",),
)
