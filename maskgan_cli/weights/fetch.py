"""Downloads of published weights. A file appears in the cache only when it is complete and its hash is correct."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from maskgan_cli.errors import InputError, WorkError
from maskgan_cli.files import DiskError, disk_error, read_json, sha256, write_json
from maskgan_cli.kinds import Kind, Published
from maskgan_cli.weights.cache import cache_folder

if TYPE_CHECKING:
    import requests

_ATTEMPTS = 4  # attempts to complete a download that breaks off
_SECONDS = 30  # timeout of a connection without data
_BLOCK = 1 << 18
_ABANDONED = 24 * 3600  # age in seconds after which partial downloads of other files are deleted

# Message for files of which only the first digits of the SHA-256 are published.
WEAK: Final = "only {} of the 64 digits of its SHA-256 are published: they detect damage, not forgery"

Report = Callable[[int, int], None]  # (bytes received, total bytes or 0 if unknown)


def fetch(kind: Kind, report: Report = lambda done, total: None) -> Path:
    """Download the published weights of a kind into the cache, and return the path of the file.

    If the cache already contains the file, nothing is downloaded. The SHA-256 of the file must begin with the published
    digits (some publishers give only the first digits). The SHA-256 of the first download is stored in ``pins.json``,
    and later downloads must have the same SHA-256. An interrupted download is resumed; if the server sends an ETag, a
    later call can resume the download too. Files with a wrong hash and old partial downloads of other files are
    deleted.

    Args:
        kind: registry entry of the kind of network.
        report: function that is called with the number of received bytes and the size of the file (0 if unknown).

    Raises:
        InputError: the kind has no direct download; the message says how to get the weights.
        WorkError: the download failed from every address, for the reasons in the message, or the disk is full.
    """
    entry = kind.published
    if entry is None or not entry.urls:
        page = entry.page if entry is not None else "its authors"
        raise InputError(
            kind.name,
            expected="a direct download",
            found="a page that needs a browser",
            hint=f"download it from {page}, then run `maskgan weights import {kind.name} FILE`",
        )
    path = download_path(entry)
    pins = _pins()
    pin = pins.get(path.name, "")
    # The pin is the full hash of the first download. If it contradicts the published digits, these take precedence.
    known = pin if pin.startswith(entry.sha256) else entry.sha256
    origin = "the published" if entry.sha256 and entry.sha256.startswith(known) else "the first download's"

    def pinned(digest: str) -> Path:
        if pin != digest:
            write_json(_pins_file(), {**pins, path.name: digest})
        return path

    if path.is_file() and (digest := sha256(path)).startswith(known):
        _Part(path).remove()
        return pinned(digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    failures = []
    for url in entry.urls:
        try:
            digest = _fetch_one(url, path, known, report, origin=origin)
        except DiskError:
            raise
        except WorkError as failure:
            failures.append(str(failure))
            continue
        return pinned(digest)
    raise WorkError(
        f"{kind.name}: {'; '.join(failures)}; try again later, or download it on another machine and run "
        f"`maskgan weights import {kind.name} FILE`"
    )


def downloads() -> Path:
    """Return the folder for downloaded files, which stay there until they are imported."""
    return cache_folder() / "downloads"


def download_path(published: Published) -> Path:
    """Return the path at which published weights are stored after the download; the file need not exist."""
    return downloads() / published.urls[0].rsplit("/", 1)[-1]


def _fetch_one(url: str, path: Path, known: str, report: Report, *, origin: str) -> str:
    """Download a file from one address, and move it to ``path`` when it is complete and its hash is correct.

    Args:
        url: the address of the file.
        path: the final path.
        known: the first digits of the expected SHA-256.
        report: function that is called with the number of received bytes and the size of the file (0 if unknown).
        origin: source of the expected hash, for the error message: ``the published`` or ``the first download's``.

    Returns:
        The SHA-256 of the file.

    Raises:
        WorkError: the download failed, or the hash is wrong.
    """
    import requests

    path.unlink(missing_ok=True)  # its hash is wrong
    part = _Part(path)
    part.clear_others()
    try:
        _download(url, part, report)
    except requests.HTTPError as error:
        part.remove()
        raise WorkError(f"{url} answered {' '.join(str(error).split())[:80]}") from error
    except requests.RequestException as error:
        kept = part.can_resume(url)
        if not kept:
            part.remove()
        raise WorkError(_reason(url, error, kept=kept)) from error
    if not (found := sha256(part.file)).startswith(known):
        part.remove()
        raise WorkError(f"{url} sent a file whose SHA-256 {found} is not {origin} {known}; the file was deleted")
    part.file.replace(path)
    part.remove()
    return found


class _Part:
    """A partial download (e.g. ``w.pth.part``), and a JSON file beside it with the download's address and ETag."""

    def __init__(self, path: Path) -> None:
        self.file = path.with_name(f"{path.name}.part")
        self.note = path.with_name(f"{path.name}.part.json")

    @property
    def size(self) -> int:
        """Number of bytes received."""
        return self.file.stat().st_size if self.file.is_file() else 0

    def about(self) -> Mapping[str, Any]:
        """Return the content of the JSON file (keys ``url`` and ``etag``); empty if it is missing or damaged."""
        try:
            note = json.loads(self.note.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return note if isinstance(note, dict) else {}

    def can_resume(self, url: str) -> bool:
        """Return whether a later call can resume the download from ``url``, i.e. data and an ETag were received."""
        about = self.about()
        return self.size > 0 and about.get("url") == url and isinstance(about.get("etag"), str)

    def clear_others(self) -> None:
        """Delete partial downloads of other files that are older than a day."""
        for pattern in ("*.part", "*.part.json", "tmp*"):
            for other in self.file.parent.glob(pattern):
                if other not in (self.file, self.note) and other.stat().st_mtime < time.time() - _ABANDONED:
                    other.unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete the partial download and its JSON file."""
        self.file.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def _download(url: str, part: _Part, report: Report) -> None:
    """Download a file to ``part``. If the connection is lost, resume after the last received byte.

    ``report`` is called with the number of received bytes and the size of the file, as in `fetch`.

    Raises:
        requests.RequestException: the download failed.
    """
    import requests

    if not part.can_resume(url):
        part.remove()
    etag = part.about().get("etag", "")
    for attempt in range(_ATTEMPTS):
        done = part.size
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={done}-"} if done else {})}
        if done and etag:
            headers["If-Range"] = etag  # the server sends the whole file if it has changed
        try:
            with requests.get(url, headers=headers, stream=True, timeout=_SECONDS) as response:
                if response.status_code == 416:  # the server has no more bytes: the file is complete, or has changed
                    return
                response.raise_for_status()
                header = response.headers.get("ETag", "")
                etag = "" if header.startswith("W/") else header  # weak ETags cannot be used for ranges
                write_json(part.note, {"url": url, "etag": etag or None})
                _append(response, part, report)
            return
        except requests.HTTPError:
            raise
        except requests.RequestException:
            if attempt == _ATTEMPTS - 1 or part.size <= done:  # last attempt, or no byte was received
                raise


def _append(response: requests.Response, part: _Part, report: Report) -> None:
    """Append the data of an HTTP response to ``part``. If the server sends the whole file, overwrite ``part`` instead.

    ``report`` is called with the number of received bytes and the size of the file, as in `fetch`.
    """
    import requests

    resumed = response.status_code == 206  # partial content
    done = part.size if resumed else 0
    length = int(response.headers.get("Content-Length", 0))
    total = done + length if length else 0
    try:
        with part.file.open("ab" if resumed else "wb") as target:
            for block in response.iter_content(_BLOCK):
                target.write(block)
                done += len(block)
                report(done, total)
    except requests.RequestException:  # a subclass of OSError
        raise
    except OSError as error:
        raise disk_error(part.file, error) from error


def _reason(url: str, error: Exception, *, kept: bool) -> str:
    """Return a text for the user that says why a download failed.

    Args:
        url: the address.
        error: the error that was raised.
        kept: whether the partial file was kept, so that the download can be resumed.
    """
    import requests

    if isinstance(error, requests.Timeout):
        return f"{url} did not answer for {_SECONDS} s"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        what = "the same command resumes it" if kept else "the partial file was deleted"
        return f"{url} broke off before the end; {what}"
    if isinstance(error, requests.ConnectionError):
        return f"{url} cannot be reached (no network, or no such server)"
    return f"{url}: {' '.join(str(error).split())[:200]}"


def _pins_file() -> Path:
    """Return the path of the JSON file with the hashes of first downloads."""
    return downloads() / "pins.json"


def _pins() -> dict[str, str]:
    """Return a dict from file name to the SHA-256 of the file's first download.

    Raises:
        InputError: the file of hashes is damaged.
    """
    if not _pins_file().is_file():
        return {}
    pins = read_json(_pins_file())
    if not isinstance(pins, dict) or not all(isinstance(pin, str) and len(pin) == 64 for pin in pins.values()):
        raise InputError(
            _pins_file(),
            expected="file names with their SHA-256",
            found="other content",
            hint="delete the file; it will be written again",
        )
    return pins
