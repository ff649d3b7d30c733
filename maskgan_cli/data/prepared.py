"""Reading a prepared data set (its layout is in docs/data.md)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskgan_cli.data.sources import SPLITS
from maskgan_cli.errors import InputError
from maskgan_cli.files import read_csv, read_json


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
        if not (root / "dataset.json").is_file():
            raise InputError(
                root, expected="a prepared data set (a folder with dataset.json)", found="none",
                hint="make one with `maskgan prep-data SOURCE OUT`",
            )  # fmt: skip
        info = read_json(root / "dataset.json")
        try:
            samples = [
                Sample(
                    row.pop("id"), row.pop("split"), root / row.pop("image"),
                    root / mask if (mask := row.pop("mask")) else None,
                    {name: value for name, value in row.items() if value},
                )
                for row in read_csv(root / "manifest.csv")
            ]  # fmt: skip
            return cls(root, int(info["size"]), str(info["hash"]), samples, info)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(root, expected="a prepared data set", found=f"no {error} in it") from error

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
