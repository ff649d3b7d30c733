"""personalise: a network learns a person and keeps the mask; the same again is the same; one line for wrong inputs."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
import torch

from maskgan_cli import personalise as module
from maskgan_cli.files import read_image, read_label_map, read_note
from maskgan_cli.labels import ID
from maskgan_cli.personalise import Settings, edit, personalise
from maskgan_cli.weights.format import load, read_weights
from maskgan_cli.weights.lookup import find_weights
from tests.conftest import Command


@pytest.fixture(autouse=True)
def few_references(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REFERENCES", 2)


def photo_of(prepared: Path) -> tuple[Path, Path]:
    return prepared / "images" / "0.png", prepared / "masks" / "0.png"


def test_a_person_is_learnt_and_the_same_again_is_the_same(prepared: Path, weights: Path) -> None:
    picture, labels = (read(path) for read, path in zip((read_image, read_label_map), photo_of(prepared), strict=True))
    parser, _ = load("parser", find_weights(None, "parser"), torch.device("cpu"))
    made = []
    for _ in range(2):
        network, _ = load("dmn", weights, torch.device("cpu"))
        told: list[tuple[int, int, str]] = []

        def report(done: int, total: int, note: str, told: list[tuple[int, int, str]] = told) -> None:
            told.append((done, total, note))

        torch.rand(3)  # what was drawn before changes nothing
        personalise(network, parser, [picture], [labels], Settings(steps=20, rate=1e-3), report)
        made.append(network.state_dict())
        assert [done for done, _, _ in told] == list(range(1, 21))
        assert not network.training and not any(p.requires_grad for p in network.parameters())
    assert all(torch.equal(a, b) for a, b in zip(made[0].values(), made[1].values(), strict=True))
    pixel = [float(note.split()[1]) for _, _, note in told]
    assert np.mean(pixel[-5:]) < 0.8 * np.mean(pixel[:5])


def test_an_edit_keeps_the_picture_but_in_the_edit_and_on_its_rim() -> None:
    mine = torch.full((1, 64, 64), ID["skin"], dtype=torch.uint8)
    theirs = mine.clone()
    mine[0, 40:44, 24:40], theirs[0, 40:50, 20:44] = ID["mouth"], ID["mouth"]
    for labels in (mine, theirs):
        labels[0, 20:24, 14:22], labels[0, 20:24, 42:50] = ID["l_eye"], ID["r_eye"]
    changed, kept = edit(mine, theirs, "mouth")
    differs = changed != mine
    assert differs.any() and (changed == ID["mouth"]).sum() > (mine == ID["mouth"]).sum()
    assert not (kept[0, 0].bool() & differs[0]).any()
    assert torch.equal(changed[0, :30], mine[0, :30]) and kept[0, 0, :30].all()
    same, everywhere = edit(mine, mine, "mouth")
    assert torch.equal(same, mine) and everywhere.all()


def test_the_command_writes_weights_for_the_editing_commands(
    prepared: Path, weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    out, photo = tmp_path / "me.safetensors", photo_of(prepared)[0]
    words = ("personalise", photo, "-w", weights, "--steps", 2, "--device", "cpu", "-o", out)
    first = maskgan(*words)
    assert first.code == 0, first.err
    assert first.lines == [str(out)]
    card = out.with_suffix(".md").read_text()
    assert "fine-tuned for 2 steps on 1 photo of one person" in card and "rights of the person" in card
    bits = out.read_bytes()
    again = maskgan(*words)
    assert (again.code, "kept" in again.err, out.read_bytes()) == (0, True, bits), again.err
    (hint,) = (line for line in again.err.splitlines() if line.startswith("next: maskgan "))
    assert maskgan(*shlex.split(hint)[2:-1], tmp_path / "r.png", "--device", "cpu").code == 0
    assert read_note(tmp_path / "r.png")["weights"] == read_weights(out, "dmn").sha256
    other = maskgan(*words, "--seed", 1)
    assert other.code == 2 and "add --overwrite" in other.err and out.read_bytes() == bits
    assert maskgan(*words, "--seed", 1, "--overwrite").code == 0 and out.read_bytes() != bits


def test_wrong_inputs_end_in_one_line_and_leave_nothing(
    prepared: Path, weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    photo, out = photo_of(prepared)[0], tmp_path / "me.safetensors"
    (tmp_path / "text.png").write_text("no picture")
    for words, said in (
        ([*[photo] * 21, "-o", out], "20 pictures at most"),
        ([photo, "-o", tmp_path / "me.pt"], "a name ending in .safetensors"),
        ([tmp_path / "none.png", "-o", out], "none.png"),
        ([tmp_path / "text.png", "-o", out], "text.png"),
        ([photo, "-w", find_weights(None, "parser"), "-o", out], "expected dmn weights"),
    ):
        outcome = maskgan("personalise", "-w", weights, "--device", "cpu", *words)
        assert outcome.code == 2 and said in outcome.err, outcome.err
        assert not out.exists()
    outcome = maskgan(
        "personalise", photo, tmp_path / "text.png", "-w", weights, "--steps", 1, "--device", "cpu", "-o", out, "--json"
    )
    assert outcome.code == 1 and "1 of 2 failed" in outcome.err and out.exists()
