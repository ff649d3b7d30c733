// Unlimited undo, saved in the browser's database, so that it survives a reload.

import * as api from "./api.js";
import { Composition } from "./composition.js";
import { pack, unpack } from "./mask.js";

const STORE = "steps";
const IDLE = 5000; // milliseconds without an edit after which the steps are saved with the session
const KEPT = 200; // number of steps that are saved
const SOON = 700; // milliseconds within which two steps of one slider are merged

const EMPTY = new Uint32Array(0);

// The difference of a mask to another one: from `start` on, the runs `from` became the runs `to`.
function difference(before, runs) {
  const most = Math.min(before.length, runs.length);
  let start = 0, end = 0;
  while (start < most && before[start] === runs[start]) start++;
  while (end < most - start && before[before.length - 1 - end] === runs[runs.length - 1 - end]) end++;
  return { start, from: before.slice(start, before.length - end), to: runs.slice(start, runs.length - end) };
}
function spliced(runs, start, count, added) {
  const joined = new Uint32Array(runs.length - count + added.length);
  joined.set(runs.subarray(0, start));
  joined.set(added, start);
  joined.set(runs.subarray(start + count), start + added.length);
  return joined;
}
const redone = (runs, { start, from, to }) => spliced(runs, start, from.length, to);
const undone = (runs, { start, from, to }) => spliced(runs, start, to.length, from);

function database() {
  return new Promise((resolve) => {
    const request = indexedDB.open("maskgan-edit", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(null); // private windows may have no database; then the undo history is lost with the page
  });
}

// A step is stored with the session, and in the browser's database, with its mask's `runs` and those of the composition's `base`
// (null: none). In memory it holds the difference of both to the mask of the step before (of the first step: to an empty mask),
// so that thousands of steps take little memory; `runs` of the history is the current step's mask.
export class History {
  // The steps of a session {id, side}: from this browser, or saved with the session.
  static async open({ id: session, side, others }) {
    const history = new History();
    Object.assign(history, { session, steps: [], index: -1, runs: EMPTY, base: await database() });
    const range = IDBKeyRange.bound([session, 0], [session, Infinity]);
    const steps = await history._read((store) => store.getAll(range)) ?? [];
    if (steps.length) {
      history._take(steps, await history._read((store) => store.get([session])) ?? steps.length - 1);
    } else {
      const saved = await downloaded(session, side, others);
      if (saved) history._take(saved.steps, saved.index);
      history._writeAll();
    }
    return history;
  }
  get current() { return this.steps[this.index]; }
  get canUndo() { return this.index > 0; }
  get canRedo() { return this.index < this.steps.length - 1; }

  // A step: the mask, the index of the style, the composition, and a label.
  push({ mask, style, mouth = 0, hair = 0, composition }, label, merge = "") {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.upload().catch(() => {}), IDLE);
    const old = this.steps.length, now = Date.now();
    const again = merge && merge === this.merge && now - this.since < SOON && this.index === old - 1;
    Object.assign(this, { merge, since: now });
    const before = again ? undone(this.runs, this.current.change) : this.runs;
    this.steps.length = this.index + (again ? 0 : 1);
    this.runs = pack(mask.data);
    const base = composition.empty ? null : difference(before, pack(composition.base));
    this.steps.push({ change: difference(before, this.runs), base, ...composition.settings, style, mouth, hair, label });
    this.index = this.steps.length - 1;
    this._write((store) => {
      store.delete(IDBKeyRange.bound([this.session, this.index], [this.session, old + 1]));
      store.put(this._stored(this.index), [this.session, this.index]);
      store.put(this.index, [this.session]);
    });
  }
  // Whether the current step changed the mask
  get changedMask() {
    const { from, to } = this.current.change;
    return this.index > 0 && from.length + to.length > 0;
  }
  // The mask's runs after step `index`.
  runsAt(index) {
    let { runs } = this;
    for (let k = this.index; k > index; k--) runs = undone(runs, this.steps[k].change);
    for (let k = this.index; k < index; k++) runs = redone(runs, this.steps[k + 1].change);
    return runs;
  }
  // Change properties of the current step other than its mask.
  amend(change) {
    Object.assign(this.current, change);
    this._write((store) => store.put(this._stored(this.index), [this.session, this.index]));
  }
  move(by) {
    const index = this.index + by;
    this.merge = "";
    if (index < 0 || index >= this.steps.length) return null;
    Object.assign(this, { runs: this.runsAt(index), index });
    this._write((store) => store.put(index, [this.session]));
    return this.current;
  }
  // Copy the current step's mask into `mask`; returns its style, composition, and the faces that give mouth and hair.
  restore(mask) {
    const { base, style, mouth = 0, hair = 0, sliders, items, removed } = this._stored(this.index), { length } = mask.data;
    mask.data.set(unpack(this.runs, length));
    return { style, mouth, hair, composition: new Composition(base ? unpack(base, length) : mask.data, { sliders, items, removed }) };
  }
  // Save the latest steps with the session on the server, for the session file and for other browsers.
  async upload() {
    clearTimeout(this.timer);
    const first = Math.max(0, Math.min(this.steps.length - KEPT, this.index));
    const steps = this._storedSteps(first, first + KEPT).map(({ runs, base, ...rest }) => ({ ...rest, runs: [...runs], base: base && [...base] }));
    const text = new Blob([JSON.stringify({ version: 1, index: this.index - first, steps })]);
    const packed = await new Response(text.stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
    await api.keepHistory(this.session, packed);
  }
  // Take over steps as they are stored.
  _take(steps, index) {
    let before = EMPTY;
    this.steps = steps.map(({ runs, base, ...rest }) => {
      const step = { ...rest, change: difference(before, runs), base: base && difference(before, base) };
      before = runs;
      return step;
    });
    this.index = Math.min(index, steps.length - 1);
    this.runs = steps[this.index].runs;
  }
  // Steps `first` to `end` (without it) as they are stored.
  _storedSteps(first, end) {
    let before = first ? this.runsAt(first - 1) : EMPTY;
    return this.steps.slice(first, end).map(({ change, base, ...rest }) => {
      const step = { ...rest, runs: redone(before, change), base: base && redone(before, base) };
      before = step.runs;
      return step;
    });
  }
  _stored(index) { return this._storedSteps(index, index + 1)[0]; }
  _writeAll() {
    this._write((store) => {
      this._storedSteps(0, this.steps.length).forEach((step, index) => store.put(step, [this.session, index]));
      store.put(this.index, [this.session]);
    });
  }
  _read(ask) {
    if (!this.base) return null;
    return new Promise((resolve) => {
      const request = ask(this.base.transaction(STORE).objectStore(STORE));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(null);
    });
  }
  _write(change) {
    if (this.base) change(this.base.transaction(STORE, "readwrite").objectStore(STORE));
  }
}

// The steps saved with a session; null if there are none or they are damaged.
async function downloaded(session, side, others) {
  try {
    const packed = await api.history(session);
    if (!packed) return null;
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const { index, steps } = JSON.parse(await new Response(stream).text());
    const whole = (runs) => runs.every((run) => Number.isInteger(run) && run > 0 && run % 256 < 19) && runs.reduce((sum, run) => sum + (run >>> 8), 0) === side * side;
    const names = (list) => Array.isArray(list) && list.every((name) => typeof name === "string");
    const share = (value) => value >= 0 && value <= 1;
    const good = ({ runs, base, sliders, items, removed, style, mouth, hair, label, fade }) => whole(runs) && (base === null || whole(base)) && names(items) && names(removed)
      && Object.values(sliders).every(Number.isFinite) && [style, mouth ?? 0, hair ?? 0].every((face) => Number.isInteger(face) && face >= 0 && face <= others) && typeof label === "string"
      && (fade === undefined || (share(fade.strength) && share(fade.feather)));
    if (!steps.length || !steps.every(good) || !(index >= 0 && index < steps.length)) return null;
    return { index, steps: steps.map((step) => ({ ...step, runs: Uint32Array.from(step.runs), base: step.base && Uint32Array.from(step.base) })) };
  } catch {
    return null;
  }
}
