// Keyboard shortcuts. Keys in input fields are not handled.

import { VIEWS } from "./view.js";

const TOOL_KEYS = { b: "brush", e: "eraser", p: "polygon", l: "lasso", g: "fill", s: "select", i: "pipette", v: "move", h: "hand" };

export function bindKeys(editor) {
  const { tools, view } = editor;
  let digits = "", timer = 0;

  // 0 to 18: a second digit soon after the first one is appended
  const digit = (key) => {
    digits = (digits + key).slice(-2);
    clearTimeout(timer);
    timer = setTimeout(() => { digits = ""; }, 700);
    const value = Number(digits) < editor.about.classes.length ? Number(digits) : Number(key);
    tools.paintWith(value);
  };

  addEventListener("keydown", (event) => {
    const field = event.target.closest("input:not([type=range]), select, textarea, dialog[open]");
    if (field && event.key !== "Escape") return;
    const command = event.ctrlKey || event.metaKey, key = event.key.toLowerCase();
    const done = () => event.preventDefault();
    if (command) {
      if (key === "z") { event.shiftKey ? editor.redo() : editor.undo(); done(); }
      else if (key === "y") { editor.redo(); done(); }
      else if (key === "s") { editor.saving.show(); done(); }
      else if (key === "o") { editor.files.choose(); done(); }
      return;
    }
    if (event.altKey) return;
    if (key === "c") {
      editor.compare.hold(true);
      return;
    }
    if (key === " ") {
      if (event.target.closest("button, summary, a")) return;
      tools.space = true;
      done();
    } else if (key === "escape") tools.cancel();
    else if (key === "enter" && !event.target.closest("button, a, summary")) tools.points.length ? tools.finishPolygon() : tools.finish();
    else if (TOOL_KEYS[key]) tools.choose(TOOL_KEYS[key]);
    else if (/^[0-9]$/.test(key)) digit(key);
    else if (key === "[" || key === "]") editor.panels.setSize(tools.size * (key === "[" ? 1 / 1.2 : 1.2));
    else if (key === "m") editor.panels.setMirror(!tools.mirror);
    else if (key === "o") editor.panels.setOver(tools.over < 0 ? tools.value : -1);
    else if (key === "k") editor.panels.classes.toggleLock();
    else if (key === "j") editor.panels.classes.toggleHidden();
    else if (key === "x") tools.paintWith(editor.panels.classes.previous);
    else if (key === "q") editor.setView(VIEWS[(VIEWS.indexOf(view.mode) + 1) % (editor.session?.photo ? VIEWS.length : VIEWS.length - 1)]);
    else if (key === "t") editor.setFinish(editor.finish === "bare" ? "seamless" : "bare");
    else if (key === "f") view.fit();
    else if (key === "+" || key === "=") editor.panels.zoom(1.25);
    else if (key === "-") editor.panels.zoom(0.8);
    else if (key === "/") { editor.panels.searchClasses(); done(); }
    else if (key === "?") editor.panels.help();
  });
  addEventListener("keyup", (event) => {
    if (event.key === " ") tools.space = false;
    if (event.key.toLowerCase() === "c") editor.compare.hold(false);
  });
  addEventListener("blur", () => {
    tools.space = false;
    editor.compare.hold(false);
  });
}
