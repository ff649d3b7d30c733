"""Accessibility of the whole page: roles, names, states, structure, contrast; in both themes and at a telephone's size.

The rules are those of WCAG 2.2 (A and AA) and ARIA that can be computed in the page. They are our own: no checker of
others is needed. What only people can judge, e.g. whether a name is a good one, is not tested.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from maskgan_cli.editor.serve import EditorServer
from tests.editor.person import begin, settled, slide
from tests.editor.test_first_minute import DESKTOP, ON_ITS_SIDE, PHONE

_SCRIPTS = Path(__file__).parent / "scripts"
_AUDIT, _CONTRAST = ((_SCRIPTS / f"{name}.js").read_text() for name in ("audit", "contrast"))


_INTERACTIVE = {
    "button",
    "checkbox",
    "combobox",
    "listbox",
    "option",
    "searchbox",
    "slider",
    "tab",
    "textbox",
    "application",
    "dialog",
    "progressbar",
    "tablist",
    "toolbar",
    "link",
    "menuitem",
    "radio",
    "spinbutton",
    "switch",
}


def _nameless(page: Any) -> list[str]:
    """Controls without a name, and focus on what has no role, in the tree that the browser gives to screen readers."""
    session = page.context.new_cdp_session(page)
    found = []
    for node in session.send("Accessibility.getFullAXTree")["nodes"]:
        if node.get("ignored"):
            continue
        role, name = node["role"]["value"], node.get("name", {}).get("value", "")
        focusable = any(p["name"] == "focusable" and p["value"].get("value") for p in node.get("properties", ()))
        if role in _INTERACTIVE and not name.strip():
            found.append(f"{role} without a name")
        if focusable and role in ("generic", "none", "StaticText"):
            found.append(f"focus on {role} {name}")
    session.detach()
    return found


def _checked(page: Any, where: str) -> None:
    assert page.evaluate(_AUDIT) == [], where
    assert page.evaluate(_CONTRAST) == [], where
    assert _nameless(page) == [], where


@pytest.mark.parametrize(
    ("options", "scheme"),
    [
        (PHONE, "dark"),
        pytest.param(PHONE, "light", marks=pytest.mark.slow),
        pytest.param(DESKTOP, "light", marks=pytest.mark.slow),
        pytest.param(DESKTOP, "dark", marks=pytest.mark.slow),
        pytest.param(ON_ITS_SIDE, "dark", marks=pytest.mark.slow),
    ],
    ids=["phone, dark", "phone, light", "desk, light", "desk, dark", "on its side, dark"],
)
def test_no_rule_is_broken(page: Any, editor: EditorServer, options: dict[str, Any], scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(editor.url)
    page.wait_for_selector("#welcome[open]")
    _checked(page, "welcome")
    begin(page, editor)
    slide(page, "smile", 0.5)
    slide(page, "open-mouth", 0.5)
    page.click("#undo")  # a step that can be taken again is shown as such
    settled(page)
    for tab in ("shape", "paint", "others", "history"):
        if not page.is_visible(f"#tab-{tab}"):
            continue
        page.click(f"#tab-{tab}")
        _checked(page, tab)
    for tool in ("brush", "select"):
        page.click(f"#tool-{tool}")
        if page.is_visible("#more"):
            page.click("#more")
        _checked(page, tool)
        if page.is_visible("#more"):
            page.click("#more")
    page.evaluate("editor.panels.toast('The picture cannot be read.', true)")
    page.evaluate("editor.panels.status('The server does not answer.', false, true)")
    _checked(page, "failures")
    for button, dialog in (("export", "export-dialog"), ("help", "help-dialog"), ("open", "welcome")):
        page.click(f"#{button}")
        page.wait_for_selector(f"#{dialog}[open]")
        _checked(page, dialog)
        page.keyboard.press("Escape")
        page.wait_for_selector(f"#{dialog}", state="hidden")


def test_what_breaks_a_rule_is_found(page: Any, editor: EditorServer) -> None:
    begin(page, editor)
    page.evaluate("""() => {
      document.querySelector("main").insertAdjacentHTML("beforeend", `
        <button id="x1"></button> <div role="tab" aria-label="lost">t</div> <button aria-pressed="maybe">p</button>
        <label>l <button>inside</button></label> <p id="x2">faint</p> <div role="group">g</div> <h4>deep</h4>
        <span tabindex="0" id="x3">focus</span> <dialog>no name</dialog> <b role="wizard">w</b>`);
      document.getElementById("x2").style.color = "rgb(150, 150, 150)";
      document.getElementById("x2").style.background = "white";
    }""")
    broken = "\n".join(page.evaluate(_AUDIT))
    for rule in (
        "not in its group",
        "aria-pressed=maybe",
        "a control in a control",
        "a group without a name",
        "headings",
        "a dialog without a name",
        "no such role here",
    ):
        assert rule in broken, rule
    assert page.evaluate(_CONTRAST) == ["text faint: 2.96 of 4.5"]
    assert sorted(_nameless(page)) == ["button without a name", "focus on generic "]
