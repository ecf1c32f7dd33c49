"""Is the mode right, and do other features notice it? Keys that are known, and swapped modes.

Reading MIDI files needs mido (the extra `corpus`), rendering them FluidSynth and ffmpeg.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mer_core import render
from mer_core.corpus import Corpus
from mer_core.datasets.deam.read import MINI
from mer_core.datasets.vgmidi import read_pieces
from mer_core.features import extract
from mer_core.features.tonal import MAJOR, MINOR, NAMES
from mer_core.tracks import HOP
from workbook.studies import harmony
from workbook.studies.harmony_chroma import (
    DRUMS,
    chroma_tracks,
    key_features,
    note_track,
    share,
    standard,
)
from workbook.studies.real import real_folder
from workbook.studies.study import framed, labelled, study_of
from workbook.valence import correlation, interval, moments, song_counts

if TYPE_CHECKING:
    import mido

MAJOR_LIKE = ("major", "mixolydian")
"""Modes of the composer with a major third; dorian, minor and phrygian have a minor one."""
STROKES = {"no drums": (0, 0), "1 to 4 strokes a second": (1, 4), "5 or more": (5, np.inf)}


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


def as_voices(file: mido.MidiFile) -> mido.MidiFile:
    """The file with voices that sing with full vibrato (General MIDI 54) for instruments."""
    from mido import Message

    for track in file.tracks:
        for message in [m for m in track if m.type == "program_change" and m.channel != DRUMS]:
            message.program = 53
            vibrato = Message("control_change", channel=message.channel, control=1, value=127)
            track.insert(track.index(message) + 1, vibrato)
    return file


PLAYED = {"played again": lambda file: file, "drums removed": without_drums, "voices": as_voices}
"""Versions of a song that are rendered from its MIDI file."""
HARMONIC = "harmonic part"
"""The version in which percussion is removed from the recorded audio."""


def mode_features(corpus: Corpus, version: str) -> pd.DataFrame:
    """Tonal features of a version of the embedded corpus; of `HARMONIC`, mode and clarity alone."""
    if version == "as recorded":
        return corpus.features[[*NAMES]]
    if version == HARMONIC:
        track = chroma_tracks(corpus, "CQT, harmonic part")
        # A row of `tonal` begins half a second before the second of these windows.
        return key_features(track, "Temperley").groupby(level="song_id").shift(-1).dropna()
    import mido

    files = {song: mido.MidiFile(MINI / f"midi/{song}.mid") for song in corpus.songs.index}
    seconds, change = corpus.songs["duration"], PLAYED[version]
    each = {k: rendered(change(file), seconds[k], ("tonal",)) for k, file in files.items()}
    return pd.concat(each, names=["song_id"])


def mode_accuracy(corpus: Corpus, *, version: str, every: int) -> pd.DataFrame:
    """How often the sign of the mode is that of the composed third, in mini (SYNTHETIC).

    Of every n-th song: the corpus's audio ("as recorded"), the same without percussion
    (`HARMONIC`), or its MIDI files in one mix (`PLAYED`). Index (condition, feature: mode over
    1 s, or mode_long over 16 s); columns value, low, high (share of half seconds, 95 % over
    songs), songs, frames; r, r_low, r_high (of the feature with the composed third, major 1,
    minor 0); clarity (mean key clarity) and majority (share of the more frequent third). Seconds
    in which the mode changes are left out.
    """
    corpus = corpus.select(corpus.songs.index[::every])
    features = mode_features(corpus, version)
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
            found[condition, feature] = share(hit) | {f"r{k}": v for k, v in r.items()} | about
    return framed(found, ["condition", "feature"])


def _correlation(feature: pd.Series, true: np.ndarray) -> dict[str, float]:
    sums = moments(feature, pd.Series(true.astype(float), feature.index))
    sums = sums.groupby(level="song_id").sum()
    found = interval(correlation(song_counts(len(sums)) @ sums))
    return {"": found["value"], "_low": found["low"], "_high": found["high"]}


# --- VGMIDI: the same pieces in the other mode -------------------------------------------------

SWAPS = {"major": {4: -1, 9: -1, 11: -1}, "minor": {3: 1, 8: 1, 10: 1}}
"""Semitones above the tonic that the parallel (natural) minor or major has elsewhere."""
SECONDS, PIECES = 30.0, 12
VERSIONS = ("as it is", "other mode", "a semitone up")


def swapped(file: mido.MidiFile, version: str) -> tuple[mido.MidiFile, str]:
    """A version of a file, and the mode of the whole piece by its notes."""
    profiles = standard(np.array([np.roll(p, k) for p in (MAJOR, MINOR) for k in range(12)]))
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
_versions_of_mini += labelled(("version",), version=[*PLAYED, HARMONIC], every=[6])
STUDIES = {
    "harmony_keys": study_of(
        mode_accuracy, ("version",), ("as recorded",), units=_versions_of_mini, corpus=harmony.mini
    ),
    "harmony_swap": study_of(
        mode_swap, ("piece",), (0,), corpus=harmony.vgmidi, piece=range(PIECES)
    ),
}
"""The first is of the embedded corpus, SYNTHETIC."""
