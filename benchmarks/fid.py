"""FID against pytorch-fid's own command: the same value, and how long each takes.

    python benchmarks/fid.py [--pictures 1000] [--size 64] [--threads 1]

Both get the same two folders of random pictures and the same random Inception weights. pytorch-fid
finds them where its download would have put them. Measured one after the other in one run: their
command, our first comparison, our second one against the same reals (whose statistics are then in
the cache). JSON on standard output. Needs pytorch-fid, and SciPy before 1.18, whose matrix root it calls.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from maskgan_cli.bench.distance import noise, random_inception

NAME = "pt_inception-2015-12-05-6726825d.pth"


def run(command: list[str], environment: dict[str, str]) -> tuple[str, dict[str, float]]:
    """What a command printed, and its seconds: by the clock, and of processor time (a busy machine's measure)."""
    start, before = time.perf_counter(), os.times()
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return done.stdout, {"clock": round(time.perf_counter() - start, 1), "processor": round(used, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        weights = random_inception(work / "torch" / "hub" / "checkpoints" / NAME)
        reals, *others = (work / name for name in ("reals", "results1", "results2"))
        for seed, folder in enumerate((reals, *others)):
            noise(folder, options.pictures, options.size, seed)
        environment = {
            "TORCH_HOME": str(work / "torch"),
            "MASKGAN_CACHE": str(work / "cache"),
            "OMP_NUM_THREADS": str(options.threads),
        }
        theirs = [sys.executable, "-m", "pytorch_fid", "--device", "cpu", "--num-workers", "1"]
        ours = [sys.executable, "-m", "maskgan_cli", "eval", "fid", "--weights", str(weights), "--device", "cpu", "-q"]
        printed, their_time = run([*theirs, str(reals), str(others[0])], environment)
        first, first_time = run([*ours, str(reals), str(others[0])], environment)
        _, second_time = run([*ours, str(reals), str(others[1])], environment)
    their_value, our_value = float(printed.split()[-1]), json.loads(first)["value"]
    print(
        json.dumps(
            {
                "pictures": options.pictures,
                "size": options.size,
                "threads": options.threads,
                "pytorch_fid": their_value,
                "maskgan": our_value,
                "relative_difference": abs(our_value / their_value - 1),
                "seconds": {"pytorch_fid": their_time, "first": first_time, "second": second_time},
                "times_as_fast": {
                    measure: {
                        "first_as_pytorch_fid": round(their_time[measure] / first_time[measure], 2),
                        "second_as_first": round(first_time[measure] / second_time[measure], 2),
                        "second_as_pytorch_fid": round(their_time[measure] / second_time[measure], 2),
                    }
                    for measure in ("clock", "processor")
                },
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
