"""Renders the ground truth (correct results) of edits of rendered faces: the source with the target's expression."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.pair_list import PairList
from maskgan_cli.evaluation.picture_set import side_of
from maskgan_cli.files import encode_image, encode_label_map, keep_or_write
from maskgan_cli.synth.dataset_plan import DatasetPlan, answer


def draw_ground_truth(
    listed: PairList, plan: DatasetPlan, folder: Path, *, overwrite: bool
) -> Iterator[dict[str, str]]:
    """Render the ground truth (correct result) of each pair's edit; write the pictures and their masks to ``folder``.

    The files have the names of the pairs' results, and the size of the pairs' pictures.

    Args:
        listed: pairs of pictures that `synth` rendered. The file name of each picture must be its number; the pictures
            may have been resized.
        plan: the settings from which the pictures were rendered.
        folder: folder for the ground truth.
        overwrite: replace files with other content.

    Yields:
        the row of each pair in the list (dict from column name to text), with the added columns ``truth`` and
        ``truth_mask``: the paths of the written files.

    Raises:
        InputError: the number of a picture is not in the plan, or a file exists with other content and
            ``overwrite`` is false.
    """
    numbers = [[_number(Path(row[role]), plan) for role in ("source", "target")] for row in listed.rows]
    for row, (source, target) in zip(listed.rows, numbers, strict=True):
        side = side_of(Path(row["source"]))
        drawn = answer(plan, source, target)
        truth = folder / row["output"]
        mask = truth.with_name(f"{truth.stem}.mask.png")
        keep_or_write(mask, encode_label_map(resize_labels(drawn.labels, side)), overwrite=overwrite)
        keep_or_write(truth, encode_image(resize_image(drawn.picture, side), truth.suffix.lower()), overwrite=overwrite)
        yield {**row, "truth": str(truth), "truth_mask": str(mask)}


def _number(picture: Path, plan: DatasetPlan) -> int:
    """Return the number of a rendered picture, which is its file name without suffix.

    Raises:
        InputError: the name is not a number, or not less than the number of pictures that ``plan`` has.
    """
    name = picture.stem
    if not name.isascii() or not name.isdigit() or int(name) >= plan.count:
        raise InputError(
            picture, expected=f"one of the {plan.count} rendered faces, with its number as name", found=name
        )
    return int(name)
