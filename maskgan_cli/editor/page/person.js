// Personalisation in the background with its progress; afterwards, the personalised weights are used.

import * as api from "./api.js";

const element = (id) => document.getElementById(id);
const inWords = (seconds) => (seconds >= 90 ? `about ${Math.round(seconds / 60)} minutes` : `about ${Math.max(5, 5 * Math.round(seconds / 5))} seconds`);

export class Person {
  constructor(editor) {
    this.editor = editor;
    element("learn").addEventListener("click", () => this._ask({}));
    element("cancel-learning").addEventListener("click", () => this._ask({ cancel: true }));
    element("personal").addEventListener("change", (event) => this._use(event.target.checked));
  }
  async opened({ id }) {
    clearTimeout(this.timer);
    const state = await api.learning(id).catch(() => null);
    if (state && this.editor.session.id === id) this._show(state);
  }
  async _ask(values) {
    const { id } = this.editor.session;
    try {
      this._show(await api.learn(id, values));
    } catch (error) {
      this.editor.panels.toast(error.message, true);
    }
  }
  // Poll while it runs; when it is done, render with the new weights.
  _show({ state, done = 0, total = 1, seconds_left: left = null }) {
    const { session, panels } = this.editor, running = state === "running";
    element("learn").hidden = running || state === "done";
    element("learn-note").hidden = running || state === "done";
    element("learning").hidden = !running;
    element("personal-choice").hidden = state !== "done";
    element("personal").checked = session.personal;
    Object.assign(element("learning-bar"), { max: total, value: done });
    element("learning-text").textContent = left === null ? "Starting …" : `Step ${done} of ${total}; ${inWords(left)} left`;
    if (running) this.timer = setTimeout(() => this.opened(session), 1000);
    if (this.running && this.of === session.id && state === "done") {
      panels.toast("This person is learned. The face is painted with it now.");
      this.editor.live.changed();
    }
    if (this.running && this.of === session.id && state === "failed") panels.toast("The person could not be learned; the terminal shows why.", true);
    Object.assign(this, { running, of: session.id });
  }
  async _use(on) {
    const { editor } = this;
    try {
      Object.assign(editor.session, await api.setPersonal(editor.session.id, on));
      editor.live.changed();
    } catch (error) {
      editor.panels.toast(error.message, true);
    }
  }
}
