// What stands around the picture: tools, classes, sliders, other faces, what goes out.

import * as api from "./api.js";
import { Sliders } from "./sliders.js";
import { TOOLS } from "./tools.js";
import { VIEWS } from "./view.js";

const NAMES = {
  background: "Background", skin: "Skin", nose: "Nose", eye_g: "Glasses", l_eye: "Left eye", r_eye: "Right eye",
  l_brow: "Left brow", r_brow: "Right brow", l_ear: "Left ear", r_ear: "Right ear", mouth: "Mouth",
  u_lip: "Upper lip", l_lip: "Lower lip", hair: "Hair", hat: "Hat", ear_r: "Earring", neck_l: "Necklace",
  neck: "Neck", cloth: "Clothes",
};
const PARTS = { hair: "Hair", mouth: "Mouth", eyes: "Eyes", brows: "Brows", nose: "Nose", skin: "Face shape", glasses: "Glasses", hat: "Hat", earring: "Earrings" };
const element = (id) => document.getElementById(id);

function make(tag, properties = {}, ...children) {
  const { dataset, ...rest } = properties;
  const made = Object.assign(document.createElement(tag), rest);
  Object.assign(made.dataset, dataset);
  for (const [name, value] of Object.entries(rest)) if (name.startsWith("aria-") || name === "role") made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export class Panels {
  constructor(editor) {
    Object.assign(this, { editor, recentClasses: [], about: editor.about });
    this._tools();
    this._classes();
    this._shapes();
    this._pictures();
    this._exports();
    this.toolChanged();
    this.classChanged();
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
    element("finish").addEventListener("change", (event) => editor.setFinish(event.target.checked ? "seamless" : "bare"));
    element("size").addEventListener("input", (event) => this.setSize(Number(event.target.value)));
    element("hardness").addEventListener("input", (event) => { tools.hardness = event.target.value / 100; });
    element("square").addEventListener("change", (event) => { tools.square = event.target.checked; view.draw(); });
    element("mirror").addEventListener("change", (event) => this.setMirror(event.target.checked));
    element("over").addEventListener("change", (event) => this.setOver(Number(event.target.value)));
    element("opacity").addEventListener("input", (event) => { view.opacity = event.target.value / 100; view.draw(); });
    element("help").addEventListener("click", () => this.help());
    for (const button of document.querySelectorAll("dialog .close")) button.addEventListener("click", () => button.closest("dialog").close());
    for (const tab of document.querySelectorAll("#tabs button")) tab.addEventListener("click", () => this.showTab(tab.dataset.panel));
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
  zoom(factor) {
    const box = this.editor.view.canvas.getBoundingClientRect();
    const pane = this.editor.view.panes()[0], ratio = box.width / this.editor.view.canvas.width;
    this.editor.view.zoomAt(factor, box.left + (pane.left + pane.width / 2) * ratio, box.top + (pane.top + pane.height / 2) * ratio);
  }
  toolChanged() {
    const { tool } = this.editor.tools;
    for (const name of TOOLS) element(`tool-${name}`).setAttribute("aria-pressed", name === tool);
    document.body.dataset.tool = tool;
  }
  viewChanged() {
    for (const name of VIEWS) element(`view-${name}`).setAttribute("aria-pressed", name === this.editor.view.mode);
    document.body.dataset.view = this.editor.view.mode;
  }
  finishChanged() { element("finish").checked = this.editor.finish !== "bare"; }
  historyChanged() {
    const { history } = this.editor;
    this.sliders.release();
    element("undo").disabled = !history?.canUndo;
    element("redo").disabled = !history?.canRedo;
  }
  showTab(name) {
    for (const tab of document.querySelectorAll("#tabs button")) tab.setAttribute("aria-selected", tab.dataset.panel === name);
    for (const panel of document.querySelectorAll("#side > section")) panel.classList.toggle("shown", panel.id === name);
  }

  // ----------------------------------------------------------------------------------- classes
  _classes() {
    const list = element("class-list");
    this.rows = this.about.classes.map((name, id) => {
      const swatch = make("span", { className: "swatch" });
      swatch.style.backgroundColor = this.about.colours[id];
      const row = make("button", { type: "button", role: "option", title: `${NAMES[name]} (${name}): type ${id}`, dataset: { id } },
        swatch, make("span", { className: "name", textContent: NAMES[name] }), make("kbd", { textContent: id }));
      row.addEventListener("click", () => this.editor.tools.chooseClass(id));
      list.append(row);
      element("over").append(make("option", { value: id, textContent: `only ${NAMES[name].toLowerCase()}` }));
      return row;
    });
    const search = element("class-search");
    search.addEventListener("input", () => this._filter(search.value));
    search.addEventListener("keydown", (event) => {
      const shown = this.rows.filter((row) => !row.hidden);
      if (event.key === "Enter" && shown.length) {
        this.editor.tools.chooseClass(Number(shown[0].dataset.id));
        event.key = "Escape";
      }
      if (event.key === "Enter" || event.key === "Escape") {
        search.value = "";
        this._filter("");
        this.editor.view.canvas.focus();
      }
    });
  }
  _filter(text) {
    const wanted = text.trim().toLowerCase();
    this.rows.forEach((row, id) => {
      row.hidden = !`${NAMES[this.about.classes[id]]} ${this.about.classes[id]} ${id}`.toLowerCase().includes(wanted);
    });
  }
  searchClasses() {
    this.showTab("edit");
    element("class-search").focus();
  }
  classChanged() {
    const { value } = this.editor.tools;
    this.rows.forEach((row, id) => row.setAttribute("aria-selected", id === value));
    this.recentClasses = [value, ...this.recentClasses.filter((id) => id !== value)].slice(0, 6);
    element("recent").replaceChildren(...this.recentClasses.map((id) => {
      const name = NAMES[this.about.classes[id]];
      const button = make("button", { type: "button", className: "swatch", title: name, "aria-label": name });
      button.setAttribute("aria-pressed", id === value);
      button.style.backgroundColor = this.about.colours[id];
      button.addEventListener("click", () => this.editor.tools.chooseClass(id));
      return button;
    }));
    element("class-now").textContent = NAMES[this.about.classes[value]];
  }
  previousClass() { return this.recentClasses[1] ?? this.editor.tools.value; }

  // ------------------------------------------------------------------------------------ shapes
  _shapes() {
    const { editor } = this;
    this.sliders = new Sliders(editor, (message) => this.toast(message, true));
    element("sliders").append(...this.about.directions.map(({ name, title }) =>
      this.sliders.make(title, { direction: name }, -1, 1.5)));
    element("items").append(...this.about.items.map(({ name, title }) => {
      const button = make("button", { type: "button", textContent: title, dataset: { item: name } });
      button.addEventListener("click", () => editor.ready && this.change(() => api.wear(editor.session.id, editor.mask.data, name), `wear ${name}`));
      return button;
    }));
    element("parse").addEventListener("click", () => editor.ready && this.change(() => api.parse(editor.session.id), "parse"));
    element("reset").addEventListener("click", () => editor.ready && editor.replace(editor.original.data, "start over"));
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
      if (file) this.take(file, Boolean(event.target.closest?.("#others")));
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
      const mix = this.sliders.make("All of its shape", { other: number }, 0, 1);
      return make("article", {}, picture, make("div", {}, look, make("small", { textContent: "Take the shape of its" }), parts, mix));
    }));
  }
  // A label map made by the server takes the place of the one here.
  async change(ask, label) {
    this.editor.tools.finish();
    try {
      this.editor.replace(await ask(), label);
    } catch (error) {
      this.toast(error.message, true);
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
    await this.editor.live.settled();
    element("command").textContent = (await api.command(this.editor.session.id)).command;
  }
  // Saved is what is shown: wait for the full picture first.
  async download(what, name) {
    await this.editor.live.settled();
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
  busy(text) {
    element("busy").hidden = !text;
    element("busy").textContent = text;
  }
  toast(text, failed = false) {
    const toast = make("div", { className: failed ? "toast failed" : "toast", textContent: text, role: failed ? "alert" : "status" });
    const inside = document.querySelector("dialog[open]") ?? document.body; // above an open dialog, not below it
    inside.append(toast);
    setTimeout(() => toast.remove(), 6000);
  }
}
