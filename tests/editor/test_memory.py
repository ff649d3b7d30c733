"""The server's memory while a face is edited for a long time."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import numpy as np
import pytest

from maskgan_cli.editor import library
from maskgan_cli.labels import ID
from tests.editor.conftest import Client

EDITS, WARM = 500, 100


def _resident() -> float:
    """Memory of this process, the server's thread in it, in MB (Linux)."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_flat_over_500_edits(client: Client) -> None:
    """Strokes and sliders in turn, each with its preview and its full picture; two sessions, as two tabs have."""
    rng, labels = np.random.default_rng(0), library.rendered("rendered-0").labels
    sessions = [client.post("api/sessions?example=rendered-0").json()["id"] for _ in range(2)]
    side, after_warm = len(labels), 0.0
    for number in range(EDITS):
        session = sessions[number % 2]
        if number % 4 < 2:
            mask = labels.copy()
            x, y = rng.integers(side // 4, 3 * side // 4, 2)
            mask[y - 4 : y + 4, x - 4 : x + 4] = rng.integers(1, len(ID))
            data = mask.tobytes()
        else:
            places = ",".join(f"{name}:{rng.uniform(-0.8, 0.8):.2f}" for name in ("smile", "open-mouth"))
            data = client.post(f"api/sessions/{session}/compose", labels.tobytes(), params={"sliders": places}).content
        for half, preview in enumerate(("true", "false")):
            values = {"revision": 2 * number + half + 1, "preview": preview}
            assert client.post(f"api/sessions/{session}/render", data, params=values).status_code == 200
        if number == WARM - 1:
            after_warm = _resident()
    grown = _resident() - after_warm
    assert grown < 25, f"{grown:.1f} MB more after {EDITS - WARM} edits"
