"""The explorer as one page of widgets, for notebook 10 and `make app`."""

from __future__ import annotations

import html
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import ipywidgets
import pandas as pd

from mer_core import features
from mer_core.corpus import Corpus, with_titles
from mer_core.ensemble import ensemble, predict_curve
from mer_core.evaluation import Regressor
from mer_core.files import DataWarning
from mer_core.metrics import DIMENSIONS
from mer_core.retrieval import Curves, nearest, search_profile
from workbook.explore.figures import draw_match, draw_spread
from workbook.explore.own_song import (
    MOST_BYTES,
    SUFFIXES,
    read_upload,
    teachers,
)
from workbook.explore.songs import describe_pieces, piece_of, shifted, song_points
from workbook.widgets import FileDrop, PlanePicker, Player, ProfileDrawing
from workbook.widgets.front_end import png

LENGTHS = (10, 15, 20, 30)
"""s of a profile that can be drawn."""
METHODS = {"moment by moment": "euclidean", "with warping (DTW)": "dtw"}
MOMENTS = "a moment in it"
BAND = 0.1
SHOWN_WHOLE = {"max_width": "100%", "align_self": "flex-start"}
FOUND = 8
"""Songs in a list."""


class Page(ipywidgets.Tab):
    """Three ways to songs: by a point of the plane, by a drawn course, by a song of one's own.

    Parameters
    ----------
    corpus : Corpus
        What :func:`workbook.explore.library` gives.

    Attributes
    ----------
    picker, drawing, drop
        The widgets by which a user asks.
    answers : dict of Answer
        What they get, by the tab: "point", "draw", "own".

    References
    ----------
    Herremans et al. (2019), "User interface". Notebook 10.
    """

    def __init__(self, corpus: Corpus) -> None:
        self.corpus, self.points, self.curves = (
            replace(corpus, songs=with_titles(corpus.songs)),
            song_points(corpus),
            Curves.of(corpus.labels),
        )
        search_profile(self.curves, [[0, 0]], 1)  # compiles, so that the first answer is quick
        self.answers = {name: Answer() for name in ("point", "draw", "own")}
        parts = [self._point(), self._draw(), self._own()]
        titles = ("Point at it", "Draw it", "Bring your own")
        super().__init__(parts, titles=titles)

    def _point(self) -> ipywidgets.Widget:
        self.picker = PlanePicker(self.points)
        self.kind = ipywidgets.ToggleButtons(options=["the mean of a song", MOMENTS])
        self.picker.observe(self._answer_point, ["valence", "arousal"])
        self.kind.observe(self._answer_point, "value")
        self._answer_point()
        return _side_by_side([self.picker], [self.kind, self.answers["point"]])

    def _answer_point(self, _: object = None) -> None:
        moments = self.kind.value == MOMENTS
        asked = self.corpus.labels if moments else self.points
        near = nearest(asked, (self.picker.valence, self.picker.arousal), len(asked))
        rows = near.groupby(level="song_id", sort=False).head(1)[:FOUND].reset_index()
        rows["start"] = rows["time"] if moments else 0.0
        self.answers["point"].offer(self._named(rows), self._hear)

    def _draw(self) -> ipywidgets.Widget:
        self.length = ipywidgets.Dropdown(options=LENGTHS, value=15, description="seconds")
        self.method = ipywidgets.ToggleButtons(options=METHODS)
        self.place = ipywidgets.VBox()
        self.length.observe(self._new_drawing, "value")
        self.method.observe(self._answer_drawing, "value")
        self._new_drawing()
        return _side_by_side([self.length, self.place], [self.method, self.answers["draw"]])

    def _new_drawing(self, _: object = None) -> None:
        self.drawing = ProfileDrawing(self.length.value)
        self.drawing.observe(self._answer_drawing, DIMENSIONS)
        self.place.children = [self.drawing]
        self._answer_drawing()

    def _answer_drawing(self, _: object = None) -> None:
        profile = self.drawing.profile.dropna(axis="columns")
        if profile.empty:
            self.answers["draw"].say(
                "Draw valence, arousal or both: songs that follow appear here."
            )
            return
        method = self.method.value
        try:
            found = search_profile(self.curves, profile, FOUND, method=method, band=BAND)
        except ValueError as error:
            self.answers["draw"].say(str(error))
            return
        rows = self._named(found)
        self.answers["draw"].offer(rows, lambda piece: self._hear(piece, profile, method))

    def _own(self) -> ipywidgets.Widget:
        self.drop = FileDrop(self._listen, suffixes=SUFFIXES, limit=MOST_BYTES)
        self.answers["own"].say(
            "Your file stays on this machine. The models answer within a minute."
        )
        return _side_by_side([self.drop], [self.answers["own"]])

    @cached_property
    def models(self) -> list[Regressor]:
        """Trained when the first file comes."""
        return ensemble(self.corpus)

    def _listen(self, name: str, data: bytes) -> str:
        with warnings.catch_warnings(record=True) as notes:
            warnings.simplefilter("always")
            audio = read_upload(name, data)
        with warnings.catch_warnings(action="ignore", category=DataWarning):  # the same notes
            curve, spread = predict_curve(self.models, features.extract(audio))
        mean, sd = curve.mean(), spread.mean()
        rows = self._named(nearest(self.points, mean, FOUND).reset_index().assign(start=0.0))
        player = Player(audio, {"predicted": curve}, title=name)
        picture = _picture(draw_spread(curve, spread), f"Predicted valence and arousal of {name}")
        self.answers["own"].offer(rows, self._hear, above=[player, picture])
        means = ", ".join(f"{k} {mean[k]:.2f} ± {sd[k]:.2f}" for k in DIMENSIONS)
        who = f"{len(self.models)} models that learned from {teachers(self.corpus)} songs"
        answer = f"{name}: {means} (mean of {who}, and how far they disagree)."
        return " ".join([answer, *(f"Note: {note.message}." for note in notes)])

    def _named(self, rows: pd.DataFrame) -> pd.DataFrame:
        return describe_pieces(rows, self.corpus)

    def _hear(
        self, piece: pd.Series, profile: pd.DataFrame | None = None, method: str = ""
    ) -> list:
        """The player of a piece and, for a profile, why it was found."""
        song, labels = self.corpus.songs.loc[piece["song_id"]], self.corpus.labels
        shown, stretch, more = (
            {"rated": labels.loc[piece["song_id"]]},
            {"start": piece["start"]},
            [],
        )
        if profile is not None:
            found = piece_of(labels, piece)
            figure = draw_match(profile, found, band=BAND if method == "dtw" else None)
            more = [
                _picture(figure, f"The profile and the piece of {song['title']} that follows it")
            ]
            stretch["end"] = piece["end"]
            if len(profile.columns) == 2:
                shown["drawn"] = shifted(profile, piece["start"])
        if pd.isna(song["audio"]):
            return [*more, _text("This copy of the data has no audio of the song.")]
        return [*more, Player(song["audio"], shown, title=song["title"], **stretch)]


class Answer(ipywidgets.VBox):
    """A list of songs to choose from, and below it what belongs to the chosen one."""

    def __init__(self) -> None:
        self.list = ipywidgets.Select(rows=FOUND, layout={"width": "100%"})
        self.shown = ipywidgets.VBox()
        self.list.observe(self._show, "value")
        super().__init__(layout={"width": "100%"})

    def say(self, text: str) -> None:
        """Put a sentence in the place of the list."""
        self.children = [_text(text)]

    def offer(
        self, rows: pd.DataFrame, show: Callable[[pd.Series], list], *, above: list = ()
    ) -> None:
        """List songs (columns title, artist, start, distance); `show` makes the widgets of one."""
        self.show, self.rows, self.list.value = show, rows, None
        lines = [
            f"{row.distance:.2f}: {row.title}, {row.artist}"
            + (f", from {row.start:g} s" if row.start else "")
            for row in rows.itertuples()
        ]
        self.list.options = [(line, number) for number, line in enumerate(lines)]
        self.list.value, self.shown.children = None, []
        hint = "Nearest first, with the distance. Choose one to hear it:"
        self.children = [*above, _text(hint), self.list, self.shown]

    def _show(self, change: dict) -> None:
        if change["new"] is None:
            return
        try:
            self.shown.children = self.show(self.rows.iloc[change["new"]])
        except (ValueError, OSError) as error:
            self.shown.children = [_text(str(error))]


def _side_by_side(*columns: list) -> ipywidgets.Widget:
    """Columns that stand below each other on a phone."""
    boxes = [
        ipywidgets.VBox(column, layout={"flex": "1 1 20rem", "min_width": "0"})
        for column in columns
    ]
    return ipywidgets.HBox(boxes, layout={"flex_flow": "row wrap"})


def _text(text: str) -> ipywidgets.HTML:
    return ipywidgets.HTML(html.escape(text))


def _picture(figure: object, text: str) -> ipywidgets.Widget:
    image = ipywidgets.Image(value=png(figure), format="png", layout=SHOWN_WHOLE)
    image.alt = text
    return image
