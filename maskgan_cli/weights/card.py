"""Model cards: Markdown files that describe weights files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from maskgan_cli.errors import InputError
from maskgan_cli.files import refuse_existing, write_bytes
from maskgan_cli.networks import KINDS


def card_path(weights: str | Path) -> Path:
    """Return the path of the model card of a weights file, e.g. ``model.md`` for ``model.safetensors``."""
    return Path(weights).with_suffix(".md")


def check_output(out: Path, suffix: str, *, overwrite: bool) -> None:
    """Check that weights can be written to ``out``, and their card beside it.

    Raises:
        InputError: the name does not end in ``suffix``, or the file or its card exists and ``overwrite`` is false.
    """
    if out.suffix != suffix:
        raise InputError(out, expected=f"a name ending in {suffix}", found=repr(out.suffix))
    if not overwrite:
        refuse_existing(out)
        refuse_existing(card_path(out))


def write_card(weights: str | Path, description: Mapping[str, Any], *, sha256: str, count: int) -> Path:
    """Write the model card of a weights file beside the file, and return its path. An existing card is replaced.

    Args:
        weights: the file; only its name is used.
        description: the description of the network in the weights file, a dict with the keys ``kind``, ``config``,
            ``version`` and, if known, ``recipe``, ``data``, ``step``, ``metrics``, ``source`` and ``licence``.
        sha256: SHA-256 of the weights file.
        count: total number of values in all parameters and buffers.
    """
    rows = {
        "What": f"{_title(description['kind'])}, {count / 1e6:.1f} M numbers",
        "Settings": ", ".join(f"{name} {value}" for name, value in description["config"].items()) or "none",
        "Data": _data(description),
        "Licence": _licence(description),
        "Recipe": _recipe(description),
        **_person(description.get("personal")),
        **_averaged(description.get("averaged")),
        "Metrics": _metrics(description.get("metrics")),
        "SHA-256": f"`{sha256}`",
        "Written by": f"maskgan {description['version']}",
    }
    lines = [f"# {Path(weights).name}", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {_cell(value)} |" for name, value in rows.items()]
    if "recipe" in description:
        recipe = yaml.safe_dump(description["recipe"], sort_keys=False)
        lines += ["", "## Recipe", "", *(f"    {line}".rstrip() for line in recipe.splitlines())]
    return write_bytes(card_path(weights), ("\n".join(lines) + "\n").encode())


def _title(kind: str) -> str:
    return KINDS[kind].title if kind in KINDS else kind


def _data(description: Mapping[str, Any]) -> str:
    if data := description.get("data"):
        return f"{data.get('name') or 'a data set without a name'}, content hash `{data.get('hash')}`"
    if source := description.get("source"):
        return f"the training data of `{source['file']}` ({source['what']}), see its authors' page"
    return "not recorded"


def _licence(description: Mapping[str, Any]) -> str:
    if licence := description.get("licence"):
        return str(licence)
    return "the terms of the training data apply to these weights" if "data" in description else "not recorded"


def _recipe(description: Mapping[str, Any]) -> str:
    if "recipe" in description:
        return f"task {description['recipe'].get('task')}, {description.get('step')} steps; all settings below"
    if source := description.get("source"):
        return f"imported from `{source['file']}`, SHA-256 `{source['sha256']}`"
    return "not recorded"


def _person(personal: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the card's row about the fine-tuning for one person, as a dict from row name to text.

    ``personal`` is the dict that `maskgan personalise` stored in the weights. For other weights, ``personal`` is None,
    and the result is empty.
    """
    if not personal:
        return {}
    photos = f"{len(personal['photos'])} photo{'' if len(personal['photos']) == 1 else 's'}"
    return {
        "Person": f"fine-tuned for {personal['steps']} steps on {photos} of one person, from the weights "
        f"`{personal['start']}`"
    }


def _averaged(averaged: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the card's row about the averaging of two networks, as a dict from row name to text.

    ``averaged`` is the dict that `maskgan weights average` stored in the weights. For other weights, ``averaged`` is
    None, and the result is empty.
    """
    if not averaged:
        return {}
    share = averaged["share"]
    return {"Averaged": f"{share:g} x `{averaged['second']}` + {1 - share:g} x `{averaged['first']}`"}


def _metrics(metrics: Mapping[str, float] | None) -> str:
    if not metrics:
        return "not measured"
    shown = [f"{name} {value:.4g}" for name, value in metrics.items() if name != "step" and "/" not in name]
    return f"{', '.join(shown)} (validation after step {metrics['step']:.0f})"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
