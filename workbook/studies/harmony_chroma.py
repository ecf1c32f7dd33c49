"""Which chroma and which key profiles measure the mode best, on piano pieces and on DEAM."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mer_core.corpus import Corpus
from mer_core.datasets.vgmidi import read_pieces
from mer_core.features import SAMPLE_RATE, read_audio
from mer_core.features.librosa_loader import load_librosa
from mer_core.features.tonal import HOP as CHROMA_HOP
from mer_core.features.tonal import MAJOR, MINOR, RATE, chroma
from mer_core.models.delayed import delay_features
from mer_core.tracks import HOP
from workbook.studies import harmony
from workbook.studies.real import real_folder
from workbook.studies.study import Study, framed, study_of
from workbook.valence import correlation, interval, moments, song_counts

if TYPE_CHECKING:
    import mido

DRUMS = 9
"""MIDI channel of the drums."""
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
CONSONANT = (0, 3, 4, 7, 8, 9)
"""Semitones above the bass: unison, thirds, fifth, sixths."""


# --- chroma of audio ------------------------------------------------------------------------


def _at_rate(samples: np.ndarray) -> np.ndarray:
    audio = samples.astype(np.float32, copy=False)
    return load_librosa().resample(audio, orig_sr=SAMPLE_RATE, target_sr=RATE)


def _constant_q(audio: np.ndarray, *, name: str = "chroma_cqt", **options: object) -> np.ndarray:
    compute = getattr(load_librosa().feature, name)
    options = {"sr": RATE, "hop_length": CHROMA_HOP, "bins_per_octave": 36} | options
    return compute(y=audio, **options).T


def harmonic_part(samples: np.ndarray) -> np.ndarray:
    """Chroma of audio without its percussive part, shape (frames, 12); Fitzgerald (2010)."""
    return _constant_q(load_librosa().effects.harmonic(_at_rate(samples)))


def by_beats(samples: np.ndarray) -> np.ndarray:
    """The chroma, in each frame the median over its beat, shape (frames, 12)."""
    librosa, frames = load_librosa(), chroma(samples)
    _, times = librosa.beat.beat_track(y=_at_rate(samples), sr=RATE, units="time")
    edges = np.unique(np.round(times * RATE / CHROMA_HOP).astype(int).clip(0, len(frames)))
    each = np.split(frames, edges)
    return np.vstack(
        [np.tile(np.median(part, axis=0), (len(part), 1)) for part in each if len(part)]
    )


def of_spectrum(samples: np.ndarray) -> np.ndarray:
    """Chroma of the Fourier transform in windows of 0.37 s, shape (frames, 12)."""
    options = {"sr": RATE, "hop_length": CHROMA_HOP, "n_fft": 8192}
    return load_librosa().feature.chroma_stft(y=_at_rate(samples), **options).T


def of_salience(samples: np.ndarray) -> np.ndarray:
    """Chroma of pitches whose first five partials are there, shape (frames, 12)."""
    librosa, audio = load_librosa(), _at_rate(samples)
    tuning = librosa.estimate_tuning(y=audio, sr=RATE, bins_per_octave=36)
    bins = {"n_bins": 252, "bins_per_octave": 36, "tuning": tuning}
    found = np.abs(librosa.cqt(audio, sr=RATE, hop_length=CHROMA_HOP, **bins))
    first = librosa.note_to_hz("C1")
    frequencies = librosa.cqt_frequencies(fmin=first, **bins)
    salient = librosa.salience(
        found, freqs=frequencies, harmonics=range(1, 6), filter_peaks=True, fill_value=0
    )
    return librosa.feature.chroma_cqt(C=salient, sr=RATE, bins_per_octave=36).T


CHROMAS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "CQT": chroma,
    "CQT, not tuned": lambda samples: _constant_q(_at_rate(samples), tuning=0.0),
    "CQT, harmonic part": harmonic_part,
    "CQT, by beats": by_beats,
    "CENS": lambda samples: _constant_q(_at_rate(samples), name="chroma_cens"),
    "STFT": of_spectrum,
    "salience": of_salience,
}
"""By name: from samples at 44.1 kHz to frames of 93 ms. The first is that of the set `tonal`."""


def bass_consonance(samples: np.ndarray) -> np.ndarray:
    """Share of each frame's chroma that is consonant with the bass (C1 to B2), 0 to 1."""
    frames = chroma(samples)
    low = _constant_q(_at_rate(samples), n_octaves=2)[: len(frames)].argmax(1)
    degrees = (low[:, None] + np.array(CONSONANT)) % 12
    total = frames.sum(1)
    share = np.take_along_axis(frames, degrees, axis=1).sum(1)
    return np.divide(share, total, out=np.zeros(len(frames)), where=total > 0)


# --- key profiles, and chroma from the notes -----------------------------------------------


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


def audio_track(path: str, rows: int, *, frames_of: Callable = chroma) -> np.ndarray:
    """Sum of the chroma in each half second, shape (rows, 12)."""
    return in_half_seconds(frames_of(read_audio(path)), rows)


def in_half_seconds(frames: np.ndarray, rows: int) -> np.ndarray:
    """Sums of frames of 93 ms in each half second, shape (rows, ...)."""
    row = np.minimum(np.arange(len(frames)) * CHROMA_HOP / RATE // HOP, rows - 1).astype(int)
    track = np.zeros((rows, *frames.shape[1:]))
    np.add.at(track, row, frames)
    return track


def key_features(track: pd.DataFrame, profile: str) -> pd.DataFrame:
    """Mode and key clarity over 1 and 16 s of a track of chroma; 0 in silence."""
    keys = np.array([np.roll(p, k) for p in PROFILES[profile] for k in range(12)])
    columns = {}
    for suffix, window in LONG.items():
        heard = delay_features(track, window=window).to_numpy()
        r = standard(heard) @ standard(keys).T
        columns[f"mode{suffix}"] = r[:, :12].max(1) - r[:, 12:].max(1)
        columns[f"key_clarity{suffix}"] = r.max(1)
    return pd.DataFrame(columns, track.index)


def standard(rows: np.ndarray) -> np.ndarray:
    """Rows with mean 0 and length 1; 0 where all values are equal."""
    apart = rows - rows.mean(1, keepdims=True)
    length = np.linalg.norm(apart, axis=1, keepdims=True)
    return np.divide(apart, length, out=np.zeros(rows.shape), where=length > 1e-9)


def profile_scores(corpus: Corpus, *, source: str, seeds: int, notes: bool) -> pd.DataFrame:
    """What the choice of chroma and key profiles changes, and how often audio and notes agree.

    `source` is one of `CHROMAS`, or "notes". `notes`: the notes of the songs are known (VGMIDI).

    Index (profile, statistic): "r(mode, valence)" over songs, of the mode over 16 s; "r of ridge",
    in ten folds, with mode and key clarity, from the audio with harmonic change and entropy of the
    set as well; for "CQT" the same "and bass consonance"; "same sign, 1 s" and "16 s": share of
    half seconds in which audio and notes agree on major or minor.
    """
    track, found = chroma_tracks(corpus, source), {}
    other = corpus.features[["harmonic_change", "tonal_entropy"]]
    by_notes = chroma_tracks(corpus, "notes") if notes and source != "notes" else None
    bass = _bass(corpus) if source == "CQT" else None
    for profile in PROFILES:
        features = key_features(track, profile)
        found[profile, "r(mode, valence)"] = _single(corpus, features["mode_long"])
        features = features if source == "notes" else features.join(other)
        found[profile, "r of ridge"] = _ridge(corpus, features, seeds)
        if bass is not None:
            found[profile, "r of ridge, and bass consonance"] = _ridge(
                corpus, features.join(bass), seeds
            )
        if by_notes is not None:
            true = key_features(by_notes, profile)
            for name, column in {"1 s": "mode", "16 s": "mode_long"}.items():
                same = (features[column] > 0) == (true[column] > 0)
                found[profile, f"same sign, {name}"] = share(same.astype(float))
    table = framed(found, ["profile", "statistic"])
    return table.assign(songs=corpus.songs.index.size)


def chroma_tracks(corpus: Corpus, source: str) -> pd.DataFrame:
    """Chroma of all songs, a track of twelve columns."""
    if source == "notes":
        import mido

        midi = {piece.song_id: piece.midi for piece in read_pieces(real_folder("vgmidi"))}
        return _tracks(corpus, lambda song, rows: note_track(mido.MidiFile(midi[song]), rows))
    paths, frames_of = corpus.songs["audio"], CHROMAS[source]
    return _tracks(corpus, lambda song, rows: audio_track(paths[song], rows, frames_of=frames_of))


def _bass(corpus: Corpus) -> pd.Series:
    def read(song: int, rows: int) -> np.ndarray:
        frames = bass_consonance(read_audio(corpus.songs.loc[song, "audio"]))[:, None]
        return in_half_seconds(frames, rows)

    return _tracks(corpus, read)[0].rename("bass_consonance")


def _tracks(corpus: Corpus, read: Callable[[int, int], np.ndarray]) -> pd.DataFrame:
    index = corpus.features.sort_index().index
    rows = index.to_frame().groupby(level="song_id").size()
    return pd.DataFrame(np.vstack([read(song, count) for song, count in rows.items()]), index)


def _single(corpus: Corpus, feature: pd.Series) -> dict[str, float]:
    y = harmony.song_targets(corpus)["valence"]
    means = feature.groupby(level="song_id").mean()
    return interval(correlation(song_counts(len(y)) @ moments(y, means)))


def _ridge(corpus: Corpus, features: pd.DataFrame, seeds: int) -> dict[str, float]:
    means = features.groupby(level="song_id").mean()
    y = harmony.song_targets(corpus)[["valence"]]
    counts, drawn = song_counts(len(y)), []
    for seed in range(seeds):
        ridge = harmony.tuned("ridge", weighted=False)
        predicted = harmony.predict_table(means, y, ridge, seed=seed)
        drawn.append(correlation(counts @ moments(y["valence"], predicted["valence"])))
    return interval(sum(drawn) / seeds)


def share(hit: pd.Series) -> dict[str, float]:
    """Share of half seconds that are 1, with its interval over songs."""
    by_song = hit.groupby(level="song_id").agg(["sum", "count"])
    drawn = song_counts(len(by_song)) @ by_song.to_numpy()
    return interval(drawn[:, 0] / drawn[:, 1]) | {"songs": len(by_song), "frames": len(hit)}


def _of_sources(cheapest: str, *, sources: list[str], **more: object) -> Study:
    lists = {"source": sources, "seeds": [2], "notes": [sources[0] == "notes"]}
    return study_of(profile_scores, ("source",), (cheapest,), **lists, **more)


STUDIES = {
    "harmony_profiles": _of_sources("notes", sources=["notes", *CHROMAS], corpus=harmony.vgmidi),
    "harmony_profiles_deam": _of_sources("STFT", sources=[*CHROMAS], corpus=harmony.deam),
}
"""Of real music."""
