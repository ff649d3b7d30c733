"""Tests of personalisation in the background, and of the animation towards another face."""

from __future__ import annotations

import io
import sys
import time
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskgan_cli.editor import example_faces
from maskgan_cli.editor.learning import Learning
from maskgan_cli.editor.models import Models
from maskgan_cli.editor.serve import EditorServer
from maskgan_cli.editor.session import Session
from maskgan_cli.editor.video import encode_video
from maskgan_cli.errors import InputError
from tests.editor.conftest import Client
from tests.editor.person import begin, result, settled, until


def test_the_animation_towards_another_face(client: Client) -> None:
    session = client.post("api/sessions?example=rendered-0").json()["id"]
    client.post(f"api/sessions/{session}/others?example=rendered-1")
    answer = client.get(f"api/sessions/{session}/animation.gif?other=1&frames=3")
    assert answer.headers["content-type"] == "image/gif"
    assert "Rendered%20face%201-animation.gif" in answer.headers["content-disposition"]
    with Image.open(io.BytesIO(answer.content)) as image:
        assert getattr(image, "n_frames", 1) == 3 and image.size == (256, 256)
        pictures = []
        for number in range(3):
            image.seek(number)
            pictures.append(np.asarray(image.convert("RGB")).astype(int))
    face = example_faces.rendered("rendered-0").picture.astype(int)
    away = [np.abs(picture - face).mean() for picture in pictures]
    assert away[0] < 6 < away[2] and away[0] < away[1] < away[2]  # 256 colours are a little off
    assert client.get(f"api/sessions/{session}/animation.gif?other=2").status_code == 422


def test_a_video_needs_pyav(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    session = client.post("api/sessions?example=rendered-0").json()["id"]
    client.post(f"api/sessions/{session}/others?example=rendered-1")
    monkeypatch.setitem(sys.modules, "av", None)  # as if it were not installed
    answer = client.get(f"api/sessions/{session}/animation.mp4?other=1&frames=3")
    assert answer.status_code == 422
    assert "`pip install av`, or save a GIF" in answer.json()["error"]


def test_a_video_shows_every_picture() -> None:
    av = pytest.importorskip("av", reason="PyAV is not installed")
    faces = [example_faces.rendered(f"rendered-{number}").picture for number in (0, 1)]
    with av.open(io.BytesIO(encode_video(faces))) as file:
        shown = [frame.to_ndarray(format="rgb24").astype(int) for frame in file.decode(video=0)]
    assert len(shown) == 16, "the first and the last picture are held"
    for frame, face in ((shown[0], faces[0]), (shown[-1], faces[1])):
        assert np.abs(frame - face).mean() < 6, "the format halves the resolution of colours"


@pytest.mark.slow
def test_personalised_weights_are_trained_and_used(page: Any, editor: EditorServer) -> None:
    editor.context.learning.steps = 2
    begin(page, editor)
    page.evaluate("editor.mask.data.fill(13, 256 * 90, 256 * 150); editor.commit('brush')")
    settled(page)
    before = result(page)
    page.click("#tab-others")
    assert "minutes" in page.inner_text("#learn-note")
    page.click("#learn")
    page.wait_for_selector("#learning:not([hidden])")
    page.evaluate("editor.mask.data.fill(13, 0, 2560); editor.undo(); editor.redo()")  # one can go on
    page.wait_for_selector("#personal-choice:not([hidden])", timeout=300_000)
    settled(page)
    learned = result(page)
    assert learned != before
    page.uncheck("#personal")
    until(page, "editor.session.personal === false && editor.live.done")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(result(page)))), np.asarray(Image.open(io.BytesIO(before))))
    page.check("#personal")
    until(page, "editor.session.personal && editor.live.done")
    assert result(page) == learned
    first = page.evaluate("editor.session.id")
    page.click("#open")
    page.click("#examples [data-name=rendered-0]")
    until(page, f"editor.session.id !== '{first}'")
    assert page.evaluate("editor.session.learned")  # it is kept for this face


@pytest.mark.slow
def test_personalisation_can_be_cancelled_and_runs_one_at_a_time(
    models: Models, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("people")
    learning = Learning(folder, models.files, steps=50)
    one, other = (
        Session.begin(tmp_path_factory.mktemp("store"), example_faces.rendered(f"rendered-{k}"), "x") for k in (0, 1)
    )
    assert learning.state(one) == {"state": "none"}
    learning.start(one)
    assert learning.state(one)["state"] == "running" and learning.state(other) == {"state": "none"}
    with pytest.raises(InputError, match="one person at a time"):
        learning.start(other)
    until_ = time.monotonic() + 120
    while not learning.state(one).get("done") and time.monotonic() < until_:
        time.sleep(0.2)
    assert learning.state(one)["seconds_left"] is not None
    learning.cancel()
    assert learning.state(one) == {"state": "none"} and not list(folder.iterdir())
