// A point and a radius on the plane, by tapping and dragging or by keys.
const STEP = 0.05;
const RADII = [0.05, 1];
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const HELP =
  "Tap for a point, drag away from it for the radius. Keys: arrows, and shift or plus and minus.";

function render({ model, el }) {
  // JupyterLab takes keys for itself unless the focused element asks it not to.
  el.innerHTML = `<div class="mer mer-picker" data-lm-suppress-shortcuts="true">
    ${plane(`<path class="mer-far"/><path class="mer-near"/><circle/><path class="mer-cross"/>`)}
    <div><span class="mer-readout"></span> <output></output>
      <small aria-hidden="true">${HELP}</small></div></div>`;
  const [svg, far, near, circle, cross, readout, output] = [
    "svg", ".mer-far", ".mer-near", "circle", ".mer-cross", ".mer-readout", "output",
  ].map((selector) => el.querySelector(selector));
  const teardown = new AbortController();
  const on = (type, act) => svg.addEventListener(type, act, { signal: teardown.signal });
  const points = model.get("points");
  const picked = held(model, ["valence", "arousal", "radius"], show);
  const distance = ([x, y]) => Math.hypot(x - picked.values.valence, y - picked.values.arousal);

  function show() {
    const { valence: x, arousal: y, radius } = picked.values;
    const inside = points.filter((point) => distance(point) <= radius);
    near.setAttribute("d", dots(inside));
    attributes(circle, { cx: x, cy: -y, r: radius });
    cross.setAttribute("d", `M${x - 0.05} ${-y}h.1M${x} ${-y - 0.05}v.1`);
    readout.textContent = `valence ${fixed(x)}, arousal ${fixed(y)}, radius ${fixed(radius)}`;
    attributes(svg, { "aria-valuetext": readout.textContent, "aria-valuenow": x });
    output.textContent = points.length ? `${inside.length} of ${points.length} inside` : "";
  }

  function pick(values) {
    const limits = { valence: [-1, 1], arousal: [-1, 1], radius: RADII };
    const within = ([name, value]) => [name, Math.round(1000 * clamp(value, ...limits[name])) / 1000];
    picked.change(Object.fromEntries(Object.entries(values).map(within)));
  }

  function pointed(event) {
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return [x, -y];
  }

  on("pointerdown", (event) => {
    const [valence, arousal] = pointed(event);
    svg.setPointerCapture(event.pointerId);
    pick({ valence, arousal });
  });
  on("pointermove", (event) => {
    // A finger that trembles on a tap shall not change the radius.
    const radius = distance(pointed(event));
    if (svg.hasPointerCapture(event.pointerId) && radius > RADII[0]) pick({ radius });
  });
  on("keydown", (event) => {
    const { valence, arousal, radius } = picked.values;
    const [right, up] = ARROWS[event.key] ?? [0, 0];
    const growth = event.shiftKey ? right + up : 0;
    const turn = growth || { "+": 1, "=": 1, "-": -1, _: -1 }[event.key];
    if (!turn && !right && !up) return;
    event.preventDefault();
    pick(turn ? { radius: radius + turn * STEP } : { valence: valence + right * STEP, arousal: arousal + up * STEP });
  });
  attributes(svg, { role: "slider", tabindex: 0, "aria-label": `Point on the plane. ${HELP}` });
  attributes(svg, { "aria-valuemin": -1, "aria-valuemax": 1, "data-lm-suppress-shortcuts": true });
  far.setAttribute("d", dots(points));
  picked.take();
  return () => {
    teardown.abort();
    picked.stop();
  };
}

export default { render };
