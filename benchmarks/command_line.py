"""How long `--help` takes, as a multiple of starting Python and importing nothing.

    python benchmarks/command_line.py

The promise is that every `--help` answers in under half a second; this prints the times too.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

COMMANDS = ([], ["prep-data"], ["train", "dmn"], ["swap-mouth"])
RUNS = 7


def _seconds(arguments: list[str]) -> float:
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Measure, and print one JSON document."""
    bare = _seconds(["-c", "pass"])
    rows = []
    for command in COMMANDS:
        seconds = _seconds(["-m", "maskgan_cli", *command, "--help"])
        rows.append(
            {
                "command": " ".join(["maskgan", *command, "--help"]),
                "seconds": round(seconds, 3),
                "times_bare_python": round(seconds / bare, 1),
            }
        )
    print(json.dumps({"bare_python_seconds": round(bare, 3), "commands": rows}, indent=2))


if __name__ == "__main__":
    main()
