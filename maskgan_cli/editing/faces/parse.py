"""Make masks with the face parser, for the ``parse`` command and for edits of photos without masks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from maskgan_cli.data.picture_batches import Attempt, attempted, read_pictures
from maskgan_cli.data.resize import resize_labels
from maskgan_cli.devices import pick_device
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture
from maskgan_cli.judges.parser import ParserJudge, load_parser
from maskgan_cli.labels import LabelMap
from maskgan_cli.weights.lookup import find_weights, named_with_origin

# Dark photos are brightened before parsing. Test: 24 real faces were darkened to a fifth of their light. With
# brightening, 99.2 % of the pixels got the same class as in the original photo; without it, 92.1 %.
_DARK: Final = 128  # a photo is dark if the 98th percentile of its brightness is below this level (of 255)
_BRIGHT: Final = 210  # a dark photo is scaled so that this percentile reaches this level
LONGEST: Final = 2048  # pixels; longest side that is parsed, so that a photo of 63 megapixels takes at most 1.5 GB


def parse(judge: ParserJudge, pictures: Tensor, size: int | None = None) -> Iterator[LabelMap]:
    """Parse pictures with the face parser, and yield their label maps one after the other.

    Dark pictures are brightened first. Pictures are padded to squares by repeating their edges, and the padding is
    removed from the label maps.

    Args:
        judge: the face parser.
        pictures: (N, 3, H, W) ``uint8``, not necessarily square. Large pictures need much memory; see `bounded`.
        size: side of the returned label maps, only for square pictures; None: they have the pictures' size (H, W).
    """
    height, width = pictures.shape[-2:]
    side = max(height, width)
    rows, columns = torch.arange(side).clamp(max=height - 1), torch.arange(side).clamp(max=width - 1)
    for some in torch.split(
        pictures, max(1, LONGEST**2 // side**2)
    ):  # a batch takes as much memory as one picture of the largest size
        bright = torch.stack([_brightened(picture) for picture in some])
        maps = judge.carefully(bright[:, :, rows][..., columns])[:, :height, :width]
        for labels in maps.cpu().numpy():
            yield labels if size is None else resize_labels(labels, size)


def _brightened(picture: Tensor) -> Tensor:
    """Brighten a picture (3, H, W) ``uint8`` if it is dark; other pictures are returned unchanged."""
    most = np.percentile(picture.amax(0).numpy(), 98)
    if most >= _DARK:
        return picture
    return (picture.float() * (_BRIGHT / max(float(most), 8.0))).clamp(max=255.0).to(torch.uint8)


def bounded(picture: Picture) -> Picture:
    """Downscale a picture (H, W, 3) whose longer side is above `LONGEST`, to save memory when it is parsed.

    Smaller pictures are returned unchanged. The masks do not become coarser, because the parser itself works at a lower
    resolution.
    """
    height, width = picture.shape[:2]
    longest = max(height, width)
    if longest <= LONGEST:
        return picture
    sides = tuple(max(1, round(side * LONGEST / longest)) for side in (width, height))
    return np.asarray(Image.fromarray(picture).resize(sides, Image.Resampling.BOX, reducing_gap=3.0))


def parse_files(
    judge: ParserJudge, paths: Iterable[Path], *, size: int | None, batch_size: int, attempt: Attempt = attempted
) -> Iterator[tuple[Path, LabelMap]]:
    """Parse picture files, and yield each picture's path and label map in the order of the files.

    Args:
        judge: the face parser.
        paths: the files.
        size: side of the label maps, only for square pictures; None: label maps have their pictures' size.
        batch_size: number of pictures that are parsed at once.
        attempt: function that returns a context manager for a path. The context manager is active while the picture is
            read. If it suppresses an error, the picture is left out.

    Raises:
        InputError: a file is not a picture, or is not square although ``size`` is given.
    """

    def fit(path: Path, picture: Picture) -> Picture:
        """Check that a picture is square if ``size`` is given; return it, downscaled by `bounded`."""
        height, width = picture.shape[:2]
        if size is not None and height != width:
            raise InputError(path, expected="a square picture where --size is given", found=f"{width}x{height}")
        return bounded(picture)

    for names, pictures, sides in read_pictures(paths, batch_size, change=fit, attempt=attempt):
        for name, labels, own in zip(names, parse(judge, pictures), sides, strict=True):
            yield name, _scaled(labels, own if size is None else (size, size))


def _scaled(labels: LabelMap, sides: tuple[int, int]) -> LabelMap:
    """Resize a label map to ``sides`` (height, width), by nearest neighbour."""
    if labels.shape == sides:
        return labels
    return np.asarray(Image.fromarray(labels).resize(sides[::-1], Image.Resampling.NEAREST))


class MaskMaker:
    """A callable that makes masks with the face parser. The parser is loaded when the first mask is needed.

    Args:
        weights: weights of the face parser; None: those that `find_weights` finds.
        device: see `pick_device`.
        say: function that is called with a message for each picture whose mask is made.
    """

    def __init__(self, weights: Path | None, device: str, say: Callable[[str], None]) -> None:
        self._weights, self._device, self._say = weights, device, say
        self._judge: ParserJudge | None = None

    def __call__(self, image: Path, picture: Picture) -> tuple[LabelMap, str]:
        """Make the mask of a picture.

        Args:
            image: path of the picture, for messages.
            picture: (H, W, 3), the pixels of the picture.

        Returns:
            The label map (H, W), and the SHA-256 of the parser's weights.

        Raises:
            InputError: there are no parser weights, or the weights belong to another kind of network.
        """
        if self._judge is None:
            weights = find_weights(self._weights, "parser", "--parser-weights")
            self._judge = load_parser(weights, pick_device(self._device))
            self._say(f"face parser: {named_with_origin(weights, 'parser')}")
        self._say(f"{image} has no mask beside it: the face parser makes it")
        pixels = torch.from_numpy(bounded(picture).copy()).permute(2, 0, 1).unsqueeze(0)
        return _scaled(next(parse(self._judge, pixels)), picture.shape[:2]), self._judge.careful_sha256
