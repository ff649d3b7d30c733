// Text below 4.5 to 1 (3 to 1 where it is large), icons and parts of controls below 3 to 1.
() => {
  const numbers = (colour) => { const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number); return [r, g, b, a]; };
  const over = ([r, g, b, a], [x, y, z]) => [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a)];
  const part = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const ratio = (p, q) => { const [a, b] = [light(p), light(q)].sort((x, y) => y - x); return (a + 0.05) / (b + 0.05); };
  const ground = (e) => {
    if (!e) return [255, 255, 255];
    const colour = numbers(getComputedStyle(e).backgroundColor);
    return colour[3] === 1 ? colour : over(colour, ground(e.parentElement));
  };
  const opacity = (e) => e ? Number(getComputedStyle(e).opacity) * opacity(e.parentElement) : 1;
  const weak = [], look = (what, colour, e, least, style = getComputedStyle(e)) => {
    const [r, g, b, a] = numbers(colour), behind = ground(e), found = ratio(over([r, g, b, a * opacity(e)], behind), behind);
    if (found < least) weak.push(`${what}: ${found.toFixed(2)} of ${least}`);
  };
  for (const e of document.querySelectorAll("body *")) {
    if (!e.checkVisibility({ visibilityProperty: true }) || e.closest(":disabled, option, .unseen, #face-boxes")) continue;
    const style = getComputedStyle(e), large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    if ([...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) look(`text ${e.textContent.trim().slice(0, 40)}`, style.color, e, large ? 3 : 4.5);
    if (e.placeholder) look(`placeholder ${e.placeholder}`, getComputedStyle(e, "::placeholder").color, e, 4.5);
    if (e.matches("svg")) look(`icon of ${e.parentElement.id}`, style.color, e, 3);
  }
  const root = getComputedStyle(document.documentElement), value = (name) => root.getPropertyValue(name).trim();
  const probe = document.createElement("i");
  document.body.append(probe);
  const resolved = (name) => { probe.style.color = value(name); return numbers(getComputedStyle(probe).color); };
  for (const [name, under] of [["--track", "--panel"], ["--accent", "--panel"], ["--bright", "--panel"], ["--bright", "--raised"], ["--bright", "--canvas"], ["--soft", "--panel"]]) {
    const found = ratio(resolved(name), resolved(under));
    if (found < 3) weak.push(`${name} on ${under}: ${found.toFixed(2)} of 3`);
  }
  probe.remove();
  return weak;
}
