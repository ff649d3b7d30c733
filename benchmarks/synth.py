"""Seconds a rendered face on one core, with the first rough generator beside it if there is one.

    python benchmarks/synth.py [FOLDER_OF_THE_FIRST_GENERATOR] [--faces 12] [--repeats 3]

Every generator draws the same number of faces at every size, alternately, so that a busy machine
slows all of them; the fastest round counts. JSON on standard output.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
OURS = "from maskgan_cli.synth import face\nrun = lambda i, size: face(0, i, size)"
FIRST = "from gen import face\nrun = lambda i, size: face(i, size)"
CLOCK = """
import sys, time, warnings
warnings.simplefilter("ignore")
size, count = int(sys.argv[1]), int(sys.argv[2])
run(10_000, size)
start = time.perf_counter()
for i in range(count):
    run(i, size)
print((time.perf_counter() - start) / count)
"""


def seconds(setup: str, size: int, count: int, folder: Path) -> float:
    command = [sys.executable, "-c", setup + CLOCK, str(size), str(count)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("first", nargs="?", type=Path, help="folder with gen.py of the first generator")
    parser.add_argument("--faces", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    root = Path(__file__).resolve().parents[1]
    rows = []
    for size in (128, 256):
        times: dict[str, list[float]] = {}
        for _ in range(options.repeats):
            times.setdefault("ours", []).append(seconds(OURS, size, options.faces, root))
            if options.first is not None:
                times.setdefault("first", []).append(seconds(FIRST, size, options.faces, options.first))
        row = {"size": size} | {f"{name}_s_per_face": round(min(t), 3) for name, t in times.items()}
        if "first" in times:
            row["ratio"] = round(min(times["ours"]) / min(times["first"]), 3)
        rows.append(row)
    print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
