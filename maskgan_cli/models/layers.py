"""Building blocks shared by the networks."""

from __future__ import annotations

from typing import Any, Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from maskgan_cli.labels import NUM_CLASSES
from maskgan_cli.models.padding import ReflectionPad, Upsample

Upsampling = Literal["transposed", "resize", "bilinear", "antialiased"]
_EPS: Final = 1e-5  # added to the variance in instance norm
_STRIP = 64  # rows of a label map per table lookup, so that the windows of these rows fit in the CPU's cache


def one_hot(labels: Tensor, classes: int = NUM_CLASSES) -> Tensor:
    """Convert label maps (N, H, W) of any integer type to one-hot masks (N, classes, H, W), float32.

    Move the label maps to the GPU first: a label map takes 1 byte per pixel, a one-hot mask of 19 classes takes 76.
    The result is channels-last, which makes convolutions faster (benchmarks/training_step.py).
    """
    shape = (labels.shape[0], classes, *labels.shape[1:])
    masks = torch.empty(shape, device=labels.device, memory_format=torch.channels_last).zero_()
    return masks.scatter_(1, labels.long().unsqueeze(1), 1.0)


def to_unit(images: Tensor) -> Tensor:
    """Convert ``uint8`` pictures (N, 3, H, W) to float32 in [-1, 1], the input range of all networks."""
    return images.float().div_(127.5).sub_(1.0)


def to_bytes(images: Tensor) -> Tensor:
    """Convert images (N, 3, H, W) in [-1, 1] to ``uint8`` pictures, rounded and clamped to 0 to 255."""
    return images.float().add(1.0).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)


def imagenet(images: Tensor) -> Tensor:
    """Normalise images (N, 3, H, W) in [-1, 1] by ImageNet's mean and standard deviation, for ResNet and VGG."""
    mean, deviation = images.new_tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]).view(2, 3, 1, 1)
    normalised: Tensor = (images.add(1.0).div(2.0) - mean) / deviation
    return normalised


def initialise(network: nn.Module) -> None:
    """Initialise the weights of all convolutions from N(0, 0.02), as pix2pixHD and MaskGAN do.

    Biases and transposed convolutions keep PyTorch's initialisation: the published code selects layers by the
    name ``Conv2d``, which does not match ``ConvTranspose2d``.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, 0.0, 0.02)


def instance_norm(channels: int, limit: float = 0.0) -> nn.GroupNorm:
    """Build an instance norm without learnable parameters (eps 1e-5), as a group norm with one channel per group.

    It computes the same values as `torch.nn.InstanceNorm2d`, is faster, and preserves channels-last memory.

    Args:
        channels: number of channels of the features.
        limit: clamp the result to ``[-limit, limit]``; 0 does not clamp. See `normalised`.
    """
    norm = InstanceNorm(channels, channels, eps=_EPS, affine=False)
    norm.limit = limit
    return norm


class InstanceNorm(nn.GroupNorm):
    """Instance norm whose result is clamped to ``[-limit, limit]``; the function `instance_norm` builds this layer."""

    limit: float = 0.0

    def forward(self, input: Tensor) -> Tensor:
        """Normalise features (N, C, H, W), and clamp the result if ``limit`` is not 0."""
        return normalised(input, self.limit)


def normalised(features: Tensor, limit: float = 0.0) -> Tensor:
    """Normalise features (N, C, H, W) to mean 0 and variance 1 in every channel of every sample.

    The result is clamped to ``[-limit, limit]``; a limit of 0 does not clamp. Without a limit, a generator can learn to
    set the scale of a whole channel by one huge value at one position, which is visible as a spot in every picture
    (Karras et al. 2020, Sec. 2).
    """
    if features.dtype is torch.bfloat16 and features.device.type == "cpu" and features.requires_grad:
        answer: Tensor = _BFloat16InstanceNorm.apply(features)
    else:
        answer = F.group_norm(features, features.shape[1], eps=_EPS)
    return answer.clamp(-limit, limit) if limit else answer


class _BFloat16InstanceNorm(torch.autograd.Function):
    """Instance norm with a backward pass that is fast in bfloat16 on the CPU.

    Sums over pixels are computed as matrix products, which accumulate in float32. Forward and backward pass together
    take 0.3 times as long as PyTorch's (benchmarks/instance_norm.py).
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        n, c, h, w = features.shape
        answer, _, inverse = torch.native_group_norm(features, None, None, n, c, h * w, c, _EPS)
        ctx.save_for_backward(answer, inverse)
        return answer

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        answer, inverse = ctx.saved_tensors
        mean = _channel_means(gradient)
        slope = _channel_means(gradient * answer)
        centred = torch.addcmul(gradient - mean, answer, slope, value=-1)
        return centred.mul_(inverse.view(*mean.shape).to(gradient.dtype))


def _channel_means(features: Tensor) -> Tensor:
    """Return the mean (N, C, 1, 1) of every channel of features (N, C, H, W)."""
    n, c, h, w = features.shape
    pixels = features.permute(0, 2, 3, 1).reshape(n, h * w, c)  # a view of channels-last memory
    total = torch.bmm(pixels.new_ones((n, 1, h * w)), pixels)
    return (total / (h * w)).view(n, c, 1, 1)


class NoiseInput(nn.Module):
    """Adds Gaussian noise to features, scaled by a learnt amount per channel (StyleGAN, Karras et al. 2019, Sec. 3.2).

    A mask does not show details such as single hairs or pores. Without noise, a generator can only draw them as a
    repeated pattern. In training mode with gradients, each picture gets new noise. Otherwise the noise is always the
    same, so that results are reproducible.

    Args:
        channels: number of channels of the features.
        amount: initial standard deviation of the noise.
    """

    def __init__(self, channels: int, amount: float = 0.05) -> None:
        super().__init__()
        self.amount = nn.Parameter(torch.full((channels,), amount))
        self._fixed: dict[tuple[int, int], Tensor] = {}

    @property
    def varies(self) -> bool:
        """Whether each picture gets new noise: only in training mode and with gradients enabled."""
        return torch.is_grad_enabled() and self.training

    def forward(self, features: Tensor) -> Tensor:
        """Add noise to features (N, C, H, W) and return the sum.

        All channels of a picture get the same noise, multiplied by the learnt amount of the channel.
        """
        n, _, height, width = features.shape
        if self.varies:
            noise = torch.randn((n, 1, height, width), device=features.device, dtype=features.dtype)
        else:
            noise = self._same(height, width).to(features)
        return torch.addcmul(features, noise, self.amount.to(features.dtype).view(1, -1, 1, 1))

    def _same(self, height: int, width: int) -> Tensor:
        """Return the fixed noise (1, 1, height, width), generated from seed 0."""
        if (height, width) not in self._fixed:
            generator = torch.Generator().manual_seed(0)
            self._fixed[height, width] = torch.randn((1, 1, height, width), generator=generator)
        return self._fixed[height, width]


def conv7(inputs: int, outputs: int) -> nn.Sequential:
    """Build a reflection-padded 7 x 7 convolution with stride 1 (``c7s1-k`` in pix2pixHD's notation)."""
    return nn.Sequential(ReflectionPad(3), nn.Conv2d(inputs, outputs, 7))


class MaskConv7(nn.Sequential):
    """A reflection-padded 7 x 7 convolution (``c7s1-k``) of a mask.

    The mask is one-hot (N, 19, H, W), or a label map (N, H, W), which is faster on CPUs.

    A convolution of a one-hot mask multiplies 18 of 19 weights by zero. For a label map, the layer looks up the 49
    nonzero terms of each pixel in a table (one row per window position and class) and adds them. The result is the
    same, and takes half the time.

    Args:
        outputs: number of output channels.
    """

    def __init__(self, outputs: int) -> None:
        super().__init__(ReflectionPad(3), nn.Conv2d(NUM_CLASSES, outputs, 7))

    def forward(self, mask: Tensor) -> Tensor:
        """Compute the convolution of masks.

        Args:
            mask: one-hot masks (N, 19, H, W) or label maps (N, H, W).

        Returns:
            Features (N, outputs, H, W).
        """
        if mask.ndim == 3:
            return self._looked_up(mask)
        pad, convolution = self
        features: Tensor = convolution(pad(mask))
        return features

    def _looked_up(self, labels: Tensor) -> Tensor:
        """Compute the convolution of label maps (N, H, W) by table lookup; return features (N, outputs, H, W)."""
        convolution = self[1]
        assert isinstance(convolution, nn.Conv2d) and convolution.bias is not None
        table = convolution.weight.permute(2, 3, 1, 0).flatten(0, 2).contiguous()  # (49 * 19, outputs)
        place = torch.arange(49, dtype=torch.int32, device=labels.device) * NUM_CLASSES
        padded = F.pad(labels.float().unsqueeze(1), (3, 3, 3, 3), mode="reflect").squeeze(1).int()
        windows = padded.unfold(1, 7, 1).unfold(2, 7, 1)  # (N, H, W, 7, 7), a view
        strips = [
            F.embedding_bag(strip.reshape(-1, 49) + place, table, mode="sum")
            for window in windows
            for strip in window.split(_STRIP)
        ]
        answer = torch.cat(strips) + convolution.bias
        return answer.view(*labels.shape, -1).permute(0, 3, 1, 2)


def conv4_down(inputs: int, outputs: int) -> nn.Sequential:
    """Build a reflection-padded 4 x 4 convolution with stride 2, which halves the resolution."""
    return nn.Sequential(ReflectionPad(1), nn.Conv2d(inputs, outputs, 4, stride=2))


def dense_conv4(layer: nn.Module, features: Tensor, spacing: int = 1) -> Tensor:
    """Run a layer of `conv4_down`, which has stride 2, with stride 1, so that the resolution does not change.

    Args:
        layer: a layer that `conv4_down` built.
        features: the input (N, inputs, H, W).
        spacing: dilation of the kernel. Use 1 for the first layer that runs with stride 1. Use 2 for the layer after
            it, because the resolution of this layer's input is then twice as high as with stride 2.

    Returns:
        The output (N, outputs, H, W) of the layer.
    """
    assert isinstance(layer, nn.Sequential)
    convolution = layer[-1]
    assert isinstance(convolution, nn.Conv2d)
    reach = -(-3 * spacing // 2)
    padded = F.pad(features, (reach,) * 4, mode="reflect")
    results = F.conv2d(padded, convolution.weight, convolution.bias, dilation=spacing)
    # With a dilation of 1, the centre of the 4 x 4 kernel lies between pixels, so neighbouring results are averaged.
    return F.avg_pool2d(results, 2, stride=1) if spacing % 2 else results


def down(inputs: int, outputs: int, limit: float = 0.0) -> nn.Sequential:
    """Build a downsampling stage (``dk`` in pix2pixHD's notation): strided 3 x 3 convolution, instance norm, ReLU.

    It maps (N, inputs, H, W) to (N, outputs, H/2, W/2). ``limit`` is the limit of `instance_norm`.
    """
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), instance_norm(outputs, limit), nn.ReLU())


def up(inputs: int, outputs: int, upsampling: Upsampling, limit: float = 0.0) -> nn.Sequential:
    """Build an upsampling stage (``uk`` in pix2pixHD's notation): upsampling, instance norm, ReLU.

    It maps (N, inputs, H, W) to (N, outputs, 2H, 2W).

    Args:
        inputs, outputs: numbers of channels.
        upsampling: the method. ``transposed`` is a transposed 3 x 3 convolution of stride 2, which causes checkerboard
            artefacts, because neighbouring pixels receive different numbers of weights. The other methods interpolate
            and then apply a 3 x 3 convolution. ``resize`` takes the nearest neighbour; the network can still learn to
            repeat a pattern in every 2 x 2 pixels, which was visible in hair. ``bilinear`` avoids this, but patterns
            that alternate from pixel to pixel at the lower resolution remain. ``antialiased`` removes them with a
            low-pass filter (`Blur`) before the bilinear interpolation.
        limit: limit of `instance_norm`; 0 does not clamp.
    """
    layers: list[nn.Module]
    if upsampling == "transposed":
        layers = [nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1)]
    else:
        enlarged: nn.Module = Upsample() if upsampling == "resize" else nn.Upsample(scale_factor=2, mode="bilinear")
        if upsampling == "antialiased":
            enlarged = nn.Sequential(Blur(), enlarged)
        layers = [enlarged, ReflectionPad(1), nn.Conv2d(inputs, outputs, 3)]
    return nn.Sequential(*layers, instance_norm(outputs, limit), nn.ReLU())


class Blur(nn.Module):
    """A binomial low-pass filter with the kernel (1, 2, 1) / 4 along both axes, which removes the highest frequency."""

    def __init__(self) -> None:
        super().__init__()
        self.pad = ReflectionPad(1)

    def forward(self, features: Tensor) -> Tensor:
        """Filter features (N, C, H, W); return features of the same shape."""
        pairs = F.avg_pool2d(self.pad(features), 2, stride=1)  # (1, 1) / 2, twice
        blurred: Tensor = F.avg_pool2d(pairs, 2, stride=1)
        return blurred


def adaptive_instance_norm(features: Tensor, bias: Tensor, weight: Tensor, limit: float = 0.0) -> Tensor:
    """Apply AdaIN: instance norm (eps 1e-5), then a multiplication by ``weight`` and an addition of ``bias``.

    Args:
        features: features (N, C, H, W).
        bias, weight: parameters that the style encoder predicted, (N, C) each, or (N, C, H, W) for a style map.
        limit: clamp the normalised features to ``[-limit, limit]``; 0 does not clamp.
    """
    if bias.ndim == 2:
        bias, weight = bias[:, :, None, None], weight[:, :, None, None]
    return torch.addcmul(bias, normalised(features, limit), weight)


class AdaINResidualBlock(nn.Module):
    """A residual block of two reflection-padded 3 x 3 convolutions with AdaIN, and a ReLU between the convolutions.

    The AdaIN parameters are arguments of `forward`; the block stores no state between calls.

    Args:
        channels: number of channels of the features.
        limit: clamp the normalised features to ``[-limit, limit]``; 0 does not clamp.
    """

    def __init__(self, channels: int, limit: float = 0.0) -> None:
        super().__init__()
        self.channels = channels
        self.limit = limit
        self.conv1 = nn.Sequential(ReflectionPad(1), nn.Conv2d(channels, channels, 3))
        self.conv2 = nn.Sequential(ReflectionPad(1), nn.Conv2d(channels, channels, 3))

    def forward(self, features: Tensor, style: Tensor) -> Tensor:
        """Apply the block.

        Args:
            features: features (N, C, H, W).
            style: AdaIN parameters (N, 4C), or a map of AdaIN parameters (N, 4C, h, w), which is interpolated to H x W.
                The channels are bias and weight of the first AdaIN layer, then bias and weight of the second AdaIN
                layer, C values each.

        Returns:
            Features (N, C, H, W).
        """
        if style.ndim == 4:
            style = F.interpolate(style, features.shape[2:], mode="bilinear")
        bias1, weight1, bias2, weight2 = style.chunk(4, dim=1)
        hidden = F.relu(adaptive_instance_norm(self.conv1(features), bias1, weight1, self.limit))
        return features + adaptive_instance_norm(self.conv2(hidden), bias2, weight2, self.limit)


class SpatialFeatureTransform(nn.Module):
    """SFT: scales and shifts the features of a picture, pixel by pixel (Sec. 3.1).

    Scale and shift are predicted from the prior, which is a feature map of the mask. The result is
    ``scale(prior) * features + shift(prior)``; the factor is ``scale``, not ``1 + scale``.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = _pointwise_pair(channels)
        self.shift = _pointwise_pair(channels)

    def start_as_identity(self) -> None:
        """Reinitialise the layer so that it hardly changes its input: scale near 1, shift near 0."""
        for branch, value in ((self.scale, 1.0), (self.shift, 0.0)):
            last = branch[-1]
            assert isinstance(last, nn.Conv2d) and last.bias is not None
            nn.init.normal_(last.weight, 0.0, 0.02)
            nn.init.constant_(last.bias, value)

    def forward(self, features: Tensor, prior: Tensor) -> Tensor:
        """Return features (N, C, H, W), scaled and shifted by a prior (features of the mask) of the same shape."""
        return torch.addcmul(self.shift(prior), features, self.scale(prior))


class ConcatFusion(nn.Module):
    """The alternative to SFT in the paper's ablation: concatenation of features and prior, then a 1 x 1 convolution.

    The layer has about half as many parameters as SFT.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, features: Tensor, prior: Tensor) -> Tensor:
        """Fuse features (N, C, H, W) with a prior (features of the mask) of the same shape; return (N, C, H, W)."""
        fused: Tensor = self.conv(torch.cat([features, prior], dim=1))
        return fused


def _pointwise_pair(channels: int) -> nn.Sequential:
    """Build two 1 x 1 convolutions with a LeakyReLU between them."""
    return nn.Sequential(nn.Conv2d(channels, channels, 1), nn.LeakyReLU(0.1), nn.Conv2d(channels, channels, 1))
