// Sliders and toggles: each shows its value in the composition, of which the server makes one mask.

import * as api from "./api.js";
import { Composition } from "./composition.js";
import { make } from "./elements.js";

const SLACK = 8; // pixels of movement that decide whether a finger slides or scrolls

export const signed = (amount) => (amount > 0 ? "+" : amount < 0 ? "−" : "") + Math.abs(amount).toFixed(2);

export class Sliders {
  constructor(editor, fail) {
    Object.assign(this, { editor, fail, rows: new Map(), running: false, wanted: 0, shown: 0, steps: [], step: null, waiting: [] });
  }
  // A row for a slider: its title, the slider, and its value, which is a button that resets it.
  make(name, title, least, most) {
    const input = make("input", { type: "range", min: least, max: most, step: 0.05, value: 0, title: `${title}: double-click for 0`, "aria-label": title, dataset: { slider: name } });
    const number = make("button", { type: "button", className: "number", title: `Set ${title} to 0`, "aria-label": `Reset ${title}` });
    const row = make("div", { className: "slider" }, make("span", { textContent: title, "aria-hidden": "true" }), input, number);
    this.rows.set(name, { row, input, number, title });
    input.addEventListener("input", () => this._pushed(name, false));
    input.addEventListener("change", () => this._pushed(name, true));
    input.addEventListener("dblclick", () => this.reset(name));
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Delete" && event.key !== "Backspace") return;
      event.preventDefault();
      this.reset(name);
    });
    number.addEventListener("click", () => this.reset(name));
    this._followFinger(name, input);
    this._show(name);
    return row;
  }
  // A vertical movement scrolls the panel and does not change the slider.
  _followFinger(name, input) {
    let touch = null;
    input.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "touch") touch = { x: event.clientX, y: event.clientY, value: this.amount(name), sliding: false };
    });
    input.addEventListener("pointermove", (event) => {
      if (touch && Math.abs(event.clientX - touch.x) > SLACK) touch.sliding = true;
    });
    input.addEventListener("pointerup", () => {
      if (!touch) return;
      touch = null;
      this._pushed(name, true);
    });
    input.addEventListener("pointercancel", () => {
      if (!touch) return;
      const { sliding, value } = touch;
      touch = null;
      this.dragged = false;
      this.editor.composition.set(name, value); // the browser scrolls now
      this._show(name);
      if (sliding) this.compose();
    });
    this.rows.get(name).waits = () => touch !== null && !touch.sliding;
  }
  amount(name) { return this.editor.composition?.sliders[name] ?? 0; }
  // Sliders are limited to their useful range for this face and hidden if they have no effect.
  setRange(name, range) {
    const { row, input } = this.rows.get(name);
    row.hidden = range === null;
    if (range) {
      [input.min, input.max] = range;
      input.style.setProperty("--zero", -range[0] / (range[1] - range[0]));
    }
    this._show(name);
  }
  // Show the values of the composition after undo, another face, or a painted mask.
  show() {
    for (const [name, { row }] of this.rows) {
      if (name.startsWith("other-") && !row.isConnected) this.rows.delete(name);
      else this._show(name);
    }
  }
  _show(name) {
    const { input, number, row } = this.rows.get(name), amount = this.amount(name);
    input.value = amount;
    this._number(name, amount);
    number.disabled = !amount;
    row.classList.toggle("moved", Boolean(amount));
  }
  _number(name, amount) {
    const { input, number, title } = this.rows.get(name);
    number.textContent = signed(amount);
    input.setAttribute("aria-valuetext", amount ? `${title} ${signed(amount)}` : `${title} 0, unchanged`);
  }
  reset(name) {
    if (!this.editor.ready || !this.amount(name)) return;
    this.editor.composition.set(name, 0);
    this._show(name);
    this.compose(`${this.rows.get(name).title} 0`, name);
  }
  _pushed(name, ends) {
    const { editor } = this, { input, title, waits } = this.rows.get(name), amount = Number(input.value);
    if (!editor.ready || waits()) return;
    this._number(name, amount);
    if (ends && amount === this.amount(name) && !this.dragged) return;
    this.dragged = !ends;
    editor.tools.finish();
    editor.composition.set(name, amount);
    this.compose(ends ? `${title} ${signed(amount)}` : "", name);
  }
  // Whether a step is pending because its mask is not ready.
  get pending() { return Boolean(this.steps.length || this.step); }
  // Call `then` after all pending steps; not if one fails or another face is opened.
  afterwards(then) { this.waiting.push({ then, session: this.editor.session }); }
  // Request the mask of the composition; with a label, it becomes a step. Only one request is sent at a time; then
  // the next step is requested, or the newest value if no step waits. Only the latest step of each slider waits.
  async compose(label = "", merge = "") {
    this.wanted++;
    if (label) this._queue(label, merge);
    if (this.running) return;
    this.running = true;
    const { live, panels } = this.editor, tell = (text) => { if (!live.running) panels.status(text, Boolean(text)); };
    const late = setTimeout(() => panels.busy("Working …"), 1000);
    tell("Painting …"); // at once, although the picture is requested only when the mask is there
    try {
      while (this.shown !== this.wanted || this.steps.length) await this._answer();
      tell("");
    } catch (error) {
      tell("");
      Object.assign(this, { shown: this.wanted, steps: [], step: null, waiting: [] });
      this.editor.restoreStep();
      this.fail(error.message);
    } finally {
      clearTimeout(late);
      panels.busy("");
      this.running = false;
      for (const { then, session } of this.waiting.splice(0)) if (session === this.editor.session) then();
    }
  }
  _queue(label, merge) {
    const { composition } = this.editor, asked = new Composition(composition.base, composition.settings); // the sliders may change meanwhile
    if (merge && this.steps[this.steps.length - 1]?.merge === merge) this.steps.pop();
    this.steps.push({ label, merge, asked, composition, wanted: this.wanted });
    this.editor.panels.historyChanged();
  }
  async _answer() {
    const { editor } = this, { composition, session } = editor;
    const step = this.step = this.steps.shift() ?? null, wanted = step ? step.wanted : this.wanted;
    const asked = step ? step.asked : composition, stays = () => editor.composition === (step?.composition ?? composition);
    const labels = stays() && !asked.empty ? await api.compose(session.id, asked.base, asked.query) : asked.base;
    this.step = null;
    this.shown = wanted;
    if (!stays()) return; // another face was opened, or a step was undone
    editor.mask.data.set(labels);
    if (step) editor.commit(step.label, { composed: true, merge: step.merge, composition: asked });
    else if (wanted === this.wanted) editor.touched(true);
  }
  toggle(kind, name, title) {
    const { editor } = this;
    if (!editor.ready) return;
    editor.tools.finish();
    const on = kind === "items" ? editor.composition.toggleItem(name) : editor.composition.toggleRemoved(name);
    editor.panels.togglesChanged();
    this.compose(kind === "items" ? `${title} ${on ? "on" : "off"}` : on ? title : `${title}: undone`);
  }
}
