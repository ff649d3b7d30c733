"""Time of the Dense Mapping Network on label maps, which looks weights up, and on one-hot masks, measured alternately.

    python benchmarks/painting.py [--weights W] [--paper] [--batch 1] [--rounds 7]

The bundled network, W, or (``--paper``) the paper's at 512 px with random weights, on the CPU. JSON on standard
output: processor seconds a picture, and how far the answers are apart.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from maskgan_cli.bench.figure import Work
from maskgan_cli.bench.machine import machine
from maskgan_cli.bench.measure import Effort, alternate
from maskgan_cli.bench.painting import random_inputs
from maskgan_cli.models.dmn import DenseMappingNetwork, DMNConfig
from maskgan_cli.models.layers import one_hot, to_unit
from maskgan_cli.weights.format import load
from maskgan_cli.weights.lookup import find_weights


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--paper", action="store_true")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    if options.paper:
        network = DenseMappingNetwork(DMNConfig()).to(memory_format=torch.channels_last).eval()
    else:
        network, _ = load("dmn", find_weights(options.weights, "dmn"), torch.device("cpu"))
    size = network.config.image_size
    mask, style_mask, pictures = (torch.from_numpy(x) for x in random_inputs(options.batch, size))
    image = to_unit(pictures.permute(0, 3, 1, 2))
    ways = {
        "one-hot masks": lambda: network(one_hot(mask), one_hot(style_mask), image),
        "label maps": lambda: network(mask, style_mask, image),
    }
    difference = float((ways["label maps"]() - ways["one-hot masks"]()).abs().max())
    works = {name: Work(way, options.batch, "picture") for name, way in ways.items()}
    each = alternate(works, Effort(seconds=0.0, least=options.rounds))
    print(
        json.dumps(
            {
                "machine": machine("cpu"),
                "size": size,
                "batch": options.batch,
                "rounds": options.rounds,
                "processor_ms_each": {name: round(1e3 * seconds, 2) for name, seconds in each.items()},
                "label_maps_of_one_hot": round(each["label maps"] / each["one-hot masks"], 3),
                "largest_difference": difference,
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
