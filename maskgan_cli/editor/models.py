"""The networks, which all sessions share: style encoder, generator, face parser, detector and MaskVAE."""

from __future__ import annotations

import copy
import functools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.devices import pick_device
from maskgan_cli.editing.compositing.compose import Painting, Place, paste_back
from maskgan_cli.editing.compositing.mouths import ReferenceFace
from maskgan_cli.editing.compositing.moving import PhotoMotion
from maskgan_cli.editing.faces.parse import MaskMaker
from maskgan_cli.editing.faces.search import Hints, PhotoSearch
from maskgan_cli.editing.masks.directions import Directions
from maskgan_cli.editing.masks.interpolate import MaskManifold
from maskgan_cli.editing.options import Blend
from maskgan_cli.files import Picture
from maskgan_cli.labels import LabelMap, Region
from maskgan_cli.models.dmn import DenseMappingNetwork
from maskgan_cli.models.layers import one_hot, to_bytes, to_unit
from maskgan_cli.weights.format import load

PREVIEW = 256  # side of previews in pixels
_HINTS: Final = Hints("choose another photo", "faces are counted from the left", "choose a photo with a larger face")
_UNIT: Final = 32  # sides of repainted areas are multiples of this; deeper networks need larger multiples
_MARGIN: Final = 32  # pixels, at the network's size, around a change that previews repaint
_SMALL: Final = 0.4  # share of the picture; if the area to repaint is larger, the whole picture is generated


@dataclass(frozen=True)
class Files:
    """The weights files of generator, MaskVAE and parser. All files must exist; some are loaded on first use."""

    dmn: Path
    vae: Path
    parser: Path


class Models:
    """Loads the networks, and has a method for each operation that needs a network. Not thread-safe.

    Args:
        files: the weights files.
        device: name of the device, see `pick_device`.

    Raises:
        InputError: the weights or the device do not exist.
    """

    def __init__(self, files: Files, device: str = "auto") -> None:
        self.device, self.files, self._device = pick_device(device), files, device
        self._personal: tuple[tuple[Path, int], Models] | None = None
        self._load(files.dmn)

    def _load(self, path: Path) -> None:
        network, self.weights = load("dmn", path, self.device)
        assert isinstance(network, DenseMappingNetwork)
        self.network = network.to(memory_format=torch.channels_last)
        self.size = network.config.image_size

    def with_weights(self, path: Path) -> Models:
        """Return a copy that uses the generator and style encoder of the weights file ``path``; cache the latest copy.

        Raises:
            InputError: the file is not readable.
        """
        key = (path, path.stat().st_mtime_ns)
        if self._personal is None or self._personal[0] != key:
            other = copy.copy(self)
            other._load(path)
            self._personal = (key, other)
        return self._personal[1]

    @functools.cached_property
    def manifold(self) -> MaskManifold:
        """MaskVAE as an object that encodes masks to latent codes, and decodes codes to masks."""
        return MaskManifold(self.files.vae, self._device)

    @functools.cached_property
    def directions(self) -> Directions:
        """Directions in MaskVAE's latent space; moving a mask's code along one changes the mask, e.g. to a smile."""
        return Directions(self.manifold)

    @functools.cached_property
    def search(self) -> PhotoSearch:
        """The face detector.

        Raises:
            InputError: facenet-pytorch is missing.
        """
        return PhotoSearch(self.device, large=True, hints=_HINTS)

    @functools.cached_property
    def _parser(self) -> MaskMaker:
        return MaskMaker(self.files.parser, self._device, lambda line: None)

    def parse(self, picture: Picture) -> tuple[LabelMap, str]:
        """Predict the label map (S, S) of a face (S, S, 3); return the map and the SHA-256 of the parser's weights."""
        return self._parser(Path("picture"), picture)

    @torch.inference_mode()
    def encode(self, picture: Picture, labels: LabelMap) -> Tensor:
        """Return the style code (1, style_dim) of a face (S, S, 3) with the label map (S, S)."""
        pixels = torch.from_numpy(np.array(resize_image(picture, self.size))).permute(2, 0, 1)[None].to(self.device)
        mask = one_hot(self._batch(labels))
        return self.network.encode_style(mask, to_unit(pixels))

    @torch.inference_mode()
    def paint(self, labels: LabelMap, style: Tensor) -> Picture:
        """Generate a picture (size, size, 3) from a label map (S, S) and a style code (1, style_dim)."""
        image = to_bytes(self.network.generate(one_hot(self._batch(labels)), style))
        return image[0].permute(1, 2, 0).cpu().contiguous().numpy()

    @torch.inference_mode()
    def repaint(self, painting: Picture, labels: LabelMap, style: Tensor, changed: Region) -> Picture:
        """Generate a picture again after a small change of its label map, for previews; return the new picture.

        Only the area around the change is generated. The network normalises features over the area that it generates,
        so the colours differ a little from those of `paint`.

        Args:
            painting: the picture (size, size, 3) that was generated before the change.
            labels: the label map (S, S) after the change.
            style: see `paint`.
            changed: (size, size), true for the pixels whose class changed.
        """
        rows, columns = (self._near(np.asarray(changed.any(axis))) for axis in (1, 0))
        if (rows.stop - rows.start) * (columns.stop - columns.start) > _SMALL * self.size**2:
            return self.paint(labels, style)
        if style.ndim == 4:
            cell = self._cell
            style = self.network.backbone.fit_style(one_hot(self._batch(labels)), style)
            style = style[:, :, rows.start // cell : rows.stop // cell, columns.start // cell : columns.stop // cell]
        mask = one_hot(self._batch(labels)[:, rows, columns])
        image = to_bytes(self.network.generate(mask, style))
        result = painting.copy()
        result[rows, columns] = image[0].permute(1, 2, 0).cpu().numpy()
        return result

    def _near(self, lines: Region) -> slice:
        """Return the range of rows or columns to repaint.

        Both ends are multiples of 32, or more if the network is deeper or the cells of its style map are larger.

        Args:
            lines: (size,), true for the rows or columns in which pixels changed.
        """
        found, unit = np.flatnonzero(lines), math.lcm(_UNIT, 1 << self.network.config.downs, self._cell)
        low, high = found[0] - _MARGIN, found[-1] + 1 + _MARGIN
        return slice(max(0, low // unit * unit), min(self.size, -(-high // unit) * unit))

    @property
    def _cell(self) -> int:
        """Side of a cell of the style map in pixels; 1 without a style map; ``size`` if the cells have other sides."""
        cells = self.network.config.style_map
        if cells == 1:
            return 1
        return self.size if self.size % cells else self.size // cells

    def _batch(self, labels: LabelMap) -> Tensor:
        return torch.from_numpy(np.array(resize_labels(labels, self.size)))[None].to(self.device)

    def about(self) -> dict[str, Any]:
        """Return a dict with the generator's SHA-256 (``weights``) and image size (``size``), for the provenance."""
        return {"weights": self.weights.sha256, "size": self.size}


def blend(
    picture: Picture,
    painted: Painting,
    before: LabelMap,
    after: LabelMap,
    place: Place | None = None,
    reference: ReferenceFace | None = None,
    motion: PhotoMotion | None = None,
) -> Picture:
    """Composite an edit into a face with the default settings of the editing commands.

    Args:
        picture: (S, S, 3), the face before the edit.
        painted: the network's output: a square picture, or a function that returns it.
        before, after: (S, S), the label maps before and after the edit.
        place: the photo that the face was cropped from, and the position of the face; None if there is no photo.
        reference: another face whose mouth or hair is used; None if there is none.
        motion: how the face's pixels move, from `motion_between`; None: it is computed.

    Returns:
        The edited face (S, S, 3); if ``place`` is given, the whole photo (H, W, 3) with the edited face.
    """
    return paste_back(picture, painted, before, after, Blend(), place, reference, motion)


def blend_quickly(
    picture: Picture,
    painted: Painting,
    before: LabelMap,
    after: LabelMap,
    reference: ReferenceFace | None,
    motion: PhotoMotion,
) -> Picture:
    """Composite like `blend`, but return a picture (T, T, 3) with T of at most `PREVIEW` pixels, for previews.

    The parameters are those of `blend`, in full size.
    """
    side = min(PREVIEW, len(picture))
    small, labels = resize_image(picture, side), resize_labels(before, side)
    return blend(small, painted, labels, after, None, reference, motion.resized(side))
