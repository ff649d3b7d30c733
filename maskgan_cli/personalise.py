"""One person's generator: trained weights go on learning from a few of their pictures, without losing the mask.

A network that only paints one photo back soon paints nothing else. So each step has three lessons: a picture painted
back, moved a little; the same person under a mask that a rendered face's features were put into, where all but the edit
shall stay the picture and the face parser shall read the mask that was asked for; and rendered people with another
expression, whose true picture is known.
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
from maskgan_cli.editing.faces import Face, check_files
from maskgan_cli.editing.fit import fit_parts
from maskgan_cli.editing.swap import swap_parts
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

MOST: Final = 20  # pictures
COMPANY: Final = 24  # rendered people
# What an edit exchanges; mouths most.
_PARTS: Final = ("mouth", "mouth", "brows", "eyes", "nose", "mouth,brows,eyes,nose")
_MOVED: Final = AugmentSettings(rotate=4.0, zoom=0.08, shift=0.03, light=0.0, tint=0.0, noise=0.0)
_SEEN: Final = AugmentSettings(light=0.1, tint=0.05, blur=0.3, noise=0.03)
_PIXEL, _FEATURES, _SEGMENTATION, _SMALL = 30.0, 10.0, 1.0, 4.0  # as the bundled generator was trained
_RIM: Final = 0.016  # about an edit that may change with it, of the side

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Settings:
    """How far.

    Attributes:
        steps: updates; two seconds each on one core at 256 px.
        rate: Adam's, falling to 0 over the second half.
        seed: of everything that is drawn.
    """

    steps: int = 100
    rate: float = 2e-4
    seed: int = 0


class Faces(NamedTuple):
    """Faces on their device: ``images`` (N, 3, S, S) in [-1, 1] and ``labels`` (N, S, S) ``uint8``."""

    images: Tensor
    labels: Tensor


class Company(NamedTuple):
    """Rendered people, each twice: ``calm`` and with another expression."""

    calm: Faces
    other: Faces


@dataclass(frozen=True)
class Personal:
    """A person's generator.

    Attributes:
        network: ready to paint.
        start: the weights it began with.
        before, after: L1 in [0, 1] of the pictures painted back, by those weights and by these.
    """

    network: DenseMappingNetwork
    start: Weights
    before: float
    after: float


def recorded(photos: Sequence[Path], start: Path, parser: Path, settings: Settings) -> dict[str, Any]:
    """What decides the result, by hashes.

    Raises:
        InputError: a file that cannot be read.
    """
    check_files(photos)
    weights = {"start": read_weights(start, "dmn").sha256, "parser": read_weights(parser, "parser").sha256}
    return {"photos": [sha256(path) for path in photos], **weights, **asdict(settings)}


def personalised(
    start: Path, parser: Path, faces: Sequence[Face], settings: Settings, device: torch.device, report: Progress
) -> Personal:
    """The generator of ``start`` after `personalise`.

    Raises:
        InputError: no such weights.
    """
    network, weights = load("dmn", start, device)
    reads, _ = load("parser", parser, device)
    pictures, masks = [face.picture for face in faces], [face.labels for face in faces]
    crops = _crops(pictures, masks, network)
    before = _painted_back(network, crops)
    personalise(network, reads, pictures, masks, settings, report)
    return Personal(network, weights, before, _painted_back(network, crops))


def write(out: Path, made: Personal, record: Mapping[str, Any], *, overwrite: bool = False) -> None:
    """The weights and their card.

    Raises:
        InputError: ``out`` came to be meanwhile, and not ``overwrite``.
    """
    if not overwrite:
        refuse_existing(out)
    began = made.start.about
    about: dict[str, Any] = {name: began[name] for name in ("data", "source") if name in began}
    terms = began.get("licence", "those of the data it was trained on")
    about["licence"] = f"the terms of the weights it began with ({terms}), and the rights of the person in the photos"
    save_weights(out, made.network, kind="dmn", config=made.start.config, about={**about, "personal": dict(record)})


@torch.inference_mode()
def _painted_back(network: DenseMappingNetwork, faces: Faces) -> float:
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
    """Teach a generator a person, in place. The same pictures, settings and threads give the same weights.

    Args:
        generator: trained weights, on their device.
        parser: of faces, frozen, on the same device.
        pictures: (S, S, 3) face crops of the person, of any sides.
        masks: (S, S) their label maps.
        settings: how far.
        report: told how many steps are done, of how many, and the last one's losses.
    """
    person = _crops(pictures, masks, generator)
    device = person.images.device
    company = _company(generator.config.image_size, settings.seed, device)
    rng = np.random.default_rng(settings.seed)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(settings.seed)
        generator.train().requires_grad_(True)
        adam = Adam(generator.parameters(), lr=settings.rate, betas=(0.5, 0.999))
        for step in range(settings.steps):
            for group in adam.param_groups:
                group["lr"] = settings.rate * min(1.0, 2.0 * (1 - step / settings.steps))
            terms = _lessons(generator, parser, person, company, rng)
            adam.zero_grad()
            torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
            adam.step()
            report(
                step + 1,
                settings.steps,
                "  ".join(f"{name} {float(term.detach()):.2f}" for name, term in terms.items()),
            )
        generator.eval().requires_grad_(False)


def _lessons(
    generator: DenseMappingNetwork, parser: FaceParser, person: Faces, company: Company, rng: np.random.Generator
) -> dict[str, Tensor]:
    """The losses of one step, weighed."""
    mine = _one(person, int(rng.integers(len(person.images))))
    images, labels, _ = move(mine.images, mine.labels, _MOVED)
    assert labels is not None
    number = int(rng.integers(COMPANY))
    first, second = (_one(faces, number) for faces in (company.calm, company.other))
    if rng.random() < 0.5:
        first, second = second, first
    donor = _one(company.other if rng.random() < 0.5 else company.calm, int(rng.integers(COMPANY)))
    edited, kept = edit(labels, donor.labels, _PARTS[int(rng.integers(len(_PARTS)))])

    asked = torch.cat([labels, edited, second.labels])
    style = Faces(torch.cat([images, images, first.images]), torch.cat([labels, labels, first.labels]))
    wanted = torch.cat([images, images, second.images])
    known = torch.cat([torch.ones_like(kept), kept, torch.ones_like(kept)])  # where ``wanted`` is the truth
    painted = generator(one_hot(asked), one_hot(style.labels), recolour(style.images, _SEEN))
    return _compared(parser, painted, wanted, known, asked)


def _compared(parser: FaceParser, painted: Tensor, wanted: Tensor, known: Tensor, asked: Tensor) -> dict[str, Tensor]:
    """What paintings (N, 3, S, S) lack of what was wanted, where that is ``known`` (N, 1, S, S), and of their masks."""
    weight = class_weights(_SMALL, asked.device)[asked.long()].unsqueeze(1) * known
    pixel = ((painted - wanted).abs() * weight).sum() / (3 * weight.sum())
    bottom, ours = parser.encode(parser.fitted(painted))
    read = resized(parser.decode(bottom, ours).float(), asked.shape[-1])
    segmentation = F.cross_entropy(read, asked.long())
    with torch.no_grad():  # what is not known looks as it was painted: nothing to learn from there
        deep, theirs = parser.encode(parser.fitted(torch.where(known.bool(), wanted, painted)))
    features = losses.perceptual([*ours, bottom], [*theirs, deep])
    return {"pixel": _PIXEL * pixel, "features": _FEATURES * features, "mask": _SEGMENTATION * segmentation}


def edit(labels: Tensor, donor: Tensor, parts: str) -> tuple[Tensor, Tensor]:
    """Another face's parts in a face's mask, brought to where they belong.

    Args:
        labels, donor: (1, S, S) ``uint8``.
        parts: see `part_ids`.

    Returns:
        The mask (1, S, S), and (1, 1, S, S): 1 where the picture stays as it is, 0 in the edit and on its rim.
    """
    mine, theirs, ids = labels[0].cpu().numpy(), donor[0].cpu().numpy(), part_ids(parts)
    changed = torch.from_numpy(swap_parts(mine, fit_parts(theirs, mine, ids), ids))[None].to(labels.device)
    differs = (changed != labels).float().unsqueeze(1)
    rim = max(1, round(_RIM * labels.shape[-1]))
    return changed, 1.0 - F.max_pool2d(differs, 2 * rim + 1, stride=1, padding=rim)


def _company(side: int, seed: int, device: torch.device) -> Company:
    """Rendered people of the network's size, each calm and with another's expression."""
    calm: list[tuple[Picture, LabelMap]] = []
    other: list[tuple[Picture, LabelMap]] = []
    for number in range(COMPANY):
        who = sample_identity(seed, number)
        scene = sample_scene(seed, number, who)
        changed = with_expression(scene, sample_scene(seed, number + COMPANY, who))
        for faces, one in ((calm, scene), (other, changed)):
            drawn = render(who, one, side)
            faces.append((drawn.picture, drawn.labels))
    return Company(_faces(calm, device), _faces(other, device))


def _crops(pictures: Sequence[Picture], masks: Sequence[LabelMap], network: DenseMappingNetwork) -> Faces:
    """Faces of any sides at the network's size, on its device."""
    side, pairs = network.config.image_size, zip(pictures, masks, strict=True)
    sized = [(resize_image(picture, side), resize_labels(mask, side)) for picture, mask in pairs]
    return _faces(sized, next(network.parameters()).device)


def _faces(faces: Sequence[tuple[Picture, LabelMap]], device: torch.device) -> Faces:
    pictures = torch.from_numpy(np.stack([picture for picture, _ in faces])).permute(0, 3, 1, 2)
    labels = torch.from_numpy(np.stack([mask for _, mask in faces]))
    return Faces(to_unit(pictures.contiguous().to(device)), labels.to(device))


def _one(faces: Faces, number: int) -> Faces:
    return Faces(faces.images[number : number + 1], faces.labels[number : number + 1])
