// Valence and arousal over time: drawn freely, drawn over, cleared; by keys, one time after another.
const STEP = 0.5; // seconds
const HELP =
  "Draw with mouse or finger. Keys: left and right choose a time, up and down the value, delete clears it.";

// The gaps between drawn values bridged by straight lines, and held at the ends.
function bridged(values) {
  const drawn = values.flatMap((value, k) => (value === null ? [] : [k]));
  if (!drawn.length) return [];
  return values.map((_, k) => {
    const left = drawn.findLast((i) => i <= k) ?? drawn[0];
    const right = drawn.find((i) => i >= k) ?? drawn.at(-1);
    const share = left === right ? 0 : (k - left) / (right - left);
    return values[left] + share * (values[right] - values[left]);
  });
}

// Only what is drawn; a lonely value is a dot.
function stretches(values) {
  const one = (y, k) => `${(values[k - 1] ?? null) === null ? `M${k * STEP} ${-y}h0` : ""}L${k * STEP} ${-y}`;
  return values.map((y, k) => (y === null ? "" : one(y, k))).join("");
}

function markup(seconds) {
  const group = `mer-drawing-${count++}`;
  const choice = (name) =>
    `<label><input type="radio" name="${group}" value="${name}">
      <svg viewBox="-2 -1 4 2" aria-hidden="true"><path class="mer-${name}" d="M-2 0H2"/></svg>${name}</label>`;
  const paths = (name) => `<path class="mer-bridge mer-${name}"/><path class="mer-drawn mer-${name}"/>`;
  const marks = `<path class="mer-now"/><path class="mer-hand"/>`;
  // JupyterLab takes keys for itself unless the focused element asks it not to.
  return `<div class="mer mer-drawing" role="group" aria-label="Profile" data-lm-suppress-shortcuts="true">
    <fieldset><legend>Draw</legend>${DIMENSIONS.map(choice).join("")}
      <button type="button">Clear</button></fieldset>
    <div class="mer-over-time">${timeline(seconds, DIMENSIONS.map(paths).join("") + marks)}</div>
    <div><span class="mer-readout"></span> <output></output>
      <small aria-hidden="true">${HELP}</small></div></div>`;
}

function render({ model, el }) {
  const seconds = model.get("seconds");
  const last = model.get("valence").length - 1;
  el.innerHTML = markup(seconds);
  const root = el.firstElementChild;
  const find = (selector) => root.querySelector(selector);
  const [svg, button, readout, output] = [".mer-curves", "button", ".mer-readout", "output"].map(find);
  const teardown = new AbortController();
  const on = (target, type, act) => target.addEventListener(type, act, { signal: teardown.signal });
  const drawn = held(model, DIMENSIONS, show);
  let drawing = DIMENSIONS[0]; // the dimension
  let at = 0; // the time chosen, counted in steps
  const change = (values) => drawn.change({ [drawing]: values });
  const height = () => bridged(drawn.values[drawing])[at] ?? 0;

  function show() {
    for (const name of DIMENSIONS) {
      const points = bridged(drawn.values[name]).map((y, k) => [k * STEP, y]);
      find(`.mer-bridge.mer-${name}`).setAttribute("d", line(points));
      find(`.mer-drawn.mer-${name}`).setAttribute("d", stretches(drawn.values[name]));
    }
    find(".mer-now").setAttribute("d", `M${at * STEP}-1V1`);
    find(".mer-hand").setAttribute("d", dots([[at * STEP, height()]]));
    const value = drawn.values[drawing][at];
    readout.textContent = `${drawing} at ${(at * STEP).toFixed(1)} s: ${value === null ? "not drawn" : fixed(value)}`;
    attributes(svg, { "aria-label": `${drawing} over time. ${HELP}`, "aria-valuenow": height() });
    attributes(svg, { "aria-valuetext": readout.textContent });
  }

  // Set the values from one time to another, on a straight line.
  function stroke([from, low], [to, high]) {
    const values = [...drawn.values[drawing]];
    const steps = Math.abs(to - from) || 1;
    for (let k = 0; k <= steps; k++) {
      const value = low + (k / steps) * (high - low);
      values[from + Math.sign(to - from) * k] = Math.round(1000 * value) / 1000;
    }
    at = to;
    change(values);
  }

  function pointed(event) {
    const { left, top, width, height: tall } = svg.getBoundingClientRect();
    const k = Math.round(((event.clientX - left) / width) * (seconds / STEP));
    return [clamp(k, 0, last), clamp(1 - (2 * (event.clientY - top)) / tall, -1, 1)];
  }

  let pen; // where it was last
  on(svg, "pointerdown", (event) => {
    svg.setPointerCapture(event.pointerId);
    pen = pointed(event);
    stroke(pen, pen);
  });
  on(svg, "pointermove", (event) => {
    if (!svg.hasPointerCapture(event.pointerId)) return;
    stroke(pen, pointed(event));
    pen = pointed(event);
  });
  const moves = { ArrowLeft: -1, ArrowRight: 1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
  const lifts = { ArrowUp: 0.05, ArrowDown: -0.05 };
  on(svg, "keydown", (event) => {
    const { key } = event;
    if (key in moves) at = clamp(at + moves[key], 0, last);
    else if (key in lifts) stroke([at, 0], [at, clamp(height() + lifts[key], -1, 1)]);
    else if (["Delete", "Backspace"].includes(key)) change(drawn.values[drawing].with(at, null));
    else return;
    event.preventDefault();
    show();
  });
  on(root, "change", (event) => {
    drawing = event.target.value;
    show();
  });
  on(button, "click", () => {
    change(drawn.values[drawing].map(() => null));
    output.textContent = `${drawing} cleared`;
  });
  attributes(svg, { role: "slider", tabindex: 0, "aria-orientation": "vertical" });
  attributes(svg, { "aria-valuemin": -1, "aria-valuemax": 1, "data-lm-suppress-shortcuts": true });
  find("input").checked = true;
  drawn.take();
  return () => {
    teardown.abort();
    drawn.stop();
  };
}

export default { render };
