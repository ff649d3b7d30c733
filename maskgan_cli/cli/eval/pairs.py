"""``eval pairs``: chooses the pairs of faces of an experiment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.eval.options import Out, SplitOf, check_early, judge_option, keep, watched
from maskgan_cli.cli.shell import Shell, counted, emit
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.choices import ProtocolName, Split

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from maskgan_cli.evaluation.pairs import Pair


def pairs(
    shell: Shell,
    data: options.Data,
    protocol: Annotated[
        ProtocolName,
        typer.Option(
            "--protocol", help="Experiment of the paper, or counterfactual (rendered faces with ground truth)."
        ),
    ] = ProtocolName.SMILING,
    attribute: Annotated[
        str | None, typer.Option("--attribute", help="The attribute of --protocol transfer, e.g. Eyeglasses.")
    ] = None,
    split: SplitOf = Split.TEST,
    count: Annotated[
        int | None, typer.Option("--count", "-n", min=1, help="Number of pairs. Default: that of the paper, or all.")
    ] = None,
    pose_weights: Annotated[
        Path | None,
        judge_option("--pose-weights", "a pose network (`maskgan train pose`), whose poses replace the manifest's"),
    ] = None,
    truths: Annotated[
        Path | None,
        typer.Option("--truths", help="For --protocol counterfactual: the folder of `synth --counterfactuals`."),
    ] = None,
    seed: options.Seed = 0,
    device: options.Device = "auto",
    out: Out = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Choose pairs of faces with similar head poses for an experiment: a CSV for `swap-mouth --pairs`.

    Prints the CSV, or with -o the path of its file.
    """
    check_early(None, overwrite, data=data)
    from maskgan_cli.data.prepared import PreparedData
    from maskgan_cli.evaluation.pair_list import rows_of
    from maskgan_cli.evaluation.pairs import PROTOCOLS, choose, rendered_pairs

    named, chosen_split = protocol.value, split.value
    if (protocol is ProtocolName.TRANSFER) != (attribute is not None):
        wanted = "an attribute with --protocol transfer only"
        raise InputError("--attribute", expected=wanted, found=attribute or "none")
    prepared, poses = PreparedData.load(data), ""
    if protocol is ProtocolName.COUNTERFACTUAL:
        if truths is None:
            raise InputError("--truths", expected="the folder of `maskgan synth --counterfactuals`", found="none")
        found = rendered_pairs(prepared, truths, count)
        chosen_split = "+".join(sorted({pair.source.split for pair in found}))
    else:
        angles, poses = _poses(shell, prepared.split(chosen_split), pose_weights, device)
        found = choose(
            prepared, named, split=chosen_split, count=count, seed=seed, poses=angles, attribute=attribute or ""
        )
    needed = count or (0 if protocol is ProtocolName.COUNTERFACTUAL else PROTOCOLS[named].count)
    if len(found) < needed:
        where = truths if protocol is ProtocolName.COUNTERFACTUAL else f"the {chosen_split} split"
        whose = "the paper's " if count is None and attribute in (None, "Smiling") else ""
        shell.say(f"{where} has only {counted(len(found), 'pair')}, not {whose}{needed}")
    rows = rows_of(found, named, split=chosen_split, seed=seed, poses=poses)
    _finish(shell, named, found, rows, out, overwrite)


def _finish(
    shell: Shell, protocol: str, pairs: list[Pair], rows: list[dict[str, str]], out: Path | None, overwrite: bool
) -> None:
    """Print the list of pairs, or write it to ``out`` and suggest the command that edits the pairs.

    Args:
        shell: the command's output.
        protocol: name of the experiment.
        pairs: the pairs.
        rows: the same pairs as rows of the CSV.
        out: the file; None prints the list.
        overwrite: replace ``out``.
    """
    from maskgan_cli.evaluation.pair_list import as_csv
    from maskgan_cli.evaluation.pairs import PROTOCOLS

    table = as_csv(rows)
    distances = [pair.distance for pair in pairs if pair.distance is not None]
    difference = f", head poses differ by up to {max(distances):.1f} degrees" if distances else ""
    if out is not None:
        keep(shell, out, f"{table}\n".encode(), overwrite)
    shell.say(f"{counted(len(rows), 'pair')}{difference}")
    if shell.as_json:
        shell.finish({"protocol": protocol, "rule": PROTOCOLS[protocol].rule, "pairs": rows})
    elif out is None:
        emit(table)
    else:
        shell.wrote(out)
        edit = "style-copy" if protocol == "style-copy" else "swap-mouth"
        shell.finish(next_command=["maskgan", edit, "--pairs", out, *options.own_generator(), "-o", "results"])


def _poses(
    shell: Shell, samples: Sequence[Any], weights: Path | None, device: str
) -> tuple[npt.NDArray[np.float64] | None, str]:
    """Predict the head poses of N samples (faces of a data set) with a pose network.

    Args:
        shell: the command's output.
        samples: the samples.
        weights: weights of the pose network, or None.
        device: name of the device.

    Returns:
        The poses (N, 3) in degrees, and the SHA-256 of the network. If ``weights`` is None: None and "manifest",
        because the poses in the data set's manifest are used then.
    """
    if weights is None:
        return None, "manifest"
    import torch

    from maskgan_cli.devices import pick_device
    from maskgan_cli.evaluation.judging import load_judge, predictions

    judge, _ = load_judge("pose", weights, pick_device(device))
    paths = [sample.image for sample in samples]
    return torch.cat(list(predictions(judge, paths, watched(shell, "head poses")))).double().numpy(), judge.sha256
