"""Builds the generator's inputs from a batch: augmented masks and target faces, and inputs of the style encoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor

from maskgan_cli.config import Section, Share
from maskgan_cli.data.dataset import Batch
from maskgan_cli.models.layers import one_hot, to_unit
from maskgan_cli.training.augment import AugmentSettings, NotNegative, move, moving_grid, recolour, resampled


class StyleAugmentationSettings(Section):
    """Augmentation of faces and style pictures, so that the network generalises to styles outside the data set.

    The strengths have the same units as in `AugmentSettings`; 0 switches an augmentation off.

    Attributes:
        light, tint: strengths of changes of light and colour, the same in the style picture and in the face to
            reconstruct.
        blur, noise: strengths of blur and noise, in the style encoder's input only.
        expression_variants: share of the faces for which the style picture is another rendering of the same scene with
            another expression (``maskgan synth --expressions``). The face itself is then the ground truth of an edit,
            e.g. of opening a mouth whose teeth the style picture does not show.
        others: share of the steps in which the style picture shows another person. No ground truth exists then, so the
            terms ``pixel``, ``feature_matching`` and ``perceptual`` are 0.
        rotate, zoom, shift: movement of the whole face with its mask, so that the network is trained with heads in many
            positions.
        style_rotate, style_zoom, style_shift: further movement of the style encoder's input only, so that the style
            code depends on appearance and not on the position of the parts of the face.
        style_still: share of the faces whose style encoder's input is not moved.
    """

    light: NotNegative = 0.0
    tint: NotNegative = 0.0
    blur: Share = 0.0
    noise: NotNegative = 0.0
    expression_variants: Share = 0.0
    others: Share = 0.0
    rotate: NotNegative = 0.0
    zoom: NotNegative = 0.0
    shift: NotNegative = 0.0
    style_rotate: NotNegative = 0.0
    style_zoom: NotNegative = 0.0
    style_shift: NotNegative = 0.0
    style_still: Share = 0.0

    _former_names: ClassVar[Mapping[str, str]] = {"takes": "expression_variants"}


def augment_geometry(batch: Batch, settings: StyleAugmentationSettings) -> Batch:
    """Rotate, scale and shift every face of a batch at random, and return the new batch.

    The face's mask and its expression variant (another rendering of the same scene) are moved in the same way. The new
    pictures are float32. If ``rotate``, ``zoom`` and ``shift`` are 0, the batch is returned unchanged.
    """
    if not (settings.rotate or settings.zoom or settings.shift):
        return batch
    change = AugmentSettings(rotate=settings.rotate, zoom=settings.zoom, shift=settings.shift)
    grid, _ = moving_grid(batch.images.shape, change, batch.images.device)
    assert grid is not None
    images, labels = resampled(batch.images.float(), batch.labels, grid, outside="reflection")
    others, other_labels = batch.other_images, batch.other_labels
    if others is not None:
        others, other_labels = resampled(others.float(), other_labels, grid, outside="reflection")
    assert labels is not None
    return replace(batch, images=images, labels=labels, other_images=others, other_labels=other_labels)


def generator_inputs(batch: Batch, settings: StyleAugmentationSettings) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Build the generator's inputs and targets for a batch of N faces of S x S pixels, with random augmentation.

    Returns:
        Four tensors: the one-hot masks (N, 19, S, S) of the faces to paint; these faces (N, 3, S, S) in [-1, 1], the
        targets of the generator; the style encoder's masks (N, 19, S, S); and the style encoder's pictures
        (N, 3, S, S) in [-1, 1].
    """
    mask, real = one_hot(batch.labels), to_unit(batch.images)
    style_mask, style = mask, real
    if batch.other_images is not None and batch.other_labels is not None:
        chosen = (torch.rand(len(mask), device=mask.device) < settings.expression_variants).view(-1, 1, 1, 1)
        style_mask = torch.where(chosen, one_hot(batch.other_labels), mask)
        style = torch.where(chosen, to_unit(batch.other_images), real)
    if settings.light or settings.tint:
        change = AugmentSettings(light=settings.light, tint=settings.tint, noise=0.0)
        if style is real:
            real = style = recolour(real, change)
        else:  # side by side, so that both get the same light
            real, style = recolour(torch.cat([real, style], 3), change).chunk(2, 3)
    if settings.style_rotate or settings.style_zoom or settings.style_shift:
        change = AugmentSettings(rotate=settings.style_rotate, zoom=settings.style_zoom, shift=settings.style_shift)
        pictures, moved, _ = move(style, style_mask.argmax(1).to(torch.uint8), change)
        assert moved is not None
        if settings.style_still:
            still = (torch.rand(len(mask), device=mask.device) < settings.style_still).view(-1, 1, 1, 1)
            style, style_mask = torch.where(still, style, pictures), torch.where(still, style_mask, one_hot(moved))
        else:
            style, style_mask = pictures, one_hot(moved)
    if settings.blur or settings.noise:
        style = recolour(style, AugmentSettings(light=0.0, tint=0.0, blur=settings.blur, noise=settings.noise))
    return mask, real, style_mask, style
