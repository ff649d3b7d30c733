"""Reads prepared data sets; docs/data.md describes their layout."""

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
_MAX_SIDE: Final = 1 << 14  # larger sizes in dataset.json are rejected
_HINT: Final = "prepare it again with `maskgan prep-data`"


@dataclass(frozen=True)
class Sample:
    """One sample of a prepared data set: a row of its manifest, with complete paths.

    Attributes:
        id, split: the sample's id and split.
        image: path of the square picture.
        mask_file: path of the label map of the same size; None in a data set without masks.
        fields: dict from column name to value, for the other non-empty columns: celeba_id, identity, yaw, ...,
            attributes.
    """

    id: str
    split: str
    image: Path
    mask_file: Path | None
    fields: dict[str, str]

    @property
    def mask(self) -> Path:
        """The path of the label map.

        Raises:
            InputError: the data set has no masks.
        """
        if self.mask_file is None:
            raise InputError(
                self.image,
                expected="a face with its mask",
                found="a data set without masks",
                hint="prepare a data set with masks, or make masks with `maskgan parse`",
            )
        return self.mask_file


@dataclass(frozen=True)
class PreparedData:
    """The list of samples and the description of a prepared data set. The pictures are not read.

    Attributes:
        root: the folder.
        size: side of all images and masks in pixels.
        hash: hash of the manifest and all files at the time of preparation.
        samples: the samples in the order of the manifest.
        info: the content of ``dataset.json``.
    """

    root: Path
    size: int
    hash: str
    samples: list[Sample]
    info: dict[str, Any]

    @classmethod
    def load(cls, root: str | Path) -> PreparedData:
        """Load the prepared data set in the folder ``root``: read ``dataset.json`` and the manifest, but no pictures.

        Raises:
            InputError: the folder is not a prepared data set, or its files are not valid.
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
        """Check that the file ``manifest.csv`` has not changed since the preparation of the data set.

        Results record the hash of the data set, so the hash must describe the data that are used. Pictures and masks
        are not checked here; `maskgan check-data` checks them too.

        Raises:
            InputError: the manifest has changed since the preparation.
        """
        known = self.info.get("manifest")  # missing in data sets of earlier versions
        if known is not None and sha256(self.root / "manifest.csv") != known:
            raise InputError(
                self.root / "manifest.csv",
                expected="an unchanged manifest",
                found="changes since the preparation",
                hint=f"make a new data set with the changes: maskgan prep-data {self.root} NEW",
            )

    @property
    def masked(self) -> bool:
        """Whether the samples of the data set have masks."""
        return bool(self.info["classes"])

    def split(self, name: str) -> list[Sample]:
        """Return the samples of the split ``train``, ``val`` or ``test``.

        Raises:
            InputError: the split is empty.
        """
        chosen = [sample for sample in self.samples if sample.split == name]
        if not chosen:
            counts = ", ".join(f"{s} {sum(x.split == s for x in self.samples)}" for s in SPLITS)
            raise InputError(self.root, expected=f"samples of the {name} split", found=counts)
        return chosen


def check_prepared(root: Path) -> None:
    """Check that a folder has the file ``dataset.json``, without reading it.

    Raises:
        InputError: the file is missing.
    """
    if not (root / "dataset.json").is_file():
        raise InputError(
            root,
            expected="a prepared data set (a folder with dataset.json)",
            found="none",
            hint="make one with `maskgan prep-data SOURCE OUT`",
        )


def _description(path: Path) -> dict[str, Any]:
    """Read the file ``dataset.json`` at ``path``, check its entries size, hash and classes, and return its content."""
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
    """Convert a row of the manifest to a sample.

    Args:
        root: folder of the data set.
        row: dict from column name to value.
        where: description of the row's position, for error messages.

    Raises:
        InputError: a required column is missing, or a value is not valid, e.g. a path outside of the data set.
    """
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
    """Return one SHA-256 for a whole data set, computed from the manifest and the hashes of the samples' files.

    Args:
        manifest: path of the manifest.
        digests: for each sample, the SHA-256 of the image file and of the mask file (empty if there is no mask).
    """
    total = hashlib.sha256(manifest.read_bytes())
    for image, mask in digests:
        total.update(f"{image} {mask}\n".encode())
    return total.hexdigest()


def attributes_of(samples: Sequence[Sample], names: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return, for each sample and each named attribute, whether the sample has the attribute according to the manifest.

    Args:
        samples: N samples.
        names: names of the attributes, e.g. ``Smiling``.

    Returns:
        A boolean array (N, len(names)). An entry is true if the value in the manifest is above 0.

    Raises:
        InputError: a sample lacks an attribute.
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
    """Return the head poses of N samples from the manifest: yaw, pitch and roll in degrees (N, 3).

    Raises:
        InputError: a sample lacks an angle.
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
            sample.image,
            expected="yaw, pitch and roll in manifest.csv",
            found=found,
            hint="prepare a data set with a pose file (see docs/data.md), e.g. one of `maskgan synth`",
        )
    return number


def identities_of(samples: list[Sample]) -> list[str]:
    """Return, for each sample, the identity in the manifest: a text that is the same for all pictures of a person.

    Raises:
        InputError: a sample has no identity.
    """
    for sample in samples:
        if "identity" not in sample.fields:
            raise InputError(
                sample.image,
                expected="an identity in manifest.csv",
                found="none",
                hint="prepare a data set with identity_CelebA.txt, or one of `maskgan synth`",
            )
    return [sample.fields["identity"] for sample in samples]


def mask_beside(image: Path) -> Path | None:
    """Return the path of the mask file that belongs to a picture; None if there is no such file.

    This is the file ``NAME.mask.png`` beside the picture. If that file is missing and the picture is in a prepared data
    set, this is the file ``NAME.png`` in the folder ``masks`` of the data set.
    """
    sidecar = image.with_name(f"{image.stem}.mask.png")
    if sidecar.is_file():
        return sidecar
    if in_prepared(image):
        mask = image.resolve().parent.parent / "masks" / f"{image.stem}.png"
        return mask if mask.is_file() else None
    return None


def in_prepared(image: Path) -> bool:
    """Return whether a picture is in the folder ``images`` of a prepared data set."""
    folder = image.resolve().parent
    return folder.name == "images" and (folder.parent / "dataset.json").is_file()
