"""Composition by rule: from an emotion path to a MIDI file.

The path sets *cues* (mode, tempo, loudness, ...), the cues and the genre set form, harmony and
parts. A motif belongs to a section and comes back with it, in whatever mode, register, density
and loudness the path then asks for, so that pieces have themes and still follow the emotion.
"""

from dataclasses import dataclass, replace

import mido
import numpy as np

from genres import DRUM_NOTES, GENRES, Genre, Palette
from paths import AROUSAL, STEP, VALENCE

TICKS = 480  # per beat
TAIL = 0.8  # s that the last chord of a whole song may ring


@dataclass(frozen=True)
class Cue:
    """How much a cue follows valence and arousal, and how far a song strays from the rule."""

    valence: float
    arousal: float
    offset: float  # sd between songs, in units of the path


# Directions after the reviews of Gabrielsson & Lindström (2010) and Juslin & Laukka (2004), sizes
# after the factorial experiment of Eerola, Friberg & Bresin (2013): mode first for valence, then
# register; tempo, loudness and articulation for arousal; dissonance lowers valence.
CUES = {
    "mode": Cue(1.0, 0.0, 0.12),
    "dissonance": Cue(-0.9, 0.3, 0.20),
    "register": Cue(0.95, 0.05, 0.15),
    "tempo": Cue(0.25, 0.8, 0.30),
    "loudness": Cue(0.0, 1.0, 0.25),
    "density": Cue(0.1, 0.9, 0.25),
    "articulation": Cue(0.5, 0.5, 0.25),
    "brightness": Cue(0.5, 0.6, 0.30),
    "percussion": Cue(0.0, 1.0, 0.30),
}
FULL_SCALE = 0.5  # a cue at this height of the path is fully there

REGISTER_RANGE = 3.5  # semitones up or down at full cue: seven in all
TEMPO_RANGE = 0.45  # octaves up or down at full cue
BRIGHTNESS_RANGE = 1800  # cents by which the low-pass filter closes at the dullest
EXPRESSION_RANGE = (52, 120)  # MIDI controller 11, softest and loudest
VELOCITY_RANGE = (48, 112)

MODES = {  # semitones above the tonic, brightest first; the number is the least mode cue
    "major": (0.10, (0, 2, 4, 5, 7, 9, 11)),
    "mixolydian": (-0.15, (0, 2, 4, 5, 7, 9, 10)),
    "dorian": (-0.40, (0, 2, 3, 5, 7, 9, 10)),
    "minor": (-1.00, (0, 2, 3, 5, 7, 8, 10)),
    "phrygian": (-np.inf, (0, 1, 3, 5, 7, 8, 10)),
}
PROGRESSIONS = {  # scale degrees (tonic 1), one a bar
    "major": ((1, 5, 6, 4), (1, 4, 1, 5), (1, 4, 5, 1), (1, 6, 4, 5), (1, 3, 4, 5), (1, 2, 5, 1)),
    "mixolydian": ((1, 7, 4, 1), (1, 4, 7, 4), (1, 5, 4, 1), (1, 2, 4, 1)),
    "dorian": ((1, 4, 1, 7), (1, 3, 7, 4), (1, 7, 4, 1), (1, 4, 7, 3)),
    "minor": ((1, 6, 3, 7), (1, 4, 5, 1), (1, 6, 4, 5), (1, 7, 6, 5), (1, 2, 5, 1)),
    "phrygian": ((1, 2, 1, 7), (1, 2, 3, 2), (1, 6, 2, 1), (1, 4, 2, 1)),
}
TWELVE_BARS = (1, 4, 1, 1, 4, 4, 1, 1, 5, 4, 1, 5)

CHANNELS = {"lead": 0, "second": 1, "chords": 2, "pad": 3, "bass": 4, "drums": 9}
VOLUMES = {"lead": 104, "second": 100, "chords": 84, "pad": 62, "bass": 100, "drums": 92}
CENTRES = {"lead": 74, "second": 74, "chords": 60, "pad": 57, "bass": 38}  # MIDI pitch


@dataclass(frozen=True)
class Bar:
    """One bar: where it starts, how long it is, what it expresses and on which chord it stands."""

    start: float  # beats
    beats: int
    seconds: float
    cues: dict[str, float]
    section: int
    letter: str
    position: int  # of the bar in its section
    section_bars: int
    mode: str = "major"
    degree: int = 1
    chord: tuple[int, ...] = (0, 4, 7)  # semitones above the tonic, root first


@dataclass(frozen=True)
class Note:
    """One note; start and length in beats."""

    part: str
    start: float
    length: float
    pitch: int
    velocity: int


# --- cues and form ---------------------------------------------------------------------------


def draw_cues(path: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Every cue along the path [each shape=(steps,)], about -1 to 1, with its own offsets."""
    return {
        name: (
            cue.valence * path[:, VALENCE]
            + cue.arousal * path[:, AROUSAL]
            + cue.offset * rng.standard_normal()
        )
        / FULL_SCALE
        for name, cue in CUES.items()
    }


def bar_seconds(genre: Genre, beats: int, cue: float) -> float:
    """Length of a bar in s: the genre's middle tempo, moved by the tempo cue within its range."""
    slow, fast = genre.tempo
    tempo = np.sqrt(slow * fast) * 2 ** (TEMPO_RANGE * cue)
    return 60.0 * beats / float(np.clip(tempo, 0.9 * slow, 1.1 * fast))


def lay_bars(genre: Genre, cues: dict[str, np.ndarray], duration: float, beats: int) -> list[Bar]:
    """Bars that fill `duration` s, each with the cues of its moment; tempo leans on the mean."""
    bars: list[Bar] = []
    time, size = 0.0, genre.section_bars
    while time < duration:
        step = min(int((time + 1.0) / STEP), len(cues["tempo"]) - 1)
        now = {name: float(track[step]) for name, track in cues.items()}
        now["tempo"] = 0.5 * (now["tempo"] + float(cues["tempo"].mean()))
        section, position = divmod(len(bars), size)
        seconds = bar_seconds(genre, beats, now["tempo"])
        bars.append(Bar(len(bars) * beats, beats, seconds, now, section, "A", position, size))
        time += seconds
    return bars


def fit_bars(bars: list[Bar], duration: float) -> list[Bar]:
    """The whole number of bars nearest to `duration` s, stretched a little to fill it exactly."""
    ends = np.cumsum([bar.seconds for bar in bars])
    count = int(np.abs(ends - duration).argmin()) + 1
    stretch = duration / ends[count - 1]
    return [replace(bar, seconds=bar.seconds * stretch) for bar in bars[:count]]


def letter_sections(bars: list[Bar]) -> list[Bar]:
    """Name sections A, B, C: a section whose mode and density are near an older one repeats it."""
    heard: dict[str, np.ndarray] = {}
    letters: list[str] = []
    for section in range(bars[-1].section + 1):
        own = [bar.cues for bar in bars if bar.section == section]
        point = np.mean([(cues["mode"], cues["density"]) for cues in own], axis=0)
        gaps = {name: float(np.abs(point - old).sum()) for name, old in heard.items()}
        best = min(gaps, key=gaps.get, default="")
        repeat = best and (gaps[best] < 0.25 or len(heard) == 3)
        if repeat and letters[-2:] == [best, best] and len(heard) < 3:
            repeat = False  # three times the same in a row would bore
        letters.append(best if repeat else "ABC"[len(heard)])
        heard.setdefault(letters[-1], point)
    return [replace(bar, letter=letters[bar.section]) for bar in bars]


# --- harmony ---------------------------------------------------------------------------------


def choose_mode(cue: float) -> str:
    """The brightest mode whose threshold the mode cue reaches."""
    return next(name for name, (least, _) in MODES.items() if cue >= least)


def scale_pitch(mode: str, degree: int) -> int:
    """Semitones above the tonic of a scale degree counted from 0; any octave."""
    octave, index = divmod(degree, 7)
    return 12 * octave + MODES[mode][1][index]


def build_chord(
    mode: str, degree: int, cue: float, sevenths: bool, cadence: bool
) -> tuple[int, ...]:
    """Thirds above a degree (1-7), roughened step by step by the dissonance cue."""
    stack = [scale_pitch(mode, degree - 1 + third) for third in (0, 2, 4, 6)]
    if cadence and degree == 5 and mode in ("minor", "dorian"):
        stack[1] = stack[0] + 4  # the leading note of the harmonic minor
    tones = stack if sevenths or cue > 0.2 else stack[:3]
    if cue > 0.5:
        tones = [*tones, stack[0] + 13]  # a flat ninth against the root
    if cue > 0.9:
        tones = [*tones, stack[0] + 6]
    return tuple(tones)


def degree_at(bar: Bar, mode: str, choice: int, last: bool) -> int:
    """Degree of the chord of a bar: progression, half cadence in the middle, cadence at the end."""
    if last:
        return 1
    if bar.section_bars == 12:
        return TWELVE_BARS[bar.position]
    if bar.position == bar.section_bars - 1:
        return 5 if mode in ("major", "minor") else 7
    options = PROGRESSIONS[mode]
    return options[choice % len(options)][bar.position % 4]


def harmonise(bars: list[Bar], genre: Genre, rng: np.random.Generator) -> list[Bar]:
    """Give every bar its mode (settled for half a section), degree and chord."""
    choices = dict(zip("ABC", rng.integers(0, 60, size=3)))
    done: list[Bar] = []
    mode = choose_mode(bars[0].cues["mode"])
    for index, bar in enumerate(bars):
        if bar.position % 4 == 0:
            mode = choose_mode(np.mean([b.cues["mode"] for b in bars[index : index + 4]]))
        degree = degree_at(bar, mode, int(choices[bar.letter]), index == len(bars) - 1)
        cadence = bar.position % 4 == 3
        rough = -1.0 if index == len(bars) - 1 else bar.cues["dissonance"]
        chord = build_chord(mode, degree, rough, genre.sevenths, cadence)
        done.append(replace(bar, mode=mode, degree=degree, chord=chord))
    return done


# --- parts -----------------------------------------------------------------------------------


def energy(bar: Bar, cue: str = "density") -> float:
    """A cue of a bar as a number from 0 to 1."""
    return float(np.clip(0.5 + 0.5 * bar.cues[cue], 0.0, 1.0))


def between(low_high: tuple[float, float], part: float) -> float:
    """The value at `part` (0 to 1) of the way between two others."""
    low, high = low_high
    return low + (high - low) * part


def choose_pattern(patterns: tuple[str, ...], bar: Bar) -> str:
    """The pattern that suits the density of a bar, cut to its metre."""
    index = min(int(energy(bar) * len(patterns)), len(patterns) - 1)
    return patterns[index][: 4 * bar.beats]


def step_beat(step: int, swing: float) -> float:
    """Beat of a sixteenth of the bar; the second eighth of each beat falls at `swing`."""
    beat, quarter = divmod(step, 4)
    return beat + (0.0, swing / 2, swing, (1 + swing) / 2)[quarter]


def near(pitch: int, centre: float) -> int:
    """The octave of a pitch that lies nearest to a centre."""
    return int(pitch + 12 * np.round((centre - pitch) / 12))


def velocity(bar: Bar, accent: float, rng: np.random.Generator) -> int:
    """MIDI velocity from the loudness cue, an accent and a little human unevenness."""
    base = between(VELOCITY_RANGE, energy(bar, "loudness"))
    return int(np.clip(base + accent + rng.normal(0, 3), 12, 124))


def sounding(gap: float, bar: Bar) -> float:
    """Sounding length of a note whose successor comes `gap` beats later: staccato to legato."""
    return max(0.12, gap * between((1.0, 0.45), energy(bar, "articulation")))


def onsets(pattern: str, swing: float, beats: int) -> list[tuple[str, int, float, float]]:
    """Symbol, step, start and gap to the next onset (beats) of everything a pattern plays."""
    steps = [index for index, symbol in enumerate(pattern) if symbol != "."]
    starts = [step_beat(step, swing) for step in steps] + [float(beats)]
    return [
        (pattern[step], step, starts[i], starts[i + 1] - starts[i]) for i, step in enumerate(steps)
    ]


def voice_chord(bar: Bar, tonic: int, centre: float) -> list[int]:
    """Chord tones gathered around a centre, lowest first: voices move little between chords."""
    return sorted({near(tonic + tone, centre) for tone in bar.chord})


def register(bar: Bar, part: str) -> float:
    """Centre pitch of a part, moved by the register cue (the bass half as far)."""
    reach = REGISTER_RANGE * (0.5 if part == "bass" else 1.0)
    return CENTRES[part] + reach * float(np.clip(bar.cues["register"], -2, 2))


def play_chords(bars: list[Bar], genre: Genre, tonic: int, rng: np.random.Generator) -> list[Note]:
    """The accompaniment pattern on the chords of the bars."""
    notes = []
    for bar in bars:
        voices = voice_chord(bar, tonic, register(bar, "chords"))
        for symbol, step, start, gap in onsets(
            choose_pattern(genre.chords, bar), genre.swing, bar.beats
        ):
            chosen = voices if symbol == "C" else [voices[(int(symbol) - 1) % len(voices)]]
            loud = velocity(bar, 0 if step % 4 == 0 else -8, rng)
            length = sounding(gap, bar)
            notes += [Note("chords", bar.start + start, length, pitch, loud) for pitch in chosen]
    return notes


def play_pad(bars: list[Bar], tonic: int, rng: np.random.Generator) -> list[Note]:
    """Held chords below the rest, one a bar."""
    return [
        Note("pad", bar.start, 0.98 * bar.beats, pitch, velocity(bar, -14, rng))
        for bar in bars
        for pitch in voice_chord(bar, tonic, register(bar, "pad"))
    ]


def bass_pitch(symbol: str, bar: Bar, following: Bar, tonic: int) -> int:
    """Pitch of a symbol of a bass pattern; `A` leads into the next root from a step below."""
    root = near(tonic + bar.chord[0], register(bar, "bass"))
    goal = near(tonic + following.chord[0], register(following, "bass"))
    intervals = {"R": 0, "3": bar.chord[1] - bar.chord[0], "5": bar.chord[2] - bar.chord[0]}
    return goal - 1 if symbol == "A" else root + (intervals | {"8": 12})[symbol]


def play_bass(bars: list[Bar], genre: Genre, tonic: int, rng: np.random.Generator) -> list[Note]:
    """The bass pattern on the roots of the chords."""
    return [
        Note(
            "bass",
            bar.start + start,
            max(0.2, 0.8 * gap * between((1.2, 0.7), energy(bar, "articulation"))),
            bass_pitch(symbol, bar, following, tonic),
            velocity(bar, 4 if step == 0 else -3, rng),
        )
        for bar, following in zip(bars, [*bars[1:], bars[-1]])
        for symbol, step, start, gap in onsets(
            choose_pattern(genre.bass, bar), genre.swing, bar.beats
        )
    ]


def play_fill(bar: Bar, rng: np.random.Generator) -> list[Note]:
    """A run over the toms that leads into the next section."""
    toms = ("snare", "high tom", "mid tom", "low tom")
    first = bar.start + bar.beats - 1
    return [
        Note("drums", first + 0.25 * i, 0.2, DRUM_NOTES[name], velocity(bar, 3 * i, rng))
        for i, name in enumerate(toms)
    ]


def play_drums(bars: list[Bar], genre: Genre, rng: np.random.Generator) -> list[Note]:
    """Strokes whose digit the energy of the bar reaches; fills and crashes between sections."""
    notes = []
    for bar in bars:
        strength = 9 * energy(bar, "percussion")
        for name, pattern in genre.drums.items():
            for symbol, step, start, _ in onsets(pattern[: 4 * bar.beats], genre.swing, bar.beats):
                if int(symbol) <= strength:
                    loud = velocity(bar, 2 if step % 8 == 0 else -10, rng)
                    notes.append(Note("drums", bar.start + start, 0.2, DRUM_NOTES[name], loud))
        if strength > 5.5 and bar.position == bar.section_bars - 1:
            notes += play_fill(bar, rng)
        if strength > 6 and bar.position == 0 and bar.section > 0:
            notes.append(Note("drums", bar.start, 0.2, DRUM_NOTES["crash"], velocity(bar, 0, rng)))
    return notes


# --- melody ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Motif:
    """Two bars of melody: which sixteenths sound first as density grows, and their contour."""

    threshold: np.ndarray  # [shape=(32,)] density from which the sixteenth sounds
    contour: np.ndarray  # [shape=(32,)] scale steps above the centre


def draw_motif(rng: np.random.Generator) -> Motif:
    """A motif: strong beats sound before weak ones, the contour is an arch with a random walk."""
    weight = np.array([0.0, 0.95, 0.5, 0.95, 0.25, 0.95, 0.5, 0.95] * 2)
    weight[8] = 0.12
    threshold = np.tile(weight, 2) + rng.uniform(-0.2, 0.25, size=32)
    steps = rng.choice((-2, -1, -1, 0, 1, 1, 2), size=32)
    arch = 2.5 * np.sin(np.linspace(0, np.pi, 32)) * rng.choice((-1, 1, 1))
    walk = np.cumsum(steps) * 0.5
    return Motif(threshold, np.round(walk - walk.mean() + arch - arch.mean()))


def melody_pitch(bar: Bar, degree: int, on_chord: bool, tonic: int, centre: float) -> int:
    """Pitch of a contour degree near a centre; on strong beats the nearest tone of the chord."""
    base = near(tonic, centre - 3)
    pitch = base + scale_pitch(bar.mode, degree + 2)
    if on_chord:
        tones = [near(tonic + tone, pitch) for tone in bar.chord[:3]]
        return min(tones, key=lambda tone: abs(tone - pitch))
    return pitch


def melody_steps(bar: Bar, motif: Motif, cadence: bool) -> list[int]:
    """Sixteenths of a bar at which the melody plays; a cadence stops half-way on a long note."""
    half = 16 * (bar.position % 2)
    level = between((0.12, 0.85), energy(bar))
    steps = [s for s in range(4 * bar.beats) if motif.threshold[half + s] <= level]
    if cadence:
        return sorted({*(s for s in steps if s < 4), 4})
    return steps or [0]


def play_melody(bars: list[Bar], genre: Genre, tonic: int, rng: np.random.Generator) -> list[Note]:
    """The motif of each section in phrases of four bars, the second pair a step lower or higher."""
    motifs = {letter: draw_motif(rng) for letter in "ABC"}
    shifts = {letter: (0, int(rng.choice((-2, -1, 1, 2)))) for letter in "ABC"}
    notes = []
    for bar in bars:
        part = "second" if bar.letter == "B" else "lead"
        motif, cadence = motifs[bar.letter], bar.position % 4 == 3
        shift = shifts[bar.letter][bar.position // 2 % 2]
        steps = melody_steps(bar, motif, cadence)
        starts = [step_beat(step, genre.swing) for step in steps] + [float(bar.beats)]
        for i, step in enumerate(steps):
            degree = int(motif.contour[16 * (bar.position % 2) + step]) + shift
            strong = step % 8 == 0 or cadence
            pitch = melody_pitch(bar, degree, strong, tonic, register(bar, part))
            length = sounding(starts[i + 1] - starts[i], bar)
            loud = velocity(bar, 8 if strong else 0, rng)
            notes.append(Note(part, bar.start + starts[i], length, pitch, loud))
    return notes


def end_song(notes: list[Note], last: Bar) -> list[Note]:
    """Replace what the last bar plays by its first beat, held."""
    kept = [note for note in notes if note.start < last.start + 0.5]
    return [
        replace(note, length=float(last.beats))
        if note.start >= last.start and note.part != "drums"
        else note
        for note in kept
    ]


def intro(notes: list[Note], beats: int) -> list[Note]:
    """Leave out melody and drums in the first two bars, and keep the melody out for four."""
    return [
        note
        for note in notes
        if not (note.part in ("lead", "second") and note.start < 4 * beats - 0.5)
        and not (note.part == "drums" and note.start < 2 * beats - 0.5)
    ]


# --- MIDI ------------------------------------------------------------------------------------


def filter_messages(channel: int, cents: float) -> list[mido.Message]:
    """SoundFont 2.01 NRPN that lowers the low-pass filter of a channel (2 cents a unit)."""
    value = 8192 - int(cents / 2)
    pairs = ((99, 120), (98, 8), (38, value % 128), (6, value // 128))
    return [
        mido.Message("control_change", channel=channel, control=number, value=data)
        for number, data in pairs
    ]


def set_up(palette: Palette) -> list[mido.Message]:
    """Programs, volumes and effect sends of all players."""
    messages = []
    for part, channel in CHANNELS.items():
        program = palette.kit if part == "drums" else getattr(palette, part)
        messages.append(mido.Message("program_change", channel=channel, program=program))
        for control, value in ((7, VOLUMES[part]), (91, 50), (93, 10)):
            messages.append(
                mido.Message("control_change", channel=channel, control=control, value=value)
            )
    return messages


def bar_messages(bar: Bar) -> list[mido.Message]:
    """Expression and brightness of every player for a bar."""
    loud = round(between(EXPRESSION_RANGE, energy(bar, "loudness")))
    dull = BRIGHTNESS_RANGE * (1.0 - energy(bar, "brightness"))
    messages = []
    for channel in CHANNELS.values():
        messages.append(
            mido.Message("control_change", channel=channel, control=11, value=int(loud))
        )
        messages += filter_messages(channel, dull)
    return messages


def note_events(notes: list[Note], end: float) -> list[tuple[int, int, mido.Message]]:
    """Tick, rank (note-off first) and message of each note; all end by `end` beats."""
    events, free = [], {}
    for note in sorted(notes, key=lambda n: (n.part, n.pitch, n.start)):
        channel, key = CHANNELS[note.part], (note.part, note.pitch)
        start = max(round(note.start * TICKS), free.get(key, 0))
        stop = min(max(round((note.start + note.length) * TICKS), start + 30), round(end * TICKS))
        if start >= stop:
            continue
        free[key] = stop
        common = {"channel": channel, "note": note.pitch}
        events.append((start, 2, mido.Message("note_on", velocity=note.velocity, **common)))
        events.append((stop, 0, mido.Message("note_off", velocity=0, **common)))
    return events


def write_midi(bars: list[Bar], notes: list[Note], palette: Palette) -> mido.MidiFile:
    """One track with tempo, players, bars and notes; ends with all notes and all sound off."""
    events: list[tuple[int, int, mido.Message | mido.MetaMessage]] = []
    for bar in bars:
        tick, tempo = round(bar.start * TICKS), round(1e6 * bar.seconds / bar.beats)
        events.append((tick, 1, mido.MetaMessage("set_tempo", tempo=tempo)))
        events += [(tick, 1, message) for message in bar_messages(bar)]
    end = bars[-1].start + bars[-1].beats
    events += note_events(notes, end)
    last = round(end * TICKS)
    for number in (123, 120):
        tick = last + (0 if number == 123 else 8 * TICKS)
        events += [
            (tick, 3, mido.Message("control_change", channel=c, control=number, value=0))
            for c in CHANNELS.values()
        ]
    file = mido.MidiFile(type=0, ticks_per_beat=TICKS)
    track = mido.MidiTrack()
    metre = mido.MetaMessage("time_signature", numerator=bars[0].beats, denominator=4)
    track += [metre, *set_up(palette)]
    now = 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    file.tracks.append(track)
    return file


def plan(
    path: np.ndarray, duration: float, genre: Genre, seed: tuple[int, ...], *, whole: bool
) -> tuple[list[Bar], int, list[np.random.Generator]]:
    """Bars with their harmony, the tonic (0-11, C is 0), and generators for the parts."""
    form, harmony, *rest = np.random.default_rng(seed).spawn(6)
    tonic, beats = int(form.integers(0, 12)), int(form.choice(genre.metres))
    bars = lay_bars(genre, draw_cues(path, form), duration, beats)
    if whole:
        bars = fit_bars(bars, duration - TAIL)
    return harmonise(letter_sections(bars), genre, harmony), tonic, rest


def compose(
    path: np.ndarray,
    duration: float,
    genre_name: str,
    palette: Palette,
    seed: tuple[int, ...],
    *,
    whole: bool,
) -> mido.MidiFile:
    """A song of `duration` s along a path; `whole` songs have an intro and an end, others are cut.

    The palette changes who plays, never what is played.
    """
    genre = GENRES[genre_name]
    bars, tonic, rest = plan(path, duration, genre, seed, whole=whole)
    melody, chords, bass, drums = rest
    notes = play_melody(bars, genre, tonic, melody) + play_chords(bars, genre, tonic, chords)
    notes += play_bass(bars, genre, tonic, bass) + play_drums(bars, genre, drums)
    notes += play_pad(bars, tonic, chords)
    if whole:
        notes = intro(end_song(notes, bars[-1]), bars[0].beats)
    return write_midi(bars, notes, palette)
