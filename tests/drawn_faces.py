"""Faces drawn with a dozen ellipses: enough structure to train on, written as CelebAMask-HQ is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from maskgan_cli.labels import ID, NUM_CLASSES

ATTRIBUTES = ("Male", "Smiling")
# CelebA indices on both sides of the boundaries between train, val and test.
_CELEBA = [100, 200, 300, 400, 500, 600, 162770, 162771, 182637, 182638]


def draw_face(seed: int, size: int = 128) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
    """A picture (S, S, 3), its parts as boolean masks, and the label map they must merge to."""
    rng = np.random.default_rng(seed)
    x, y = (size * (0.5 + rng.uniform(-0.04, 0.04)) for _ in range(2))
    w, h = size * rng.uniform(0.22, 0.28), size * rng.uniform(0.3, 0.36)
    smile = rng.uniform(0.0, 1.0)
    skin = rng.integers(120, 230) * np.array([1.0, 0.8, 0.65])
    hair = rng.integers(20, 200) * np.array([1.0, 0.8, 0.5])
    shapes: list[tuple[str, tuple[float, float, float, float], np.ndarray]] = [
        ("hair", (x - 1.3 * w, y - 1.25 * h, x + 1.3 * w, y + 0.4 * h), hair),
        ("neck", (x - 0.4 * w, y + 0.5 * h, x + 0.4 * w, y + 1.4 * h), skin * 0.8),
        ("cloth", (x - 1.6 * w, y + 1.2 * h, x + 1.6 * w, y + 2.2 * h), rng.integers(0, 255, 3)),
        ("skin", (x - w, y - h, x + w, y + h), skin),
        ("l_eye", (x + 0.25 * w, y - 0.3 * h, x + 0.65 * w, y - 0.15 * h), np.array([250, 250, 250])),
        ("r_eye", (x - 0.65 * w, y - 0.3 * h, x - 0.25 * w, y - 0.15 * h), np.array([250, 250, 250])),
        ("l_brow", (x + 0.2 * w, y - 0.5 * h, x + 0.7 * w, y - 0.42 * h), hair * 0.7),
        ("r_brow", (x - 0.7 * w, y - 0.5 * h, x - 0.2 * w, y - 0.42 * h), hair * 0.7),
        ("nose", (x - 0.15 * w, y - 0.2 * h, x + 0.15 * w, y + 0.2 * h), skin * 0.9),
        ("l_lip", (x - 0.4 * w, y + 0.4 * h, x + 0.4 * w, y + (0.55 + 0.15 * smile) * h), np.array([190, 60, 70])),
        ("u_lip", (x - 0.4 * w, y + 0.38 * h, x + 0.4 * w, y + 0.5 * h), np.array([170, 50, 60])),
        ("mouth", (x - 0.3 * w, y + 0.45 * h, x + 0.3 * w, y + (0.47 + 0.1 * smile) * h), np.array([240, 235, 230])),
    ]
    picture = np.zeros((size, size, 3)) + rng.integers(0, 255, 3)
    labels = np.zeros((size, size), np.uint8)
    parts: dict[str, np.ndarray] = {}
    for name, box, colour in shapes:
        canvas = Image.new("1", (size, size))
        ImageDraw.Draw(canvas).ellipse(box, fill=1)
        region = np.asarray(canvas)
        picture[region], labels[region], parts[name] = colour, ID[name], region
    # The raw layout paints in its own fixed order, so a part file holds no pixel of a later class
    # that is seen below it: cut each part to where nothing painted later here has a smaller id.
    parts = {name: part & (labels >= ID[name]) for name, part in parts.items()}
    picture += rng.normal(0, 4, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8), parts, labels


def write_raw(root: Path, count: int, *, size: int = 128) -> dict[int, np.ndarray]:
    """Write drawn faces in the raw CelebAMask-HQ layout; returns the true label map of each."""
    truth = {}
    (root / "CelebA-HQ-img").mkdir(parents=True)
    mapping, attributes = ["idx orig_idx orig_file"], [str(count), " ".join(ATTRIBUTES)]
    poses, identities = [str(count), "Yaw Pitch Raw"], []
    for i in range(count):
        index = i * 400  # so that several part folders are used
        picture, parts, labels = draw_face(i, size)
        truth[index] = labels
        Image.fromarray(picture).save(root / "CelebA-HQ-img" / f"{index}.jpg", quality=95)
        folder = root / "CelebAMask-HQ-mask-anno" / str(index // 2000)
        folder.mkdir(parents=True, exist_ok=True)
        for name, region in parts.items():
            Image.fromarray(region.astype(np.uint8) * 255).save(folder / f"{index:05d}_{name}.png")
        celeba = _CELEBA[i % 10] + i // 10 * 1000 * (_CELEBA[i % 10] < 1000)
        mapping.append(f"{index} {celeba} {celeba + 1:06d}.jpg")
        attributes.append(f"{index}.jpg {1 if i % 2 else -1} {1 if i % 3 else -1}")
        poses.append(f"{index}.jpg {i * 1.5} -2.0 0.25")
        identities.append(f"{celeba + 1:06d}.jpg {i // 2}")
    for name, lines in (
        ("CelebA-HQ-to-CelebA-mapping.txt", mapping),
        ("CelebAMask-HQ-attribute-anno.txt", attributes),
        ("CelebAMask-HQ-pose-anno.txt", poses),
        ("identity_CelebA.txt", identities),
    ):
        (root / name).write_text("\n".join(lines) + "\n")
    assert all(labels.max() < NUM_CLASSES for labels in truth.values())
    return truth
