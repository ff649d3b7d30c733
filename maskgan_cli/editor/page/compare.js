// Comparison with the photo, the list of steps, and strength and feather of a step.

import { make } from "./elements.js";
import { fadeOf } from "./fade.js";

const element = (id) => document.getElementById(id);

export class Compare {
  constructor(editor) {
    this.editor = editor;
    const button = element("compare"), hold = (on) => (event) => { event.preventDefault(); this.hold(on); };
    button.addEventListener("pointerdown", (event) => {
      try { button.setPointerCapture(event.pointerId); } catch { /* the pointer has ended */ }
      this.hold(true);
    });
    for (const name of ["pointerup", "pointercancel", "blur"]) button.addEventListener(name, () => this.hold(false));
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    button.addEventListener("keydown", (event) => { if (event.key === " " || event.key === "Enter") hold(true)(event); });
    button.addEventListener("keyup", (event) => { if (event.key === " " || event.key === "Enter") hold(false)(event); });
    for (const name of ["strength", "feather"]) {
      element(name).addEventListener("input", () => this._fade(false));
      element(name).addEventListener("change", () => this._fade(true));
    }
  }
  // Show the unedited photo while `on` is true.
  hold(on) {
    const { view, panels } = this.editor;
    if (!this.editor.session || Boolean(view.comparing) === on) return;
    view.comparing = on;
    element("compare").setAttribute("aria-pressed", on);
    if (!on) this.editor.hint.done("compare");
    panels.say(on ? "The photo as it was" : "The edit");
    view.draw();
  }
  // Update the list after a change of the steps or of the current step.
  changed() {
    if (document.body.dataset.panel !== "history") return;
    const { history } = this.editor, list = element("history-list");
    list.replaceChildren(...history.steps.map(({ label }, index) => {
      const button = make("button", { type: "button", textContent: label, dataset: { step: index } });
      button.setAttribute("aria-current", index === history.index ? "step" : "false");
      button.addEventListener("click", () => this.editor.step(index - history.index));
      return make("li", { className: index > history.index ? "undone" : "" }, button);
    }));
    list.querySelector("[aria-current=step]")?.scrollIntoView({ block: "nearest" });
    const { label, fade = { strength: 1, feather: 0 } } = history.current;
    element("last-edit").textContent = history.index ? label : "No edit yet";
    for (const name of ["strength", "feather"]) {
      element(name).disabled = !history.changedMask || this.editor.finish === "bare" || this.editor.style !== 0;
      element(name).value = Math.round(100 * fade[name]);
      this._show(name);
    }
  }
  _show(name) {
    const text = `${element(name).value} %`;
    element(`${name}-value`).textContent = text;
    element(name).setAttribute("aria-valuetext", text);
  }
  _fade(ends) {
    const { editor } = this, { history } = editor, fade = {};
    for (const name of ["strength", "feather"]) {
      fade[name] = element(name).value / 100;
      this._show(name);
    }
    history.amend({ fade: fade.strength === 1 && fade.feather === 0 ? undefined : fade });
    editor.live.changed(!ends);
  }
  // Opacity of the edit at each pixel; null means 255 everywhere.
  get fade() {
    const { history, mask } = this.editor;
    return fadeOf(history, mask.side);
  }
}
