"""Measure a Dense Mapping Network on held-out faces, each in its own mask and style and in the next face's mask.

    python recipes/measure_generator.py WEIGHTS DATA --embedder FILE.onnx [-n 100]

DATA is a prepared data set (`maskgan prep-data`); faces of its validation and test splits are drawn with a fixed seed.
Faces whose id contains ``-`` are changed copies of others and are left out. The embedder is an ONNX face embedding
network (see `load_identity`) that had no part in the training. Prints JSON:

psnr              mean PSNR in dB of the generated faces, in their own mask and style, to the photos
cosine            mean cosine of their embeddings to the photos'
gradient          mean ratio of their gradient energy to the photos' (1: as sharp)
frechet           Frechet distance of their embeddings to the photos'
cosine_elsewhere  mean cosine to the style's photo, in the next face's mask
nearest           of own, other (in another mask) and photos: mean and largest cosine to the nearest training photo
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import numpy as np
import torch

from maskgan_cli.editor.models import Files, Models
from maskgan_cli.files import Picture, read_csv, read_image, read_label_map
from maskgan_cli.judges.identity import IdentityJudge, load_identity
from maskgan_cli.metrics.frechet import frechet_distance, statistics
from maskgan_cli.weights.lookup import find_weights


def gradient(picture: Picture) -> float:
    """Return the mean gradient magnitude of a picture's grey levels."""
    return float(np.hypot(*np.gradient(picture.astype(float).mean(-1))).mean())


def embeddings(judge: IdentityJudge, pictures: list[Picture]) -> torch.Tensor:
    """Return the unit embeddings (N, D) of face crops (S, S, 3)."""
    return torch.cat([judge(torch.from_numpy(picture.copy()).permute(2, 0, 1)[None]) for picture in pictures]).cpu()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--embedder", type=Path, required=True)
    parser.add_argument("-n", type=int, default=100)
    options = parser.parse_args()
    others = (find_weights(None, kind, "") for kind in ("vae", "parser"))
    models = Models(Files(options.weights, *others), "cpu")
    judge = load_identity(options.embedder, torch.device("cpu"))
    rows = [row for row in read_csv(options.data / "manifest.csv") if "-" not in row["id"]]
    chosen = [row for row in rows if row["split"] in ("val", "test")]
    random.Random(0).shuffle(chosen)
    chosen = chosen[: options.n]
    photos = [read_image(options.data / row["image"]) for row in chosen]
    masks = [read_label_map(options.data / row["mask"]) for row in chosen]
    codes = [models.encode(photo, mask) for photo, mask in zip(photos, masks, strict=True)]
    own = [models.paint(mask, code) for mask, code in zip(masks, codes, strict=True)]
    other = [models.paint(mask, code) for mask, code in zip([*masks[1:], masks[0]], codes, strict=True)]
    errors = [np.square(a.astype(float) - b).mean() for a, b in zip(own, photos, strict=True)]
    real, made, elsewhere = (embeddings(judge, pictures) for pictures in (photos, own, other))
    found = {
        "faces": len(chosen),
        "psnr": float(np.mean([10 * np.log10(255**2 / max(error, 1e-9)) for error in errors])),
        "cosine": float((real * made).sum(1).mean()),
        "gradient": float(np.mean([gradient(a) / gradient(b) for a, b in zip(own, photos, strict=True)])),
        "frechet": frechet_distance(*(statistics(values.numpy()) for values in (made, real))),
        "cosine_elsewhere": float((real * elsewhere).sum(1).mean()),
    }
    seen = [read_image(options.data / row["image"]) for row in rows if row["split"] == "train"]
    known = embeddings(judge, seen)
    nearest = {}
    for name, values in (("own", made), ("other", elsewhere), ("photos", real)):
        cosines = (values @ known.T).amax(1)
        nearest[name] = [round(float(cosines.mean()), 3), round(float(cosines.max()), 3)]
    print(json.dumps({**{name: round(value, 3) for name, value in found.items()}, "nearest": nearest}))


if __name__ == "__main__":
    main()
