// What breaks a rule of ARIA or WCAG in the page, as "rule: element".
() => {
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)], wrong = [];
  const tell = (rule, one) => wrong.push(`${rule}: ${one.outerHTML.slice(0, 160)}`);
  const shown = (one) => one.checkVisibility({ visibilityProperty: true });
  const named = (one) => one.getAttribute("aria-label")
    || (one.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent).join("").trim();
  const FOCUS = "button, input, select, textarea, a[href], summary, [tabindex]";
  const ROLES = new Set(["application", "group", "listbox", "note", "option", "status", "tab", "tablist", "tabpanel", "toolbar", "alert"]);
  const WORDS = {
    "aria-pressed": ["true", "false"], "aria-selected": ["true", "false"], "aria-expanded": ["true", "false"], "aria-hidden": ["true", "false"],
    "aria-live": ["off", "polite", "assertive"], "aria-current": ["true", "false", "step", "page"], "aria-disabled": ["true", "false"],
  };
  const FREE = ["aria-label", "aria-labelledby", "aria-controls", "aria-valuetext", "aria-describedby"];
  const PARENTS = { tab: "[role=tablist]", option: "[role=listbox], select" }, FOR = {
    "aria-pressed": "button", "aria-selected": "[role=tab], [role=option]", "aria-valuetext": "input[type=range], progress",
  };
  for (const one of all("*")) {
    const role = one.getAttribute("role");
    if (role && !ROLES.has(role)) tell("no such role here", one);
    if (PARENTS[role] && !one.parentElement.closest(PARENTS[role])) tell("not in its group", one);
    if (["group", "toolbar", "tablist", "listbox", "tabpanel", "application"].includes(role) && !named(one)) tell("a group without a name", one);
    for (const { name, value } of one.attributes) {
      if (!name.startsWith("aria-") || FREE.includes(name) && (!FOR[name] || one.matches(FOR[name]))) continue;
      if (!WORDS[name]?.includes(value)) tell(`${name}=${value}`, one);
      if (FOR[name] && !one.matches(FOR[name])) tell(`${name} has no meaning`, one);
    }
    if (getComputedStyle(one).overflowY === "auto" && shown(one) && one.scrollHeight > one.clientHeight + 1 && !one.matches(FOCUS) && !one.querySelector(FOCUS)) tell("scrolls, and keys cannot", one);
  }
  for (const one of all("button button, button input, button select, label button, a button")) tell("a control in a control", one);
  for (const one of all(FOCUS)) if (one.closest("[aria-hidden=true]")) tell("focus on what is hidden", one);
  for (const list of all("[role=tablist], [role=listbox]")) {
    const chosen = all("[aria-selected=true]", list).filter((one) => one.checkVisibility());
    if (shown(list) && chosen.length !== 1) tell(`${chosen.length} chosen`, list);
    const odd = [...list.children].find((one) => one.getAttribute("role") !== (list.getAttribute("role") === "tablist" ? "tab" : "option"));
    if (odd) tell("no part of its group", odd);
  }
  for (const one of all("li")) if (!one.parentElement.matches("ol, ul")) tell("no list", one);
  for (const one of all("dt, dd")) if (!one.parentElement.matches("dl")) tell("no list", one);
  for (const dialog of all("dialog")) if (!named(dialog)) tell("a dialog without a name", dialog);
  for (const root of [...all("dialog"), document.body]) {
    const levels = all("h1, h2, h3, h4", root).filter((h) => root !== document.body || !h.closest("dialog")).map((h) => Number(h.tagName[1]));
    if (levels.some((level, k) => level > (levels[k - 1] ?? 1) + 1)) tell(`headings ${levels}`, root);
  }
  if (!document.documentElement.lang || !document.title) tell("no language or title", document.head);
  if (/user-scalable|maximum-scale/.test(document.querySelector("meta[name=viewport]").content)) tell("cannot be zoomed", document.head);
  for (const landmark of ["header", "main", "aside"]) if (all(landmark).length !== 1) tell(`not one ${landmark}`, document.body);
  return [...new Set(wrong)];
}
