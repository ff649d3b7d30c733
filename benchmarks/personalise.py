"""What `maskgan personalise` gains, on rendered people whose true picture with another expression is known.

    python benchmarks/personalise.py [--people 4] [--photos 1] [--steps 100] [--weights W]

Each person has one photo or more of one scene's light and clothes at 256 px; asked for are other expressions of the
first, by their exact masks. PSNR in dB inside and outside the edit, bare (enlarged) and blended into the photo, by the
weights before and after; and the share of pixels in which the bundled parser reads the mask asked for in the bare
paintings. JSON on standard output.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from maskgan_cli.bench.machine import machine
from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.editing.compositing.blend import paste_seamless
from maskgan_cli.judges.parser import load_parser
from maskgan_cli.models.layers import to_bytes, to_unit
from maskgan_cli.personalise import Settings, personalise
from maskgan_cli.synth import render, sample_identity, sample_scene, with_expression
from maskgan_cli.weights.format import load
from maskgan_cli.weights.lookup import find_weights

SIZE, SEED, EDITS = 256, 515, 4


def people(count, photos):
    """Photos of each person, then the truths of edits of the first."""
    for number in range(count):
        who = sample_identity(SEED, number)
        scenes = [sample_scene(SEED, number + 1000 * i, who) for i in range(photos)]
        shown = [sample_scene(SEED, number + 7 + 100 * i, who) for i in range(40)]
        mouths = [s for s in shown if (s.smiling, s.mouth_open) != (scenes[0].smiling, scenes[0].mouth_open)]
        edits = [with_expression(scenes[0], other) for other in mouths[:EDITS]]
        yield [render(who, s, SIZE) for s in scenes], [render(who, s, SIZE) for s in edits]


@torch.inference_mode()
def paint(network, face, labels):
    side = network.config.image_size
    image = to_unit(torch.from_numpy(resize_image(face.picture, side).copy()).permute(2, 0, 1)[None])
    style, mask = (torch.from_numpy(resize_labels(x, side).copy())[None] for x in (face.labels, labels))
    return to_bytes(network(mask, style, image))[0].permute(1, 2, 0).numpy()


def psnr(ours, truth, where):
    error = (ours.astype(float) - truth.astype(float))[where]
    return float(10 * np.log10(255**2 / max(1e-9, np.square(error).mean())))


def measure(network, judge, face, truths, found):
    for truth in truths:
        inside = face.labels != truth.labels
        if inside.sum() < 40:
            continue
        small = paint(network, face, truth.labels)
        bare = np.asarray(Image.fromarray(small).resize((SIZE, SIZE), Image.Resampling.BICUBIC))
        blended = paste_seamless(face.picture, resize_image(small, SIZE), face.labels, truth.labels)
        for name, picture in (("bare", bare), ("blended", blended)):
            found[f"{name}, inside"].append(psnr(picture, truth.picture, inside))
            found[f"{name}, outside"].append(psnr(picture, truth.picture, ~inside))
        read = judge(torch.from_numpy(small).permute(2, 0, 1)[None])[0].numpy()
        found["mask read"].append(float((read == resize_labels(truth.labels, len(small))).mean()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=4)
    parser.add_argument("--photos", type=int, default=1)
    parser.add_argument("--steps", type=int, default=Settings().steps)
    parser.add_argument("--rate", type=float, default=Settings().rate)
    parser.add_argument("--weights", type=Path)
    options = parser.parse_args()
    device = torch.device("cpu")
    general, _ = load("dmn", find_weights(options.weights, "dmn"), device)
    reads, _ = load("parser", find_weights(None, "parser"), device)
    judge = load_parser(find_weights(None, "parser"), device)
    before, after, seconds = defaultdict(list), defaultdict(list), []
    settings = Settings(options.steps, options.rate)
    for photos, truths in people(options.people, options.photos):
        mine, since = copy.deepcopy(general), time.process_time()
        personalise(mine, reads, [p.picture for p in photos], [p.labels for p in photos], settings)
        seconds.append(time.process_time() - since)
        measure(general, judge, photos[0], truths, before)
        measure(mine, judge, photos[0], truths, after)
    rows = {
        name: {"before": round(float(np.mean(before[name])), 3), "after": round(float(np.mean(after[name])), 3)}
        for name in before
    }
    print(
        json.dumps(
            {
                "machine": machine("cpu"),
                "people": options.people,
                "photos": options.photos,
                "steps": options.steps,
                "rate": options.rate,
                "edits": len(before["mask read"]),
                "processor_seconds_each": round(float(np.mean(seconds)), 1),
                **rows,
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
