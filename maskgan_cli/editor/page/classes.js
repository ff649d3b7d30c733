// The 19 classes: their names and colours, chosen from a list, by search, or from those used last.

import { make, roving } from "./elements.js";

const NAMES = {
  background: "Background", skin: "Skin", nose: "Nose", eye_g: "Glasses", l_eye: "Left eye", r_eye: "Right eye",
  l_brow: "Left brow", r_brow: "Right brow", l_ear: "Left ear", r_ear: "Right ear", mouth: "Mouth",
  u_lip: "Upper lip", l_lip: "Lower lip", hair: "Hair", hat: "Hat", ear_r: "Earring", neck_l: "Necklace",
  neck: "Neck", cloth: "Clothes",
};
const element = (id) => document.getElementById(id);

export class Classes {
  // done(): called when the search ends
  constructor(editor, done) {
    Object.assign(this, { editor, about: editor.about, used: [] });
    this.rows = this.about.classes.map((name, id) => this._row(name, id));
    this.remark = roving(element("class-list"), () => this.rows[editor.tools.value]);
    const search = element("class-search");
    search.addEventListener("input", () => this._filter(search.value));
    search.addEventListener("keydown", (event) => {
      const shown = this.rows.filter((row) => !row.hidden);
      if (event.key === "Enter" && shown.length) editor.tools.paintWith(Number(shown[0].dataset.id));
      if (event.key === "Enter" || event.key === "Escape") {
        search.value = "";
        this._filter("");
        done();
      }
    });
    element("lock-class").addEventListener("click", () => this.toggleLock());
    element("hide-class").addEventListener("click", () => this.toggleHidden());
    this.changed();
  }
  // The pixels of a locked class cannot be changed.
  toggleLock() { this._toggle(this.editor.locked, "locked", "can change again"); }
  // A hidden class is not drawn over the photo.
  toggleHidden() {
    this._toggle(this.editor.view.hidden, "hidden", "is shown again");
    if (this.editor.mask) this.editor.view.recolour(this.editor.mask);
  }
  _toggle(set, on, off) {
    const { value } = this.editor.tools, added = !set.delete(value);
    if (added) set.add(value);
    this.changed();
    this.editor.panels.say(`${this.name(value)} ${added ? on : off}`);
  }
  name(id) { return NAMES[this.about.classes[id]] ?? "Outside"; }
  get previous() { return this.used[1] ?? this.editor.tools.value; }

  _row(name, id) {
    const swatch = make("span", { className: "swatch" });
    swatch.style.backgroundColor = this.about.colours[id];
    const row = make("button", { type: "button", role: "option", title: `${NAMES[name]} (${name}): type ${id}`, dataset: { id } },
      swatch, make("span", { className: "name", textContent: NAMES[name] }), make("kbd", { textContent: id, "aria-hidden": "true" }));
    row.addEventListener("click", () => this.editor.tools.paintWith(id));
    element("class-list").append(row);
    element("over").append(make("option", { value: id, textContent: `only ${NAMES[name].toLowerCase()}` }));
    return row;
  }
  _filter(text) {
    const wanted = text.trim().toLowerCase();
    this.rows.forEach((row, id) => {
      row.hidden = !`${this.name(id)} ${this.about.classes[id]} ${id}`.toLowerCase().includes(wanted);
    });
  }
  // Another class was chosen.
  changed() {
    const { tools: { value }, locked, view: { hidden } } = this.editor;
    this.rows.forEach((row, id) => {
      row.setAttribute("aria-selected", id === value);
      row.dataset.marks = [locked?.has(id) ? "locked" : "", hidden.has(id) ? "hidden" : ""].join(" ").trim();
    });
    for (const [button, set] of [["lock-class", locked], ["hide-class", hidden]]) element(button).setAttribute("aria-pressed", Boolean(set?.has(value)));
    this.remark();
    this.used = [value, ...this.used.filter((id) => id !== value)].slice(0, 6);
    element("recent").replaceChildren(...this.used.map((id) => {
      const name = this.name(id);
      const button = make("button", { type: "button", className: "swatch", title: name, "aria-label": name });
      button.setAttribute("aria-pressed", id === value);
      button.style.backgroundColor = this.about.colours[id];
      button.addEventListener("click", () => this.editor.tools.paintWith(id));
      return button;
    }));
    element("class-now").textContent = this.name(value);
  }
}
