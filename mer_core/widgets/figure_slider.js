// A slider, what it stands at, and the picture that belongs to it.
let count = 0;

function render({ model, el }) {
  const id = `figure-slider-${count++}`;
  // JupyterLab takes the arrow keys for itself unless the focused element asks it not to.
  el.innerHTML = `
    <div class="figure-slider">
      <div><label for="${id}"></label>
        <input id="${id}" type="range" min="0" step="1" data-lm-suppress-shortcuts="true">
        <output for="${id}"></output></div>
      <img>
    </div>`;
  const [label, input, output, image] = ["label", "input", "output", "img"].map((tag) =>
    el.querySelector(tag)
  );
  const urls = model
    .get("pictures")
    .map((view) => URL.createObjectURL(new Blob([view], { type: "image/png" })));
  label.textContent = model.get("name");
  input.max = urls.length - 1;

  function show() {
    const position = model.get("position");
    const value = model.get("values")[position];
    input.value = position;
    input.setAttribute("aria-valuetext", value);
    output.textContent = value;
    image.src = urls[position];
    image.alt = `Figure for ${model.get("name")}: ${value}`;
  }

  input.addEventListener("input", () => {
    model.set("position", Number(input.value));
    model.save_changes();
  });
  model.on("change:position", show);
  show();
  return () => urls.forEach((url) => URL.revokeObjectURL(url));
}

export default { render };
