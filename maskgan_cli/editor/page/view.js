// The view: one or two panes with a shared zoom, their layers, and coordinates of pointers in the mask.

import { make } from "./elements.js";

export const VIEWS = ["split", "overlay", "mask", "result", "wipe", "photo"];

const MARGIN = 8; // around the picture, in CSS pixels

export class View {
  constructor(canvas) {
    Object.assign(this, { canvas, context: canvas.getContext("2d"), mode: "split", opacity: 0.55, zoom: 1, x: 0.5, y: 0.5, wipe: 0.5 });
    this.layers = { photo: null, result: null };
    this.whole = null; // the photo around the face: see `setWhole`
    this.around = new Map(); // kind of a pane -> {key, layer}: the pane's part of that photo
    this.hidden = new Set(); // classes that are not drawn
    this.paint = document.createElement("canvas"); // the mask in its colours
    this.decorate = () => {};
    new ResizeObserver(() => this.resize()).observe(canvas);
  }
  begin(side, colours) {
    this.side = side;
    this.paint.width = this.paint.height = side;
    this.pixels = new ImageData(side, side);
    this.words = new Uint32Array(this.pixels.data.buffer);
    const little = colours.map((c) => [1, 3, 5].map((i) => parseInt(c.slice(i, i + 2), 16)));
    this.table = Uint32Array.from(little, ([r, g, b]) => (255 << 24 | b << 16 | g << 8 | r) >>> 0);
    this.whole = this.places = null;
    this.fit();
  }
  // The photo of the face: its picture, its size, and the corners of the face in it.
  setWhole(before, [width, height], square) {
    this.whole = { before, after: null, width, height, square };
    this.around.clear();
    this.draw();
  }
  fit() {
    Object.assign(this, { zoom: 1, x: 0.5, y: 0.5 });
    this.draw();
  }
  // Photo and face have separate zooms.
  setMode(mode) {
    if ((mode === "photo") !== (this.mode === "photo")) {
      const { zoom, x, y } = this;
      Object.assign(this, this.places ?? { zoom: 1, x: 0.5, y: 0.5 });
      this.places = { zoom, x, y };
    }
    this.mode = mode;
    this.draw();
  }
  resize() {
    const scale = devicePixelRatio || 1, { clientWidth, clientHeight } = this.canvas;
    this.canvas.width = Math.max(1, Math.round(clientWidth * scale));
    this.canvas.height = Math.max(1, Math.round(clientHeight * scale));
    this.draw();
  }
  recolour(mask) {
    const table = this.table.map((word, id) => (this.hidden.has(id) ? 0 : word));
    for (let i = 0; i < mask.data.length; i++) this.words[i] = table[mask.data[i]];
    this.paint.getContext("2d").putImageData(this.pixels, 0, 0);
    this.draw();
  }
  // Panes in canvas pixels: {kind, left, top, width, height}
  panes() {
    const { width, height } = this.canvas, gap = Math.round(8 * (devicePixelRatio || 1));
    if (this.mode === "photo" && !this.whole) return [{ kind: "result", left: 0, top: 0, width, height }];
    if (this.mode !== "split") return [{ kind: this.mode, left: 0, top: 0, width, height }];
    if (width > height) {
      const half = (width - gap) / 2;
      return [{ kind: "overlay", left: 0, top: 0, width: half, height }, { kind: "result", left: half + gap, top: 0, width: half, height }];
    }
    const half = (height - gap) / 2;
    return [{ kind: "overlay", left: 0, top: 0, width, height: half }, { kind: "result", left: 0, top: half + gap, width, height: half }];
  }
  // The side of a picture that fills a pane with a margin, in canvas pixels
  extent(pane) { return Math.max(32, Math.min(pane.width, pane.height) - 2 * MARGIN * (devicePixelRatio || 1)); }
  // Position of the slider between photo and result
  cut(pane) { return pane.left + pane.width / 2 + (this.wipe - 0.5) * this.extent(pane); }
  // Canvas pixels per mask pixel, and position of the mask's corner in a pane
  frame(pane) {
    if (pane.kind === "photo") {
      const { width, height } = this.whole, room = 2 * MARGIN * (devicePixelRatio || 1);
      const scale = Math.min((pane.width - room) / width, (pane.height - room) / height) * this.zoom;
      return { scale, left: pane.left + pane.width / 2 - this.x * width * scale, top: pane.top + pane.height / 2 - this.y * height * scale };
    }
    const scale = this.extent(pane) / this.side * this.zoom;
    return { scale, left: pane.left + pane.width / 2 - this.x * this.side * scale, top: pane.top + pane.height / 2 - this.y * this.side * scale };
  }
  // Mask coordinates and pane of a position on the page
  locate(clientX, clientY, pane = null) {
    const box = this.canvas.getBoundingClientRect(), ratio = this.canvas.width / box.width;
    const px = (clientX - box.left) * ratio, py = (clientY - box.top) * ratio;
    pane = pane ?? this.panes().find((p) => px >= p.left && px <= p.left + p.width && py >= p.top && py <= p.top + p.height) ?? this.panes()[0];
    const { scale, left, top } = this.frame(pane);
    return { x: (px - left) / scale, y: (py - top) / scale, pane, px, py };
  }
  // Position on the page of a mask coordinate (first pane)
  place(x, y) {
    const { scale, left, top } = this.frame(this.panes()[0]), box = this.canvas.getBoundingClientRect();
    const ratio = box.width / this.canvas.width;
    return { x: box.left + (left + x * scale) * ratio, y: box.top + (top + y * scale) * ratio };
  }
  // The size that x and y are shares of, in the units of `frame`
  _sides(pane) { return pane.kind === "photo" ? [this.whole.width, this.whole.height] : [this.side, this.side]; }
  zoomAt(factor, clientX, clientY) {
    const before = this.locate(clientX, clientY), [width, height] = this._sides(before.pane);
    this.zoom = Math.max(0.5, Math.min(24, this.zoom * factor));
    const after = this.locate(clientX, clientY);
    this.x += (before.x - after.x) / width;
    this.y += (before.y - after.y) / height;
    this._keepNear();
    this.draw();
  }
  panBy(dx, dy) {
    const pane = this.panes()[0], { scale } = this.frame(pane), ratio = this.canvas.width / this.canvas.clientWidth, [width, height] = this._sides(pane);
    this.x -= dx * ratio / scale / width;
    this.y -= dy * ratio / scale / height;
    this._keepNear();
    this.draw();
  }
  // Scroll the picture so that a position of the mask is visible.
  reveal(x, y) {
    const pane = this.panes()[0], { scale, left, top } = this.frame(pane), edge = Math.min(40, pane.width / 4, pane.height / 4);
    const beyond = (at, low, size) => Math.min(0, at - low - edge) + Math.max(0, at - low - size + edge);
    this.x += beyond(left + x * scale, pane.left, pane.width) / scale / this.side;
    this.y += beyond(top + y * scale, pane.top, pane.height) / scale / this.side;
    this._keepNear();
  }
  _keepNear() {
    this.x = Math.max(-0.1, Math.min(1.1, this.x));
    this.y = Math.max(-0.1, Math.min(1.1, this.y));
  }
  draw() {
    if (!this.side || this.queued) return;
    this.queued = requestAnimationFrame(() => { this.queued = 0; this._draw(); });
  }
  _draw() {
    const c = this.context;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (const pane of this.panes()) {
      const frame = this.frame(pane), length = this.side * frame.scale;
      c.save();
      c.beginPath();
      c.rect(pane.left, pane.top, pane.width, pane.height);
      c.clip();
      if (pane.kind === "photo") {
        this._drawWhole(c, frame);
        c.restore();
        continue;
      }
      const put = (layer, smooth = true) => {
        if (!layer) return;
        c.imageSmoothingEnabled = smooth;
        c.imageSmoothingQuality = "high";
        c.drawImage(layer, frame.left, frame.top, length, length);
      };
      const { photo } = this.layers, result = this.comparing ? photo : this.layers.result;
      if (pane.kind !== "mask" && this.whole) c.drawImage(this._aroundOf(pane, frame), Math.floor(pane.left), Math.floor(pane.top));
      if (pane.kind === "mask") put(this.paint, false);
      else if (pane.kind === "result") put(result ?? photo);
      else if (pane.kind === "overlay") {
        put(photo);
        c.globalAlpha = this.comparing ? 0 : this.opacity;
        put(this.paint, false);
        c.globalAlpha = 1;
      } else {
        put(photo);
        const cut = this.cut(pane);
        c.save();
        c.beginPath();
        c.rect(cut, pane.top, pane.width, pane.height);
        c.clip();
        put(result);
        c.restore();
        c.fillStyle = "#fff";
        c.fillRect(cut - 1, pane.top, 2, pane.height);
      }
      c.translate(frame.left, frame.top);
      c.scale(frame.scale, frame.scale);
      this.decorate(c, pane, frame.scale);
      c.restore();
    }
  }
  // The photo, paler, as it is shown around the face, where it cannot be edited. It is drawn again only if the pane changes.
  _aroundOf(pane, frame) {
    const key = [pane.left, pane.top, pane.width, pane.height, frame.left, frame.top, frame.scale].join();
    if (this.around.get(pane.kind)?.key !== key) {
      const layer = make("canvas", { width: Math.ceil(pane.width) + 1, height: Math.ceil(pane.height) + 1 }), c = layer.getContext("2d");
      c.translate(-Math.floor(pane.left), -Math.floor(pane.top));
      this._drawAround(c, frame);
      this.around.set(pane.kind, { key, layer });
    }
    return this.around.get(pane.kind).layer;
  }
  _drawAround(c, frame) {
    const { before, width, square: [corner, below, , right] } = this.whole, k = frame.scale * this.side;
    const ax = right[0] - corner[0], ay = right[1] - corner[1], bx = below[0] - corner[0], by = below[1] - corner[1], d = ax * by - ay * bx;
    const m = [by / d * k, -ay / d * k, -bx / d * k, ax / d * k]; // from the photo to the canvas
    c.transform(...m, frame.left - m[0] * corner[0] - m[2] * corner[1], frame.top - m[1] * corner[0] - m[3] * corner[1]);
    c.globalAlpha = 0.45;
    c.imageSmoothingQuality = "high";
    c.drawImage(before, 0, 0, width, width * before.height / before.width);
  }
  // The whole photo as it would be saved.
  _drawWhole(c, frame) {
    const { before, after, width, height, square } = this.whole;
    c.imageSmoothingQuality = "high";
    c.drawImage(this.comparing ? before : after ?? before, frame.left, frame.top, width * frame.scale, height * frame.scale);
    c.lineWidth = devicePixelRatio || 1;
    for (const [colour, dash] of [["#000a", []], ["#fffc", [6, 6]]]) {
      c.strokeStyle = colour;
      c.setLineDash(dash);
      c.beginPath();
      square.forEach(([x, y], k) => c[k ? "lineTo" : "moveTo"](frame.left + x * frame.scale, frame.top + y * frame.scale));
      c.closePath();
      c.stroke();
    }
    c.setLineDash([]);
  }
}
