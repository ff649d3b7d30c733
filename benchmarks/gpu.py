"""Time and memory of a step of every training, at 256 and 512 px, in fp32 and bf16, as published.

The inputs are random pictures that are on the device already, so neither disk nor data loader counts. VGG-19 has random
weights. A case that does not fit is reported as such; after ``--minutes`` no other case begins.

    python benchmarks/gpu.py --save gpu.json --write docs/performance.md     # about ten minutes of one GPU
    python benchmarks/gpu.py --device cpu --tiny --steps 1                   # checks the script without a GPU
"""

from __future__ import annotations

import argparse
import datetime
import gc
import json
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import torch
from accelerate import Accelerator

from maskgan_cli.config import load_recipe
from maskgan_cli.data.dataset import Batch
from maskgan_cli.devices import pick_device
from maskgan_cli.files import write_bytes, write_json
from maskgan_cli.models.mask_vae import MaskVAE, MaskVAEConfig
from maskgan_cli.networks import resolve, trainings
from maskgan_cli.training.perceptual_features import feature_network
from maskgan_cli.training.run import make_accelerator
from maskgan_cli.training.tasks.attributes import AttributeTask, Truth
from maskgan_cli.training.tasks.dmn import DMNRecipe, DMNTask
from maskgan_cli.training.tasks.ebst import EBSTTask
from maskgan_cli.training.tasks.elegant import ElegantTask
from maskgan_cli.training.tasks.identity import IdentityTask
from maskgan_cli.training.tasks.mask_vae import VAETask
from maskgan_cli.training.tasks.parser import ParserTask
from maskgan_cli.training.tasks.pix2pixhd import Pix2PixHDmTask
from maskgan_cli.training.tasks.pose import PoseTask
from maskgan_cli.training.tasks.sean import SEANTask
from maskgan_cli.training.tasks.spade import SPADETask
from maskgan_cli.training.tasks.stargan import StarGANTask

GIB: Final = 1 << 30
BEGIN, END = "<!-- benchmarks/gpu.py: begin -->", "<!-- benchmarks/gpu.py: end -->"
PAINTERS: Final = ("ebst", "dmn", "pix2pixhd-m", "spade", "sean")
JUDGES: Final = ("attributes", "identity", "pose")  # faces of any size, which they resize
_OF_ATTRIBUTES: Final = ("attributes", "stargan", "elegant")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--tiny", action="store_true", help="the recipes tiny-cpu, 64 px")
    parser.add_argument("--only", nargs="*", default=[], help="trainings, e.g. ebst dmn")
    parser.add_argument("--steps", type=int, default=8, help="timed steps of a case")
    parser.add_argument("--minutes", type=float, default=9.5)
    parser.add_argument("--save", type=Path, help="JSON")
    parser.add_argument("--write", type=Path, help="page whose marked section gets the table")
    arguments = parser.parse_args()
    device, began = pick_device(arguments.device), time.monotonic()
    rows: list[dict[str, Any]] = []
    for task, recipe, size in cases(tiny=arguments.tiny, only=arguments.only):
        for precision in ("bf16", "no"):
            if time.monotonic() - began > 60 * arguments.minutes:
                row: dict[str, Any] = {"failed": "no time left"}
            else:
                row = measure(task, recipe, size, precision, device, arguments.steps)
            rows.append({"training": task, "recipe": recipe, "size": size, "precision": precision, **row})
            print(json.dumps(rows[-1]), flush=True)
    document = {
        "device": name_of(device),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "date": datetime.date.today().isoformat(),
        "rows": rows,
    }
    if arguments.save:
        write_json(arguments.save, document)
    if arguments.write:
        before, rest = arguments.write.read_text("utf-8").split(BEGIN)
        after = rest.split(END)[1]
        write_bytes(arguments.write, f"{before}{BEGIN}\n{table(document)}\n{END}{after}".encode())


def cases(*, tiny: bool, only: list[str]) -> Iterator[tuple[str, str, int]]:
    """Training, recipe and side of each case, the most wanted ones first."""
    names = [training.name for training in trainings()]
    for size in (64,) if tiny else (512, 256):
        for name in (*PAINTERS, *(name for name in names if name not in PAINTERS)):
            if only and name not in only:
                continue
            if tiny:
                yield name, "tiny-cpu", size
            elif name in JUDGES:
                if size == 256:
                    yield name, "paper", size
            elif name == "parser":
                yield name, "paper-512", size
            elif name not in ("stargan", "elegant") or size == 256:  # the paper has these two at 256 px
                yield name, f"paper-{size}", size


def measure(task: str, recipe: str, size: int, precision: str, device: torch.device, steps: int) -> dict[str, Any]:
    """Seconds a step (the median) and the most memory that tensors took; why not, if it failed."""
    cuda = device.type == "cuda"
    try:
        accelerator = make_accelerator(str(device), precision)
        learning, batch = build(task, recipe, size, precision, accelerator)
        if cuda:
            torch.cuda.reset_peak_memory_stats()
        times = []
        for step in range(steps + 2):  # the first two choose algorithms and make Adam's state
            torch.manual_seed(step)
            start = time.perf_counter()
            learning.step(batch)
            if cuda:
                torch.cuda.synchronize()
            times.append(time.perf_counter() - start)
        seconds = statistics.median(times[2:])
        return {
            "batch": len(batch.images),
            "seconds": round(seconds, 4),
            "pictures_per_second": round(len(batch.images) / seconds, 1),
            "gib": round(torch.cuda.max_memory_allocated() / GIB, 1) if cuda else None,
        }
    except torch.cuda.OutOfMemoryError:
        return {"failed": "out of memory"}
    finally:
        learning = batch = None
        gc.collect()
        if cuda:
            torch.cuda.empty_cache()


def build(name: str, recipe_name: str, size: int, precision: str, accelerator: Accelerator) -> tuple[Any, Batch]:
    """A task as its training builds it, and a batch on its device."""
    training = next(one for one in trainings() if one.name == name)
    changes = [f"precision={precision}"]
    changes += [f"network.image_size={size}"] if name not in JUDGES else []
    changes += ["perceptual.network=random", "perceptual.weights=null"] if name in PAINTERS else []
    changes += ["perceptual.width=64"] if name in PAINTERS and recipe_name != "tiny-cpu" else []
    recipe: Any = load_recipe(resolve(f"{training.module}:{training.recipe}"), name, recipe_name, changes)
    count = recipe.data.batch_size
    batch, validation = faces(count, size, masked=name != "identity"), faces(2, size, masked=name != "identity")
    names = recipe.network.names if name == "attributes" else getattr(recipe.network, "attributes", ())
    has = (torch.arange(count)[:, None] + torch.arange(len(names) or 1)) % 2
    angles = torch.zeros(count, 3)
    truth = Truth(has.float(), has[:2].float())
    make: dict[str, Callable[[], Any]] = {
        "vae": lambda: VAETask(recipe, accelerator, validation),
        "parser": lambda: ParserTask(recipe, accelerator, validation),
        "attributes": lambda: AttributeTask(recipe, accelerator, truth, validation),
        "stargan": lambda: StarGANTask(recipe, accelerator, truth, validation),
        "elegant": lambda: ElegantTask(recipe, accelerator, truth, validation),
        "pose": lambda: PoseTask(recipe, accelerator, validation, angles=angles, truth=angles[:2]),
        "identity": lambda: IdentityTask(recipe, accelerator, torch.arange(count) // 2, validation, ["a", "b"]),
    }
    if name in make:
        return make[name](), batch.to(accelerator.device)
    features, _ = feature_network(recipe.perceptual)
    if name == "ebst":
        tiny = recipe_name == "tiny-cpu"  # the network is that of the weights that EBST starts from
        network = load_recipe(DMNRecipe, "dmn", recipe_name, [changes[1]]).network
        recipe = recipe.model_copy(update={"network": network})
        vae = MaskVAE(MaskVAEConfig(size, width=4, latent=16) if tiny else MaskVAEConfig(size))
        return EBSTTask(recipe, accelerator, features, validation, vae), batch.to(accelerator.device)
    kinds: dict[str, Any] = {"dmn": DMNTask, "pix2pixhd-m": Pix2PixHDmTask, "spade": SPADETask, "sean": SEANTask}
    return kinds[name](recipe, accelerator, features, validation), batch.to(accelerator.device)


def faces(count: int, size: int, *, masked: bool) -> Batch:
    """Noise, and masks of blocks in which every class appears."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, generator=generator)
    blocks = torch.randint(0, 19, (count, 16, 16), dtype=torch.uint8, generator=generator)
    labels = blocks.repeat_interleave(size // 16, 1).repeat_interleave(size // 16, 2)
    labels = labels if masked else torch.empty(count, 0, 0, dtype=torch.uint8)
    return Batch(images, labels, torch.arange(count), torch.zeros(count, dtype=torch.bool))


def name_of(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)


def table(document: dict[str, Any]) -> str:
    """The rows as Markdown, one line a training and size."""
    lines = [
        f"Measured on one {document['device']} with PyTorch {document['torch']} on {document['date']}: seconds a step, "
        "and the most memory that tensors took.",
        "",
        "| training | px | batch | bf16: s | GiB | fp32: s | GiB |",
        "|---|---|---|---|---|---|---|",
    ]
    found: dict[tuple[str, int], dict[str, dict[str, Any]]] = {}
    for row in document["rows"]:
        found.setdefault((row["training"], row["size"]), {})[row["precision"]] = row
    for (name, size), both in found.items():
        cells = [cell for precision in ("bf16", "no") for cell in _cells(both[precision])]
        batch = next((str(row["batch"]) for row in both.values() if "batch" in row), "")
        lines.append(f"| {' | '.join([f'`{name}`', str(size), batch, *cells])} |")
    return "\n".join(lines)


def _cells(row: dict[str, Any]) -> tuple[str, str]:
    if "failed" in row:
        return row["failed"], ""
    return f"{row['seconds']:.3g}", "–" if row["gib"] is None else f"{row['gib']:.1f}"


if __name__ == "__main__":
    main()
