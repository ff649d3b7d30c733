// Smart select: an area that limits painting, made of regions of the mask or of superpixels of the photo.

import * as api from "./api.js";
import { component } from "./mask.js";

const element = (id) => document.getElementById(id);

export class Area {
  constructor(editor) {
    Object.assign(this, { editor, pixels: null });
    this.layer = document.createElement("canvas");
    element("fill-area").addEventListener("click", () => this.fill());
    element("clear-area").addEventListener("click", () => this.clear());
  }
  newFace() {
    Object.assign(this, { pixels: null, patches: null });
    this._changed();
  }
  // Select the region at (x, y); with `more`, add it to the selection.
  async select(x, y, more) {
    const { mask, panels, session } = this.editor, { side } = mask;
    if (mask.at(x, y) < 0) return;
    let found;
    if (element("select-by").value === "patch") {
      try {
        const start = Math.floor(y) * side + Math.floor(x);
        this.patches ??= await this._patches(session.id);
        found = [...this.patches.keys()].filter((i) => this.patches[i] === this.patches[start]);
      } catch (error) {
        return panels.toast(error.message, true);
      }
    } else found = component(mask, x, y);
    if (!more || !this.pixels) this.pixels = new Uint8Array(side * side);
    for (const i of found) this.pixels[i] = 1;
    panels.say(`${panels.classes.name(mask.at(x, y))}: ${this.pixels.reduce((sum, one) => sum + one, 0)} pixels selected`);
    this._changed();
  }
  async _patches(id) {
    this.editor.panels.busy("Looking for patches …");
    try {
      const bytes = await api.patches(id);
      return new Uint16Array(bytes.buffer);
    } finally {
      this.editor.panels.busy("");
    }
  }
  fill() {
    const { mask, tools } = this.editor;
    if (!this.pixels) return;
    for (let i = 0; i < mask.data.length; i++) if (this.pixels[i]) mask.data[i] = tools.value;
    this.editor.commit(`Fill: ${this.editor.panels.classes.name(tools.value).toLowerCase()}`, { brush: true });
  }
  clear() {
    this.pixels = null;
    this._changed();
  }
  _changed() {
    element("area-actions").hidden = !this.pixels;
    if (this.pixels) this._paint();
    this.editor.view.draw();
  }
  // Unselected pixels are darker, the border is light.
  _paint() {
    const { side } = this.editor.mask, { pixels } = this;
    this.layer.width = this.layer.height = side;
    const image = new ImageData(side, side), words = new Uint32Array(image.data.buffer);
    for (let i = 0; i < pixels.length; i++) {
      const x = i % side, edge = pixels[i] && (!pixels[i - 1] || !pixels[i + 1] || !pixels[i - side] || !pixels[i + side] || x === 0 || x === side - 1);
      words[i] = edge ? 0xffffffff : pixels[i] ? 0 : 0x66000000;
    }
    this.layer.getContext("2d").putImageData(image, 0, 0);
  }
  draw(context) {
    if (!this.pixels) return;
    context.imageSmoothingEnabled = false;
    context.drawImage(this.layer, 0, 0);
  }
}
