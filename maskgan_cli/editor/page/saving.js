// The save dialog; the photo comes first, and names follow the opened file.

import * as api from "./api.js";
import { make } from "./elements.js";

const element = (id) => document.getElementById(id);

export class Saving {
  constructor(editor) {
    this.editor = editor;
    element("copy").addEventListener("click", async () => {
      await navigator.clipboard.writeText(element("command").textContent).then(
        () => editor.panels.toast("Copied."), () => getSelection().selectAllChildren(element("command")));
    });
    element("export").addEventListener("click", () => this.show());
    for (const button of document.querySelectorAll("[data-download]")) {
      button.addEventListener("click", () => this.download(button.dataset.download));
    }
  }
  // The name of the opened file without its suffix
  get stem() { return this.editor.session.name.replace(/\.(jpe?g|png|webp|bmp|tiff?)$/i, ""); }

  async show() {
    const { editor } = this;
    if (!editor.ready) return;
    editor.tools.finish();
    const { photo, suffix } = editor.session, button = element("save-photo");
    button.dataset.download = photo ? `photo${suffix}` : "result.png";
    button.querySelector("small").textContent = `${this.stem}-edited${photo ? suffix : ".png"}`;
    element("save-face").hidden = !photo;
    element("export-dialog").showModal();
    button.focus();
    try {
      await editor.live.settled();
      const { command, exact } = await api.command(editor.session.id);
      // Lines break between words only, not at the hyphens of options.
      element("command").replaceChildren(...command.split(" ").flatMap((word, k) => [k ? " " : "", make("span", { textContent: word })]));
      element("command-inexact").hidden = exact;
    } catch (error) {
      editor.panels.toast(error.message, true);
    }
  }
  // Wait for the full picture, so that the saved file equals the shown picture. The server gives the file name.
  async download(what) {
    const { editor } = this;
    try {
      await editor.live.settled();
      if (what === "session.zip") await editor.history.upload();
    } catch (error) {
      return editor.panels.toast(error.message, true);
    }
    editor.hint.done("save");
    make("a", { href: api.address(`api/sessions/${editor.session.id}/${what}`), download: "" }).click();
  }
}
