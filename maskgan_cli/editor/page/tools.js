// Tools: what pointers and keys do to the mask.

import { Stroke, component, fillPolygon, middleLine } from "./mask.js";
import { Selection } from "./selection.js";

export const TOOLS = ["brush", "eraser", "polygon", "lasso", "fill", "pipette", "move", "hand"];
const FEATURES = [2, 4, 5, 10, 11, 12]; // nose, eyes, mouth: they say where the middle of a face is

export class Tools {
  constructor(editor, view) {
    Object.assign(this, { editor, view, tool: "brush", value: 12, size: 14, hardness: 1, square: false, over: -1, mirror: false });
    Object.assign(this, { pointers: new Map(), stroke: null, points: [], hover: null, selection: null, spare: null });
    view.decorate = (context, pane, scale) => this._decorate(context, pane, scale);
    const canvas = view.canvas;
    canvas.addEventListener("pointerdown", (event) => this._down(event));
    canvas.addEventListener("pointermove", (event) => this._move(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this._up(event));
    canvas.addEventListener("pointerleave", () => { this.hover = null; view.draw(); });
    canvas.addEventListener("dblclick", () => this._finishPolygon());
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      view.zoomAt(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), event.clientX, event.clientY);
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => this._key(event));
  }
  choose(tool) {
    this.finish();
    this.tool = tool;
    this.editor.toolChanged();
    this.view.draw();
  }
  chooseClass(value) {
    if (this.selection && value !== this.value) {
      this.selection.recolour(value);
      this.editor.commit("move");
    }
    this.value = value;
    this.editor.classChanged();
    this.view.draw();
  }
  // End what is half done: a polygon is dropped, a moved part stays where it is.
  finish() {
    this.selection = null;
    this.points = [];
    this.view.draw();
  }
  cancel() {
    if (this.stroke) { this.editor.mask.data.set(this.stroke.base); this.stroke = null; this.editor.touched(false); }
    this.selection = null;
    this.points = [];
    this.view.draw();
  }
  get axis() {
    return this._axis ??= middleLine(this.editor.original, FEATURES);
  }
  newFace() {
    this._axis = null;
    Object.assign(this, { stroke: null, selection: null, points: [] });
  }

  _mirror() {
    return this.mirror ? { axis: this.axis, table: this.editor.about.mirror } : null;
  }
  _newStroke(erase) {
    const { original, mask } = this.editor, wanted = this.value;
    return new Stroke(mask, {
      radius: this.size / 2, hardness: this.hardness, square: this.square, over: this.over, mirror: this._mirror(),
      value: erase ? (i) => original.data[i] : () => wanted, exact: erase,
    });
  }
  _down(event) {
    const { view, editor } = this;
    if (!editor.ready) return;
    view.canvas.focus({ preventScroll: true });
    try { view.canvas.setPointerCapture(event.pointerId); } catch { /* a pointer that is gone already */ }
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (this.pointers.size === 2) { this.stroke ? this.cancel() : null; this.points = this.tool === "lasso" ? [] : this.points; this.pinch = this._pinch(); return; }
    if (this.pointers.size > 2) return;
    const place = view.locate(event.clientX, event.clientY);
    this.pane = place.pane;
    if (event.button === 1 || this.tool === "hand" || this.space) { this.panning = true; return; }
    if (event.button === 2) { this._pick(place); return; }
    if (view.mode === "wipe" && this._nearWipe(place)) { this.wiping = true; return; }
    const { x, y } = place;
    if (this.tool === "brush" || this.tool === "eraser") {
      this.stroke = this._newStroke(this.tool === "eraser");
      this._draw(event);
    } else if (this.tool === "lasso") this.points = [[x, y]];
    else if (this.tool === "polygon") this._addPoint(x, y);
    else if (this.tool === "fill") this.fill(x, y);
    else if (this.tool === "pipette") this._pick(place);
    else if (this.tool === "move") this._grab(x, y, event.altKey);
  }
  _move(event) {
    const { view } = this, before = this.pointers.get(event.pointerId);
    this.hover = view.locate(event.clientX, event.clientY, before ? this.pane : null);
    if (before) this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (before && this.pointers.size === 2 && this.pinch) {
      const now = this._pinch();
      view.panBy(now.x - this.pinch.x, now.y - this.pinch.y);
      view.zoomAt(now.length / this.pinch.length, now.x, now.y);
      this.pinch = now;
    } else if (before && this.panning) view.panBy(event.clientX - before.x, event.clientY - before.y);
    else if (before && this.wiping) this._wipeTo(this.hover);
    else if (this.stroke) {
      for (const part of event.getCoalescedEvents?.().length ? event.getCoalescedEvents() : [event]) this._draw(part);
    } else if (before && this.tool === "lasso" && this.points.length) this.points.push([this.hover.x, this.hover.y]);
    else if (before && this.selection?.held) {
      this.selection.drag(this.hover.x, this.hover.y, event.shiftKey);
      this.editor.touched(true);
    }
    view.canvas.style.cursor = this._cursor();
    view.draw();
  }
  _up(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    if (this.pointers.size) return;
    this.pinch = null;
    if (this.panning || this.wiping) { this.panning = this.wiping = false; return; }
    if (this.stroke) {
      this.stroke = null;
      this.editor.commit(this.tool);
    } else if (this.tool === "lasso" && this.points.length > 2) this._fillPoints("lasso");
    else if (this.selection?.held) {
      this.selection.held = null;
      if (this.selection.changed) this.editor.commit("move");
      if (this.selection) this.selection.changed = false;
    }
    this.view.draw();
  }
  _pinch() {
    const [a, b] = [...this.pointers.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, length: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)) };
  }
  _draw(event) {
    const { x, y } = this.view.locate(event.clientX, event.clientY, this.pane);
    this.stroke.to(x, y, event.pointerType === "pen" && event.pressure ? 0.4 + 0.6 * event.pressure : 1);
    this.editor.touched(true);
  }
  fill(x, y) {
    const { mask } = this.editor, old = mask.at(x, y);
    if (old < 0 || old === this.value || (this.over >= 0 && old !== this.over)) return;
    for (const i of component(mask, x, y)) mask.data[i] = this.value;
    this.editor.commit("fill");
  }
  _pick({ x, y }) {
    const found = this.editor.mask.at(x, y);
    if (found >= 0) this.chooseClass(found);
    if (this.tool === "pipette") this.choose("brush");
  }
  _addPoint(x, y) {
    const [first] = this.points, near = 8 / this.view.frame(this.view.panes()[0]).scale;
    if (this.points.length > 2 && Math.hypot(first[0] - x, first[1] - y) < near) this._finishPolygon();
    else this.points.push([x, y]);
    this.view.draw();
  }
  _finishPolygon() {
    if (this.tool === "polygon" && this.points.length > 2) this._fillPoints("polygon");
  }
  _fillPoints(label) {
    const { mask, about } = this.editor, base = mask.data.slice(), mirror = this._mirror();
    const put = (flipped) => (i) => {
      const over = flipped && this.over >= 0 ? about.mirror[this.over] : this.over;
      if (over < 0 || base[i] === over) mask.data[i] = flipped ? about.mirror[this.value] : this.value;
    };
    fillPolygon(mask, this.points, put(false));
    if (mirror) fillPolygon(mask, this.points.map(([x, y]) => [2 * mirror.axis - x, y]), put(true));
    this.points = [];
    this.editor.commit(label);
  }
  _grab(x, y, alone) {
    const scale = this.view.frame(this.view.panes()[0]).scale;
    if (this.selection?.grab(x, y, 10 * (devicePixelRatio || 1) / scale)) return;
    this.finish();
    if (this.editor.mask.at(x, y) < 0) return;
    this.selection = new Selection(this.editor.mask, x, y, this.editor.about, alone);
    this.selection.grab(x, y, 0);
    this.value = this.editor.mask.at(x, y);
    this.editor.classChanged();
  }
  _nearWipe({ px, pane }) {
    const cut = pane.left + pane.width / 2 + (this.view.wipe - 0.5) * Math.min(pane.width, pane.height);
    return Math.abs(px - cut) < 14 * (devicePixelRatio || 1);
  }
  _wipeTo({ px, pane }) {
    this.view.wipe = Math.max(0, Math.min(1, 0.5 + (px - pane.left - pane.width / 2) / Math.min(pane.width, pane.height)));
  }
  _cursor() {
    if (this.panning) return "grabbing";
    if (this.tool === "hand" || this.space) return "grab";
    if (this.view.mode === "wipe" && this.hover && this._nearWipe(this.hover)) return "ew-resize";
    return this.tool === "move" ? "move" : this.tool === "brush" || this.tool === "eraser" ? "none" : "crosshair";
  }
  // The canvas by keyboard: arrows move the brush, Enter paints.
  _key(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!steps && event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    const { view, editor } = this, side = editor.mask.side;
    this.hover ??= { x: side / 2, y: side / 2, pane: view.panes()[0] };
    if (steps) {
      const far = event.shiftKey ? 16 : event.altKey ? 1 : 4;
      if (this.selection && this.tool === "move") {
        this.selection.nudge(steps[0] * far / 4, steps[1] * far / 4);
        editor.commit("move");
      }
      this.hover = { ...this.hover, x: Math.max(0, Math.min(side, this.hover.x + steps[0] * far)), y: Math.max(0, Math.min(side, this.hover.y + steps[1] * far)) };
    } else if (this.tool === "brush" || this.tool === "eraser") {
      this._newStroke(this.tool === "eraser").to(this.hover.x, this.hover.y);
      editor.commit(this.tool);
    } else if (this.tool === "fill") this.fill(this.hover.x, this.hover.y);
    else if (this.tool === "pipette") this._pick(this.hover);
    else if (this.tool === "polygon") event.shiftKey ? this._finishPolygon() : this._addPoint(this.hover.x, this.hover.y);
    else if (this.tool === "move") { this.selection ? this.finish() : this._grab(this.hover.x, this.hover.y, false); if (this.selection) this.selection.held = null; }
    view.draw();
  }
  _decorate(context, pane, scale) {
    const line = 1.5 * (devicePixelRatio || 1) / scale;
    const twice = (draw) => {
      for (const [colour, width] of [["#000c", 2.2 * line], ["#fff", line]]) {
        Object.assign(context, { strokeStyle: colour, lineWidth: width });
        context.beginPath();
        draw();
        context.stroke();
      }
    };
    if (this.mirror) {
      context.setLineDash([4 * line, 4 * line]);
      twice(() => { context.moveTo(this.axis, 0); context.lineTo(this.axis, this.view.side); });
      context.setLineDash([]);
    }
    if (this.points.length) {
      twice(() => {
        this.points.forEach(([x, y], k) => (k ? context.lineTo(x, y) : context.moveTo(x, y)));
        if (this.hover && this.tool === "polygon") context.lineTo(this.hover.x, this.hover.y);
      });
    }
    this.selection?.draw(context, twice, line);
    if (this.hover && (this.tool === "brush" || this.tool === "eraser") && !this.space) {
      const radius = this.size / 2, places = [this.hover.x];
      if (this.mirror) places.push(2 * this.axis - this.hover.x);
      for (const x of places) {
        twice(() => {
          if (this.square) context.rect(x - radius, this.hover.y - radius, this.size, this.size);
          else context.arc(x, this.hover.y, radius, 0, 7);
        });
      }
    }
  }
}
