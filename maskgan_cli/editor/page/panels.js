// What stands around the picture: tools, classes, sliders, other faces, what goes out.

import * as api from "./api.js";
import { Classes } from "./classes.js";
import { make, roving } from "./elements.js";
import { Sliders } from "./sliders.js";
import { TOOLS } from "./tools.js";
import { VIEWS } from "./view.js";

const PARTS = { hair: "Hair", mouth: "Mouth", eyes: "Eyes", brows: "Brows", nose: "Nose", skin: "Face shape", glasses: "Glasses", hat: "Hat", earring: "Earrings" };
const element = (id) => document.getElementById(id);
const NARROW = matchMedia("(max-width: 760px)"); // as in the style sheet

export class Panels {
  constructor(editor) {
    Object.assign(this, { editor, about: editor.about });
    this.classes = new Classes(editor, () => editor.view.canvas.focus());
    this._tools();
    this._shapes();
    this._pictures();
    this._exports();
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
  toolChanged() {
    const { tool } = this.editor.tools;
    for (const name of TOOLS) element(`tool-${name}`).setAttribute("aria-pressed", name === tool);
    document.body.dataset.tool = tool;
    this.retool();
    this.say(element(`tool-${tool}`).title);
  }
  viewChanged() {
    for (const name of VIEWS) element(`view-${name}`).setAttribute("aria-pressed", name === this.editor.view.mode);
    document.body.dataset.view = this.editor.view.mode;
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
    element("undo").disabled = !history?.canUndo;
    element("redo").disabled = !history?.canRedo;
  }
  searchClasses() {
    this.showTab("paint");
    element("class-search").focus();
  }
  // Where there is room, shapes and classes share a tab.
  showTab(name) {
    if (name === "paint" && !NARROW.matches) name = "shape";
    document.body.dataset.panel = name;
    for (const tab of document.querySelectorAll("#tabs button")) tab.setAttribute("aria-selected", tab.dataset.panel === name);
    this.retab();
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
    element("parse").addEventListener("click", () => editor.ready && this.change(() => api.parse(editor.session.id), "parse"));
    element("reset").addEventListener("click", () => editor.ready && editor.replace(editor.original.data, "start over"));
  }

  // What is put on and taken off; what the face does not wear cannot be taken off.
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

  // ---------------------------------------------------------------------------------- pictures
  _pictures() {
    const { editor } = this, input = element("file"), otherInput = element("other-file");
    element("open").addEventListener("click", () => this.welcome());
    element("choose").addEventListener("click", () => this.choosePicture());
    input.addEventListener("change", () => { if (input.files[0]) this.openFile(input.files[0]); input.value = ""; });
    element("go-on").addEventListener("click", () => this._opened(editor.open(() => api.session(localStorage.getItem("last")))));
    element("add-other").addEventListener("click", () => otherInput.click());
    otherInput.addEventListener("change", () => { if (otherInput.files[0]) this.addOther(() => api.addOther(editor.session.id, otherInput.files[0])); otherInput.value = ""; });
    element("examples").append(...this.about.examples.map(({ name, title }) => {
      const picture = make("img", { src: api.address(`api/examples/${name}.png`), alt: "", loading: "lazy" });
      const button = make("button", { type: "button", title, dataset: { name } }, picture, make("span", { textContent: title }));
      button.addEventListener("click", () => this._opened(editor.open(() => api.openExample(name))));
      return button;
    }));
    const other = element("other-examples");
    for (const { name, title } of this.about.examples) other.append(make("option", { value: name, textContent: title }));
    other.addEventListener("change", () => { if (other.value) this.addOther(() => api.addExample(editor.session.id, other.value)); other.value = ""; });

    addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("dropping"); });
    addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("dropping"); });
    addEventListener("drop", (event) => {
      event.preventDefault();
      document.body.classList.remove("dropping");
      const file = event.dataTransfer.files[0];
      const side = event.target.closest?.("#side") && document.body.dataset.panel === "others";
      if (file) this.take(file, Boolean(side || event.target.closest?.("#others")));
    });
    addEventListener("paste", (event) => {
      const file = [...event.clipboardData.files][0];
      if (file) this.take(file, false);
    });
  }
  // A picture that was dropped or pasted: another face if it lands there, else the face to edit.
  take(file, asOther) {
    if (asOther && this.editor.ready) return this.addOther(() => api.addOther(this.editor.session.id, file));
    return this.openFile(file);
  }
  choosePicture() { element("file").click(); }
  openFile(file) { return this._opened(this.editor.open(() => api.openPicture(file))); }
  async _opened(opening) { if (await opening) element("welcome").close(); }
  welcome() {
    let last = null;
    try { last = localStorage.getItem("last"); } catch { /* a window without a memory */ }
    element("go-on").hidden = !last || this.editor.session?.id === last;
    if (!element("welcome").open) element("welcome").showModal();
  }
  opened() {
    if (element("welcome").open) element("welcome").close();
    element("picture-name").textContent = this.editor.session.name;
    document.title = `${this.editor.session.name} · maskgan edit`;
    this.historyChanged();
    this.finishChanged();
    this.othersChanged();
    this._ranges(this.editor.session.id);
  }
  async _ranges(id) {
    const ranges = await api.ranges(id).catch(() => ({}));
    if (this.editor.session.id === id) this.sliders.setRanges(ranges);
  }
  async addOther(ask) {
    this.busy("Reading the other face …");
    try {
      Object.assign(this.editor.session, await ask());
      this.othersChanged();
      this.showTab("others");
    } catch (error) {
      this.toast(error.message, true);
    } finally {
      this.busy("");
    }
  }
  othersChanged() {
    const { editor } = this, { session, style } = editor;
    element("other-list").replaceChildren(...Array.from({ length: session.others }, (_, k) => {
      const number = k + 1, worn = style === number;
      const picture = make("img", { src: api.address(`api/sessions/${session.id}/others/${number}.png`), alt: `Other face ${number}` });
      const look = make("button", { type: "button", textContent: worn ? "Own look again" : "Take its look", title: "Paint this face in the other's colours, light and skin" });
      look.setAttribute("aria-pressed", worn);
      look.addEventListener("click", () => editor.setStyle(worn ? 0 : number));
      const parts = make("div", { className: "chips", role: "group", "aria-label": "Take parts of its shape" },
        ...Object.entries(PARTS).map(([part, title]) => {
          const button = make("button", { type: "button", textContent: title, title: `Take the shape of its ${title.toLowerCase()}`, dataset: { part } });
          button.addEventListener("click", () => this.change(() => api.swap(session.id, editor.mask.data, number, part), `take ${part}`));
          return button;
        }));
      const mix = this.sliders.make(`other-${number}`, "All of its shape", 0, 1);
      return make("article", {}, picture, make("div", {}, look, make("small", { textContent: "Take the shape of its" }), parts, mix));
    }));
  }
  // A label map made by the server takes the place of the one here.
  async change(ask, label) {
    this.editor.tools.finish();
    const late = setTimeout(() => this.busy("One moment …"), 400);
    try {
      this.editor.replace(await ask(), label);
    } catch (error) {
      this.toast(error.message, true);
    } finally {
      clearTimeout(late);
      this.busy("");
    }
  }

  // -------------------------------------------------------------------------------------- out
  _exports() {
    element("copy").addEventListener("click", async () => {
      await navigator.clipboard.writeText(element("command").textContent).then(
        () => this.toast("Copied."), () => getSelection().selectAllChildren(element("command")));
    });
    element("export").addEventListener("click", () => this.showExport());
    for (const button of document.querySelectorAll("[data-download]")) {
      button.addEventListener("click", () => this.download(button.dataset.download, button.dataset.name));
    }
  }
  async showExport() {
    if (!this.editor.ready) return;
    this.editor.tools.finish();
    element("save-photo").hidden = !this.editor.session.photo;
    element("export-dialog").showModal();
    try {
      await this.editor.live.settled();
      element("command").textContent = (await api.command(this.editor.session.id)).command;
    } catch (error) {
      this.toast(error.message, true);
    }
  }
  // Saved is what is shown: wait for the full picture first.
  async download(what, name) {
    try {
      await this.editor.live.settled();
    } catch (error) {
      return this.toast(error.message, true);
    }
    const { session } = this.editor;
    const link = make("a", { href: api.address(`api/sessions/${session.id}/${what}`), download: name });
    link.click();
  }

  // ------------------------------------------------------------------------------------- words
  help() { element("help-dialog").showModal(); }
  status(text, busy, failed = false) {
    const status = element("status");
    status.textContent = text;
    status.classList.toggle("busy", busy);
    status.classList.toggle("failed", failed);
  }
  // What a screen reader says.
  say(text) { element("said").textContent = text; }
  busy(text) {
    const note = element("busy");
    note.hidden = !text;
    note.textContent = text;
    this._above(note);
  }
  toast(text, failed = false) {
    const toast = make("div", { className: failed ? "toast failed" : "toast", textContent: text, role: failed ? "alert" : "status" });
    this._above(toast);
    setTimeout(() => toast.remove(), 6000);
  }
  // An open dialog lies above everything that is not inside it.
  _above(note) { (document.querySelector("dialog[open]") ?? document.body).append(note); }
}
