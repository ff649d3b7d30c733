// Other faces as references: parts of their shape, the whole shape, or their style.

import * as api from "./api.js";
import { make } from "./elements.js";

const ANIMATIONS = { gif: "Save an animation (GIF)", mp4: "Save a video (MP4)" };
const PARTS = { hair: "Hair", mouth: "Mouth", eyes: "Eyes", brows: "Brows", nose: "Nose", skin: "Face shape", glasses: "Glasses", hat: "Hat", earring: "Earrings" };
const element = (id) => document.getElementById(id);

export class Others {
  constructor(editor) {
    this.editor = editor;
    const input = element("other-file"), examples = element("other-examples");
    element("add-other").addEventListener("click", () => input.click());
    input.addEventListener("change", () => { if (input.files[0]) this.addFile(input.files[0]); input.value = ""; });
    for (const { name, title } of editor.about.examples) examples.append(make("option", { value: name, textContent: title }));
    examples.addEventListener("change", () => { if (examples.value) this.add(() => api.addExample(editor.session.id, examples.value)); examples.value = ""; });
  }
  addFile(file) { return this.add(() => api.addOther(this.editor.session.id, file)); }
  async add(ask) {
    this.editor.panels.busy("Reading the other face …");
    try {
      Object.assign(this.editor.session, await ask());
      this.changed();
      this.editor.panels.showTab("others");
    } catch (error) {
      this.editor.panels.toast(error.message, true);
    } finally {
      this.editor.panels.busy("");
    }
  }
  changed() {
    const { editor } = this, { session, style, panels } = editor;
    element("other-list").replaceChildren(...Array.from({ length: session.others }, (_, k) => {
      const number = k + 1, worn = style === number;
      const picture = make("img", { src: api.address(`api/sessions/${session.id}/others/${number}.png`), alt: `Other face ${number}` });
      const look = make("button", { type: "button", textContent: worn ? "Restore own style" : "Copy its style", title: "Render this face with the other's colours, light and skin" });
      look.setAttribute("aria-pressed", worn);
      look.addEventListener("click", () => editor.setStyle(worn ? 0 : number));
      const parts = make("div", { className: "chips", role: "group", "aria-label": "Take parts of its shape" },
        ...Object.entries(PARTS).map(([part, title]) => {
          const button = make("button", { type: "button", textContent: title, title: `Take the shape of its ${title.toLowerCase()}`, dataset: { part } });
          button.addEventListener("click", () => this._take(number, part, `${title} of face ${number}`));
          return button;
        }));
      const mix = panels.sliders.make(`other-${number}`, "All of its shape", 0, 1);
      const animations = Object.entries(ANIMATIONS).map(([kind, title]) => {
        const button = make("button", { type: "button", textContent: title, title: "An animation from this face to the shape of the other one", dataset: { animate: number, kind } });
        button.addEventListener("click", () => this._animate(number, button, kind));
        return button;
      });
      return make("article", {}, picture, make("div", {}, look, make("small", { textContent: "Take the shape of its" }), parts, mix, ...animations));
    }));
  }
  // Take the shape of a part; of hair also its pixels, and of a mouth its inside.
  _take(number, part, label) {
    const { editor } = this, { session, mask, hair, mouth } = editor;
    return editor.panels.change(async () => {
      const swapped = await api.swap(session.id, mask.data, { other: number, parts: part, hair });
      const kept = swapped.hair === hair && (part !== "mouth" || mouth === number) && swapped.labels.every((value, i) => value === mask.data[i]);
      if (kept) return editor.panels.toast(`${label}: nothing changes; it is missing or hidden in one of the faces, or taken already.`);
      editor.swap(swapped.labels, label, { hair: swapped.hair, mouth: part === "mouth" ? number : mouth });
    });
  }
  // Download an animation towards another face's shape.
  async _animate(number, button, kind) {
    const { editor } = this;
    button.disabled = true;
    editor.panels.busy("Painting the animation …");
    try {
      await editor.live.settled();
      const blob = await api.animation(editor.session.id, number, kind);
      const link = make("a", { href: URL.createObjectURL(blob), download: `${editor.saving.stem}-animation.${kind}` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    } catch (error) {
      editor.panels.toast(error.message, true);
    } finally {
      button.disabled = false;
      editor.panels.busy("");
    }
  }
}
