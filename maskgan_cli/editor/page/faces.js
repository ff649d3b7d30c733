// Choice of one of several faces in a photo, and rotation of the photo.

import * as api from "./api.js";
import { make } from "./elements.js";

const element = (id) => document.getElementById(id);

export class Faces {
  constructor(editor) {
    this.editor = editor;
    element("choose-face").addEventListener("click", () => this.show());
    for (const [id, turn] of [["turn-left", 270], ["turn-right", 90]]) element(id).addEventListener("click", () => this._choose({ turn }));
    for (const [id, by] of [["preview-left", 270], ["preview-right", 90]]) element(id).addEventListener("click", () => this._turnPreview(by));
    element("open-turned").addEventListener("click", () => this._openTurned());
    element("turn-dialog").addEventListener("close", () => URL.revokeObjectURL(element("turn-picture").src));
  }
  // After a session is opened, the user chooses one of several faces, once.
  opened({ places, chosen }) {
    element("choose-face").hidden = places.length < 2;
    if (!chosen) this.show();
  }
  // The photo with a numbered box around each face.
  show() {
    const { id, places, number, photo_size: [width, height] } = this.editor.session;
    element("faces-picture").src = api.address(`api/sessions/${id}/whole.jpg?edited=true`);
    element("face-boxes").replaceChildren(...places.map((corners, k) => {
      const xs = corners.map(([x]) => x), ys = corners.map(([, y]) => y), inside = (value) => Math.max(0, Math.min(1, value));
      const left = inside(Math.min(...xs) / width), right = inside(Math.max(...xs) / width), top = inside(Math.min(...ys) / height), bottom = inside(Math.max(...ys) / height);
      const box = make("button", { type: "button", textContent: k + 1, "aria-label": `Face ${k + 1}`, dataset: { face: k + 1 } });
      Object.assign(box.style, { left: `${100 * left}%`, top: `${100 * top}%`, width: `${100 * (right - left)}%`, height: `${100 * (bottom - top)}%` });
      box.setAttribute("aria-pressed", k + 1 === number);
      box.addEventListener("click", () => this._choose({ number: k + 1 }));
      return box;
    }));
    if (!element("faces-dialog").open) element("faces-dialog").showModal();
    element("face-boxes").querySelector("[aria-pressed=true]")?.focus();
  }
  async _choose(values) {
    const { editor } = this, { id, number } = editor.session;
    element("faces-dialog").close();
    try {
      await editor.live.settled();
    } catch (error) {
      return editor.panels.toast(error.message, true);
    }
    if (values.number === number) return api.choose(id, values).catch(() => {});
    await editor.files.open(() => api.choose(id, values), { step: editor.history.canUndo });
  }
  // Offer to rotate the photo if no face was found; returns whether the error was handled.
  offerTurn(error, file) {
    if (error.kind !== "no face") return false;
    const turn = make("button", { type: "button", textContent: "Turn the photo" });
    const toast = this.editor.panels.toast(error.message, true, turn);
    turn.addEventListener("click", () => {
      toast.remove();
      this.file = file;
      element("turn-picture").src = URL.createObjectURL(file);
      element("turn-picture").dataset.turn = 0;
      element("turn-dialog").showModal();
    });
    return true;
  }
  _turnPreview(by) {
    const picture = element("turn-picture");
    picture.dataset.turn = (Number(picture.dataset.turn) + by) % 360;
  }
  async _openTurned() {
    const turn = Number(element("turn-picture").dataset.turn), { file } = this;
    element("turn-dialog").close();
    await this.editor.files.open(() => api.openPicture(file, turn), { failed: (error) => this.offerTurn(error, file) });
  }
}
