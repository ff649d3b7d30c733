"""Checks of a prepared data set: class statistics, suspicious samples and a contact sheet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from maskgan_cli.data.duplicates import Fingerprint, fingerprint, near_pairs
from maskgan_cli.data.prepared import PreparedData, Sample, data_hash
from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture, read_image, read_label_map, sha256
from maskgan_cli.labels import CLASSES, ID, NUM_CLASSES, LabelMap, colourise
from maskgan_cli.workers import spread

_MIN_SKIN = 0.02  # share of all pixels; frontal CelebA-HQ faces have 0.15 to 0.4
_MIN_CONTRAST = 4.0  # standard deviation of grey values
_SPECK = 6  # regions with fewer pixels are specks
_MANY_SPECKS = 20  # number of specks from which a mask is suspicious


@dataclass(frozen=True)
class SampleReport:
    """The result of checking one sample.

    Attributes:
        id, split: the sample's id and split.
        shares: share of the mask's pixels that belong to each class (19,); zeros if there is no readable mask.
        problems: descriptions of errors and suspicious properties.
        digest, mask_digest: SHA-256 of the image file and of the mask file. Both are empty if one of the files is not
            readable; ``mask_digest`` is also empty if there is no mask.
        fingerprint: fingerprint of the image for the detection of duplicates; None if the image is not readable or has
            almost one colour.
    """

    id: str
    split: str
    shares: npt.NDArray[np.float64]
    problems: list[str]
    digest: str = ""
    mask_digest: str = ""
    fingerprint: Fingerprint | None = None

    @property
    def readable(self) -> bool:
        """Whether the image and the mask could be read."""
        return bool(self.digest)


def inspect(data: PreparedData, workers: int) -> Iterator[SampleReport]:
    """Check all samples in ``workers`` processes, and yield one report per sample, in the order of the manifest."""
    jobs = [(sample, data.size) for sample in data.samples]
    return spread(_inspect_one, jobs, workers)


def summarise(data: PreparedData, reports: list[SampleReport]) -> dict[str, Any]:
    """Return a summary of the reports of all samples, as a dict that can be written as JSON.

    Its keys are ``data`` (the folder), ``hash`` and ``hash_now`` (at the preparation and now), ``images`` (number of
    samples), ``classes`` (number of classes that occur), ``size`` (image size in pixels), ``splits`` (number of samples
    in each split), ``per_class`` (frequencies of each class), ``unreadable`` (list of sample ids) and ``suspicious``
    (dict from sample id to a list of problems, including duplicates).
    """
    shares = np.stack([report.shares for report in reports])
    problems = {report.id: list(report.problems) for report in reports if report.problems}
    for first, second, kind in _duplicates(reports):
        problems.setdefault(second, []).append(f"{kind} {first}")
    splits = {name: sum(r.split == name for r in reports) for name in ("train", "val", "test")}
    return {
        "data": str(data.root),
        "hash": data.hash,
        "hash_now": data_hash(data.root / "manifest.csv", [(r.digest, r.mask_digest) for r in reports]),
        "images": len(reports),
        "classes": int((shares > 0).any(0).sum()),
        "size": data.size,
        "splits": splits,
        "per_class": {
            name: {
                "images": int((shares[:, i] > 0).sum()),
                "share_of_images": float((shares[:, i] > 0).mean()),
                "share_of_pixels": float(shares[:, i].mean()),
            }
            for i, name in enumerate(CLASSES)
        },
        "unreadable": [report.id for report in reports if not report.readable],
        "suspicious": problems,
    }


def contact_sheet(data: PreparedData, ids: list[str], *, tile: int = 128, columns: int = 4) -> Picture:
    """Return a picture (H, W, 3) with a grid of samples, each beside its coloured mask.

    Args:
        data: the data set.
        ids: ids of the samples.
        tile: side of each image and mask in pixels.
        columns: samples per row.
    """
    from skimage.util import montage

    by_id = {sample.id: sample for sample in data.samples}
    tiles = []
    for name in ids:
        panels = [resize_image(read_image(by_id[name].image), tile)]
        if data.masked:
            panels.append(colourise(resize_labels(read_label_map(by_id[name].mask), tile)))
        tiles.append(np.hstack([_square(panel, tile) for panel in panels]))
    sheet: Picture = montage(
        np.stack(tiles), grid_shape=(-(-len(tiles) // columns), columns), channel_axis=-1, fill=(255, 255, 255)
    )
    return sheet


def _square(panel: Picture, side: int) -> Picture:
    """Return a picture cropped or padded with black to a square of ``side`` pixels.

    Damaged data sets can have images that are not square.
    """
    square = np.zeros((side, side, 3), np.uint8)
    part = panel[:side, :side]
    square[: part.shape[0], : part.shape[1]] = part
    return square


def _inspect_one(job: tuple[Sample, int]) -> SampleReport:
    """Check one sample and return the report. ``job`` is the sample and the image size of the data set in pixels."""
    sample, size = job
    problems: list[str] = []
    shares = np.zeros(NUM_CLASSES)
    try:
        picture = read_image(sample.image)
        labels = read_label_map(sample.mask) if sample.mask_file else None
        digest, mask_digest = sha256(sample.image), sha256(sample.mask) if sample.mask_file else ""
    except InputError as error:
        return SampleReport(sample.id, sample.split, shares, [str(error)])
    if picture.shape[:2] != (size, size):
        problems.append(f"image is {picture.shape[1]}x{picture.shape[0]}, not {size}x{size}")
    contrast = picture.mean(-1).std()
    if contrast < _MIN_CONTRAST:
        problems.append(f"almost one colour (standard deviation {contrast:.1f} of 255)")
    if labels is not None:
        shares = np.bincount(labels.ravel(), minlength=NUM_CLASSES) / labels.size
        problems += _mask_problems(labels, shares, size)
    found = fingerprint(picture) if contrast >= _MIN_CONTRAST else None
    return SampleReport(sample.id, sample.split, shares, problems, digest, mask_digest, found)


def _mask_problems(labels: LabelMap, shares: npt.NDArray[np.float64], size: int) -> list[str]:
    """Return a list of messages about unusual properties of a mask; empty if there are none.

    Args:
        labels: the mask (H, W).
        shares: share of the pixels that belong to each class (19,).
        size: expected height and width.
    """
    problems = []
    if labels.shape != (size, size):
        problems.append(f"mask is {labels.shape[1]}x{labels.shape[0]}, not {size}x{size}")
    if shares[ID["skin"]] < _MIN_SKIN:
        problems.append(f"little skin ({shares[ID['skin']]:.1%} of the pixels)")
    glasses = shares[ID["eye_g"]] > 0
    if not glasses and not shares[[ID["l_eye"], ID["r_eye"]]].any():
        problems.append("no eye and no glasses")
    if not shares[ID["nose"]]:
        problems.append("no nose")
    if not shares[[ID["mouth"], ID["u_lip"], ID["l_lip"]]].any():
        problems.append("no mouth")
    if problem := _sides_exchanged(labels):
        problems.append(problem)
    specks = _specks(labels)
    if specks >= _MANY_SPECKS:
        problems.append(f"{specks} regions of fewer than {_SPECK} pixels")
    return problems


def _sides_exchanged(labels: npt.NDArray[np.uint8]) -> str:
    """Return a message if left and right parts of a mask (H, W) are exchanged; otherwise an empty string.

    The person's left parts (``l_eye``, ``l_brow``) must be on the right side of the picture.
    """
    for left, right in (("l_eye", "r_eye"), ("l_brow", "r_brow")):
        columns = [np.nonzero(labels == ID[name])[1] for name in (left, right)]
        if all(c.size for c in columns) and columns[0].mean() < columns[1].mean():
            return f"{left} is left of {right}: left and right are probably exchanged"
    return ""


def _specks(labels: npt.NDArray[np.uint8]) -> int:
    """Return the number of connected regions in a mask (H, W) that have fewer than `_SPECK` pixels."""
    total = 0
    for value in np.unique(labels):
        regions, count = ndimage.label(labels == value)
        if count:
            total += int((np.bincount(regions.ravel())[1:] < _SPECK).sum())
    return total


def _duplicates(reports: list[SampleReport]) -> Iterator[tuple[str, str, str]]:
    """Find samples that duplicate an earlier sample, and yield each such duplicate once.

    Yields:
        The id of the earlier sample, the id of its duplicate, and what both have in common, e.g. ``same file as``.
    """
    firsts: dict[str, SampleReport] = {}
    for report in reports:
        if report.readable and firsts.setdefault(report.digest, report) is not report:
            yield firsts[report.digest].id, report.id, "same file as"
    prints = [(report.id, report.fingerprint) for report in firsts.values() if report.fingerprint is not None]
    reported: set[int] = set()
    for i, j, bits in near_pairs([one for _, one in prints]):
        if j not in reported:
            reported.add(j)
            yield prints[i][0], prints[j][0], f"looks the same ({bits} of 256 bits differ) as"
