"""Tests of the wheel and the sdist: build, install, run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import maskgan_cli

ROOT = Path(__file__).parents[1]
NEEDED = {  # all files of the package's folder
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "maskgan_cli").rglob("*")
    if path.is_file() and "__pycache__" not in path.parts
}
SOME = {
    "py.typed",
    "assets/dmn.safetensors",
    "assets/WEIGHTS.md",
    "templates/demo.html",
    "editor/page/main.js",
    "recipes/dmn/paper-512.yaml",
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist; the wheel is built from the sdist."""
    pytest.importorskip("build", reason="the package `build` is not installed")
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    out = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def installed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``maskgan`` command of an environment with the wheel and the other packages of this environment."""
    root = tmp_path_factory.mktemp("clean") / "venv"
    venv.create(root, with_pip=False)
    python = root / "bin" / "python"
    site = sysconfig.get_path("purelib", vars={"base": str(root), "platbase": str(root)})
    (wheel,) = dist.glob("*.whl")
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*install, str(wheel)], check=True, timeout=300)
    # The dependencies are this environment's packages, after the wheel's, without editable installs
    # (an editable install of this checkout is a .pth file, which is read from site-packages alone).
    (Path(site) / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return root / "bin" / "maskgan"


def _run(command: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    home = folder / "home"
    home.mkdir(exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [str(command), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=environment,
    )


def test_wheel_has_exactly_the_package_files(dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert names >= NEEDED | {f"maskgan_cli/{name}" for name in SOME}
    assert {name.split("/")[0] for name in names} == {"maskgan_cli", f"maskgan-{maskgan_cli.__version__}.dist-info"}
    recipes = {f"maskgan_cli/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "recipes").rglob("*.yaml")}
    assert recipes <= names


def test_sdist_has_tests_and_documentation(dist: Path) -> None:
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as file:
        names = {name.split("/", 1)[1] for name in file.getnames() if "/" in name}
    assert names >= {"README.md", "LICENSE", "CHANGELOG.md", "docs/training.md", "tests/test_package.py"}
    assert names >= {"Makefile", "constraints.txt", "requirements.lock"}, "`make test` needs these files"
    linked = re.findall(r"\]\(([^)#:\s]+)[)#]", (ROOT / "README.md").read_text())
    assert len(linked) > 15
    assert names >= set(linked), "the README links to these files"
    assert not [name for name in names if name.startswith(("runs/", "data/", ".git/", "site/"))]


def test_installed_command_runs_from_any_folder(installed: Path, tmp_path: Path) -> None:
    where = _run(installed.parent / "python", tmp_path, "-c", "import maskgan_cli; print(maskgan_cli.__file__)")
    assert str(installed.parents[1]) in where.stdout, "the test must use the wheel, not the checkout"
    assert _run(installed, tmp_path, "--version").stdout == f"{maskgan_cli.__version__}\n"
    assert "--recipe" in _run(installed, tmp_path, "train", "dmn", "--help").stdout
    listed = _run(installed, tmp_path, "weights", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    unknown = _run(installed, tmp_path, "train", "dmn", ".", "--recipe", "none")
    assert unknown.returncode == 2


def test_installed_command_edits_a_face(installed: Path, tmp_path: Path) -> None:
    for line in (
        "synth raw -n 10 --size 64 --workers 1",
        "prep-data raw data --size 64 --workers 1",
        "swap-mouth data/images/1.png data/images/2.png -o result.png --device cpu",
        "inspect result.png --json",
    ):
        done = _run(installed, tmp_path, *line.split())
        assert done.returncode == 0, done.stderr
    assert '"edit": "swap"' in done.stdout


def test_lock_has_all_dependencies_and_agrees_with_the_constraints() -> None:
    def pinned(name: str) -> set[str]:
        lines = (ROOT / name).read_text().splitlines()
        return {
            " ".join(line.split()[:5]).rstrip(" \\")
            for line in lines
            if "==" in line and not line.startswith((" ", "#"))
        }

    def names(pins: set[str]) -> set[str]:
        return {pin.split("==")[0] for pin in pins}

    locked, constrained = pinned("requirements.lock"), pinned("constraints.txt")
    assert locked <= constrained
    assert names(constrained) - names(locked) == {"torch", "torchvision"}, "their builds depend on the machine"
    text = (ROOT / "pyproject.toml").read_text()
    needed = {
        found.lower() for found in re.findall(r'^  "([A-Za-z-]+)[>="]', text.split("[project.urls]")[0], re.MULTILINE)
    }
    assert {"accelerate", "typer", "ruff"} <= needed
    assert needed <= names(constrained)
    assert (ROOT / "requirements.lock").read_text().count("--hash=sha256:") > len(locked)
