"""Tests of ``doctor``: its findings are true, and a failed check gives an error and exit code 1."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from maskgan_cli.files import sha256
from maskgan_cli.weights.lookup import bundled
from tests.conftest import Command


def test_all_checks_pass(maskgan: Command, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKGAN_WEIGHTS", str(weights))
    outcome = maskgan("doctor", "--json")
    findings = {one["what"]: one["found"] for one in json.loads(outcome.out)["findings"]}
    assert findings["torch"] == torch.__version__.partition("+")[0] or findings["torch"] == torch.__version__
    assert findings["dmn weights"] == f"{weights} (MASKGAN_WEIGHTS), {sha256(weights / 'model.safetensors')[:12]}"
    assert "bundled with the package" in findings["vae weights"]
    assert findings["identity weights"].startswith("none (train one with `maskgan train identity")
    assert "cores for this process" in findings["cpu"]
    assert float(findings["free in this folder"].removesuffix(" GB")) > 0


def test_failed_checks_are_reported(maskgan: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parser = bundled("parser")
    assert parser is not None
    (tmp_path / "cut.safetensors").write_bytes(parser.read_bytes()[:1000])
    monkeypatch.setenv("MASKGAN_PARSER_WEIGHTS", str(tmp_path / "cut.safetensors"))
    outcome = maskgan("doctor", "-q")
    assert outcome.code == 1
    assert "parser weights: " in outcome.out
    assert outcome.err.startswith(f"maskgan: parser weights: {tmp_path / 'cut.safetensors'}: expected parser weights")
    assert len(outcome.err.splitlines()) == 1
