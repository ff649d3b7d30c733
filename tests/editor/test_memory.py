"""Memory of the server and of the page while a face is edited for a long time."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskgan_cli.editor import example_faces
from maskgan_cli.editor.serve import EditorServer
from maskgan_cli.labels import ID
from tests.editor.conftest import Client
from tests.editor.person import begin

EDITS, WARM = 500, 100
# Strokes of a small brush and, every fifth time, a slider; each until its full picture is shown.
_EDIT = """async ([first, count]) => {
  for (let number = first; number < first + count; number++) {
    if (number % 5) {
      const at = (k) => editor.mask.side * (0.35 + 0.3 * ((number * k) % 97) / 97);
      editor.tools.value = 1 + number % 13;
      editor.tools._newStroke(false).to(at(31), at(53));
      editor.commit("brush", { brush: true });
    } else {
      editor.composition.set("smile", 0.1 + (number % 7) / 20);
      await editor.panels.sliders.compose(`smile ${number}`);
    }
    await editor.live.settled();
  }
  return editor.history.index;
}"""


def _resident() -> float:
    """Memory of this process, the server's thread in it, in MB (Linux)."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_flat_over_500_edits(client: Client) -> None:
    """Strokes and sliders in turn, each with its preview and its full picture; two sessions, as two tabs have."""
    rng, labels = np.random.default_rng(0), example_faces.rendered("rendered-0").labels
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


def page_memory(protocol: Any) -> float:
    """What the page's scripts hold after a garbage collection, in MB: heap and buffers."""
    protocol.send("HeapProfiler.collectGarbage")
    used = protocol.send("Runtime.getHeapUsage")
    return float(used["usedSize"] + used.get("backingStorageSize", 0)) / 2**20


@pytest.mark.slow
def test_the_pages_memory_is_flat_over_500_edits(page: Any, editor: EditorServer) -> None:
    """And that of the server, which is a thread of this process."""
    begin(page, editor)
    protocol = page.context.new_cdp_session(page)
    held: list[float] = []
    resident: list[float] = []
    for start in range(0, EDITS, WARM):
        assert page.evaluate(_EDIT, [start, WARM]) == start + WARM
        held.append(page_memory(protocol))
        resident.append(_resident())
        print(f"{start + WARM} edits: page {held[-1]:.2f} MB, server {resident[-1]:.1f} MB", flush=True)
    assert held[-1] - held[0] < 5, held  # the steps of the undo history are kept
    assert resident[-1] - resident[0] < 25, resident
