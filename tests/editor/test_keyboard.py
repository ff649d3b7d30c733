"""Tests with the keyboard and for screen readers: all controls are reachable, named and announced."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskgan_cli.editor.serve import EditorServer
from maskgan_cli.labels import ID
from tests.editor.person import begin, mask, settled

_MOUTH = [ID["mouth"], ID["u_lip"], ID["l_lip"]]


def said(page: Any) -> str:
    """The latest announcement to screen readers."""
    return str(page.inner_text("#said"))


def test_a_face_is_edited_and_saved_with_keys_only(page: Any, editor: EditorServer) -> None:
    page.goto(editor.url)
    page.wait_for_selector("#welcome[open]")
    page.keyboard.press("Tab")  # from the first example to the second
    assert page.evaluate("document.activeElement.dataset.name") == "rendered-0"
    page.keyboard.press("Enter")
    page.wait_for_selector("#welcome", state="hidden")
    settled(page)
    before = mask(page)

    page.keyboard.press("/")
    page.keyboard.type("upper")
    page.keyboard.press("Enter")  # chooses it, and the picture has the focus
    assert page.evaluate("document.activeElement.id") == "canvas"
    assert said(page) == "Upper lip"
    page.keyboard.press("ArrowRight")
    assert said(page).endswith("132 across, 128 down")
    page.keyboard.press("Enter")
    painted = mask(page)
    changed = painted != before
    assert 130 < changed.sum() < 180 and changed[128, 132] and set(np.unique(painted[changed])) == {ID["u_lip"]}

    # The announcement of the finished picture may follow at once, so all of them are kept.
    page.evaluate(
        """() => { const place = document.querySelector("#said"); window.heard = [];
        const options = {childList: true, characterData: true, subtree: true};
        new MutationObserver(() => window.heard.push(place.innerText)).observe(place, options); }"""
    )
    page.keyboard.press("Control+z")
    assert np.array_equal(mask(page), before)
    assert "Undone: Brush: upper lip" in page.evaluate("window.heard")
    page.keyboard.press("p")
    for keys in (
        "Enter",
        "Shift+ArrowRight",
        "Enter",
        "Shift+ArrowDown",
        "Enter",
        "Enter",
    ):  # three corners, the last twice
        page.keyboard.press(keys)
    triangle = mask(page) != before
    assert abs(triangle.sum() - 16 * 16 / 2) < 20 and page.evaluate("editor.tools.points.length") == 0
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+s")
    page.wait_for_selector("#export-dialog[open]")
    assert page.evaluate("document.activeElement.id") == "save-photo"


def test_a_part_is_moved_scaled_and_rotated_with_keys(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    before = mask(page)
    rows, columns = np.nonzero(np.isin(before, _MOUTH))
    page.focus("#canvas")
    page.keyboard.press("v")
    page.evaluate(
        "([x, y]) => { editor.tools.hover = { x, y, pane: editor.view.panes()[0] }; }",
        [float(columns.mean()), float(rows.mean())],
    )
    page.keyboard.press("Enter")

    def extent() -> tuple[int, int, float]:
        """Width and height of the mouth, and the row of its centre."""
        rows, columns = np.nonzero(np.isin(mask(page), _MOUTH))
        return int(np.ptp(columns)), int(np.ptp(rows)), float(rows.mean())

    width, height, middle = extent()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    assert extent() == (width, height, middle + 3)
    for _ in range(6):
        page.keyboard.press("Shift+ArrowRight")
    assert extent()[0] == pytest.approx(1.3 * width, abs=2) and extent()[1] == height
    for _ in range(5):
        page.keyboard.press("Alt+ArrowRight")
    assert extent()[1] > height + 4
    for _ in range(14):
        page.keyboard.press("Control+z")
    assert np.array_equal(mask(page), before)


def test_tab_moves_between_groups_and_arrows_within_them(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    page.focus("#help")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "tool-move"  # which the page begins with
    page.keyboard.press("Home")
    assert page.evaluate("document.activeElement.id") == "tool-brush"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.evaluate("[document.activeElement.id, editor.tools.tool]") == ["tool-eraser", "eraser"]
    assert said(page).startswith("Eraser (E)")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "canvas"
    page.focus("#class-list [aria-selected=true]")
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    assert said(page) == "Background"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#class-list')") is None
    page.focus("#tab-shape")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector("#others", state="visible")
    slider = page.locator("#opacity")
    slider.focus()
    slider.press("Home")
    assert page.evaluate("editor.view.opacity") == 0


def test_all_controls_have_accessible_names(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    page.keyboard.press("b")
    tree = page.locator("body").aria_snapshot()
    for wanted in (
        'toolbar "Tools"',
        'button "Brush" [pressed]',
        'button "Pipette"',
        'button "Undo" [disabled]',
        'group "View (Q)"',
        'button "Both" [pressed]',
        'tablist "Panels"',
        'tab "Edit" [selected]',
        'slider "Smile"',
        'slider "Size',
        'checkbox "Mirror"',
        'combobox "Paint over',
        'listbox "Classes of the mask"',
        'option "Lower lip" [selected]',
        'application "The face and its mask.',
        'button "Zoom in"',
        'button "Save"',
        'group "Recently used classes"',
        'searchbox "Search classes"',
    ):
        assert wanted in tree, f"{wanted} is not in\n{tree}"
    assert 'button ""' not in tree and "- button:" not in tree and "- img\n" not in tree
    page.keyboard.press("Control+s")
    assert 'dialog "Save"' in page.locator("#export-dialog").aria_snapshot()


CONTRAST = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const part = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const [r, g, b, a = 1] = numbers(getComputedStyle(e).backgroundColor);
      if (a === 1) return [r, g, b];
    }
    return [0, 0, 0];
  };
  const weak = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.checkVisibility() || e.closest(":disabled, option, .unseen")) continue;
    const [a, b] = [light(numbers(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) weak.push(`${e.textContent.trim()}: ${ratio.toFixed(2)}`);
  }
  return weak;
}"""


def test_all_controls_fit_are_legible_and_have_a_key(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    keyless = "() => [...document.querySelectorAll('#tools button')].filter((e) => !/\\([A-Z]/.test(e.title)).length"
    assert page.evaluate(keyless) == 0
    for width, tabs in ((1440, ("shape", "others")), (1280, ("shape", "others")), (390, ("shape", "paint", "others"))):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate("document.documentElement.scrollHeight") == 844
        for tab in tabs:
            page.click(f"#tab-{tab}")
            assert page.evaluate(CONTRAST) == []
        page.focus("#open")
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "2px"
        height = page.evaluate("editor.view.canvas.clientHeight")
        for value in range(1, 9):
            page.evaluate(f"editor.tools.chooseClass({value})")
        page.keyboard.press("v")
        assert page.evaluate("editor.view.canvas.clientHeight") == height  # the picture stays where it is
        page.keyboard.press("b")
