"""Model cards: what a weights file is, in Markdown, beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from maskgan_cli.errors import InputError
from maskgan_cli.files import refuse_existing, write_bytes
from maskgan_cli.networks import KINDS


def card_path(weights: str | Path) -> Path:
    """Where the card of a weights file lies: ``model.safetensors`` -> ``model.md``."""
    return Path(weights).with_suffix(".md")


def check_output(out: Path, suffix: str, *, overwrite: bool) -> None:
    """Before weights and their card are made: whether they may be written there.

    Raises:
        InputError: a name that does not end in ``suffix``; a file or card that exists, and not ``overwrite``.
    """
    if out.suffix != suffix:
        raise InputError(out, expected=f"a name ending in {suffix}", found=repr(out.suffix))
    if not overwrite:
        refuse_existing(out)
        refuse_existing(card_path(out))


def write_card(weights: str | Path, description: Mapping[str, Any], *, sha256: str, count: int) -> Path:
    """Write the card of a weights file beside it, replacing an older one.

    Args:
        weights: the file; only its name is used.
        description: what the file says of itself: kind, config, version and, where known, recipe,
            data, step, metrics, source, licence.
        sha256: of the file.
        count: how many numbers it holds.
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
        return f"what `{source['file']}` ({source['what']}) was trained on, see its authors' page"
    return "not recorded"


def _licence(description: Mapping[str, Any]) -> str:
    if licence := description.get("licence"):
        return str(licence)
    return "the terms of the training data hold for these weights" if "data" in description else "not recorded"


def _recipe(description: Mapping[str, Any]) -> str:
    if "recipe" in description:
        return f"task {description['recipe'].get('task')}, {description.get('step')} steps; in full below"
    if source := description.get("source"):
        return f"imported tensor by tensor from `{source['file']}`, SHA-256 `{source['sha256']}`"
    return "not recorded"


def _person(personal: Mapping[str, Any] | None) -> dict[str, str]:
    """The row of weights that `maskgan personalise` made."""
    if not personal:
        return {}
    photos = len(personal["photos"])
    return {"Person": f"{personal['steps']} steps more on {photos} picture{'' if photos == 1 else 's'} of one person, "
                      f"from the weights `{personal['start']}`"}  # fmt: skip


def _averaged(averaged: Mapping[str, Any] | None) -> dict[str, str]:
    """The row of weights that `maskgan weights average` made."""
    if not averaged:
        return {}
    return {
        "Averaged": f"{averaged['share']:g} of the weights `{averaged['second']}`, the rest of `{averaged['first']}`"
    }


def _metrics(metrics: Mapping[str, float] | None) -> str:
    if not metrics:
        return "not measured here"
    shown = [f"{name} {value:.4g}" for name, value in metrics.items() if name != "step" and "/" not in name]
    return f"{', '.join(shown)} (validation after step {metrics['step']:.0f})"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
