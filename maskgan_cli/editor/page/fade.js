// Opacity of the edit: each step has a strength, and a feather over which its edge fades out.

import { unpack } from "./mask.js";

const REACH = 0.045; // share of the side: distance from changed mask pixels within which compositing changes the picture
const kept = new WeakMap(); // step -> {previous, fade, map}

// The opacity of a history's steps up to the current one (0 to 255); null if all steps have full opacity.
export function fadeOf(history, side) {
  let whole = null;
  for (let k = 1; k <= history.index; k++) {
    if (!history.steps[k].fade) continue;
    const map = stepMap(history, k, side);
    whole = whole ? whole.map((value, i) => Math.min(value, map[i])) : map;
  }
  return whole;
}

function stepMap(history, k, side) {
  const step = history.steps[k], previous = history.steps[k - 1];
  const known = kept.get(step);
  if (known?.previous === previous && known.fade === step.fade) return known.map;
  const before = unpack(history.runsAt(k - 1), side * side), after = unpack(history.runsAt(k), side * side), { strength, feather } = step.fade;
  const changed = before.map((value, i) => Number(value !== after[i]));
  const outside = distances(changed, 1, side), inside = distances(changed, 0, side), reach = REACH * side, soft = Math.max(1, feather * side);
  const map = new Uint8Array(side * side).map((_, i) => {
    if (outside[i] > reach) return 255;
    const depth = feather ? Math.min(1, Math.max(0, (inside[i] - outside[i] + reach) / soft)) : 1;
    return Math.round(255 * strength * depth * depth * (3 - 2 * depth));
  });
  kept.set(step, { previous, fade: step.fade, map });
  return map;
}

// Distance of each pixel from the nearest pixel of `value` (chamfer distance, accurate to a few hundredths).
function distances(data, value, side) {
  const far = new Float32Array(data.length).fill(1e6), diagonal = Math.SQRT2;
  for (let i = 0; i < data.length; i++) if (data[i] === value) far[i] = 0;
  const look = (i, x, dx, step, cost) => {
    if (x + dx >= 0 && x + dx < side && i + step >= 0 && i + step < far.length && far[i + step] + cost < far[i]) far[i] = far[i + step] + cost;
  };
  for (let i = 0; i < far.length; i++) {
    const x = i % side;
    look(i, x, -1, -1, 1); look(i, x, 0, -side, 1); look(i, x, -1, -side - 1, diagonal); look(i, x, 1, -side + 1, diagonal);
  }
  for (let i = far.length - 1; i >= 0; i--) {
    const x = i % side;
    look(i, x, 1, 1, 1); look(i, x, 0, side, 1); look(i, x, 1, side + 1, diagonal); look(i, x, -1, side - 1, diagonal);
  }
  return far;
}
