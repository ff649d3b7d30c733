"""How much memory a training step needs, computed and not measured: every tensor is counted, none is allocated.

The step runs on PyTorch's fake tensors, so that 512 px fit any machine. Counted are the weights, gradients, activations
and whatever else is alive at the worst moment, not the optimisers' state (8 bytes a parameter and Adam), the CUDA
context, or the work space of convolutions; a GPU needs that much more.

    python benchmarks/memory.py                                   # EBST and the DMN as published, 512 px
    python benchmarks/memory.py --size 256 --precision bf16 --checkpointing
    python benchmarks/memory.py --saved                           # what the graph keeps for EBST's backward passes

    python benchmarks/memory.py --flops --size 256                # arithmetic of a step at the recipes' batch size

``--saved`` counts the tensors that autograd saves for the backward pass, by its hooks, in EBST's step for both settings
of ``update_order``.
"""

from __future__ import annotations

import argparse
import json
import weakref
from collections import Counter
from dataclasses import dataclass
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from maskgan_cli.config import load_recipe
from maskgan_cli.data.dataset import Batch
from maskgan_cli.models.mask_vae import MaskVAE, MaskVAEConfig
from maskgan_cli.models.perceptual import VGG19Features
from maskgan_cli.training.adversarial import AdversarialTask
from maskgan_cli.training.tasks.dmn import DMNRecipe
from maskgan_cli.training.tasks.ebst import EBSTRecipe, EBSTTask

GIB = 1 << 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--precision", choices=["no", "bf16"], default="no")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--accumulate", type=int, nargs="*", default=[1, 4])
    parser.add_argument("--checkpointing", action="store_true")
    parser.add_argument("--update-order", choices=["stages", "together"], default="stages", help="of EBST")
    parser.add_argument("--saved", action="store_true")
    parser.add_argument("--flops", action="store_true")
    parser.add_argument("--task", choices=["dmn", "ebst"], nargs="*", default=["dmn", "ebst"])
    arguments = parser.parse_args()
    accelerator = Accelerator(cpu=True, mixed_precision=arguments.precision)
    changes = [f"precision={arguments.precision}", f"network.image_size={arguments.size}", "validation.every=null"]
    if arguments.saved:
        row = {"task": "ebst", "size": arguments.size, "precision": arguments.precision}
        for order in ("together", "stages"):
            ordered = [*changes, f"update_order={order}"]
            peaks = {batch: saved(ordered, accelerator, arguments.size, batch) for batch in (2, 4)}
            row[f"saved_gib_a_face_{order}"] = round((peaks[4] - peaks[2]) / 2 / GIB, 2)
        print(json.dumps(row), flush=True)
        return
    changes += ["checkpointing=true"] if arguments.checkpointing else []
    for name in arguments.task:
        own = [*changes, f"update_order={arguments.update_order}"] if name == "ebst" else changes
        if arguments.flops:
            count = flops(name, own, accelerator, arguments.size, 2) / 2 * arguments.batch
            print(
                json.dumps({"task": name, "size": arguments.size, "tflop_a_step": round(count / 1e12, 1)}), flush=True
            )
            continue
        peaks = {batch: peak(name, own, accelerator, arguments.size, batch, 1) for batch in (2, 4)}
        row = {
            "task": name,
            "size": arguments.size,
            "precision": arguments.precision,
            "checkpointing": arguments.checkpointing,
            "gib_a_face": round((peaks[4] - peaks[2]) / 2 / GIB, 2),
        }
        for parts in arguments.accumulate:
            key = f"gib_batch_{arguments.batch}" + (f"_in_{parts}_parts" if parts > 1 else "")
            row[key] = round(peak(name, own, accelerator, arguments.size, arguments.batch, parts) / GIB, 1)
        print(json.dumps(row), flush=True)


def peak(name: str, changes: list[str], accelerator: Accelerator, size: int, batch: int, parts: int) -> int:
    """Bytes alive at the worst moment of a step."""
    with FakeTensorMode():
        task = build(name, changes, accelerator, size)
        for optimiser in task.optimisers.values():
            optimiser.step = lambda *_: None  # type: ignore[method-assign]  (Adam asks its tensors for their values)
        whole = faces(batch, size)
        alive = Alive()
        for network in [*task.networks.values(), task.features, getattr(task, "vae", None)]:
            for tensor in () if network is None else network.state_dict().values():
                alive.add(tensor)
        with alive:
            if parts == 1:
                task.step(whole)
            else:
                from maskgan_cli.training.accumulate import parts_of

                task.step_in_parts(parts_of(whole, parts))
        return alive.peak


def saved(changes: list[str], accelerator: Accelerator, size: int, batch: int) -> int:
    """Bytes of the tensors saved for the backward pass at the worst moment of a step of EBST, weights apart."""
    with FakeTensorMode():
        task = build("ebst", changes, accelerator, size)
        for optimiser in task.optimisers.values():
            optimiser.step = lambda *_: None  # type: ignore[method-assign]
        networks = [*task.networks.values(), task.features, task.vae]
        weights = {x.untyped_storage()._cdata for network in networks for x in network.state_dict().values()}
        counter = SavedTensors(weights)
        with torch.autograd.graph.saved_tensors_hooks(counter.pack, counter.unpack):
            task.step(faces(batch, size))
        return counter.peak


class SavedTensors:
    """Hooks that count the bytes of saved tensors. Tensors that share their memory count once."""

    def __init__(self, weights: set[int]) -> None:
        self.now = self.peak = 0
        self._weights, self._holders = weights, Counter[int]()

    def pack(self, tensor: torch.Tensor) -> Holder:
        """Called when a tensor is saved."""
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        holder = Holder(tensor)
        if key not in self._weights:
            self._holders[key] += 1
            self.now += size if self._holders[key] == 1 else 0
            self.peak = max(self.peak, self.now)
            weakref.finalize(holder, self._remove, key, size)
        return holder

    def unpack(self, holder: Holder) -> torch.Tensor:
        """Called when the backward pass needs it."""
        return holder.tensor

    def _remove(self, key: int, size: int) -> None:
        self._holders[key] -= 1
        self.now -= size if self._holders[key] == 0 else 0


@dataclass(eq=False)
class Holder:
    """Lives as long as the graph keeps the tensor."""

    tensor: torch.Tensor


def flops(name: str, changes: list[str], accelerator: Accelerator, size: int, batch: int) -> int:
    """Floating-point operations of the convolutions and matrix products of a step, forward and backward."""
    with FakeTensorMode():
        task = build(name, changes, accelerator, size)
        for optimiser in task.optimisers.values():
            optimiser.step = lambda *_: None  # type: ignore[method-assign]
        with FlopCounterMode(display=False) as counter:
            task.step(faces(batch, size))
        return int(counter.get_total_flops())


class Alive(TorchDispatchMode):
    """Counts the bytes of all tensors that are alive, and the most there were."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor):
                self.add(leaf)
        return result

    def add(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return
        self._known.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._remove, key, size)

    def _remove(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size


def build(name: str, changes: list[str], accelerator: Accelerator, size: int) -> Any:
    nn.Module.to = lambda network, *_, **__: network  # type: ignore[method-assign, assignment]
    features = VGG19Features()
    if name == "dmn":
        stage_one = load_recipe(DMNRecipe, "dmn", "paper-512", changes)
        return AdversarialTask(stage_one, accelerator, features, faces(2, size))
    recipe = load_recipe(EBSTRecipe, "ebst", "paper-512", changes)
    return EBSTTask(recipe, accelerator, features, faces(2, size), MaskVAE(MaskVAEConfig(size)))


def faces(count: int, size: int) -> Batch:
    images = torch.zeros(count, 3, size, size, dtype=torch.uint8)
    labels = torch.zeros(count, size, size, dtype=torch.uint8)
    return Batch(images, labels, torch.zeros(count, dtype=torch.int64), torch.zeros(count, dtype=torch.bool))


if __name__ == "__main__":
    main()
