"""A session as one zip file: everything to go on with, and what made it. It opens again, here or elsewhere."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any, Final

from maskgan_cli import __version__
from maskgan_cli.editor.session import FORMAT, MAX_OTHERS, Session, new_id
from maskgan_cli.editor.studio import Studio
from maskgan_cli.errors import InputError
from maskgan_cli.files import write_bytes

HISTORY: Final = "history.gz"  # the steps of undo; the page writes and reads them
PERSON: Final = "person.safetensors"  # weights that were learned of the person
_KEPT: Final = re.compile(
    r"session\.json|photo|history\.gz|fade\.png|person\.safetensors|(face|other-\d{1,2})(\.mask)?\.png|mask\.png"
)
_LIMIT: Final = 120 << 20  # of everything unpacked
_WHAT: Final = "the session file"


def pack(session: Session, studio: Studio, learned: Path | None = None) -> bytes:
    """The session's files and its result, with the SHA-256 of each and of the weights.

    ``learned`` are the weights that ``studio`` paints with, if they were learned from this person: they come along.
    """
    files = {path.name: path.read_bytes() for path in sorted(session.folder.iterdir()) if _KEPT.fullmatch(path.name)}
    if learned is not None:
        files[PERSON] = learned.read_bytes()
    files["result.png"] = session.result(studio)
    hashes = {name: _hash(data) for name, data in files.items() if name != "session.json"}
    files["session.json"] = json.dumps({
        **json.loads(files["session.json"]), "version": __version__, "made_with": session.note(studio),
        "command": command(session, learned is not None), "sha256": hashes,
    }, indent=2).encode()  # fmt: skip
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:  # pictures are packed already
        for name, data in sorted(files.items()):
            file.writestr(zipfile.ZipInfo(name), data)  # without the time: the same session, the same bytes
    return buffer.getvalue()


def is_archive(data: bytes) -> bool:
    """Whether these are the bytes of a zip file."""
    return data.startswith(b"PK\x03\x04")


def unpack(data: bytes, root: Path) -> Session:
    """A new session with what a zip file of `pack` holds.

    Raises:
        InputError: damaged, changed, too large, or something else.
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
        raise InputError(_WHAT, expected="a session that was saved here", found="parts that do not fit") from None
    session.revision = 0
    return session


def command(session: Session, learned: bool = False) -> str:
    """One line that makes the result again from the session file's own files; strength and feather are the editor's."""
    look = session.look_name
    bare = " --no-blend" if session.bare else " --blend"
    bare += f" --weights {PERSON}" if learned else ""
    if session.mouth and not session.bare:
        bare += f" --reference {session.mouth_name}.png --reference-mask {session.mouth_name}.mask.png"
    return f"maskgan render mask.png {look}.png --style-mask {look}.mask.png{bare} -o result.png"


def _read(data: bytes) -> dict[str, bytes]:
    """The files to keep, checked against their hashes."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            entries = [entry for entry in file.infolist() if _KEPT.fullmatch(entry.filename)]
            if len(entries) > 9 + 2 * MAX_OTHERS or sum(entry.file_size for entry in entries) > _LIMIT:
                raise InputError(_WHAT, expected="a session", found="far more than one holds")
            files = {entry.filename: file.read(entry) for entry in entries}
        state: dict[str, Any] = json.loads(files["session.json"])
        for name, content in files.items():
            if name != "session.json" and state["sha256"][name] != _hash(content):
                raise InputError(_WHAT, expected="the files that were saved", found=f"another {name}")
        if state["format"] != FORMAT:
            raise InputError(_WHAT, expected=f"format {FORMAT}", found="another one", hint="use the version it is of")
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(_WHAT, expected="a session that was saved here", found="something else") from error
    return files


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
