"""Tests of the statistics of a benchmark result."""

from __future__ import annotations

import pytest

from maskgan_cli.bench.figure import Case, Figure


def figure(*seconds: float, count: int = 1) -> Figure:
    halves = tuple(s / 2 for s in seconds)
    return Figure(Case("synth", "64 px"), "face", count, {"size": 64}, seconds, halves, 100.0, None)


def test_quantiles_and_rates() -> None:
    found = figure(0.5, 0.1, 0.2, 0.3, 0.4, count=6)
    assert found.p50 == 0.3
    assert found.p95 == pytest.approx(0.48)  # linear interpolation between the fourth and fifth value
    assert found.per_second == pytest.approx(20.0)
    assert found.processor_each == pytest.approx(0.025)


def test_document_is_one_flat_object() -> None:
    assert figure(0.5, count=2).document() == {
        "what": "synth",
        "case": "64 px",
        "unit": "face",
        "count": 2,
        "rounds": 1,
        "p50_ms": 500.0,
        "p95_ms": 500.0,
        "per_second": 4.0,
        "processor_ms_each": 125.0,
        "peak_memory_mb": 100.0,
        "device_memory_mb": None,
        "size": 64,
    }
