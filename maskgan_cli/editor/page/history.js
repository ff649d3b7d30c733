// Undo without an end, kept in the browser's own database so that it outlives a reload.

import { pack, unpack } from "./mask.js";

const STORE = "steps";

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

  push(mask, style, label) {
    const old = this.steps.length;
    this.steps.length = this.index + 1;
    this.steps.push({ runs: pack(mask.data), style, label });
    this.index++;
    this._write((store) => {
      store.delete(IDBKeyRange.bound([this.session, this.index], [this.session, old + 1]));
      store.put(this.current, [this.session, this.index]);
      store.put(this.index, [this.session]);
    });
  }
  move(by) {
    const index = this.index + by;
    if (index < 0 || index >= this.steps.length) return null;
    this.index = index;
    this._write((store) => store.put(index, [this.session]));
    return this.current;
  }
  restore(mask) {
    mask.data.set(unpack(this.current.runs, mask.data.length));
    return this.current.style;
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
