"""Masks for photos that have none: the face parser, for the ``parse`` command and for every edit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from maskgan_cli.data.pictures import Attempt, attempted, read_pictures
from maskgan_cli.data.resize import resize_labels
from maskgan_cli.devices import pick_device
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture
from maskgan_cli.judges.parser import ParserJudge, load_parser
from maskgan_cli.labels import LabelMap
from maskgan_cli.weights.lookup import find_weights, named_with_origin

# Dark photos are looked at as if they had been exposed as usual. Of 24 real faces at a half, a third and a fifth of
# their light, 96.5, 94.9 and 92.1 % of the pixels are parsed as in the original without this, 99.2 % with it.
_DARK: Final = 128  # levels: the brightest spots of a dark photo are below, and
_BRIGHT: Final = 210  # of any other about there
LONGEST: Final = 2048  # pixels; a photo of 63 megapixels takes 1.5 GB at most, itself and PyTorch included


def parse(judge: ParserJudge, pictures: Tensor, size: int | None = None) -> Iterator[LabelMap]:
    """Label maps of pictures (N, 3, H, W) ``uint8``.

    Pictures that are not square are looked at as squares, their edges drawn out, and cut back; dark ones lit up.

    Args:
        judge: the face parser.
        pictures: all of one size, of any sides; memory grows with the sides, see `bounded`.
        size: side of the label maps; the pictures' own sides if None. Only squares can have one.
    """
    height, width = pictures.shape[-2:]
    side = max(height, width)
    rows, columns = torch.arange(side).clamp(max=height - 1), torch.arange(side).clamp(max=width - 1)
    for some in torch.split(
        pictures, max(1, LONGEST**2 // side**2)
    ):  # as many as take the memory of one of the largest
        lit = torch.stack([_lit_up(picture) for picture in some])
        maps = judge.carefully(lit[:, :, rows][..., columns])[:, :height, :width]
        for labels in maps.cpu().numpy():
            yield labels if size is None else resize_labels(labels, size)


def _lit_up(picture: Tensor) -> Tensor:
    """A picture (3, H, W) ``uint8``, brighter if it is dark all over."""
    most = np.percentile(picture.amax(0).numpy(), 98)
    if most >= _DARK:
        return picture
    return (picture.float() * (_BRIGHT / max(float(most), 8.0))).clamp(max=255.0).to(torch.uint8)


def bounded(picture: Picture) -> Picture:
    """A picture (H, W, 3), scaled down where its longer side is above `LONGEST`: the parser sees no more anyway."""
    height, width = picture.shape[:2]
    longest = max(height, width)
    if longest <= LONGEST:
        return picture
    sides = tuple(max(1, round(side * LONGEST / longest)) for side in (width, height))
    return np.asarray(Image.fromarray(picture).resize(sides, Image.Resampling.BOX, reducing_gap=3.0))


def parse_files(
    judge: ParserJudge, paths: Iterable[Path], *, size: int | None, batch_size: int, attempt: Attempt = attempted
) -> Iterator[tuple[Path, LabelMap]]:
    """Each picture's path and label map at the picture's own size, in order.

    Args:
        judge: the face parser.
        paths: the files.
        size: side of the label maps; the pictures' own if None.
        batch_size: pictures parsed at once.
        attempt: entered with a path while it is read; a picture whose failure it swallows is left out.

    Raises:
        InputError: a file is no picture, or has no square shape though ``size`` asks for one.
    """

    def fit(path: Path, picture: Picture) -> Picture:
        height, width = picture.shape[:2]
        if size is not None and height != width:
            raise InputError(path, expected="a square picture where --size is given", found=f"{width}x{height}")
        return bounded(picture)

    for names, pictures, sides in read_pictures(paths, batch_size, change=fit, attempt=attempt):
        for name, labels, own in zip(names, parse(judge, pictures), sides, strict=True):
            yield name, _scaled(labels, own if size is None else (size, size))


def _scaled(labels: LabelMap, sides: tuple[int, int]) -> LabelMap:
    """A label map at another height and width, by nearest neighbour."""
    if labels.shape == sides:
        return labels
    return np.asarray(Image.fromarray(labels).resize(sides[::-1], Image.Resampling.NEAREST))


class MaskMaker:
    """Makes the masks that nobody gave. The parser is loaded when the first one is wanted.

    Args:
        weights: of the face parser; those found by `find_weights` if None.
        device: see `pick_device`.
        say: told each picture whose mask is made.
    """

    def __init__(self, weights: Path | None, device: str, say: Callable[[str], None]) -> None:
        self._weights, self._device, self._say = weights, device, say
        self._judge: ParserJudge | None = None

    def __call__(self, image: Path, picture: Picture) -> tuple[LabelMap, str]:
        """A picture (S, S, 3) and its path -> its label map (S, S) and the SHA-256 of the parser's weights.

        Raises:
            InputError: no parser weights to be had, or not a parser's.
        """
        if self._judge is None:
            weights = find_weights(self._weights, "parser", "--parser-weights")
            self._judge = load_parser(weights, pick_device(self._device))
            self._say(f"face parser: {named_with_origin(weights, 'parser')}")
        self._say(f"{image} has no mask beside it: the face parser makes it")
        pixels = torch.from_numpy(bounded(picture).copy()).permute(2, 0, 1).unsqueeze(0)
        return _scaled(next(parse(self._judge, pixels)), picture.shape[:2]), self._judge.sha256
