// The editor: one face, its mask and history; tools change the mask, the face follows.

import * as api from "./api.js";
import { bindCanvas } from "./bykeys.js";
import { Composition } from "./composition.js";
import { History } from "./history.js";
import { bindKeys } from "./keys.js";
import { Live } from "./live.js";
import { Mask } from "./mask.js";
import { Panels } from "./panels.js";
import { Tools } from "./tools.js";
import { View } from "./view.js";

const element = (id) => document.getElementById(id);

class Editor {
  async begin() {
    this.about = await api.about();
    this.view = new View(element("canvas"));
    this.tools = new Tools(this, this.view);
    this.live = new Live({
      current: () => ({ id: this.session.id, mask: this.mask.data, style: this.style, finish: this.finish }),
      show: (bitmap, blob, preview) => this._show(bitmap, blob, preview),
      say: (text, busy, failed) => this.panels.status(text, busy, failed),
    });
    this.panels = new Panels(this);
    bindKeys(this);
    bindCanvas(this);
    this.finish = "seamless";
    const wanted = location.hash.slice(1) || this.about.start;
    if (wanted && await this.open(() => api.session(wanted), true)) return;
    this.panels.welcome();
  }
  get ready() { return Boolean(this.session); }

  // Show the session that `ask` resolves to; false if there is none.
  async open(ask, quiet = false) {
    this.panels.busy("Opening the picture …");
    try {
      const session = await ask();
      const [original, labels, photo, history] = await Promise.all([
        api.labels(session.id, "face"), api.labels(session.id, "mask"),
        api.picture(`api/sessions/${session.id}/face.png`), History.open(session.id),
      ]);
      Object.assign(this, { session, history, style: session.style, finish: session.finish });
      this.original = new Mask(session.side, original);
      this.mask = new Mask(session.side, labels);
      this.result = null;
      this.view.layers = { photo, result: null };
      this.view.begin(session.side, this.about.colours);
      this.tools.newFace();
      this.composition = new Composition(labels);
      if (history.current) Object.assign(this, history.restore(this.mask));
      else history.push(this, "Begin");
      this.committed = this.mask.data.slice();
      if (this.style > session.others) this.style = 0;
      window.history.replaceState(null, "", `#${session.id}`);
      try { localStorage.setItem("last", session.id); } catch { /* a window without a memory */ }
      this.live.start(session.revision);
      this.view.recolour(this.mask);
      this.panels.opened();
      this.live.changed();
      return true;
    } catch (error) {
      if (quiet) window.history.replaceState(null, "", location.pathname);
      else this.panels.toast(error.message, true);
      return false;
    } finally {
      this.panels.busy("");
    }
  }
  // The mask has changed; while `dragging`, a preview is enough.
  touched(dragging) {
    this.view.recolour(this.mask);
    this.live.changed(dragging);
  }
  // The mask has changed, and this is a step that can be undone. `composed`: the composition's own doing.
  commit(label, { composed = false, merge = "" } = {}) {
    if (!composed && !this.composition.absorb(this.committed, this.mask.data, this.mask.side)) {
      this.panels.say("The sliders now start from the painted mask.");
    }
    this.committed.set(this.mask.data);
    this.history.push(this, label, merge);
    this.panels.historyChanged();
    this.touched(false);
  }
  // Back to the last step, after something that failed.
  restoreStep() {
    Object.assign(this, this.history.restore(this.mask));
    this.committed.set(this.mask.data);
    this.panels.historyChanged();
    this.touched(false);
  }
  replace(labels, label) {
    this.tools.finish();
    this.mask.data.set(labels);
    this.commit(label);
  }
  undo() { this._step(-1); }
  redo() { this._step(1); }
  _step(by) {
    if (!this.ready) return;
    if (this.tools.stroke || this.tools.points.length) {
      this.tools.cancel();
      return;
    }
    this.tools.finish();
    const undone = this.history.current.label;
    if (!this.history.move(by)) return;
    this.restoreStep();
    this.panels.othersChanged();
    this.panels.say(by < 0 ? `undone: ${undone}` : `again: ${this.history.current.label}`);
  }
  setStyle(style) {
    this.style = style;
    this.commit("style");
    this.panels.othersChanged();
  }
  setFinish(finish) {
    this.finish = finish;
    this.panels.finishChanged();
    if (this.ready) this.live.changed();
  }
  setView(mode) {
    this.view.mode = mode;
    this.panels.viewChanged();
    this.view.draw();
  }
  toolChanged() { this.panels.toolChanged(); }
  classChanged() { this.panels.classChanged(); }

  _show(bitmap, blob, preview) {
    this.view.layers.result?.close();
    this.view.layers.result = bitmap;
    if (!preview) this.result = blob;
    this.view.draw();
  }
}

export const editor = new Editor();
globalThis.editor = editor; // for the console, and for tests
editor.begin().catch((error) => {
  element("welcome-note").textContent = error.message;
});
