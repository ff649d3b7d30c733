// The composition of the mask: a base mask, removed accessories and sliders; and the accessories that are put on, which are
// drawn over the picture. Undo restores all of it.

export class Composition {
  constructor(base, { sliders = {}, items = [], removed = [] } = {}) {
    Object.assign(this, { base: base.slice(), sliders: { ...sliders }, items: [...items], removed: [...removed] });
  }
  get empty() { return !this.removed.length && !Object.values(this.sliders).some(Boolean); }
  get settings() { return { sliders: { ...this.sliders }, items: [...this.items], removed: [...this.removed] }; }
  get query() {
    const sliders = Object.entries(this.sliders).filter(([, amount]) => amount).map(([name, amount]) => `${name}:${amount}`);
    return { sliders: sliders.join(), removed: this.removed.join() };
  }
  // Number of the other face whose shape is used (with its mouth); 0 for none.
  get reference() {
    const names = Object.keys(this.sliders).filter((name) => name.startsWith("other-") && this.sliders[name] > 0);
    return names.length ? Number(names[names.length - 1].slice(6)) : 0;
  }
  set(name, amount) {
    delete this.sliders[name];
    if (amount) this.sliders[name] = amount; // the latest slider is the last one
  }
  // Only one accessory of each kind (glasses-..., hat-...) is worn at a time.
  toggleItem(name) {
    const kind = (item) => item.split("-")[0], on = !this.items.includes(name);
    this.items = this.items.filter((item) => kind(item) !== kind(name));
    if (on) this.items.push(name);
    return on;
  }
  toggleRemoved(name) {
    const on = !this.removed.includes(name);
    this.removed = on ? [...this.removed, name] : this.removed.filter((other) => other !== name);
    return on;
  }
  // The mask was painted: `before` -> `after`. Paint outside of the regions that sliders changed is added to the base, and they are kept. Paint
  // inside makes the whole mask the new base, and they are reset.
  absorb(before, after, side) {
    if (this.empty) {
      this.base = after.slice();
      return true;
    }
    for (let i = 0; i < after.length; i++) {
      if (before[i] !== after[i] && this._nearChange(before, i, side)) {
        Object.assign(this, { base: after.slice(), sliders: {} });
        return false;
      }
    }
    for (let i = 0; i < after.length; i++) if (before[i] !== after[i]) this.base[i] = after[i];
    return true;
  }
  _nearChange(before, i, side) {
    const x = i % side, y = Math.floor(i / side), reach = 2;
    for (let v = Math.max(0, y - reach); v <= Math.min(side - 1, y + reach); v++) {
      for (let u = Math.max(0, x - reach); u <= Math.min(side - 1, x + reach); u++) {
        if (before[v * side + u] !== this.base[v * side + u]) return true;
      }
    }
    return false;
  }
}
