"""``simulate-edits``: writes edited masks, as EBST (Editing Behavior Simulated Training) makes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.eval.options import SplitOf
from maskgan_cli.cli.shell import Shell, counted
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.choices import Split


def simulate_edits(
    shell: Shell,
    data: options.Data,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the label maps and edits.csv.")] = Path("edits"),
    split: SplitOf = Split.TEST,
    count: Annotated[
        int | None, typer.Option("--count", "-n", min=2, help="Number of faces. Default: all of the split.")
    ] = None,
    weights: options.VAEWeights = None,
    lambda_inter: Annotated[
        float,
        typer.Option("--lambda-inter", min=0.1, help="Each mask is interpolated towards another by 1 / lambda."),
    ] = 2.5,
    sampled_codes: Annotated[
        bool, typer.Option("--sampled-codes", help="Draw each code from MaskVAE's distribution, as in the paper.")
    ] = False,
    attributes: Annotated[
        str, typer.Option("--attributes", help="Attributes to add as columns, for `maskgan eval attributes`.")
    ] = "",
    seed: options.Seed = 0,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
) -> None:
    """Write two edited masks of each face, made with MaskVAE as in EBST (Editing Behavior Simulated Training).

    Prints the path of their list, for `maskgan render --pairs` and `maskgan eval attributes --pairs`. The folder is for
    `maskgan train ebst --edits`.
    """
    from maskgan_cli.data.prepared import PreparedData, attributes_of
    from maskgan_cli.files import encode_csv, keep_or_write, remove_leftovers
    from maskgan_cli.locks import locked
    from maskgan_cli.weights.lookup import find_weights

    samples = PreparedData.load(data).split(split.value)[:count]
    if len(samples) < 2:
        raise InputError(data, expected=f"two faces or more in the {split.value} split", found=str(len(samples)))
    names = [name for name in attributes.split(",") if name]
    attributes_of(samples, names)  # raises an error if a face lacks one of them
    listing = out / "edits.csv"
    from maskgan_cli.editing.masks.interpolate import MaskManifold
    from maskgan_cli.editing.masks.simulate import COLUMNS, write_edits

    manifold = MaskManifold(find_weights(weights, "vae"), device)
    with locked(out, "maskgan simulate-edits"):
        remove_leftovers(out)
        how: dict[str, Any] = {"lambda_inter": lambda_inter, "seed": seed, "sampled_codes": sampled_codes}
        edits = write_edits(samples, manifold, out, **how, attributes=names, overwrite=overwrite)
        rows = list(shell.track(edits, 2 * len(samples), "simulating"))
        if kept := keep_or_write(listing, encode_csv([*COLUMNS, *names], rows), overwrite=overwrite):
            shell.say(f"kept {counted(len(rows), 'existing edit')} of the same faces, weights and settings")
        shell.wrote(listing)
    shell.finish(
        {"edits": len(rows), "weights": manifold.weights.sha256, "kept": kept},
        next_command=["maskgan", "render", "--pairs", listing, *options.own_generator(), "-o", "rendered"],
    )
