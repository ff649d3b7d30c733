"""``synth``, ``prep-data``, ``merge-data`` and ``check-data``."""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, counted, stage
from maskgan_cli.errors import InputError, WorkError

if TYPE_CHECKING:
    from maskgan_cli.data.sources import Source


class ImageFormat(str, Enum):
    """What prepared images are written as."""

    PNG = "png"
    JPG = "jpg"


class Order(str, Enum):
    """`labels.ORDERS`."""

    CELEBAMASK = "celebamask"
    PARSER = "parser"


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    stage(app, "synth", rich_help_panel="Data")(synth)
    stage(app, "prep-data", rich_help_panel="Data")(prep_data)
    stage(app, "merge-data", rich_help_panel="Data")(merge_data)
    stage(app, "check-data", rich_help_panel="Data")(check_data)


def synth(
    shell: Shell,
    out: Annotated[Path, typer.Argument(help="Where to write the rendered faces.")],
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many pictures.")] = 1000,
    size: Annotated[int, typer.Option("--size", help="Side of pictures and masks, 32 to 1024.")] = 256,
    identities: Annotated[
        int | None, typer.Option("--identities", min=1, help="How many people; a fifth of the pictures.")
    ] = None,
    counterfactuals: Annotated[
        int, typer.Option("--counterfactuals", min=0, help="Also so many sources with their target's expression.")
    ] = 0,
    takes: Annotated[
        int, typer.Option("--takes", min=1, help="Pictures of every scene, each with another expression.")
    ] = 1,
    seed: options.Seed = 0,
    workers: options.Workers = None,
) -> None:
    """Render faces with exact masks, poses, identities and attributes, in the raw CelebAMask-HQ layout.

    Prints the folder. Interrupted? Run the same command again: it goes on.
    """
    from maskgan_cli.data.celebamask import IMAGES
    from maskgan_cli.synth import write_dataset

    there = len(list((out / IMAGES).glob("[0-9]*"))) if (out / IMAGES).is_dir() else 0
    with shell.progress("rendering") as report:
        write_dataset(
            out, count, size, identities, seed=seed, workers=options.count_workers(workers),
            counterfactuals=counterfactuals, takes=takes, progress=report,
        )  # fmt: skip
    if there:
        shell.say(f"{counted(min(there, count), 'picture')} there already, of {count:,}")
    shell.wrote(out)
    shell.finish(
        {"pictures": count, "size": size, "counterfactuals": counterfactuals, "seed": seed},
        next_command=["maskgan", "prep-data", out, f"data/rendered-{size}", "--size", size],
    )


def prep_data(
    shell: Shell,
    source: Annotated[
        Path, typer.Argument(help="CelebAMask-HQ or CelebA as downloaded, or a folder of images and label maps.")
    ],
    out: Annotated[Path, typer.Argument(help="Where to write the prepared data set.")],
    size: Annotated[int, typer.Option("--size", help="Side of the images, 64 to 1024.")] = 256,
    image_format: Annotated[
        ImageFormat, typer.Option("--format", help="png is exact, jpg takes a fifth of the space.")
    ] = ImageFormat.PNG,
    order: Annotated[Order, typer.Option("--order", help="Class order of plain label maps.")] = Order.CELEBAMASK,
    images_only: Annotated[bool, typer.Option("--images-only", help="Prepare images without masks.")] = False,
    val_share: Annotated[float, typer.Option(min=0, max=1, help="Validation share where no split is given.")] = 0.1,
    test_share: Annotated[float, typer.Option(min=0, max=1, help="Test share where no split is given.")] = 0.1,
    seed: options.Seed = 0,
    workers: options.Workers = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Turn CelebAMask-HQ, or your own images and masks, into a data set ready for training.

    Prints the manifest's path. Interrupted? Run the same command again: it goes on.
    """
    shares = {"val_share": val_share, "test_share": test_share}
    found = _read_source(source, order=order.value, seed=seed, masked=not images_only, **shares)
    _prepare(shell, found, out, size, image_format, workers, overwrite)


def merge_data(
    shell: Shell,
    sources: Annotated[list[Path], typer.Argument(help="Prepared data sets, two or more.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write the merged data set.")],
    size: Annotated[
        int | None, typer.Option("--size", help="Side of the images, 64 to 1024; the first data set's if not given.")
    ] = None,
    image_format: Annotated[
        ImageFormat, typer.Option("--format", help="png is exact, jpg takes a fifth of the space.")
    ] = ImageFormat.PNG,
    workers: options.Workers = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Merge prepared data sets into one, such as portraits and rendered faces to train on together.

    Samples keep their splits. The manifest's column "source" holds the name of each sample's data set, so that a
    training can balance them: --set data.balance=source. Prints the manifest's path.
    """
    from maskgan_cli.data.merge import read_source
    from maskgan_cli.data.prepared import PreparedData

    found = read_source(sources)
    _prepare(shell, found, out, size or PreparedData.load(sources[0]).size, image_format, workers, overwrite)


def _prepare(
    shell: Shell, found: Source, out: Path, size: int, image_format: ImageFormat, workers: int | None, overwrite: bool
) -> None:
    """Prepare a source and report it."""
    from maskgan_cli.data.prepare import prepare
    from maskgan_cli.files import read_json

    for remark in found.remarks:
        shell.say(remark)
    before = _hash_of(out)
    fates = prepare(
        found,
        out,
        size=size,
        image_format=image_format.value,
        workers=options.count_workers(workers),
        overwrite=overwrite,
    )
    for fate in shell.track(fates, len(found.candidates), "preparing"):
        if fate.reason:
            shell.say(f"rejected {fate.id}: {fate.reason}")
        if fate.remark:
            shell.say(fate.remark)
    info = read_json(out / "dataset.json")
    if before == info["hash"] and not overwrite:
        shell.say(f"{out} was prepared already, from the same list of files; --overwrite prepares it again")
    splits = ", ".join(f"{name} {count}" for name, count in info["splits"].items())
    shell.say(f"{counted(info['samples'], 'sample')} of {size} px ({splits}); {info['rejected']} rejected")
    shell.wrote(out / "manifest.csv")
    shell.finish(info, next_command=["maskgan", "check-data", out])


def _hash_of(data: Path) -> str:
    """The hash of the data set that is there already; "" if there is none."""
    from maskgan_cli.files import read_json

    try:
        return str(read_json(data / "dataset.json")["hash"])
    except (InputError, KeyError, TypeError):
        return ""


def _read_source(source: Path, *, order: str, val_share: float, test_share: float, seed: int, masked: bool) -> Source:
    from maskgan_cli.data import celeba, celebamask, pairs_folder

    if celebamask.is_raw_layout(source):
        return celebamask.read_source(source, masked=masked, order=order)
    if celeba.is_celeba_layout(source):
        return celeba.read_source(source)
    return pairs_folder.read_source(
        source, order=order, val_share=val_share, test_share=test_share, seed=seed, masked=masked
    )


def check_data(
    shell: Shell,
    data: options.Data,
    sheet: Annotated[Path | None, typer.Option("--sheet", help="The contact sheet; DATA/contact-sheet.png.")] = None,
    report: Annotated[Path | None, typer.Option("--report", help="The report; DATA/report.json.")] = None,
    seed: options.Seed = 0,
    workers: options.Workers = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Look at every sample: class shares and counts, doubtful or duplicate samples, a contact sheet.

    Prints the paths of the report (JSON) and of the contact sheet; those in DATA are renewed by every check.
    Ends with exit code 1 if a file cannot be read, or is not what was prepared.
    """
    import numpy as np

    from maskgan_cli.config import fitting_recipe
    from maskgan_cli.data.checks import contact_sheet, inspect, summarise
    from maskgan_cli.data.prepared import PreparedData
    from maskgan_cli.files import refuse_existing, write_image, write_json

    prepared = PreparedData.load(data)
    for path in filter(None, (sheet, report)):
        if not overwrite:
            refuse_existing(path)
    reports = list(shell.track(inspect(prepared, options.count_workers(workers)), len(prepared.samples), "checking"))
    document = summarise(prepared, reports)
    good = {report.id for report in reports if report.readable}
    chosen = np.random.default_rng(seed).permutation(len(good))[:24]
    by_place = [report.id for report in reports if report.readable]
    doubtful = [name for name in document["suspicious"] if name in good][:8]
    _show_tables(shell, document)
    here = os.access(data, os.W_OK)
    if not here and None in (sheet, report):
        shell.say(f"{data} cannot be written: name other places with --report and --sheet")
    if report or here:
        shell.wrote(write_json(report or data / "report.json", document))
    if good and (sheet or here):
        picture = contact_sheet(prepared, [by_place[i] for i in sorted(chosen)] + doubtful)
        shell.wrote(write_image(sheet or data / "contact-sheet.png", picture))
    fault = _fault(document)
    kind = "dmn" if prepared.masked else "attributes"
    train = ["maskgan", "train", kind, data, *fitting_recipe(kind, prepared.size), "-o", f"runs/{kind}"]
    shell.finish(document, next_command=() if fault else train)
    if fault:
        raise WorkError(f"{data}: {fault}; prepare it again")


def _fault(document: dict[str, Any]) -> str:
    """Why the data set is not the one that was prepared; "" if it is."""
    if unreadable := document["unreadable"]:
        first = document["suspicious"][unreadable[0]][0].partition(";")[0]
        return f"{len(unreadable)} of {document['images']} samples cannot be read ({first})"
    if document["hash"] != document["hash_now"]:
        return f"its files are not those that were prepared (hash {document['hash_now']:.8}, not {document['hash']:.8})"
    return ""


def _show_tables(shell: Shell, document: dict[str, Any]) -> None:
    from rich.markup import escape
    from rich.table import Table

    # Helen (Le et al. 2012) with the parts of Smith et al. 2013, as the paper's Table 1 gives it.
    summary = Table("data set", "images", "classes", "mask size", title="Compared with Helen")
    summary.add_row("Helen", "2,330", "11", "400x600")
    summary.add_row("CelebAMask-HQ", "30,000", "19", "512x512")
    summary.add_row(
        escape(str(document["data"])), f"{document['images']:,}", str(document["classes"]), f"{document['size']} px"
    )
    shell.console.print(summary)
    table = Table("class", "images", "of all images", "of all pixels", title="Classes")
    for name, row in document["per_class"].items():
        table.add_row(name, f"{row['images']:,}", f"{row['share_of_images']:.1%}", f"{row['share_of_pixels']:.2%}")
    shell.console.print(table)
    suspicious = document["suspicious"]
    shell.say(counted(len(suspicious), "suspicious sample") + (":" if suspicious else ""))
    for name, problems in list(suspicious.items())[:10]:
        shell.say(f"  {name}: {'; '.join(problems)}")
    if len(suspicious) > 10:
        shell.say(f"  and {len(suspicious) - 10} more, all in report.json")
