"""Tables: best values, comparable results, formats, hashes of inputs and weights."""

from __future__ import annotations

import hashlib
import json
import math
import re
from html.parser import HTMLParser
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.report import Cell, build_table, latex, markdown, to_html
from maskgan_cli.evaluation.results import MetricResult, generator_of, read_results
from maskgan_cli.files import write_image, write_json

GREY = np.full((4, 4, 3), 128, np.uint8)


def _result(metric: str, value: float | None, method: str, **changes: Any) -> MetricResult:
    sha = hashlib.sha256(method.encode()).hexdigest()
    settings: dict[str, Any] = {
        "n": 400,
        "protocol": "smiling",
        "split": "test",
        "size": 256,
        "seed": 0,
        "inputs": {
            "results": {"path": f"r/{method}", "sha256": sha, "files": 400},
            "pairs": {"path": "pairs.csv", "sha256": "a" * 64, "files": 1},
        },
        "weights": {
            "judge": {"name": "attributes", "path": "judge", "sha256": "b" * 64},
            "generator": {"sha256": sha[::-1]},
        },
    }
    return MetricResult(metric, value, method=method, **{**settings, **changes})


RESULTS = [
    _result("attribute_accuracy", 0.7251, "star_gan"),
    _result("segmentation_accuracy", 0.9, "star_gan", values={"mean_iou": 0.5}),
    _result("fid", 30.0, "star_gan"),
    _result("attribute_accuracy", 0.5, "maskgan"),
    _result("segmentation_accuracy", 0.95, "maskgan", values={"mean_iou": 0.5}),
    _result("fid", 20.456, "maskgan"),
]


def test_the_best_value_of_each_column_is_bold() -> None:
    table = build_table(RESULTS)
    assert table.headings == ["attribute acc. (%) ↑", "segmentation acc. (%) ↑", "mean IoU (%) ↑", "FID ↓"]
    assert [(method, [cell[:2] for cell in cells]) for method, cells in table.rows] == [
        ("star_gan", [("72.51", True), ("90.00", False), ("50.00", False), ("30.00", False)]),
        ("maskgan", [("50.00", False), ("95.00", True), ("50.00", False), ("20.46", True)]),
    ]
    assert "Protocol smiling, split test, seed 0, n = 400" in table.caption


def test_markdown_html_and_latex_have_the_same_numbers_and_all_hashes() -> None:
    table = build_table(RESULTS)
    texts = {"md": markdown(table), "html": to_html(table), "tex": latex(table)}
    hashes = {e["sha256"] for r in RESULTS for part in (r.inputs, r.weights) for e in part.values()}
    for text in texts.values():
        assert all(value in text for value in hashes)
        assert all(number in text for number in ("72.51", "20.46"))
    assert "| maskgan | 50.00 | **95.00** | 50.00 | **20.46** |" in texts["md"]
    assert r"star\_gan & \textbf{72.51} & 90.00 & 50.00 & 30.00 \\" in texts["tex"]
    assert texts["tex"].count("{") - texts["tex"].count(r"\{") == texts["tex"].count("}") - texts["tex"].count(r"\}")

    class Cells(HTMLParser):
        found: list[str] = []  # noqa: RUF012

        def handle_data(self, data: str) -> None:
            self.found.append(data.strip())

    parser = Cells()
    parser.feed(texts["html"])
    assert [c for c in parser.found if re.fullmatch(r"[\d.]+", c)] == [
        "72.51",
        "90.00",
        "50.00",
        "30.00",
        "50.00",
        "95.00",
        "50.00",
        "20.46",
    ]
    assert "<td><b>95.00</b></td>" in texts["html"]


def test_a_frechet_distance_with_other_features_is_not_called_fid() -> None:
    table = build_table([_result("frechet/attributes", 1.5, "a"), _result("fid", 2.0, "a")])
    assert table.headings == ["FID ↓", "Fréchet distance, attributes ↓"]
    assert table.rows == [("a", [Cell("2.00", False), Cell("1.500", False)])], (
        "a single method is not marked as the best"
    )


def test_missing_values_are_dashes() -> None:
    table = build_table([_result("fid", 2.0, "a"), _result("psnr_inside", None, "b")])
    assert table.rows[0][1][1] == table.rows[1][1][0] == table.rows[1][1][1] == Cell("–", False)


def test_an_infinite_psnr_is_the_best_also_when_read_from_a_file(tmp_path: Path) -> None:
    results = [
        _result("psnr_inside", 31.4, "blurred"),
        _result("psnr_inside", math.inf, "perfect"),
        _result("psnr_inside", math.nan, "unknown"),
    ]
    path = write_json(tmp_path / "r.json", [result.document() for result in results])
    for listed in (results, read_results(path)):
        table = build_table(listed)
        assert table.rows == [
            ("blurred", [Cell("31.40", False)]),
            ("perfect", [Cell("∞", True)]),
            ("unknown", [Cell("–", False)]),
        ]
    assert r"\textbf{$\infty$}" in latex(table)
    assert "| perfect | **∞** |" in markdown(table)


def test_a_share_is_shown_with_its_interval() -> None:
    result = _result("attribute_accuracy", 0.7251, "a", intervals={"attribute_accuracy": (0.6795, 0.7666)})
    table = build_table([result, _result("attribute_accuracy", 0.5, "b", intervals={"attribute_accuracy": (nan, nan)})])
    assert table.rows[0][1] == [Cell("72.51", True, "[67.95, 76.66]")]
    assert table.rows[1][1] == [Cell("50.00", False)]
    assert "| a | **72.51** [67.95, 76.66] |" in markdown(table)
    assert "<td><b>72.51</b> <small>[67.95, 76.66]</small></td>" in to_html(table)
    assert r"a & \textbf{72.51} {\scriptsize [67.95, 76.66]} \\" in latex(table)


def test_names_cannot_break_a_table() -> None:
    table = build_table([_result("fid", 1.0, "<b>a</b>\n| b |\x0b`c`")])
    lines = [line for line in markdown(table).splitlines() if "1.00" in line]
    assert lines == ["| &lt;b>a&lt;/b> \\| b \\| 'c' | 1.00 |"]
    assert "&lt;b&gt;a&lt;/b&gt;" in to_html(table)
    assert "\n| b" not in latex(table)


@pytest.mark.parametrize(
    ("other", "line"),
    [
        (_result("fid", 1.0, "b", protocol="identity"), "expected the protocol of the first result, 'smiling', found"),
        (_result("fid", 1.0, "b", seed=1), "expected the seed"),
        (_result("fid", 1.0, "b", n=10), "expected the same number of pictures as for a: 400, found 10"),
        (_result("fid", 1.0, "b", inputs={"results": {"sha256": ""}, "pairs": {"sha256": "c"}}), "the same pairs"),
        (_result("fid", 1.0, "b", weights={"judge": {"sha256": "other"}}), "the same judge"),
        (_result("fid", 1.0, "a"), "fid of a: expected one result, found two"),
        (_result("beauty", 1.0, "a"), "found another metric"),
    ],
)
def test_results_that_are_not_comparable_raise_errors(other: MetricResult, line: str) -> None:
    with pytest.raises(InputError, match=line):
        build_table([_result("fid", 2.0, "a"), other])


def test_results_are_read_and_other_files_raise_errors(tmp_path: Path) -> None:
    path = write_json(tmp_path / "r.json", [r.document() for r in RESULTS])
    assert read_results(path) == RESULTS
    infinite = _result("psnr_inside", float("inf"), "a", values={"psnr_outside": nan}).document()
    assert json.loads(json.dumps(infinite, allow_nan=False))["value"] is None
    assert (infinite["infinite"], infinite["values"]) == (["psnr_inside"], {"psnr_outside": None})
    good = RESULTS[0].document()
    changes: dict[str, dict[str, Any]] = {
        "found extra: unexpected": {"extra": 1},
        "found n: input should be a valid int": {"n": "many"},
        "found value: input should be a valid number": {"value": "0.5"},
        r"found values\.fid: input": {"values": {"fid": []}},
        "found its text: invalid json": {"method": "\ud800"},
        r"found inputs\.pairs: input should be an object": {"inputs": {"pairs": "x"}},
        "found no sha256 of pairs": {"inputs": {"pairs": {}}},
        "found no sha256 of judge": {"weights": {"judge": {"sha256": 5}}},
        "found seed: input": {"seed": 0.5},
        r"found intervals\.fid": {"intervals": {"fid": [1]}},
    }
    wrong: list[tuple[Any, str]] = [
        ([1], "found int"),
        ("x", "found str"),
        ([[]], "found list"),
        ({"metric": "fid"}, "found value: field required"),
    ]
    for value, line in [*wrong, *((good | change, line) for line, change in changes.items())]:
        with pytest.raises(InputError, match=line):
            read_results(write_json(tmp_path / "x.json", value))
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match=r"deep\.json: .*found a document that is nested too deeply"):
        read_results(tmp_path / "deep.json")


def test_the_generators_hash_is_read_from_the_pictures(tmp_path: Path) -> None:
    picture = write_image(tmp_path / "a.png", GREY, note={"weights": "w1"})
    also = write_image(tmp_path / "b.png", GREY, note={"weights": "w1"})
    assert generator_of([picture, also]) == {"generator": {"sha256": "w1"}}
    other = write_image(tmp_path / "c.png", GREY, note={"weights": "w2"})
    bare = write_image(tmp_path / "d.png", GREY)
    assert generator_of([bare]) == {}
    for mixed in (other, bare):
        with pytest.raises(InputError, match="made with the same weights as"):
            generator_of([picture, mixed])
