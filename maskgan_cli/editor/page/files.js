// Opening of photos, masks and sessions by button, drop and paste; earlier sessions; the browser's Back button.

import * as api from "./api.js";
import { make } from "./elements.js";

const element = (id) => document.getElementById(id);
const when = (seconds) => new Date(1000 * seconds).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });

export class Files {
  constructor(editor) {
    this.editor = editor;
    const input = element("file");
    element("open").addEventListener("click", () => this.welcome());
    element("choose").addEventListener("click", () => this.choose());
    input.addEventListener("change", () => { if (input.files[0]) this.openFile(input.files[0]); input.value = ""; });
    element("examples").append(...editor.about.examples.map(({ name, title }) => {
      const picture = make("img", { src: api.address(`api/examples/${name}.png`), alt: "", loading: "lazy" });
      const button = make("button", { type: "button", title, dataset: { name } }, picture, make("span", { textContent: title }));
      button.addEventListener("click", () => this.open(() => api.openExample(name)));
      return button;
    }));
    this._drops();
    // Back and Forward move between opened sessions.
    addEventListener("popstate", () => {
      const id = location.hash.slice(1);
      if (id && id !== editor.session?.id) this.open(() => api.session(id), { step: false });
    });
  }
  _drops() {
    addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("dropping"); });
    addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("dropping"); });
    addEventListener("drop", (event) => {
      event.preventDefault();
      document.body.classList.remove("dropping");
      const file = event.dataTransfer.files[0];
      const side = event.target.closest?.("#side") && document.body.dataset.panel === "others";
      if (file) this.take(file, Boolean(side || event.target.closest?.("#others")));
    });
    addEventListener("paste", (event) => {
      const file = [...event.clipboardData.files][0];
      if (file) this.take(file, false);
    });
  }
  // A dropped or pasted file: another face if it is dropped on that panel, else a mask, a session or a face to edit.
  take(file, asOther) {
    if (asOther && this.editor.ready) return this.editor.others.addFile(file);
    return this.openFile(file);
  }
  choose() { element("file").click(); }
  async openFile(file) {
    const { editor } = this;
    if (editor.ready && /\.(png|bmp|tiff?)$/i.test(file.name ?? "")) {
      try {
        const labels = await api.asMask(editor.session.id, file);
        if (labels) return this._askMask(labels, file);
      } catch (error) {
        return editor.panels.toast(error.message, true);
      }
    }
    return this.open(() => api.openPicture(file), { failed: (error) => this.editor.faces.offerTurn(error, file) });
  }
  _askMask(labels, file) {
    const dialog = element("mask-dialog");
    element("mask-name").textContent = file.name;
    element("use-mask").onclick = () => {
      dialog.close();
      element("welcome").close();
      this.editor.replace(labels, `Mask ${file.name}`);
    };
    element("open-mask").onclick = () => {
      dialog.close();
      this.open(() => api.openPicture(file));
    };
    dialog.showModal();
  }
  // Open the session that `ask` resolves to; with `step`, add an entry to the browser's history.
  async open(ask, { step = true, failed = null } = {}) {
    const opened = await this.editor.open(ask, { step, failed });
    if (opened) element("welcome").close();
    return opened;
  }
  welcome() {
    if (!element("welcome").open) element("welcome").showModal();
    this._earlier();
  }
  // Earlier sessions with their pictures.
  async _earlier() {
    const sessions = (await api.sessions().catch(() => [])).filter(({ id, edited }) => edited && id !== this.editor.session?.id);
    element("earlier").hidden = !sessions.length;
    element("earlier-list").replaceChildren(...sessions.map(({ id, name, saved }) => {
      const picture = make("img", { src: api.address(`api/sessions/${id}/thumbnail.jpg`), alt: "", loading: "lazy" });
      const button = make("button", { type: "button", dataset: { session: id } }, picture, make("span", { textContent: name }), make("small", { textContent: when(saved) }));
      button.addEventListener("click", () => this.open(() => api.session(id)));
      const remove = make("button", { type: "button", className: "remove", textContent: "×", title: "Delete this session", "aria-label": `Delete the session ${name}` });
      const entry = make("div", { className: "entry" }, button, remove);
      remove.addEventListener("click", () => this._delete(id, name, remove, entry));
      return entry;
    }));
  }
  // The first click asks, the second deletes.
  async _delete(id, name, button, entry) {
    if (!button.classList.contains("sure")) {
      button.classList.add("sure");
      button.textContent = "Delete?";
      button.setAttribute("aria-label", `Delete the session ${name}: press again to confirm`);
      return;
    }
    try {
      await api.remove(id);
      entry.remove();
      element("earlier").hidden = !element("earlier-list").children.length;
    } catch (error) {
      this.editor.panels.toast(error.message, true);
    }
  }
  // Offer to resume an earlier session of the same photo.
  offerEarlier({ earlier }) {
    if (!earlier) return;
    const go = make("button", { type: "button", textContent: "Continue it" });
    const toast = this.editor.panels.toast("You have edited this photo before.", false, go);
    go.addEventListener("click", () => {
      toast.remove();
      this.open(() => api.session(earlier));
    });
  }
}
