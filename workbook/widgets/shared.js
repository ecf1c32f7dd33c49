// What the widgets share. Drawings are SVG in the units of the data: x is valence or seconds, y is
// minus arousal or minus the value, so that curves need no scales and follow the page's theme.
const DIMENSIONS = ["valence", "arousal"];
let count = 0;
const attributes = (element, values) => {
  for (const [name, value] of Object.entries(values)) element.setAttribute(name, value);
};
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const fixed = (value) => value.toFixed(2).replace("-", "\u2212");
const line = (points) => points.map(([x, y], k) => `${k ? "L" : "M"}${x} ${-y}`).join("");
const dots = (points) => points.map(([x, y]) => `M${x} ${-y}h0`).join("");

function plane(inside) {
  const corners = CORNERS.map(
    ([x, y, name]) =>
      `<text x="${0.96 * x}" y="${-0.92 * y}" text-anchor="${x < 0 ? "start" : "end"}">${name}</text>`
  );
  return `<svg class="mer-plane" viewBox="-1.16 -1.02 2.2 2.2">
    <rect x="-1" y="-1" width="2" height="2"/><path class="mer-grid" d="M-1 0H1M0-1V1"/>
    <g aria-hidden="true">${corners.join("")}
      <text y="1.1" text-anchor="middle">valence: unpleasant to pleasant</text>
      <text y="-1.08" text-anchor="middle" transform="rotate(-90)">arousal: calm to excited</text></g>
    ${inside}</svg>`;
}

// A plot over time with its axes; `inside` lies above the grid.
function timeline(seconds, inside) {
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600].find((s) => seconds / s <= 6);
  const times = Array.from({ length: 1 + Math.floor(seconds / (step ?? seconds)) }, (_, k) => k * step);
  const place = (t) => (t < 0.95 * seconds ? `left:${(100 * t) / seconds}%` : "right:0;transform:none");
  const marks = times.map((t) => `<span style="${place(t)}">${+t.toFixed(1)} s</span>`);
  return `<div class="mer-values" aria-hidden="true"><span>1</span><span>0</span><span>\u22121</span></div>
    <svg class="mer-curves" viewBox="0 -1 ${seconds} 2" preserveAspectRatio="none">
      <path class="mer-grid" d="M0 0H${seconds}${times.map((t) => `M${t}-1V1`).join("")}"/>${inside}</svg>
    <div class="mer-times" aria-hidden="true">${marks.join("")}</div>`;
}

// Do `act` at most every `wait` ms, or at once when flushed.
function slowly(act, wait) {
  let timer = null;
  const flush = () => {
    clearTimeout(timer);
    act();
    timer = null;
  };
  const ask = () => (timer ??= setTimeout(flush, wait));
  return Object.assign(ask, { flush, stop: () => clearTimeout(timer), waits: () => timer !== null });
}

// Values of the model, as the hand has them: they are sent a little later, and what Python says in
// the meantime (an echo of what was sent before) does not undo them.
function held(model, names, show) {
  const values = {};
  const save = slowly(() => {
    for (const name of names) model.set(name, values[name]);
    model.save_changes();
  }, 100);
  const take = () => {
    if (save.waits()) return;
    for (const name of names) values[name] = model.get(name);
    show();
  };
  const change = (some) => {
    Object.assign(values, some);
    save();
    show();
  };
  const stop = () => {
    names.forEach((name) => model.off(`change:${name}`, take));
    if (save.waits()) save.flush();
  };
  names.forEach((name) => model.on(`change:${name}`, take));
  return { values, change, take, stop };
}
