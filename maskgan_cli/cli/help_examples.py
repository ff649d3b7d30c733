"""Examples of every command, shown at the end of its help."""

from __future__ import annotations

from typing import Final

import typer

# Command -> arguments of its examples. The files are made by `maskgan examples` or by other commands of this list.
EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "align": ("photo.png other.png -o faces",),
    "bench": ("painting training",),
    "check-data": ("data/faces",),
    "compare": ("--pairs pairs.csv --method dmn=results/dmn --method spade=results/spade -o comparison",),
    "demo": ("-o demo --open",),
    "doctor": ("",),
    "edit": ("photo.png",),
    "eval attributes": ("results/dmn --pairs pairs.csv",),
    "eval counterfactual": ("results/dmn --pairs truths/pairs.csv",),
    "eval fid": ("data/faces results/dmn",),
    "eval identity": ("results/dmn --pairs pairs.csv",),
    "eval judge": ("parser data/faces --split test",),
    "eval kid": ("data/faces results/dmn",),
    "eval lpips": ("results/dmn --pairs pairs.csv --trunk alexnet.pth --heads alex.pth",),
    "eval pairs": ("data/faces -o pairs.csv",),
    "eval precision": ("data/faces results/dmn",),
    "eval report": ("dmn.json spade.json",),
    "eval results": ("data/faces results/dmn --pairs pairs.csv",),
    "eval segmentation": ("results/dmn --pairs pairs.csv",),
    "eval survey": (
        "survey --pairs pairs.csv --method dmn=results/dmn --method spade=results/spade",
        "survey --tally answers.csv",
    ),
    "eval truths": ("rendered pairs.csv -o truths",),
    "eval verify": ("data/faces --weights runs/identity",),
    "examples": ("",),
    "find-directions": ("data/faces -o directions.safetensors",),
    "inspect": ("swapped.png",),
    "interpolate": ("faces/photo.png faces/other.png -o between",),
    "merge-data": ("data/portraits data/rendered -o data/faces",),
    "parse": ("photo.png -o masks",),
    "paste": ("faces/photo.png edited.png -o result.png",),
    "personalise": ("photo.png -o me.safetensors",),
    "prep-data": ("CelebAMask-HQ data/celeba --size 256",),
    "recipes list": ("",),
    "recipes show": ("dmn paper-512",),
    "render": ("mask.png photo.png -o painted.png",),
    "reproduce": ("attribute-transfer --data data/celeba -o tables",),
    "reshape": ("photo.png --open-mouth 12", "photo.png --along smile=0.6", "photo.png --add glasses"),
    "runs": ("runs/dmn runs/spade",),
    "simulate-edits": ("data/faces -o edits",),
    "style-copy": ("photo.png other.png -o copied.png",),
    "swap": ("photo.png other.png --parts nose",),
    "swap-mouth": ("photo.png other.png -o swapped.png", "--pairs pairs.csv -o results/dmn"),
    "synth": ("rendered -n 200 --size 256",),
    "train attributes": ("data/faces --attributes Smiling,Male -o runs/attributes",),
    "train dmn": ("data/faces --recipe small-256 -o runs/dmn",),
    "train ebst": ("data/faces --dmn runs/dmn --vae runs/vae -o runs/ebst",),
    "train elegant": ("data/faces --attributes Smiling,Eyeglasses -o runs/elegant",),
    "train identity": ("data/faces -o runs/identity",),
    "train parser": ("data/faces -o runs/parser",),
    "train pix2pixhd-m": ("data/faces -o runs/pix2pixhd-m",),
    "train pose": ("data/faces -o runs/pose",),
    "train sean": ("data/faces -o runs/sean",),
    "train spade": ("data/faces -o runs/spade",),
    "train stargan": ("data/faces --attributes Smiling -o runs/stargan",),
    "train vae": ("data/faces -o runs/vae",),
    "transfer": ("photo.png other.png --attribute Smiling -o smiling.png",),
    "weights average": ("runs/first runs/second -o average.safetensors",),
    "weights export": ("runs/dmn --onnx dmn.onnx",),
    "weights import": ("dmn published.pth -o dmn.safetensors",),
    "weights list": ("",),
    "weights pack": ("runs/dmn data/faces -o dmn.safetensors",),
    "weights pull": ("vgg19",),
}


def show_examples(app: typer.Typer, prefix: str = "") -> None:
    """Append the examples to the help of every command of an application, and of the groups in it.

    Args:
        app: the application or group.
        prefix: words between ``maskgan`` and the commands of ``app``, e.g. ``"train "``.
    """
    for command in app.registered_commands:
        name = command.name or (command.callback.__name__.replace("_", "-") if command.callback else "")
        lines = [f"maskgan {prefix}{name} {rest}".rstrip() for rest in EXAMPLES[f"{prefix}{name}"]]
        command.epilog = "\n\n".join(["Example:" if len(lines) == 1 else "Examples:", *lines])
    for group in app.registered_groups:
        assert group.typer_instance is not None
        show_examples(group.typer_instance, f"{prefix}{group.name or group.typer_instance.info.name} ")
