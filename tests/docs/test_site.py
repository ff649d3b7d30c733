"""The site builds without a warning, and its reference names everything that there is."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from maskgan_cli.networks import resolve, trainings
from tests.docs.commands import ROOT


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    """The module that MkDocs takes the reference from."""
    found = importlib.util.spec_from_file_location("site_reference", ROOT / "docs" / "reference.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_site_builds_strictly(tmp_path: Path) -> None:
    pytest.importorskip("material", reason="mkdocs-material is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    for page in (
        "index.html",
        "reference/commands/index.html",
        "reference/settings/index.html",
        "changelog/index.html",
    ):
        assert (tmp_path / "site" / page).is_file()
    assert not list((tmp_path / "site").rglob("*.py"))


def test_every_command_and_option_is_in_the_reference(reference: ModuleType) -> None:
    text = reference.commands()
    for typed, command in reference.walk(reference.application()):
        assert f"\n## {typed}\n" in text
        part = text.split(f"\n## {typed}\n")[1].split("\n## ")[0]
        for parameter in command.params:
            if getattr(parameter, "hidden", False):
                assert f"`{parameter.opts[0]}`" not in part, typed
            elif parameter.name not in ("json", "quiet", "debug") and parameter.param_type_name == "option":
                assert all(f"`{name}`" in part for name in (*parameter.opts, *parameter.secondary_opts)), typed


def test_every_setting_is_in_the_reference(reference: ModuleType) -> None:
    text = reference.settings()
    for training in trainings():
        part = text.split(f"\n## train {training.name}\n")[1].split("\n## ")[0]
        names = [name for name, _, _ in reference.leaves(resolve(f"{training.module}:{training.recipe}"))]
        assert {"seed", "schedule.steps", "data.batch_size", "optimiser.lr"} <= set(names)
        assert all(f"| `{name}` |" in part for name in names)
        assert "paper" in part.split("\n| setting ")[1].split("\n")[0]  # a column for every recipe
    assert "`network.image_size` | whole number | `512` |" in text
