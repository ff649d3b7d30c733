// Requests to the server. Every failure becomes an Error with a message for the user.

const base = new URL("..", import.meta.url);

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(new URL(path, base), { cache: "no-store", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    lost?.();
    throw new Error("The editor does not answer. Is `maskgan edit` still running?");
  }
  if (!answer.ok) {
    const { error, kind } = await answer.json().catch(() => ({}));
    throw Object.assign(new Error(error || `The editor answered ${answer.status}.`), { kind });
  }
  return answer;
}

// Called when the server does not answer at all.
let lost = null;
export function whenLost(call) { lost = call; }
export const answers = () => fetch(new URL("api/about", base), { cache: "no-store" }).then((answer) => answer.ok, () => false);

const query = (values) => new URLSearchParams(values).toString();
const json = async (path, options) => (await ask(path, options)).json();
const bytes = async (path, options) => new Uint8Array(await (await ask(path, options)).arrayBuffer());
// Check the size of a picture or session file before sending it; the server would reject it only after the upload.
let most = Infinity;
function sent(file) {
  const mb = (bytes) => Math.ceil(bytes / 2 ** 20);
  if (file.size > most) throw new Error(`the file: expected at most ${mb(most)} MB, found ${mb(file.size)} MB`);
  return post(file);
}
const post = (body, signal) => ({ method: "POST", body, signal });

export const address = (path) => new URL(path, base).href;
export async function about() {
  const document = await json("api/about");
  most = document.most_bytes;
  return document;
}
export const openExample = (example) => json(`api/sessions?${query({ example })}`, post());
export const openPicture = async (file, turn = 0) => json(`api/sessions?${query({ name: file.name ?? "picture", turn })}`, sent(file));
export const choose = (id, values) => json(`api/sessions/${id}/choose?${query(values)}`, post());
export const sessions = () => json("api/sessions");
export const remove = (id) => ask(`api/sessions/${id}`, { method: "DELETE" });
export const keepHistory = (id, packed) => ask(`api/sessions/${id}/history`, post(packed));
export async function history(id) {
  const answer = await ask(`api/sessions/${id}/history`);
  return answer.status === 204 ? null : answer.arrayBuffer();
}
// The label map of a file; null if it is not a mask.
export async function asMask(id, file) {
  const answer = await ask(`api/sessions/${id}/as-mask`, sent(file));
  return answer.status === 204 ? null : new Uint8Array(await answer.arrayBuffer());
}
export const session = (id) => json(`api/sessions/${id}`);
export const labels = (id, which) => bytes(`api/sessions/${id}/${which}.labels`);
export const addOther = async (id, file) => json(`api/sessions/${id}/others`, sent(file));
export const addExample = (id, example) => json(`api/sessions/${id}/others?${query({ example })}`, post());
// The mask with parts of another face, and the number of the face whose hair is used.
export async function swap(id, mask, values) {
  const answer = await ask(`api/sessions/${id}/swap?${query(values)}`, post(mask));
  return { labels: new Uint8Array(await answer.arrayBuffer()), hair: Number(answer.headers.get("x-hair")) };
}
export const compose = (id, base, values) => bytes(`api/sessions/${id}/compose?${query(values)}`, post(base));
export const range = (id, slider) => json(`api/sessions/${id}/range?${query({ slider })}`);
export const animation = async (id, other, kind) => (await ask(`api/sessions/${id}/animation.${kind}?${query({ other })}`)).blob();
export const learning = (id) => json(`api/sessions/${id}/learning`);
export const learn = (id, values = {}) => json(`api/sessions/${id}/learning?${query(values)}`, post());
export const setPersonal = (id, on) => json(`api/sessions/${id}/personal?${query({ on })}`, post());
export const patches = (id) => bytes(`api/sessions/${id}/patches`);
export const parse = (id) => bytes(`api/sessions/${id}/parse`, post());
export const command = (id) => json(`api/sessions/${id}/command`);

export async function render(id, mask, values, signal) {
  const answer = await ask(`api/sessions/${id}/render?${query(values)}`, post(mask, signal));
  if (answer.status === 204) return null; // superseded by a newer request
  return { blob: await answer.blob(), milliseconds: Number(answer.headers.get("x-milliseconds")) };
}

export async function picture(path) {
  return createImageBitmap(await (await ask(path)).blob());
}
