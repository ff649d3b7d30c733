"""Warp portraits and their masks to other people's proportions: the same person, light and hair in another shape.

    python recipes/reshape_faces.py PORTRAITS OUT --landmarks landmarks.npz [--each 2] [--size 256] [--seed 0]

PORTRAITS holds images, masks and a `manifest.csv` (`id`, `split`, `image`, `mask`, `identity`), as `maskgan prep-data`
reads them. OUT gets copies of all files, warped pictures and masks of the training split, and a `manifest.csv` whose
column `scene` is the portrait's id. Prepare OUT and train with `style_augmentation.expression_variants`. The network
then paints one shape of a person in the style of another shape of the same person, and the true picture is known.

The warp is a thin-plate spline (Bookstein 1989) through the landmarks of MediaPipe Face Mesh. Eyes and mouth are only
moved, rotated and scaled, so that they open no further than in the photo. The picture's border stays where it is.
"""

from __future__ import annotations

import argparse
import csv
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from label_faces import BROWS, EYES, LIPS, OVAL
from scipy import ndimage
from scipy.interpolate import RBFInterpolator

from maskgan_cli.files import read_image, read_label_map, write_image, write_label_map

NOSE = [168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 48, 278]
RIGID = [LIPS, EYES["l_eye"], EYES["r_eye"]]  # groups that keep their form
BENT = [OVAL[::2], NOSE, BROWS["l_brow"][:5], BROWS["r_brow"][:5]]
COLUMNS = ("id", "split", "image", "mask", "identity")
NEAR = 30  # number of faces with the most similar head rotation, of which one gives its proportions
STRENGTH = (0.5, 1.1)  # range of the warp's strength; 1 gives the proportions of the other face
GRID = 64  # cells of the grid on which the spline is computed; it is interpolated in between

Points = np.ndarray[Any, np.dtype[np.float64]]


def fitted(points: Points, targets: Points) -> Points:
    """Fit points to their targets by a similarity transform."""
    z, w = (p[:, 0] + 1j * p[:, 1] for p in (points, targets))
    turn = ((z - z.mean()).conj() * (w - w.mean())).sum() / (abs(z - z.mean()) ** 2).sum()
    result = turn * (z - z.mean()) + w.mean()
    return np.stack([result.real, result.imag], 1)


def turned(points: Points) -> float:
    """Return the head's rotation: offset of the nose from the centre of the eyes, divided by the eyes' distance."""
    left, right = points[EYES["l_eye"]].mean(0), points[EYES["r_eye"]].mean(0)
    return float((points[1] - (left + right) / 2)[0] / np.linalg.norm(left - right))


def field(own: Points, other: Points, strength: float) -> Points:
    """Return the source coordinates of each grid point (GRID + 1, GRID + 1, 2), as shares of the side."""
    chosen = [i for group in (*RIGID, *BENT) for i in group]
    wanted = fitted(other[chosen], own[chosen])
    start = 0
    for group in RIGID:
        part = slice(start, start + len(group))
        wanted[part] = fitted(own[group], wanted[part])
        start += len(group)
    source = own[chosen]
    target = source + strength * (wanted - source)
    edge = np.linspace(0, 1, 9)
    border = np.concatenate(
        [np.stack(pair, 1) for side in (0.0, 1.0) for pair in ((edge, np.full(9, side)), (np.full(9, side), edge))]
    )
    spline = RBFInterpolator(
        np.concatenate([target, border]), np.concatenate([source - target, 0 * border]), smoothing=1e-4
    )
    axis = np.linspace(0, 1, GRID + 1)
    places = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    return (places + spline(places)).reshape(GRID + 1, GRID + 1, 2)


def sampled(planes: np.ndarray[Any, Any], cells: Points, side: int, order: int) -> np.ndarray[Any, Any]:
    """Warp a picture (S, S) or (S, S, C) by a field of source coordinates, to ``side`` pixels."""
    middles = (np.arange(side) + 0.5) / side * GRID
    rows, columns = np.meshgrid(middles, middles, indexing="ij")
    scale = len(planes)
    x, y = (ndimage.map_coordinates(cells[..., i], (rows, columns), order=1) * scale - 0.5 for i in (0, 1))
    if planes.ndim == 2:
        return ndimage.map_coordinates(planes, (y, x), order=order, mode="nearest")
    return np.stack(
        [ndimage.map_coordinates(plane, (y, x), order=order, mode="nearest") for plane in planes.transpose(2, 0, 1)], -1
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portraits", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--landmarks", type=Path, required=True)
    parser.add_argument("--each", type=int, default=2)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    landmarks = np.load(options.landmarks)
    with (options.portraits / "manifest.csv").open() as file:
        every = list(csv.DictReader(file))
    rows = [row for row in every if row["split"] == "train" and row["id"] in landmarks.files]
    points = [landmarks[row["id"]][:, :2].astype(np.float64) for row in rows]
    turns = np.array([turned(one) for one in points])
    rng = np.random.default_rng(options.seed)
    for folder in ("images", "masks"):
        (options.out / folder).mkdir(parents=True, exist_ok=True)
    written = [{name: row[name] for name in COLUMNS} | {"scene": row["id"]} for row in every]
    for row in every:
        for name in ("image", "mask"):
            shutil.copy(options.portraits / row[name], options.out / row[name])
    for row, own, turn in zip(rows, points, turns, strict=True):
        picture = read_image(options.portraits / row["image"]).astype(np.float32)
        labels = read_label_map(options.portraits / row["mask"])
        alike = np.argsort(abs(turns - turn))[1 : NEAR + 1]
        for number in range(options.each):
            cells = field(own, points[rng.choice(alike)], rng.uniform(*STRENGTH))
            name = f"{row['id']}-{number + 1}"
            large = sampled(picture, cells, 2 * options.size, order=1)
            small = large.reshape(options.size, 2, options.size, 2, 3).mean((1, 3))
            write_image(options.out / "images" / f"{name}.png", small.round().clip(0, 255).astype(np.uint8))
            write_label_map(options.out / "masks" / f"{name}.png", sampled(labels, cells, options.size, order=0))
            written.append(
                {
                    "id": name,
                    "split": "train",
                    "image": f"images/{name}.png",
                    "mask": f"masks/{name}.png",
                    "identity": row["identity"],
                    "scene": row["id"],
                }
            )
    with (options.out / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [*COLUMNS, "scene"])
        writer.writeheader()
        writer.writerows(written)


if __name__ == "__main__":
    main()
