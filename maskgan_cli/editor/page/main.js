// The editor: one face, its mask and its history. Tools change the mask, and the face is rendered again.

import * as api from "./api.js";
import { Area } from "./area.js";
import { bindCanvas } from "./bykeys.js";
import { Compare } from "./compare.js";
import { Composition } from "./composition.js";
import { Faces } from "./faces.js";
import { Files } from "./files.js";
import { Hint } from "./hint.js";
import { History } from "./history.js";
import { bindKeys } from "./keys.js";
import { Live } from "./live.js";
import { Mask } from "./mask.js";
import { Others } from "./others.js";
import { Panels } from "./panels.js";
import { Person } from "./person.js";
import { Saving } from "./saving.js";
import { Tabs } from "./tabs.js";
import { Tools } from "./tools.js";
import { View } from "./view.js";

const element = (id) => document.getElementById(id);

class Editor {
  async begin() {
    this.about = await api.about();
    this.view = new View(element("canvas"));
    this.tools = new Tools(this, this.view);
    this.live = new Live({
      current: () => ({ id: this.session.id, mask: this.mask.data, fade: this.compare.fade, options: this.options }),
      show: (bitmap, blob, preview) => this._show(bitmap, blob, preview),
      say: (text, busy, failed) => this.panels.status(text, busy, failed),
      debug: (text) => this.panels.debug(text),
    });
    this.locked = new Set(); // classes whose pixels cannot be changed
    this.area = new Area(this);
    this.compare = new Compare(this);
    this.others = new Others(this);
    this.panels = new Panels(this);
    this.files = new Files(this);
    this.faces = new Faces(this);
    this.person = new Person(this);
    this.saving = new Saving(this);
    this.tabs = new Tabs(this);
    this.hint = new Hint();
    api.whenLost(() => this._reconnect());
    bindKeys(this);
    bindCanvas(this);
    this.finish = "seamless";
    if (matchMedia("(max-width: 760px), (max-height: 500px)").matches) this.setView("result"); // one large picture
    const wanted = location.hash.slice(1) || this.about.start;
    if (wanted && await this.open(() => api.session(wanted), { quiet: true })) return;
    this.files.welcome();
  }
  // Number of the other face whose mouth was taken; its photo may give the inside of the mouth.
  get reference() { return this.composition?.reference || this.mouth || 0; }
  get options() {
    const { style, finish, reference: mouth, hair, composition: { items, removed } } = this;
    return { style, finish, mouth, hair, items: items.join(), remove_glasses: removed.includes("glasses") };
  }
  get ready() { return Boolean(this.session) && !this.watching; }

  // Show the session that `ask` resolves to; returns false if there is none. `step`: add an entry to the browser's history.
  // `failed(error)`: handles an error; returns whether it did.
  async open(ask, { quiet = false, step = false, failed = null } = {}) {
    this.panels.busy("Opening the picture …");
    try {
      const session = await ask();
      const [original, labels, photo, history] = await Promise.all([
        api.labels(session.id, "face"), api.labels(session.id, "mask"),
        api.picture(`api/sessions/${session.id}/face.png`), History.open(session),
      ]);
      Object.assign(this, { session, history, style: session.style, finish: session.finish, mouth: session.mouth, hair: session.hair });
      this.original = new Mask(session.side, original);
      this.mask = new Mask(session.side, labels);
      this.result = null;
      this.area.newFace();
      this.view.layers = { photo, result: null };
      this.view.begin(session.side, this.about.colours);
      if (this.view.mode === "photo" && !session.photo) this.setView("split");
      this.tools.newFace();
      this.composition = new Composition(labels, { items: session.items, removed: session.remove_glasses ? ["glasses"] : [] });
      if (history.current) Object.assign(this, history.restore(this.mask));
      else history.push(this, "Begin");
      this.committed = this.mask.data.slice();
      if (this.style > session.others) this.style = 0;
      if (this.mouth > session.others) this.mouth = 0;
      if (this.hair > session.others) this.hair = 0;
      if (location.hash.slice(1) !== session.id) window.history[step && location.hash ? "pushState" : "replaceState"](null, "", `#${session.id}`);
      this.live.start(session.revision);
      this.view.recolour(this.mask);
      this.panels.opened();
      this._loadWhole(session);
      this.tabs.opened();
      this.files.offerEarlier(session);
      this.faces.opened(session);
      this.person.opened(session);
      this.live.changed();
      return true;
    } catch (error) {
      if (failed?.(error)) return false;
      if (quiet) window.history.replaceState(null, "", location.pathname);
      else this.panels.toast(error.message, true);
      return false;
    } finally {
      this.panels.busy("");
    }
  }
  // Restore pixels outside of the selected area and of locked classes from the last step.
  _protect(composed) {
    const { locked, committed, mask: { data } } = this, inside = composed ? null : this.area.pixels;
    if (!inside && !locked.size) return;
    for (let i = 0; i < data.length; i++) if (locked.has(committed[i]) || (inside && !inside[i])) data[i] = committed[i];
  }
  // The mask has changed; while `dragging`, a preview is enough. `brush`: it was painted on.
  touched(dragging, { composed = false, brush = false } = {}) {
    this._protect(composed);
    this.view.recolour(this.mask);
    this.live.changed(dragging, brush);
  }
  // The mask has changed; add a step to the history. `composed`: the change is of the composition. `brush`: it was painted on.
  commit(label, { composed = false, brush = false, merge = "", composition = this.composition } = {}) {
    this._protect(composed);
    if (!composed && !this.composition.absorb(this.committed, this.mask.data, this.mask.side)) {
      this.panels.say("The sliders now start from the painted mask.");
    }
    this.committed.set(this.mask.data);
    this.history.push({ mask: this.mask, style: this.style, mouth: this.mouth, hair: this.hair, composition }, label, merge);
    this.hint.done("change");
    this.panels.historyChanged();
    this.touched(false, { brush });
  }
  // Return to the last step after a failure.
  restoreStep() {
    Object.assign(this, this.history.restore(this.mask));
    this.committed.set(this.mask.data);
    this.panels.historyChanged();
    this.touched(false);
  }
  // Another mask of the own face takes the place of the current one; accessories stay on.
  replace(labels, label, items = this.composition.items) {
    this.tools.finish();
    this.composition = new Composition(labels, { items });
    this.swap(labels, label, { mouth: 0, hair: 0 });
  }
  // Parts of the mask were exchanged; `mouth` and `hair`: numbers of the faces that give them.
  swap(labels, label, { mouth, hair }) {
    this.tools.finish();
    this.mask.data.set(labels);
    Object.assign(this, { mouth, hair });
    this.commit(label);
  }
  undo() { this.step(-1); }
  redo() { this.step(1); }
  // Undo or redo some steps.
  step(by) {
    if (!this.ready) return;
    if (this.tools.stroke || this.tools.points.length) {
      this.tools.cancel();
      return;
    }
    const { sliders } = this.panels;
    if (sliders.pending) return sliders.afterwards(() => this.step(by)); // the pending step is the one to undo
    this.tools.finish();
    const undone = this.history.current.label;
    if (!this.history.move(by)) return;
    this.restoreStep();
    this.others.changed();
    this.panels.say(by < 0 ? `Undone: ${undone}` : `Again: ${this.history.current.label}`);
  }
  setStyle(style) {
    this.style = style;
    this.commit(style ? `Style of face ${style}` : "Own style");
    this.others.changed();
  }
  setFinish(finish) {
    this.finish = finish;
    this.panels.finishChanged();
    if (this.ready) this.live.changed();
  }
  setView(mode) {
    if (mode === "photo" && !this.session?.photo) mode = "result";
    this.view.setMode(mode);
    this.panels.viewChanged();
    if (mode === "photo") this._showWhole();
  }
  // Load the photo around the face.
  async _loadWhole({ id, photo, photo_size: size, square }) {
    if (!photo || !size) return;
    const before = await api.picture(`api/sessions/${id}/whole.jpg`).catch(() => null);
    if (before && this.session.id === id) this.view.setWhole(before, size, square);
    if (this.view.mode === "photo") this._showWhole();
  }
  // Load the whole photo as it would be saved, if it is shown.
  async _showWhole() {
    const { id } = this.session;
    await this.live.settled().catch(() => {});
    if (this.view.mode !== "photo" || this.session.id !== id || !this.view.whole) return;
    const { result } = this;
    if (this.wholeOf === result) return;
    const after = await api.picture(`api/sessions/${id}/whole.jpg?edited=true`).catch(() => null);
    if (!after || this.session.id !== id || !this.view.whole) return;
    this.wholeOf = result;
    this.view.whole.after = after;
    this.view.draw();
  }
  toolChanged() { this.panels.toolChanged(); }
  classChanged() { this.panels.classChanged(); }

  _show(bitmap, blob, preview) {
    this.view.layers.result?.close();
    this.view.layers.result = bitmap;
    if (!preview) {
      this.result = blob;
      this.tabs.changed();
      if (this.view.mode === "photo") this._showWhole();
    }
    this.view.draw();
  }
  // Load the current state of the session from the server.
  reopen() { return this.open(() => api.session(this.session.id), { quiet: true }); }
  // Show mask and picture of the tab that edits the session.
  async look() {
    const { id } = this.session;
    const [labels, result] = await Promise.all([api.labels(id, "mask"), api.picture(`api/sessions/${id}/result.png`)]);
    this.mask.data.set(labels);
    this.view.layers.result = result;
    this.view.recolour(this.mask);
  }
  // Retry until the server answers. After a restart, it has the same address and session.
  async _reconnect() {
    if (this.reconnecting) return;
    this.reconnecting = true;
    while (!await api.answers()) await new Promise((resolve) => setTimeout(resolve, 1000));
    this.reconnecting = false;
    if (!this.session) return location.reload();
    this.panels.toast("The editor is connected again.");
    if (this.ready) this.live.changed();
  }
}

export const editor = new Editor();
globalThis.editor = editor; // for the console, and for tests
editor.begin().catch((error) => {
  element("welcome-note").textContent = error.message;
});
