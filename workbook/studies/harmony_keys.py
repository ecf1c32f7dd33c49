"""Is the mode right, and do other features notice it? Keys that are known, and swapped modes.

Reading MIDI files needs mido (the extra `corpus`), rendering them FluidSynth and ffmpeg.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mer_core import render
from mer_core.corpus import Corpus
from mer_core.datasets.deam.read import MINI
from mer_core.datasets.vgmidi import read_pieces
from mer_core.features import extract, read_audio
from mer_core.features.tonal import HOP as CHROMA_HOP
from mer_core.features.tonal import MAJOR, MINOR, NAMES, RATE, chroma
from mer_core.models.delayed import delay_features
from mer_core.tracks import HOP
from workbook.studies import harmony
from workbook.studies.real import real_folder
from workbook.studies.study import framed, labelled, study_of
from workbook.valence import correlation, interval, moments, song_counts

if TYPE_CHECKING:
    import mido

MAJOR_LIKE = ("major", "mixolydian")
"""Modes of the composer with a major third; dorian, minor and phrygian have a minor one."""
DRUMS = 9
"""MIDI channel of the drums."""
STROKES = {"no drums": (0, 0), "1 to 4 strokes a second": (1, 4), "5 or more": (5, np.inf)}
PROFILES = {
    "Temperley": (MAJOR, MINOR),
    "Krumhansl": (
        (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
        (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
    ),
    "Albrecht": (
        (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081),
        (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052),
    ),
}
"""Major and minor. Krumhansl (1990); Temperley (1999); Albrecht and Shanahan (2013)."""
LONG = {"": 2, "_long": 32}
"""Half seconds of the windows: 1 s and 16 s."""


# --- the composer's keys -------------------------------------------------------------------


def composed_modes(rows: pd.MultiIndex) -> pd.Series:
    """Mode of the embedded corpus at each (song_id, time), as it was composed."""
    keys = pd.read_csv(MINI / "keys.csv").sort_values("time")
    asked = rows.to_frame(index=False).sort_values("time", kind="stable")
    found = pd.merge_asof(asked, keys, on="time", by="song_id")
    return found.set_index(["song_id", "time"])["mode"].reindex(rows)


def strokes(song_id: int, times: np.ndarray) -> np.ndarray:
    """Drum strokes in the second that begins at each time."""
    import mido

    now, hits = 0.0, []
    for message in mido.MidiFile(MINI / f"midi/{song_id}.mid"):
        now += message.time
        if message.type == "note_on" and message.channel == DRUMS and message.velocity:
            hits.append(now)
    return np.searchsorted(hits, times + 1) - np.searchsorted(hits, times)


def without_drums(file: mido.MidiFile) -> mido.MidiFile:
    """The file with drum strokes of velocity 0, which do not sound."""
    for message in file.tracks[0]:
        if message.type == "note_on" and message.channel == DRUMS:
            message.velocity = 0
    return file


def rendered(file: mido.MidiFile, seconds: float, sets: tuple[str, ...]) -> pd.DataFrame:
    """Features of a MIDI file, as FluidSynth plays it with the default mix."""
    with tempfile.TemporaryDirectory() as folder:
        midi, ogg = Path(folder) / "song.mid", Path(folder) / "song.ogg"
        file.save(midi)
        render.render(midi, ogg, render.Mix(), seconds, whole=False)
        return extract(ogg, sets).droplevel("song_id")


def _played(song_id: int, seconds: float, version: str) -> pd.DataFrame:
    import mido

    file = mido.MidiFile(MINI / f"midi/{song_id}.mid")
    file = without_drums(file) if version == "drums removed" else file
    return rendered(file, seconds, ("tonal",))


def mode_accuracy(corpus: Corpus, *, version: str, every: int) -> pd.DataFrame:
    """How often the sign of the mode is that of the composed third, in mini (SYNTHETIC).

    Of every n-th song: the corpus's audio ("as recorded"), or its MIDI files in one mix, as they
    are ("played again") or with "drums removed". Index (condition, feature: mode over 1 s or
    mode_long over 16 s); columns value, low, high (share of half seconds, 95 % over songs), songs,
    frames; r, r_low, r_high (of the feature with the composed third, major 1, minor 0); clarity
    (mean key clarity) and majority (share of the more frequent third). Seconds in which the mode
    changes are left out.
    """
    corpus = corpus.select(corpus.songs.index[::every])
    features = corpus.features[[*NAMES]]
    if version != "as recorded":
        seconds = corpus.songs["duration"]
        each = {song: _played(song, seconds[song], version) for song in corpus.songs.index}
        features = pd.concat(each, names=["song_id"])
    rows = features.index
    later = pd.MultiIndex.from_arrays([rows.get_level_values(0), rows.get_level_values(1) + 1])
    mode, after = (composed_modes(k.set_names(rows.names)) for k in (rows, later))
    drums = np.concatenate(
        [strokes(song, part.index.get_level_values("time")) for song, part in mode.groupby(level=0)]
    )
    steady = mode.to_numpy() == after.to_numpy()
    conditions = {"all": steady} | {k: steady & (mode == k).to_numpy() for k in mode.unique()}
    conditions |= {k: steady & (drums >= a) & (drums <= b) for k, (a, b) in STROKES.items()}
    true = mode.isin(MAJOR_LIKE).to_numpy()
    found = {}
    for condition, chosen in conditions.items():
        for feature in ("mode", "mode_long"):
            clarity = features[feature.replace("mode", "key_clarity")][chosen].mean()
            hit = ((features[feature] > 0) == true)[chosen].astype(float)
            about = {"clarity": clarity, "majority": max(m := true[chosen].mean(), 1 - m)}
            r = _correlation(features[feature][chosen], true[chosen])
            found[condition, feature] = _share(hit) | {f"r{k}": v for k, v in r.items()} | about
    return framed(found, ["condition", "feature"])


def _share(hit: pd.Series) -> dict[str, float]:
    by_song = hit.groupby(level="song_id").agg(["sum", "count"])
    drawn = song_counts(len(by_song)) @ by_song.to_numpy()
    return interval(drawn[:, 0] / drawn[:, 1]) | {"songs": len(by_song), "frames": len(hit)}


def _correlation(feature: pd.Series, true: np.ndarray) -> dict[str, float]:
    sums = moments(feature, pd.Series(true.astype(float), feature.index))
    sums = sums.groupby(level="song_id").sum()
    found = interval(correlation(song_counts(len(sums)) @ sums))
    return {"": found["value"], "_low": found["low"], "_high": found["high"]}


# --- VGMIDI: keys from the notes, and other profiles ------------------------------------------


def played_notes(file: mido.MidiFile) -> Iterator[tuple[int, float, float]]:
    """Pitch, start and end in s of each note but drums; the pedal is left out."""
    now, begun = 0.0, {}
    for message in file:
        now += message.time
        if message.type not in ("note_on", "note_off") or message.channel == DRUMS:
            continue
        key = message.channel, message.note
        if key in begun:
            yield message.note, begun.pop(key), now
        if message.type == "note_on" and message.velocity:
            begun[key] = now


def note_track(file: mido.MidiFile, rows: int) -> np.ndarray:
    """How long each pitch class sounds in each half second, shape (rows, 12)."""
    edges, track = HOP * np.arange(rows), np.zeros((rows, 12))
    for pitch, start, end in played_notes(file):
        lengths = np.minimum(end, edges + HOP) - np.maximum(start, edges)
        track[:, pitch % 12] += lengths.clip(0)
    return track


def audio_track(path: str, rows: int) -> np.ndarray:
    """Sum of the chroma in each half second, shape (rows, 12)."""
    frames = chroma(read_audio(path))
    row = np.minimum(np.arange(len(frames)) * CHROMA_HOP / RATE // HOP, rows - 1).astype(int)
    track = np.zeros((rows, 12))
    np.add.at(track, row, frames)
    return track


def key_features(track: pd.DataFrame, profile: str) -> pd.DataFrame:
    """Mode and key clarity over 1 and 16 s of a track of chroma; 0 in silence."""
    keys = np.array([np.roll(p, k) for p in PROFILES[profile] for k in range(12)])
    columns = {}
    for suffix, window in LONG.items():
        heard = delay_features(track, window=window).to_numpy()
        r = _standard(heard) @ _standard(keys).T
        columns[f"mode{suffix}"] = r[:, :12].max(1) - r[:, 12:].max(1)
        columns[f"key_clarity{suffix}"] = r.max(1)
    return pd.DataFrame(columns, track.index)


def _standard(rows: np.ndarray) -> np.ndarray:
    apart = rows - rows.mean(1, keepdims=True)
    length = np.linalg.norm(apart, axis=1, keepdims=True)
    return np.divide(apart, length, out=np.zeros(rows.shape), where=length > 1e-9)


def profile_scores(corpus: Corpus, *, source: str, seeds: int) -> pd.DataFrame:
    """What the choice of key profiles changes on VGMIDI, and how often audio and notes agree.

    Index (profile, statistic): "r(mode, valence)" over songs, of the mode over 16 s; "r of ridge",
    in ten folds, with mode and key clarity, from the audio with harmonic change and entropy as
    well; "same sign, 1 s" and "16 s": share of half seconds in which audio and notes agree on major
    or minor.
    """
    notes, found = _notes(corpus), {}
    track = notes if source == "notes" else _audio(corpus)
    other = corpus.features[["harmonic_change", "tonal_entropy"]]
    for profile in PROFILES:
        features = key_features(track, profile)
        more = features if source == "notes" else features.join(other)
        for name, drawn in _valence(corpus, more, seeds).items():
            songs = corpus.songs.index.size
            found[profile, name] = interval(drawn) | {"songs": songs}
        if source == "audio":
            true = key_features(notes, profile)
            for name, column in {"1 s": "mode", "16 s": "mode_long"}.items():
                same = (features[column] > 0) == (true[column] > 0)
                found[profile, f"same sign, {name}"] = _share(same.astype(float))
    return framed(found, ["profile", "statistic"])


def _notes(corpus: Corpus) -> pd.DataFrame:
    import mido

    midi = {piece.song_id: piece.midi for piece in read_pieces(real_folder("vgmidi"))}
    return _tracks(corpus, lambda song, rows: note_track(mido.MidiFile(midi[song]), rows))


def _audio(corpus: Corpus) -> pd.DataFrame:
    return _tracks(corpus, lambda song, rows: audio_track(corpus.songs.loc[song, "audio"], rows))


def _tracks(corpus: Corpus, read: Callable[[int, int], np.ndarray]) -> pd.DataFrame:
    """Chroma of all songs, a track of twelve columns."""
    index = corpus.features.sort_index().index
    rows = index.to_frame().groupby(level="song_id").size()
    values = np.vstack([read(song, count) for song, count in rows.items()])
    return pd.DataFrame(values, index, [*map(str, range(12))])


def _valence(corpus: Corpus, features: pd.DataFrame, seeds: int) -> dict[str, np.ndarray]:
    means = features.groupby(level="song_id").mean()
    y = harmony.song_targets(corpus)[["valence"]]
    counts, drawn = song_counts(len(y)), []
    for seed in range(seeds):
        ridge = harmony.tuned("ridge", weighted=False)
        predicted = harmony.predict_table(means, y, ridge, seed=seed)
        drawn.append(correlation(counts @ moments(y["valence"], predicted["valence"])))
    single = correlation(counts @ moments(y["valence"], means["mode_long"]))
    return {"r(mode, valence)": single, "r of ridge": sum(drawn) / seeds}


# --- VGMIDI: the same pieces in the other mode -------------------------------------------------

SWAPS = {"major": {4: -1, 9: -1, 11: -1}, "minor": {3: 1, 8: 1, 10: 1}}
"""Semitones above the tonic that the parallel (natural) minor or major has elsewhere."""
SECONDS, PIECES = 30.0, 12
VERSIONS = ("as it is", "other mode", "a semitone up")


def swapped(file: mido.MidiFile, version: str) -> tuple[mido.MidiFile, str]:
    """A version of a file, and the mode of the whole piece by its notes."""
    profiles = _standard(np.array([np.roll(p, k) for p in (MAJOR, MINOR) for k in range(12)]))
    total = note_track(file, 1 + int(file.length / HOP)).sum(axis=0)
    key = int((profiles @ (total - total.mean())).argmax())
    mode, tonic = ("major", "minor")[key // 12], key % 12
    steps = {"other mode": SWAPS[mode], "a semitone up": dict.fromkeys(range(12), 1)}
    for message in (message for track in file.tracks for message in track):
        if message.type in ("note_on", "note_off") and message.channel != DRUMS:
            message.note += steps.get(version, {}).get((message.note - tonic) % 12, 0)
    return file, mode


def mode_swap(corpus: Corpus, *, piece: int) -> pd.DataFrame:
    """What changes if a piece of VGMIDI is played in the parallel mode, or a semitone up.

    `piece` is the n-th of `PIECES` that are spread over the corpus.

    Index (version, statistic). "change of 260", "change of tonal": mean over features of the
    absolute change of the piece's mean, in standard deviations over all pieces. "valence by 260"
    and "by tonal": predicted valence of the major minus that of the minor version, by extra trees
    that were trained on all other pieces. The first 30 s are rendered.
    """
    song = corpus.songs.index[piece * len(corpus.songs) // PIECES]
    means, mode = _versions(song)
    targets, found = harmony.song_targets(corpus).drop(index=song), {}
    for name in (harmony.BASELINES[0], "tonal"):
        x = harmony.song_table(corpus, name)
        own = means[[k.removesuffix("_mean") for k in x]]
        model = harmony.tuned("extra trees", weighted=False)
        model.fit(x.loc[targets.index].to_numpy(), targets["valence"])
        valence = pd.Series(model.predict(own.to_numpy()), own.index)
        for version in VERSIONS[1:]:
            change = (own.loc[version] - own.loc[VERSIONS[0]]).abs().to_numpy()
            found[version, f"change of {name}"] = (change / x.std().to_numpy()).mean()
        sign = 1 if mode == "major" else -1
        lost = valence[VERSIONS[0]] - valence["other mode"]
        found["other mode", f"valence by {name}"] = sign * lost
    return framed({k: {"value": v} for k, v in found.items()}, ["version", "statistic"])


def _versions(song: int) -> tuple[pd.DataFrame, str]:
    """Means of all features of a piece in each version, and its mode as it is."""
    import mido

    midi = {piece.song_id: piece.midi for piece in read_pieces(real_folder("vgmidi"))}[song]
    means = {}
    for version in VERSIONS:
        file, mode = swapped(mido.MidiFile(midi), version)
        means[version] = rendered(file, SECONDS, ("compare", "tonal")).mean()
    return pd.DataFrame(means).T, mode


_versions_of_mini = labelled(("version",), version=["as recorded"], every=[1])
_versions_of_mini += labelled(("version",), version=["played again", "drums removed"], every=[6])
STUDIES = {
    "harmony_keys": study_of(
        mode_accuracy, ("version",), ("as recorded",), units=_versions_of_mini, corpus=harmony.mini
    ),
    "harmony_profiles": study_of(
        profile_scores,
        ("source",),
        ("notes",),
        corpus=harmony.vgmidi,
        source=["audio", "notes"],
        seeds=[2],
    ),
    "harmony_swap": study_of(
        mode_swap, ("piece",), (0,), corpus=harmony.vgmidi, piece=range(PIECES)
    ),
}
"""The first is of the embedded corpus, SYNTHETIC."""
