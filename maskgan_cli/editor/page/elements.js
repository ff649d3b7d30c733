// Helper functions for all panels.

export function make(tag, properties = {}, ...children) {
  const { dataset, ...rest } = properties;
  const made = Object.assign(document.createElement(tag), rest);
  Object.assign(made.dataset, dataset);
  for (const [name, value] of Object.entries(rest)) if (name.startsWith("aria-") || name === "role") made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// A toolbar, list or row of tabs is one stop of the Tab key; arrow keys move inside it.
export function roving(container, chosen) {
  const all = () => [...container.querySelectorAll("button")].filter((button) => button.offsetParent);
  const mark = (button) => { for (const other of container.querySelectorAll("button")) other.tabIndex = other === button ? 0 : -1; };
  container.addEventListener("focusin", (event) => mark(event.target));
  container.addEventListener("keydown", (event) => {
    const list = all(), by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -list.length, End: list.length }[event.key];
    if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = list.indexOf(document.activeElement) + by;
    list[Math.abs(by) === list.length ? (by < 0 ? 0 : list.length - 1) : (at + list.length) % list.length]?.focus();
    event.preventDefault();
  });
  mark(chosen());
  return () => { if (!container.contains(document.activeElement)) mark(chosen()); };
}
