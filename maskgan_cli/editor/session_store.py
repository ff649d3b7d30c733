"""Storage of all sessions: all are on disk, recent ones also in memory, and the oldest are deleted."""

from __future__ import annotations

import shutil
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any, Final

from maskgan_cli.editor.session import Session, is_id
from maskgan_cli.errors import InputError
from maskgan_cli.files import read_json

_IN_MEMORY: Final = 8
_ON_DISK: Final = 100


class SessionStore:
    """Stores all sessions, and finds them by id. All sessions are on disk, and recent sessions also in memory.

    Args:
        root: the folder that contains the folders of all sessions.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._open: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.RLock()
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._delete_oldest()

    def put(self, session: Session) -> Session:
        """Keep a session in memory and return it.

        If too many sessions are in memory, the least recently used ones are kept on disk only.
        """
        with self._lock:
            self._open[session.id] = session
            self._open.move_to_end(session.id)
            while len(self._open) > _IN_MEMORY:
                self._open.popitem(last=False)  # its folder has all of its data
        return session

    def add(self, session: Session) -> Session:
        """Keep a new session in memory and return it; if there are too many sessions on disk, delete the oldest."""
        self._delete_oldest()
        return self.put(session)

    def get(self, name: str) -> Session:
        """Return the session with the id ``name`` from memory, or read it from its folder.

        Raises:
            InputError: there is no such session.
        """
        with self._lock:  # so that a folder is read only once
            return self.put(self._open.get(name) or Session.resume(self.root, name))

    def remove(self, name: str) -> None:
        """Delete the session with the id ``name`` and its files.

        Raises:
            InputError: there is no such session.
        """
        with self._lock:
            folder = self.get(name).folder
            del self._open[name]
            shutil.rmtree(folder, ignore_errors=True)

    def entries(self) -> list[dict[str, Any]]:
        """Return one dict for each session that is not damaged, the newest session first.

        The keys are ``id``, ``name`` (of the opened picture), ``saved`` (Unix time of the last saving), ``edited``
        (whether the face has been edited) and ``source`` (SHA-256 of the opened file).
        """
        found = []
        for folder in self._folders():
            try:
                state = read_json(folder / "session.json")
                entry = {key: state.get(key) for key in ("name", "saved", "edited", "source")}
                found.append({"id": folder.name, **entry, "name": str(entry["name"]), "saved": float(entry["saved"])})
            except (InputError, AttributeError, TypeError, ValueError):
                continue
        return found

    def earlier(self, session: Session) -> str:
        """Return the id of the newest other session that has an edit of the same file.

        Returns an empty string if there is none, or if ``session`` itself is edited already.
        """
        if not session.source or session.edited:
            return ""
        same = (e["id"] for e in self.entries() if e["source"] == session.source and e["edited"])
        return next((name for name in same if name != session.id), "")

    def _folders(self) -> list[Path]:
        found = []
        for folder in self.root.iterdir():
            state = folder / "session.json"
            if is_id(folder.name) and state.is_file():
                found.append((state.stat().st_mtime, folder))
        return [folder for _, folder in sorted(found, key=lambda entry: -entry[0])]

    def _delete_oldest(self) -> None:
        """Delete the oldest sessions above the maximum number on disk."""
        for folder in self._folders()[_ON_DISK:]:
            shutil.rmtree(folder, ignore_errors=True)
