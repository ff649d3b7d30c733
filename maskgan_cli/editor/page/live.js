// Live rendering: a quick preview during a stroke, the full picture afterwards. Newer states supersede older ones.

import * as api from "./api.js";

export class Live {
  // current() -> {id, mask (bytes), fade (bytes or null), options (of the rendering)}; show(bitmap, blob, preview); say(text, busy, failed); debug(text)
  constructor({ current, show, say, debug }) {
    Object.assign(this, { current, show, say, debug, waiting: [], version: 0, revision: 0, previews: 0, previewed: -1, brush: false, dragging: false, running: false });
  }
  start(revision) {
    this.revision = revision;
    this.version++;
    this.full?.abort();
  }
  // `brush`: the mask was painted on, so a preview needs only the surroundings; not if another change is still to be shown.
  changed(dragging = false, brush = false) {
    this.brush = brush && (this.brush || this.previewed === this.version);
    this.version++;
    this.dragging = dragging;
    this.full?.abort(); // superseded
    if (!this.running) this._run();
  }
  // Resolves when the full picture of the newest state is shown; rejects if rendering failed.
  settled() {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      if (this.done) this._settle();
      else if (!this.running) this._run();
    });
  }
  get done() { return !this.running && this.shown === this.version; }

  async _run() {
    this.running = true;
    let failures = 0;
    this.say("Painting …", true);
    while (this.shown !== this.version) {
      const version = this.version;
      try {
        const since = performance.now();
        if (await this._ask(true)) this.latency = performance.now() - since;
        if (version !== this.version) continue;
        if (this.dragging) { // the full picture comes when the stroke ends
          this.say("", false);
          break;
        }
        this.full = new AbortController();
        const took = await this._ask(false, this.full.signal);
        this.full = null;
        if (took !== null && version === this.version) {
          this.shown = version;
          this.say("", false);
          this.debug(`${took} ms`);
        }
        failures = 0;
      } catch (error) {
        this.full = null;
        if (error.name === "AbortError") continue;
        if (++failures > 2) {
          this.say(error.message, false, true);
          for (const { reject } of this.waiting.splice(0)) reject(error);
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, 400 * failures));
      }
    }
    this.running = false;
    this._settle();
  }
  async _ask(preview, signal) {
    const { id, mask, fade, options } = this.current(), { version } = this, brush = preview && this.brush;
    const answer = await api.render(id, fade ? new Blob([mask, fade]) : mask.slice(), { revision: ++this.revision, preview, brush, ...options }, signal);
    if (!answer) return null;
    const bitmap = await createImageBitmap(answer.blob);
    if (id !== this.current().id) return null; // another session was opened
    this.previewed = version;
    if (preview) this.previews++;
    this.show(bitmap, answer.blob, preview);
    return answer.milliseconds;
  }
  _settle() {
    if (this.done) for (const { resolve } of this.waiting.splice(0)) resolve();
  }
}
