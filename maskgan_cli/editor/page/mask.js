// Operations on label maps: functions on byte arrays that need no browser.

export class Mask {
  constructor(side, data = new Uint8Array(side * side)) {
    this.side = side;
    this.data = data;
  }
  copy() { return new Mask(this.side, this.data.slice()); }
  at(x, y) {
    x = Math.floor(x); y = Math.floor(y);
    return x < 0 || y < 0 || x >= this.side || y >= this.side ? -1 : this.data[y * this.side + x];
  }
  equals(other) {
    return this.data.length === other.data.length && this.data.every((v, i) => v === other.data[i]);
  }
}

// Run-length encoding for the history: 24 bits of length and 8 bits of class.
export function pack(data) {
  const runs = [];
  for (let i = 0; i < data.length;) {
    const value = data[i];
    let end = i + 1;
    while (end < data.length && data[end] === value) end++;
    runs.push((end - i) * 256 + value);
    i = end;
  }
  return Uint32Array.from(runs);
}

export function unpack(runs, length) {
  const data = new Uint8Array(length);
  let i = 0;
  for (const run of runs) {
    data.fill(run & 255, i, i += run >>> 8);
  }
  return data;
}

// A brush stroke. With a soft brush, coverage accumulates, and a pixel changes when half of it is covered.
export class Stroke {
  // value(i) is the new class of pixel i; if `over` is a class, only its pixels change.
  // mirror: {axis, table} also paints the other side, with left and right classes exchanged unless `exact`.
  constructor(mask, { radius, hardness = 1, square = false, value, over = -1, mirror = null, exact = false }) {
    Object.assign(this, { mask, radius, hardness, square, value, over, mirror, exact });
    this.base = mask.data.slice();
    this.coverage = hardness < 1 ? new Float32Array(mask.data.length) : null;
    this.last = null;
  }
  to(x, y, pressure = 1) {
    const from = this.last ?? [x, y];
    this._segment(from, [x, y], this.radius * pressure, false);
    if (this.mirror) {
      const flip = ([a, b]) => [2 * this.mirror.axis - a, b];
      this._segment(flip(from), flip([x, y]), this.radius * pressure, true);
    }
    this.last = [x, y];
  }
  _segment([x0, y0], [x1, y1], radius, mirrored) {
    const { side } = this.mask, reach = radius + 1;
    const left = Math.max(0, Math.floor(Math.min(x0, x1) - reach)), right = Math.min(side - 1, Math.ceil(Math.max(x0, x1) + reach));
    const top = Math.max(0, Math.floor(Math.min(y0, y1) - reach)), bottom = Math.min(side - 1, Math.ceil(Math.max(y0, y1) + reach));
    const dx = x1 - x0, dy = y1 - y0, length = dx * dx + dy * dy;
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        const px = x + 0.5 - x0, py = y + 0.5 - y0;
        const t = length ? Math.max(0, Math.min(1, (px * dx + py * dy) / length)) : 0;
        const ex = px - t * dx, ey = py - t * dy;
        const distance = this.square ? Math.max(Math.abs(ex), Math.abs(ey)) : Math.hypot(ex, ey);
        if (distance <= radius) this._touch(y * side + x, distance / radius, mirrored);
      }
    }
  }
  _touch(i, part, mirrored) {
    if (this.over >= 0) {
      const over = mirrored ? this.mirror.table[this.over] : this.over;
      if (this.base[i] !== over) return;
    }
    if (this.coverage) {
      const soft = 1 - this.hardness;
      const flow = part <= this.hardness ? 1 : 0.5 * (1 - part) / soft;
      this.coverage[i] = Math.min(1, this.coverage[i] + flow);
      if (this.coverage[i] < 0.5) return;
    }
    const value = this.value(i);
    this.mask.data[i] = mirrored && !this.exact ? this.mirror.table[value] : value;
  }
}

// Fill a polygon of [x, y] points by the even-odd rule at pixel centres.
export function fillPolygon(mask, points, put) {
  const { side } = mask;
  const ys = points.map((p) => p[1]);
  const top = Math.max(0, Math.floor(Math.min(...ys))), bottom = Math.min(side - 1, Math.ceil(Math.max(...ys)));
  for (let y = top; y <= bottom; y++) {
    const cuts = [], middle = y + 0.5;
    for (let k = 0; k < points.length; k++) {
      const [ax, ay] = points[k], [bx, by] = points[(k + 1) % points.length];
      if ((ay <= middle) !== (by <= middle)) cuts.push(ax + (middle - ay) / (by - ay) * (bx - ax));
    }
    cuts.sort((a, b) => a - b);
    for (let k = 0; k + 1 < cuts.length; k += 2) {
      const start = Math.max(0, Math.ceil(cuts[k] - 0.5)), end = Math.min(side - 1, Math.floor(cuts[k + 1] - 0.5));
      for (let x = start; x <= end; x++) put(y * side + x);
    }
  }
}

// All pixels connected to (x, y) whose class is one of `classes` (by default its own).
export function component(mask, x, y, classes = null) {
  const { side, data } = mask, start = Math.floor(y) * side + Math.floor(x);
  const wanted = classes ?? [data[start]];
  const seen = new Uint8Array(data.length), found = [start];
  seen[start] = 1;
  for (let k = 0; k < found.length; k++) {
    const i = found[k], column = i % side;
    for (const j of [column > 0 ? i - 1 : -1, column < side - 1 ? i + 1 : -1, i - side, i + side]) {
      if (j >= 0 && j < data.length && !seen[j] && wanted.includes(data[j])) {
        seen[j] = 1;
        found.push(j);
      }
    }
  }
  return found;
}

// Give pixels the class of the nearest other pixel, preferably of a class in `behind`.
export function uncover(mask, pixels, behind, otherwise = 1) {
  const { side, data } = mask, inside = new Uint8Array(data.length);
  for (const i of pixels) inside[i] = 1;
  const usable = (i) => !inside[i] && behind.includes(data[i]);
  if (behind.length === 1) {
    for (const i of pixels) data[i] = behind[0];
    return;
  }
  const source = new Int32Array(data.length).fill(-1);
  let front = [];
  for (let i = 0; i < data.length; i++) if (usable(i)) { source[i] = i; front.push(i); }
  if (!front.length) {
    for (const i of pixels) data[i] = otherwise;
    return;
  }
  while (front.length) {
    const next = [];
    for (const i of front) {
      const column = i % side;
      for (const j of [column > 0 ? i - 1 : -1, column < side - 1 ? i + 1 : -1, i - side, i + side]) {
        if (j >= 0 && j < data.length && source[j] < 0) { source[j] = source[i]; next.push(j); }
      }
    }
    front = next;
  }
  const values = pixels.map((i) => data[source[i]]);
  pixels.forEach((i, k) => { data[i] = values[k]; });
}

// The column of the face's axis: the mean column of its features.
export function middleLine(mask, classes) {
  let sum = 0, count = 0;
  mask.data.forEach((value, i) => {
    if (classes.includes(value)) { sum += i % mask.side + 0.5; count++; }
  });
  return count ? sum / count : mask.side / 2;
}
