// Tools: pointers and keys change the mask.

import { Stroke, component, fillPolygon, middleLine } from "./mask.js";
import { Selection } from "./selection.js";

export const TOOLS = ["brush", "eraser", "polygon", "lasso", "fill", "select", "pipette", "move", "hand"];
const FEATURES = [2, 4, 5, 10, 11, 12]; // nose, eyes and mouth, which give the axis of the face

export class Tools {
  constructor(editor, view) {
    Object.assign(this, { editor, view, tool: "move", value: 12, size: 14, hardness: 1, square: false, over: -1, mirror: false, reach: 10 });
    Object.assign(this, { pointers: new Map(), stroke: null, tap: null, pinch: null, points: [], hover: null, selection: null, spare: null });
    view.decorate = (context, pane, scale) => this._decorate(context, pane, scale);
    const canvas = view.canvas;
    canvas.addEventListener("pointerdown", (event) => this._down(event));
    canvas.addEventListener("pointermove", (event) => this._move(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this._up(event));
    canvas.addEventListener("pointerleave", () => { this.hover = null; view.draw(); });
    canvas.addEventListener("dblclick", () => this.finishPolygon());
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const speed = event.ctrlKey ? 0.01 : event.deltaMode ? 0.05 : 0.0015; // Ctrl: two fingers on a touchpad
      view.zoomAt(Math.exp(-event.deltaY * speed), event.clientX, event.clientY);
    }, { passive: false });
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
      this.editor.commit(this._named("move"));
    }
    this.value = value;
    this.editor.classChanged();
    this.view.draw();
  }
  // Choose a class to paint with; if the current tool does not use classes, switch to the brush.
  paintWith(value) {
    if (this.tool === "hand" || (this.tool === "move" && !this.selection)) this.choose("brush");
    this.chooseClass(value);
  }
  // End an unfinished action: a polygon is discarded, a moved part keeps its position.
  finish() {
    this.selection = null;
    this.points = [];
    this.view.draw();
  }
  // Cancel an unfinished action and restore the mask; without one, clear the selected area.
  cancel() {
    if (!this.stroke && !this.selection && !this.points.length) this.editor.area.clear();
    if (this.stroke || this.selection?.held) {
      this.stroke ? this.editor.mask.data.set(this.stroke.base) : this.selection.putBack();
      this.stroke = null;
      this.editor.touched(false);
    }
    this.selection = null;
    this.points = [];
    this.view.draw();
  }
  // A step's name for the history
  _named(tool) {
    const name = tool[0].toUpperCase() + tool.slice(1);
    return tool === "eraser" ? name : `${name}: ${this.editor.panels.classes.name(this.value).toLowerCase()}`;
  }
  get axis() {
    return this._axis ??= middleLine(this.editor.original, FEATURES);
  }
  newFace() {
    this._axis = null;
    Object.assign(this, { stroke: null, tap: null, selection: null, points: [], hover: null });
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
    const { view, editor } = this, touch = event.pointerType === "touch";
    if (!editor.ready) return;
    view.canvas.focus({ preventScroll: true });
    try { view.canvas.setPointerCapture(event.pointerId); } catch { /* a pointer that is gone already */ }
    if (touch && [...this.pointers.values()].some((other) => other.pen)) return; // palm touches are ignored
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, pen: event.pointerType === "pen" });
    if (this.pointers.size > 1) {
      this._startPinch();
      return;
    }
    const place = view.locate(event.clientX, event.clientY), { x, y } = place;
    this.pane = place.pane;
    this.panned = { x: event.clientX, y: event.clientY };
    this.chosen = this.value;
    this.reach = (touch ? 16 : 10) * (devicePixelRatio || 1); // canvas pixels from which a handle is caught
    const erase = this.tool === "eraser" || (event.pointerType === "pen" && event.button === 5); // the pen's eraser
    if (event.button === 1 || this.tool === "hand" || this.space || view.mode === "photo") this.panning = true;
    else if (event.button === 2) this._pick(place);
    else if (view.mode === "wipe" && this._nearWipe(place)) this.wiping = true;
    else if (this.tool === "brush" || erase) {
      this.stroke = this._newStroke(erase);
      this._draw(event);
    } else if (this.tool === "lasso") this.points = [[x, y]];
    else if (this.tool === "move") this.grab(x, y, event.altKey, this.reach);
    else this.tap = { ...place, more: event.shiftKey }; // applied when the pointer is lifted, because a second finger may start a zoom
  }
  _move(event) {
    const { view } = this, before = this.pointers.get(event.pointerId);
    if (!before && this.pointers.size) return; // palm touches, or a mouse beside the pen
    this.hover = view.locate(event.clientX, event.clientY, before ? this.pane : null);
    if (before) Object.assign(this.pointers.get(event.pointerId), { x: event.clientX, y: event.clientY });
    if (this.pinch) {
      const now = this._pinch();
      view.panBy(now.x - this.pinch.x, now.y - this.pinch.y);
      view.zoomAt(now.length / this.pinch.length, now.x, now.y);
      this.pinch = now;
      this.hover = null;
    } else if (this.panning) view.panBy(event.clientX - this.panned.x, event.clientY - this.panned.y);
    else if (this.wiping) this._wipeTo(this.hover);
    else if (this.stroke) {
      for (const part of event.getCoalescedEvents?.().length ? event.getCoalescedEvents() : [event]) this._draw(part);
    } else if (before && this.tool === "lasso" && this.points.length) this.points.push([this.hover.x, this.hover.y]);
    else if (this.selection?.held) {
      this.selection.drag(this.hover.x, this.hover.y, event.shiftKey);
      this.editor.touched(true);
    }
    this.panned = { x: event.clientX, y: event.clientY };
    view.canvas.style.cursor = this._cursor();
    view.draw();
  }
  _up(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    if (this.pointers.size) { // fingers are lifted one after the other; the remaining ones do not paint
      if (this.pinch) this.pinch = this._pinch();
      return;
    }
    const { tap } = this;
    this.panning = this.wiping = false;
    this.pinch = this.tap = null;
    if (this.stroke) {
      this.stroke = null;
      this.editor.commit(this._named(this.tool), { brush: true });
    } else if (tap) this.tapped(tap.x, tap.y, tap.more);
    else if (this.tool === "lasso" && this.points.length > 2) this._fillPoints("lasso");
    else if (this.selection?.held) {
      this.selection.held = null;
      if (this.selection.changed) this.editor.commit(this._named("move"));
      if (this.selection) this.selection.changed = false;
    }
    this.view.draw();
  }
  // A second finger cancels the edit that the first one started.
  _startPinch() {
    this.tap = null;
    this.panning = this.wiping = false;
    if (this.stroke || this.selection?.held) this.cancel();
    if (this.tool === "lasso") this.points = [];
    if (this.pointers.size === 2) this.chooseClass(this.chosen);
    this.pinch = this._pinch();
  }
  _pinch() {
    const [a, b = a] = [...this.pointers.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, length: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)) };
  }
  _draw(event) {
    const { x, y } = this.view.locate(event.clientX, event.clientY, this.pane);
    this.stroke.to(x, y, event.pointerType === "pen" && event.pressure ? 0.4 + 0.6 * event.pressure : 1);
    this.editor.touched(true, { brush: true });
  }
  fill(x, y) {
    const { mask } = this.editor, old = mask.at(x, y);
    if (old < 0 || old === this.value || (this.over >= 0 && old !== this.over)) return;
    for (const i of component(mask, x, y)) mask.data[i] = this.value;
    this.editor.commit(this._named("fill"), { brush: true });
  }
  _pick({ x, y }) {
    const found = this.editor.mask.at(x, y);
    if (found >= 0) this.chooseClass(found);
    if (this.tool === "pipette") this.choose("brush");
  }
  // Apply a tool that needs a single touch.
  tapped(x, y, more = false) {
    if (this.tool === "fill") this.fill(x, y);
    else if (this.tool === "select") this.editor.area.select(x, y, more);
    else if (this.tool === "pipette") this._pick({ x, y });
    else if (this.tool === "polygon") this.addPoint(x, y);
  }
  dab(x, y) {
    this._newStroke(this.tool === "eraser").to(x, y);
    this.editor.commit(this._named(this.tool), { brush: true });
  }
  addPoint(x, y) {
    const [first] = this.points, near = this.reach / this.view.frame(this.view.panes()[0]).scale;
    if (this.points.length > 2 && Math.hypot(first[0] - x, first[1] - y) < near) this.finishPolygon();
    else this.points.push([x, y]);
    this.view.draw();
  }
  finishPolygon() {
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
    this.editor.commit(this._named(label), { brush: true });
  }
  // Grab a part, or a handle of the selected part; from the keyboard (`reach` 0), only select it.
  grab(x, y, alone = false, reach = 0) {
    const { scale } = this.view.frame(this.view.panes()[0]);
    if (reach && this.selection?.grab(x, y, reach / scale)) return;
    this.finish();
    if (this.editor.mask.at(x, y) < 0) return;
    this.selection = new Selection(this.editor.mask, x, y, this.editor.about, alone);
    if (reach) this.selection.grab(x, y, 0);
    this.value = this.editor.mask.at(x, y);
    this.editor.classChanged();
  }
  _nearWipe({ px, pane }) {
    return Math.abs(px - this.view.cut(pane)) < 14 * (devicePixelRatio || 1);
  }
  _wipeTo({ px, pane }) {
    this.editor.panels.setWipe(0.5 + (px - pane.left - pane.width / 2) / this.view.extent(pane));
  }
  _cursor() {
    if (this.panning) return "grabbing";
    if (this.tool === "hand" || this.space || this.view.mode === "photo") return "grab";
    if (this.view.mode === "wipe" && this.hover && this._nearWipe(this.hover)) return "ew-resize";
    return this.tool === "move" ? "move" : this.tool === "brush" || this.tool === "eraser" ? "none" : "crosshair";
  }
  _decorate(context, pane, scale) {
    if (this.view.comparing) return;
    this.editor.area?.draw(context);
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
    if (pane.kind !== "result" || this.view.mode === "result") this.selection?.draw(context, twice, line); // the outline would hide the result
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
