// Undo without an end, kept in the browser's own database so that it outlives a reload.

import { Composition } from "./composition.js";
import { pack, unpack } from "./mask.js";

const STORE = "steps";
const SOON = 700; // milliseconds: two steps of one slider that follow each other sooner are one

function database() {
  return new Promise((resolve) => {
    const request = indexedDB.open("maskgan-edit", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(null); // private windows may have none: then undo ends with the page
  });
}

export class History {
  static async open(session) {
    const history = new History();
    Object.assign(history, { session, steps: [], index: -1, base: await database() });
    const range = IDBKeyRange.bound([session, 0], [session, Infinity]);
    history.steps = await history._read((store) => store.getAll(range)) ?? [];
    history.index = await history._read((store) => store.get([session])) ?? history.steps.length - 1;
    history.index = Math.min(history.index, history.steps.length - 1);
    return history;
  }
  get current() { return this.steps[this.index]; }
  get canUndo() { return this.index > 0; }
  get canRedo() { return this.index < this.steps.length - 1; }

  // A step: the mask, whose look is painted, what the mask is composed of, and a name to read.
  push({ mask, style, composition }, label, merge = "") {
    const old = this.steps.length, now = Date.now();
    const again = merge && merge === this.merge && now - this.since < SOON && this.index === old - 1;
    Object.assign(this, { merge, since: now });
    this.steps.length = this.index + (again ? 0 : 1);
    const runs = pack(mask.data), base = composition.empty ? null : pack(composition.base);
    this.steps.push({ runs, base, ...composition.settings, style, label });
    this.index = this.steps.length - 1;
    this._write((store) => {
      store.delete(IDBKeyRange.bound([this.session, this.index], [this.session, old + 1]));
      store.put(this.current, [this.session, this.index]);
      store.put(this.index, [this.session]);
    });
  }
  move(by) {
    const index = this.index + by;
    this.merge = "";
    if (index < 0 || index >= this.steps.length) return null;
    this.index = index;
    this._write((store) => store.put(index, [this.session]));
    return this.current;
  }
  // Put the current step's mask into `mask`; whose look it has, and what it is composed of.
  restore(mask) {
    const { runs, base, style, sliders, items, removed } = this.current, { length } = mask.data;
    mask.data.set(unpack(runs, length));
    return { style, composition: new Composition(base ? unpack(base, length) : mask.data, { sliders, items, removed }) };
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
