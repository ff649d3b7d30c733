"""Classes for the input of a preparation (`prepare`): `Source` is a list of samples, and `Candidate` is one sample.

They contain paths of files; the files are decoded during the preparation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

SPLITS = ("train", "val", "test")


def problem_with_id(name: str) -> str:
    """Return a message if a sample's id cannot be used as a file name; otherwise an empty string."""
    if not name:
        return "it has no id"
    if "/" in name or "\\" in name or name.startswith("."):
        return f"its id {name!r} would place files outside of the data set, or hide them"
    if any(ord(c) < 32 for c in name) or len(name.encode("utf-8", "surrogateescape")) > 200:
        return f"its id {name[:40]!r} is not a valid file name (control characters, or longer than 200 bytes)"
    return ""


@dataclass(frozen=True)
class Candidate:
    """One sample of a source, before its preparation.

    Attributes:
        id: id of the sample, used as file name without suffix.
        image: path of the picture; None if there is only a mask.
        masks: dict from part name to the path of the part file (raw layout), or ``{"": path of the label map}``; empty
            if there is no mask.
        split: ``train``, ``val`` or ``test``.
        fields: dict from column name to value, for further columns of the manifest (celeba_id, identity, yaw, ...,
            attributes).
        reason: why the sample will be rejected without reading its files, e.g. because its mask is missing; empty if
            the sample will be prepared.
    """

    id: str
    image: Path | None
    masks: dict[str, Path]
    split: str
    fields: dict[str, str] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class Source:
    """A list of samples to prepare, and properties that are the same for all samples.

    Attributes:
        name: name of the source, e.g. ``CelebAMask-HQ``.
        candidates: the samples, in a fixed order.
        columns: names of the manifest's columns after ``id``, ``split``, ``image`` and ``mask``, in order.
        order: class order of the label maps (which class each id stands for), a key of `maskgan_cli.labels.ORDERS`.
        masked: whether the samples have masks.
        sides: required width and height of all pictures; None if any square picture is valid.
        crop: side in pixels of the central square to which each picture is cropped; None uses the whole picture.
        halved: whether label maps may have half the size of the pictures, as in CelebAMask-HQ.
        remarks: messages for the user about files that are skipped.
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
