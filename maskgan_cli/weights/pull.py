"""Download, check, import: what `maskgan weights pull` does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from maskgan_cli.files import remove_leftovers
from maskgan_cli.locks import clear_dead, locked
from maskgan_cli.networks import choose, published
from maskgan_cli.weights.cache import cached_weights, in_cache
from maskgan_cli.weights.convert import import_weights
from maskgan_cli.weights.fetch import WEAK, download_path, downloads, fetch


def pull_weights(
    kind: str, *, overwrite: bool = False, report: Callable[[int, int], None], say: Callable[[str], None]
) -> Path:
    """Published weights in the cache under our names; nothing is done if they are there already.

    The download is removed once it is imported: the weights file is all that commands need.

    Args:
        kind: one that is published, see `maskgan_cli.networks`.
        overwrite: pull again.
        report: told how many megabytes (10^6 bytes) are there, and of how many.
        say: shows a line to the user.

    Raises:
        InputError: an unknown kind, one that must be fetched by hand, or somebody else pulls at this moment.
        WorkError: the download failed.
    """
    entry = choose(kind, published(), "NAME")
    assert entry.published is not None
    kind = entry.name
    download = download_path(entry.published) if entry.published.urls else None

    def here() -> Path | None:
        # A download that is still there says that its import was killed: before its card was written, perhaps.
        if overwrite or (download is not None and download.is_file()) or (found := in_cache(kind)) is None:
            return None
        say(f"{kind} is here already; --overwrite pulls it again")
        return found

    if (there := here()) is not None:
        clear_dead(downloads(), "maskgan weights pull")
        return there
    out = cached_weights(kind)
    with locked(downloads(), "maskgan weights pull"):
        if (there := here()) is not None:
            return there
        remove_leftovers(downloads())
        remove_leftovers(out.parent, of=out.stem)
        file = fetch(entry, lambda done, total: report(done // 10**6, total // 10**6))
        say(f"{entry.published.what}; licence: {entry.published.licence}")
        if 0 < len(entry.published.sha256) < 64:
            say(WEAK.format(len(entry.published.sha256)))
        written = import_weights(kind, file, out, overwrite=True, say=say)
        file.unlink()
        return written
