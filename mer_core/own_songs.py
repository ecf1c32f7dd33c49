"""Valence and arousal of songs without ratings, with intervals: tables, JSON and a figure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from mer_core.corpus import Corpus
from mer_core.evaluation import cross_validate
from mer_core.files import DataError, starts_with, written_atomically
from mer_core.folds import k_folds
from mer_core.models.pretrained import WindowedRidge
from mer_core.tracks import DIMENSIONS, HOP

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COVERAGE = 0.8
COLOURS = {"valence": "#D55E00", "arousal": "#0072B2"}
"""Vermilion and blue of Okabe and Ito (2008), which colour-blind readers can tell apart."""
FOLDS = 10
HEADS = b"song_id,time,valence,", b'{"coverage": ', b"time,valence,"
"""How the tables and JSON files of this module begin; the last, those of earlier versions."""
MAKER = "mer predict"  # The name of this program in figures


def train(corpus: Corpus, *, where: str = "corpus", seed: int = 0) -> WindowedRidge:
    """Train the package's kind of model on the development songs of a corpus, and calibrate it.

    The seed is that of the folds, `where` the corpus's name in an error. A DataError is raised if
    the corpus has no features, or fewer than 20 development songs.
    """
    dev = corpus.split("dev")
    songs = dev.labels.index.unique("song_id")
    if dev.features.empty or len(songs) < 2 * FOLDS:
        found = f"{len(songs)}" if len(dev.features) else "no features in its folder `features`"
        wanted = f"{2 * FOLDS} development songs or more with labels and features"
        raise DataError(where, wanted, found)
    folds = k_folds(songs, k=FOLDS, seed=seed)
    predictions = cross_validate(WindowedRidge(), dev, folds)
    model = WindowedRidge().fit(dev.features, dev.labels)
    return model.calibrated(predictions, dev.labels)


def predict_curves(model: WindowedRidge, features: pd.DataFrame) -> pd.DataFrame:
    """Predict every half second, with the interval that contains the label of 8 in 10 moments.

    Returns a track: valence, valence_low, valence_high, arousal, arousal_low, arousal_high.
    """
    return _with_intervals(model, model.predict(features), "half second")


def predict_songs(model: WindowedRidge, features: pd.DataFrame) -> pd.DataFrame:
    """Predict whole songs, with the interval that contains the label of 8 in 10 songs.

    Returns a table with the index song_id: `seconds`, `unlikeness` as of
    :meth:`WindowedRidge.unlikeness`, and the columns of :func:`predict_curves`.
    """
    songs = _with_intervals(model, model.predict_songs(features), "song")
    seconds = features.groupby(level="song_id").size().mul(HOP).loc[songs.index]
    songs.insert(0, "seconds", seconds)
    songs.insert(1, "unlikeness", model.unlikeness(features).loc[songs.index])
    return songs


def _with_intervals(model: WindowedRidge, predictions: pd.DataFrame, kind: str) -> pd.DataFrame:
    half, columns = model.half_widths(coverage=COVERAGE).loc[kind], {}
    for name in DIMENSIONS:
        middle = predictions[name]
        columns[name] = middle
        columns[f"{name}_low"] = (middle - half[name]).clip(lower=-1)
        columns[f"{name}_high"] = (middle + half[name]).clip(upper=1)
    return pd.DataFrame(columns)


def describe(songs: pd.DataFrame) -> str:
    """Songs with their predictions and intervals as text, a line each, and warnings.

    Examples
    --------
    >>> row = {"seconds": 180.0, "unlikeness": 1.4} | {f"valence{k}": 0.1 for k in ("", "_low")}
    >>> row |= {"valence_high": 0.4, "arousal": -0.2, "arousal_low": -0.5, "arousal_high": 0.1}
    >>> print(describe(pd.DataFrame([row], ["hymn"])))
    hymn (3:00): valence +0.10 (+0.10 to +0.40), arousal -0.20 (-0.50 to +0.10)
      note: unlike the training songs; the error may be larger
    """
    lines = []
    for song_id, song in songs.iterrows():
        minutes, seconds = divmod(round(song["seconds"]), 60)
        values = [
            f"{k} {song[k]:+.2f} ({song[f'{k}_low']:+.2f} to {song[f'{k}_high']:+.2f})"
            for k in DIMENSIONS
        ]
        lines.append(f"{song_id} ({minutes}:{seconds:02}): {', '.join(values)}")
        if song["unlikeness"] > 1:
            lines.append("  note: unlike the training songs; the error may be larger")
    return "\n".join(lines)


def about_errors(model: WindowedRidge) -> str:
    """What the intervals of :func:`describe` mean, and the model's typical error, in words.

    Errors are of whole songs, on the scale from -1 to 1: the half width that holds half of them
    in calibration (Vovk, Gammerman, Shafer 2005: conformal prediction).

    Examples
    --------
    >>> from mer_core import models
    >>> for sentence in about_errors(models.pretrained()).split(". "):
    ...     print(sentence)
    In brackets: an interval that contains 8 of 10 mean ratings
    Half of all songs have an error below 0.16 (valence) and 0.14 (arousal).
    """
    half = model.half_widths(coverage=0.5).loc["song"]
    errors = " and ".join(f"{half[name]:.2f} ({name})" for name in DIMENSIONS)
    inside = f"In brackets: an interval that contains {10 * COVERAGE:.0f} of 10 mean ratings."
    return f"{inside} Half of all songs have an error below {errors}."


def write(path: Path, songs: pd.DataFrame, curves: pd.DataFrame) -> None:
    """Write curves as CSV, or songs and curves as JSON, by the suffix of the file."""
    with written_atomically(path) as part:
        if path.suffix.lower() == ".json":
            part.write_text(json.dumps(_as_json(songs, curves)) + "\n", encoding="utf-8")
        else:
            curves.round(4).to_csv(part)


def _as_json(songs: pd.DataFrame, curves: pd.DataFrame) -> dict[str, object]:
    entries = []
    for song_id, song in songs.round(4).iterrows():
        curve = curves.loc[song_id].round(4)
        values = {"time": curve.index.tolist()} | curve.to_dict("list")
        unlike = {"unlike_training": bool(song["unlikeness"] > 1)}
        known = {k: v if abs(v) < float("inf") else None for k, v in song.to_dict().items()}
        entries.append({"song_id": song_id, **known, **unlike, "curve": values})
    return {"coverage": COVERAGE, "songs": entries}


def draw(curve: pd.DataFrame, song: pd.Series, *, title: str = "") -> Figure:
    """Draw a song's curve with its intervals, and the song on the plane of valence and arousal.

    `curve` is one song of :func:`predict_curves`, `song` its row of :func:`predict_songs`.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.6), layout="constrained")
    over_time, plane = figure.subplots(1, 2, width_ratios=[2, 1])
    draw_curve(curve, over_time)
    over_time.set_title(title)
    draw_place(curve, song, plane)
    return figure


def draw_curve(curve: pd.DataFrame, ax: Axes) -> None:
    """Draw valence and arousal over time, with their intervals as bands."""
    for name, colour in COLOURS.items():
        ax.plot(curve.index, curve[name], color=colour, lw=2, label=name)
        low, high = curve[f"{name}_low"], curve[f"{name}_high"]
        ax.fill_between(curve.index, low, high, color=colour, alpha=0.18, lw=0)
    ax.set(ylim=(-1, 1), xlabel="time (s)", ylabel="prediction, -1 to 1")
    ax.legend(fontsize="small", title="bands: 8 in 10 labels", title_fontsize="small")


def draw_place(curve: pd.DataFrame, song: pd.Series, ax: Axes) -> None:
    """Draw a song on the plane, with its intervals, and the course of its half seconds."""
    ax.axhline(0, color="0.8", lw=1)
    ax.axvline(0, color="0.8", lw=1)
    ax.plot(curve["valence"], curve["arousal"], color="0.6", lw=1, label="its half seconds")
    ends = [[[song[k] - song[f"{k}_low"]], [song[f"{k}_high"] - song[k]]] for k in DIMENSIONS]
    style = {"fmt": "ko", "capsize": 3, "label": "the song"}
    ax.errorbar(*song[DIMENSIONS], xerr=ends[0], yerr=ends[1], **style)
    ax.set(xlim=(-1, 1), ylim=(-1, 1), xlabel="valence", ylabel="arousal", aspect="equal")
    ax.legend(fontsize="small")


def save_figures(place: Path, songs: pd.DataFrame, curves: pd.DataFrame) -> list[Path]:
    """Save a figure of each song: to a PNG file, or to a folder as `<song_id>.png`."""
    paths = figure_paths(place, songs.index)
    for song_id, path in paths.items():
        figure = draw(curves.loc[song_id], songs.loc[song_id], title=str(song_id))
        with written_atomically(path) as part:
            figure.savefig(part, dpi=120, format="png", metadata={"Software": MAKER})
    return list(paths.values())


def figure_paths(place: Path, song_ids: pd.Index) -> dict[object, Path]:
    """The file of each song's figure; DataError if several songs share one file."""
    if place.suffix.lower() != ".png":
        return {song_id: place / f"{song_id}.png" for song_id in song_ids}
    if len(song_ids) > 1:
        raise DataError(place, "a folder for the figures of several songs", "a file name")
    return {song_id: place for song_id in song_ids}


def is_earlier_result(path: Path) -> bool:
    """Whether a file was written by this module, so that it may be replaced."""
    png = starts_with(path, b"\x89PNG") and MAKER.encode() in path.read_bytes()[:200]
    return png or starts_with(path, *HEADS)
