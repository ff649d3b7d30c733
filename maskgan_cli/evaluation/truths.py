"""The true answer of each pair of rendered faces: the source drawn again with the target's expression."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.pair_list import PairList
from maskgan_cli.evaluation.pictures import side_of
from maskgan_cli.files import encode_image, encode_label_map, keep_or_write
from maskgan_cli.synth.plan import Plan, answer


def draw_truths(listed: PairList, plan: Plan, folder: Path, *, overwrite: bool) -> Iterator[dict[str, str]]:
    """Render the truth of each pair to ``folder``, named as a method's result would be, its mask beside it.

    Args:
        listed: pairs of pictures that `synth` rendered, called by their numbers, at any size.
        plan: what they were rendered by.

    Yields:
        The pair's row, with its ``truth`` and ``truth_mask``.

    Raises:
        InputError: pictures that the plan does not have, or files that are there, are others, and not ``overwrite``.
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


def _number(picture: Path, plan: Plan) -> int:
    name = picture.stem
    if not name.isascii() or not name.isdigit() or int(name) >= plan.count:
        raise InputError(picture, expected=f"one of the {plan.count} rendered faces, called by its number", found=name)
    return int(name)
