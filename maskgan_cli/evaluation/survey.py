"""Human perception survey (paper, Sec. 5.3): a web page that asks which method's result is best, and its evaluation.

The page is static and can be opened from disk or put on any server. It stores the answers in the browser and exports
them as CSV. On the page the results have random names; ``key.json`` maps these names to the methods.
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
from maskgan_cli.evaluation.picture_set import side_of
from maskgan_cli.evaluation.results import MetricResult, checked, generator_of, trace
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
# Questions to the participants: one for style copy, and one for all other protocols, which edit the mouth.
_QUALITY: Final = {"style-copy": "Which result shows the source's face best in the target's style?"}
_MOUTH: Final = "Which result shows the source best with the target's mouth?"
_REALISM: Final = "Which result looks most like a real photo?"
FIELDS: Final = ("survey", "participant", "question", "criterion", "choice", "position")
_PAGE: Final = Path(__file__).parent / "survey_page"


def build_survey(
    out: Path, pairs: PairList, methods: Mapping[str, Path], *, questions: int, seed: int, overwrite: bool
) -> tuple[Path, bool]:
    """Write the web page of a survey among people, its pictures and ``key.json`` to the folder ``out``.

    Args:
        out: the survey's folder.
        pairs: the list of pairs.
        methods: dict from the name of each method to the folder of its results.
        questions: number of pairs in the survey, chosen at random.
        seed: seed of the random choice.
        overwrite: replace files with other content.

    Returns:
        the path of the page, and True if all files existed already with the same content.

    Raises:
        InputError: there are fewer than two methods, results are missing, there are fewer pairs than questions, or a
            file exists with other content and ``overwrite`` is false.
    """
    if len(methods) < 2:
        raise InputError("--method", expected="two methods or more, as NAME=FOLDER", found=str(len(methods)))
    results = {name: pairs.results(folder) for name, folder in methods.items()}
    if questions > len(pairs.rows):
        raise InputError(pairs.path, expected=f"{questions} pairs", found=str(len(pairs.rows)))
    files = _files(pairs, methods, results, questions, seed)
    if not overwrite and not (out / "key.json").is_file():
        refuse_existing(out / "images")  # a folder that this command did not write
    with locked(out, "maskgan eval survey"):
        remove_leftovers(out, out / "images")
        kept = keep_or_write_all({out / name: data for name, data in files.items()}, overwrite=overwrite)
    return out / "index.html", kept


def _files(
    pairs: PairList, methods: Mapping[str, Path], results: Mapping[str, Sequence[Path]], questions: int, seed: int
) -> dict[str, bytes]:
    """Return a dict from the path of each file in the survey's folder to the file's content.

    ``results`` has the paths of all results of each method. The last entry of the dict is the page.
    """
    rng = np.random.default_rng(seed)
    chosen = [int(i) for i in rng.permutation(len(pairs.rows))[:questions]]
    key: dict[str, Any] = {
        "protocol": pairs.protocol,
        "split": pairs.split,
        "seed": pairs.seed,
        "pairs": pairs.trace(),
        "methods": {
            name: {"results": trace(methods[name], paths), "weights": generator_of(paths), "size": side_of(paths[0])}
            for name, paths in results.items()
        },
    }
    shown, answers, files = [], {}, {}
    for number, i in enumerate(chosen):
        names = {rng.bytes(8).hex(): method for method in methods}
        # The pictures are encoded again, which removes their records of the generator.
        for token, method in names.items():
            files[f"images/{token}.png"] = encode_image(read_image(results[method][i]), ".png")
        for role in ("source", "target"):
            files[f"images/{number}-{role}.png"] = encode_image(read_image(Path(pairs.rows[i][role])), ".png")
        shown.append({"id": str(number), "options": sorted(names)})
        answers[str(number)] = {"pair": pairs.rows[i]["output"], "options": names}
    key["questions"] = answers
    key["survey"] = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
    survey = {
        "survey": key["survey"],
        "fields": FIELDS,
        "questions": shown,
        "criteria": {"quality": _QUALITY.get(pairs.protocol, _MOUTH), "realism": _REALISM},
    }
    # A script and not JSON, because browsers do not load JSON for a page that is opened from disk.
    files["questions.js"] = f"const SURVEY = {json.dumps(survey, indent=1)};\n".encode()
    files |= {file.name: file.read_bytes() for file in sorted(_PAGE.iterdir())}
    return {**files, "key.json": encode_json(key), "index.html": render("survey.html", count=len(shown)).encode()}


@dataclass(frozen=True)
class Question:
    """A question of the survey.

    Attributes:
        pair: file name of the pair's results.
        options: dict from each random name that the page shows to the method that made the result.
    """

    pair: str
    options: dict[str, str]


@dataclass(frozen=True)
class SurveyMethod:
    """A method whose results the survey shows.

    Attributes:
        results: record (path and hash) of the method's results, see `trace`.
        weights: record (hash) of the weights of the method's generator, see `generator_of`.
        size: side of the method's results in pixels.
    """

    results: dict[str, Any]
    weights: dict[str, dict[str, Any]]
    size: int


@dataclass(frozen=True)
class Key:
    """The content of ``key.json``.

    Attributes:
        survey: identifier of the survey, a hash of the other content.
        protocol, split, seed: settings by which the pairs were chosen.
        pairs: record of the list of pairs, see `trace`.
        methods: dict from the name of each method to its records.
        questions: dict from the number of each question, as text, to the question.
    """

    survey: str
    protocol: str
    split: str
    seed: int
    pairs: dict[str, Any]
    methods: dict[str, SurveyMethod]
    questions: dict[str, Question]


Vote = tuple[str, str, str]  # (participant, question, criterion) identifies an answer


def tally(out: Path, files: Sequence[Path]) -> list[MetricResult]:
    """Compute for each method and criterion the proportion of answers that chose the method's result.

    If a participant answers a question twice, the later answer counts.

    Args:
        out: the survey's folder, which contains ``key.json``.
        files: CSV files that the page exported.

    Returns:
        one result for each method, with the proportion for each criterion.

    Raises:
        InputError: the folder has no survey, or the answers are missing, belong to another survey, or have unknown
            questions or criteria.
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
    """Read ``key.json``.

    Raises:
        InputError: the file cannot be read or is not a valid key.
    """
    expected = "the key of a survey"
    key = checked(TypeAdapter(Key), read_json(path), path, expected)
    for number, question in key.questions.items():
        if unknown := set(question.options.values()) - set(key.methods):
            found = f"question {number} about {min(unknown)}, which is no method"
            raise InputError(path, expected=expected, found=found)
    return key


def _result(key: Key, method: str, votes: Mapping[Vote, str], files: Sequence[Path]) -> MetricResult:
    """Compute the result of one method: the proportion of answers that chose this method, for each criterion.

    Args:
        key: the content of ``key.json``.
        method: name of the method.
        votes: dict from each answer (participant, question, criterion) to the method that was chosen.
        files: the CSV files of the answers, whose hashes are stored with the result.
    """
    values: dict[str, float | None] = {}
    counted: dict[str, Any] = {}
    intervals: dict[str, Interval] = {}
    for name in CRITERIA:
        given = [
            (participant, vote == method) for (participant, _, criterion), vote in votes.items() if criterion == name
        ]
        wins, answers = sum(won for _, won in given), len(given)
        values[f"survey/{name}"] = wins / answers
        counted[name] = {
            "wins": wins,
            "answers": answers,
            "interval_95": wilson(wins, answers),
            "interval_95_by_participant": _by_participant(given),
        }
        # The wider interval is used: the first one is too narrow if the answers of one person are correlated.
        intervals[f"survey/{name}"] = max(
            (counted[name]["interval_95"], counted[name]["interval_95_by_participant"]),
            key=lambda ends: ends[1] - ends[0],
        )
    about = key.methods[method]
    metric, value = next(iter(values.items()))
    answer_files = {f"answers {i}": trace(file, [file]) for i, file in enumerate(files, start=1)}
    return MetricResult(
        metric=metric,
        value=value,
        n=counted["quality"]["answers"],
        method=method,
        protocol=key.protocol,
        split=key.split,
        size=about.size,
        seed=key.seed,
        inputs={"pairs": key.pairs, "results": about.results, **answer_files},
        weights=about.weights,
        values={name: v for name, v in values.items() if name != metric},
        details=counted | {"participants": len({participant for participant, _, _ in votes}), "survey": key.survey},
        intervals=intervals,
    )


def _by_participant(given: Sequence[tuple[str, bool]]) -> Interval:
    """Return the 95 % interval of the proportion of answers in which a method won.

    The bootstrap resamples participants, not answers. ``given`` has (participant, whether the method won) for each
    answer.
    """
    people = {participant: [won for who, won in given if who == participant] for participant, _ in given}
    return of_mean([float(np.mean(own)) for own in people.values()], np.array([len(own) for own in people.values()]))
