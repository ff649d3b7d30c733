"""Human perception (paper, Sec. 5.3): a page that asks which method did best, and the count of its answers.

The page is static: open it from disk or put it on any server. It keeps answers in the browser and
hands them out as CSV. It knows the results by random names only; ``key.json`` says which is whose.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import TypeAdapter

from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.pair_list import PairList
from maskgan_cli.evaluation.pictures import side_of
from maskgan_cli.evaluation.results import Result, checked, painted_by, trace
from maskgan_cli.files import (
    encode_image,
    encode_json,
    keep_or_write_all,
    read_csv,
    read_image,
    read_json,
    refuse_existing,
    remove_leftovers,
)
from maskgan_cli.locks import locked
from maskgan_cli.metrics.intervals import Interval, of_mean, wilson
from maskgan_cli.pages import render

CRITERIA: Final = ("quality", "realism")
# What the participant is asked; whatever is no style copy takes over the mouth.
_QUALITY: Final = {"style-copy": "Which result shows the source's face best in the target's style?"}
_MOUTH: Final = "Which result shows the source best with the target's mouth?"
_REALISM: Final = "Which result looks most like a real photo?"
FIELDS: Final = ("survey", "participant", "question", "criterion", "choice", "position")
_PAGE: Final = Path(__file__).parent / "survey_page"


def build_survey(
    out: Path, pairs: PairList, methods: Mapping[str, Path], *, questions: int, seed: int, overwrite: bool
) -> tuple[Path, bool]:
    """Write the page, its pictures and the key to the folder ``out``.

    Args:
        methods: name -> folder of results.
        questions: how many pairs to ask about, drawn at random.

    Returns:
        The page, and whether all of it was there already.

    Raises:
        InputError: fewer than two methods, missing results, fewer pairs than questions; a file of these names holds
            anything else, and not ``overwrite``.
    """
    if len(methods) < 2:
        raise InputError("--method", expected="two methods or more, as NAME=FOLDER", found=str(len(methods)))
    results = {name: pairs.results(folder) for name, folder in methods.items()}
    if questions > len(pairs.rows):
        raise InputError(pairs.path, expected=f"{questions} pairs", found=str(len(pairs.rows)))
    files = _files(pairs, methods, results, questions, seed)
    if not overwrite and not (out / "key.json").is_file():
        refuse_existing(out / "images")  # somebody else's
    with locked(out, "maskgan eval survey"):
        remove_leftovers(out, out / "images")
        kept = keep_or_write_all({out / name: data for name, data in files.items()}, overwrite=overwrite)
    return out / "index.html", kept


def _files(
    pairs: PairList, methods: Mapping[str, Path], results: Mapping[str, Sequence[Path]], questions: int, seed: int
) -> dict[str, bytes]:
    """What the folder holds, the page last."""
    rng = np.random.default_rng(seed)
    asked = [int(i) for i in rng.permutation(len(pairs.rows))[:questions]]
    key: dict[str, Any] = {
        "protocol": pairs.protocol, "split": pairs.split, "seed": pairs.seed, "pairs": pairs.trace(),
        "methods": {
            name: {"results": trace(methods[name], paths), "weights": painted_by(paths), "size": side_of(paths[0])}
            for name, paths in results.items()
        },
    }  # fmt: skip
    shown, answers, files = [], {}, {}
    for number, i in enumerate(asked):
        names = {rng.bytes(8).hex(): method for method in methods}
        # Written anew, so that no file carries a record of what painted it.
        for token, method in names.items():
            files[f"images/{token}.png"] = encode_image(read_image(results[method][i]), ".png")
        for role in ("source", "target"):
            files[f"images/{number}-{role}.png"] = encode_image(read_image(Path(pairs.rows[i][role])), ".png")
        shown.append({"id": str(number), "options": sorted(names)})
        answers[str(number)] = {"pair": pairs.rows[i]["output"], "options": names}
    key["questions"] = answers
    key["survey"] = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
    survey = {"survey": key["survey"], "fields": FIELDS, "questions": shown,
              "criteria": {"quality": _QUALITY.get(pairs.protocol, _MOUTH), "realism": _REALISM}}  # fmt: skip
    # A script, not JSON: a page opened from disk may load the one but not the other.
    files["questions.js"] = f"const SURVEY = {json.dumps(survey, indent=1)};\n".encode()
    files |= {file.name: file.read_bytes() for file in sorted(_PAGE.iterdir())}
    return {**files, "key.json": encode_json(key), "index.html": render("survey.html", count=len(shown)).encode()}


@dataclass(frozen=True)
class Question:
    """Which pair was asked about, and whose result hides behind each random name."""

    pair: str
    options: dict[str, str]


@dataclass(frozen=True)
class Method:
    """Whose results were shown."""

    results: dict[str, Any]
    weights: dict[str, dict[str, Any]]
    size: int


@dataclass(frozen=True)
class Key:
    """What ``key.json`` holds."""

    survey: str
    protocol: str
    split: str
    seed: int
    pairs: dict[str, Any]
    methods: dict[str, Method]
    questions: dict[str, Question]


Vote = tuple[str, str, str]  # participant, question, criterion


def tally(out: Path, files: Sequence[Path]) -> list[Result]:
    """Count answers: per method the share of wins by each criterion.

    A participant who hands in twice counts once, by the later answer.

    Args:
        out: the survey's folder, with its key.
        files: CSVs that the page handed out.

    Raises:
        InputError: no survey there; answers of another survey, to unknown questions, or by unknown criteria; none
            at all.
    """
    key = _read_key(out / "key.json")
    votes: dict[Vote, str] = {}
    for file in files:
        for row in read_csv(file):
            participant, question, criterion = (str(row.get(c)) for c in ("participant", "question", "criterion"))
            if row.get("survey") != key.survey:
                raise InputError(file, expected=f"answers to survey {key.survey}", found=str(row.get("survey")))
            options = key.questions[question].options if question in key.questions else {}
            choice = str(row.get("choice"))
            if criterion not in CRITERIA or choice not in options:
                raise InputError(file, expected="answers to this survey's questions", found=f"{question}, {criterion}")
            votes[participant, question, criterion] = options[choice]
    missing = [c for c in CRITERIA if not any(criterion == c for _, _, criterion in votes)]
    if missing:
        raise InputError(files[0] if files else out, expected="answers", found=f"none on {missing[0]}")
    return [_result(key, method, votes, files) for method in key.methods]


def _read_key(path: Path) -> Key:
    what = "the key of a survey"
    key = checked(TypeAdapter(Key), read_json(path), path, what)
    for number, question in key.questions.items():
        if unknown := set(question.options.values()) - set(key.methods):
            raise InputError(path, expected=what, found=f"question {number} about {min(unknown)}, which is no method")
    return key


def _result(key: Key, method: str, votes: Mapping[Vote, str], files: Sequence[Path]) -> Result:
    values: dict[str, float | None] = {}
    counted: dict[str, Any] = {}
    intervals: dict[str, Interval] = {}
    for name in CRITERIA:
        given = [(participant, vote == method) for (participant, _, criterion), vote in votes.items()
                 if criterion == name]  # fmt: skip
        wins, answers = sum(won for _, won in given), len(given)
        values[f"survey/{name}"] = wins / answers
        counted[name] = {
            "wins": wins, "answers": answers, "interval_95": wilson(wins, answers),
            "interval_95_by_participant": _by_participant(given),
        }  # fmt: skip
        # Answers of one person resemble each other; then the first interval is too narrow.
        intervals[f"survey/{name}"] = max(
            (counted[name]["interval_95"], counted[name]["interval_95_by_participant"]),
            key=lambda ends: ends[1] - ends[0],
        )
    about = key.methods[method]
    metric, value = next(iter(values.items()))
    return Result(
        metric, value, counted["quality"]["answers"], method, key.protocol, key.split, about.size, key.seed,
        {"pairs": key.pairs, "results": about.results,
         **{f"answers {i}": trace(file, [file]) for i, file in enumerate(files, start=1)}},
        about.weights, {name: v for name, v in values.items() if name != metric},
        counted | {"participants": len({participant for participant, _, _ in votes}), "survey": key.survey},
        intervals,
    )  # fmt: skip


def _by_participant(given: Sequence[tuple[str, bool]]) -> Interval:
    """The interval of the share of wins if other people had been asked: participants are drawn, not answers."""
    people = {participant: [won for who, won in given if who == participant] for participant, _ in given}
    return of_mean([float(np.mean(own)) for own in people.values()], np.array([len(own) for own in people.values()]))
