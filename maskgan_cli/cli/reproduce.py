"""``reproduce``: makes a table of the paper, with rendered faces or with a data set."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, emit
from maskgan_cli.errors import InputError

if TYPE_CHECKING:
    from maskgan_cli.reproduce.needs import DataProperties, Missing
    from maskgan_cli.reproduce.plan import ReproductionPlan
    from maskgan_cli.reproduce.preset import Preset

_JUDGES = ("parser", "attributes", "identity", "inception", "pose")


class Name(str, Enum):
    """Names of the tables: the keys of `tables.TABLES`."""

    ATTRIBUTE_TRANSFER = "attribute-transfer"
    STYLE_COPY = "style-copy"
    IDENTITY = "identity"
    FUSION = "fusion"
    EBST = "ebst"
    COUNTERFACTUAL = "counterfactual"


@dataclass(frozen=True)
class Experiment:
    """Options that affect the numbers in a table, and the option for the folder of its files."""

    data: Annotated[
        Path | None, typer.Option("--data", help="Prepared data set with masks. Default: faces are rendered.")
    ] = None
    preset: Annotated[
        str,
        typer.Option("--preset", help="Scale of the experiment: tiny, modest, small, paper, paper-256 or a YAML file."),
    ] = "tiny"
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for all files. Default: reproduce/PRESET.")
    ] = None
    judges: Annotated[
        list[str] | None,
        typer.Option(
            "--judge",
            help="KIND=WEIGHTS: use these weights instead of training the network; KIND is parser, attributes, "
            "identity, inception or pose. May be repeated.",
        ),
    ] = None
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold", min=-1, max=1, help="Least cosine of the same person. Default: chosen on validation pairs."
        ),
    ] = None
    seed: options.Seed = 0
    workers: options.Workers = None
    device: options.Device = "auto"

    @property
    def folder(self) -> Path:
        """The folder for all files."""
        name = "-".join([Path(self.preset).stem, *([self.data.resolve().name] if self.data else [])])
        return self.out or Path("reproduce") / name

    def command(self, table: Name) -> str:
        """Return the command line that makes the same table again with the same options."""
        words = ["maskgan", "reproduce", table.value, "--preset", self.preset]
        words += ["--data", str(self.data)] if self.data else []
        words += [word for judge in self.judges or () for word in ("--judge", judge)]
        words += [] if self.threshold is None else ["--threshold", str(self.threshold)]
        words += ["--seed", str(self.seed)] if self.seed else []
        return shlex.join([*words, *(["-o", str(self.out)] if self.out else [])])

    def weights(self) -> dict[str, str]:
        """Return a dict from the kind of an evaluation network (e.g. ``parser``) to the weights that ``--judge`` names.

        Raises:
            InputError: there is no evaluation network of this kind, or the weights do not exist.
        """
        named = {}
        for judge in self.judges or ():
            kind, _, where = judge.partition("=")
            if kind not in _JUDGES or not where:
                raise InputError("--judge", expected=f"KIND=WEIGHTS, KIND one of {', '.join(_JUDGES)}", found=judge)
            if not Path(where).exists():
                raise InputError("--judge", expected="a weights file or a run folder", found=f"no {where}")
            named[kind] = str(Path(where).resolve())
        return named

    def plan(self, preset: Preset, faces: DataProperties | None, device: str) -> ReproductionPlan:
        """Return an empty plan (a list of commands to run); the functions of `tables.TABLES` add the commands.

        Args:
            preset: the scale of the experiment.
            faces: properties of the data set of ``--data``; None if the faces are rendered.
            device: device on which all commands of the plan run.
        """
        from maskgan_cli.reproduce.needs import own_threshold, rendered_faces, threshold_split
        from maskgan_cli.reproduce.plan import ATTRIBUTES, ReproductionPlan

        judges, split = self.weights(), ""
        if "identity" in judges and self.threshold is None and not own_threshold(judges["identity"]):
            if faces is None:
                split = threshold_split(rendered_faces(preset.faces.count, preset.faces.people))
            else:
                split = faces.threshold_split
        return ReproductionPlan(
            preset,
            None if faces is None else str(faces.data.root.resolve()),
            self.seed,
            judges,
            faces is None or faces.has_identities,
            faces is None or faces.has_poses,
            ATTRIBUTES if faces is None else faces.attributes,
            self.threshold,
            split,
            device=() if device == "auto" else ("--device", device),
            workers=() if self.workers is None else ("--workers", str(self.workers)),
        )


def reproduce(
    shell: Shell,
    table: Annotated[Name, typer.Argument(metavar="TABLE", help=", ".join(name.value for name in Name) + ".")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan as a shell script and list missing inputs; run nothing.")
    ] = False,
    devices: Annotated[
        str, typer.Option("--devices", help="Run stages side by side, one on each of these: e.g. cuda:0,cuda:1.")
    ] = "",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files of another plan in the folder.")
    ] = False,
    *,
    experiment: Experiment,
) -> None:
    """Reproduce a table of the paper: train networks, edit faces, measure the results, and write table and figure.

    Prints the paths of the table, the figure and a JSON document. If the command is interrupted, run it again to
    resume. Tables in the same folder share networks and results.
    """
    from maskgan_cli.devices import pick_device
    from maskgan_cli.reproduce.needs import DataProperties, judges_fit, missing
    from maskgan_cli.reproduce.preset import load_preset
    from maskgan_cli.reproduce.stages import script
    from maskgan_cli.reproduce.tables import TABLES

    loaded = load_preset(experiment.preset)
    faces = None if experiment.data is None else DataProperties.of(experiment.data)
    several = [name.strip() for name in devices.split(",") if name.strip()]
    for name in several:
        pick_device(name)
    plan = experiment.plan(loaded, faces, several[0] if several else experiment.device)
    TABLES[table.value](plan)
    problems = [*missing(plan, faces), *judges_fit(plan)]
    folder, command = experiment.folder, experiment.command(table)
    stages = list(plan.stages.values())
    if dry_run:
        _show(shell, plan, script(stages, str(folder), command), problems)
        return
    if problems:
        more = f" (and {len(problems) - 1} more: see --dry-run)" if problems[1:] else ""
        raise InputError(f"{problems[0]}{more}")
    about = {"table": table.value, "command": command, "seed": experiment.seed}
    _run(shell, plan, folder, about, several, overwrite=overwrite)


def _show(shell: Shell, plan: ReproductionPlan, text: str, problems: Sequence[Missing]) -> None:
    """Print the commands of a plan and its missing inputs, for ``--dry-run``.

    Args:
        shell: the command's output.
        plan: the plan, which is printed with ``--json``.
        text: the plan as a shell script, which is printed without ``--json``.
        problems: the missing inputs.
    """
    for problem in problems:
        shell.say(f"missing: {problem}")
    if shell.as_json:
        stages = [{**asdict(stage), "command": str(stage)} for stage in plan.stages.values()]
        shell.finish({"stages": stages, "missing": [asdict(problem) for problem in problems]})
    else:
        emit(text)


def _run(
    shell: Shell,
    plan: ReproductionPlan,
    folder: Path,
    about: dict[str, Any],
    devices: Sequence[str],
    *,
    overwrite: bool,
) -> None:
    """Run all stages (commands) of a plan, then write and print its tables.

    Args:
        shell: the output of `maskgan reproduce`.
        plan: the plan.
        folder: folder for all files.
        about: further entries of the JSON document: table, command and seed.
        devices: devices on which stages run at the same time; if empty, stages run one after the other.
        overwrite: replace files of another plan in ``folder``.
    """
    from maskgan_cli.files import write_json
    from maskgan_cli.locks import locked
    from maskgan_cli.reproduce import record
    from maskgan_cli.reproduce.parallel import run_side_by_side
    from maskgan_cli.reproduce.runner import as_subprocess, run_stages
    from maskgan_cli.reproduce.stages import about as time_of

    stages, stamps = list(plan.stages.values()), {}
    folder.mkdir(parents=True, exist_ok=True)
    given = record.given(plan)
    with locked(folder, "maskgan reproduce"):
        execute = functools.partial(as_subprocess, quiet=shell.quiet)
        steps = (
            run_side_by_side(stages, folder, execute, devices, given=given, overwrite=overwrite)
            if devices
            else run_stages(stages, folder, execute, given=given, overwrite=overwrite)
        )
        for stage, stamp in steps:
            if stamp is not None:
                stamps[stage.name] = stamp
                continue
            left = [one.seconds for one in stages[stages.index(stage) :]]
            shell.say(f"[{stages.index(stage) + 1}/{len(stages)}] {stage.name} (remaining: {time_of(left)})")
            shell.say(f"$ {stage}")
        stamps = {stage.name: stamps[stage.name] for stage in stages}  # in the plan's order
        document = record.record(plan, folder, stamps, {**about, "given": given})
        name = str(about["table"])
        result = write_json(folder / name / "results.json", document)
    for table in plan.tables:
        _print(shell, record.lines(record.shown(table, folder)), table.name)
        for file in table.files:
            shell.wrote(folder / file)
    for figure in plan.figures:
        shell.wrote(folder / figure)
    shell.wrote(result)
    shell.say(f"next: open {folder / name / 'figure' / 'index.html'} in a browser")
    shell.finish(document)


def _print(shell: Shell, lines: Sequence[Sequence[str]], title: str) -> None:
    """Print a table on stderr; ``lines`` are the heading and the rows, each a list of cells."""
    from rich.table import Table

    table = Table(*lines[0], title=title)
    for row in lines[1:]:
        table.add_row(*row)
    shell.console.print(table)
