"""Put faces in front of other backdrops, as training pictures for a face parser.

    python recipes/replace_backdrops.py FACES OUT [--backdrops FOLDER] [--each 2] [--size 256] [--seed 0]

FACES holds images, masks and a `manifest.csv` (`id`, `split`, `image`, `mask`, `identity`), as `maskgan prep-data`
reads them. Official portraits have a few smooth backdrops, so a parser trained on them takes other backdrops for hair.
OUT gets the faces of the training split in front of crops of other pictures, noise of all scales or gradients, and a
`manifest.csv`. The other pictures are those in FOLDER, which should show no people, or by default pictures of
scikit-image.
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

from maskgan_cli.files import read_image, read_label_map, write_image, write_label_map

BUNDLED = ("chelsea", "coffee", "rocket", "brick", "grass", "gravel", "coins")
COLUMNS = ("id", "split", "image", "mask", "identity")
RIM = 3  # width in pixels of the rim, whose colours are mixed with the old backdrop
KINDS = {"picture": 0.6, "noise": 0.25, "gradient": 0.15}

Picture = np.ndarray[Any, np.dtype[np.float64]]


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


def before(face: Picture, labels: np.ndarray[Any, Any], backdrop: Picture) -> Picture:
    """Composite a face (S, S, 3) with its label map (S, S) over another backdrop (S, S, 3)."""
    inside = labels != 0
    safe = ndimage.binary_erosion(inside, iterations=RIM, border_value=1)
    if not safe.any():
        return face
    nearest = ndimage.distance_transform_edt(~safe, return_distances=False, return_indices=True)
    alpha = ndimage.gaussian_filter(inside.astype(np.float64), 0.8)[..., None]
    return alpha * face[tuple(nearest)] + (1 - alpha) * backdrop


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--backdrops", type=Path)
    parser.add_argument("--each", type=int, default=2)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
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
            picture, name = before(face, labels, backdrop), f"{row['id']}-b{number + 1}"
            write_image(options.out / "images" / f"{name}.png", picture.round().clip(0, 255).astype(np.uint8))
            write_label_map(options.out / "masks" / f"{name}.png", labels)
            written.append({"id": name, "split": "train", "image": f"images/{name}.png", "mask": f"masks/{name}.png",
                            "identity": row["identity"]})  # fmt: skip
    with (options.out / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(written)


if __name__ == "__main__":
    main()
