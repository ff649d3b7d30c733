"""``align`` cuts face crops out of photos; ``paste`` puts edited crops back into the photos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.batch import FileBatch, InputPicture, Recursive, pictures
from maskgan_cli.cli.shell import Shell, counted
from maskgan_cli.errors import InputError

if TYPE_CHECKING:
    from maskgan_cli.editing.faces.cutouts import Cutout


def align(
    shell: Shell,
    photos: Annotated[
        list[str], typer.Argument(metavar="PHOTO", help="Photos, or folders of photos; - reads paths from stdin.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the crops (NAME.png).")],
    size: Annotated[int, typer.Option("--size", min=32, max=2048, help="Side of the crops in pixels.")] = 512,
    face: options.Chosen = None,
    overview: Annotated[
        bool, typer.Option("--overview", help="Also write NAME.overview.png: the photo with its faces numbered.")
    ] = False,
    recursive: Recursive = False,
    device: options.Device = "auto",
    force: Annotated[bool, typer.Option("--force", help="Accept faces smaller than 64 pixels.")] = False,
    overwrite: options.Overwrite = False,
) -> None:
    """Cut the face out of each photo, upright and framed like CelebA-HQ.

    Prints the paths of the crops, and an error for each photo without a face. NAME.crop.json beside each crop lets
    `maskgan paste` put an edit of the crop back into the photo. With --face all, the crops are NAME-1.png, NAME-2.png
    and so on.
    """
    from maskgan_cli.files import read_photo, write_image

    items = pictures(photos, recursive=recursive, say=shell.say)
    _check_distinct([out / f"{item.name}.png" for item in items])
    which = options.chosen(face)
    if len(items) == 1:  # report a wrong path before the slow import of PyTorch
        from maskgan_cli.editing.faces.face import check_files

        check_files([items[0].path])
    if which != "all" and not overwrite:
        _refuse_others(items, out)
    from maskgan_cli.devices import pick_device
    from maskgan_cli.editing.faces.overview import overview as drawn
    from maskgan_cli.editing.faces.search import PhotoSearch

    search = PhotoSearch(pick_device(device), force=force)
    records, batch, kept = [], FileBatch(shell, len(items)), 0
    for item in shell.track(items, len(items), "aligning"):
        with batch.attempt(item.path):
            photo = read_photo(item.path)
            for remark in photo.remarks:
                shell.say(remark)
            if overview:
                picture = drawn(photo.picture, search.faces(photo))
                shell.wrote(write_image(out / f"{item.name}.overview.png", picture))
            for cutout in search.cut(photo, size, which):
                path = out / (f"{item.name}-{cutout.number}.png" if which == "all" else f"{item.name}.png")
                kept += _write_crop(cutout, path, overwrite=overwrite)
                shell.wrote(path)
                points = cutout.points.round(2).tolist()
                records.append(
                    {
                        "photo": str(item.path),
                        "image": str(path),
                        "face": cutout.number,
                        "faces": cutout.count,
                        "points": points,
                    }
                )
    if kept:
        shell.say(f"kept {counted(kept, 'existing crop')} of the same photos")
    first = next((record["image"] for record in records), "")
    batch.finish({"results": records}, next_command=["maskgan", "parse", first] if first else ())


def _refuse_others(items: list[InputPicture], out: Path) -> None:
    """Check that no crop in ``out`` would be replaced by the crop of another photo.

    Raises:
        InputError: the file of a crop exists already, but was not cut out of the same photo.
    """
    from maskgan_cli.editing.faces.cutouts import record_path
    from maskgan_cli.files import refuse_existing, sha256

    for item in items:
        crop = out / f"{item.name}.png"
        if not (item.path.is_file() and _read_record(record_path(crop)).get("source_sha256") == sha256(item.path)):
            refuse_existing(crop)


def _write_crop(cutout: Cutout, path: Path, *, overwrite: bool) -> bool:
    """Write a crop to ``path``, and its position in the photo to a JSON file beside it (the crop's record).

    Returns:
        Whether the same crop existed already. In this case, nothing is written.
    """
    from maskgan_cli.editing.faces.cutouts import record_path
    from maskgan_cli.files import write_image, write_json

    record = cutout.record() | {"image": path.name}
    if path.exists() and not overwrite and _read_record(record_path(path)) == record:
        return True
    write_image(path, cutout.picture, overwrite=overwrite)
    write_json(record_path(path), record, overwrite=True)
    return False


def paste(
    shell: Shell,
    crop: Annotated[Path, typer.Argument(metavar="CROP", help="Crop of `maskgan align`, or its NAME.crop.json.")],
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="Edit of the crop, of any size.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File for the photo with the edit.")],
    photo: Annotated[Path | None, typer.Option("--photo", help="The photo, if it was moved since `align`.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Accept a photo that changed since `align`.")] = False,
    overwrite: options.Overwrite = False,
) -> None:
    """Paste an edited crop back into its photo.

    Only pixels that the edit changed are replaced; in lossless formats (PNG, TIFF, BMP) all others are identical. The
    photo's EXIF data, orientation and colour profile are kept.
    """
    from maskgan_cli.editing.faces.face import check_files
    from maskgan_cli.files import (
        JPEG_SUFFIXES,
        check_picture_name,
        encode_photo,
        keep_or_write,
        read_image,
        read_note,
        sha256,
    )

    check_picture_name(out)
    check_files([crop, result])
    from maskgan_cli.editing.faces.cutouts import read_cutout

    cutout = read_cutout(crop, photo, force=force)
    edited = read_image(result)
    if edited.shape[0] != edited.shape[1]:
        raise InputError(result, expected="a square picture, as the crop", found=f"{edited.shape[1]}x{edited.shape[0]}")
    note = {
        "edit": "paste",
        "face": cutout.number,
        "made": read_note(result),
        "inputs": {"photo": sha256(cutout.photo.path), "result": sha256(result)},
    }
    lossy = result.suffix.lower() in (*JPEG_SUFFIXES, ".webp")
    picture = cutout.paste(edited, lossy=lossy)
    changed = int((picture != cutout.photo.picture).any(-1).sum())
    shell.say(f"{changed:,} of {picture.shape[0] * picture.shape[1]:,} pixels changed")
    data = encode_photo(picture, out.suffix.lower(), cutout.photo, note=note)
    if kept := keep_or_write(out, data, overwrite=overwrite):
        shell.say(f"kept {out}, which already holds this result")
    shell.wrote(out)
    shell.finish({"photo": str(cutout.photo.path), "changed_pixels": changed, "kept": kept})


def _read_record(path: Path) -> dict[str, Any]:
    """Return the record of a crop (its position in the photo) as a dict; an empty dict if the file is not readable."""
    from maskgan_cli.files import read_json

    try:
        record = read_json(path)
    except InputError:
        return {}
    return record if isinstance(record, dict) else {}


def _check_distinct(paths: list[Path]) -> None:
    if len(set(paths)) < len(paths):
        twice = next(path for path in paths if paths.count(path) > 1)
        raise InputError(twice, found="two photos with this result", hint="rename one of the photos")
