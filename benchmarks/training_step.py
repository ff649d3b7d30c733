"""What channels-last memory saves: forward and backward of the Dense Mapping Network, both layouts.

    python benchmarks/training_step.py [recipe]

The layouts are timed alternately in one run; the ratio is what counts.
"""

from __future__ import annotations

import json
import statistics
import sys
import time

import torch

from maskgan_cli.config import load_recipe
from maskgan_cli.devices import pick_device
from maskgan_cli.models.dmn import DenseMappingNetwork
from maskgan_cli.models.layers import one_hot
from maskgan_cli.training.tasks.dmn import DMNRecipe

ROUNDS = 8
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def main(name: str) -> None:
    """Measure, and print one JSON document."""
    recipe = load_recipe(DMNRecipe, "dmn", name, [])
    size, count, device = recipe.network.image_size, recipe.data.batch_size, pick_device()
    network = DenseMappingNetwork(recipe.network).to(device)
    mask = one_hot(torch.randint(0, 19, (count, size, size), device=device))
    image = torch.rand(count, 3, size, size, device=device) * 2 - 1
    times: dict[str, list[float]] = {layout: [] for layout in LAYOUTS}
    for round_ in range(ROUNDS + 1):
        for layout, memory_format in LAYOUTS.items():
            network.to(memory_format=memory_format)
            ours, theirs = (x.contiguous(memory_format=memory_format) for x in (mask, image))
            start = time.perf_counter()
            network(ours, ours, theirs).square().mean().backward()
            if device.type == "cuda":
                torch.cuda.synchronize()
            if round_:  # the first round warms up
                times[layout].append(time.perf_counter() - start)
    medians = {layout: statistics.median(seconds) for layout, seconds in times.items()}
    print(
        json.dumps(
            {
                "recipe": name,
                "device": str(device),
                "threads": torch.get_num_threads(),
                "seconds": {layout: round(seconds, 4) for layout, seconds in medians.items()},
                "contiguous_over_channels_last": round(medians["contiguous"] / medians["channels_last"], 2),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "tiny-cpu")
