"""Download, check, import: what `maskgan weights pull` does."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

from maskgan_cli.errors import InputError
from maskgan_cli.weights.cache import cached_weights
from maskgan_cli.weights.convert import import_weights
from maskgan_cli.weights.fetch import fetch
from maskgan_cli.weights.published import REGISTRY


def pull_weights(
    name: str, *, overwrite: bool = False, report: Callable[[int, int], None], say: Callable[[str], None]
) -> Path:
    """Published weights in the cache under our names; nothing is done if they are there already.

    The download is removed once it is imported: the weights file is all that commands need.

    Args:
        name: a key of the registry.
        overwrite: pull again.
        report: told how many megabytes (10^6 bytes) are there, and of how many.
        say: shows a line to the user.

    Raises:
        InputError: an unknown name, or one that must be fetched by hand.
        WorkError: the download failed.
    """
    if name not in REGISTRY:
        close = difflib.get_close_matches(name, REGISTRY, n=1)
        raise InputError("NAME", expected=f"one of {', '.join(REGISTRY)}", found=name,
                         hint=f"did you mean {close[0]}?" if close else "")  # fmt: skip
    entry = REGISTRY[name]
    out = cached_weights(entry.weights)
    if out.is_file() and not overwrite:
        say(f"{name} is here already; --overwrite pulls it again")
        return out
    file = fetch(entry, lambda done, total: report(done // 10**6, total // 10**6))
    say(f"{entry.what}; licence: {entry.licence}")
    written = import_weights(entry.kind, file, out, overwrite=True, say=say)
    file.unlink()
    return written
