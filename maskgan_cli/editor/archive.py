"""Saves an editing session as one zip file, from which the editor can resume it, and opens such files."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any, Final

from maskgan_cli import __version__
from maskgan_cli.editor.models import Models
from maskgan_cli.editor.session import FORMAT, MAX_OTHERS, Session, new_id
from maskgan_cli.errors import InputError
from maskgan_cli.files import write_bytes

HISTORY: Final = "history.gz"  # the undo history, written and read by the page
PERSON: Final = "person.safetensors"  # personalised weights
_KEPT: Final = re.compile(
    r"session\.json|photo|history\.gz|fade\.png|person\.safetensors|(face|other-\d{1,2})(\.mask)?\.png|mask\.png"
)
_LIMIT: Final = 120 << 20  # maximum bytes of all files
_WHAT: Final = "the session file"


def pack(session: Session, models: Models, learned: Path | None = None) -> bytes:
    """Pack the session's files, its result and the SHA-256 of each file into a zip file, and return its bytes.

    Args:
        session: the session.
        models: the networks.
        learned: the file of personalised weights that ``models`` uses, which is packed too; None if ``models`` does not
            use personalised weights.
    """
    files = {path.name: path.read_bytes() for path in sorted(session.folder.iterdir()) if _KEPT.fullmatch(path.name)}
    if learned is not None:
        files[PERSON] = learned.read_bytes()
    files["result.png"] = session.result(models)
    hashes = {name: _hash(data) for name, data in files.items() if name != "session.json"}
    files["session.json"] = json.dumps(
        {
            **json.loads(files["session.json"]),
            "version": __version__,
            "made_with": session.note(models),
            "command": command(session, learned is not None),
            "sha256": hashes,
        },
        indent=2,
    ).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:  # pictures are compressed already
        for name, data in sorted(files.items()):
            file.writestr(zipfile.ZipInfo(name), data)  # without a time, so that equal sessions give equal bytes
    return buffer.getvalue()


def is_archive(data: bytes) -> bool:
    """Return whether ``data`` are the bytes of a zip file."""
    return data.startswith(b"PK\x03\x04")


def unpack(data: bytes, root: Path) -> Session:
    """Make a new session from a zip file that `pack` made.

    Args:
        data: the bytes of the zip file.
        root: the folder of all sessions, in which the session gets its own folder.

    Raises:
        InputError: the file is damaged, changed, too large, or not a session.
    """
    files = _read(data)
    name = new_id()
    folder = root / name
    folder.mkdir(mode=0o700, parents=True)
    try:
        for file, content in files.items():
            write_bytes(folder / file, content)
        session = Session.resume(root, name)
    except InputError:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        raise InputError(_WHAT, expected="a saved session", found="files that are not valid") from None
    session.revision = 0
    return session


def command(session: Session, learned: bool = False) -> str:
    """Return the `maskgan render` command line that reproduces the session's result from the files in the zip.

    The command has no options for the strength of the edit and for its feather (soft border), so its result differs if
    the session uses these.

    Args:
        session: the session.
        learned: whether the result is made with personalised weights.
    """
    style, options = session.style_name, session.options
    words = ["--no-blend" if options.bare else "--blend"]
    words += ["--weights", PERSON] if learned else []
    for role, name in session.references.items():
        option = f"--{role.replace('_', '-')}"
        words += [option, f"{name}.png", f"{option}-mask", f"{name}.mask.png"]
    for name in options.items:
        words += ["--add", name]
    words += ["--remove-glasses"] if options.remove_glasses and not options.bare else []
    return f"maskgan render mask.png {style}.png --style-mask {style}.mask.png {' '.join(words)} -o result.png"


def _read(data: bytes) -> dict[str, bytes]:
    """Read the files of a session from the bytes of a zip file, and return their contents by name.

    Raises:
        InputError: the file is damaged or too large, is not a session, or a hash does not match.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            entries = [entry for entry in file.infolist() if _KEPT.fullmatch(entry.filename)]
            if len(entries) > 9 + 2 * MAX_OTHERS or sum(entry.file_size for entry in entries) > _LIMIT:
                raise InputError(_WHAT, expected="a session", found="too many or too large files")
            files = {entry.filename: file.read(entry) for entry in entries}
        state: dict[str, Any] = json.loads(files["session.json"])
        for name, content in files.items():
            if name != "session.json" and state["sha256"][name] != _hash(content):
                raise InputError(_WHAT, expected="unchanged files", found=f"a changed {name}")
        if state["format"] != FORMAT:
            raise InputError(_WHAT, expected=f"format {FORMAT}", found="another", hint="use the maskgan that saved it")
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(_WHAT, expected="a saved session", found="another file") from error
    return files


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
