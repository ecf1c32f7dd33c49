// A file travels in pieces below the 10 MB that Jupyter servers take in one message.
const PIECE = 2 ** 20;

function render({ model, el }) {
  el.innerHTML = `<div class="mer mer-file"><label>
      <span>Drop an audio file here, or choose one:</span>
      <input type="file"></label>
    <output role="status"></output></div>`;
  const [place, input, output] = [".mer-file", "input", "output"].map((name) => el.querySelector(name));
  input.accept = model.get("accept");
  const show = () => (output.textContent = model.get("message"));

  async function send(file) {
    if (!file) return;
    model.send({ name: file.name, size: file.size });
    if (file.size > model.get("limit")) return;
    for (let start = 0; start < file.size; start += PIECE) {
      model.send({}, undefined, [await file.slice(start, start + PIECE).arrayBuffer()]);
    }
  }

  input.addEventListener("change", () => {
    send(input.files[0]);
    input.value = ""; // so that the same file can be chosen again
  });
  for (const name of ["dragover", "dragleave", "drop"]) {
    place.addEventListener(name, (event) => {
      event.preventDefault();
      event.stopPropagation();
      place.classList.toggle("mer-over", name === "dragover");
      if (name === "drop") send(event.dataTransfer.files[0]);
    });
  }
  model.on("change:message", show);
  show();
  return () => model.off("change:message", show);
}

export default { render };
