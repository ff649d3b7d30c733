// Unlimited undo, saved in the browser's database, so that it survives a reload.

import * as api from "./api.js";
import { Composition } from "./composition.js";
import { pack, unpack } from "./mask.js";

const STORE = "steps";
const IDLE = 5000; // milliseconds without an edit after which the steps are saved with the session
const KEPT = 200; // number of steps that are saved
const SOON = 700; // milliseconds within which two steps of one slider are merged

const same = (a, b) => Boolean(a && b) && a.length === b.length && a.every((run, k) => run === b[k]);

function database() {
  return new Promise((resolve) => {
    const request = indexedDB.open("maskgan-edit", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(null); // private windows may have no database; then the undo history is lost with the page
  });
}

export class History {
  // The steps of a session {id, side}: from this browser, or saved with the session.
  static async open({ id: session, side, others }) {
    const history = new History();
    Object.assign(history, { session, steps: [], index: -1, base: await database() });
    const range = IDBKeyRange.bound([session, 0], [session, Infinity]);
    history.steps = await history._read((store) => store.getAll(range)) ?? [];
    history.index = await history._read((store) => store.get([session])) ?? history.steps.length - 1;
    history.index = Math.min(history.index, history.steps.length - 1);
    if (!history.steps.length) {
      const saved = await downloaded(session, side, others);
      if (saved) Object.assign(history, saved);
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
    this.steps.length = this.index + (again ? 0 : 1);
    const runs = pack(mask.data), before = this.steps[this.steps.length - 1];
    let base = composition.empty ? null : pack(composition.base);
    base = [before?.runs, before?.base].find((one) => same(one, base)) ?? base; // sliders mostly start from the step before
    this.steps.push({ runs, base, ...composition.settings, style, mouth, hair, label });
    this.index = this.steps.length - 1;
    this._write((store) => {
      store.delete(IDBKeyRange.bound([this.session, this.index], [this.session, old + 1]));
      store.put(this.current, [this.session, this.index]);
      store.put(this.index, [this.session]);
    });
  }
  // Whether the current step changed the mask
  get changedMask() {
    const { runs } = this.current, before = this.steps[this.index - 1]?.runs;
    return Boolean(before) && !same(runs, before);
  }
  // Change properties of the current step other than its mask.
  amend(change) {
    Object.assign(this.current, change);
    this._write((store) => store.put(this.current, [this.session, this.index]));
  }
  move(by) {
    const index = this.index + by;
    this.merge = "";
    if (index < 0 || index >= this.steps.length) return null;
    this.index = index;
    this._write((store) => store.put(index, [this.session]));
    return this.current;
  }
  // Copy the current step's mask into `mask`; returns its style, composition, and the faces that give mouth and hair.
  restore(mask) {
    const { runs, base, style, mouth = 0, hair = 0, sliders, items, removed } = this.current, { length } = mask.data;
    mask.data.set(unpack(runs, length));
    return { style, mouth, hair, composition: new Composition(base ? unpack(base, length) : mask.data, { sliders, items, removed }) };
  }
  // Save the latest steps with the session on the server, for the session file and for other browsers.
  async upload() {
    clearTimeout(this.timer);
    const first = Math.max(0, Math.min(this.steps.length - KEPT, this.index));
    const steps = this.steps.slice(first, first + KEPT).map(({ runs, base, ...rest }) => ({ ...rest, runs: [...runs], base: base && [...base] }));
    const text = new Blob([JSON.stringify({ version: 1, index: this.index - first, steps })]);
    const packed = await new Response(text.stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
    await api.keepHistory(this.session, packed);
  }
  _writeAll() {
    this._write((store) => {
      this.steps.forEach((step, index) => store.put(step, [this.session, index]));
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
