"""Download, check and import of published weights (`maskgan weights pull`)."""

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
    """Download published weights and import them into the cache, unless the cache already contains them.

    The download is deleted after the import, because commands only need the weights file.

    Args:
        kind: a kind with published weights, see `maskgan_cli.networks`.
        overwrite: download the weights again even if the cache contains them.
        report: function that is called with the received and the total number of megabytes (10^6 bytes); the total is 0
            if it is unknown.
        say: function that shows a message to the user.

    Returns:
        The path of the weights file.

    Raises:
        InputError: the kind is unknown, has no direct download, or another process is downloading.
        WorkError: the download failed.
    """
    entry = choose(kind, published(), "NAME")
    assert entry.published is not None
    kind = entry.name
    download = download_path(entry.published) if entry.published.urls else None

    def existing() -> Path | None:
        # If the download still exists, its import was interrupted, possibly before the card was written.
        if overwrite or (download is not None and download.is_file()) or (found := in_cache(kind)) is None:
            return None
        say(f"kept {kind}, which is in the cache; --overwrite downloads it again")
        return found

    if (path := existing()) is not None:
        clear_dead(downloads(), "maskgan weights pull")
        return path
    out = cached_weights(kind)
    with locked(downloads(), "maskgan weights pull"):
        if (path := existing()) is not None:
            return path
        remove_leftovers(downloads())
        remove_leftovers(out.parent, of=out.stem)
        file = fetch(entry, lambda done, total: report(done // 10**6, total // 10**6))
        say(f"{entry.published.what}; licence: {entry.published.licence}")
        if 0 < len(entry.published.sha256) < 64:
            say(WEAK.format(len(entry.published.sha256)))
        written = import_weights(kind, file, out, overwrite=True, say=say)
        file.unlink()
        return written
