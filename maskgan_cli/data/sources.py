"""What `prepare` asks of a source: one `Candidate` per sample, before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

SPLITS = ("train", "val", "test")


def problem_with_id(name: str) -> str:
    """Why a sample cannot be called so ("" if it can): its name becomes the name of files in a folder of ours."""
    if not name:
        return "it has no id"
    if "/" in name or "\\" in name or name.startswith("."):
        return f"its id {name!r} would lead out of the data set, or hide its files"
    if any(ord(c) < 32 for c in name) or len(name.encode("utf-8", "surrogateescape")) > 200:
        return f"its id {name[:40]!r} is no name for a file (control characters, or longer than 200 bytes)"
    return ""


@dataclass(frozen=True)
class Candidate:
    """One sample as a source lists it.

    Attributes:
        id: its name in the prepared data set, without suffix.
        image: the picture, or None if only a mask was found.
        masks: part name -> part file (raw layout), or ``{"": label map}``; {} in a source of images only.
        split: ``train``, ``val`` or ``test``.
        fields: further manifest columns (celeba_id, identity, yaw, ..., attributes).
        reason: why the sample must be rejected, as far as the listing alone can tell.
    """

    id: str
    image: Path | None
    masks: dict[str, Path]
    split: str
    fields: dict[str, str] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class Source:
    """A listed source.

    Attributes:
        name: what it is, e.g. ``CelebAMask-HQ``.
        candidates: its samples, in a fixed order.
        columns: the manifest columns its samples may fill, in order.
        order: class order of its label maps, a key of `maskgan_cli.labels.ORDERS`.
        masked: whether its samples have masks at all.
        sides: width and height that every picture must have; None where any square will do.
        crop: side of the central square that is taken of each picture; None takes the whole.
        halved: whether label maps may have half the pictures' side, as CelebAMask-HQ's have.
        remarks: what of the source is left out, in sentences for people.
    """

    name: str
    candidates: list[Candidate]
    columns: list[str]
    order: str = "celebamask"
    masked: bool = True
    sides: tuple[int, int] | None = None
    crop: int | None = None
    halved: bool = False
    remarks: tuple[str, ...] = ()
