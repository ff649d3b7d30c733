"""Figures that compare methods.

A figure has a row for each pair of faces: source, target, mask, and the result of each method.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from maskgan_cli.data.given_masks import read_given_mask
from maskgan_cli.data.resize import resize_image
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.pair_list import PairList
from maskgan_cli.evaluation.segmentation import input_masks
from maskgan_cli.files import Picture, encode_image, keep_or_write_all, read_image, refuse_existing
from maskgan_cli.labels import colourise
from maskgan_cli.pages import render

_WHITE: Final = 255
_GAP: Final = 4  # pixels between tiles
_TEXT: Final = (34, 34, 34)
PICTURE: Final = "comparison.png"
PAGE: Final = "index.html"


@dataclass(frozen=True)
class ComparisonRow:
    """One row of a comparison: the pictures of one pair of faces, and the results of all methods for this pair.

    Attributes:
        caption: name of the pair, distance between the two head poses in degrees, and attributes that the results must
            have.
        pictures: one picture for each column, square and of any size.
    """

    caption: str
    pictures: list[Picture]


@dataclass(frozen=True)
class Comparison:
    """The content of a comparison: the captions of its columns, and one row for each pair."""

    columns: list[str]
    rows: list[ComparisonRow]


def compare_methods(pairs: PairList, methods: Mapping[str, Path], *, count: int, masks: Path | None) -> Comparison:
    """Read the results of every method for the first ``count`` pairs of a list, and return them with the pairs.

    The column of masks shows the input masks of the first method that has any (see `input_masks`); if no method has
    masks, the column is left out. Rendered pairs get a column with their ground truth.

    Args:
        pairs: the list of pairs.
        methods: dict from the name of each method to the folder of its results.
        count: largest number of pairs.
        masks: folder of the generator's input masks; None: look for each mask beside its result.

    Raises:
        InputError: there are no methods, results are missing, or pictures cannot be read.
    """
    if not methods:
        raise InputError("--method", expected="a method or more, as NAME=FOLDER", found="none")
    count = min(count, len(pairs.rows))
    results = {name: pairs.results(folder)[:count] for name, folder in methods.items()}
    chosen = pairs.rows[:count]
    shown_masks = next(filter(None, (_masks(pairs, paths, masks) for paths in results.values())), [])
    truth = "truth" in chosen[0] and all(row["truth"] for row in chosen)
    columns = ["source", "target", *(["mask"] if shown_masks else []), *methods, *(["truth"] if truth else [])]
    rows = []
    for number, row in enumerate(chosen):
        pictures = [read_image(Path(row["source"])), read_image(Path(row["target"]))]
        pictures += [colourise(read_given_mask(shown_masks[number]))] if shown_masks else []
        pictures += [read_image(paths[number]) for paths in results.values()]
        pictures += [read_image(Path(row["truth"]))] if truth else []
        rows.append(ComparisonRow(_caption(pairs, number), pictures))
    return Comparison(columns, rows)


def _masks(pairs: PairList, results: Sequence[Path], folder: Path | None) -> list[Path]:
    """Return the path of the input mask of each result; an empty list if masks are missing and ``folder`` is None.

    ``folder`` is a folder of masks; see `input_masks` for the places of masks if it is None.
    """
    default = pairs.files("source_mask") if pairs.protocol == "style-copy" else None
    try:
        return input_masks(results, folder, default)
    except InputError:
        if folder is not None:
            raise
        return []


def _caption(pairs: PairList, number: int) -> str:
    """Return the caption for a pair: name of the result, distance of the head poses, attributes it must have.

    ``number`` is the index of the pair in the list.
    """
    row = pairs.rows[number]
    wanted = ", ".join(name if values[number] > 0 else f"no {name}" for name, values in pairs.wanted().items())
    try:
        apart = f"{float(row['distance']):.1f}° apart" if row.get("distance") else ""
    except ValueError:
        raise InputError(pairs.path, expected="a number as distance", found=repr(row["distance"])) from None
    return " · ".join(part for part in (Path(row["output"]).stem, apart, wanted) if part)


def draw(comparison: Comparison, size: int) -> Picture:
    """Draw the comparison as one picture: a grid of square tiles, with the captions of the columns above.

    ``size`` is the side of a tile in pixels.
    """
    from skimage.util import montage

    tiles = [resize_image(picture, size) for row in comparison.rows for picture in row.pictures]
    grid: Picture = montage(
        np.stack(tiles),
        grid_shape=(len(comparison.rows), len(comparison.columns)),
        padding_width=_GAP,
        fill=(_WHITE,) * 3,
        channel_axis=-1,
    )
    head = Image.new("RGB", (grid.shape[1], max(18, size // 6)), (_WHITE,) * 3)
    pen, font = ImageDraw.Draw(head), ImageFont.load_default(max(10, size // 10))
    for i, caption in enumerate(comparison.columns):
        middle = _GAP + i * (size + _GAP) + size / 2
        pen.text((middle, head.height / 2), _shortened(caption, size, font), fill=_TEXT, font=font, anchor="mm")
    return np.concatenate([np.asarray(head), grid])


def _shortened(text: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Return the text on one line, cut with an ellipsis if it is wider than ``width`` pixels."""
    text = " ".join(text.split())
    shown = text
    while text and font.getlength(shown) > width:
        text = text[:-1]
        shown = f"{text}…"
    return shown


def write_comparison(out: Path, comparison: Comparison, *, title: str, size: int, overwrite: bool) -> bool:
    """Write a comparison to the folder ``out``: one picture, and an HTML page with copies of all pictures.

    Args:
        out: the folder.
        comparison: the content.
        title: title of the page.
        size: side of the tiles in pixels.
        overwrite: replace files with other content.

    Returns:
        True if all files existed already with the same content.

    Raises:
        InputError: a file exists with other content, and ``overwrite`` is false.
    """
    files, shown = {out / PICTURE: encode_image(draw(comparison, size), ".png")}, []
    for i, row in enumerate(comparison.rows):
        names = [f"images/{i:04d}-{j:02d}.png" for j in range(len(row.pictures))]
        files |= {out / name: encode_image(picture, ".png") for name, picture in zip(names, row.pictures, strict=True)}
        shown.append((row.caption, list(zip(names, comparison.columns, strict=True))))
    page = render("compare.html", title=title, columns=comparison.columns, rows=shown, size=size)
    if not overwrite and not (out / PICTURE).is_file():
        refuse_existing(out / "images")  # a folder that this command did not write
    return keep_or_write_all({**files, out / PAGE: page.encode()}, overwrite=overwrite)
