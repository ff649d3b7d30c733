"""Downloads that are whole and right, or not there at all."""

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

_ATTEMPTS = 4  # how often a download that breaks off is taken up again
_SECONDS = 30  # without a byte, and a connection is given up
_BLOCK = 1 << 18
_DEAD = 24 * 3600  # seconds without a byte, and nobody will go on with what has come

# What the list and the command say of a hash that is only begun.
WEAK: Final = "only {} of the 64 digits of its SHA-256 are published: they show damage, not a forgery"

Report = Callable[[int, int], None]  # (bytes there, bytes in all; 0 if the server does not say)


def fetch(kind: Kind, report: Report = lambda done, total: None) -> Path:
    """The published file of a kind in the cache, downloaded if it is not there.

    It is checked against the SHA-256 (or its first digits) that is published; beyond these, the first
    download's is remembered in ``pins.json`` and later downloads must be the same. A connection
    that breaks off is taken up where it ended, by the next call too if the server names its files
    (ETag); what is not right is removed, and so is what dead downloads of other files left.

    Raises:
        InputError: the kind has no direct download; the message says how to get it.
        WorkError: no mirror gave the right file, and the message says why each one did not; or the disk is full.
    """
    entry = kind.published
    if entry is None or not entry.urls:
        page = entry.page if entry is not None else "its authors"
        raise InputError(
            kind.name, expected="a direct download", found="a page for people",
            hint=f"fetch it by hand from {page}, then run `maskgan weights import {kind.name} FILE`",
        )  # fmt: skip
    path = download_path(entry)
    pins = _pins()
    pin = pins.get(path.name, "")
    # A pin says more than a published beginning that it agrees with, and nothing against one.
    known = pin if pin.startswith(entry.sha256) else entry.sha256
    whose = "the published" if entry.sha256 and entry.sha256.startswith(known) else "the first download's"

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
            digest = _fetch_one(url, path, known, report, whose=whose)
        except DiskError:
            raise
        except WorkError as failure:
            failures.append(str(failure))
            continue
        return pinned(digest)
    raise WorkError(
        f"{kind.name}: {'; '.join(failures)}; try again later, or download it elsewhere and run "
        f"`maskgan weights import {kind.name} FILE`"
    )


def downloads() -> Path:
    """Where downloads lie until they are imported."""
    return cache_folder() / "downloads"


def download_path(published: Published) -> Path:
    """Where the download of a kind lies, or will."""
    return downloads() / published.urls[0].rsplit("/", 1)[-1]


def _fetch_one(url: str, path: Path, known: str, report: Report, *, whose: str) -> str:
    """One mirror; the file gets its name when it is complete and checked. Returns its SHA-256.

    Raises:
        WorkError: why this mirror did not give the right file.
    """
    import requests

    path.unlink(missing_ok=True)  # a file that is not the right one
    part = _Part(path)
    part.clear_others()
    try:
        _resuming(url, part, report)
    except requests.HTTPError as error:
        part.remove()
        raise WorkError(f"{url} answered {' '.join(str(error).split())[:80]}") from error
    except requests.RequestException as error:
        kept = part.can_go_on(url)
        if not kept:
            part.remove()
        raise WorkError(_why(url, error, kept=kept)) from error
    if not (found := sha256(part.file)).startswith(known):
        part.remove()
        raise WorkError(f"{url} gave a file whose SHA-256 {found} is not {whose} {known}; it was removed")
    part.file.replace(path)
    part.remove()
    return found


class _Part:
    """What has come of a file so far (``w.pth.part``), and beside it from where, and of which version."""

    def __init__(self, path: Path) -> None:
        self.file = path.with_name(f"{path.name}.part")
        self.note = path.with_name(f"{path.name}.part.json")

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self.file.stat().st_size if self.file.is_file() else 0

    def about(self) -> Mapping[str, Any]:
        """The note: url and etag; empty if there is none that can be read."""
        try:
            note = json.loads(self.note.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return note if isinstance(note, dict) else {}

    def can_go_on(self, url: str) -> bool:
        """Whether a later command can take the download up."""
        about = self.about()
        return self.size > 0 and about.get("url") == url and isinstance(about.get("etag"), str)

    def clear_others(self) -> None:
        """Remove what downloads of other files left when they were killed, a day ago or longer."""
        for pattern in ("*.part", "*.part.json", "tmp*"):
            for other in self.file.parent.glob(pattern):
                if other not in (self.file, self.note) and other.stat().st_mtime < time.time() - _DEAD:
                    other.unlink(missing_ok=True)

    def remove(self) -> None:
        """Away with it."""
        self.file.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def _resuming(url: str, part: _Part, report: Report) -> None:
    """Download to ``part``, going on after its last byte each time the connection breaks off."""
    import requests

    if not part.can_go_on(url):
        part.remove()
    etag = part.about().get("etag", "")
    for attempt in range(_ATTEMPTS):
        done = part.size
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={done}-"} if done else {})}
        if done and etag:
            headers["If-Range"] = etag  # another version of the file comes whole
        try:
            with requests.get(url, headers=headers, stream=True, timeout=_SECONDS) as answer:
                if answer.status_code == 416:  # nothing after the last byte: it is whole, or another file
                    return
                answer.raise_for_status()
                strong = answer.headers.get("ETag", "")
                etag = "" if strong.startswith("W/") else strong
                write_json(part.note, {"url": url, "etag": etag or None})
                _append(answer, part, report)
            return
        except requests.HTTPError:
            raise
        except requests.RequestException:
            if attempt == _ATTEMPTS - 1 or part.size <= done:  # no use: not one byte came
                raise


def _append(answer: requests.Response, part: _Part, report: Report) -> None:
    """Write an answer's bytes to the end of ``part``, or from its start if the server began anew."""
    import requests

    goes_on = answer.status_code == 206  # partial content, as asked for
    done = part.size if goes_on else 0
    length = int(answer.headers.get("Content-Length", 0))
    total = done + length if length else 0
    try:
        with part.file.open("ab" if goes_on else "wb") as target:
            for block in answer.iter_content(_BLOCK):
                target.write(block)
                done += len(block)
                report(done, total)
    except requests.RequestException:  # they are OSErrors too
        raise
    except OSError as error:
        raise disk_error(part.file, error) from error


def _why(url: str, error: Exception, *, kept: bool) -> str:
    import requests

    if isinstance(error, requests.Timeout):
        return f"{url} did not answer for {_SECONDS} s"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        what = "the same command goes on there" if kept else "what had come was removed"
        return f"{url} broke off before the end; {what}"
    if isinstance(error, requests.ConnectionError):
        return f"{url} cannot be reached (no network, or no such server)"
    return f"{url}: {' '.join(str(error).split())[:200]}"


def _pins_file() -> Path:
    return downloads() / "pins.json"


def _pins() -> dict[str, str]:
    """File name -> SHA-256 of its first download.

    Raises:
        InputError: the file is damaged.
    """
    if not _pins_file().is_file():
        return {}
    pins = read_json(_pins_file())
    if not isinstance(pins, dict) or not all(isinstance(pin, str) and len(pin) == 64 for pin in pins.values()):
        raise InputError(
            _pins_file(), expected="names and their SHA-256", found="something else",
            hint="delete it: it will be written anew",
        )  # fmt: skip
    return pins
