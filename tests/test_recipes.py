"""Tests of the shell pipelines that measure what no table of `maskgan reproduce` has, at the smallest scale."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from maskgan_cli.files import read_json, sha256

RECIPES = Path(__file__).parents[1] / "recipes"
PIPELINES = ("baselines", "perturbed_masks")
ROWS = {
    "perturbed_masks": ["before-ebst", "after-ebst"],
    "baselines": ["stargan", "elegant", "spade", "pix2pixhd-m", "maskgan"],
}
SMALL = "--set network.width=4 --set network.style_width=4 --set discriminator.width=4 --set perceptual.width=4 "
FEW = "--set data.batch_size=4 --set schedule.validation_samples=4"
SETTINGS = {
    "FACES": "100",
    "PEOPLE": "20",
    "PAIRS": "2",
    "STEPS": "2",
    "JUDGE_STEPS": "2",
    "DEVICE": "cpu",
    "SETS": SMALL + FEW,
    "JUDGE_SETS": "--set network.width=16 --set data.batch_size=4",
    "OMP_NUM_THREADS": "1",
    "STARGAN_SETS": f"--set network.width=4 --set discriminator.width=4 {FEW}",
    "ELEGANT_SETS": f"--set network.width=4 --set discriminator.width=4 {FEW}",
    "SPADE_SETS": f"--set network.width=2 --set discriminator.width=4 --set perceptual.width=4 {FEW}",
    "VAE_STEPS": "2",
    "VAE_SETS": f"--set network.width=4 {FEW}",
    "EBST_STEPS": "2",
    "EBST_SETS": f"--set discriminator.width=4 --set perceptual.width=4 --set blender.width=4 {FEW}",
}


@pytest.mark.parametrize("name", PIPELINES)
def test_pipelines_stop_at_the_first_error_and_use_public_commands(name: str) -> None:
    text = (RECIPES / f"{name}.sh").read_text()
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in text
    for word in ("python", "sed ", "awk ", "grep "):  # settings come from the commands' own JSON
        assert word not in text + (RECIPES / "tables.sh").read_text()
    subprocess.run(["bash", "-n", RECIPES / f"{name}.sh"], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", PIPELINES)
def test_smallest_pipeline_gives_a_table_with_traceable_numbers(
    name: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    command = tmp_path / "bin" / "maskgan"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m maskgan_cli "$@"\n')
    command.chmod(0o755)
    work = tmp_path / "work"
    environment = (
        os.environ
        | SETTINGS
        | {
            "WORK": str(work),
            "PATH": f"{command.parent}:{os.environ['PATH']}",
            "MASKGAN_CACHE": str(tmp_path / "cache"),
            "PYTHONPATH": str(RECIPES.parent),
        }
    )
    done = subprocess.run(
        ["bash", RECIPES / f"{name}.sh"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == (work / "table.md").read_text(), "standard output must be the table"
    assert re.findall(r"^\| (\S+) \|", done.stdout, re.MULTILINE)[2:] == ROWS[name]
    # The hashes below the table are those of existing files, and all results name them.
    hashes = dict(re.findall(r"^- (.+?):.* sha256 `(\w{64})`$", done.stdout, re.MULTILINE))
    assert hashes["pairs"] == sha256(work / "pairs.csv")
    for method in ROWS[name]:
        assert hashes[f"generator of {method}"] == sha256(work / "runs" / method / "model.safetensors")
    for result in (work / "json").iterdir():
        for document in read_json(result):
            named = {e["sha256"] for part in ("inputs", "weights") for e in document[part].values()}
            assert named <= set(re.findall(r"\w{64}", done.stdout))
