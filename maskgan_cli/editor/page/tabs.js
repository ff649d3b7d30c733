// Two tabs with the same session: the second one only shows it until the user takes over.

const WAIT = 200; // milliseconds for another tab to answer

export class Tabs {
  constructor(editor) {
    Object.assign(this, { editor, me: crypto.getRandomValues(new Uint32Array(2)).join("-"), answers: new Map() });
    this.channel = new BroadcastChannel("maskgan-edit");
    this.channel.addEventListener("message", ({ data }) => this._heard(data));
    document.getElementById("take-over").addEventListener("click", () => this.takeOver());
  }
  _post(kind, session = this.editor.session?.id) { this.channel.postMessage({ kind, session, from: this.me }); }
  // Resolves to whether another tab answers in time.
  _answered(kind, wait) {
    return new Promise((resolve) => {
      this.answers.set(kind, () => resolve(true));
      setTimeout(() => resolve(false), wait);
    });
  }
  // After a session is opened, check whether another tab edits it.
  async opened() {
    const { editor } = this, session = editor.session.id;
    this._post("open");
    const held = await this._answered("held", WAIT);
    if (editor.session.id === session) this._watch(held);
  }
  // Tell watching tabs that the full picture is ready.
  changed() { if (!this.editor.watching) this._post("changed"); }
  async takeOver() {
    this._post("take");
    await this._answered("released", 3000);
    this._watch(false);
    await this.editor.reopen();
  }
  async _heard({ kind, session }) {
    const { editor } = this;
    if (session !== editor.session?.id) return;
    if (kind === "open" && !editor.watching) this._post("held");
    else if (kind === "held" || kind === "released") this.answers.get(kind)?.();
    else if (kind === "take" && !editor.watching) {
      editor.tools.finish();
      await editor.live.settled().catch(() => {});
      this._watch(true);
      this._post("released");
    } else if (kind === "changed" && editor.watching) await editor.look();
  }
  _watch(watching) {
    const { editor } = this;
    editor.watching = watching;
    document.getElementById("watching").hidden = !watching;
    for (const id of ["tools", "side", "options", "export"]) document.getElementById(id).inert = watching;
    if (watching) editor.panels.say("This session is open in another tab.");
  }
}
