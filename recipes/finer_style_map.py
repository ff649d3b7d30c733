"""Give a trained Dense Mapping Network a finer style map, which needs no other weights (`DMNConfig.style_map`).

python recipes/finer_style_map.py WEIGHTS OUT.safetensors [--side 16]
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path

import torch

from maskgan_cli.models.dmn import DenseMappingNetwork, DMNConfig
from maskgan_cli.weights.format import load_strictly, read_weights, save_weights


def main() -> None:
    """Write the weights with the configuration of the finer map."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--side", type=int, default=16)
    options = parser.parse_args()
    weights = read_weights(options.weights, "dmn")
    config = replace(DMNConfig(**weights.config), style_map=options.side)
    network = DenseMappingNetwork(config)
    if {tensor.dtype for tensor in weights.tensors.values()} == {torch.float16}:
        network.half()
    load_strictly(network, weights.tensors, options.weights)
    about = {name: value for name, value in weights.about.items() if name != "version"}
    save_weights(options.out, network, kind="dmn", config=asdict(config), about=about)


if __name__ == "__main__":
    main()
