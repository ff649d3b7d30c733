"""Faces of a prepared data set, and batches of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from maskgan_cli.data.draws import Draw
from maskgan_cli.data.edit_files import edit_files
from maskgan_cli.data.prepared import Sample
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture, read_image, read_label_map
from maskgan_cli.labels import LabelMap, flip

Face = tuple[Picture, LabelMap]
Edits = npt.NDArray[np.uint8]  # two simulated edits of a mask, M_inter and M_outer: (2, H, W)
# index of the sample, whether it is mirrored, picture, label map, expression variant, simulated edits
Item = tuple[int, bool, Picture, LabelMap, Face | None, Edits | None]


@dataclass(frozen=True)
class Batch:
    """A batch of faces.

    Attributes:
        images: (N, 3, H, W) ``uint8``.
        labels: class ids (N, H, W) ``uint8``; (N, 0, 0) for a data set without masks.
        indices: index of each face in the list of samples (N,).
        mirrored: whether each face was mirrored (N,) ``bool``.
        other_images, other_labels: pictures and masks of the same rendered scenes with another facial expression, in
            the same shapes as ``images`` and ``labels``; None if they are not requested.
        edited_labels: two simulated edits of each mask, M_inter and M_outer of the paper (N, 2, H, W); None if they are
            not requested.
    """

    images: Tensor
    labels: Tensor
    indices: Tensor
    mirrored: Tensor
    other_images: Tensor | None = None
    other_labels: Tensor | None = None
    edited_labels: Tensor | None = None

    def to(self, device: torch.device) -> Batch:
        """Return the batch with all tensors on ``device``."""
        return self._changed(lambda x: x.to(device, non_blocking=True))

    def pin_memory(self) -> Batch:
        """Return the batch with all tensors in page-locked memory; PyTorch's data loader calls this."""
        return self._changed(lambda x: x.pin_memory())

    def _changed(self, change: Callable[[Tensor], Tensor]) -> Batch:
        own = [change(x) for x in (self.images, self.labels, self.indices, self.mirrored)]
        requested = (self.other_images, self.other_labels, self.edited_labels)
        return Batch(*own, *(None if x is None else change(x) for x in requested))


class FaceDataset(Dataset[Item]):
    """Data set that reads the images and label maps of one split.

    ``dataset[index, mirrored]`` loads one sample. The key is a `Draw`: the index of a sample, and whether to mirror the
    sample. The value is an `Item`: the tuple of arrays from which `collate` makes a `Batch`.

    Args:
        samples: samples of one prepared data set.
        size: image size of the network.
        cache: keep all decoded samples in memory (4 bytes per pixel).
        masked: also read the label maps.
        variants: also return each face with another expression: the next sample of the same rendered scene. (Pictures
            of one scene differ only in expression.) If a scene has only one sample, its face is returned twice.
        edits: also return two edits of each mask, from the files that ``maskgan simulate-edits`` wrote to this folder.

    Raises:
        InputError: ``variants`` is true and the samples have no scenes, or a file in the folder ``edits`` is missing.
    """

    def __init__(
        self,
        samples: list[Sample],
        size: int,
        *,
        cache: bool,
        masked: bool = True,
        variants: bool = False,
        edits: Path | None = None,
    ) -> None:
        self.samples, self.size, self.masked = samples, size, masked
        self._next = _next_variants(samples) if variants else None
        self._edits = edit_files(samples, edits) if edits is not None else None
        self._cache: dict[int, tuple[Picture, LabelMap]] | None = {} if cache else None

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def bytes_per_sample(self) -> int:
        """Number of bytes of one sample in a batch."""
        faces, edits = 1 if self._next is None else 2, 0 if self._edits is None else 2
        return (faces * (4 if self.masked else 3) + edits) * self.size**2

    def __getitem__(self, draw: Draw) -> Item:
        index, mirrored = draw
        other = None if self._next is None else self._face(self._next[index], mirrored)
        edits = None if self._edits is None else self._read_edits(self._edits[index], mirrored)
        return index, mirrored, *self._face(index, mirrored), other, edits

    def _face(self, index: int, mirrored: bool) -> Face:
        picture, labels = self._read(index)
        return (picture[:, ::-1], flip(labels)) if mirrored else (picture, labels)

    def _read(self, index: int) -> tuple[Picture, LabelMap]:
        if self._cache is not None and index in self._cache:
            return self._cache[index]
        sample = self.samples[index]
        picture = read_image(sample.image)
        files: list[tuple[Path, npt.NDArray[np.uint8]]] = [(sample.image, picture)]
        labels: LabelMap = np.empty((0, 0), np.uint8)
        if self.masked:
            labels = read_label_map(sample.mask)
            files.append((sample.mask, labels))
        for path, array in files:
            self._check_size(path, array)
        if self._cache is not None:
            self._cache[index] = (picture, labels)
        return picture, labels

    def _read_edits(self, files: Sequence[Path], mirrored: bool) -> Edits:
        edits = [read_label_map(path) for path in files]
        for path, labels in zip(files, edits, strict=True):
            self._check_size(path, labels)
        return np.stack([flip(labels) if mirrored else labels for labels in edits])

    def _check_size(self, path: Path, array: npt.NDArray[np.uint8]) -> None:
        if array.shape[:2] != (self.size, self.size):
            raise InputError(
                path,
                expected=f"{self.size}x{self.size}",
                found=f"{array.shape[1]}x{array.shape[0]}",
                hint="prepare the data set at the network's size (`maskgan prep-data --size`)",
            )


def _next_variants(samples: list[Sample]) -> list[int]:
    """Return, for each sample, the index of the next sample of the same scene: the same face, another expression.

    The last sample of a scene gets the index of the scene's first sample.

    Raises:
        InputError: a sample has no scene.
    """
    scenes: dict[str, list[int]] = {}
    for i, sample in enumerate(samples):
        if "scene" not in sample.fields:
            raise InputError(
                sample.image,
                expected="its scene in manifest.csv",
                found="none",
                hint="style_augmentation.expression_variants is for rendered faces: maskgan synth ... --expressions 2",
            )
        scenes.setdefault(sample.fields["scene"], []).append(i)
    following = {a: b for scene in scenes.values() for a, b in zip(scene, [*scene[1:], scene[0]], strict=True)}
    return [following[i] for i in range(len(samples))]


def collate(items: list[Item]) -> Batch:
    """Combine N items of a `FaceDataset` into a batch of N faces, with tensors on the CPU."""
    indices, mirrored, pictures, labels, others, edits = zip(*items, strict=True)
    other_images, other_labels = (None, None) if others[0] is None else _stacked(*zip(*others, strict=True))
    edited = None if edits[0] is None else torch.from_numpy(np.stack(edits))
    images, label_maps = _stacked(pictures, labels)
    drawn = torch.tensor(indices), torch.tensor(mirrored)
    return Batch(images, label_maps, *drawn, other_images, other_labels, edited)


def _stacked(pictures: Sequence[Picture], labels: Sequence[LabelMap]) -> tuple[Tensor, Tensor]:
    images = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)  # channels last in memory
    return images, torch.from_numpy(np.stack(labels))


def first_samples(dataset: FaceDataset, count: int) -> Batch:
    """Return the first ``count`` samples of a data set as one batch, not mirrored, for validation."""
    return collate([dataset[(i, False)] for i in range(min(count, len(dataset)))])
