"""Random augmentation of batches on the device: geometry, light, colours, blur, noise, textures, backgrounds.

Random numbers come from torch's generator. The loop seeds it in every step, so a resumed run draws the same numbers.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from maskgan_cli.config import Section, Share
from maskgan_cli.labels import ID

_REPAINTED = ("background", "hair", "hat", "cloth")  # classes that can have any colour

NotNegative = Annotated[float, Field(ge=0.0)]


class AugmentSettings(Section):
    """Strength of each augmentation; a strength of 0 switches the augmentation off.

    Attributes:
        rotate: largest rotation in degrees, in both directions.
        zoom: largest change of scale; 0.2 scales by a factor from 1/1.2 to 1.2.
        shift: largest shift, as a fraction of the picture's side.
        light: strength of random changes of brightness, contrast and gamma.
        tint: strength of random changes of saturation and of the balance of the colour channels.
        blur: half of the pictures are shrunk by up to this fraction of their side, and enlarged again.
        noise: largest standard deviation of the noise, for pictures in [-1, 1].
        texture: share of the pictures that are mixed with a random convolution of themselves (Xu et al. 2021).
        grey: share of the pictures that are converted to grey.
        backdrop: share of the pictures whose background is replaced by another picture of the batch; needs masks.
        repaint: share of the pictures whose hair, hat, clothes and background get other colours and contrasts, often
            the colour of another region. The network then learns to recognise regions by shape and position. This
            augmentation needs masks.
        shade: strength of random soft light and shadow over the picture.
        mouths: strength of random changes of the mouth's width and height, see `reshape_mouths`; needs masks.
        lips: strength of simulated light from above on the lips, see `light_from_above`; needs masks.
        outline: share of the label maps in which the lips are enlarged by a pixel, because annotators include the
            vermilion border in the lips.
    """

    rotate: NotNegative = 10.0
    zoom: NotNegative = 0.15
    shift: NotNegative = 0.05
    light: NotNegative = 0.3
    tint: NotNegative = 0.2
    blur: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    noise: NotNegative = 0.05
    texture: Share = 0.0
    grey: Share = 0.0
    backdrop: Share = 0.0
    repaint: Share = 0.0
    shade: NotNegative = 0.0
    mouths: NotNegative = 0.0
    lips: NotNegative = 0.0
    outline: Share = 0.0


def move(images: Tensor, labels: Tensor | None, settings: AugmentSettings) -> tuple[Tensor, Tensor | None, Tensor]:
    """Rotate and scale each picture about its centre, and shift it, at random.

    Pixels from outside of the picture are filled by reflection.

    Args:
        images: pictures (N, 3, S, S) in [-1, 1].
        labels: label maps (N, S, S), which are moved in the same way with nearest neighbour; or None.
        settings: ``rotate``, ``zoom`` and ``shift`` are used.

    Returns:
        The moved pictures, the moved label maps (or None), and the counter-clockwise rotation (N,) of each picture in
        degrees.
    """
    grid, degrees = moving_grid(images.shape, settings, images.device)
    if grid is None:
        return images, labels, degrees
    moved, labels = resampled(images, labels, grid, outside="reflection")
    return moved, labels, degrees


def moving_grid(shape: torch.Size, settings: AugmentSettings, device: torch.device) -> tuple[Tensor | None, Tensor]:
    """Draw a random rotation, scale and shift for each picture, and return them as a sampling grid.

    Args:
        shape: shape (N, C, S, S) of the pictures.
        settings: ``rotate``, ``zoom`` and ``shift`` are used.
        device: device of the pictures.

    Returns:
        A grid (N, S, S, 2) for `resampled`, or None if the settings move nothing; and the counter-clockwise rotation
        (N,) of each picture in degrees.
    """
    n = shape[0]
    degrees = between(n, device) * settings.rotate
    if not (settings.rotate or settings.zoom or settings.shift):
        return None, degrees
    scale = torch.exp(between(n, device) * math.log1p(settings.zoom))
    angle = torch.deg2rad(degrees)
    cos, sin = angle.cos() / scale, angle.sin() / scale
    # The grid maps output pixels to input pixels, and y points down: this rotates the content counter-clockwise.
    shift = torch.stack([between(n, device), between(n, device)], 1) * 2 * settings.shift
    theta = torch.stack([torch.stack([cos, -sin, shift[:, 0]], 1), torch.stack([sin, cos, shift[:, 1]], 1)], 1)
    return F.affine_grid(theta, list(shape), align_corners=False), degrees


def resampled(
    images: Tensor, labels: Tensor | None, grid: Tensor, *, outside: Literal["border", "reflection"]
) -> tuple[Tensor, Tensor | None]:
    """Return pictures and label maps, resampled with a sampling grid (bilinear and nearest neighbour, respectively).

    Args:
        images: pictures (N, C, S, S).
        labels: label maps (N, S, S); None or empty label maps are returned unchanged.
        grid: sampling grid (N, S, S, 2), see `torch.nn.functional.grid_sample`.
        outside: how pixels from outside of the picture are filled: with the nearest edge pixel, or by reflection.
    """
    moved = F.grid_sample(images, grid, mode="bilinear", padding_mode=outside, align_corners=False)
    if labels is not None and labels.numel():
        planes = labels.unsqueeze(1).float()
        nearest = F.grid_sample(planes, grid, mode="nearest", padding_mode=outside, align_corners=False)
        labels = nearest.squeeze(1).round().to(torch.uint8)
    return moved, labels


class PairAugmentSettings(Section):
    """Differentiable augmentation of the discriminator's inputs (Zhao et al. 2020).

    Real and generated pictures get the same random change. Without this augmentation, a discriminator trained on about
    a thousand faces memorises the faces, and its gradients no longer help the generator.

    Attributes:
        light: strength of random changes of brightness, saturation and contrast.
        shift: largest shift, as a fraction of the picture's side; pixels from outside of the picture are 0.
        cutout: side of a square that is set to 0, as a fraction of the picture's side.
    """

    light: NotNegative = 0.0
    shift: Annotated[float, Field(ge=0.0, lt=0.5)] = 0.0
    cutout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0


class PairAugment:
    """Applies random changes to the N pictures of a batch; each picture has its own change.

    The changes are drawn when the object is created. Call the object to apply the changes. Every call applies the same
    changes, e.g. first to the generated and then to the real pictures of a batch.

    Args:
        settings: strengths of the changes.
        shape: shape (N, C, S, S) of the pictures.
        device: device of the pictures.
    """

    def __init__(self, settings: PairAugmentSettings, shape: torch.Size, device: torch.device) -> None:
        n, side = shape[0], shape[-1]
        self._settings = settings
        self._reach = round(settings.shift * side)
        self._hole = round(settings.cutout * side)
        one, cpu = (n, 1, 1, 1), torch.device("cpu")
        if settings.light:
            self._light = [between(one, device) * settings.light for _ in range(3)]
        if self._reach or self._hole:  # on the CPU, because reading numbers from a GPU waits for it
            self._shift = torch.round(between((n, 2), cpu) * settings.shift * side).int().tolist()
            self._corner = (torch.rand((n, 2), device=cpu) * max(1, side - self._hole)).int().tolist()

    def __call__(self, mask: Tensor, picture: Tensor) -> tuple[Tensor, Tensor]:
        """Apply the changes to pictures and their masks, and return the changed masks and pictures.

        Shift and cutout change masks and pictures in the same way; light changes only the pictures.

        Args:
            mask: one-hot masks (N, 19, S, S) of the pictures.
            picture: pictures (N, 3, S, S) in [-1, 1].
        """
        if self._settings.light:
            bright, saturate, contrast = self._light
            grey = picture.mean(1, keepdim=True)
            picture = grey + (picture - grey) * (1 + saturate)
            centre = picture.mean((1, 2, 3), keepdim=True)
            picture = centre + (picture - centre) * (1 + contrast) + bright
        return self._shift_and_cut(mask), self._shift_and_cut(picture)

    def _shift_and_cut(self, planes: Tensor) -> Tensor:
        """Shift masks or pictures (N, C, S, S), set a square of each to 0, and return the changed tensor.

        If the settings have neither shift nor cutout, the planes are returned unchanged.
        """
        if not self._reach and not self._hole:
            return planes
        side, reach, hole = planes.shape[-1], self._reach, self._hole
        padded = F.pad(planes, [reach] * 4)
        starts = [(reach + y, reach + x) for y, x in self._shift]
        moved = torch.stack(
            [one[:, top : top + side, left : left + side] for one, (top, left) in zip(padded, starts, strict=True)]
        )
        visible = torch.ones((len(planes), 1, side, side), device=planes.device, dtype=planes.dtype)
        for one, (y, x) in zip(visible, self._corner, strict=True):
            one[:, y : y + hole, x : x + hole] = 0
        return (moved * visible).contiguous(memory_format=torch.channels_last)


def recolour(images: Tensor, settings: AugmentSettings) -> Tensor:
    """Change light, colours, sharpness, texture and noise of each picture at random, without moving pixels.

    Args:
        images: pictures (N, 3, S, S) in [-1, 1].
        settings: ``shade``, ``light``, ``tint``, ``blur``, ``grey``, ``texture`` and ``noise`` are used.

    Returns:
        The changed pictures (N, 3, S, S) in [-1, 1].
    """
    n, device = len(images), images.device
    one = (n, 1, 1, 1)
    x = images.add(1.0).div(2.0)
    if settings.shade:
        field = F.interpolate(between((n, 1, 4, 4), device), x.shape[2:], mode="bicubic", align_corners=False)
        x = x * torch.exp(field * settings.shade)
    if settings.light:
        gamma = torch.exp(between(one, device) * settings.light)
        contrast = torch.exp(between(one, device) * settings.light)
        x = x.clamp(min=1e-4).pow(gamma)
        x = (x - 0.5) * contrast + 0.5 + between(one, device) * settings.light / 2
    if settings.tint:
        grey = x.mean(1, keepdim=True)
        x = grey + (x - grey) * (1 + between(one, device) * 2 * settings.tint)
        x = x * (1 + between((n, 3, 1, 1), device) * settings.tint / 2)
    if settings.blur:
        side = x.shape[-1]
        small = max(4, round(side * (1 - settings.blur * float(torch.rand(())))))
        soft = F.interpolate(F.interpolate(x, (small, small), mode="area"), (side, side), mode="bilinear")
        x = torch.where(torch.rand(one, device=device) < 0.5, soft, x)
    x = x.mul(2.0).sub(1.0)
    if settings.grey:
        x = torch.where(torch.rand(one, device=device) < settings.grey, x.mean(1, keepdim=True), x)
    if settings.texture:
        x = torch.where(torch.rand(one, device=device) < settings.texture, _random_texture(x), x)
    if settings.noise:
        x = x + torch.randn_like(x) * torch.rand(one, device=device) * settings.noise
    return x.clamp(-1.0, 1.0)


def change_backdrop(images: Tensor, labels: Tensor, settings: AugmentSettings) -> Tensor:
    """Replace the background of some faces by an enlarged, upside-down crop of another picture of the batch.

    The label maps stay valid, because the changed pixels still belong to the class background. A batch of one picture
    is returned unchanged.

    Args:
        images: pictures (N, 3, S, S).
        labels: label maps (N, S, S) of the pictures.
        settings: ``backdrop`` is the share of the faces that are changed.

    Returns:
        The pictures (N, 3, S, S), some with another background.
    """
    if not settings.backdrop or len(images) < 2:
        return images
    n, side = len(images), images.shape[-1]
    other = images.roll(1, 0).flip(2)
    half = side // 2
    y, x = (int(v) for v in torch.randint(0, side - half + 1, (2,)))
    enlarged = F.interpolate(other[:, :, y : y + half, x : x + half], (side, side), mode="bilinear")
    chosen = torch.rand((n, 1, 1, 1), device=images.device) < settings.backdrop
    return torch.where(chosen & (labels == ID["background"]).unsqueeze(1), enlarged, images)


def repaint(images: Tensor, labels: Tensor, settings: AugmentSettings) -> Tensor:
    """Give hair, hat, clothes and background of some faces another mean colour and contrast.

    The new mean colour is the colour of a random pixel of the batch, or the mean colour of one of these four regions in
    the same picture.

    Args:
        images: pictures (N, 3, S, S) in [-1, 1].
        labels: label maps (N, S, S) of the pictures.
        settings: ``repaint`` is the share of the faces that are changed.

    Returns:
        The pictures (N, 3, S, S) in [-1, 1], some with other colours.
    """
    if not settings.repaint:
        return images
    n, device = len(images), images.device
    one = (n, 1, 1, 1)
    chosen = torch.rand(one, device=device) < settings.repaint
    regions = [(labels == ID[name]).unsqueeze(1) for name in _REPAINTED]
    means = [_mean(images, region) for region in regions]
    pixels = images.permute(0, 2, 3, 1).reshape(-1, 3)
    for region, mean in zip(regions, means, strict=True):
        anywhere = pixels[torch.randint(len(pixels), (n,), device=device)].view(n, 3, 1, 1)
        neighbour = means[int(torch.randint(len(means), ()))]
        colour = torch.where(torch.rand(one, device=device) < 0.5, anywhere, neighbour)
        contrast = torch.exp(between(one, device) * 0.7)
        other = (images - mean) * contrast + colour
        changed = chosen & region & (torch.rand(one, device=device) < 0.7)
        images = torch.where(changed, other, images)
    return images.clamp(-1.0, 1.0)


def _mean(images: Tensor, region: Tensor) -> Tensor:
    """Return the mean colour (N, 3, 1, 1) of the pixels in which the boolean mask ``region`` (N, 1, S, S) is True.

    The mean colour of an empty region is 0 (grey). ``images`` are (N, 3, S, S) in [-1, 1].
    """
    return (images * region).sum((2, 3), keepdim=True) / region.sum((2, 3), keepdim=True).clamp_min(1)


def _random_texture(x: Tensor) -> Tensor:
    """Mix each picture (N, 3, S, S) with a random convolution of itself, and return the mixtures.

    The result of the convolution is first scaled to the picture's mean and standard deviation.
    """
    n, device = len(x), x.device
    side = (1, 3, 5)[int(torch.randint(0, 3, ()))]
    weight = torch.randn((n * 3, 3, side, side), device=device) / (3 * side * side) ** 0.5
    padded = F.pad(x.reshape(1, n * 3, *x.shape[2:]), [side // 2] * 4, mode="reflect")
    filtered = F.conv2d(padded, weight, groups=n).view_as(x)
    filtered = filtered - filtered.mean((2, 3), keepdim=True)
    deviation = filtered.std((1, 2, 3), keepdim=True).clamp_min(1e-3)
    filtered = filtered / deviation * x.std((1, 2, 3), keepdim=True) + x.mean((2, 3), keepdim=True)
    share = torch.rand((n, 1, 1, 1), device=device)
    return share * x + (1 - share) * filtered


def between(shape: int | tuple[int, ...], device: torch.device) -> Tensor:
    """Return a tensor of uniform random numbers from -1 to 1, drawn from torch's generator."""
    return torch.rand(shape, device=device) * 2 - 1
