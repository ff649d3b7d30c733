"""The child process that personalises the generator for the editor: see `learning`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Final

from maskgan_cli.files import read_image, read_label_map

_NICE: Final = 10  # niceness of this process: a lower priority than the editor


def learn(folder: Path, out: Path, start: Path, parser: Path, steps: int) -> None:
    """Fine-tune the generator on a session's face and write the weights.

    Args:
        folder: the session's folder, with ``face.png`` and ``face.mask.png``.
        out: the weights file to write.
        start, parser: the initial weights of the generator, and the weights of the face parser.
        steps: number of training steps.
    """
    import torch

    from maskgan_cli.editing.faces.face import Face
    from maskgan_cli.personalise import Settings, personalised, recorded, write
    from maskgan_cli.workers import cores

    torch.set_num_threads(max(1, cores() - 1))  # leave one core for the editor
    image, mask, settings = folder / "face.png", folder / "face.mask.png", Settings(steps)
    face = Face(image, mask, read_image(image), read_label_map(mask))
    _report(0, steps)
    record = recorded([image], start, parser, settings)
    made = personalised(
        start, parser, [face], settings, torch.device("cpu"), lambda done, total, note: _report(done, total)
    )
    write(out, made, record, overwrite=True)


def _report(done: int, total: int) -> None:
    """Print the numbers of finished training steps (``done``) and of all steps (``total``) as a line of JSON."""
    print(json.dumps({"done": done, "total": total}), flush=True)


if __name__ == "__main__":
    from maskgan_cli import workers

    workers.end_with_parent()
    if hasattr(os, "nice"):
        os.nice(_NICE)
    folder, out, start, parser = map(Path, sys.argv[1:5])
    learn(folder, out, start, parser, int(sys.argv[5]))
