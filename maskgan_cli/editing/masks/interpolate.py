"""Interpolate in MaskVAE's latent space (paper, Sec. 3.2): between two masks, beyond them, or randomly around a mask.

This module also paints the resulting masks, and writes masks, painted faces, a strip and an animation to files.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.devices import pick_device
from maskgan_cli.editing.methods import Method, Request
from maskgan_cli.errors import InputError
from maskgan_cli.files import (
    Picture,
    encode_image,
    encode_label_map,
    holds,
    keep_or_write,
    read_image,
    read_note,
    refuse_existing,
)
from maskgan_cli.labels import LabelMap, colourise
from maskgan_cli.models.layers import one_hot
from maskgan_cli.models.mask_vae import decode_labels, draw_code
from maskgan_cli.weights.format import load

_TILE = (128, 256)  # smallest and largest side, in pixels, of a mask in the strip and in the animation
_FRAME_MS = 150  # duration of a frame of the animation, in milliseconds
_END_MS = 600  # duration of the first and of the last frame
BATCH = 8  # number of faces that are painted at once

Codes = Tensor  # (N, latent) float32, on the manifold's device


class MaskManifold:
    """A trained MaskVAE that encodes masks of any size to latent codes, and decodes latent codes to masks of any size.

    Args:
        weights: a weights file, or a run folder of `maskgan train vae`.
        device: see `pick_device`.

    Attributes:
        size: side of the masks that the network itself encodes and decodes, in pixels.

    Raises:
        InputError: the weights or the device do not exist.
    """

    def __init__(self, weights: str | Path, device: str = "auto") -> None:
        self.device = pick_device(device)
        self.network, self.weights = load("vae", weights, self.device)
        self.size = self.network.config.image_size

    @torch.inference_mode()
    def encode(self, labels: LabelMap, noise: torch.Generator | None = None) -> Codes:
        """Encode a square label map, and return the latent code (1, latent).

        Args:
            labels: (S, S), the label map.
            noise: random generator for a sample of the code's distribution; None: the mean of the distribution.
        """
        mask = torch.from_numpy(np.stack([resize_labels(labels, self.size)])).to(self.device)
        mean, log_variance = self.network.encode(one_hot(mask))
        return mean if noise is None else draw_code(mean, log_variance, noise)

    @torch.inference_mode()
    def decode(self, codes: Codes, side: int) -> Iterator[LabelMap]:
        """Decode N latent codes (N, latent), and yield a label map (side, side) for each code; see `decode_labels`."""
        for i in range(len(codes)):
            yield decode_labels(self.network, codes[i : i + 1], side)[0].to("cpu", torch.uint8).numpy()


def positions(steps: int, *, beyond: float = 0.0) -> npt.NDArray[np.float64]:
    """Return the positions (steps,) of an interpolation, evenly spaced from -beyond to 1 + beyond.

    Position 0 is the first mask, and position 1 is the second mask.
    """
    return np.linspace(-beyond, 1.0 + beyond, steps)


def between(first: Codes, second: Codes, where: Sequence[float] | npt.NDArray[np.float64]) -> Codes:
    """Return the latent codes (N, latent) at N positions on the line through two latent codes.

    Args:
        first, second: (1, latent), the two codes.
        where: the positions; 0 is ``first``, 1 is ``second``.
    """
    share = torch.as_tensor(where, dtype=first.dtype, device=first.device).unsqueeze(1)
    return first + share * (second - first)


def around(centre: Codes, count: int, *, spread: float, seed: int) -> Codes:
    """Return random latent codes (count, latent) near a latent code: ``centre`` plus Gaussian noise.

    Args:
        centre: (1, latent), the code.
        count: number of codes.
        spread: standard deviation of the noise; MaskVAE's prior has standard deviation 1.
        seed: seed of the noise, which is drawn on the CPU, so that all devices give the same codes.
    """
    noise = torch.randn(count, centre.shape[1], generator=torch.Generator().manual_seed(seed))
    return centre + spread * noise.to(centre)


@dataclass(frozen=True)
class Names:
    """The paths of the files that one `Interpolation` writes into its folder.

    Attributes:
        masks: files of the label maps, in order.
        faces: files of the painted faces, in the same order; empty if no faces are painted.
        strip: file of the picture with all frames side by side.
        animation: file of the GIF with all frames.
    """

    masks: list[Path]
    faces: list[Path]
    strip: Path
    animation: Path

    @classmethod
    def inside(cls, folder: Path, count: int, *, faces: bool) -> Names:
        """Return the paths for ``count`` masks in ``folder``, and for as many painted faces if ``faces`` is True."""
        digits = max(3, len(str(count - 1)))

        def numbered(kind: str) -> list[Path]:
            """Return the numbered paths of one kind of file: ``mask`` or ``face``."""
            return [folder / f"{kind}-{i:0{digits}d}.png" for i in range(count)]

        return cls(numbered("mask"), numbered("face") if faces else [], folder / "strip.png", folder / "animation.gif")


def check_folder(folder: Path) -> None:
    """Raise an InputError if the folder of results is a file."""
    if folder.is_file():
        raise InputError(folder, expected="a folder for the results", found="a file")


@dataclass(frozen=True)
class Interpolation:
    """A sequence of masks, and optionally of faces that were painted from them.

    Attributes:
        masks: label maps (S, S), in order.
        faces: painted faces (T, T, 3), in the same order; empty if no faces were painted.
        note: dict of weights and settings that is written into every face's file.
    """

    masks: list[LabelMap]
    faces: list[Picture]
    note: Mapping[str, Any]

    @cached_property
    def frames(self) -> list[Picture]:
        """One picture for each mask: the coloured mask, and below it the painted face if there is one."""
        return frames(self.masks, self.faces)

    @property
    def strip(self) -> Picture:
        """One picture with all frames side by side."""
        return strip(self.frames)

    def save(self, folder: str | Path, *, overwrite: bool = False) -> list[Path]:
        """Write masks, strip, animation and faces into a folder, as ``maskgan interpolate`` does; return all paths.

        Existing files with the same content are kept.

        Args:
            folder: the folder, which is created if necessary.
            overwrite: replace existing files with other content.

        Raises:
            InputError: a file exists with other content, and ``overwrite`` is false; then nothing is written.
        """
        check_folder(Path(folder))
        names = Names.inside(Path(folder), len(self.masks), faces=bool(self.faces))
        files = self.files(names)
        if not overwrite:
            refuse_others(files)
        for path, data in files.items():
            keep_or_write(path, data, overwrite=overwrite)
        return list(files)

    def files(self, names: Names) -> dict[Path, bytes]:
        """Return a dict from the path of each file of this interpolation to the file's content.

        Args:
            names: paths of the files.
        """
        note = face_note(self.note)
        return {
            **mask_files(names, self.masks),
            names.strip: encode_image(self.strip, ".png"),
            names.animation: encode_animation(self.frames),
            **{path: encode_image(face, ".png", note=note) for path, face in zip(names.faces, self.faces, strict=True)},
        }


def paint_masks(
    painter: Method[Request], masks: Sequence[LabelMap], style: LabelMap, picture: Picture, *, batch: int = BATCH
) -> Iterator[npt.NDArray[np.uint8]]:
    """Paint masks in the style (colours and texture) of one face.

    Args:
        painter: the editing method (a network) that paints.
        masks: label maps of any sizes.
        style: (T, T), label map of the face whose style is used.
        picture: (T, T, 3), picture of this face.
        batch: number of masks that are painted at once.

    Yields:
        Batches of pictures (N, size, size, 3), in the order of the masks; see `Method.size`.
    """
    requests = [Request(labels, style, picture) for labels in masks]
    for start in range(0, len(requests), batch):
        yield painter.paint(requests[start : start + batch])


def mask_files(names: Names, masks: Sequence[LabelMap]) -> dict[Path, bytes]:
    """Return a dict from the path of each label map's file to the content of this file, a PNG."""
    return {path: encode_label_map(labels) for path, labels in zip(names.masks, masks, strict=True)}


def face_note(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the dict that is written into a painted face's file: the kind of edit, and the given ``settings``."""
    return {"edit": "interpolate", **settings}


def kept_faces(names: Names, settings: Mapping[str, Any]) -> list[Picture] | None:
    """Read the painted faces that an earlier run wrote.

    Args:
        names: paths of the files.
        settings: settings of the present run: see `face_note`.

    Returns:
        The faces if all files exist and were painted with the same settings; else None.
    """
    note = face_note(settings)
    if not all(path.is_file() and read_note(path) == note for path in names.faces):
        return None
    return [read_image(path) for path in names.faces]


def refuse_others(files: Mapping[Path, bytes]) -> None:
    """Check that writing ``files``, a dict from path to content, would not change an existing file.

    Raises:
        InputError: a file exists with other content. The error names the first such file.
    """
    for path, data in files.items():
        if not holds(path, data):
            refuse_existing(path)


def frames(masks: Sequence[LabelMap], faces: Sequence[Picture]) -> list[Picture]:
    """Return one picture per mask: the coloured mask, and below it the painted face, unless ``faces`` is empty."""
    tile = min(max(len(masks[0]), _TILE[0]), _TILE[1])
    columns = [colourise(resize_labels(labels, tile)) for labels in masks]
    if faces:
        columns = [np.vstack([column, resize_image(face, tile)]) for column, face in zip(columns, faces, strict=True)]
    return columns


def strip(pictures: Sequence[Picture]) -> Picture:
    """Put pictures of the same height side by side into one picture."""
    return np.hstack(pictures)


def encode_animation(pictures: Sequence[Picture]) -> bytes:
    """Encode pictures of the same size as the frames of an endlessly repeated GIF, and return the file's content.

    Pictures with up to 256 colours, such as coloured masks, keep their exact colours; faces are reduced to 256 colours.
    """
    images, data = [Image.fromarray(picture) for picture in pictures], io.BytesIO()
    pace = [_END_MS, *[_FRAME_MS] * (len(images) - 2), _END_MS][: len(images)]
    images[0].save(data, "GIF", save_all=True, append_images=images[1:], duration=pace, loop=0)
    return data.getvalue()
