// A hint with three first steps. Each is marked when done; after the last one, or when closed, the hint is not shown again.

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
    try { localStorage.setItem("hint", "seen"); } catch { /* storage is not available */ }
  }
}

function remembered() {
  try { return localStorage.getItem("hint") === "seen"; } catch { return false; }
}
