"""Nothing here is collected unless it is asked for: `make test-hard`, or ``-m hard``."""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hard.stages import Stage, end_all, served, stages, warm_up
from tests.hard.stock import Stock

Figures = Callable[..., None]
LIMIT = int(os.environ.get("HARD_LIMIT", "5400"))  # seconds for one test: what hangs shall not hang for ever


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """These tests take most of an hour."""
    return True if "hard" not in str(config.option.markexpr).replace("not hard", "") else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Each test ends, well or not, within its limit, and so does what it started."""

    def too_long(*_: object) -> None:
        raise TimeoutError(f"{item.name} did not end within {LIMIT} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LIMIT)
    try:
        return (yield)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        end_all()


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    """What everything begins with."""
    made = Stock(tmp_path_factory.mktemp("hard") / "stock")
    made.make()
    return made


@pytest.fixture(scope="session")
def all_stages(stock: Stock) -> Iterator[dict[str, Stage]]:
    """What is killed and stopped; a server for what downloads."""
    warm_up()
    with served({"netB.pth": stock.published_blender.read_bytes()}, seconds=0.3) as url:
        yield {stage.name: stage for stage in stages(stock, f"{url}/netB.pth")}


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Random numbers of this test's own, the same in every run."""
    return random.Random(request.node.name)


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """Notes a test's figures for `tests.hard.report`."""

    def note(**values: Any) -> None:
        folder = Path(os.environ.get("HARD_FIGURES", ".cache/hard"))
        folder.mkdir(parents=True, exist_ok=True)
        name = "".join(c if c.isalnum() else "-" for c in request.node.name)
        (folder / f"{name}.json").write_text(json.dumps({"test": request.node.name, **values}, indent=1) + "\n")

    return note
