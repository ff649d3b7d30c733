"""``synth``, ``prep-data``, ``merge-data`` and ``check-data``: commands that make and check data sets."""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, counted
from maskgan_cli.errors import InputError, WorkError

if TYPE_CHECKING:
    from maskgan_cli.data.sources import Source


class ImageFormat(str, Enum):
    """File format of prepared images."""

    PNG = "png"
    JPG = "jpg"


Format = Annotated[
    ImageFormat, typer.Option("--format", help="png is lossless; jpg files have about a fifth of the size.")
]


def synth(
    shell: Shell,
    out: Annotated[Path, typer.Argument(help="Folder for the rendered faces.")],
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Number of pictures.")] = 1000,
    size: Annotated[int, typer.Option("--size", help="Side of pictures and masks in pixels, 32 to 1024.")] = 256,
    identities: Annotated[
        int | None,
        typer.Option("--identities", min=1, help="Number of people. Default: a fifth of the number of pictures."),
    ] = None,
    counterfactuals: Annotated[
        int,
        typer.Option(
            "--counterfactuals",
            min=0,
            help="Number of pairs with ground truth: the source with the target's expression.",
        ),
    ] = 0,
    expressions: Annotated[
        int, typer.Option("--expressions", min=1, help="Pictures per scene, which differ in the expression only.")
    ] = 1,
    seed: options.Seed = 0,
    workers: options.Workers = None,
    takes: Annotated[
        int | None, typer.Option("--takes", min=1, hidden=True, help="Former name of --expressions.")
    ] = None,
) -> None:
    """Render faces with exact masks, poses, identities and attributes, in the raw CelebAMask-HQ layout.

    Prints the folder. If the command is interrupted, run it again to resume.
    """
    from maskgan_cli.data.celebamask import IMAGES
    from maskgan_cli.synth import write_dataset

    existing = len(list((out / IMAGES).glob("[0-9]*"))) if (out / IMAGES).is_dir() else 0
    with shell.progress("rendering") as report:
        write_dataset(
            out,
            count,
            size,
            identities,
            seed=seed,
            workers=options.count_workers(workers),
            counterfactuals=counterfactuals,
            expressions=takes or expressions,
            progress=report,
        )
    if existing:
        shell.say(f"kept {counted(min(existing, count), 'existing picture')} of {count:,}")
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
    out: Annotated[Path, typer.Argument(help="Folder for the prepared data set.")],
    size: Annotated[int, typer.Option("--size", help="Side of the images in pixels, 64 to 1024.")] = 256,
    image_format: Format = ImageFormat.PNG,
    order: Annotated[
        options.ClassOrder, typer.Option("--order", help="Class order of label maps that hold class numbers.")
    ] = options.CELEBAMASK,
    images_only: Annotated[bool, typer.Option("--images-only", help="Prepare images without masks.")] = False,
    val_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the validation split, if the source has no splits.")
    ] = 0.1,
    test_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the test split, if the source has no splits.")
    ] = 0.1,
    seed: options.Seed = 0,
    workers: options.Workers = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Prepare CelebAMask-HQ, or your own images and masks, for training.

    Prints the path of the data set's manifest. If the command is interrupted, run it again to resume.
    """
    shares = {"val_share": val_share, "test_share": test_share}
    found = _read_source(source, order=order.value, seed=seed, masked=not images_only, **shares)
    _prepare(shell, found, out, size, image_format, workers, overwrite)


def merge_data(
    shell: Shell,
    sources: Annotated[list[Path], typer.Argument(help="Prepared data sets, two or more.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the merged data set.")],
    size: Annotated[
        int | None,
        typer.Option("--size", help="Side of the images in pixels, 64 to 1024. Default: that of the first data set."),
    ] = None,
    image_format: Format = ImageFormat.PNG,
    workers: options.Workers = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Merge prepared data sets into one, for example photos and rendered faces.

    Prints the path of the manifest. Samples keep their splits. The manifest's column "source" names each sample's data
    set, so that a training can balance them: --set data.balance=source.
    """
    from maskgan_cli.data.merge import read_source
    from maskgan_cli.data.prepared import PreparedData

    found = read_source(sources)
    _prepare(shell, found, out, size or PreparedData.load(sources[0]).size, image_format, workers, overwrite)


def _prepare(
    shell: Shell, found: Source, out: Path, size: int, image_format: ImageFormat, workers: int | None, overwrite: bool
) -> None:
    """Write a prepared data set, print the path of its manifest, and report the numbers of samples.

    Args:
        shell: the command's output.
        found: the list of pictures and masks to prepare.
        out: folder for the data set.
        size: side of the images in pixels.
        image_format: file format of the images.
        workers: number of processes; None: one for each core.
        overwrite: replace another data set in ``out``.
    """
    from maskgan_cli.data.prepare import prepare
    from maskgan_cli.files import read_json

    for remark in found.remarks:
        shell.say(remark)
    before = _hash_of(out)
    outcomes = prepare(
        found,
        out,
        size=size,
        image_format=image_format.value,
        workers=options.count_workers(workers),
        overwrite=overwrite,
    )
    for outcome in shell.track(outcomes, len(found.candidates), "preparing"):
        if outcome.reason:
            shell.say(f"rejected {outcome.id}: {outcome.reason}")
        if outcome.remark:
            shell.say(outcome.remark)
    info = read_json(out / "dataset.json")
    if before == info["hash"] and not overwrite:
        shell.say(f"kept {out}, prepared from the same list of files; --overwrite prepares it again")
    splits = ", ".join(f"{name} {count}" for name, count in info["splits"].items())
    shell.say(f"{counted(info['samples'], 'sample')} of {size} px ({splits}); {info['rejected']} rejected")
    shell.wrote(out / "manifest.csv")
    shell.finish(info, next_command=["maskgan", "check-data", out])


def _hash_of(data: Path) -> str:
    """Return the hash of the prepared data set in the folder ``data``; an empty string without a data set."""
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
    sheet: Annotated[
        Path | None, typer.Option("--sheet", help="File for the contact sheet. Default: DATA/contact-sheet.png.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="File for the report. Default: DATA/report.json.")
    ] = None,
    seed: options.Seed = 0,
    workers: options.Workers = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Check a prepared data set: class statistics, suspicious and duplicate samples, and a contact sheet.

    Prints the paths of the report (JSON) and of the contact sheet; each check replaces those in DATA. If a file cannot
    be read or has changed since the preparation, the command ends with exit code 1.
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
    readable = [report.id for report in reports if report.readable]
    chosen = np.random.default_rng(seed).permutation(len(readable))[:24]
    suspicious = [name for name in document["suspicious"] if name in set(readable)][:8]
    _show_tables(shell, document)
    writable = os.access(data, os.W_OK)
    if not writable and None in (sheet, report):
        shell.say(f"{data} is not writable: name other files with --report and --sheet")
    if report or writable:
        shell.wrote(write_json(report or data / "report.json", document))
    if readable and (sheet or writable):
        picture = contact_sheet(prepared, [readable[i] for i in sorted(chosen)] + suspicious)
        shell.wrote(write_image(sheet or data / "contact-sheet.png", picture))
    problem = _problem(document)
    kind = "dmn" if prepared.masked else "attributes"
    train = ["maskgan", "train", kind, data, *fitting_recipe(kind, prepared.size), "-o", f"runs/{kind}"]
    shell.finish(document, next_command=() if problem else train)
    if problem:
        raise WorkError(f"{data}: {problem}; prepare it again")


def _problem(document: dict[str, Any]) -> str:
    """Return one line about files that are unreadable or have changed since the preparation; "" if all files are fine.

    Args:
        document: the report of ``check-data``.
    """
    if unreadable := document["unreadable"]:
        first = document["suspicious"][unreadable[0]][0].partition(";")[0]
        return f"{len(unreadable)} of {document['images']} samples cannot be read ({first})"
    if document["hash"] != document["hash_now"]:
        return f"files changed since the preparation (hash {document['hash_now']:.8}, not {document['hash']:.8})"
    return ""


def _show_tables(shell: Shell, document: dict[str, Any]) -> None:
    from rich.markup import escape
    from rich.table import Table

    # Helen (Le et al. 2012) with the labels of Smith et al. (2013), as in the paper's Table 1
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
