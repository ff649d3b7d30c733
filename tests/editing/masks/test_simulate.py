"""simulate-edits: EBST's own edits as files, and a list that render reads."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.editing.masks.interpolate import MaskManifold
from maskgan_cli.editing.masks.simulate import write_edits
from maskgan_cli.files import read_csv, read_label_map, write_label_map
from maskgan_cli.locks import locked
from maskgan_cli.models.layers import one_hot
from maskgan_cli.models.mask_vae import MaskVAE, MaskVAEConfig, simulated_edits
from maskgan_cli.weights.format import load, save_weights
from tests.conftest import Command


def test_the_files_are_the_edits_and_no_face_is_its_own_reference(
    prepared: Path, vae_weights: Path, weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    cpu = ("--device", "cpu")
    call = ("simulate-edits", prepared, "--split", "val", "-w", vae_weights, *cpu, "--attributes", "Smiling")
    outcome = maskgan(*call, "-o", tmp_path / "edits", "--lambda-inter", "2")
    assert outcome.lines == [str(tmp_path / "edits" / "edits.csv")], outcome.err
    rows = read_csv(tmp_path / "edits" / "edits.csv")
    samples = {str(s.image): s for s in PreparedData.load(prepared).split("val")}
    assert len(rows) == 2 * len(samples)
    assert all(row["source"] != row["target"] for row in rows)
    assert sorted(row["target"] for row in rows[::2]) == sorted(samples)
    vae, _ = load("vae", vae_weights, torch.device("cpu"))
    for inter, outer in zip(rows[::2], rows[1::2], strict=True):
        codes: Any = [
            vae.encode(one_hot(torch.from_numpy(read_label_map(Path(inter[role])).copy()[None])))[0]
            for role in ("source_mask", "target_mask")
        ]
        for row, edit in zip((inter, outer), simulated_edits(vae, *codes, 2.0, 64), strict=True):
            assert (read_label_map(Path(row["mask"])) == edit[0].numpy()).all()
            assert row["Smiling"] == samples[row["source"]].fields["Smiling"]
    done = maskgan("render", "--pairs", outcome.lines[0], "--weights", weights, *cpu, "-o", tmp_path / "rendered")
    assert [Path(line).name for line in done.lines] == [row["output"] for row in rows]


def test_sampled_codes_are_drawn_from_the_distribution_and_repeat_with_the_seed(
    prepared: Path, vae_weights: Path, tmp_path: Path
) -> None:
    manifold = MaskManifold(vae_weights, "cpu")
    samples = PreparedData.load(prepared).split("val")[:3]
    labels = read_label_map(samples[0].mask)
    mean, log_variance = manifold.network.encode(one_hot(torch.from_numpy(labels.copy()[None])))
    drawn = manifold.encode(labels, torch.Generator().manual_seed(5))
    noise = torch.randn(mean.shape, generator=torch.Generator().manual_seed(5))
    torch.testing.assert_close(drawn, mean + torch.exp(log_variance / 2) * noise)

    seen: list[torch.Tensor] = []
    encode = manifold.encode
    manifold.encode = lambda *given: (seen.append(encode(*given)), seen[-1])[1]  # type: ignore[method-assign]
    for k, seed in enumerate((1, 1, 2)):
        rows = list(write_edits(samples, manifold, tmp_path / str(k), lambda_inter=2.5, seed=seed, sampled_codes=True))
        assert rows[0]["rule"].endswith("codes drawn")
    codes = torch.cat(seen).view(3, 3, -1)
    assert torch.equal(codes[0].sum(0), codes[1].sum(0)) and not torch.allclose(codes[0].sum(0), codes[2].sum(0))


def test_edits_have_the_masks_size_not_the_maskvaes(prepared: Path, tmp_path: Path, maskgan: Command) -> None:
    config = MaskVAEConfig(image_size=128, width=4, latent=8)
    save_weights(tmp_path / "vae.safetensors", MaskVAE(config), kind="vae", config=asdict(config), about={})
    out = tmp_path / "edits"
    call = ("simulate-edits", prepared, "--split", "val", "-w", tmp_path / "vae.safetensors", "--device", "cpu")
    outcome = maskgan(*call, "-n", 2, "-o", out)
    assert outcome.code == 0, outcome.err
    assert [read_label_map(Path(row["mask"])).shape for row in read_csv(out / "edits.csv")] == [(64, 64)] * 4


def test_wrong_input_is_one_line(prepared: Path, vae_weights: Path, tmp_path: Path, maskgan: Command) -> None:
    call = ("simulate-edits", prepared, "-w", vae_weights, "--device", "cpu", "-o", tmp_path / "edits")
    assert "the attribute Hat in manifest.csv" in maskgan(*call, "--attributes", "Hat").err
    assert not (tmp_path / "edits").exists()


def test_a_second_run_keeps_existing_files(prepared: Path, vae_weights: Path, tmp_path: Path, maskgan: Command) -> None:
    out = tmp_path / "edits"
    call = ("simulate-edits", prepared, "--split", "val", "-w", vae_weights, "--device", "cpu", "-o", out)
    assert "kept" not in maskgan(*call).err
    files = {path: path.read_bytes() for path in out.iterdir()}
    again = maskgan(*call)
    assert (again.code, again.lines) == (0, [str(out / "edits.csv")]), again.err
    assert "existing edits of the same faces, weights and settings" in again.err
    (out / "edits.csv").unlink()
    assert maskgan(*call).code == 0
    assert {path: path.read_bytes() for path in out.iterdir()} == files
    other = maskgan(*call, "--lambda-inter", "1.5")
    assert other.code == 2 and "a result that exists already; add --overwrite" in other.err, other.err
    (out / "edits.csv").unlink()
    painted = next(path for path in files if path.suffix == ".png")
    write_label_map(painted, 18 - read_label_map(painted))
    mine = painted.read_bytes()
    outcome = maskgan(*call)
    assert outcome.code == 2 and f"{painted}: found a result that exists already" in outcome.err, outcome.err
    assert painted.read_bytes() == mine
    assert maskgan(*call, "--overwrite").code == 0
    assert {path: path.read_bytes() for path in out.iterdir()} == files


def test_two_processes_with_one_folder_get_an_error(
    prepared: Path, vae_weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    mask = next((prepared / "masks").iterdir())
    commands = (
        ("simulate-edits", prepared, "--split", "train", "--weights", vae_weights, "-o", tmp_path / "out"),
        ("interpolate", mask, mask, "--weights", vae_weights, "-o", tmp_path / "out"),
    )
    for command in commands:
        with locked(tmp_path / "out", "a rival"):
            outcome = maskgan(*command, "--device", "cpu", "-q")
        assert outcome.code == 2
        assert "found a rival (process " in outcome.err
        assert not (tmp_path / "out").exists()
