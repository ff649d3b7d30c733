// Three steps for the first minute. Each is ticked off once it is done; the hint stays away after the last, or when closed.

const STEPS = ["change", "compare", "save"];
const element = (id) => document.getElementById(id);

export class Hint {
  constructor() {
    this.left = new Set(remembered() ? [] : STEPS);
    element("hint").hidden = !this.left.size;
    element("close-hint").addEventListener("click", () => this._end());
  }
  done(step) {
    if (!this.left.delete(step)) return;
    document.querySelector(`#hint [data-step=${step}]`).classList.add("done");
    if (!this.left.size) setTimeout(() => this._end(), 1500);
  }
  _end() {
    this.left.clear();
    element("hint").hidden = true;
    try { localStorage.setItem("hint", "seen"); } catch { /* a window without a memory */ }
  }
}

function remembered() {
  try { return localStorage.getItem("hint") === "seen"; } catch { return false; }
}
