"""``interpolate``: masks along the line between two, or around one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, counted, stage
from maskgan_cli.errors import InputError

if TYPE_CHECKING:
    from maskgan_cli.editing.render import Renderer
    from maskgan_cli.files import Picture
    from maskgan_cli.labels import LabelMap


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    stage(app, "interpolate", rich_help_panel="Editing")(interpolate)


def interpolate(
    shell: Shell,
    first: Annotated[Path, typer.Argument(metavar="A", help="A label map, or a picture with its mask beside it.")],
    second: Annotated[Path | None, typer.Argument(metavar="[B]", help="The other one; none with --sample.")] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder for the results.")] = Path("interpolated"),
    steps: Annotated[int, typer.Option("--steps", "-n", min=2, help="How many masks, ends included.")] = 8,
    weights: options.VAEWeights = None,
    extrapolate: Annotated[
        float, typer.Option("--extrapolate", min=0, help="Go on beyond both ends by this share of the way.")
    ] = 0.0,
    keep_ends: Annotated[
        bool,
        typer.Option(
            "--keep-ends",
            help="The first and last mask are A and B themselves; between photos, masks change smoothly up to them.",
        ),
    ] = False,
    sample: Annotated[int | None, typer.Option("--sample", min=1, help="Instead: this many masks around A.")] = None,
    spread: Annotated[
        float, typer.Option("--spread", min=0, help="How far from A --sample strays; codes spread by 1 or more.")
    ] = 2.0,
    style: Annotated[Path | None, typer.Option("--style", help="Also paint every mask in this face's look.")] = None,
    style_mask: Annotated[
        Path | None, typer.Option("--style-mask", help="Mask of --style, if it is not beside it.")
    ] = None,
    dmn_weights: options.DMNWeights = None,
    parser_weights: options.ParserWeights = None,
    order: options.Order = options.CELEBAMASK,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Faces painted at once.")] = 8,
    seed: options.Seed = 0,
    device: options.Device = "auto",
    force: options.Force = False,
    overwrite: options.Overwrite = False,
) -> None:
    """Masks on the way from A to B (paper, Sec. 3.2), a strip and an animation of them.

    Prints the label maps in order, the strip, the GIF, and with --style the painted faces.
    """
    _check_usage(second, sample, extrapolate, keep_ends, style, style_mask)
    from maskgan_cli.data.given_masks import MaskRules, mask_rules
    from maskgan_cli.editing.faces import FaceReader, check_files, is_photo, read_shape
    from maskgan_cli.weights.lookup import find_weights, named_with_origin

    check_files(path for path in (first, second, style, style_mask) if path is not None)
    vae_file = find_weights(weights, "vae")
    dmn_file = find_weights(dmn_weights, "dmn", "--dmn-weights") if style is not None else None
    from maskgan_cli.editing import interpolate as manifold
    from maskgan_cli.editing.morph import masks_between
    from maskgan_cli.editing.render import Renderer
    from maskgan_cli.files import sha256

    manifold.check_folder(out)
    names = manifold.Names.inside(out, sample or steps, faces=style is not None)
    read = FaceReader(parser_weights, device, shell.say, force=force)
    with mask_rules(MaskRules(order.value, force)):
        start = read_shape(first, read.make_mask)
        end = read_shape(second, read.make_mask) if second is not None else start
        face = read(style, style_mask) if style is not None else None
    side = len(start)
    vae = manifold.MaskManifold(vae_file, device)
    renderer = Renderer(dmn_file, device) if dmn_file is not None else None
    shell.say(f"masks of {side} px from codes at {vae.size} px with {named_with_origin(vae_file, 'vae')}")
    if dmn_file is not None:
        shell.say(f"faces painted with {named_with_origin(dmn_file, 'dmn')}")

    settings: dict[str, Any] = {
        "weights": vae.weights.sha256, "inputs": [sha256(path) for path in (first, second) if path is not None]
    }  # fmt: skip
    if read.parser:
        settings["parser"] = read.parser
    if sample is not None:
        masks = list(vae.decode(manifold.around(vae.encode(start), sample, spread=spread, seed=seed), side))
        settings |= {"spread": spread, "seed": seed}
    else:
        where = manifold.positions(steps, beyond=extrapolate).tolist()
        photos = second is not None and is_photo(first) and is_photo(second)
        masks = masks_between(start, end, where, vae, keep_ends=keep_ends, photos=photos)
        settings |= {"positions": where, "keep_ends": keep_ends}
        if keep_ends and photos:
            settings["morph"] = True
    if not overwrite:  # before the faces, which take longest
        manifold.refuse_others(manifold.mask_files(names, masks))
    faces: list[Picture] = []
    if renderer is not None and face is not None:
        settings |= {"dmn_weights": renderer.weights.sha256, "style": sha256(face.image)}
        settings |= {"style_mask": sha256(face.mask)} if face.mask is not None else {}
        there = None if overwrite else manifold.kept_faces(names, settings)
        faces = there or _paint(shell, renderer, masks, face.labels, face.picture, batch_size)
    kept = _write(shell, out, manifold.Interpolation(masks, faces, settings).files(names), overwrite)
    shell.finish({"masks": [str(path) for path in names.masks], "strip": str(names.strip),
                  "animation": str(names.animation), "faces": [str(path) for path in names.faces],
                  "kept": kept, **settings})  # fmt: skip


def _write(shell: Shell, out: Path, files: dict[Path, bytes], overwrite: bool) -> int:
    """Write what is not there yet, or nothing if something else is; how many files were there."""
    from maskgan_cli.editing.interpolate import refuse_others
    from maskgan_cli.files import keep_or_write, remove_leftovers
    from maskgan_cli.locks import locked

    kept = 0
    with locked(out, "maskgan interpolate"):
        remove_leftovers(out)
        if not overwrite:
            refuse_others(files)
        for path, data in files.items():
            kept += keep_or_write(path, data, overwrite=overwrite)
            shell.wrote(path)
    if kept:
        shell.say(f"{counted(kept, 'file')} there already, made from the same files, weights and settings")
    return kept


def _paint(
    shell: Shell, renderer: Renderer, masks: list[LabelMap], style_labels: LabelMap, style_picture: Picture, size: int
) -> list[Picture]:
    """Every mask in one face's look, in batches of ``size``, with a bar."""
    from maskgan_cli.editing.interpolate import paint_masks

    parts = paint_masks(renderer, masks, style_labels, style_picture, batch=size)
    return [picture for part in shell.track(parts, -(-len(masks) // size), "painting") for picture in part]


def _check_usage(
    second: Path | None,
    sample: int | None,
    extrapolate: float,
    keep_ends: bool,
    style: Path | None,
    style_mask: Path | None,
) -> None:
    """Refuse arguments that contradict each other or miss something.

    Raises:
        InputError: saying what to add or leave out.
    """
    if sample is None and second is None:
        raise InputError("missing B", hint="name two masks, or ask for masks around one with --sample")
    if sample is not None and second is not None:
        raise InputError("--sample", expected="A alone", found=f"{second} beside it")
    if keep_ends and (extrapolate or sample is not None):
        raise InputError("--keep-ends", expected="a line that ends at A and B",
                         found="--sample" if sample is not None else "--extrapolate")  # fmt: skip
    if style_mask is not None and style is None:
        raise InputError("--style-mask", expected="--style with it", found="none")
