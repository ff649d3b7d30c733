"""Put faces in front of other backdrops, also with accessories and low necklines, as training pictures for a parser.

    python recipes/replace_backdrops.py FACES OUT [--backdrops FOLDER] [--each 2] [--size 256] [--seed 0]
        [--accessories 0] [--necklines 0]

FACES holds images, masks and a `manifest.csv` (`id`, `split`, `image`, `mask`, `identity`), as `maskgan prep-data`
reads them. Official portraits have a few smooth backdrops, so a parser trained on them takes other backdrops for hair.
OUT gets the faces of the training split in front of crops of other pictures, noise of all scales or gradients, and a
`manifest.csv`. The other pictures are those in FOLDER, which should show no people, or by default pictures of
scikit-image.

`--accessories` and `--necklines` are the shares of the pictures that get rendered glasses, hats, earrings or necklaces,
and skin in place of the upper part of the clothes: official portraits show hardly any of these.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
from scipy import ndimage
from skimage.transform import resize

from maskgan_cli.editing.compositing.accessories.glasses import GLASSES
from maskgan_cli.editing.compositing.accessories.hats import HATS
from maskgan_cli.editing.compositing.accessories.jewellery import EARRINGS, NECKLACES
from maskgan_cli.editing.compositing.accessories.put_on import make_room, put_on, to_draw
from maskgan_cli.files import read_image, read_label_map, write_image, write_label_map
from maskgan_cli.labels import ID

BUNDLED = ("chelsea", "coffee", "rocket", "brick", "grass", "gravel", "coins")
COLUMNS = ("id", "split", "image", "mask", "identity")
RIM = 3  # width in pixels of the rim, whose colours are mixed with the old backdrop
KINDS = {"picture": 0.6, "noise": 0.25, "gradient": 0.15}
ACCESSORIES = ((GLASSES, 0.35), (HATS, 0.5), (EARRINGS, 0.5), (NECKLACES, 0.4))  # and their probabilities

Picture = np.ndarray[Any, np.dtype[np.float64]]
Labels = np.ndarray[Any, np.dtype[np.uint8]]


def bundled() -> list[Picture]:
    """Pictures of scikit-image without people (H, W, 3), values in [0, 255]."""
    pictures = [np.asarray(getattr(skimage.data, name)(), np.float64) for name in BUNDLED]
    return [np.repeat(one[..., None], 3, 2) if one.ndim == 2 else one[..., :3] for one in pictures]


def crop(pictures: list[Picture], side: int, rng: np.random.Generator) -> Picture:
    """A random square crop of a picture, with random mirroring, colours and blur."""
    picture = pictures[rng.integers(len(pictures))]
    length = int(min(picture.shape[:2]) * rng.uniform(0.3, 1))
    y, x = (rng.integers(0, extent - length + 1) for extent in picture.shape[:2])
    square = resize(picture[y : y + length, x : x + length], (side, side), anti_aliasing=True)
    square = square[:, ::-1] if rng.random() < 0.5 else square
    square = square[..., rng.permutation(3)] * rng.uniform(0.5, 1.2) + rng.normal(0, 15, 3)
    focus = rng.choice([0.0, rng.uniform(1, 10)])
    return np.stack([ndimage.gaussian_filter(plane, focus) for plane in square.transpose(2, 0, 1)], -1)


def noise(side: int, rng: np.random.Generator) -> Picture:
    """Noise of all scales between two random colours."""
    planes = np.zeros((side, side))
    cells, weight = 2, 1.0
    while cells <= side:
        shape = (cells, max(2, int(cells * rng.uniform(0.3, 1))))
        planes += weight * resize(rng.normal(size=shape), (side, side), order=1)
        cells, weight = cells * 2, weight * rng.uniform(0.4, 0.9)
    share = (planes - planes.min()) / (planes.max() - planes.min())
    first, second = rng.uniform(0, 255, (2, 3))
    return first + share[..., None] * (second - first)


def gradient(side: int, rng: np.random.Generator) -> Picture:
    """A gradient between two random colours in a random direction."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:side, :side] / side - 0.5
    share = (np.cos(angle) * x + np.sin(angle) * y + 0.7) / 1.4
    first, second = rng.uniform(0, 255, (2, 3))
    return first + share[..., None] * (second - first)


def before(face: Picture, labels: Labels, backdrop: Picture) -> Picture:
    """Composite a face (S, S, 3) with its label map (S, S) over another backdrop (S, S, 3)."""
    inside = labels != 0
    safe = ndimage.binary_erosion(inside, iterations=RIM, border_value=1)
    if not safe.any():
        return face
    nearest = ndimage.distance_transform_edt(~safe, return_distances=False, return_indices=True)
    alpha = ndimage.gaussian_filter(inside.astype(np.float64), 0.8)[..., None]
    return alpha * face[tuple(nearest)] + (1 - alpha) * backdrop


def some_accessories(labels: Labels, rng: np.random.Generator) -> tuple[str, ...]:
    """The names of random accessories that can be drawn on the face of a label map (S, S)."""
    chosen = [str(rng.choice(list(names))) for names, probability in ACCESSORIES if rng.random() < probability]
    return to_draw(chosen, labels)


def with_accessories(picture: Picture, labels: Labels, names: tuple[str, ...]) -> tuple[Picture, Labels]:
    """Draw accessories over a picture (S, S, 3) and into its label map (S, S)."""
    result = put_on(picture.round().clip(0, 255).astype(np.uint8), labels, names)
    return result.picture.astype(np.float64), np.where(result.labels > 0, result.labels, labels)


def with_low_neckline(picture: Picture, labels: Labels, rng: np.random.Generator) -> tuple[Picture, Labels]:
    """Cover the upper part of the clothes with the neck's skin in a picture (S, S, 3) and its label map (S, S)."""
    neck, side = labels == ID["neck"], len(labels)
    safe = ndimage.binary_erosion(neck, iterations=2)
    if safe.sum() < 0.004 * neck.size:
        return picture, labels
    rows, columns = np.nonzero(neck)
    y, x = np.mgrid[:side, :side].astype(np.float64)
    y += ndimage.gaussian_filter(rng.normal(size=(side, side)), side / 12) * side / 2
    wide, deep = rng.uniform(0.15, 0.6) * side, rng.uniform(0.05, 0.35) * side
    across, down = np.abs(x - columns.mean()) / wide, (y - np.percentile(rows, 80)) / deep
    power = rng.choice([1.0, 2.0, 4.0])  # a V, a round or a square neckline
    bare = (across**power + np.maximum(down, 0) ** power < 1) & (labels == ID["cloth"])
    skin = picture[safe]
    light = ndimage.gaussian_filter(rng.normal(size=(side, side)), side / 16)
    light *= 0.08 / max(1e-9, float(light.std()))
    bright = skin[skin.mean(-1) > np.percentile(skin.mean(-1), 50)].mean(0)  # the upper neck is in the chin's shadow
    painted = bright * (rng.uniform(0.85, 1.1) + light)[..., None] + rng.normal(0, 2, picture.shape)
    alpha = (
        ndimage.gaussian_filter(bare.astype(np.float64), 0.7)[..., None]
        * np.isin(labels, [ID["cloth"], ID["neck"]])[..., None]
    )
    return alpha * painted + (1 - alpha) * picture, np.where(bare, ID["neck"], labels).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--backdrops", type=Path)
    parser.add_argument("--each", type=int, default=2)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--accessories", type=float, default=0.0)
    parser.add_argument("--necklines", type=float, default=0.0)
    options = parser.parse_args()
    pictures = bundled()
    if options.backdrops:
        pictures = [read_image(path).astype(np.float64) for path in sorted(options.backdrops.iterdir())]
    rng, side = np.random.default_rng(options.seed), options.size
    with (options.faces / "manifest.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "train"]
    for folder in ("images", "masks"):
        (options.out / folder).mkdir(parents=True, exist_ok=True)
    written = []
    for row in rows:
        large = read_image(options.faces / row["image"])
        face = resize(large, (side, side), anti_aliasing=True, preserve_range=True).astype(np.float64)
        labels = read_label_map(options.faces / row["mask"])
        labels = resize(labels, (side, side), order=0, preserve_range=True, anti_aliasing=False).astype(np.uint8)
        for number in range(options.each):
            kind = rng.choice(list(KINDS), p=list(KINDS.values()))
            if kind == "picture":
                backdrop = crop(pictures, side, rng)
            else:
                backdrop = noise(side, rng) if kind == "noise" else gradient(side, rng)
            picture, mask, name = face, labels, f"{row['id']}-b{number + 1}"
            if rng.random() < options.necklines:
                picture, mask = with_low_neckline(picture, mask, rng)
            names = some_accessories(mask, rng) if rng.random() < options.accessories else ()
            if names:
                mask = make_room(mask, names, mask)
            picture = before(picture, mask, backdrop)
            if names:
                picture, mask = with_accessories(picture, mask, names)
            write_image(options.out / "images" / f"{name}.png", picture.round().clip(0, 255).astype(np.uint8))
            write_label_map(options.out / "masks" / f"{name}.png", mask)
            written.append(
                {
                    "id": name,
                    "split": "train",
                    "image": f"images/{name}.png",
                    "mask": f"masks/{name}.png",
                    "identity": row["identity"],
                }
            )
    with (options.out / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(written)


if __name__ == "__main__":
    main()
