"""Label face crops with a face parser, whose class probabilities are refined by landmarks and by the picture's edges.

    python recipes/label_faces.py IMAGES OUT [--parser FILE] [--landmarks landmarks.npz] [--size 512]

IMAGES holds face crops (`maskgan align`). OUT gets one label map for each, ready for `maskgan prep-data`.
`landmarks.npz` has one array (478, 3) per picture, under the picture's name: the points of MediaPipe Face Mesh with x
and y as shares of the side. Eyes and mouth are drawn from the landmarks, which outline them better than the parser.
The landmarks also limit brows, hair and neck. All other classes, and pictures without landmarks, come from the parser.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from scipy import ndimage

from maskgan_cli.files import read_image, write_label_map
from maskgan_cli.judges.parser import load_parser
from maskgan_cli.labels import ID, NUM_CLASSES
from maskgan_cli.weights.lookup import find_weights

# Outlines in MediaPipe's numbering. `l_` is the person's own left.
LIPS = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185]
INNER = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191]
EYES = {
    "r_eye": [33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246],
    "l_eye": [362, 382, 381, 380, 374, 373, 390, 249, 263, 466, 388, 387, 386, 385, 384, 398],
}
BROWS = {
    "r_brow": [70, 63, 105, 66, 107, 55, 65, 52, 53, 46],
    "l_brow": [300, 293, 334, 296, 336, 285, 295, 282, 283, 276],
}
OVAL = [
    10,
    338,
    297,
    332,
    284,
    251,
    389,
    356,
    454,
    323,
    361,
    288,
    397,
    365,
    379,
    378,
    400,
    377,
    152,
    148,
    176,
    149,
    150,
    136,
    172,
    58,
    132,
    93,
    234,
    127,
    162,
    21,
    54,
    103,
    67,
    109,
]
# Distances from a brow's outline as shares of the side: brows are likely within the first, excluded beyond the second.
BROW_NEAR, BROW_FAR = 0.008, 0.03
JAW_BAND = 0.02  # share of the side; skin farther below the jaw becomes neck
SPECK = 0.0004  # share of the pixels; smaller regions get the class of their neighbours
EDGE_RADIUS, EDGE_EPS = 6, 4e-4  # guided filter: radius in pixels at 512 px, and regularisation for values in [0, 1]
SHARPENED = ("background", "skin", "hair", "hat", "neck", "cloth")

Planes = np.ndarray[Any, np.dtype[np.float32]]


def probabilities(judge: Any, picture: np.ndarray[Any, Any], size: int) -> Planes:
    """Return the class probabilities (19, size, size) of a picture (S, S, 3)."""
    pixels = torch.from_numpy(picture.copy()).permute(2, 0, 1).unsqueeze(0)
    return np.asarray(judge.probabilities(pixels, size)[0].float().cpu().numpy(), np.float32)


def guided(planes: Planes, picture: np.ndarray[Any, Any]) -> Planes:
    """Filter planes (C, S, S) so that their edges follow those of the picture (guided filter, He et al. 2010)."""
    guide = picture.astype(np.float32).mean(-1) / 255
    radius = max(1, round(EDGE_RADIUS * len(guide) / 512))
    mean = lambda x: ndimage.uniform_filter(x, 2 * radius + 1, mode="nearest")  # noqa: E731
    centre = mean(guide)
    variance = mean(guide * guide) - centre**2
    out = []
    for plane in planes:
        level = mean(plane)
        slope = (mean(guide * plane) - centre * level) / (variance + EDGE_EPS)
        out.append(mean(slope) * guide + mean(level - slope * centre))
    return np.clip(np.stack(out), 0, 1)


def polygon(points: np.ndarray[Any, Any], outline: list[int], size: int) -> np.ndarray[Any, Any]:
    """Return the region inside an outline as a boolean mask (size, size)."""
    image = Image.new("L", (4 * size, 4 * size))  # drawn at four times the size, to keep the shape of thin eyes
    ImageDraw.Draw(image).polygon([tuple(4 * size * points[i, :2]) for i in outline], fill=1)
    return np.asarray(image)[2::4, 2::4] > 0


def with_landmarks(planes: Planes, points: np.ndarray[Any, Any]) -> Planes:
    """Correct class probabilities (19, S, S) by landmarks (478, 3); eyes and mouth become skin and are drawn later."""
    size = planes.shape[-1]
    p = planes.copy()
    oval = polygon(points, OVAL, size)
    rows = np.arange(size)[:, None]
    brow_level = size * min(points[i, 1] for outline in BROWS.values() for i in outline)
    core = ndimage.binary_erosion(oval, iterations=round(0.015 * size)) & (rows > brow_level)
    for name in ("background", "hair", "hat", "cloth", "neck", "l_ear", "r_ear"):
        lost = np.where(core, p[ID[name]], 0)
        p[ID[name]] -= lost
        p[ID["skin"]] += lost
    near_jaw = ndimage.distance_transform_edt(~oval) < JAW_BAND * size
    below = ~oval & ~near_jaw & (rows > size * points[LIPS, 1].max())
    p[ID["neck"]] += np.where(below, p[ID["skin"]], 0)
    p[ID["skin"]][below] = 0
    for name, outline in BROWS.items():
        away = ndimage.distance_transform_edt(~polygon(points, outline, size)) / size
        lost = np.where(away > BROW_FAR, p[ID[name]], 0)
        gained = np.where(away < BROW_NEAR, 0.6 * p[ID["skin"]] + 0.6 * p[ID["eye_g"]], 0) * (p[ID[name]] > 0.05)
        p[ID[name]] += gained - lost
        p[ID["skin"]] += lost - np.where(gained > 0, 0.6 * p[ID["skin"]], 0)
    for name in (*EYES, "mouth", "u_lip", "l_lip"):
        p[ID["skin"]] += p[ID[name]]
        p[ID[name]] = 0
    return p


def drawn(labels: np.ndarray[Any, Any], points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Draw eyes, lips and mouth into a label map (S, S) from the landmarks."""
    size = len(labels)
    out = labels.copy()
    for name, outline in EYES.items():
        out[polygon(points, outline, size)] = ID[name]
    lips, inner = polygon(points, LIPS, size), polygon(points, INNER, size)
    corner, other = points[61, :2], points[291, :2]
    columns, rows = np.meshgrid((np.arange(size) + 0.5) / size, (np.arange(size) + 0.5) / size)
    middle = (points[13, :2] + points[14, :2]) / 2
    # The line between the lips: a parabola through the corners of the mouth and the centre of the inner lips.
    share = np.clip((columns - corner[0]) / (other[0] - corner[0] + 1e-9), 0, 1)
    straight = corner[1] + share * (other[1] - corner[1])
    bend = middle[1] - (corner[1] + other[1]) / 2
    line = straight + bend * (1 - (2 * share - 1) ** 2)
    out[lips & (rows <= line)] = ID["u_lip"]
    out[lips & (rows > line)] = ID["l_lip"]
    out[inner] = ID["mouth"]
    return out


def without_specks(labels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Give small regions of a label map (S, S) the nearest other class; eyes, lips and brows are not changed."""
    small = np.zeros(labels.shape, bool)
    for name in (
        "background",
        "skin",
        "nose",
        "eye_g",
        "hair",
        "hat",
        "neck",
        "cloth",
        "l_ear",
        "r_ear",
        "neck_l",
        "ear_r",
    ):
        pieces, count = ndimage.label(labels == ID[name])
        if count:
            sizes = np.bincount(pieces.ravel())
            least = SPECK * labels.size * (3 if name in ("hair", "background", "cloth", "hat", "skin") else 0.5)
            small |= (sizes < least)[pieces] & (pieces > 0)
    if not small.any():
        return labels
    nearest = ndimage.distance_transform_edt(small, return_distances=False, return_indices=True)
    return np.asarray(labels[tuple(nearest)])


def label(
    judge: Any, picture: np.ndarray[Any, Any], points: np.ndarray[Any, Any] | None, size: int
) -> np.ndarray[Any, Any]:
    """Return the label map (size, size) of a face crop (S, S, 3)."""
    planes = probabilities(judge, picture, size)
    if points is not None:
        planes = with_landmarks(planes, points)
    sharp = [ID[name] for name in SHARPENED]
    resized = (
        picture
        if len(picture) == size
        else np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.LANCZOS))
    )
    planes[sharp] = guided(planes[sharp], resized)
    labels = without_specks(planes.argmax(0).astype(np.uint8))
    return labels if points is None else drawn(labels, points)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--parser", type=Path, help="weights of the face parser; the bundled ones if not given")
    parser.add_argument("--landmarks", type=Path)
    parser.add_argument("--size", type=int, default=512)
    options = parser.parse_args()
    judge = load_parser(find_weights(options.parser, "parser", "--parser"), torch.device("cpu"))
    landmarks = np.load(options.landmarks) if options.landmarks else {}
    for path in sorted(options.images.iterdir()):
        points = landmarks.get(path.stem)
        labels = label(judge, read_image(path), points, options.size)
        assert labels.max() < NUM_CLASSES
        write_label_map(options.out / f"{path.stem}.png", labels, overwrite=True)


if __name__ == "__main__":
    main()
