"""Fine-tunes the generator on a session's face in the background, as ``maskgan personalise`` does.

The child process ``python -m maskgan_cli.editor.learning_process`` trains, and prints its progress as lines of JSON.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from maskgan_cli.editor.models import Files
from maskgan_cli.editor.session import Session
from maskgan_cli.errors import InputError
from maskgan_cli.files import sha256

STEPS: Final = 100


@dataclass
class Learning:
    """Runs personalisations (fine-tuning of the generator on one face) in a child process, one at a time.

    Attributes:
        folder: folder of the personalised weights; each file is named by the SHA-256 of the face's picture.
        files: the weights files that training starts from.
        steps: number of training steps.
    """

    folder: Path
    files: Files
    steps: int = STEPS
    _process: subprocess.Popen[str] | None = field(default=None, repr=False)
    _session: str = ""
    _progress: dict[str, Any] = field(default_factory=dict)
    _since: float = 0.0

    def file_of(self, session: Session) -> Path | None:
        """Return the path of the personalised weights for a session's face; None if they do not exist."""
        own = session.folder / "person.safetensors"  # from an opened session file
        return next((path for path in (own, self._path(session)) if path.is_file()), None)

    def start(self, session: Session) -> None:
        """Start the personalisation of a session.

        Raises:
            InputError: another personalisation is running.
        """
        if self.running:
            raise InputError(
                "learning",
                expected="one person at a time",
                found="another one in progress",
                hint="wait for it, or cancel it",
            )
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        module, *paths = "maskgan_cli.editor.learning_process", session.folder, self._path(session), self.files.dmn
        words = [sys.executable, "-m", module, *map(str, [*paths, self.files.parser, self.steps])]
        self._session, self._progress, self._since = session.id, {"done": 0, "total": self.steps}, time.monotonic()
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
        threading.Thread(target=self._follow, args=(self._process,), daemon=True).start()

    @property
    def running(self) -> bool:
        """Whether a personalisation is running."""
        return self._process is not None and self._process.poll() is None

    def state(self, session: Session) -> dict[str, Any]:
        """Return the progress of a session's personalisation as a dict for the page.

        The entry ``state`` is "none", "running", "done" or "failed". While the training is running, there are also
        ``done`` (finished training steps), ``total`` (all training steps), and ``seconds_left`` (estimate of the
        remaining time; None before the first step).
        """
        if self._session == session.id and self.running:
            done, total = self._progress["done"], self._progress["total"]
            passed = time.monotonic() - self._progress.get("began", time.monotonic())
            left = round(passed / done * (total - done)) if done else None
            return {"state": "running", "done": done, "total": total, "seconds_left": left}
        if self.file_of(session):
            return {"state": "done"}
        failed = self._session == session.id and self._process is not None and not self._progress.get("cancelled")
        return {"state": "failed" if failed else "none"}

    def cancel(self) -> None:
        """Stop the running personalisation; its weights are discarded."""
        if self._process is not None and self.running:
            self._progress["cancelled"] = True
            self._process.terminate()
            self._process.wait()

    def _path(self, session: Session) -> Path:
        return self.folder / f"{sha256(session.folder / 'face.png')}.safetensors"

    def _follow(self, process: subprocess.Popen[str]) -> None:
        """Read the progress that the child process prints (lines of JSON) and store it, until the process ends."""
        assert process.stdout is not None
        with process:  # closes the pipes
            for line in process.stdout:
                with contextlib.suppress(ValueError):
                    self._progress |= json.loads(line)
                    if self._progress["done"] == 0:
                        self._progress["began"] = time.monotonic()
