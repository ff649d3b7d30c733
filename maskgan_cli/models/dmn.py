"""Dense Mapping Network (paper, Sec. 3.1): generates a face from a mask in the style of a reference photo.

The network computes G(mask, style_mask, style_image) -> image.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Final, Literal

from torch import Tensor, nn
from torch.nn import functional as F

from maskgan_cli.labels import NUM_CLASSES
from maskgan_cli.models.checkpointing import checkpoint_each
from maskgan_cli.models.layers import (
    AdaINResidualBlock,
    ConcatFusion,
    MaskConv7,
    NoiseInput,
    SpatialFeatureTransform,
    Upsampling,
    conv4_down,
    conv7,
    dense_conv4,
    down,
    initialise,
    instance_norm,
    up,
)
from maskgan_cli.models.range_checks import check_range
from maskgan_cli.models.skips import SkipFusion, class_shares, filled, folded, unfolded

Fusion = Literal["sft", "concat", "none"]

# Skip connections from the style encoder to the backbone: number of channels at 1/4 and at 1/2 of the resolution.
_SKIPS: Final = {4: 32, 2: 8}


@dataclass(frozen=True)
class DMNConfig:
    """Settings of the architecture. The defaults are the paper's: 89.7 million parameters.

    Attributes:
        image_size: side of the training pictures in pixels, a multiple of 32 and of ``2 ** downs``.
        width: channels of the backbone at full resolution; they double at every downsampling step.
        downs: number of downsampling steps of the backbone, each by a factor of 2.
        blocks: AdaIN residual blocks at the lowest resolution.
        style_width: channels of the style encoder at full resolution.
        fusion: how the style encoder combines mask and image: ``sft`` as published, ``concat`` as in
            the ablation, or ``none`` for Pix2PixHD-m, whose style encoder does not use the mask.
        style_map: side of the style map, at most ``image_size / 8``. With 1, as published, the style is one vector for
            the whole picture. With more, it is a map (as in StyleMapGAN, Kim et al. 2021): each region of the picture
            has its own style, so an edited face keeps more of its appearance. If ``style_map`` is larger than
            ``image_size / 32``, the last convolution of each branch of the style encoder runs with stride 1 instead of
            2; if it is larger than ``image_size / 16``, the last two convolutions do.
        upsampling: ``transposed`` as published, or ``resize``, ``bilinear`` or ``antialiased``, which avoid artefacts:
            see `layers.up`.
        norm_limit: clamp the normalised features of the backbone to this number of standard deviations, see
            `layers.normalised`; 0, as published: no clamping.
        noise: add noise of a learnt amount at every resolution of the decoder (`NoiseInput`). The published network
            has no noise.
        skips: connect the style encoder with the decoder at 1/4 and 1/2 of the resolution (`SkipFusion`), as in U-Net
            (Ronneberger et al. 2015). AdaIN in the residual blocks reaches only the lowest resolution, so the published
            network, which has no skip connections, invents everything finer. Where the mask to generate and the mask of
            the style picture have different classes, each region has the mean style of its class in the style picture
            (as in SEAN, Zhu et al. 2020); see `filled`. Needs a style map and 3 or more ``downs``.
    """

    image_size: int = 512
    width: int = 64
    downs: int = 4
    blocks: int = 4
    style_width: int = 16
    fusion: Fusion = "sft"
    style_map: int = 1
    upsampling: Upsampling = "transposed"
    norm_limit: float = 0.0
    noise: bool = False
    skips: bool = False

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}  # unknown keys in a recipe are errors

    def __post_init__(self) -> None:
        check_range(self, width=(1, 512), downs=(1, 8), blocks=(1, 64), style_width=(1, 256))
        unit = max(32, 1 << self.downs)
        if not 64 <= self.image_size <= 2048 or self.image_size % unit:
            raise ValueError(f"image_size must be a multiple of {unit}, 64 to 2048, not {self.image_size}")
        check_range(self, style_map=(1, self.image_size // 8))
        if self.norm_limit < 0:
            raise ValueError(f"norm_limit must be 0 (none) or more, not {self.norm_limit}")
        if self.skips and (self.downs < 3 or self.style_map == 1 or self.image_size // 4 % self.style_map):
            raise ValueError("skips needs downs of 3 or more, and a style_map above 1 that divides image_size / 4")

    @property
    def bottleneck(self) -> int:
        """Number of channels at the lowest resolution."""
        return self.width << self.downs

    @property
    def style_dim(self) -> int:
        """Number of values in a style code: the weights and biases of two AdaIN layers in each residual block."""
        return self.blocks * 4 * self.bottleneck


@dataclass(frozen=True)
class Pix2PixHDmConfig(DMNConfig):
    """Pix2PixHD-m, the paper's baseline: a Dense Mapping Network whose style encoder has only the image branch."""

    fusion: Fusion = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fusion != "none":
            raise ValueError(f"fusion must be none for Pix2PixHD-m, not {self.fusion}")


class SpatialAwareStyleEncoder(nn.Module):
    """Predicts the style of a face, i.e. AdaIN parameters, from its picture and mask (paper, Sec. 3.1, Fig. 4).

    With ``config.skips``, the style also contains features of the picture at 1/4 and 1/2 of the resolution.

    The label branch computes two feature maps ("priors") from the mask, at 1/4 and 1/32 of the resolution. The priors
    scale and shift the features of the image branch (`SpatialFeatureTransform`). There are no normalisation layers,
    because they would remove style information.
    """

    def __init__(self, config: DMNConfig) -> None:
        super().__init__()
        c1, c2, c4 = config.style_width, config.style_width * 2, config.style_width * 4
        self.fusion = config.fusion
        self.side = config.style_map
        if config.fusion != "none":
            self.label_to_prior1 = nn.Sequential(
                MaskConv7(c1),
                nn.ReLU(),
                conv4_down(c1, c2),
                nn.ReLU(),
                conv4_down(c2, c4),
            )
            self.prior1_to_prior2 = nn.Sequential(
                nn.ReLU(), conv4_down(c4, c4), nn.ReLU(), conv4_down(c4, c4), nn.ReLU(), conv4_down(c4, c4)
            )
            fuse = SpatialFeatureTransform if config.fusion == "sft" else ConcatFusion
            self.fuse1, self.fuse2 = fuse(c4), fuse(c4)
        self.image_head = nn.Sequential(
            conv7(3, c1), nn.ReLU(), conv4_down(c1, c2), nn.ReLU(), conv4_down(c2, c4), nn.ReLU()
        )
        self.image_tail = nn.Sequential(
            conv4_down(c4, c4), nn.ReLU(), conv4_down(c4, c4), nn.ReLU(), conv4_down(c4, c4), nn.ReLU()
        )
        self.to_style = nn.Conv2d(c4, config.style_dim, 1)
        # Predicts how the style of each region differs from the style of the whole picture.
        self.to_style_map = nn.Conv2d(c4, config.style_dim, 1, bias=False) if config.style_map > 1 else None
        self.to_skips: nn.ModuleList | None = None
        if config.skips:
            self.to_skips = nn.ModuleList(
                nn.Conv2d(inputs, outputs, 1) for inputs, outputs in zip((c4, c2), _SKIPS.values(), strict=True)
            )
        # Number of convolutions at the end of each branch that run with stride 1 instead of 2.
        self.dense = sum(config.style_map > config.image_size // side for side in (32, 16))

    def start_pooled(self) -> None:
        """Initialise the layer of the style map with 0, so that every region has the style of the whole picture."""
        if self.to_style_map is not None:
            nn.init.zeros_(self.to_style_map.weight)

    def forward(self, style_mask: Tensor, style_image: Tensor) -> Tensor:
        """Predict the style of faces, i.e. their AdaIN parameters.

        Args:
            style_mask: one-hot masks (N, 19, H, W) of the faces.
            style_image: pictures (N, 3, H, W) of the faces in [-1, 1].

        Returns:
            The style codes (N, style_dim); if ``config.style_map`` is k > 1, style maps (N, style_dim, k, k). With
            ``config.skips``, style maps have further channels: the mask at 1/4 of the resolution, and the features at
            1/4 and at 1/2 of the resolution, with each cell's pixels moved to channels
            (`torch.nn.functional.pixel_unshuffle`).
        """
        if self.to_skips is None:
            features = self.image_head(style_image)  # (N, c4, H/4, W/4)
        else:
            fine = self.image_head[:-2](style_image)  # (N, c2, H/2, W/2)
            features = self.image_head[-2:](fine)
        if self.fusion == "none":
            quarter = features
            features = self._tail(self.image_tail, features)
        else:
            prior1 = self.label_to_prior1(style_mask)  # (N, c4, H/4, W/4)
            prior2 = self._tail(self.prior1_to_prior2, prior1)  # (N, c4, H/32, W/32), or H/16 or H/8 if dense
            quarter = self.fuse1(features, prior1)
            features = self._tail(self.image_tail, quarter)
            features = self.fuse2(features, prior2)
        pooled = F.adaptive_avg_pool2d(features, 1)
        style: Tensor = self.to_style(pooled)
        if self.to_style_map is None:
            return style.flatten(1)
        difference: Tensor = self.to_style_map(F.adaptive_avg_pool2d(features, self.side) - pooled)
        style = style + difference
        if self.to_skips is None:
            return style
        skips = [layer(source) for layer, source in zip(self.to_skips, (quarter, fine), strict=True)]
        return folded(style, class_shares(style_mask).to(style.dtype), *skips)

    def _tail(self, layers: nn.Sequential, features: Tensor) -> Tensor:
        """Apply the layers of a branch to features (N, C, H, W), and return the features after the last layer.

        The last ``self.dense`` convolutions of the branch run with stride 1 instead of 2.
        """
        convolutions = [i for i, layer in enumerate(layers) if isinstance(layer, nn.Sequential)]
        spacings = dict(zip(convolutions[len(convolutions) - self.dense :], (1, 2), strict=False))
        for i, layer in enumerate(layers):
            features = dense_conv4(layer, features, spacings[i]) if i in spacings else layer(features)
        return features


class ImageGenerationBackbone(nn.Module):
    """The generator of pix2pixHD with AdaIN in its residual blocks (Sec. 3.1), which paints a face from a mask.

    The style consists of the parameters of all AdaIN layers.
    """

    def __init__(self, config: DMNConfig) -> None:
        super().__init__()
        widths = [config.width << level for level in range(config.downs + 1)]
        limit = config.norm_limit
        self.style_dim = config.style_dim
        self.head = nn.Sequential(MaskConv7(widths[0]), instance_norm(widths[0], limit), nn.ReLU())
        self.downs = nn.Sequential(*(down(a, b, limit) for a, b in pairwise(widths)))
        self.blocks = nn.ModuleList(AdaINResidualBlock(widths[-1], limit) for _ in range(config.blocks))
        rising = widths[::-1]
        self.ups = nn.Sequential(*(up(a, b, config.upsampling, limit) for a, b in pairwise(rising)))
        self.noise = nn.ModuleList(NoiseInput(channels) for channels in rising) if config.noise else None
        self.skips: nn.ModuleDict | None = None
        if config.skips:
            at = [config.downs - factor.bit_length() for factor in _SKIPS]  # indices of the upsampling stages before
            fusions = (SkipFusion(rising[level + 1], k) for level, k in zip(at, _SKIPS.values(), strict=True))
            self.skips = nn.ModuleDict({str(level): fusion for level, fusion in zip(at, fusions, strict=True)})
        self.tail = nn.Sequential(conv7(widths[0], 3), nn.Tanh())

    def forward(self, mask: Tensor, style: Tensor) -> Tensor:
        """Generate images (N, 3, H, W) in [-1, 1].

        Args:
            mask: one-hot masks (N, 19, H, W).
            style: style codes (N, style_dim) or style maps (N, style_dim, k, k), as returned by the style encoder; with
                further channels if there are skip connections.
        """
        features = self.downs(self.head(mask))  # (N, width * 2^downs, H / 2^downs, W / 2^downs)
        if self.noise is not None:
            features = self.noise[0](features)
        details: list[Tensor] = []
        if self.skips is not None:
            style, _, details = self._fitted(mask, style)
        for block, parameters in zip(self.blocks, style.chunk(len(self.blocks), dim=1), strict=True):
            features = block(features, parameters)
        for level, stage in enumerate(self.ups):
            features = stage(features)
            if self.noise is not None:
                features = self.noise[level + 1](features)
            if self.skips is not None and str(level) in self.skips:
                features = self.skips[str(level)](features, details.pop(0))
        image: Tensor = self.tail(features)
        return image

    def fit_style(self, mask: Tensor, style: Tensor) -> Tensor:
        """Fit the style map of a picture to the mask to generate; without skip connections, return it unchanged.

        `forward` does the same, so this is needed only before a part of the style map is cut out for a part of a mask.

        Args:
            mask: one-hot masks (N, 19, H, W) or label maps (N, H, W).
            style: style maps (N, K, k, k), as returned by the style encoder.

        Returns:
            Style maps (N, K, k, k) whose own mask is ``mask``: see `filled`.
        """
        if self.skips is None:
            return style
        codes, own, details = self._fitted(mask, style)
        return folded(codes, own, *details)

    def _fitted(self, mask: Tensor, style: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Fit a style map to the mask to generate, see `fit_style`.

        Returns:
            The AdaIN parameters (N, style_dim, k, k); the shares of the classes in the mask, see `class_shares`; and
            the details (N, C, h, w) of each skip connection, lowest resolution first.
        """
        own = class_shares(mask).to(style.dtype)
        side = own.shape[-1]
        sizes = {NUM_CLASSES: side, **{channels: side * 4 // factor for factor, channels in _SKIPS.items()}}
        codes, rest = style[:, : self.style_dim], style[:, self.style_dim :]
        planes = []
        for channels, size in sizes.items():
            plane, rest = unfolded(rest, channels, size)
            planes.append(plane)
        shares, *details = planes
        return filled(codes, own, shares), own, [filled(plane, own, shares) for plane in details]


class DenseMappingNetwork(nn.Module):
    """The network G(mask, style_mask, style_image): it paints the face of ``style_image`` with the shapes of ``mask``.

    ``style_mask`` is the mask of ``style_image``. In Stage I of the training (reconstruction), all three inputs come
    from one face; at inference, ``mask`` is the edited mask. Masks are one-hot, or label maps (N, H, W) ``uint8``, see
    `MaskConv7`.
    """

    def __init__(self, config: DMNConfig) -> None:
        super().__init__()
        self.config = config
        self.style_encoder = SpatialAwareStyleEncoder(config)
        self.backbone = ImageGenerationBackbone(config)
        initialise(self)
        self.style_encoder.start_pooled()
        for module in self.modules():
            if isinstance(module, SkipFusion):
                module.start_as_identity()

    def encode_style(self, style_mask: Tensor, style_image: Tensor) -> Tensor:
        """Predict the style of faces, i.e. their AdaIN parameters; a style can be reused for many masks.

        Args:
            style_mask: one-hot masks (N, 19, H, W) of the faces.
            style_image: pictures (N, 3, H, W) of the faces in [-1, 1].

        Returns:
            The style codes (N, style_dim); if ``config.style_map`` is k > 1, style maps (N, style_dim, k, k).
        """
        style: Tensor = self.style_encoder(style_mask, style_image)
        return style

    def generate(self, mask: Tensor, style: Tensor) -> Tensor:
        """Generate images (N, 3, H, W) in [-1, 1].

        Args:
            mask: one-hot masks (N, 19, H, W) of the faces to generate.
            style: style codes or style maps, as returned by `encode_style`.
        """
        image: Tensor = self.backbone(mask, style)
        return image

    def forward(self, mask: Tensor, style_mask: Tensor, style_image: Tensor) -> Tensor:
        """Generate faces in the style of pictures.

        Args:
            mask: one-hot masks (N, 19, H, W) of the faces to generate.
            style_mask: one-hot masks (N, 19, H, W) of the style pictures.
            style_image: style pictures (N, 3, H, W) in [-1, 1].

        Returns:
            The generated faces (N, 3, H, W) in [-1, 1].
        """
        return self.generate(mask, self.encode_style(style_mask, style_image))

    def checkpoint_activations(self) -> None:
        """Recompute activations in the backward pass instead of keeping them in memory; the gradients stay the same."""
        backbone, encoder = self.backbone, self.style_encoder
        checkpoint_each(backbone.head, *backbone.downs, *backbone.blocks, *backbone.ups, backbone.tail)
        checkpoint_each(*(part for name, part in encoder.named_children() if name in ("image_head", "label_to_prior1")))

    def balance(self) -> None:
        """Reinitialise the style encoder so that the style affects the image from the first step.

        The published initialisation N(0, 0.02) suits 64 channels. In narrower layers without normalisation, each
        convolution makes the signal about six times smaller, and the network learns the style late or never. After this
        method, convolutions preserve the variance of their input, and SFT and AdaIN hardly change their input.
        """
        for module in self.style_encoder.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for module in self.style_encoder.modules():
            if isinstance(module, SpatialFeatureTransform):
                module.start_as_identity()
        to_style = self.style_encoder.to_style
        nn.init.normal_(to_style.weight, 0.0, 0.1 * to_style.in_channels**-0.5)
        if to_style.bias is not None:
            bias_and_weight = to_style.bias.detach().view(-1, 2, self.config.bottleneck)
            bias_and_weight[:, 1] = 1.0
        self.style_encoder.start_pooled()


def parameter_count(network: nn.Module) -> int:
    """Return the number of parameters of a network."""
    return sum(parameter.numel() for parameter in network.parameters())
