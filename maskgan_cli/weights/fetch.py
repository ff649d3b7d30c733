"""Downloads that are whole and right, or not there at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from maskgan_cli.errors import InputError, MaskGANError, WorkError
from maskgan_cli.files import read_json, sha256, write_json
from maskgan_cli.weights.cache import cache_folder
from maskgan_cli.weights.published import Published

if TYPE_CHECKING:
    import requests

_ATTEMPTS = 4  # how often a download that breaks off is taken up again
_SECONDS = 30  # without a byte, and a connection is given up
_BLOCK = 1 << 18

Report = Callable[[int, int], None]  # (bytes there, bytes in all; 0 if the server does not say)


def fetch(entry: Published, report: Report = lambda done, total: None) -> Path:
    """The file of a registry entry in the cache, downloaded if it is not there.

    It is checked against the SHA-256 (or its first digits) that is known; where none is, the first
    download's is remembered in ``pins.json`` and later downloads must be the same. A connection
    that breaks off is taken up where it ended; what cannot be completed is removed.

    Raises:
        InputError: the entry has no direct download; the message says how to get it.
        WorkError: no mirror gave the right file; the message says why each one did not.
    """
    if not entry.urls:
        raise InputError(
            entry.kind, expected="a direct download", found="a page for people",
            hint=f"fetch it by hand from {entry.page}, then run `maskgan weights import {entry.kind} FILE`",
        )  # fmt: skip
    folder = cache_folder() / "downloads"
    path = folder / entry.urls[0].rsplit("/", 1)[-1]
    pins = _pins()
    known = entry.sha256 if len(entry.sha256) == 64 else pins.get(path.name, entry.sha256)
    whose = "the published" if entry.sha256.startswith(known) else "the first download's"
    if path.is_file() and sha256(path).startswith(known):
        return path
    failures = []
    for url in entry.urls:
        try:
            _fetch_one(url, path, known, report, whose=whose)
        except WorkError as failure:
            failures.append(str(failure))
            continue
        if path.name not in pins:
            write_json(_pins_file(), {**pins, path.name: sha256(path)})
        return path
    raise WorkError(
        f"{entry.kind}: {'; '.join(failures)}; try again later, or download it elsewhere and run "
        f"`maskgan weights import {entry.kind} FILE`"
    )


def _fetch_one(url: str, path: Path, known: str, report: Report, *, whose: str) -> None:
    """One mirror; pooch keeps the name free until its temporary file is complete and checked.

    Raises:
        WorkError: why this mirror did not give the right file.
    """
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")  # what it has to say is said by the command
    path.unlink(missing_ok=True)  # a file that is not the right one

    def download(url: str, temporary: str, _: object) -> None:
        _resuming(url, Path(temporary), report)
        if not (found := sha256(temporary)).startswith(known):
            raise WorkError(f"{url} gave a file whose SHA-256 {found} is not {whose} {known}; it was removed")

    try:
        pooch.retrieve(url, known if len(known) == 64 else None, path.name, path.parent, downloader=download)
    except MaskGANError:
        raise
    except requests.HTTPError as error:
        raise WorkError(f"{url} answered {' '.join(str(error).split())[:80]}") from error
    except requests.RequestException as error:
        raise WorkError(_why(url, error)) from error


def _resuming(url: str, file: Path, report: Report) -> None:
    """Download to ``file``, going on after its last byte each time the connection breaks off."""
    import requests

    file.write_bytes(b"")
    for attempt in range(_ATTEMPTS):
        done = file.stat().st_size
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={done}-"} if done else {})}
        try:
            with requests.get(url, headers=headers, stream=True, timeout=_SECONDS) as answer:
                answer.raise_for_status()
                _append(answer, file, report)
            return
        except requests.HTTPError:
            raise
        except requests.RequestException:
            if attempt == _ATTEMPTS - 1 or file.stat().st_size <= done:  # no use: not one byte came
                raise


def _append(answer: requests.Response, file: Path, report: Report) -> None:
    """Write an answer's bytes to the end of ``file``, or from its start if the server began anew."""
    goes_on = answer.status_code == 206  # partial content, as asked for
    done = file.stat().st_size if goes_on else 0
    length = int(answer.headers.get("Content-Length", 0))
    total = done + length if length else 0
    with file.open("ab" if goes_on else "wb") as target:
        for block in answer.iter_content(_BLOCK):
            target.write(block)
            done += len(block)
            report(done, total)


def _why(url: str, error: Exception) -> str:
    import requests

    if isinstance(error, requests.Timeout):
        return f"{url} did not answer for {_SECONDS} s"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return f"{url} broke off before the end; what had come was removed"
    if isinstance(error, requests.ConnectionError):
        return f"{url} cannot be reached (no network, or no such server)"
    return f"{url}: {' '.join(str(error).split())[:200]}"


def _pins_file() -> Path:
    return cache_folder() / "downloads" / "pins.json"


def _pins() -> dict[str, str]:
    return read_json(_pins_file()) if _pins_file().is_file() else {}
