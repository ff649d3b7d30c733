"""Tests of the first steps, feedback and layout: desktop, phone in portrait and landscape, light and dark."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskgan_cli.data.alignment import points_of_mask
from maskgan_cli.editing.masks.library import item
from maskgan_cli.editing.masks.shapes import wear
from maskgan_cli.editor import example_faces
from maskgan_cli.editor.serve import EditorServer
from maskgan_cli.labels import ID
from tests.editor.person import begin, composed, mask, settled, slide, until
from tests.editor.test_keyboard import CONTRAST

DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
ON_ITS_SIDE = {"viewport": {"width": 844, "height": 390}, "has_touch": True, "is_mobile": True}

# What a control is called, as browsers compute it; what is on the screen and has no name; what is too small to hit
_CHECK = """() => {
  const shown = (one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest("[inert]");
  const named = (id) => document.getElementById(id);
  const name = (one) => one.getAttribute("aria-label") || one.textContent.trim() || one.placeholder
    || one.labels?.[0]?.textContent.trim() || named(one.getAttribute("aria-labelledby"))?.textContent;
  const all = (selector) => [...document.querySelectorAll(selector)];
  const controls = all("button, input, select, progress, [role=tab], [tabindex='0']").filter(shown);
  const ids = all("[id]").map(({ id }) => id), links = ["aria-controls", "aria-labelledby", "for"];
  const bad = {
    nameless: controls.filter((one) => !name(one)),
    dangling: all("[aria-controls], [aria-labelledby], label[for]").filter((one) =>
      links.some((key) => one.hasAttribute(key) && !named(one.getAttribute(key)))),
    pictures: [...document.images].filter((one) => !one.hasAttribute("alt")),
    positive: all("[tabindex]").filter((one) => one.tabIndex > 0),
    outside: controls.filter((one) => !one.closest("#panels, #tools, #more-options")).filter((one) => {
      const { left, right, top, bottom, width } = one.getBoundingClientRect();
      return width && (left < 0 || top < 0 || right > innerWidth + 0.5 || bottom > innerHeight + 0.5);
    }),
  };
  const doubled = ids.filter((id, k) => ids.indexOf(id) !== k);
  const told = Object.entries(bad).map(([key, list]) => [key, list.map((one) => one.outerHTML)]);
  return { doubled, ...Object.fromEntries(told) };
}"""
CLEAN: dict[str, list[str]] = {
    "nameless": [],
    "doubled": [],
    "dangling": [],
    "pictures": [],
    "positive": [],
    "outside": [],
}


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
@pytest.mark.parametrize("options", [DESKTOP, PHONE, ON_ITS_SIDE], ids=["desktop", "phone", "phone on its side"])
def test_all_controls_have_names_fit_and_are_legible(
    page: Any, editor: EditorServer, options: dict[str, Any], scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(editor.url)
    page.wait_for_selector("#welcome[open]")
    assert page.evaluate(CONTRAST) == []
    page.click("#examples button[data-name=rendered-0]")
    page.wait_for_selector("#welcome", state="hidden")
    settled(page)
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (ground == "rgb(20, 22, 28)") == (scheme == "dark")
    for tab in page.evaluate(
        "[...document.querySelectorAll('#tabs button')].filter((t) => t.offsetParent).map((t) => t.id)"
    ):
        page.click(f"#{tab}")
        assert page.evaluate(_CHECK) == CLEAN, tab
        assert page.evaluate(CONTRAST) == [], tab
    width, height = page.evaluate("[innerWidth, innerHeight]")
    assert page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [
        width,
        height,
    ]
    if width < 1000:  # the options are one row that fits
        page.click("#tool-brush")
        box = page.locator("#options").bounding_box()
        assert box["height"] < 60
        assert page.evaluate(
            "(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)(document.getElementById('options'))"
        )
        page.click("#more")
        assert page.is_visible("#finish") and page.is_visible("#mirror")
        page.click("#more")
        assert page.is_hidden("#finish")
        page.click("#help")
        assert page.is_visible("#gestures")
    assert page.evaluate("editor.view.canvas.clientHeight") > 0.33 * height


@pytest.mark.slow
def test_the_first_tool_is_harmless_and_the_hint_disappears(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    before = mask(page)
    box = page.locator("#canvas").bounding_box()
    for share in (0.2, 0.25, 0.3):
        page.mouse.click(box["x"] + share * box["width"], box["y"] + 0.5 * box["height"])
    assert np.array_equal(mask(page), before) and page.evaluate("editor.history.index") == 0
    assert page.is_visible("#hint") and page.locator("#hint li").count() == 3
    slide(page, "smile", 0.5)
    assert page.locator("#hint li.done").count() == 1
    page.focus("#canvas")
    page.keyboard.down("c")
    page.keyboard.up("c")
    assert page.locator("#hint li.done").count() == 2
    page.keyboard.press("Control+s")
    with page.expect_download():
        page.click("#save-photo")
    page.keyboard.press("Escape")
    page.wait_for_selector("#hint", state="hidden")
    page.reload()
    page.wait_for_selector("#undo:enabled")
    assert page.is_hidden("#hint")


@pytest.mark.slow
def test_rendering_is_announced_at_once_and_a_bar_appears_after_a_second(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    assert page.inner_text("#status") == "" and page.is_hidden("#bar") and page.is_hidden("#debug")
    page.evaluate("""() => {
      const { _ask } = editor.live;
      editor.live._ask = async function (...values) {
        await new Promise((resolve) => setTimeout(resolve, 900));
        return _ask.apply(this, values);
      };
      editor.commit("slow");
    }""")
    assert page.inner_text("#status") == "Painting …" and page.is_hidden("#bar")
    page.wait_for_selector("#bar", state="visible")
    settled(page)
    assert page.inner_text("#status") == "" and page.is_hidden("#bar")
    assert page.inner_text("#said") == "The picture is done"
    assert page.get_attribute("#said", "role") == "status"
    page.goto(page.url.replace("#", "?debug#"))
    until(page, "globalThis.editor?.session && editor.live.done")
    assert page.inner_text("#debug").endswith("ms")


@pytest.mark.slow
@pytest.mark.parametrize("options", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_first_edits_and_saving(page: Any, editor: EditorServer, options: dict[str, Any], tmp_path: Path) -> None:
    """With visible controls only, in much less than a minute."""
    from maskgan_cli.editor.edited_face import face_of
    from maskgan_cli.editor.session import Session
    from maskgan_cli.files import encode_image

    face = face_of(example_faces.photo(), editor.models)
    worn = wear(face.labels, item("glasses-round"), points_of_mask(face.labels))  # as if the parser had seen glasses
    object.__setattr__(face, "labels", worn)
    session = editor.store.put(
        Session.begin(editor.store.root, face, "anna.jpg", encode_image(example_faces.photo(), ".jpg"))
    )
    page.goto(f"{editor.url}#{session.id}")
    until(page, "globalThis.editor?.session")
    since = time.monotonic()
    box = page.get_by_label("Smile", exact=True).bounding_box()
    page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + box["height"] / 2)
    composed(page)
    page.get_by_role("button", name="Remove glasses").click()
    composed(page)
    page.get_by_role("button", name="Save", exact=True).click()
    with page.expect_download() as download:
        page.locator("#save-photo").click()
    assert time.monotonic() - since < 60
    assert download.value.suggested_filename == "anna-edited.jpg"
    with Image.open(download.value.path()) as saved:
        assert saved.size == (512, 512)
    after = editor.store.get(session.id).labels
    assert not (after == ID["eye_g"]).any() and (after != worn).sum() > (worn == ID["eye_g"]).sum()
