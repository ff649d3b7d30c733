"""How long an edit of a photograph takes: the field, the composition, and the whole edit.

    python benchmarks/moving_photo.py [--size 512] [--repeats 5] [--threads 2]

A rendered face of that size whose mask is edited in four ways. Milliseconds, the median of the repeats, by the clock
and of processor time, which a busy machine hardly changes: the displacement field; the composition, field included, at
full size and at the editor's preview; and the whole edit with the network's painting. Then accessories that are drawn
over the photo, and another face's hair that is laid on it. JSON on standard output.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from statistics import median

import torch

from maskgan_cli.bench.machine import machine
from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.editing.compositing.accessories.put_on import put_on
from maskgan_cli.editing.compositing.compose import paste_moved, with_hair
from maskgan_cli.editing.compositing.hair_swap import hair_to_take
from maskgan_cli.editing.compositing.mouths import ReferenceFace
from maskgan_cli.editing.compositing.registration import displacement
from maskgan_cli.editing.masks.reshape import Reshaping, reshape
from maskgan_cli.editing.methods import METHODS, Request
from maskgan_cli.labels import part_ids
from maskgan_cli.synth import render, sample_identity, sample_scene
from maskgan_cli.weights.lookup import find_weights

SEED, PREVIEW = 515, 256
EDITS = {
    "nose": Reshaping(part_ids("nose"), scale=1.2),
    "open mouth": Reshaping(open_mouth=16),
    "close mouth": Reshaping(open_mouth=-1),
    "hair": Reshaping(part_ids("hair"), grow=12),
}


def milliseconds(work: Callable[[], object], repeats: int) -> dict[str, float]:
    work()
    clock, processor = [], []
    for _ in range(repeats):
        start, used = time.perf_counter(), time.process_time()
        work()
        clock.append(1000 * (time.perf_counter() - start))
        processor.append(1000 * (time.process_time() - used))
    return {"clock": round(median(clock), 1), "processor": round(median(processor), 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    who = sample_identity(SEED, 0)
    face = render(who, sample_scene(SEED, 3, who), asked.size)
    method = METHODS["dmn"].load(find_weights(None, "dmn"), "cpu")
    found = {}
    for name, how in EDITS.items():
        before, after = face.labels, reshape(face.labels, how)
        if (before == after).all():
            continue
        request = Request(after, before, face.picture)
        painting = resize_image(method.paint([request])[0], asked.size)
        small = resize_image(face.picture, PREVIEW), resize_image(painting, PREVIEW)
        labels = resize_labels(before, PREVIEW), resize_labels(after, PREVIEW)

        def whole(request=request, before=before, after=after):
            (painted,) = method.paint([request])
            return paste_moved(face.picture, resize_image(painted, asked.size), before, after)

        found[name] = {
            "field": milliseconds(lambda b=before, a=after: displacement(b, a), asked.repeats),
            "composition": milliseconds(
                lambda p=painting, b=before, a=after: paste_moved(face.picture, p, b, a), asked.repeats
            ),
            "preview's composition": milliseconds(lambda s=small, m=labels: paste_moved(*s, *m), asked.repeats),
            "whole edit": milliseconds(whole, asked.repeats),
        }
    pictures = {}
    for name in ("glasses-round", "hat-fedora", "earrings-hoop", "necklace-pearls"):
        pictures[name] = milliseconds(lambda n=name: put_on(face.picture, face.labels, [n]), asked.repeats)
    other = sample_identity(SEED, 7)
    reference = render(other, sample_scene(SEED, 7, other), asked.size)
    fit = hair_to_take(reference.labels, face.labels)
    if fit is not None:
        lent = ReferenceFace(reference.picture, reference.labels, fit)
        pictures["another's hair"] = milliseconds(lambda: with_hair(face.picture, face.labels, lent), asked.repeats)
    found["drawn and laid on"] = pictures
    print(json.dumps({"size": asked.size, "threads": asked.threads, "milliseconds": found, "machine": machine("cpu")}))


if __name__ == "__main__":
    main()
