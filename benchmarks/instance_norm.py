"""Instance norm in bfloat16 on one core: ours against PyTorch's group norm, forward and backward, as a ratio.

python benchmarks/instance_norm.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch.nn import functional as F

from maskgan_cli.models.layers import normalised


def seconds(run: Callable[[], object], times: int = 5) -> float:
    """The least processor time of several runs."""
    run()
    spent = []
    for _ in range(times):
        started = time.process_time()
        run()
        spent.append(time.process_time() - started)
    return min(spent)


def main() -> None:
    torch.set_num_threads(1)
    for shape in ((8, 32, 256, 256), (8, 128, 64, 64), (8, 256, 32, 32)):
        features = torch.randn(shape).bfloat16().to(memory_format=torch.channels_last).requires_grad_()
        gradient = torch.randn_like(features)
        ours = seconds(lambda x=features, g=gradient: torch.autograd.grad(normalised(x), x, g))
        theirs = seconds(lambda x=features, g=gradient: torch.autograd.grad(F.group_norm(x, x.shape[1]), x, g))
        print(f"{shape}: {1e3 * ours:.0f} ms, PyTorch {1e3 * theirs:.0f} ms, ratio {ours / theirs:.2f}")


if __name__ == "__main__":
    main()
