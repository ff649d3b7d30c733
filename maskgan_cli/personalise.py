"""Fine-tunes a generator on a few pictures of one person. The fine-tuned generator still follows edited masks.

A network trained only to reconstruct one photo soon ignores the input mask. So each training step has three parts:

1. Reconstruct a picture of the person that is rotated, scaled and shifted a little.
2. Copy parts (e.g. the mouth) from the mask of a rendered face into the person's mask, and synthesise the person with
   this edited mask. Outside the edit, the result must equal the picture, and the face parser must predict the edited
   mask from the result.
3. Synthesise a rendered person with another expression. The rendering with that expression is the ground truth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim import Adam

from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.editing.faces.face import Face, check_files
from maskgan_cli.editing.masks.fit import fit_parts
from maskgan_cli.editing.masks.swap import swap_parts
from maskgan_cli.files import Picture, refuse_existing, sha256
from maskgan_cli.labels import LabelMap, part_ids
from maskgan_cli.models.dmn import DenseMappingNetwork
from maskgan_cli.models.layers import one_hot, to_unit
from maskgan_cli.models.parser import FaceParser, resized
from maskgan_cli.synth import render, sample_identity, sample_scene, with_expression
from maskgan_cli.training import losses
from maskgan_cli.training.augment import AugmentSettings, move, recolour
from maskgan_cli.training.gan_recipe import class_weights
from maskgan_cli.weights.format import Weights, load, read_weights, save_weights

MOST: Final = 20  # maximum number of pictures
REFERENCES: Final = 24  # number of rendered people
# Parts that a random edit copies. The mouth is listed twice, so it is drawn most often.
_PARTS: Final = ("mouth", "mouth", "brows", "eyes", "nose", "mouth,brows,eyes,nose")
# Augmentation of the person's pictures and masks, and of the style pictures that the generator receives.
_MOVED: Final = AugmentSettings(rotate=4.0, zoom=0.08, shift=0.03, light=0.0, tint=0.0, noise=0.0)
_SEEN: Final = AugmentSettings(light=0.1, tint=0.05, blur=0.3, noise=0.03)
# Loss weights, and the weight of small classes in the pixel loss; the same as in the bundled generator's training.
_PIXEL, _FEATURES, _SEGMENTATION, _SMALL = 30.0, 10.0, 1.0, 4.0
_RIM: Final = 0.016  # width of the border around an edit in which pixels may change too, as a share of the side

Progress = Callable[[int, int, str], None]  # (finished steps, all steps, losses of the last step as text)


@dataclass(frozen=True)
class Settings:
    """Settings of the fine-tuning.

    Attributes:
        steps: number of training steps; each step takes two seconds on one CPU core at 256 px.
        rate: learning rate of Adam, which decreases linearly to 0 over the second half of the steps.
        seed: seed of all random numbers.
    """

    steps: int = 100
    rate: float = 2e-4
    seed: int = 0


class FaceTensors(NamedTuple):
    """Faces as tensors on one device: ``images`` (N, 3, S, S) in [-1, 1] and ``labels`` (N, S, S) ``uint8``."""

    images: Tensor
    labels: Tensor


class ReferenceFaces(NamedTuple):
    """Rendered people, each with two facial expressions.

    Face i of ``first`` and face i of ``second`` show the same person with different expressions.
    """

    first: FaceTensors
    second: FaceTensors


@dataclass(frozen=True)
class Personal:
    """A generator that was fine-tuned for one person.

    Attributes:
        network: the fine-tuned network, in evaluation mode.
        start: the content of the weights file from which the fine-tuning started.
        before, after: reconstruction error (L1, in [0, 1]) of the person's pictures, before and after fine-tuning.
    """

    network: DenseMappingNetwork
    start: Weights
    before: float
    after: float


def recorded(photos: Sequence[Path], start: Path, parser: Path, settings: Settings) -> dict[str, Any]:
    """Return a dict of everything that determines the result of the fine-tuning, to be stored in the weights file.

    The keys are ``photos``, ``start`` and ``parser`` (SHA-256 of these files) and the names of the settings.

    Args:
        photos: files of the person's photos.
        start: weights of the generator to fine-tune.
        parser: weights of the face parser.
        settings: settings of the fine-tuning.

    Raises:
        InputError: a file cannot be read.
    """
    check_files(photos)
    weights = {"start": read_weights(start, "dmn").sha256, "parser": read_weights(parser, "parser").sha256}
    return {"photos": [sha256(path) for path in photos], **weights, **asdict(settings)}


def personalised(
    start: Path, parser: Path, faces: Sequence[Face], settings: Settings, device: torch.device, report: Progress
) -> Personal:
    """Load a generator and fine-tune it with `personalise`.

    Args:
        start: weights of the generator.
        parser: weights of the face parser.
        faces: face crops of the person with their masks.
        settings: settings of the fine-tuning.
        device: the device to compute on.
        report: function that is called after each step, see `personalise`.

    Returns:
        The fine-tuned generator, and its reconstruction errors before and after fine-tuning.

    Raises:
        InputError: weights are missing or not valid.
    """
    network, weights = load("dmn", start, device)
    reads, _ = load("parser", parser, device)
    pictures, masks = [face.picture for face in faces], [face.labels for face in faces]
    crops = _crops(pictures, masks, network)
    before = _reconstruction_error(network, crops)
    personalise(network, reads, pictures, masks, settings, report)
    return Personal(network, weights, before, _reconstruction_error(network, crops))


def write(out: Path, made: Personal, record: Mapping[str, Any], *, overwrite: bool = False) -> None:
    """Write a fine-tuned generator's weights to ``out``, and their model card beside it.

    Args:
        out: the weights file to write.
        made: the fine-tuned generator.
        record: the result of `recorded`, which the file and the card contain.
        overwrite: replace an existing file.

    Raises:
        InputError: ``out`` exists, and ``overwrite`` is false.
    """
    if not overwrite:
        refuse_existing(out)
    began = made.start.about
    about: dict[str, Any] = {name: began[name] for name in ("data", "source") if name in began}
    terms = began.get("licence", "those of the data it was trained on")
    about["licence"] = f"the terms of the weights it began with ({terms}), and the rights of the person in the photos"
    save_weights(out, made.network, kind="dmn", config=made.start.config, about={**about, "personal": dict(record)})


@torch.inference_mode()
def _reconstruction_error(network: DenseMappingNetwork, faces: FaceTensors) -> float:
    """Reconstruct each face from its own mask and style, and return the mean L1 error of all pixels, in [0, 1]."""
    errors = []
    for number in range(len(faces.images)):
        image, mask = _one(faces, number)
        errors.append((network(mask, mask, image) - image).abs().mean() / 2)
    return float(torch.stack(errors).mean())


def personalise(
    generator: DenseMappingNetwork,
    parser: FaceParser,
    pictures: Sequence[Picture],
    masks: Sequence[LabelMap],
    settings: Settings = Settings(),
    report: Progress = lambda done, total, note: None,
) -> None:
    """Fine-tune a generator in place on pictures of one person; see the module's docstring for the losses.

    The same pictures, settings and number of threads give the same weights.

    Args:
        generator: a trained generator.
        parser: a frozen face parser on the same device.
        pictures: face crops (S, S, 3) of the person, of any sizes.
        masks: the label maps (S, S) of the face crops.
        settings: steps, learning rate and seed.
        report: function that is called after each step, with the number of finished steps, the number of all steps,
            and a text with the losses of this step.
    """
    person = _crops(pictures, masks, generator)
    device = person.images.device
    references = _reference_faces(generator.config.image_size, settings.seed, device)
    rng = np.random.default_rng(settings.seed)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(settings.seed)
        generator.train().requires_grad_(True)
        adam = Adam(generator.parameters(), lr=settings.rate, betas=(0.5, 0.999))
        for step in range(settings.steps):
            for group in adam.param_groups:
                group["lr"] = settings.rate * min(1.0, 2.0 * (1 - step / settings.steps))
            terms = _training_losses(generator, parser, person, references, rng)
            adam.zero_grad()
            torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
            adam.step()
            report(
                step + 1,
                settings.steps,
                "  ".join(f"{name} {float(term.detach()):.2f}" for name, term in terms.items()),
            )
        generator.eval().requires_grad_(False)


def _training_losses(
    generator: DenseMappingNetwork,
    parser: FaceParser,
    person: FaceTensors,
    references: ReferenceFaces,
    rng: np.random.Generator,
) -> dict[str, Tensor]:
    """Draw pictures and a mask edit at random, and return a dict from name to weighted loss for one training step.

    Args:
        generator: the generator to fine-tune.
        parser: the frozen face parser.
        person: the person's faces, of which one is drawn.
        references: rendered faces, of which one is drawn as a training example and one as the source of copied parts.
        rng: generator of the random choices.
    """
    mine = _one(person, int(rng.integers(len(person.images))))
    images, labels, _ = move(mine.images, mine.labels, _MOVED)
    assert labels is not None
    number = int(rng.integers(REFERENCES))
    first, second = (_one(faces, number) for faces in references)
    if rng.random() < 0.5:
        first, second = second, first
    donor = _one(references.second if rng.random() < 0.5 else references.first, int(rng.integers(REFERENCES)))
    edited, kept = edit(labels, donor.labels, _PARTS[int(rng.integers(len(_PARTS)))])

    masks = torch.cat([labels, edited, second.labels])
    style = FaceTensors(torch.cat([images, images, first.images]), torch.cat([labels, labels, first.labels]))
    target = torch.cat([images, images, second.images])
    known = torch.cat([torch.ones_like(kept), kept, torch.ones_like(kept)])  # where ``target`` is the ground truth
    painted = generator(one_hot(masks), one_hot(style.labels), recolour(style.images, _SEEN))
    return _compared(parser, painted, target, known, masks)


def _compared(parser: FaceParser, painted: Tensor, target: Tensor, known: Tensor, masks: Tensor) -> dict[str, Tensor]:
    """Return the weighted losses of generated pictures as a dict with the keys ``pixel``, ``features`` and ``mask``.

    ``pixel`` and ``features`` compare the generated pictures with their targets. ``mask`` compares the masks that the
    parser predicts for the generated pictures with the input masks.

    Args:
        parser: the face parser.
        painted, target: generated and target pictures (N, 3, S, S) in [-1, 1].
        known: (N, 1, S, S); 1 where the target is the ground truth, 0 where the target is ignored.
        masks: input masks (N, S, S).
    """
    weight = class_weights(_SMALL, masks.device)[masks.long()].unsqueeze(1) * known
    pixel = ((painted - target).abs() * weight).sum() / (3 * weight.sum())
    bottom, ours = parser.encode(parser.fitted(painted))
    read = resized(parser.decode(bottom, ours).float(), masks.shape[-1])
    segmentation = F.cross_entropy(read, masks.long())
    with torch.no_grad():  # unknown regions are filled with the generated picture, so that their loss is about 0
        deep, theirs = parser.encode(parser.fitted(torch.where(known.bool(), target, painted)))
    features = losses.perceptual([*ours, bottom], [*theirs, deep])
    return {"pixel": _PIXEL * pixel, "features": _FEATURES * features, "mask": _SEGMENTATION * segmentation}


def edit(labels: Tensor, donor: Tensor, parts: str) -> tuple[Tensor, Tensor]:
    """Copy parts of another face's mask into a mask. The copied parts are aligned with the parts that they replace.

    Args:
        labels: the mask to edit (1, S, S) ``uint8``.
        donor: the mask of the other face (1, S, S) ``uint8``, from which the parts are copied.
        parts: comma-separated names of the parts to copy, see `part_ids`.

    Returns:
        The edited mask (1, S, S), and a map (1, 1, S, S) that is 0 at changed pixels and near them, and 1 elsewhere.
    """
    mine, theirs, ids = labels[0].cpu().numpy(), donor[0].cpu().numpy(), part_ids(parts)
    changed = torch.from_numpy(swap_parts(mine, fit_parts(theirs, mine, ids), ids))[None].to(labels.device)
    differs = (changed != labels).float().unsqueeze(1)
    rim = max(1, round(_RIM * labels.shape[-1]))
    return changed, 1.0 - F.max_pool2d(differs, 2 * rim + 1, stride=1, padding=rim)


def _reference_faces(side: int, seed: int, device: torch.device) -> ReferenceFaces:
    """Render `REFERENCES` random people with two facial expressions each, as pictures of ``side`` x ``side`` pixels."""
    first: list[tuple[Picture, LabelMap]] = []
    second: list[tuple[Picture, LabelMap]] = []
    for number in range(REFERENCES):
        who = sample_identity(seed, number)
        scene = sample_scene(seed, number, who)
        changed = with_expression(scene, sample_scene(seed, number + REFERENCES, who))
        for faces, one in ((first, scene), (second, changed)):
            drawn = render(who, one, side)
            faces.append((drawn.picture, drawn.labels))
    return ReferenceFaces(_faces(first, device), _faces(second, device))


def _crops(pictures: Sequence[Picture], masks: Sequence[LabelMap], network: DenseMappingNetwork) -> FaceTensors:
    """Resize faces to the network's image size, and return them as tensors on the network's device.

    Args:
        pictures: square pictures (H, H, 3) of any sizes.
        masks: the label maps (H, H) of the pictures.
        network: the generator.
    """
    side, pairs = network.config.image_size, zip(pictures, masks, strict=True)
    sized = [(resize_image(picture, side), resize_labels(mask, side)) for picture, mask in pairs]
    return _faces(sized, next(network.parameters()).device)


def _faces(faces: Sequence[tuple[Picture, LabelMap]], device: torch.device) -> FaceTensors:
    pictures = torch.from_numpy(np.stack([picture for picture, _ in faces])).permute(0, 3, 1, 2)
    labels = torch.from_numpy(np.stack([mask for _, mask in faces]))
    return FaceTensors(to_unit(pictures.contiguous().to(device)), labels.to(device))


def _one(faces: FaceTensors, number: int) -> FaceTensors:
    return FaceTensors(faces.images[number : number + 1], faces.labels[number : number + 1])
