"""What it saves to reduce gradients while the backward pass runs: a training step in several processes, both ways.

    torchrun --nproc-per-node 2 benchmarks/reduction.py [--task dmn] [--recipe small-128] [--size 128] [--steps 8]

Steps with buckets and with one message after the backward pass alternate. The first process prints the medians as JSON,
and the seconds that a single reduction of all gradients takes alone. Faces are noise; the perceptual network is random.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import time
from pathlib import Path

import torch
from torch import distributed

from maskgan_cli.training import reduction
from maskgan_cli.training.run import make_accelerator

WAYS = {"buckets": reduction.BUCKET_BYTES, "one message": 1 << 62}


def gpu_benchmark():
    """benchmarks/gpu.py, which builds the tasks."""
    spec = importlib.util.spec_from_file_location("gpu_benchmark", Path(__file__).with_name("gpu.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def timed(work):
    """Seconds of a call, with all processes ready at its start."""
    distributed.barrier()
    start = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="dmn")
    parser.add_argument("--recipe", default="small-128")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--bucket-megabytes", type=float, default=reduction.BUCKET_BYTES / 2**20)
    arguments = parser.parse_args()
    WAYS["buckets"] = int(arguments.bucket_megabytes * 2**20)
    accelerator, build = make_accelerator(arguments.device, "no"), gpu_benchmark().build
    tasks, share = {}, 0
    for way, size in WAYS.items():
        reduction.GradientReduction.__init__.__defaults__ = (size,)
        tasks[way], batch = build(arguments.task, arguments.recipe, arguments.size, "no", accelerator)
        share = len(batch.images) // accelerator.num_processes
    part = next(iter(_parts(batch, accelerator.num_processes)))
    seconds = {way: [] for way in WAYS}
    for step in range(arguments.steps + 1):
        for way, task in tasks.items():
            torch.manual_seed(step)
            taken = timed(lambda task=task: task.step(part))
            seconds[way] += [taken] if step else []  # the first makes Adam's state
    count = sum(p.numel() for n in tasks["buckets"].networks.values() for p in n.parameters())
    flat = torch.zeros(count, device=accelerator.device)
    alone = statistics.median(timed(lambda: distributed.all_reduce(flat)) for _ in range(5))
    if accelerator.is_main_process:
        medians = {way: round(statistics.median(values), 4) for way, values in seconds.items()}
        print(
            json.dumps(
                {
                    "processes": accelerator.num_processes,
                    "faces_each": share,
                    "seconds": medians,
                    "gradients_megabytes": round(count * 4 / 2**20, 1),
                    "reduction_alone": round(alone, 4),
                }
            )
        )
    distributed.destroy_process_group()


def _parts(batch, count):
    from maskgan_cli.training.accumulate import parts_of

    return parts_of(batch, count)


if __name__ == "__main__":
    main()
