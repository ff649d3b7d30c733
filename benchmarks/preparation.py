"""Time of `prep-data` and of the published way of making label maps, measured alternately on the same faces.

    python benchmarks/preparation.py RAW [--faces 24] [--rounds 5]

RAW is CelebAMask-HQ as downloaded (or what `maskgan synth` wrote). The published way makes masks alone: for every
part of every face, look whether its file is there, read it in colour, set the pixels that are not zero in an array,
and write the array as a PNG. It is written here anew from that description, and reads and writes with OpenCV where
it is installed (`pip install opencv-python-headless`), as the published one does, else with Pillow. Ours makes
images and masks, checks and hashes them. JSON on standard output; processor seconds a face.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from maskgan_cli.bench.figure import Work
from maskgan_cli.bench.machine import machine
from maskgan_cli.bench.measure import Effort, alternate
from maskgan_cli.data.celebamask import MASKS, read_source
from maskgan_cli.data.prepare import prepare
from maskgan_cli.labels import ID, PARTS

try:
    import cv2
except ImportError:
    cv2 = None


def read(path: Path) -> np.ndarray:
    """One channel of a part file that is read in colour."""
    return cv2.imread(str(path))[..., 0] if cv2 else np.asarray(Image.open(path).convert("RGB"))[..., 0]


def write(path: Path, labels: np.ndarray) -> None:
    if cv2:
        cv2.imwrite(str(path), labels)
    else:
        Image.fromarray(labels.astype(np.uint8)).save(path)


def published(raw: Path, numbers: list[int], out: Path, size: int) -> None:
    """Masks alone, at 512 px or resized to ``size`` afterwards."""
    for number in numbers:
        labels = np.zeros((512, 512), np.float32)
        for part in PARTS:
            path = raw / MASKS / str(number // 2000) / f"{number:05d}_{part}.png"
            if path.exists():
                labels[read(path) != 0] = ID[part]
        if size != 512 and cv2:
            labels = cv2.resize(labels, (size, size), interpolation=cv2.INTER_NEAREST)
        elif size != 512:
            labels = np.asarray(Image.fromarray(labels.astype(np.uint8)).resize((size, size), Image.Resampling.NEAREST))
        write(out / f"{number}.png", labels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("raw", type=Path)
    parser.add_argument("--faces", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    source = read_source(options.raw)
    source = replace(source, candidates=[c for c in source.candidates if not c.reason][: options.faces])
    numbers = [int(candidate.id) for candidate in source.candidates]
    with contextlib.ExitStack() as stack:
        folders = (Path(stack.enter_context(tempfile.TemporaryDirectory())) / str(i) for i in itertools.count())
        sizes: dict[str, int] = {}

        def ours(name: str, size: int, image_format: str) -> Work:
            def once() -> None:
                out = next(folders)
                for _ in prepare(source, out, size=size, image_format=image_format, workers=1, overwrite=False):
                    pass
                sizes[name] = sum(path.stat().st_size for path in out.glob("masks/*"))
                shutil.rmtree(out)

            return Work(once, len(numbers), "face")

        def theirs(name: str, size: int) -> Work:
            def once() -> None:
                out = next(folders)
                out.mkdir()
                published(options.raw, numbers, out, size)
                sizes[name] = sum(path.stat().st_size for path in out.iterdir())
                shutil.rmtree(out)

            return Work(once, len(numbers), "face")

        works = {"published, masks alone, 512 px": theirs("published, masks alone, 512 px", 512)}
        works["published, masks alone, 256 px"] = theirs("published, masks alone, 256 px", 256)
        for size in (512, 256):
            for image_format in ("jpg", "png"):
                name = f"prep-data --size {size} --format {image_format}"
                works[name] = ours(name, size, image_format)
        each = alternate(works, Effort(seconds=0.0, least=options.rounds))
    print(
        json.dumps(
            {
                "machine": machine("cpu"),
                "faces": len(numbers),
                "rounds": options.rounds,
                "published_reads_with": f"OpenCV {cv2.__version__}" if cv2 else "Pillow",
                "processor_ms_each": {name: round(1e3 * seconds, 2) for name, seconds in each.items()},
                "of_the_published": {
                    name: round(seconds / each[f"published, masks alone, {512 if '512' in name else 256} px"], 2)
                    for name, seconds in each.items()
                },
                "mask_bytes_each": {name: round(total / len(numbers)) for name, total in sizes.items()},
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
