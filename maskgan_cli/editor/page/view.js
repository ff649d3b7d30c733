// The picture on the screen: one or two panes of one zoom, layers in each, and where a pointer is in the mask.

export const VIEWS = ["split", "overlay", "mask", "result", "wipe"];

const MARGIN = 8; // around the picture, in CSS pixels

export class View {
  constructor(canvas) {
    Object.assign(this, { canvas, context: canvas.getContext("2d"), mode: "split", opacity: 0.55, zoom: 1, x: 0.5, y: 0.5, wipe: 0.5 });
    this.layers = { photo: null, result: null };
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
    this.fit();
  }
  fit() {
    Object.assign(this, { zoom: 1, x: 0.5, y: 0.5 });
    this.draw();
  }
  resize() {
    const scale = devicePixelRatio || 1, { clientWidth, clientHeight } = this.canvas;
    this.canvas.width = Math.max(1, Math.round(clientWidth * scale));
    this.canvas.height = Math.max(1, Math.round(clientHeight * scale));
    this.draw();
  }
  recolour(mask) {
    for (let i = 0; i < mask.data.length; i++) this.words[i] = this.table[mask.data[i]];
    this.paint.getContext("2d").putImageData(this.pixels, 0, 0);
    this.draw();
  }
  // Panes in canvas pixels: {kind, left, top, width, height}
  panes() {
    const { width, height } = this.canvas, gap = Math.round(8 * (devicePixelRatio || 1));
    if (this.mode !== "split") return [{ kind: this.mode, left: 0, top: 0, width, height }];
    if (width > height) {
      const half = (width - gap) / 2;
      return [{ kind: "overlay", left: 0, top: 0, width: half, height }, { kind: "result", left: half + gap, top: 0, width: half, height }];
    }
    const half = (height - gap) / 2;
    return [{ kind: "overlay", left: 0, top: 0, width, height: half }, { kind: "result", left: 0, top: half + gap, width, height: half }];
  }
  // The side of a picture that fills a pane, in canvas pixels, with a little room around it
  extent(pane) { return Math.max(32, Math.min(pane.width, pane.height) - 2 * MARGIN * (devicePixelRatio || 1)); }
  // Where the slider between photo and result stands
  cut(pane) { return pane.left + pane.width / 2 + (this.wipe - 0.5) * this.extent(pane); }
  // Canvas pixels per mask pixel, and where the mask's corner lies in a pane
  frame(pane) {
    const scale = this.extent(pane) / this.side * this.zoom;
    return { scale, left: pane.left + pane.width / 2 - this.x * this.side * scale, top: pane.top + pane.height / 2 - this.y * this.side * scale };
  }
  // A place in the page -> mask coordinates, and the pane it is in
  locate(clientX, clientY, pane = null) {
    const box = this.canvas.getBoundingClientRect(), ratio = this.canvas.width / box.width;
    const px = (clientX - box.left) * ratio, py = (clientY - box.top) * ratio;
    pane = pane ?? this.panes().find((p) => px >= p.left && px <= p.left + p.width && py >= p.top && py <= p.top + p.height) ?? this.panes()[0];
    const { scale, left, top } = this.frame(pane);
    return { x: (px - left) / scale, y: (py - top) / scale, pane, px, py };
  }
  // The place in the page of a mask coordinate (first pane)
  place(x, y) {
    const { scale, left, top } = this.frame(this.panes()[0]), box = this.canvas.getBoundingClientRect();
    const ratio = box.width / this.canvas.width;
    return { x: box.left + (left + x * scale) * ratio, y: box.top + (top + y * scale) * ratio };
  }
  zoomAt(factor, clientX, clientY) {
    const before = this.locate(clientX, clientY);
    this.zoom = Math.max(0.5, Math.min(24, this.zoom * factor));
    const after = this.locate(clientX, clientY);
    this.x += (before.x - after.x) / this.side;
    this.y += (before.y - after.y) / this.side;
    this._keepNear();
    this.draw();
  }
  panBy(dx, dy) {
    const { scale } = this.frame(this.panes()[0]), ratio = this.canvas.width / this.canvas.clientWidth;
    this.x -= dx * ratio / scale / this.side;
    this.y -= dy * ratio / scale / this.side;
    this._keepNear();
    this.draw();
  }
  // Move the picture so far that a place of the mask is to be seen.
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
      const put = (layer, smooth = true) => {
        if (!layer) return;
        c.imageSmoothingEnabled = smooth;
        c.imageSmoothingQuality = "high";
        c.drawImage(layer, frame.left, frame.top, length, length);
      };
      const { photo, result } = this.layers;
      if (pane.kind === "mask") put(this.paint, false);
      else if (pane.kind === "result") put(result ?? photo);
      else if (pane.kind === "overlay") {
        put(photo);
        c.globalAlpha = this.opacity;
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
}
