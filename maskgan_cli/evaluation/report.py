"""Tables of the JSON results of ``maskgan eval``.

A table has a row for each method, the best values in bold, and the hashes of all inputs and weights below.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from maskgan_cli import __version__
from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.results import MetricResult
from maskgan_cli.pages import render

_NONE, _INFINITE = "–", "∞"

Measured = tuple[float | None, tuple[float, float] | None]  # value and interval


@dataclass(frozen=True)
class Column:
    """Describes how a metric is shown in the columns of a table.

    Attributes:
        heading: name of the metric in the first row of the table.
        factor: number by which values are multiplied, e.g. 100 for percent.
        digits: decimal places.
        more_is_better: whether higher values are better.
    """

    heading: str
    factor: float = 1.0
    digits: int = 2
    more_is_better: bool = True


# The keys are the names of metrics up to the first slash; the part after the slash is added to the heading. Tables have
# their columns in the order of this dict.
COLUMNS: Final[dict[str, Column]] = {
    "attribute_accuracy": Column("attribute acc. (%)", 100),
    "segmentation_accuracy": Column("segmentation acc. (%)", 100),
    "mean_iou": Column("mean IoU (%)", 100),
    "fid": Column("FID", more_is_better=False),
    "frechet": Column("Fréchet distance", digits=3, more_is_better=False),
    "kid": Column("KID x 1000", 1000, more_is_better=False),
    "kernel": Column("kernel distance", digits=4, more_is_better=False),
    "precision": Column("precision (%)", 100),
    "recall": Column("recall (%)", 100),
    "lpips": Column("LPIPS", digits=4, more_is_better=False),
    "identity_accuracy": Column("identity acc. (%)", 100),
    "identity_cosine": Column("identity cosine", digits=3),
    "psnr_inside": Column("PSNR inside (dB)"),
    "psnr_outside": Column("PSNR outside (dB)"),
    "ssim_inside": Column("SSIM inside", digits=3),
    "ssim_outside": Column("SSIM outside", digits=3),
    "feature_distance_inside": Column("feature distance inside", digits=4, more_is_better=False),
    "feature_distance_outside": Column("feature distance outside", digits=4, more_is_better=False),
    "identity_inside": Column("identity inside", digits=3),
    "identity_outside": Column("identity outside", digits=3),
    "survey": Column("wins (%)", 100),
}


class Cell(NamedTuple):
    """A cell of a table.

    Attributes:
        text: the formatted number.
        best: whether the number is the best of its column.
        interval: the formatted 95 % interval; empty if there is none.
    """

    text: str
    best: bool
    interval: str = ""


@dataclass(frozen=True)
class ResultTable:
    """A table of formatted cells, and the files that its numbers depend on.

    Attributes:
        caption: protocol, split, seed, number of pairs and version of this package.
        headings: headings of the columns after the method's name.
        rows: (method, cells) of each row.
        sources: (role, path, SHA-256) of every input that a number depends on; a role is e.g. ``pairs``.
    """

    caption: str
    headings: list[str]
    rows: list[tuple[str, list[Cell]]]
    sources: list[tuple[str, str, str]]


def build_table(results: Sequence[MetricResult]) -> ResultTable:
    """Build a table with a row for each method, from the methods' results for the same pairs.

    Raises:
        InputError: there are no results; their protocols, splits or seeds differ; a method has two values of one
            metric; or the numbers of a column are not comparable.
    """
    if not results:
        raise InputError("the results", expected="JSON files of `maskgan eval`", found="none")
    first = results[0]
    for other in results:
        for name in ("protocol", "split", "seed"):
            a, b = getattr(first, name), getattr(other, name)
            if a != b:
                raise InputError(
                    f"{other.metric} of {other.method}",
                    expected=f"the {name} of the first result, {a!r}",
                    found=repr(b),
                    hint="make one table per protocol",
                )
    numbers: dict[str, dict[str, Measured]] = {}
    measured: dict[str, MetricResult] = {}
    for result in results:
        for metric, value in result.numbers().items():
            _check_comparable(metric, measured.setdefault(metric, result), result)
            column = numbers.setdefault(metric, {})
            if result.method in column:
                raise InputError(
                    f"{metric} of {result.method}", expected="one result", found="two", hint="name them with --method"
                )
            column[result.method] = (value, result.intervals.get(metric))
    metrics = sorted(numbers, key=lambda m: (list(COLUMNS).index(m.split("/")[0]), m))
    methods = list(dict.fromkeys(result.method for result in results))
    cells = {metric: _column(metric, numbers[metric]) for metric in metrics}
    rows = [(method, [cells[metric].get(method, Cell(_NONE, False)) for metric in metrics]) for method in methods]
    return ResultTable(_caption(first), [_heading(m) for m in metrics], rows, _sources(results))


def _check_comparable(metric: str, first: MetricResult, other: MetricResult) -> None:
    """Check that two results of the metric ``metric`` can be compared, i.e. differ only in the method.

    Raises:
        InputError: the metric is unknown, or pairs, masks, real pictures or judge differ.
    """
    if metric.split("/", maxsplit=1)[0] not in COLUMNS:
        raise InputError(f"{metric} of {other.method}", expected=" or ".join(COLUMNS), found="another metric")
    for what, a, b in (
        ("the same number of pictures", first.n, other.n),
        ("the same pairs", _hash(first.inputs, "pairs"), _hash(other.inputs, "pairs")),
        ("the same input masks", _hash(first.inputs, "masks"), _hash(other.inputs, "masks")),
        ("the same reals", _hash(first.inputs, "reals"), _hash(other.inputs, "reals")),
        ("the same judge", _judges(first), _judges(other)),
    ):
        if a != b:
            raise InputError(
                f"{metric} of {other.method}",
                expected=f"{what} as for {first.method}: {a}",
                found=str(b),
                hint="measure both in the same way",
            )


def _hash(entries: dict[str, dict[str, Any]], role: str) -> str:
    """Return the SHA-256 of the input with a role, e.g. ``pairs``; an empty string if there is no such input.

    ``entries`` is the dict `MetricResult.inputs`.
    """
    return str(entries.get(role, {}).get("sha256", ""))


def _judges(result: MetricResult) -> str:
    """Return the hashes of all weights that measured the result, as text; the weights of its generator are left out."""
    return ", ".join(sorted(str(w["sha256"]) for role, w in result.weights.items() if role != "generator"))


def _column(metric: str, values: dict[str, Measured]) -> dict[str, Cell]:
    """Format the column of one metric, and return a dict from the name of each method to its cell.

    Numbers whose formatted texts are equal count as equally good. If all numbers are equal, none is marked as the best.

    Args:
        metric: name of the metric.
        values: dict from the name of each method to the value of the metric and its 95 % interval.
    """
    column = COLUMNS[metric.split("/", maxsplit=1)[0]]
    texts = {method: _shown(value, column) for method, (value, _) in values.items()}
    known = {m: math.inf if text == _INFINITE else float(text) for m, text in texts.items() if text != _NONE}
    best = (max if column.more_is_better else min)(known.values(), default=0.0)
    return {
        method: Cell(texts[method], len(set(known.values())) > 1 and known.get(method) == best, _ends(ends, column))
        for method, (_, ends) in values.items()
    }


def _shown(value: float | None, column: Column) -> str:
    """Format a value with the factor and the decimal places of its column; None and NaN become a dash."""
    if value is None or math.isnan(value):
        return _NONE
    return _INFINITE if value == math.inf else f"{value * column.factor:.{column.digits}f}"


def _ends(ends: tuple[float, float] | None, column: Column) -> str:
    """Format an interval as ``[low, high]``; return an empty string for None and for infinite or NaN ends."""
    if ends is None or not all(map(math.isfinite, ends)):
        return ""
    return "[" + ", ".join(f"{end * column.factor:.{column.digits}f}" for end in ends) + "]"


def _heading(metric: str) -> str:
    """Return the heading of a metric's column, with an arrow that points up if higher values are better."""
    name, _, detail = metric.partition("/")
    column = COLUMNS[name]
    arrow = "↑" if column.more_is_better else "↓"
    return f"{column.heading}{f', {detail}' if detail else ''} {arrow}"


def _caption(result: MetricResult) -> str:
    """Return the caption of a table: protocol, split, seed, number of pairs and version of this package."""
    parts = [f"Protocol {result.protocol or 'none'}", f"split {result.split}" if result.split else ""]
    parts += [f"seed {result.seed}" if result.seed is not None else "", f"n = {result.n}", f"maskgan {__version__}"]
    return ", ".join(part for part in parts if part)


def _sources(results: Sequence[MetricResult]) -> list[tuple[str, str, str]]:
    """Return (role, path, SHA-256) of each input and weights file of the results, without duplicates."""
    found: dict[tuple[str, str, str], None] = {}
    for result in results:
        for role, entry in result.inputs.items():
            name = f"{role} of {result.method}" if role == "results" else role
            found[name, str(entry.get("path", "")), str(entry["sha256"])] = None
        for role, entry in result.weights.items():
            name = f"{role} of {result.method}" if role == "generator" else f"judge: {entry.get('name', role)}"
            found[name, str(entry.get("path", "")), str(entry["sha256"])] = None
    return list(found)


def markdown(table: ResultTable) -> str:
    """Format the table as Markdown, with its caption above and its sources below."""
    rows = [["method", *table.headings], ["---"] * (len(table.headings) + 1)]
    for method, cells in table.rows:
        texts = [f"**{cell.text}**" if cell.best else cell.text for cell in cells]
        rows.append([method, *(f"{text} {cell.interval}".rstrip() for text, cell in zip(texts, cells, strict=True))])
    lines = [f"{_line(table.caption)}.", ""]
    lines += ["| " + " | ".join(_line(c).replace("|", "\\|") for c in row) + " |" for row in rows]
    lines.append("")
    for role, path, sha in table.sources:
        lines.append(f"- {_line(role)}: " + (f"`{_line(path)}` " if path else "") + f"sha256 `{sha}`")
    return "\n".join(lines)


def _line(text: str) -> str:
    """Return text on one line, with ``<`` and backticks replaced, so that untrusted text cannot act as markup."""
    return " ".join(text.split()).replace("<", "&lt;").replace("`", "'")


def to_html(table: ResultTable) -> str:
    """Format the table as an HTML element, with its sources in the footer."""
    return render("report.html", table=table)


def latex(table: ResultTable) -> str:
    """Format the table as LaTeX that needs no packages, with its sources in small print below."""
    rows = [" & ".join(_tex(cell) for cell in ("method", *table.headings)) + r" \\ \hline"]
    for method, cells in table.rows:
        texts = [rf"\textbf{{{_tex(cell.text)}}}" if cell.best else _tex(cell.text) for cell in cells]
        texts = [
            rf"{text} {{\scriptsize {cell.interval}}}" if cell.interval else text
            for text, cell in zip(texts, cells, strict=True)
        ]
        rows.append(" & ".join([_tex(method), *texts]) + r" \\")
    files = [(role, " ".join(rf"\texttt{{{_tex(x)}}}" for x in (path, sha) if x)) for role, path, sha in table.sources]
    notes = [rf"{_tex(role)}: {file}\\" for role, file in files]
    head = [r"\begin{table}", rf"\caption{{{_tex(table.caption)}}}"]
    body = [rf"\begin{{tabular}}{{l{'r' * len(table.headings)}}}", *rows, r"\end{tabular}"]
    return "\n".join([*head, *body, "", r"{\tiny\raggedright", *notes, "}", r"\end{table}"])


_TEX: Final = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "_": r"\_",
        "%": r"\%",
        "&": r"\&",
        "#": r"\#",
        "$": r"\$",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "↑": r"$\uparrow$",
        "↓": r"$\downarrow$",
        "–": "--",
        "∞": r"$\infty$",
    }
)


def _tex(text: str) -> str:
    """Return text on one line, with LaTeX's special characters escaped."""
    return " ".join(text.split()).translate(_TEX)


FORMATS: Final[dict[str, Callable[[ResultTable], str]]] = {"markdown": markdown, "html": to_html, "latex": latex}
