"""Benchmark of ``prep-data`` on rendered faces in the raw layout of CelebAMask-HQ.

The layout has images of 1024 px, and for each part of a face a mask file of 512 px.
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from maskgan_cli.bench.figure import Case, Work
from maskgan_cli.bench.table import BenchOptions
from maskgan_cli.data.celebamask import IMAGES, MAPPING, MASKS, read_source
from maskgan_cli.data.prepare import prepare
from maskgan_cli.data.resize import resize_image
from maskgan_cli.files import read_image, write_image
from maskgan_cli.synth import write_dataset

_RENDERED = 2  # number of faces that are rendered; the others are links to their files


def cases(options: BenchOptions) -> list[Case]:
    """Return the benchmark cases of ``prep-data``: one for each size of the prepared faces, 256 and 512 px."""
    raw = raw_layout(options.folder / "raw", 24 if options.thorough else 6)
    return [
        Case("preparation", f"{size} px, one process", {"raw": raw, "size": size, "workers": 1}) for size in (256, 512)
    ]


@contextlib.contextmanager
def work(raw: Path, size: int, workers: int, image_format: str = "png") -> Iterator[Work]:
    """Context manager that reads the list of a raw data set's faces, and yields the `Work` to time.

    Each call of `Work.once` prepares all faces of the data set, and writes them into an empty folder.

    Args:
        raw: folder of the raw data set.
        size: side of the prepared faces in pixels.
        workers: number of processes.
        image_format: format of the prepared images.
    """
    source = read_source(raw)
    with tempfile.TemporaryDirectory() as name:
        folders = (Path(name) / str(number) for number in itertools.count())

        def once() -> None:
            out = next(folders)
            for _ in prepare(source, out, size=size, image_format=image_format, workers=workers, overwrite=False):
                pass
            shutil.rmtree(out)

        yield Work(once, len(source.candidates), "face", {"size": size, "workers": workers})


def raw_layout(out: Path, count: int, size: int = 512) -> Path:
    """Write ``count`` faces in the raw layout of CelebAMask-HQ to the folder ``out``, and return ``out``.

    Mask files have ``size`` px, images ``2 * size`` px. Only the first two faces are rendered; the files of all other
    faces are hard links to the files of these two.
    """
    write_dataset(out, _RENDERED, size, workers=1)
    images, masks = out / IMAGES, out / MASKS
    for path in images.iterdir():  # as in CelebAMask-HQ, images are twice as large as masks
        write_image(path, resize_image(read_image(path), 2 * size))
    pictures, parts = sorted(images.iterdir()), sorted(masks.glob("*/*.png"))
    for number in range(_RENDERED, count):
        like = number % _RENDERED
        (images / f"{number}{pictures[like].suffix}").hardlink_to(pictures[like])
        folder = masks / str(number // 2000)
        folder.mkdir(exist_ok=True)
        for part in parts:
            index, _, rest = part.name.partition("_")
            if int(index) == like:
                (folder / f"{number:05d}_{rest}").hardlink_to(part)
    lines = [f"{number} {number} {number + 1:06d}.jpg" for number in range(count)]
    (out / MAPPING).write_text("\n".join(["idx orig_idx orig_file", *lines]) + "\n")
    return out
