// Sliders that move the mask along MaskVAE: from where it was when the slider was taken, as far as it is pushed.

import * as api from "./api.js";

export class Sliders {
  constructor(editor, fail) {
    Object.assign(this, { editor, fail, inputs: [], held: null });
  }
  make(title, values, least, most) {
    const input = document.createElement("input"), label = document.createElement("label");
    Object.assign(input, { type: "range", min: least, max: most, step: 0.05, value: 0, title: `${title}: 0 changes nothing` });
    Object.assign(input.dataset, values);
    label.append(title, input);
    label.className = "slider";
    input.addEventListener("input", () => this._push(input, values, false));
    input.addEventListener("change", () => this._push(input, values, true));
    this.inputs.push(input);
    return label;
  }
  // Something else has changed the mask: every slider begins again from there.
  release() {
    if (this.committing) return;
    this.held = null;
    this.inputs = this.inputs.filter((input) => input.isConnected || !input.dataset.other);
    for (const input of this.inputs) input.value = 0;
  }
  async _push(input, values, last) {
    const { editor } = this;
    if (!editor.ready) return;
    if (this.held?.input !== input) {
      const amount = input.value;
      editor.tools.finish();
      this.release();
      input.value = amount;
      this.held = { input, base: editor.mask.data.slice() };
    }
    const { held } = this;
    held.last = held.last || last;
    held.wanted = Number(input.value);
    if (held.running) return; // the newest place is asked for once the answer to this one is there
    held.running = true;
    try {
      while (held.wanted !== held.shown || held.last) {
        const amount = held.wanted, ends = held.last;
        held.last = false;
        const labels = amount === 0 ? held.base : await api.vary(editor.session.id, held.base, { ...values, amount });
        if (this.held !== held) return; // another edit came in between
        held.shown = amount;
        editor.mask.data.set(labels);
        if (!ends) editor.touched(true);
        else this._commit(values);
      }
    } catch (error) {
      this.fail(error.message);
    } finally {
      held.running = false;
    }
  }
  _commit(values) {
    this.committing = true;
    this.editor.commit(values.direction ?? "mix");
    this.committing = false;
  }
}
