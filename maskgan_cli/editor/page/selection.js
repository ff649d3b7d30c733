// A part of the face as an object, which is moved, scaled, rotated or given another class (paper: shape, location, category).

import { component, uncover } from "./mask.js";

export class Selection {
  // The component at (x, y); parts of a group (the mouth) are selected together unless `alone`.
  constructor(mask, x, y, about, alone = false) {
    const value = mask.at(x, y);
    const group = alone ? null : about.groups.mouth.includes(value) ? about.groups.mouth : null;
    Object.assign(this, { mask, before: mask.data.slice(), pixels: component(mask, x, y, group), changed: false, held: null });
    this.values = this.pixels.map((i) => mask.data[i]);
    const { side } = mask, xs = this.pixels.map((i) => i % side), ys = this.pixels.map((i) => Math.floor(i / side));
    this.box = { left: xs.reduce((a, b) => Math.min(a, b)), right: xs.reduce((a, b) => Math.max(a, b)) + 1,
      top: ys.reduce((a, b) => Math.min(a, b)), bottom: ys.reduce((a, b) => Math.max(a, b)) + 1 };
    this.inside = new Uint8Array(mask.data.length);
    for (const i of this.pixels) this.inside[i] = 1;
    const hole = mask.copy();
    const behind = value === 0 ? [...about.classes.keys()] : about.behind[value] ?? [1];
    uncover(hole, this.pixels, behind.filter((id) => !(group ?? [value]).includes(id)));
    this.hole = hole.data;
    const { left, right, top, bottom } = this.box;
    this.pose = { x: (left + right) / 2, y: (top + bottom) / 2, sx: 1, sy: 1, turn: 0 };
    this.start = { ...this.pose };
  }
  get half() { return { x: (this.box.right - this.box.left) / 2, y: (this.box.bottom - this.box.top) / 2 }; }
  // From the part's own frame (-1..1) to the mask
  _out(u, v) {
    const { x, y, sx, sy, turn } = this.pose, a = u * this.half.x * sx, b = v * this.half.y * sy;
    return [x + a * Math.cos(turn) - b * Math.sin(turn), y + a * Math.sin(turn) + b * Math.cos(turn)];
  }
  _in(px, py) {
    const { x, y, turn } = this.pose, a = px - x, b = py - y;
    return [a * Math.cos(turn) + b * Math.sin(turn), -a * Math.sin(turn) + b * Math.cos(turn)];
  }
  handles() {
    const found = [];
    for (const u of [-1, 0, 1]) for (const v of [-1, 0, 1]) if (u || v) found.push({ u, v, at: this._out(u, v) });
    return found;
  }
  knob(line) {
    const [x, y] = this._out(0, -1), { turn } = this.pose;
    return [x + Math.sin(turn) * 18 * line, y - Math.cos(turn) * 18 * line];
  }
  // Choose the nearest handle, because the handles of a small part are close together.
  grab(x, y, reach) {
    const begin = { x, y, pose: { ...this.pose } }, { sx, sy } = this.pose, [a, b] = this._in(x, y);
    const spots = [{ kind: "move", at: [this.pose.x, this.pose.y] }, { kind: "turn", at: this.knob(this.line ?? 1) },
      ...this.handles().map((handle) => ({ kind: "scale", handle, at: handle.at }))];
    const far = ({ at }) => Math.hypot(at[0] - x, at[1] - y);
    const nearest = spots.reduce((best, spot) => (far(spot) < far(best) ? spot : best));
    const inside = Math.abs(a) <= this.half.x * sx + 2 && Math.abs(b) <= this.half.y * sy + 2;
    this.held = far(nearest) < reach ? { ...nearest, ...begin } : inside ? { kind: "move", ...begin } : null;
    return this.held !== null;
  }
  drag(x, y, even) {
    const { kind, pose, handle } = this.held;
    if (kind === "move") Object.assign(this.pose, { x: pose.x + x - this.held.x, y: pose.y + y - this.held.y });
    else if (kind === "turn") {
      const angle = (px, py) => Math.atan2(py - pose.y, px - pose.x);
      this.pose.turn = pose.turn + angle(x, y) - angle(this.held.x, this.held.y);
    } else {
      const [a, b] = this._in(x, y), floor = 0.1;
      if (handle.u) this.pose.sx = Math.max(floor, a * handle.u / this.half.x);
      if (handle.v) this.pose.sy = Math.max(floor, b * handle.v / this.half.y);
      if (even && handle.u && handle.v) this.pose.sx = this.pose.sy = Math.max(this.pose.sx, this.pose.sy);
    }
    this.apply();
  }
  nudge(dx, dy) {
    this.pose.x += dx;
    this.pose.y += dy;
    this.apply();
  }
  stretch(across, down) {
    this.pose.sx = Math.max(0.1, this.pose.sx + across);
    this.pose.sy = Math.max(0.1, this.pose.sy + down);
    this.apply();
  }
  turnBy(angle) {
    this.pose.turn += angle;
    this.apply();
  }
  // Restore the part as it was before it was grabbed.
  putBack() {
    Object.assign(this.pose, this.held.pose);
    this.changed ? this.apply() : null;
  }
  recolour(value) {
    this.values = this.values.map(() => value);
    this.apply();
  }
  apply() {
    const { mask, before, inside, start, pose } = this, { side } = mask;
    const value = new Uint8Array(before.length);
    this.pixels.forEach((i, k) => { value[i] = this.values[k]; });
    mask.data.set(this.hole);
    const corners = [[-1, -1], [1, -1], [-1, 1], [1, 1]].map(([u, v]) => this._out(u, v));
    const bound = (k, pick, least, most) => Math.max(least, Math.min(most, Math.round(pick(...corners.map((c) => c[k])))));
    const left = bound(0, Math.min, 0, side) - 1, right = bound(0, Math.max, 0, side) + 1;
    const top = bound(1, Math.min, 0, side) - 1, bottom = bound(1, Math.max, 0, side) + 1;
    for (let y = Math.max(0, top); y < Math.min(side, bottom); y++) {
      for (let x = Math.max(0, left); x < Math.min(side, right); x++) {
        const [a, b] = this._in(x + 0.5, y + 0.5);
        const sx = Math.floor(start.x + a / pose.sx), sy = Math.floor(start.y + b / pose.sy);
        if (sx < 0 || sy < 0 || sx >= side || sy >= side) continue;
        const i = sy * side + sx;
        if (inside[i]) mask.data[y * side + x] = value[i];
      }
    }
    this.changed = true;
  }
  draw(context, twice, line) {
    this.line = line;
    twice(() => {
      [[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]].forEach(([u, v], k) => context[k ? "lineTo" : "moveTo"](...this._out(u, v)));
      context.moveTo(...this._out(0, -1));
      context.lineTo(...this.knob(line));
    });
    context.fillStyle = "#fff";
    for (const [x, y] of [...this.handles().map((h) => h.at), this.knob(line)]) {
      context.beginPath();
      context.arc(x, y, 3.2 * line, 0, 7);
      context.fill();
      context.stroke();
    }
  }
}
