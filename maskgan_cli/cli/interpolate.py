"""``interpolate``: makes masks on the line between two masks in MaskVAE's latent space, or random masks around one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, counted
from maskgan_cli.errors import InputError

if TYPE_CHECKING:
    from maskgan_cli.editing.dmn_method import Renderer
    from maskgan_cli.editing.faces.face import Face
    from maskgan_cli.editing.masks.interpolate import MaskManifold, Names
    from maskgan_cli.files import Picture
    from maskgan_cli.labels import LabelMap


@dataclass(frozen=True)
class Codes:
    """Options that choose points (codes) in MaskVAE's latent space; each code is decoded to a mask."""

    steps: Annotated[int, typer.Option("--steps", "-n", min=2, help="Number of masks, both ends included.")] = 8
    extrapolate: Annotated[
        float, typer.Option("--extrapolate", min=0, help="Extend the line at both ends by this share of its length.")
    ] = 0.0
    keep_ends: Annotated[
        bool,
        typer.Option(
            "--keep-ends",
            help="Use the input masks themselves as the first and last mask. Between two photos, the other masks are "
            "morphed so that they change smoothly up to the ends.",
        ),
    ] = False
    sample: Annotated[
        int | None, typer.Option("--sample", min=1, help="Instead of a line, draw this many masks around FIRST.")
    ] = None
    spread: Annotated[
        float,
        typer.Option("--spread", min=0, help="Standard deviation of --sample; codes of faces have 1 or more."),
    ] = 2.0
    seed: options.Seed = 0


@dataclass(frozen=True)
class FaceOptions:
    """Options for rendering a face with each mask."""

    style: Annotated[Path | None, typer.Option("--style", help="Also render every mask in the style of this face.")] = (
        None
    )
    style_mask: Annotated[
        Path | None, typer.Option("--style-mask", help="Mask of --style. Default: the mask beside it, else parsed.")
    ] = None
    dmn_weights: options.DMNWeights = None
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Faces in a batch.")] = 8


def interpolate(
    shell: Shell,
    first: Annotated[Path, typer.Argument(metavar="FIRST", help="A label map or a photo.")],
    second: Annotated[
        Path | None, typer.Argument(metavar="SECOND", help="Another label map or photo; not with --sample.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")] = Path("interpolated"),
    weights: options.VAEWeights = None,
    parser_weights: options.ParserWeights = None,
    order: options.Order = options.CELEBAMASK,
    device: options.Device = "auto",
    force: options.Force = False,
    overwrite: options.Overwrite = False,
    *,
    codes: Codes,
    rendered: FaceOptions,
) -> None:
    """Interpolate between the masks of two faces with MaskVAE (Sec. 3.2 of the paper).

    Prints the paths of the label maps in order, of a strip of all masks, of an animation (GIF) and, with --style, of
    the rendered faces.
    """
    _check_usage(second, codes, rendered)
    from maskgan_cli.data.given_masks import MaskRules, mask_rules
    from maskgan_cli.editing.faces.face import FaceReader, check_files, is_photo, read_shape
    from maskgan_cli.weights.lookup import find_weights, named_with_origin

    check_files(path for path in (first, second, rendered.style, rendered.style_mask) if path is not None)
    vae_file = find_weights(weights, "vae")
    dmn_file = find_weights(rendered.dmn_weights, "dmn", "--dmn-weights") if rendered.style is not None else None
    from maskgan_cli.editing.masks import interpolate as manifold
    from maskgan_cli.files import sha256

    manifold.check_folder(out)
    names = manifold.Names.inside(out, codes.sample or codes.steps, faces=rendered.style is not None)
    read = FaceReader(parser_weights, device, shell.say, force=force)
    with mask_rules(MaskRules(order.value, force)):
        start = read_shape(first, read.make_mask)
        end = read_shape(second, read.make_mask) if second is not None else start
        face = read(rendered.style, rendered.style_mask) if rendered.style is not None else None
    vae = manifold.MaskManifold(vae_file, device)
    shell.say(f"masks of {len(start)} px from codes at {vae.size} px with {named_with_origin(vae_file, 'vae')}")
    renderer = None if dmn_file is None else _load(shell, dmn_file, device)

    inputs = [path for path in (first, second) if path is not None]
    settings: dict[str, Any] = {"weights": vae.weights.sha256, "inputs": [sha256(path) for path in inputs]}
    settings |= {"parser": read.parser} if read.parser else {}
    masks, chosen = _masks(vae, start, end, codes, photos=second is not None and all(map(is_photo, inputs)))
    settings |= chosen
    if not overwrite:  # checked before the faces are rendered, which takes the most time
        manifold.refuse_others(manifold.mask_files(names, masks))
    faces: list[Picture] = []
    if renderer is not None and face is not None:
        settings |= {"dmn_weights": renderer.weights.sha256, "style": sha256(face.image)}
        settings |= {"style_mask": sha256(face.mask)} if face.mask is not None else {}
        existing = None if overwrite else manifold.kept_faces(names, settings)
        faces = existing or _render(shell, renderer, masks, face, rendered.batch_size)
    kept = _write(shell, out, manifold.Interpolation(masks, faces, settings).files(names), overwrite)
    shell.finish({**_paths(names), "kept": kept, **settings})


def _paths(names: Names) -> dict[str, Any]:
    """Return a dict with the paths of all results, for the JSON document: masks, strip, animation and faces."""
    masks, faces = ([str(path) for path in paths] for paths in (names.masks, names.faces))
    return {"masks": masks, "strip": str(names.strip), "animation": str(names.animation), "faces": faces}


def _load(shell: Shell, file: Path, device: str) -> Renderer:
    """Load the generator from its weights ``file``, print the name of the weights, and return the loaded generator."""
    from maskgan_cli.editing.dmn_method import Renderer
    from maskgan_cli.weights.lookup import named_with_origin

    shell.say(f"faces rendered with {named_with_origin(file, 'dmn')}")
    return Renderer(file, device)


def _masks(
    vae: MaskManifold, start: LabelMap, end: LabelMap, codes: Codes, *, photos: bool
) -> tuple[list[LabelMap], dict[str, Any]]:
    """Make the masks of ``interpolate``; return the masks, and a dict of the settings for their provenance.

    Args:
        vae: a trained MaskVAE.
        start, end: the two input masks; if there is only one, it is passed as both.
        codes: the options that choose the codes.
        photos: whether both inputs are photos.
    """
    from maskgan_cli.editing.masks import interpolate as manifold
    from maskgan_cli.editing.masks.morph import masks_between

    if codes.sample is not None:
        around = manifold.around(vae.encode(start), codes.sample, spread=codes.spread, seed=codes.seed)
        return list(vae.decode(around, len(start))), {"spread": codes.spread, "seed": codes.seed}
    positions = manifold.positions(codes.steps, beyond=codes.extrapolate).tolist()
    masks = masks_between(start, end, positions, vae, keep_ends=codes.keep_ends, photos=photos)
    settings: dict[str, Any] = {"positions": positions, "keep_ends": codes.keep_ends}
    return masks, settings | ({"morph": True} if codes.keep_ends and photos else {})


def _write(shell: Shell, out: Path, files: dict[Path, bytes], overwrite: bool) -> int:
    """Write files and print their paths; return how many files were not written, because they exist already.

    Args:
        shell: the command's output.
        out: folder of the files.
        files: a dict from each path to the content of the file.
        overwrite: replace files with other content.

    Raises:
        InputError: a file exists with other content; no file is written.
    """
    from maskgan_cli.editing.masks.interpolate import refuse_others
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
        shell.say(f"kept {counted(kept, 'existing file')} of the same inputs, weights and settings")
    return kept


def _render(shell: Shell, renderer: Renderer, masks: list[LabelMap], style: Face, size: int) -> list[Picture]:
    """Render every mask in the style of one face, in batches of ``size``, with a progress bar; return the pictures."""
    from maskgan_cli.editing.masks.interpolate import paint_masks

    batches = paint_masks(renderer, masks, style.labels, style.picture, batch=size)
    tracked = shell.track(batches, -(-len(masks) // size), "rendering")
    return [picture for batch in tracked for picture in batch]


def _check_usage(second: Path | None, codes: Codes, rendered: FaceOptions) -> None:
    """Check that the arguments of ``interpolate`` fit together.

    Raises:
        InputError: arguments contradict each other, or one is missing.
    """
    if codes.sample is None and second is None:
        raise InputError("missing SECOND", hint="name two masks, or use --sample for masks around one")
    if codes.sample is not None and second is not None:
        raise InputError("--sample", expected="one mask only", found=f"also {second}")
    if codes.keep_ends and (codes.extrapolate or codes.sample is not None):
        other = "--extrapolate" if codes.sample is None else "--sample"
        raise InputError("--keep-ends", expected="a line that ends at FIRST and SECOND", found=other)
    if rendered.style_mask is not None and rendered.style is None:
        raise InputError("--style-mask", expected="--style", found="none")
