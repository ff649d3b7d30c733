"""The commands of the guides and of the remaining tutorials, one after another, at their smallest."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from maskgan_cli.cli.app import app
from maskgan_cli.cli.shell import run
from maskgan_cli.files import write_image
from maskgan_cli.models.inception import FIDInception
from maskgan_cli.weights.format import shapes_of
from maskgan_cli.weights.lookup import bundled
from tests.docs.commands import PAGES, ROOT, shown
from tests.docs.smallest import small
from tests.docs.test_tutorials import FOLLOWED
from tests.weights.checkpoints import filled, narrow, published, saved, small_generator_shapes

DOCS = ROOT / "docs"
FACES = "data/faces"
INCEPTION = "pt_inception-2015-12-05-6726825d.pth"
PAIRS = ("--split", "train", "-n", "3")  # the other splits of few faces have one person
NOT_RUN = {
    ("weights", "pull"): "a download; tests/weights/test_fetch.py",
    ("reproduce",): "minutes; tests/reproduce",
    ("edit",): "serves until Ctrl-C; tests/editor",
    ("demo",): "minutes; tests/test_demo.py",
    ("bench",): "minutes; tests/cli/test_bench.py",
    ("--version",): "tests/test_package.py",
    ("eval", "precision"): "more results than this page paints; tests/metrics/test_kernel.py",
    ("eval", "kid"): "more results than this page paints; tests/metrics/test_kernel.py",
    ("eval", "lpips"): "published weights; tests/metrics",
}
GIVEN = {  # page -> the networks that it takes for granted
    "design/baselines.md": (),
    "evaluation.md": ("dmn", "parser", "attributes", "identity"),
    "baselines.md": (),
    "data.md": (),
    "paper.md": (),
    "concepts/ebst.md": ("dmn", "vae"),
    "tutorials/table.md": ("dmn", "attributes"),
    "tutorials/published.md": (),
}
BY_TRAINING = {"weights.md", "editing.md"}  # these use the data and the network of training.md's first three commands
EMPTY = (
    "../README.md",
    "editor.md",
    "faq.md",
    "index.md",
    "judges.md",
    "label-maps.md",
    "rendered-faces.md",
    "tour.md",
    "training.md",
    "tutorials/browser.md",
    "tutorials/photo.md",
    "tutorials/python.md",
    *sorted(BY_TRAINING),
)
DOWNLOADED = {"data/celebamask-256", "face.mask.png"}  # the latter lies in a session that the editor saved
# test_tutorials.py runs these, and tests/training/test_processes.py the commands for several processes
ELSEWHERE = {*EMPTY, *FOLLOWED, "responsible-use.md", "several-gpus.md"}


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rendered people, with poses and attributes, prepared at 64 px."""
    root = tmp_path_factory.mktemp("rendered")
    synth = ["synth", root / "raw", "-n", "60", "--identities", "12", "--size", "64", "--workers", "1", "-q"]
    for words in (synth, ["prep-data", root / "raw", root / "data", "--size", "64", "--workers", "1", "-q"]):
        assert run(app, [str(word) for word in words]) == 0
    return root / "data"


@pytest.fixture
def folder(raw: Path, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the pages take for granted: data sets and published files."""
    monkeypatch.setenv("MASKGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    for name in ("faces", "faces-64", "celebamask-256", "celebamask-512"):
        (tmp_path / "data" / name).symlink_to(faces)
    (tmp_path / "CelebAMask-HQ").symlink_to(raw)
    shutil.copytree(raw, tmp_path / "CelebA-HQ", ignore=shutil.ignore_patterns("*mask-anno*"))
    return tmp_path


def _celeba(root: Path) -> None:
    for number in range(1, 9):
        picture = np.random.default_rng(number).integers(0, 256, (218, 178, 3), dtype=np.uint8)
        write_image(root / "img_align_celeba" / f"{number:06d}.png", picture)
    names = [f"{number:06d}.jpg" for number in range(1, 9)]
    signs = "".join(f"{name} {1 - i // 2 % 2 * 2}\n" for i, name in enumerate(names))
    (root / "list_attr_celeba.txt").write_text(f"8\nSmiling\n{signs}")
    (root / "list_eval_partition.txt").write_text("".join(f"{name} {i % 2}\n" for i, name in enumerate(names)))


def _published() -> None:
    """Checkpoints by their authors' names, narrow."""
    saved(filled(small_generator_shapes()), Path("latest_net_G.pth"))
    saved(published("official_unet"), Path("parser.pth"))
    second = {"linear.0.weight": (1, 32 * 4 * 4)}  # of the second discriminator
    for file, shapes in {
        "G.ckpt": narrow("stargan_G", 16),
        "D.ckpt": narrow("stargan_D", 16),
        "Enc.pth": narrow("elegant_Enc", 16),
        "Dec.pth": narrow("elegant_Dec", 16),
        "D1.pth": narrow("elegant_D", 16),
        "D2.pth": {**narrow("elegant_D", 16), **second},
        "net_G.pth": narrow("spade_netG", 16),
        "net_E.pth": narrow("spade_netE", 16),
        "net_D.pth": narrow("spade_netD", 16),
        "sean_net_G.pth": narrow("sean_netG", 16, least=32),
    }.items():
        saved(filled(shapes), Path(file))


def _trained(kinds: tuple[str, ...]) -> None:
    for kind in kinds:
        names = {
            "attributes": ["--attributes", "Smiling"],
            "stargan": ["--attributes", "Smiling"],
            "elegant": ["--attributes", "Smiling,Eyeglasses"],
        }.get(kind, [])
        if kind == "parser":
            found = bundled("parser")
            assert found is not None
            Path("runs/parser").mkdir(parents=True)
            shutil.copy(found, "runs/parser/model.safetensors")
        else:
            assert run(app, small(["train", kind, FACES, "-o", f"runs/{kind}", "-q", *names])) == 0


def _before(words: list[str]) -> None:
    """What a reader has from elsewhere, or has not yet, when they come to a line."""
    if words[0] == "prep-data" and (made := Path(words[2])).is_symlink():
        made.unlink()
    if "pairs.csv" in words and not Path("pairs.csv").exists() and words[:2] != ["eval", "pairs"]:
        assert run(app, ["eval", "pairs", FACES, "--protocol", "smiling", *PAIRS, "-o", "pairs.csv"]) == 0
    if any("results/other" in word for word in words) and not Path("results/other").exists():
        shutil.copytree("results/maskgan", "results/other")
    if "answers-1.csv" in words:
        key = json.loads(Path("survey/key.json").read_text())
        lines = [
            f"{key['survey']},p,{number},{criterion},{next(iter(question['options']))},1"
            for number, question in key["questions"].items()
            for criterion in ("quality", "realism")
        ]
        for person in ("1", "2"):
            rows = [line.replace(",p,", f",p{person},") for line in lines]
            header = "survey,participant,question,criterion,choice,position"
            Path(f"answers-{person}.csv").write_text("\n".join([header, *rows]) + "\n")


def _as_run(words: list[str]) -> list[str]:
    """A line of a page as it is run here."""
    if words[:2] == ["eval", "verify"]:
        words = [*words, "--split", "train"]  # the others have too few people
    words = small(["Smiling,Eyeglasses" if word == "FIRST,SECOND" else word for word in words])
    if words[:2] == ["eval", "pairs"]:
        words += PAIRS
    if words[:2] == ["eval", "survey"]:
        words = ["3" if word == "30" else word for word in words]
    for option in ("-o", "--onnx"):  # several lines of a page show one result
        if option in words and words[0] not in ("render", "paste", "eval"):
            out = Path(words[words.index(option) + 1])
            shutil.rmtree(out) if out.is_dir() else out.unlink(missing_ok=True)
            out.with_suffix(".md").unlink(missing_ok=True)  # a card
    return words


@pytest.mark.slow
@pytest.mark.parametrize("page", GIVEN)
def test_the_page_s_commands_run(page: str, folder: Path) -> None:
    """What one command writes, a later one that reads it finds."""
    _published()
    _celeba(folder / "celeba")
    _trained(GIVEN[page])
    saved(filled(shapes_of(FIDInception().state_dict())), folder / INCEPTION)
    for line in shown(DOCS / page):
        if _skipped(line.words):
            continue
        _before(line.words)
        words = _as_run(line.words)
        assert run(app, words) == 0, f"{line}\nrun as: maskgan {' '.join(words)}"


@pytest.mark.slow
@pytest.mark.parametrize("page", EMPTY)
def test_the_page_works_in_an_empty_folder(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only downloaded files are given; all others are made by the page, or by the commands that it refers to."""
    monkeypatch.setenv("MASKGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    if page == "weights.md":
        _published()
    for script in re.findall(r"^    (printf .*)$", (DOCS / page).read_text("utf-8"), re.MULTILINE):
        subprocess.run(["sh", "-c", script], check=True)
    before = list(shown(DOCS / "training.md"))[:3] if page in BY_TRAINING else []
    for line in [*before, *shown(DOCS / page)]:
        if not (_skipped(line.words) or DOWNLOADED & set(line.words)):
            few = {"pairs": PAIRS, "verify": PAIRS[:2]}.get(line.words[1] if line.words[0] == "eval" else "", ())
            words = small([*line.words, *few])
            assert run(app, words) == 0, f"{line}\nrun as: maskgan {' '.join(words)}"


def _skipped(words: list[str]) -> str:
    return next((why for first, why in NOT_RUN.items() if tuple(words[: len(first)]) == first), "")


def test_no_page_is_forgotten() -> None:
    """Every command of every page is run, or is of those that are not, for a reason."""
    left = [
        str(line)
        for page in PAGES
        for line in shown(page)
        if os.path.relpath(page, DOCS) not in {*GIVEN, *ELSEWHERE} and not _skipped(line.words)
    ]
    assert not left
