"""Rules of all commands: data on stdout, one line per error, exit codes; and the layers of the package."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import maskgan_cli
from maskgan_cli.cli.app import app
from maskgan_cli.cli.shell import run
from tests.conftest import Command

PACKAGE = Path(maskgan_cli.__file__).parent


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=60)


# Prints the help of every command in one process and lists the heavy packages that were imported.
HELP = """
import contextlib, io, json, sys
import typer
from maskgan_cli.cli.app import app
from maskgan_cli.cli.shell import run

def paths(command, path=()):
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from paths(inner, (*path, name))

answers = {}
for path in paths(typer.main.get_command(app)):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        code = run(app, [*path, "--help"])
    heavy = {"torch", "numpy", "PIL", "scipy", "accelerate"} & set(sys.modules)
    answers[" ".join(path)] = [code, "Usage:" in out.getvalue(), sorted(heavy)]
print(json.dumps(answers))
"""


def test_help_does_not_import_torch() -> None:
    done = _python("-c", HELP)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert {"", "swap-mouth", "train dmn", "eval fid", "weights import"} <= answers.keys()
    assert {path: answer for path, answer in answers.items() if answer != [0, True, []]} == {}


# Runs commands with missing files in a process that cannot import PyTorch.
MISSING = """
import contextlib, io, json, sys
sys.modules["torch"] = None
from maskgan_cli.cli.app import app
from maskgan_cli.cli.shell import run

answers = {}
for line in sys.stdin.read().splitlines():
    with contextlib.redirect_stderr(io.StringIO()) as err:
        code = run(app, line.split())
    answers[line] = [code, err.getvalue()]
print(json.dumps(answers))
"""


def test_paths_are_checked_before_torch_is_imported() -> None:
    lines = (
        "swap-mouth no.png no.png",
        "swap no.png no.png --parts hair",
        "style-copy no.png no.png",
        "render no.png no.png",
        "transfer no.png no.png",
        "reshape no.png --open-mouth 3",
        "reshape no.png --along smile",
        "swap-mouth --pairs no.csv",
        "interpolate no.png no.png",
        "parse no.png",
        "align no.png -o no",
        "paste no.png no.png -o out.png",
        "inspect no.png",
        "prep-data nowhere out",
        "check-data nowhere",
        "train dmn nowhere",
        "simulate-edits nowhere",
        "find-directions nowhere -o ways.safetensors",
        "eval pairs nowhere",
        "eval attributes nowhere --pairs no.csv",
        "eval segmentation nowhere --pairs no.csv",
        "eval identity nowhere --pairs no.csv",
        "eval counterfactual nowhere --pairs no.csv",
        "eval fid nowhere nowhere",
        "eval report no.json",
        "eval survey nowhere --pairs no.csv --method a=nowhere --method b=nowhere",
        "eval verify nowhere --weights no.onnx",
        "eval judge parser nowhere",
        "weights import dmn no.pth",
        "compare --pairs no.csv --method a=no -o out",
    )
    done = subprocess.run(
        [sys.executable, "-c", MISSING],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    wrong = {line: answer for line, answer in answers.items() if answer[0] != 2 or answer[1].count("\n") != 1}
    assert not wrong, "\n".join(f"{line}: {answer}" for line, answer in wrong.items())


def test_version(maskgan: Command) -> None:
    assert maskgan("--version").lines == [maskgan_cli.__version__]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["swap-mouth", "--frobnicate"], "No such option: --frobnicate"),
        (["frobnicate"], "No such command 'frobnicate'"),
        (["prep-data"], "Missing argument 'source'"),
        (["prep-data", "a", "b", "--size", "big"], "--size"),
        (["check-data", "nowhere"], "nowhere: expected a prepared data set"),
        (["swap-mouth"], "missing FACE and REFERENCE"),
        (["swap-mouth", "a.png", "b.png", "--weights", "none"], "a.png: expected a picture, found no such file"),
        (["swap", "a.png", "b.png", "--parts", "wig"], "unknown part 'wig'"),
        (["interpolate", "a.png", "b.png"], "a.png: expected a picture, found no such file"),
        (["parse", "a.png"], "a.png: expected a picture, found no such file"),
        (["parse", "a.png", "--parser-size", "100"], "--parser-size: expected a multiple of 16, found 100"),
        (["parse", "a.png", "--look", "100"], "--parser-size: expected a multiple of 16, found 100"),
        (["train", "parser", "nowhere"], "nowhere: expected a prepared data set"),
        (["train", "attributes", "nowhere"], "nowhere: expected a prepared data set"),
        (["train", "vae", "nowhere"], "nowhere: expected a prepared data set"),
        (["train", "ebst", "nowhere"], "nowhere: expected a prepared data set"),
        (["train", "dmn", "nowhere", "--device", "tpu"], "nowhere: expected a prepared data set"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(
    arguments: list[str], line: str, maskgan: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MASKGAN_WEIGHTS", raising=False)
    monkeypatch.delenv("MASKGAN_VAE_WEIGHTS", raising=False)
    outcome = maskgan(*arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert len(outcome.err.splitlines()) == 1
    assert line in outcome.err


def test_debug_shows_the_traceback(maskgan: Command) -> None:
    assert "Traceback" not in maskgan("check-data", "nowhere").err
    assert "Traceback" in maskgan("check-data", "nowhere", "--debug").err


def test_quiet_is_silent_and_json_is_one_document(prepared: Path, tmp_path: Path, maskgan: Command) -> None:
    outcome = maskgan("check-data", prepared, "--quiet", "--json", "--sheet", tmp_path / "s.png")
    assert outcome.err == ""
    document = json.loads(outcome.out)
    assert document["images"] == 20
    assert str(tmp_path / "s.png") in document["written"]


def test_a_closed_pipe_ends_quietly() -> None:
    script = f"{sys.executable} -m maskgan_cli --version | true; echo ${{PIPESTATUS[0]}}"
    slow = (
        f"{sys.executable} -c \"import time, sys; sys.argv[1:] = ['--version']; time.sleep(0.5); "
        'import maskgan_cli.__main__ as m; m.main()" | true; echo ${PIPESTATUS[0]}'
    )
    for line in (script, slow):
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, timeout=60)
        assert (done.stdout.strip(), done.stderr) == ("0", "")


def test_unexpected_errors_are_one_line_too(maskgan: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("maskgan_cli.data.prepared.PreparedData.load", fail)
    outcome = maskgan("check-data", "x")
    assert outcome.code == 1
    assert outcome.err == "maskgan: unexpected ZeroDivisionError: a bug; run again with --debug and report it\n"


def test_completion_is_offered() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "maskgan_cli", "--show-completion", "bash"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},  # independent of the user's shell
    )
    assert done.returncode == 0
    assert "complete" in done.stdout


def test_run_returns_codes_instead_of_exiting() -> None:
    assert run(app, ["--version"]) == 0


LAYERS = {
    "labels": 0,
    "errors": 0,
    "files": 0,
    "locks": 0,
    "config": 0,
    "pages": 0,
    "kinds": 0,
    "networks": 0,
    "workers": 0,
    "models": 1,
    "data": 1,
    "synth": 1,
    "metrics": 1,
    "devices": 1,
    "weights": 2,
    "judges": 3,
    "training": 4,
    "editing": 4,
    "evaluation": 4,
    "demo": 5,
    "reproduce": 5,
    "bench": 5,
    "personalise": 5,
    "editor": 6,
    "cli": 7,
    "api": 7,
    "__main__": 8,
    "__init__": 9,
}


def test_modules_import_only_from_lower_layers() -> None:
    """labels, files, config <- models, data, synth <- training, editing, evaluation <- cli, editor."""
    for path in PACKAGE.rglob("*.py"):
        mine = path.relative_to(PACKAGE).with_suffix("").parts[0]
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("maskgan_cli."):
                theirs = node.module.split(".")[1]
                allowed = LAYERS[theirs] < LAYERS[mine] or theirs == mine or LAYERS[theirs] == LAYERS[mine] == 0
                assert allowed, f"{path.relative_to(PACKAGE)} imports {node.module}"
                if mine == "models":
                    assert theirs in ("labels", "models"), f"{path.name}: networks import only torch and labels"


# Folders of `editing/`, lowest first, and the modules beside them that every folder may import.
EDITING = ("masks", "compositing", "faces")
BELOW_EDITING = ("options", "methods")


def test_folders_of_editing_import_only_from_lower_ones() -> None:
    for level, folder in enumerate(EDITING):
        for path in (PACKAGE / "editing" / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("maskgan_cli.editing"):
                    theirs = f"{node.module}.".split(".")[2]
                    assert theirs in (*EDITING[: level + 1], *BELOW_EDITING), f"{path.name} imports {node.module}"


@pytest.mark.parametrize("folder", sorted(p.parent for p in PACKAGE.rglob("__init__.py")), ids=lambda p: p.name)
def test_package_docstrings_list_all_modules(folder: Path) -> None:
    """The docstring of a package lists exactly its modules."""
    files = {path.name for path in folder.glob("*.py")} - {"__init__.py"}
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    if folder != PACKAGE:  # docs/architecture.md describes the folders of the package itself
        assert set(re.findall(r"\b\w+\.py\b", docstring)) == files
