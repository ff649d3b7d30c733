"""Tests of the project files: make targets, workflows, issue forms, the Dockerfile, links of the README."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PYPROJECT = (ROOT / "pyproject.toml").read_text()
VERSIONS = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', PYPROJECT)

pytestmark = pytest.mark.skipif(not WORKFLOWS, reason="a source distribution has no workflows")


def _yaml(*parts: str) -> Any:
    return yaml.safe_load(ROOT.joinpath(*parts).read_text())


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def _steps(workflow: Path) -> list[str]:
    jobs = yaml.safe_load(workflow.read_text())["jobs"].values()
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]


def test_mentioned_make_targets_exist() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "RELEASING.md", *(ROOT / ".github").rglob("*.md")]
    pages += [*(ROOT / "docs").rglob("*.md"), ROOT / ".ci" / "run", *WORKFLOWS]
    named = {
        target
        for page in pages
        for target in re.findall(r"(?:`|run: |^ *)make ([a-z-]+)", page.read_text(), re.MULTILINE)
    }
    assert {"test", "demo", "test-slow", "test-hard", "coverage"} <= named
    assert named <= _targets()
    assert set(re.findall(r"\.PHONY: (.*)", (ROOT / "Makefile").read_text())[0].split()) == _targets()


def test_workflows_run_the_tests_on_all_supported_pythons() -> None:
    tests = _yaml(".github", "workflows", "ci.yml")["jobs"]["tests"]
    assert tests["strategy"]["matrix"]["python"] == VERSIONS
    assert f'requires-python = ">={VERSIONS[0]}"' in PYPROJECT
    for workflow in WORKFLOWS:
        for step in _steps(workflow):
            words = shlex.split(step)
            assert words[0].startswith(".venv/") or words[0] == "make" or (ROOT / words[0]).stat().st_mode & 0o100, step
    assert any("make test-slow" in _steps(workflow) for workflow in WORKFLOWS)
    slow = _yaml(".github", "workflows", "slow.yml")[True]  # YAML parses "on" as true
    assert len(slow["schedule"]) == 1


def test_dependency_updates_cover_existing_folders() -> None:
    kinds = {entry["package-ecosystem"]: entry["directory"] for entry in _yaml(".github", "dependabot.yml")["updates"]}
    assert kinds == {"pip": "/", "github-actions": "/"}
    assert (ROOT / "constraints.txt").is_file()


def test_issue_forms_are_valid() -> None:
    forms = [path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml"]
    assert len(forms) == 2
    for path in forms:
        form = yaml.safe_load(path.read_text())
        assert form.keys() >= {"name", "description", "body"}
        ids = [part["id"] for part in form["body"]]
        assert len(set(ids)) == len(ids)
        assert all(part["attributes"]["label"] for part in form["body"])


def test_hooks_call_installed_tools() -> None:
    hooks = [hook for repo in _yaml(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    tools = {hook["entry"].split()[0] for hook in hooks}
    assert tools == {"ruff", "mypy", "python"}
    assert all(f'"{tool}>=' in PYPROJECT for tool in tools - {"python"})
    files = [word for hook in hooks for word in hook["entry"].split() if "/" in word]
    assert files
    assert all((ROOT / name).is_file() for name in files)


def test_dockerfile_copies_existing_files() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = {word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]}
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == let_in
    assert all((ROOT / name).exists() for name in copied)
    needed = re.findall(r'^(?:readme = |license-files = \[)"([^"]+)"', PYPROJECT, re.MULTILINE)
    assert {"pyproject.toml", *needed} <= copied
    assert 'ENTRYPOINT ["maskgan"]' in lines
    assert 'CMD ["demo"]' in lines
    base = next(line.removeprefix("FROM python:") for line in lines if line.startswith("FROM"))
    assert base.partition("-")[0] in VERSIONS


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")), ids=lambda path: path.name)
def test_links_have_existing_targets(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    broken = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert not broken
    if page.name == "README.md":
        assert len(links) > 15
