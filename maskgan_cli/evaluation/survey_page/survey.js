"use strict";
// Answers stay in this browser until the participant downloads them.

const KEY = `maskgan-survey-${SURVEY.survey}`;
const page = document.getElementById("page");
let state = load() || begin();

function begin() {
  const numbers = crypto.getRandomValues(new Uint32Array(3));
  return {
    participant: [...numbers.slice(0, 2)].map((n) => n.toString(16).padStart(8, "0")).join(""),
    seed: numbers[2],
    place: 0,
    answers: {},
  };
}

function load() {
  try {
    return JSON.parse(localStorage.getItem(KEY));
  } catch {
    return null;
  }
}

function save() {
  localStorage.setItem(KEY, JSON.stringify(state));
}

// The order is the participant's own, and the same after a reload.
function shuffled(items, salt) {
  let s = (state.seed ^ Math.imul(salt + 1, 0x9e3779b1)) >>> 0;
  const random = () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function figure(path, caption) {
  return element("figure", {}, element("img", { src: path, alt: caption }), caption);
}

const ordered = () => shuffled(SURVEY.questions, 0);
const optionsOf = (question) => shuffled(question.options, 1 + Number(question.id));

function ask(question) {
  const given = state.answers[question.id] || {};
  const next = element("button", { id: "next", textContent: "Next", onclick: () => go(1) });
  const ready = () => {
    next.disabled = !Object.keys(SURVEY.criteria).every((criterion) => given[criterion]);
  };
  const fields = Object.entries(SURVEY.criteria).map(([criterion, text]) => {
    const choices = optionsOf(question).map((token, i) => {
      const input = element("input", { type: "radio", name: criterion, value: token, checked: given[criterion] === token });
      input.onchange = () => {
        given[criterion] = token;
        state.answers[question.id] = given;
        save();
        ready();
      };
      const picture = element("img", { src: `images/${token}.png`, alt: `result ${i + 1}` });
      return element("label", {}, element("figure", {}, input, picture, `${i + 1}`));
    });
    return element("fieldset", { id: criterion }, element("legend", { textContent: text }), ...choices);
  });
  ready();
  const back = element("button", { id: "back", className: "quiet", textContent: "Back", onclick: () => go(-1) });
  back.disabled = state.place === 0;
  page.replaceChildren(
    element("progress", { max: SURVEY.questions.length, value: state.place }),
    element("h1", { textContent: `Question ${state.place + 1} of ${SURVEY.questions.length}` }),
    figure(`images/${question.id}-source.png`, "source"),
    figure(`images/${question.id}-target.png`, "target"),
    ...fields,
    element("p", {}, next, back),
  );
}

function rows() {
  const found = [SURVEY.fields];
  for (const question of SURVEY.questions) {
    for (const [criterion, choice] of Object.entries(state.answers[question.id] || {})) {
      const position = optionsOf(question).indexOf(choice) + 1;
      found.push([SURVEY.survey, state.participant, question.id, criterion, choice, position]);
    }
  }
  return found;
}

function download() {
  const text = rows().map((row) => row.join(",")).join("\n") + "\n";
  const link = element("a", { download: `answers-${state.participant}.csv` });
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.click();
  URL.revokeObjectURL(link.href);
}

function finish() {
  const again = () => {
    if (confirm("Forget these answers and start over?")) {
      state = begin();
      save();
      show();
    }
  };
  page.replaceChildren(
    element("h1", { textContent: "Thank you" }),
    element("p", { textContent: "Please download your answers and send them to whoever asked you." }),
    element("p", {},
      element("button", { id: "download", textContent: "Download the answers", onclick: download }),
      element("button", { id: "back", className: "quiet", textContent: "Back", onclick: () => go(-1) }),
      element("button", { id: "again", className: "quiet", textContent: "Another participant", onclick: again }),
    ),
  );
}

function go(steps) {
  state.place += steps;
  save();
  show();
  window.scrollTo(0, 0);
}

function show() {
  const question = ordered()[state.place];
  if (question) ask(question);
  else finish();
}

save();
show();
