"""A plan's stages run in this process: seconds instead of the minutes that starting PyTorch for each stage takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskgan_cli.cli.app import app
from maskgan_cli.cli.shell import run
from maskgan_cli.reproduce.stages import Stage


@pytest.fixture
def executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the stages that were executed, in order. The working folder is ``tmp_path``."""
    names: list[str] = []

    def execute(stage: Stage, folder: Path, *, quiet: bool) -> int:
        names.append(stage.name)
        monkeypatch.chdir(folder)
        try:
            return run(app, [*stage.words, *stage.how, "--quiet"])
        finally:
            monkeypatch.chdir(tmp_path)

    monkeypatch.setattr("maskgan_cli.reproduce.runner.as_subprocess", execute)
    monkeypatch.chdir(tmp_path)
    return names
