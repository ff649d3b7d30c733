"""Tests of composed masks without a browser: base mask, sliders and accessories."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maskgan_cli.editing.masks.library import item
from maskgan_cli.editing.masks.shapes import wear
from maskgan_cli.editor import example_faces
from maskgan_cli.editor.composed_mask import Composer, Composition, slider_range
from maskgan_cli.editor.edited_face import EditedFace
from maskgan_cli.editor.models import Models
from maskgan_cli.editor.session import Session
from maskgan_cli.errors import InputError
from maskgan_cli.labels import ID
from tests.editor.conftest import Client


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session.begin(tmp_path / "store", example_faces.rendered("rendered-0"), "a face")


def test_sliders_are_applied_in_order_to_the_base(
    session: Session, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, composer = session.face.labels, Composer()
    how = Composition.parsed("smile:0.5,open-mouth:0.8", "")
    wanted = models.directions.move(base, "smile", 0.5)
    wanted = models.directions.move(wanted, "open-mouth", 0.8)
    assert np.array_equal(composer(session, models, base, how), wanted)
    calls: list[str] = []
    real = models.directions.move
    monkeypatch.setattr(
        models.directions, "move", lambda labels, name, amount: (calls.append(name), real(labels, name, amount))[1]
    )
    composer(session, models, base, Composition.parsed("smile:0.5,open-mouth:0.6", ""))
    assert calls == ["open-mouth"]  # what comes before it is known
    assert np.array_equal(composer(session, models, base, Composition()), base)


def test_glasses_are_removed(session: Session, models: Models) -> None:
    worn = wear(session.face.labels, item("glasses-round"))
    assert (worn == ID["eye_g"]).sum() > 100
    bare = Composer()(session, models, worn, Composition.parsed("", "glasses"))
    assert not (bare == ID["eye_g"]).any()
    assert np.array_equal(bare[worn != ID["eye_g"]], worn[worn != ID["eye_g"]])


def test_a_slider_without_effect_has_no_range(session: Session, models: Models, tmp_path: Path) -> None:
    low, high = models.directions.range(session.face.labels, "smile")
    found = slider_range(session, models, "smile")
    assert found is not None and max(low, -1) <= found[0] <= 0 < found[1] <= min(high, 1)
    labels = session.face.labels.copy()
    labels[np.isin(labels, [ID[name] for name in ("mouth", "u_lip", "l_lip")])] = ID["skin"]
    masked = Session.begin(tmp_path / "other", EditedFace(session.face.picture, labels), "a mask over the mouth")
    assert slider_range(masked, models, "smile") is None and slider_range(masked, models, "raise-brows")
    with pytest.raises(InputError, match="the slider"):
        slider_range(session, models, "grin")


@pytest.mark.parametrize("text", ["smile", "smile:x", "smile:nan", "smile:9", "grin:0.5", "other-x:1", "other-1234:1"])
def test_invalid_compositions_are_one_line(text: str, client: Client) -> None:
    with pytest.raises(InputError):
        Composition.parsed(text, "")
    session = client.post("api/sessions?example=rendered-0").json()["id"]
    answer = client.post(f"api/sessions/{session}/compose", bytes(256 * 256), params={"sliders": text})
    assert answer.status_code == 422 and "error" in answer.json()
    for path, name in (("compose", "removed"), ("render?revision=1", "items")):
        answer = client.post(f"api/sessions/{session}/{path}", bytes(256 * 256), params={name: "moustache"})
        assert answer.status_code == 422
