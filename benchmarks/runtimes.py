"""Time of PyTorch, onnxruntime and OpenVINO on the Dense Mapping Network, measured alternately.

    python benchmarks/runtimes.py [--weights W] [--paper] [--batch 1] [--rounds 7]

The bundled network, W, or (``--paper``) the paper's at 512 px with random weights, on the CPU with as many threads as
OMP_NUM_THREADS says. What is not installed is left out (`pip install openvino`). JSON on standard output: processor
seconds a picture, and by how many levels of 255 each answer is apart from PyTorch's.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import torch

from maskgan_cli.bench.figure import Work
from maskgan_cli.bench.machine import machine
from maskgan_cli.bench.measure import Effort, alternate
from maskgan_cli.bench.painting import paper_network, random_inputs
from maskgan_cli.editing.painters import open_painter
from maskgan_cli.models.layers import to_bytes, to_unit
from maskgan_cli.weights.export import export_onnx
from maskgan_cli.weights.lookup import find_weights


def openvino_painter(file):
    """A function of the same inputs as a painter's, or None where OpenVINO is not installed."""
    try:
        import openvino
    except ImportError:
        return None
    alike = {
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",  # it takes 16 bits by itself where the processor has them
    }
    network = openvino.Core().compile_model(str(file), "CPU", alike)

    def paint(labels, style_labels, pictures):
        image = to_unit(torch.from_numpy(pictures).permute(0, 3, 1, 2)).contiguous().numpy()
        (found,) = network([labels, style_labels, image]).values()
        return to_bytes(torch.from_numpy(np.array(found))).permute(0, 2, 3, 1).contiguous().numpy()

    return paint


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--paper", action="store_true")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights = paper_network(folder) if options.paper else find_weights(options.weights, "dmn")
        file = folder / "network.onnx"
        export_onnx(weights, file)
        painter = open_painter("dmn", weights, "cpu")
        inputs = random_inputs(options.batch, int(painter.weights.config["image_size"]))
        ways = {"PyTorch": painter.paint, "onnxruntime": open_painter("dmn", file, "cpu").paint}
        if (third := openvino_painter(file)) is not None:
            ways["OpenVINO"] = third
        ours = painter.paint(*inputs).astype(int)
        apart = {way: int(np.abs(paint(*inputs).astype(int) - ours).max()) for way, paint in ways.items()}
        works = {way: Work(lambda p=paint: p(*inputs), options.batch, "picture") for way, paint in ways.items()}
        each = alternate(works, Effort(seconds=0.0, least=options.rounds))
    print(
        json.dumps(
            {
                "machine": machine("cpu"),
                "size": int(ours.shape[1]),
                "batch": options.batch,
                "rounds": options.rounds,
                "processor_seconds_each": {way: round(seconds, 4) for way, seconds in each.items()},
                "levels_apart": apart,
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
