"""Settings of the adversarial trainings of DMN, EBST and Pix2PixHD-m."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor

from maskgan_cli.config import Section, Share, TrainingRecipe
from maskgan_cli.labels import ID, NUM_CLASSES
from maskgan_cli.models.discriminator import DiscriminatorConfig
from maskgan_cli.models.dmn import DMNConfig
from maskgan_cli.training.augment import NotNegative, PairAugmentSettings
from maskgan_cli.training.measures import ValidationSettings
from maskgan_cli.training.perceptual_features import PerceptualSettings
from maskgan_cli.training.style_inputs import StyleAugmentationSettings

_SMALL = ("l_eye", "r_eye", "l_brow", "r_brow", "u_lip", "l_lip", "mouth", "eye_g", "l_ear", "r_ear", "ear_r")


class LossSettings(Section):
    """Weights of the loss terms; a weight of 0 switches the term off.

    The paper has the terms ``adversarial``, ``feature_matching`` and ``perceptual``; this project adds the others.

    Attributes:
        adversarial: the generator's adversarial loss, see ``GANRecipe.adversarial_loss``.
        feature_matching: L1 between the discriminator's features of generated and real face.
        perceptual: L1 between the features of generated and real face in a frozen network.
        pixel: L1 between generated and real face.
        small_classes: not a loss term: the weight of the pixels of small classes (eyes, brows, lips, mouth, glasses,
            ears, earrings) in the term ``pixel``; the pixels of other classes have weight 1.
        segmentation: cross-entropy between a face parser's prediction for the generated face and the input mask; needs
            ``perceptual.network: parser``.
        colours: L1 between the mean colours of each class in generated face and style picture, see
            `losses.class_colours`.
        texture: difference between the roughness of each class in generated face and style picture, see
            `losses.texture`.
        identity: one minus the cosine between the identity embeddings of the generated face and of the style picture;
            the section ``identity`` of the recipe names the network.
    """

    adversarial: float = 1.0
    feature_matching: float = 10.0
    perceptual: float = 10.0
    pixel: float = 0.0
    small_classes: Annotated[float, Field(gt=0.0)] = 1.0
    segmentation: float = 0.0
    colours: float = 0.0
    texture: float = 0.0
    identity: float = 0.0


class IdentitySettings(Section):
    """Settings of the network that the identity loss uses.

    Attributes:
        weights: weights of ``maskgan train identity``, or of a published ArcFace network; if null, the weights that all
            commands find by default.
    """

    weights: Path | None = None


class GANRecipe(TrainingRecipe):
    """Settings of the trainings ``maskgan train dmn`` (Stage I), ``ebst`` (Stage II) and ``pix2pixhd-m``.

    ``look`` is the former name of ``style_augmentation`` and still works.

    Attributes:
        ema: decay of an exponential moving average of the generator's weights; 0 for no average.
        ema_warmup: use a smaller decay in the first steps, so that the average follows the generator quickly in these
            steps.
        initialisation: ``published``, or ``balanced`` for narrow networks, see `DenseMappingNetwork.balance`.
        compile: compile generator and discriminator with PyTorch, which makes the first step take minutes.
        checkpointing: recompute parts of the forward pass in the backward pass (activation checkpointing), which needs
            less memory but more time.
        discriminator_rate: learning rate of the discriminator as a multiple of ``optimiser.lr`` (Heusel et al. 2017).
        adversarial_loss: ``least_squares`` as published, or ``hinge`` (Lim and Ye 2017).
        r1: weight of the R1 gradient penalty on real faces (Mescheder et al. 2018) in Stage I, which keeps a
            discriminator without normalisation smooth; 0, as published, for no penalty.
    """

    ema: Share = 0.0
    ema_warmup: bool = False
    initialisation: Literal["published", "balanced"] = "published"
    compile: bool = False
    checkpointing: bool = False
    discriminator_rate: Annotated[float, Field(gt=0.0)] = 1.0
    adversarial_loss: Literal["least_squares", "hinge"] = "least_squares"
    r1: NotNegative = 0.0
    network: DMNConfig = DMNConfig()
    discriminator: DiscriminatorConfig = DiscriminatorConfig()
    perceptual: PerceptualSettings = PerceptualSettings()
    loss: LossSettings = LossSettings()
    style_augmentation: StyleAugmentationSettings = StyleAugmentationSettings()
    discriminator_augment: PairAugmentSettings = PairAugmentSettings()
    identity: IdentitySettings = IdentitySettings()
    validation: ValidationSettings = ValidationSettings()

    _former_names: ClassVar[Mapping[str, str]] = {"look": "style_augmentation"}

    @model_validator(mode="after")
    def _checkpointing_is_possible(self) -> GANRecipe:
        """Check that ``checkpointing`` and ``compile`` are not both set."""
        if self.compile and self.checkpointing:
            raise ValueError("checkpointing does not go with compile: PyTorch decides what compiled networks keep")
        return self

    @model_validator(mode="after")
    def _segmentation_is_possible(self) -> GANRecipe:
        """Check that the loss term ``segmentation`` has a face parser."""
        if self.loss.segmentation and self.perceptual.network != "parser":
            raise ValueError("loss.segmentation needs perceptual.network=parser")
        return self


def class_weights(small: float, device: torch.device) -> Tensor:
    """Return the weight of each class in the loss term ``pixel``: a tensor (19,).

    Args:
        small: weight of the small classes (eyes, brows, lips, mouth, glasses, ears, earrings); all others have 1.
        device: device of the tensor.
    """
    weights = torch.ones(NUM_CLASSES, device=device)
    weights[[ID[name] for name in _SMALL]] = small
    return weights
