// Sound, its waveform and curves over time, and a point on the plane for each track.
const TRAIL = 5; // seconds

// Where a track is at a time, between its frames; null before its first and behind its last.
function place({ time, valence, arousal }, now) {
  const next = time.findIndex((t) => t > now);
  const k = next < 0 ? time.length - 1 : next - 1;
  if (k < 0 || now > time.at(-1) + 0.5) return null;
  const share = next < 0 ? 0 : (now - time[k]) / (time[next] - time[k]);
  return [valence, arousal].map((y) => y[k] + (next < 0 ? 0 : share * (y[next] - y[k])));
}

// The plane ends at 1; a prediction may not.
const onPlane = (point) => point.map((value) => clamp(value, -1, 1));

function trail(track, now) {
  const passed = track.time.flatMap((t, k) =>
    t > now - TRAIL && t <= now ? [[track.valence[k], track.arousal[k]]] : []
  );
  const at = place(track, now);
  return line((at ? [...passed, at] : passed).map(onPlane));
}

function waveform(envelope, seconds) {
  const edge = (sign) => envelope.map((y, k) => [(k * seconds) / (envelope.length - 1), sign * y]);
  return `<path class="mer-wave" d="${line([...edge(1), ...edge(-1).reverse()])}Z"/>`;
}

function curves(tracks) {
  const points = (track, name) => track.time.map((t, k) => [t, track[name][k]]);
  const one = (track, name, k) => `<path class="mer-${name} mer-track-${k}" d="${line(points(track, name))}"/>`;
  return tracks.map((track, k) => DIMENSIONS.map((name) => one(track, name, k)).join("")).join("");
}

const moving = (_, k) =>
  `<path class="mer-trail mer-track-${k}"/><path class="mer-edge"/>
   <path class="mer-point mer-point-${k}"/>`;
const key = (_, k) =>
  `<li><svg viewBox="-2 -1 4 2"><path class="mer-trail mer-track-${k}" d="M-2 0H2"/>
    <path class="mer-edge" d="M0 0h0"/><path class="mer-point mer-point-${k}" d="M0 0h0"/></svg>
    <span class="mer-name"></span></li>`;
const colour = (name) =>
  `<li><svg viewBox="-2 -1 4 2"><path class="mer-${name}" d="M-2 0H2"/></svg>${name}</li>`;

function markup({ tracks, seconds, start, end, envelope }) {
  // JupyterLab takes keys for itself unless the focused element asks it not to.
  return `<div class="mer mer-player" role="group" data-lm-suppress-shortcuts="true">
    <strong></strong>
    <div class="mer-controls"><button type="button">Play</button>
      <input type="range" min="0" max="${seconds}" step="0.1" aria-label="Time in seconds"
        data-lm-suppress-shortcuts="true"><span class="mer-readout"></span></div>
    <p role="alert"></p><audio preload="auto"></audio>
    <div class="mer-parts"><div class="mer-over-time">
      <svg class="mer-sound" viewBox="0 -1 ${seconds} 2" preserveAspectRatio="none">
        <path class="mer-stretch" d="M${start}-1H${end}V1H${start}Z"/>
        ${waveform(envelope, seconds)}<path class="mer-now"/></svg>
      ${timeline(seconds, `${curves(tracks)}<path class="mer-now"/>`)}
      <ul>${tracks.length ? DIMENSIONS.map(colour).join("") : ""}${tracks.map(key).join("")}</ul></div>
    ${plane(tracks.map(moving).join(""))}</div></div>`;
}

function render({ model, el }) {
  const names = ["tracks", "seconds", "start", "end", "envelope"];
  const song = Object.fromEntries(names.map((name) => [name, model.get(name)]));
  const { tracks, seconds, start, end } = song;
  el.innerHTML = markup(song);
  const root = el.firstElementChild;
  const find = (selector) => root.querySelector(selector);
  const all = (selector) => [...root.querySelectorAll(selector)];
  const [button, slider, audio, readout] = ["button", "input", "audio", ".mer-readout"].map(find);
  const [surfaces, nows] = [".mer-sound, .mer-curves", ".mer-now"].map(all);
  const [points, edges, trails] = ["point", "edge", "trail"].map((name) => all(`.mer-plane .mer-${name}`));
  const url = URL.createObjectURL(new Blob([model.get("sound")], { type: model.get("kind") }));
  const teardown = new AbortController();
  const on = (target, type, act) => target.addEventListener(type, act, { signal: teardown.signal });
  let frame = 0;

  function say() {
    const now = audio.currentTime;
    const inWords = (at) => DIMENSIONS.map((name, k) => `${name} ${fixed(at[k])}`).join(", ");
    const told = tracks.map((track) => {
      const at = place(track, now);
      return `${track.name}: ${at ? inWords(at) : "nothing"}`;
    });
    slider.setAttribute("aria-valuetext", [`${now.toFixed(1)} s`, ...told].join("; "));
  }

  function show() {
    const now = audio.currentTime;
    for (const mark of nows) mark.setAttribute("d", `M${now}-1V1`);
    readout.textContent = `${now.toFixed(1)} / ${seconds.toFixed(1)} s`;
    tracks.forEach((track, k) => {
      const at = place(track, now);
      for (const mark of [edges[k], points[k]]) mark.setAttribute("d", at ? dots([onPlane(at)]) : "");
      trails[k].setAttribute("d", trail(track, now));
    });
  }

  // What changes slowly: the slider and the model. A screen reader hears of it when the sound stops.
  const tell = slowly(() => {
    slider.value = audio.currentTime;
    if (audio.paused) say();
    model.set("time", audio.currentTime);
    model.set("playing", !audio.paused);
    model.save_changes();
  }, 250);

  function step() {
    if (audio.currentTime >= end) audio.pause();
    show();
    tell();
    frame = audio.paused ? 0 : requestAnimationFrame(step);
  }

  function seek(time) {
    audio.currentTime = clamp(time, 0, seconds);
    show();
    say();
    tell();
  }

  function play() {
    if (audio.ended || audio.currentTime >= end - 0.05 || audio.currentTime < start) seek(start);
    audio.play().catch(fail);
  }

  function fail() {
    find("p").textContent = "This browser cannot play the sound.";
  }

  const point = (event) => {
    if (event.type === "pointerdown") event.currentTarget.setPointerCapture(event.pointerId);
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const { left, width } = event.currentTarget.getBoundingClientRect();
    seek(((event.clientX - left) / width) * seconds);
  };
  on(button, "click", () => (audio.paused ? play() : audio.pause()));
  on(slider, "input", () => seek(Number(slider.value)));
  for (const surface of surfaces) {
    on(surface, "pointerdown", point);
    on(surface, "pointermove", point);
  }
  for (const type of ["play", "pause", "ended"]) {
    on(audio, type, () => {
      button.textContent = audio.paused ? "Play" : "Pause";
      tell.flush();
      if (!frame) step();
    });
  }
  on(audio, "error", fail);

  find("strong").textContent = model.get("title");
  for (const svg of all("svg")) svg.setAttribute("aria-hidden", "true"); // the slider tells it
  root.setAttribute("aria-label", model.get("title") || "Player");
  all(".mer-name").forEach((name, k) => (name.textContent = tracks[k].name));
  audio.src = url;
  seek(start);
  return () => {
    teardown.abort();
    cancelAnimationFrame(frame);
    tell.stop();
    audio.pause();
    audio.removeAttribute("src");
    URL.revokeObjectURL(url);
  };
}

export default { render };
