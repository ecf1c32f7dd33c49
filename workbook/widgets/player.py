"""A player: sound, its waveform, and the emotion that moves over the plane with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import traitlets
from matplotlib import pyplot as plt

from mer_core.features.audio import SAMPLE_RATE, Audio, read_audio
from workbook.plots import GREY, PALETTE, draw_plane
from workbook.widgets.front_end import Widget, png, script, style, track_of_one_song, wav

PLAYABLE = {".wav": "wav", ".mp3": "mpeg", ".flac": "flac", ".ogg": "ogg", ".opus": "ogg"}
PLAYABLE |= {".m4a": "mp4"}
"""Media types of the files that browsers play; others are sent as WAV."""

LINES = ("-", "--", ":")
"""Line styles of the first, second and third track."""


class Player(Widget):
    """Plays a song while a point for each track moves over the plane of valence and arousal.

    The traits `time` (position in s, updated 4 times a second) and `playing` follow the page.

    Parameters
    ----------
    audio : path or (samples, sample_rate)
    tracks : dict of DataFrame, optional
        Up to three, by name: index time in s from the song's start, columns valence, arousal. A
        track may cover a part of the song. Values outside [-1, 1] are drawn at the border.
    title : str, optional
        If it is missing, the file's name without suffix, which is the song_id in DEAM's layout.
    start, end : float
        The part in s that the button plays; the whole song by default.

    Raises
    ------
    ValueError
        If the audio cannot be read, a track is not a finite curve of one song, there are more than
        three, or the part does not lie within the song.

    Examples
    --------
    >>> track = pd.DataFrame({"valence": [0.1, 0.2], "arousal": [0.5, 0.4]}, index=[0.0, 0.5])
    >>> Player((np.ones(44_100), 44_100), {"rated": track}, title="a click").seconds
    1.0
    """

    _esm = script("player")
    _css = style("player")
    title = traitlets.Unicode().tag(sync=True)
    sound = traitlets.Bytes().tag(sync=True)
    kind = traitlets.Unicode().tag(sync=True)
    seconds = traitlets.Float().tag(sync=True)
    envelope = traitlets.List(traitlets.Float()).tag(sync=True)
    tracks = traitlets.List(traitlets.Dict()).tag(sync=True)
    start = traitlets.Float().tag(sync=True)
    end = traitlets.Float().tag(sync=True)
    time = traitlets.Float().tag(sync=True)
    playing = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        audio: Audio,
        tracks: Mapping[str, pd.DataFrame] | None = None,
        *,
        title: object = "",
        start: float = 0.0,
        end: float | None = None,
    ) -> None:
        samples = read_audio(audio)
        seconds = len(samples) / SAMPLE_RATE
        end = seconds if end is None else min(end, seconds)
        tracks = tracks or {}
        if not 0 <= start < end:
            raise ValueError(f"start: expected from 0 to below {end:.2f} s, found {start}")
        if len(tracks) > len(LINES):
            raise ValueError(f"tracks: expected at most {len(LINES)}, found {len(tracks)}")
        sound, kind = _for_the_browser(audio, samples)
        tracks = [_as_lists(name, frame) for name, frame in tracks.items()]
        stretch = {"seconds": seconds, "start": start, "end": end, "time": start}
        sent = {"sound": sound, "kind": kind, "envelope": _envelope(samples), "tracks": tracks}
        super().__init__(title=_title(title, audio), **stretch, **sent)

    def _text(self) -> str:
        names = ", ".join(track["name"] for track in self.tracks) or "no track"
        return f"{self.title or 'Player'}: {self.seconds:.1f} s of sound with {names}"

    def _picture(self) -> bytes:
        parts = [["plane", "sound"], ["plane", "curves"]]
        figure, axes = plt.subplot_mosaic(
            parts, figsize=(9, 3.6), width_ratios=[2, 3], height_ratios=[1, 2], layout="constrained"
        )
        figure.suptitle(self.title)
        self._draw_sound(axes["sound"])
        self._draw_tracks(axes["plane"], axes["curves"])
        return png(figure)

    def _draw_sound(self, ax: plt.Axes) -> None:
        height = np.array(self.envelope)
        ax.fill_between(np.linspace(0, self.seconds, len(height)), -height, height, color=GREY)
        ax.axvspan(self.start, self.end, color=GREY, alpha=0.2, lw=0)
        ax.set(xlim=(0, self.seconds), ylim=(-1, 1), yticks=[], ylabel="sound", xticklabels=[])

    def _draw_tracks(self, plane: plt.Axes, curves: plt.Axes) -> None:
        nothing = pd.DataFrame({"valence": [], "arousal": []}, dtype=float)
        draw_plane(nothing, ax=plane)
        for track, dashes in zip(self.tracks, LINES, strict=False):
            plane.plot(track["valence"], track["arousal"], dashes, color="black", lw=1)
            for dimension, colour in PALETTE.items():
                label = f"{dimension}, {track['name']}"
                curves.plot(track["time"], track[dimension], dashes, color=colour, label=label)
        curves.set(xlim=(0, self.seconds), ylim=(-1, 1), xlabel="time (s)", ylabel="-1 to 1")
        if self.tracks:
            curves.legend(ncols=len(self.tracks), fontsize="x-small", loc="lower right")


def _title(title: object, audio: Audio) -> str:
    if not pd.isna(title) and str(title).strip():
        return str(title)
    return "" if isinstance(audio, tuple) else Path(audio).stem


def _for_the_browser(audio: Audio, samples: np.ndarray) -> tuple[bytes, str]:
    suffix = "" if isinstance(audio, tuple) else Path(audio).suffix.lower()
    if suffix in PLAYABLE:
        return Path(audio).read_bytes(), f"audio/{PLAYABLE[suffix]}"
    return wav(samples), "audio/wav"


def _envelope(samples: np.ndarray, points: int = 500) -> list[float]:
    """Return the largest magnitude in each of `points` pieces, divided by the largest of all."""
    points = min(points, len(samples))
    height = np.maximum.reduceat(np.abs(samples), np.arange(points) * len(samples) // points)
    return (height / (height.max() or 1)).round(3).tolist()


def _as_lists(name: str, frame: pd.DataFrame) -> dict[str, object]:
    values = track_of_one_song(frame, f"track {name!r}")
    columns = {column: values[column].round(4).tolist() for column in values}
    return {"name": name, "time": values.index.astype(float).tolist(), **columns}
