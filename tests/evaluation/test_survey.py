"""The survey: answers in a real browser, their count, intervals against their definition, errors."""

from __future__ import annotations

import csv
import itertools
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskgan_cli.data.prepared import Sample
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.pair_list import PairList, as_csv, rows_of
from maskgan_cli.evaluation.pairs import Pair
from maskgan_cli.evaluation.survey import FIELDS, build_survey, tally
from maskgan_cli.files import read_json, sha256, write_image
from maskgan_cli.locks import locked
from maskgan_cli.metrics.intervals import wilson
from tests.conftest import Command

METHODS = ("good", "poor", "middling")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture
def survey(tmp_path: Path) -> Path:
    """Four questions about three methods."""
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (16, 16, 3), np.uint8) for _ in range(6)]
    paths = [write_image(tmp_path / "images" / f"{i}.png", picture) for i, picture in enumerate(pictures)]
    faces = [Sample(path.stem, "test", path, None, {}) for path in paths]
    pairs = [Pair(a, b, 1.0, {"Smiling": 1}) for a, b in itertools.pairwise(faces)]
    rows = rows_of(pairs, "smiling", split="test", seed=0, poses="manifest")
    (tmp_path / "pairs.csv").write_text(as_csv(rows) + "\n")
    for shade, method in enumerate(METHODS):
        for row in rows:
            picture = np.full((16, 16, 3), 40 + 80 * shade, np.uint8)
            write_image(tmp_path / method / row["output"], picture, note={"weights": method})
    folders = {method: tmp_path / method for method in METHODS}
    return build_survey(
        tmp_path / "survey", PairList.load(tmp_path / "pairs.csv"), folders, questions=4, seed=0, overwrite=False
    )[0].parent


def test_partial_files_of_a_killed_process_are_removed(survey: Path) -> None:
    folders = {method: survey.parent / method for method in METHODS}
    for half in (survey / ".index-0123abcd.tmp.html", survey / "images" / ".0-source-0123abcd.tmp.png"):
        half.touch()
    pairs = PairList.load(survey.parent / "pairs.csv")
    build_survey(survey, pairs, folders, questions=4, seed=0, overwrite=True)
    assert not list(survey.parent.rglob(".*"))
    with locked(survey, "another"), pytest.raises(InputError, match=r"another .*writing to it"):
        build_survey(survey, pairs, folders, questions=4, seed=0, overwrite=True)


def test_a_second_survey_keeps_the_files_and_says_so(survey: Path, tmp_path: Path, maskgan: Command) -> None:
    methods = [f"--method={method}={tmp_path / method}" for method in METHODS]
    call = ("eval", "survey", survey, "--pairs", tmp_path / "pairs.csv", *methods, "-n", "4")
    files = {path: path.read_bytes() for path in survey.rglob("*.*")}
    outcome = maskgan(*call, "--json")
    assert (outcome.code, json.loads(outcome.out)["kept"]) == (0, True), outcome.err
    assert "kept the existing survey, which has the same questions" in outcome.err
    other = maskgan(*call, "--seed", "1")
    assert other.code == 2 and "found a result that exists already" in other.err
    assert {path: path.read_bytes() for path in survey.rglob("*.*")} == files


def test_the_page_does_not_reveal_the_methods(survey: Path) -> None:
    shown = json.loads((survey / "questions.js").read_text().removeprefix("const SURVEY = ").rstrip(";\n"))
    key = read_json(survey / "key.json")
    assert len(shown["questions"]) == 4
    for question in shown["questions"]:
        assert sorted(key["questions"][question["id"]]["options"].values()) == sorted(METHODS)
        assert question["options"] == sorted(key["questions"][question["id"]]["options"])
        for token in question["options"]:
            with Image.open(survey / "images" / f"{token}.png") as image:
                assert "maskgan" not in image.info
    for file in ("index.html", "questions.js", "survey.js"):
        assert not any(f'"{method}"' in (survey / file).read_text() for method in METHODS)
    assert "key.json" not in (survey / "index.html").read_text() + (survey / "survey.js").read_text()


@pytest.fixture
def browser_page() -> Iterator[Any]:
    """A page of Debian's Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_context(accept_downloads=True).new_page()
        browser.close()


def test_a_participant_answers_in_a_browser_and_the_answers_are_counted(
    survey: Path, browser_page: Any, tmp_path: Path
) -> None:
    page, failures = browser_page, []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("requestfailed", lambda request: failures.append(request.url))
    page.goto((survey / "index.html").as_uri())
    key = read_json(survey / "key.json")["questions"]
    owner = {token: method for question in key.values() for token, method in question["options"].items()}
    orders, positions = [], []

    def choose(criterion: str, method: str) -> None:
        tokens = page.eval_on_selector_all(f"#{criterion} input", "inputs => inputs.map((input) => input.value)")
        token = next(t for t in tokens if owner[t] == method)
        page.locator(f"#{criterion} label").nth(tokens.index(token)).click()
        if criterion == "quality":
            orders.append(tuple(owner[t] for t in tokens))
            positions.append(tokens.index(token) + 1)

    for number in range(4):
        assert page.text_content("h1") == f"Question {number + 1} of 4"
        assert page.is_disabled("#next"), "both criteria must be answered"
        choose("quality", "good")
        assert page.is_disabled("#next")
        choose("realism", "good" if number % 2 else "poor")
        if number == 1:  # a reload keeps answers and order
            before = page.inner_html("main")
            page.reload()
            assert page.inner_html("main") == before
            assert page.locator("input:checked").count() == 2
        page.click("#next")
    assert page.text_content("h1") == "Thank you"
    assert len(set(orders)) > 1, "the order changes from question to question"
    with page.expect_download() as download:
        page.click("#download")
    answers = tmp_path / "answers.csv"
    download.value.save_as(answers)
    rows = list(csv.DictReader(answers.read_text().splitlines()))
    assert len(rows) == 8
    assert tuple(rows[0]) == FIELDS
    assert sorted(int(r["position"]) for r in rows if r["criterion"] == "quality") == sorted(positions)
    assert failures == []

    good, poor, middling = tally(survey, [answers])
    assert [r.value for r in (good, poor, middling)] == [1.0, 0.0, 0.0]
    assert [r.values["survey/realism"] for r in (good, poor, middling)] == [0.5, 0.5, 0.0]
    assert good.inputs["answers 1"]["sha256"] == sha256(answers)
    assert good.weights == {"generator": {"sha256": "good"}}
    assert (good.details["participants"], good.details["quality"]["answers"]) == (1, 4)


def _answers(survey: Path, path: Path, choices: dict[str, str], *, participant: str = "p") -> Path:
    key = read_json(survey / "key.json")
    lines = [",".join(FIELDS)]
    for question, entry in key["questions"].items():
        for criterion, method in choices.items():
            token = next(t for t, m in entry["options"].items() if m == method)
            lines.append(f"{key['survey']},{participant},{question},{criterion},{token},1")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_later_answers_of_a_participant_replace_earlier_ones(survey: Path, tmp_path: Path) -> None:
    first = _answers(survey, tmp_path / "1.csv", {"quality": "good", "realism": "good"})
    later = _answers(survey, tmp_path / "2.csv", {"quality": "poor", "realism": "good"})
    other = _answers(survey, tmp_path / "3.csv", {"quality": "good", "realism": "good"}, participant="q")
    good, poor, _ = tally(survey, [first, later, other])
    assert (good.value, poor.value, good.n) == (0.5, 0.5, 8)
    assert good.values == {"survey/realism": 1.0}


def test_answers_of_another_survey_raise_errors(survey: Path, tmp_path: Path) -> None:
    path = _answers(survey, tmp_path / "1.csv", {"quality": "good", "realism": "good"})
    text = path.read_text()
    key = read_json(survey / "key.json")["survey"]
    for changed, line in (
        (text.replace(key, "other"), f"expected answers to survey {key}, found other"),
        (text.replace(",quality,", ",beauty,"), "found 0, beauty"),
        (text.splitlines()[0] + "\n", "expected answers, found none on quality"),
    ):
        path.write_text(changed)
        with pytest.raises(InputError, match=line):
            tally(survey, [path])


def test_wins_have_intervals_over_answers_and_over_participants(survey: Path, tmp_path: Path) -> None:
    """Each of three people always chooses the same method: twelve answers, but only three independent ones."""
    files = [
        _answers(survey, tmp_path / f"{i}.csv", {"quality": m, "realism": m}, participant=str(i))
        for i, m in enumerate(("good", "good", "poor"))
    ]
    good, _, middling = tally(survey, files)
    counted = good.details["quality"]
    assert (counted["wins"], counted["answers"]) == (8, 12)
    assert counted["interval_95"] == wilson(8, 12)
    assert counted["interval_95_by_participant"] == (0, 1), "of three other people all or none might choose it"
    assert good.intervals["survey/quality"] == (0, 1)
    assert middling.intervals["survey/quality"] == wilson(0, 12)


@pytest.mark.parametrize("name", ["index.html", "survey.css", "images", "questions.js"])
def test_other_files_in_the_folder_are_not_replaced(name: str, survey: Path, tmp_path: Path) -> None:
    other = tmp_path / "mine"
    other.mkdir()
    (other / name).write_text("mine")
    folders = {method: tmp_path / method for method in METHODS}
    pairs = PairList.load(tmp_path / "pairs.csv")
    with pytest.raises(InputError, match="a result that exists already; add --overwrite"):
        build_survey(other, pairs, folders, questions=4, seed=0, overwrite=False)
    assert [(path.name, path.read_text()) for path in other.iterdir()] == [(name, "mine")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[]", "expected the key of a survey, found its text: input should be an object"),
        ("{}", "found survey: field required"),
        ("[" * 100_000, "found a document that is nested too deeply"),
        ('{"methods": null}', "found survey: field required"),
    ],
)
def test_a_corrupt_key_is_named(text: str, line: str, survey: Path, tmp_path: Path) -> None:
    answers = _answers(survey, tmp_path / "1.csv", {"quality": "good", "realism": "good"})
    (survey / "key.json").write_text(text)
    with pytest.raises(InputError, match=rf"key\.json: .*{line}"):
        tally(survey, [answers])


def test_every_part_of_the_key_is_validated(survey: Path, tmp_path: Path) -> None:
    answers = _answers(survey, tmp_path / "1.csv", {"quality": "good", "realism": "good"})
    whole = (survey / "key.json").read_text()
    for name, value in (
        ("questions", {"0": None}),
        ("questions", {"0": {"pair": "x", "options": {"t": "another"}}}),
        ("methods", {"good": {}}),
        ("methods", []),
        ("seed", "0"),
        ("pairs", 5),
    ):
        (survey / "key.json").write_text(json.dumps(json.loads(whole) | {name: value}))
        with pytest.raises(InputError, match=rf"expected the key of a survey, found .*{name[:-1]}"):
            tally(survey, [answers])


def test_surveys_that_cannot_be_built_raise_errors(survey: Path, tmp_path: Path) -> None:
    pairs = PairList.load(tmp_path / "pairs.csv")
    two = {name: tmp_path / name for name in ("good", "poor")}
    for methods, questions, line in (
        ({"good": tmp_path / "good"}, 2, "two methods or more"),
        (two, 9, "expected 9 pairs, found 5"),
        (two, 2, "a result that exists already"),
        ({**two, "none": tmp_path / "none"}, 2, "found no such folder"),
    ):
        with pytest.raises(InputError, match=line):
            build_survey(survey, pairs, methods, questions=questions, seed=0, overwrite=False)
