"""How rendered faces compare with real ones: class shares, and pose as a network sees it.

    python benchmarks/synth_truth.py [--count 200] [--real RAW_CELEBAMASK_HQ] [--onnx FOLDER]

``--real`` adds the shares and mean colours of a raw CelebAMask-HQ folder; ``--onnx`` names a folder
with FSA-Net's ``fsanet-1x1*.onnx`` and ``fsanet-var*.onnx`` (needs ``onnxruntime``), whose mean
answer is correlated with the truth. JSON on standard output.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

from maskgan_cli.labels import CLASSES, ID, PARTS
from maskgan_cli.synth import face

SIZE = 128


def rendered(count):
    faces = [face(7, i, SIZE) for i in range(count)]
    poses = np.array([(f.yaw, f.pitch, f.roll) for f in faces])
    return np.array([f.picture for f in faces]), np.array([f.labels for f in faces]), poses


def real(folder, count):
    pictures, labels = [], []
    paths = sorted((folder / "CelebA-HQ-img").glob("*.jpg"), key=lambda p: int(p.stem))
    for path in paths[:: max(1, len(paths) // count)]:
        pictures.append(np.asarray(Image.open(path).convert("RGB").resize((SIZE, SIZE))))
        number, merged = int(path.stem), np.zeros((SIZE, SIZE), np.uint8)
        for part in PARTS:
            mask = folder / "CelebAMask-HQ-mask-anno" / str(number // 2000) / f"{number:05d}_{part}.png"
            if mask.exists():
                small = Image.open(mask).convert("L").resize((SIZE, SIZE), Image.Resampling.NEAREST)
                merged[np.asarray(small) > 0] = ID[part]
        labels.append(merged)
    return np.array(pictures), np.array(labels)


def shares(pictures, labels):
    table = {}
    for number, name in enumerate(CLASSES):
        where = labels == number
        table[name] = {
            "share": round(float(where.mean()), 4),
            "pictures": round(float(where.any((1, 2)).mean()), 3),
            "rgb": pictures[where].mean(0).round().astype(int).tolist() if where.any() else None,
        }
    return table


def fsanet(pictures, folder):
    """Yaw, pitch and roll (N, 3) in degrees."""
    import onnxruntime

    answers = []
    for kind in ("1x1", "var"):
        path = next(folder.glob(f"fsanet-{kind}*.onnx"))
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        entry = session.get_inputs()[0].name
        one = []
        for picture in pictures:
            small = np.asarray(Image.fromarray(picture).resize((64, 64)), np.float32)[..., ::-1]
            one.append(session.run(None, {entry: ((small - 127.5) / 128).transpose(2, 0, 1)[None]})[0][0])
        answers.append(one)
    return np.mean(answers, 0)


def agreement(ours, theirs):
    return {
        name: {
            "correlation": round(float(np.corrcoef(ours[:, k], theirs[:, k])[0, 1]), 3),
            "mean_absolute_difference": round(float(np.abs(ours[:, k] - theirs[:, k]).mean()), 2),
        }
        for k, name in enumerate(("yaw", "pitch", "roll"))
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--onnx", type=Path)
    options = parser.parse_args()
    pictures, labels, poses = rendered(options.count)
    result = {"rendered": shares(pictures, labels)}
    if options.real is not None:
        result["real"] = shares(*real(options.real, options.count))
    if options.onnx is not None:
        result["pose"] = agreement(fsanet(pictures, options.onnx), poses)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
