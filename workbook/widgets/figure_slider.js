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
      <audio controls hidden></audio>
      <img>
    </div>`;
  const [label, input, output, audio, image] = ["label", "input", "output", "audio", "img"].map(
    (tag) => el.querySelector(tag)
  );
  const links = (views, type) => views.map((view) => URL.createObjectURL(new Blob([view], { type })));
  const urls = links(model.get("pictures"), "image/png");
  const sounds = links(model.get("sounds"), "audio/wav");
  audio.hidden = !sounds.length;
  label.textContent = model.get("name");
  input.max = urls.length - 1;

  function show() {
    const position = model.get("position");
    const value = model.get("values")[position];
    input.value = position;
    input.setAttribute("aria-valuetext", value);
    output.textContent = value;
    image.src = urls[position];
    if (sounds.length) {
      const playing = !audio.paused;
      audio.src = sounds[position];
      if (playing) audio.play();
    }
    image.alt = `Figure for ${model.get("name")}: ${value}`;
  }

  input.addEventListener("input", () => {
    model.set("position", Number(input.value));
    model.save_changes();
  });
  model.on("change:position", show);
  show();
  return () => [...urls, ...sounds].forEach((url) => URL.revokeObjectURL(url));
}

export default { render };
