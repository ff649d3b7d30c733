"""Cost over work: preparation, painting and FID of 100, 1,000 and 8,000 pictures.

    python benchmarks/scaling.py [--counts 100 1000 8000] [--what preparation painting fid]

Each is a command of its own, on a dozen rendered faces of 128 px under as many names as are asked for: `prep-data
--size 128` of a folder of images and masks, bare `render --pairs` with the bundled weights, `eval fid` (with random
Inception weights: 2,048 features cost the same whatever they are) of as many reals and results. Processor seconds
grow with the pictures and no faster, start-up aside; the most memory hardly grows. JSON on standard output.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from maskgan_cli.bench.machine import machine
from maskgan_cli.workers import apart

FACES, SIDE = 12, 128


def run(*words):
    """Processor seconds of a command, and the most memory it or one of its children had, in MB."""
    command = [sys.executable, "-m", "maskgan_cli", *map(str, words), "-q"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)}: exit status {os.waitstatus_to_exitcode(status)}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def ready(work):
    """The faces, and Inception's weights; apart, as a child's memory counts from its parent's, which stays small so."""
    from maskgan_cli.bench.distance import random_inception
    from maskgan_cli.files import write_image, write_label_map
    from maskgan_cli.synth import face

    for number in range(FACES):
        drawn = face(3, number, SIDE)
        write_image(work / "faces" / "images" / f"{number}.png", drawn.picture)
        write_label_map(work / "faces" / "masks" / f"{number}.png", drawn.labels)
    return random_inception(work / "inception.pth")


def many(faces, folder, count):
    """The faces under ``count`` names, as links."""
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
        for number in range(count):
            os.link(faces / kind / f"{number % FACES}.png", folder / kind / f"{number}.png")
    return folder


def pairs(folder, count):
    """A list of pairs: each face's mask in its neighbour's look."""
    path = folder.with_suffix(".csv")
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["mask", "style_image", "style_mask", "output"])
        for number in range(count):
            image, mask = (folder / kind / f"{(number + 1) % count}.png" for kind in ("images", "masks"))
            rows.writerow([folder / "masks" / f"{number}.png", image, mask, f"{number}.png"])
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", type=int, nargs="+", default=[100, 1000, 8000])
    parser.add_argument("--what", nargs="+", default=["preparation", "painting", "fid"])
    options = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        inception = apart(ready, work)
        for count in options.counts:
            folder = many(work / "faces", work / str(count), count)
            commands = {
                "preparation": lambda f=folder: ("prep-data", f, f / "data", "--size", SIDE, "--workers", 1),
                "painting": lambda f=folder, n=count: (
                    "render",
                    "--pairs",
                    pairs(f, n),
                    "-o",
                    f / "out",
                    "--device",
                    "cpu",
                    "--no-blend",
                    "--crop",
                ),
                "fid": lambda f=folder: (
                    "eval",
                    "fid",
                    f / "images",
                    f / "images",
                    "--weights",
                    inception,
                    "--device",
                    "cpu",
                    "--no-cache",
                ),
            }
            for what in options.what:
                seconds, memory = run(*commands[what]())
                found.append(
                    {
                        "what": what,
                        "pictures": count,
                        "processor_seconds": round(seconds, 1),
                        "milliseconds_each": round(1e3 * seconds / count, 1),
                        "peak_memory_mb": round(memory),
                    }
                )
                print(found[-1], file=sys.stderr)
    print(json.dumps({"machine": machine("cpu"), "figures": found}, indent=2))


if __name__ == "__main__":
    main()
