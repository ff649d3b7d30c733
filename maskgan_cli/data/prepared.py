"""Reading a prepared data set (its layout is in docs/data.md)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from maskgan_cli.data.sources import SPLITS, problem_with_id
from maskgan_cli.errors import InputError
from maskgan_cli.files import read_csv, read_json, sha256

ANGLES: Final = ("yaw", "pitch", "roll")
_MAX_SIDE: Final = 1 << 14  # more is no side of a face
_HINT: Final = "prepare it again with `maskgan prep-data`"


@dataclass(frozen=True)
class Sample:
    """One row of the manifest, its paths resolved.

    Attributes:
        id, split: as in the manifest.
        image: a square picture.
        mask_file: its label map, of the same size; None in a data set of images only.
        fields: the other columns that are not empty: celeba_id, identity, yaw, ..., attributes.
    """

    id: str
    split: str
    image: Path
    mask_file: Path | None
    fields: dict[str, str]

    @property
    def mask(self) -> Path:
        """The label map's file.

        Raises:
            InputError: the data set has images only.
        """
        if self.mask_file is None:
            raise InputError(
                self.image, expected="a face with its mask", found="a data set of images only",
                hint="prepare one with masks, or make them with `maskgan parse`",
            )  # fmt: skip
        return self.mask_file


@dataclass(frozen=True)
class PreparedData:
    """A prepared data set.

    Attributes:
        root: its folder.
        size: side of every image and mask.
        hash: of its manifest and every file, as `prepare` wrote it.
        samples: in the manifest's order.
    """

    root: Path
    size: int
    hash: str
    samples: list[Sample]
    info: dict[str, Any]

    @classmethod
    def load(cls, root: str | Path) -> PreparedData:
        """Read ``dataset.json`` and ``manifest.csv``.

        Raises:
            InputError: it is no prepared data set.
        """
        root = Path(root)
        check_prepared(root)
        info = _description(root / "dataset.json")
        rows = read_csv(root / "manifest.csv")
        samples = [_sample(root, row, f"{root / 'manifest.csv'}, sample {n}") for n, row in enumerate(rows, 1)]
        seen: set[str] = set()
        for sample in samples:
            if sample.id in seen:
                raise InputError(
                    root / "manifest.csv", expected="every id once", found=f"{sample.id} twice", hint=_HINT
                )
            seen.add(sample.id)
        if not samples:
            raise InputError(root / "manifest.csv", expected="samples", found="none", hint=_HINT)
        return cls(root, info["size"], info["hash"], samples, info)

    def check_manifest(self) -> None:
        """Insist that the manifest is the one that was prepared: the hash in every result speaks of that.

        The pictures and masks themselves are compared by `maskgan check-data`.

        Raises:
            InputError: it was changed since.
        """
        known = self.info.get("manifest")  # data sets of earlier versions do not say
        if known is not None and sha256(self.root / "manifest.csv") != known:
            raise InputError(
                self.root / "manifest.csv", expected="the manifest that was prepared", found="another",
                hint=f"take the change into a data set of its own: maskgan prep-data {self.root} NEW",
            )  # fmt: skip

    @property
    def masked(self) -> bool:
        """Whether its samples have masks; a data set of images only has none."""
        return bool(self.info["classes"])

    def split(self, name: str) -> list[Sample]:
        """The samples of ``train``, ``val`` or ``test``.

        Raises:
            InputError: that split is empty.
        """
        chosen = [sample for sample in self.samples if sample.split == name]
        if not chosen:
            counts = ", ".join(f"{s} {sum(x.split == s for x in self.samples)}" for s in SPLITS)
            raise InputError(self.root, expected=f"samples of the {name} split", found=counts)
        return chosen


def check_prepared(root: Path) -> None:
    """Raise an InputError where there is no prepared data set; nothing is read."""
    if not (root / "dataset.json").is_file():
        raise InputError(
            root, expected="a prepared data set (a folder with dataset.json)", found="none",
            hint="make one with `maskgan prep-data SOURCE OUT`",
        )  # fmt: skip


def _description(path: Path) -> dict[str, Any]:
    """``dataset.json``, with what we rely on checked."""
    info = read_json(path)
    kinds: dict[str, type] = {"size": int, "hash": str, "classes": list}
    for name, kind in kinds.items():
        value = info.get(name) if isinstance(info, dict) else None
        if type(value) is not kind or (name == "size" and not 0 < info["size"] <= _MAX_SIDE):
            found = "none" if value is None else repr(value)[:40]
            raise InputError(path, expected=f"a data set's description with its {name}", found=found, hint=_HINT)
    assert isinstance(info, dict)
    return info


def _sample(root: Path, row: dict[str, str], where: str) -> Sample:
    """One row of the manifest; nothing that it names lies outside the data set."""
    for name in ("id", "split", "image", "mask"):
        if name not in row:
            raise InputError(root / "manifest.csv", expected=f"a column {name}", found="none", hint=_HINT)
    if problem := problem_with_id(row["id"]):
        raise InputError(where, found=problem, hint=_HINT)
    if row["split"] not in SPLITS:
        raise InputError(where, expected=f"one of the splits {', '.join(SPLITS)}", found=repr(row["split"]), hint=_HINT)
    for name in ("image", "mask"):
        path = PurePosixPath(row[name])
        if path.is_absolute() or ".." in path.parts or "\\" in row[name] or "\0" in row[name]:
            raise InputError(where, expected=f"its {name} inside the data set", found=repr(row[name]), hint=_HINT)
    if not row["image"]:
        raise InputError(where, expected="an image", found="none", hint=_HINT)
    others = {n: v for n, v in row.items() if v and n not in ("id", "split", "image", "mask")}
    mask = root / row["mask"] if row["mask"] else None
    return Sample(row["id"], row["split"], root / row["image"], mask, others)


def data_hash(manifest: Path, digests: Iterable[tuple[str, str]]) -> str:
    """The hash of a data set: of its manifest and the SHA-256 of each sample's image and mask ("" if it has none)."""
    total = hashlib.sha256(manifest.read_bytes())
    for image, mask in digests:
        total.update(f"{image} {mask}\n".encode())
    return total.hexdigest()


def attributes_of(samples: Sequence[Sample], names: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which attributes each sample has, as the manifest says: (N, len(names)).

    Raises:
        InputError: an attribute that a sample does not say.
    """
    rows = [[_attribute(sample, name) for name in names] for sample in samples]
    return np.array(rows, bool).reshape(len(samples), len(names))


def _attribute(sample: Sample, name: str) -> bool:
    try:
        return float(sample.fields[name]) > 0
    except (KeyError, ValueError) as error:
        known = ", ".join(sorted(name for name, value in sample.fields.items() if value in ("1", "-1")))
        found = f"attributes {known or 'none'}" if isinstance(error, KeyError) else repr(sample.fields[name])
        raise InputError(sample.image, expected=f"the attribute {name} in manifest.csv", found=found) from error


def poses_of(samples: Sequence[Sample]) -> npt.NDArray[np.float64]:
    """Yaw, pitch and roll of each sample in degrees (N, 3), as the manifest says.

    Raises:
        InputError: a sample has none.
    """
    rows = [[_angle(sample, name) for name in ANGLES] for sample in samples]
    return np.array(rows).reshape(-1, len(ANGLES))


def _angle(sample: Sample, name: str) -> float:
    text = sample.fields.get(name)
    try:
        number = float(text or "")
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        found = f"no {name}" if text is None else f"{text!r} as {name}"
        raise InputError(
            sample.image, expected="yaw, pitch and roll in manifest.csv", found=found,
            hint="prepare a data set with a pose file (see docs/data.md), e.g. one of `maskgan synth`",
        )  # fmt: skip
    return number


def identities_of(samples: list[Sample]) -> list[str]:
    """Who each sample shows, as the manifest says.

    Raises:
        InputError: a sample without an identity.
    """
    for sample in samples:
        if "identity" not in sample.fields:
            raise InputError(
                sample.image, expected="an identity in manifest.csv", found="none",
                hint="prepare a data set with identity_CelebA.txt, or one of `maskgan synth`",
            )  # fmt: skip
    return [sample.fields["identity"] for sample in samples]


def mask_beside(image: Path) -> Path | None:
    """The mask that belongs to a picture by its place: a sidecar ``NAME.mask.png``, or its label map
    in the prepared data set that the picture lies in."""
    sidecar = image.with_name(f"{image.stem}.mask.png")
    if sidecar.is_file():
        return sidecar
    if in_prepared(image):
        mask = image.resolve().parent.parent / "masks" / f"{image.stem}.png"
        return mask if mask.is_file() else None
    return None


def in_prepared(image: Path) -> bool:
    """Whether a picture lies in the ``images`` of a prepared data set."""
    folder = image.resolve().parent
    return folder.name == "images" and (folder.parent / "dataset.json").is_file()
