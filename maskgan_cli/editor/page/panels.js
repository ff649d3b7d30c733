// The panels around the picture: tools, classes, sliders and messages.

import * as api from "./api.js";
import { Classes } from "./classes.js";
import { make, roving } from "./elements.js";
import { Sliders } from "./sliders.js";
import { TOOLS } from "./tools.js";
import { VIEWS } from "./view.js";

const element = (id) => document.getElementById(id);
const NARROW = matchMedia("(max-width: 760px)"); // as in the style sheet
// Advice for tools that do not paint.
const ADVICE = { move: "Drag a part of the face", hand: "Drag the picture", pipette: "Click a class to paint with" };

export class Panels {
  constructor(editor) {
    Object.assign(this, { editor, about: editor.about });
    this.classes = new Classes(editor, () => editor.view.canvas.focus());
    this._tools();
    this._shapes();
    this.toolChanged();
    this.viewChanged();
    this.finishChanged();
    element("weights").textContent = `${this.about.size} px network · maskgan ${this.about.version}`;
  }

  // ------------------------------------------------------------------------------------- tools
  _tools() {
    const { editor } = this, { tools, view } = editor;
    for (const tool of TOOLS) element(`tool-${tool}`).addEventListener("click", () => tools.choose(tool));
    for (const mode of VIEWS) element(`view-${mode}`).addEventListener("click", () => editor.setView(mode));
    element("undo").addEventListener("click", () => editor.undo());
    element("redo").addEventListener("click", () => editor.redo());
    element("fit").addEventListener("click", () => view.fit());
    element("zoom-in").addEventListener("click", () => this.zoom(1.25));
    element("zoom-out").addEventListener("click", () => this.zoom(0.8));
    element("finish").addEventListener("change", (event) => editor.setFinish(event.target.checked ? "seamless" : "bare"));
    element("size").addEventListener("input", (event) => this.setSize(Number(event.target.value)));
    element("hardness").addEventListener("input", (event) => { tools.hardness = event.target.value / 100; });
    element("square").addEventListener("change", (event) => { tools.square = event.target.checked; view.draw(); });
    element("mirror").addEventListener("change", (event) => this.setMirror(event.target.checked));
    element("over").addEventListener("change", (event) => this.setOver(Number(event.target.value)));
    element("wipe").addEventListener("input", (event) => this.setWipe(event.target.value / 100));
    element("opacity").addEventListener("input", (event) => { view.opacity = event.target.value / 100; view.draw(); });
    element("more").addEventListener("click", () => this.showMore(element("more").getAttribute("aria-expanded") !== "true"));
    element("help").addEventListener("click", () => this.help());
    for (const button of document.querySelectorAll("dialog .close")) button.addEventListener("click", () => button.closest("dialog").close());
    for (const tab of document.querySelectorAll("#tabs button")) tab.addEventListener("click", () => this.showTab(tab.dataset.panel));
    this.retool = roving(element("tools"), () => element(`tool-${tools.tool}`));
    this.retab = roving(element("tabs"), () => document.querySelector("#tabs [aria-selected=true]"));
    NARROW.addEventListener("change", () => this.showTab(document.body.dataset.panel));
    this.showTab("shape");
    this.setSize(tools.size);
  }
  setSize(size) {
    this.editor.tools.size = Math.max(1, Math.min(128, size));
    element("size").value = this.editor.tools.size;
    element("size-value").textContent = Math.round(this.editor.tools.size);
    this.editor.view.draw();
  }
  setMirror(on) {
    this.editor.tools.mirror = element("mirror").checked = on;
    this.editor.view.draw();
  }
  setOver(value) {
    this.editor.tools.over = value;
    element("over").value = value;
  }
  setWipe(share) {
    this.editor.view.wipe = Math.max(0, Math.min(1, share));
    element("wipe").value = Math.round(100 * this.editor.view.wipe);
    this.editor.view.draw();
  }
  zoom(factor) {
    const box = this.editor.view.canvas.getBoundingClientRect();
    const pane = this.editor.view.panes()[0], ratio = box.width / this.editor.view.canvas.width;
    this.editor.view.zoomAt(factor, box.left + (pane.left + pane.width / 2) * ratio, box.top + (pane.top + pane.height / 2) * ratio);
  }
  // On narrow screens, most options are behind a button.
  showMore(on) {
    element("more").setAttribute("aria-expanded", on);
    element("more-options").classList.toggle("open", on);
  }
  toolChanged() {
    const { tool } = this.editor.tools;
    for (const name of TOOLS) element(`tool-${name}`).setAttribute("aria-pressed", name === tool);
    document.body.dataset.tool = tool;
    element("advice").textContent = ADVICE[tool] ?? "";
    this.retool();
    this.say(element(`tool-${tool}`).title);
  }
  viewChanged() {
    for (const name of VIEWS) element(`view-${name}`).setAttribute("aria-pressed", name === this.editor.view.mode);
    document.body.dataset.view = this.editor.view.mode;
    element("view-photo").hidden = !this.editor.session?.photo;
  }
  finishChanged() { element("finish").checked = this.editor.finish !== "bare"; }
  classChanged() {
    this.classes.changed();
    this.say(this.classes.name(this.editor.tools.value));
  }
  historyChanged() {
    const { history } = this.editor;
    this.sliders.show();
    this.togglesChanged();
    if (history) this.editor.compare.changed();
    element("undo").disabled = !history?.canUndo && !this.sliders.pending;
    element("redo").disabled = !history?.canRedo;
  }
  searchClasses() {
    this.showTab("paint");
    element("class-search").focus();
  }
  // On wide screens, shapes and classes share a tab.
  showTab(name) {
    if (name === "paint" && !NARROW.matches) name = "shape";
    document.body.dataset.panel = name;
    for (const tab of document.querySelectorAll("#tabs button")) tab.setAttribute("aria-selected", tab.dataset.panel === name);
    this.retab();
    if (name === "history" && this.editor.history) this.editor.compare.changed();
  }

  // ------------------------------------------------------------------------------------ shapes
  _shapes() {
    const { editor } = this;
    this.sliders = new Sliders(editor, (message) => this.toast(message, true));
    element("sliders").append(...this.about.directions.map(({ name, title }) => this.sliders.make(name, title, -1, 1)));
    const toggle = (kind) => ({ name, title }) => {
      const button = make("button", { type: "button", textContent: title, dataset: { [kind === "items" ? "item" : "remove"]: name } });
      button.addEventListener("click", () => this.sliders.toggle(kind, name, title));
      return button;
    };
    element("removable").append(...this.about.removable.map(toggle("removed")));
    element("items").append(...this.about.items.map(toggle("items")));
    element("parse").addEventListener("click", () => editor.ready && this.change(async () => editor.replace(await api.parse(editor.session.id), "Parse again")));
    element("reset").addEventListener("click", () => editor.ready && editor.replace(editor.original.data, "Start over", []));
  }

  // Toggles of accessories; only accessories that the face wears can be removed.
  togglesChanged() {
    const { composition, about } = this.editor;
    if (!composition) return;
    for (const button of document.querySelectorAll("[data-item]")) button.setAttribute("aria-pressed", composition.items.includes(button.dataset.item));
    for (const button of document.querySelectorAll("[data-remove]")) {
      const { parts } = about.removable.find(({ name }) => name === button.dataset.remove);
      button.setAttribute("aria-pressed", composition.removed.includes(button.dataset.remove));
      button.hidden = !composition.base.some((value) => parts.includes(value));
    }
  }

  opened() {
    element("picture-name").textContent = this.editor.session.name;
    document.title = `${this.editor.session.name} · maskgan edit`;
    this.historyChanged();
    this.finishChanged();
    this.viewChanged();
    this.editor.others.changed();
    this._ranges(this.editor.session.id);
  }
  // Request the useful range of each slider, one after the other, after the picture is shown.
  async _ranges(id) {
    for (const { name } of this.about.directions) {
      await this.editor.live.settled().catch(() => {});
      if (this.editor.session.id !== id) return;
      const range = await api.range(id, name).catch(() => undefined);
      if (this.editor.session.id !== id) return;
      if (range !== undefined) this.sliders.setRange(name, range);
    }
    this.sliders.ranged = id;
  }
  // Wait for an edit by the server.
  async change(edit) {
    this.editor.tools.finish();
    const late = setTimeout(() => this.busy("One moment …"), 400);
    try {
      await edit();
    } catch (error) {
      this.toast(error.message, true);
    } finally {
      clearTimeout(late);
      this.busy("");
    }
  }

  // ------------------------------------------------------------------------------------- words
  help() { element("help-dialog").showModal(); }
  // State of rendering: a message at once, a bar after a second, and neither when it is done.
  status(text, busy, failed = false) {
    const status = element("status"), bar = element("bar");
    status.textContent = text;
    status.classList.toggle("busy", busy);
    status.classList.toggle("failed", failed);
    if (failed) this.say(text);
    clearTimeout(this.slow);
    if (busy) this.slow = setTimeout(() => { bar.hidden = false; this.say("Still painting"); }, 1000);
    else if (!bar.hidden) {
      bar.hidden = true;
      if (!failed) this.say("The picture is done");
    }
  }
  // Times are shown if the page is opened with ?debug.
  debug(text) {
    const corner = element("debug");
    corner.hidden = !new URLSearchParams(location.search).has("debug");
    corner.textContent = text;
  }
  // Announce a text to screen readers.
  say(text) { element("said").textContent = text; }
  busy(text) {
    const note = element("busy");
    note.hidden = !text;
    note.textContent = text;
    this._above(note);
  }
  toast(text, failed = false, ...more) {
    const toast = make("div", { className: failed ? "toast failed" : "toast", role: failed ? "alert" : "status" }, text, ...more);
    this._above(toast);
    setTimeout(() => toast.remove(), more.length ? 20000 : 6000);
    return toast;
  }
  // An open dialog covers all elements that are not inside it.
  _above(note) { (document.querySelector("dialog[open]") ?? document.body).append(note); }
}
