"""How judges trained here agree with networks trained elsewhere, on pictures you have.

    python benchmarks/judges.py pose DATA --weights RUN --onnx FOLDER [--split test]
    python benchmarks/judges.py verify DATA --weights W [--pairs 1000] [--split test] [--points crop,mtcnn]

``pose`` correlates our HopeNet's angles with FSA-Net's (``fsanet-1x1*.onnx`` and ``fsanet-var*.onnx``,
whose mean counts; needs ``onnxruntime``), and with the manifest's truth where there is one. ``verify``
measures verification with the faces' points found in several ways. JSON on standard output.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from faces_truth import agreement, fsanet

from maskgan_cli.data.prepared import ANGLES, PreparedData
from maskgan_cli.files import read_image


def pose(options):
    from maskgan_cli.judges.pose import load_pose

    data = PreparedData.load(options.data)
    samples = data.samples if options.split == "all" else data.split(options.split)
    judge = load_pose(options.weights, torch.device("cpu"))
    pictures = [read_image(sample.image) for sample in samples]
    ours = torch.cat(
        [
            judge(torch.from_numpy(np.stack(pictures[i : i + 32])).permute(0, 3, 1, 2))
            for i in range(0, len(pictures), 32)
        ]
    ).numpy()
    result = {"faces": len(samples), "weights": judge.sha256, "ours_deviation": ours.std(0).round(2).tolist()}
    if options.onnx is not None:
        theirs = fsanet(pictures, options.onnx)
        result["fsanet_deviation"] = theirs.std(0).round(2).tolist()
        result["ours_and_fsanet"] = agreement(ours, theirs)
    if all(name in samples[0].fields for name in ANGLES):
        truth = np.array([[float(sample.fields[name]) for name in ANGLES] for sample in samples])
        result["ours_and_truth"] = agreement(ours, truth)
        if options.onnx is not None:
            result["fsanet_and_truth"] = agreement(theirs, truth)
    return result


def verify(options):
    from maskgan_cli.evaluation.verification import verify_samples
    from maskgan_cli.judges.identity import load_identity

    data = PreparedData.load(options.data)
    judge = load_identity(options.weights, torch.device("cpu"))
    return {
        points: verify_samples(
            data.samples if options.split == "all" else data.split(options.split),
            judge,
            pairs=options.pairs,
            seed=0,
            points=points,
        )
        for points in options.points.split(",")
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("pose", "verify"))
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--onnx", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--points", default="crop")
    options = parser.parse_args()
    print(json.dumps({"pose": pose, "verify": verify}[options.what](options), indent=2))


if __name__ == "__main__":
    main()
