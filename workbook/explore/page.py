"""The explorer as one page of widgets, for notebook 10 and `make app`."""

from __future__ import annotations

import html
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import ipywidgets
import pandas as pd
from matplotlib.figure import Figure

from mer_core import features, own_songs
from mer_core.corpus import Corpus, with_titles
from mer_core.files import DataWarning
from mer_core.metrics import DIMENSIONS
from mer_core.models import WindowedRidge, pretrained
from mer_core.models.pretrained import CARD
from mer_core.retrieval import Curves, nearest, search_profile
from workbook.explore import songs
from workbook.explore.own_song import MOST_BYTES, SUFFIXES, read_upload
from workbook.widgets import FileDrop, PlanePicker, Player, ProfileDrawing
from workbook.widgets.front_end import png

LENGTHS = (10, 15, 20, 30)
"""Lengths in s of a profile that can be drawn."""
METHODS = {"moment by moment": "euclidean", "with warping (DTW)": "dtw"}
MOMENTS = "a moment in it"
BAND = 0.1
FOUND = 8
"""Songs in a list."""


class Page(ipywidgets.Tab):
    """Find songs by a point of the plane, by a drawn profile, or by a song of one's own.

    After the interface of Herremans et al. (2019); notebook 10. The corpus is of
    :func:`workbook.explore.library`; `answers` has the results of each tab: "point", "draw", "own".
    """

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = replace(corpus, songs=with_titles(corpus.songs))
        self.points, self.curves = songs.song_points(corpus), Curves.of(corpus.labels)
        search_profile(self.curves, [[0, 0]], 1)  # compiles, so that the first search is quick
        self.answers = {name: Answer() for name in ("point", "draw", "own")}
        titles = ("Point at it", "Draw it", "Bring your own")
        super().__init__([self._point(), self._draw(), self._own()], titles=titles)

    def _point(self) -> ipywidgets.Widget:
        self.picker = PlanePicker(self.points)
        self.kind = ipywidgets.ToggleButtons(options=["the mean of a song", MOMENTS])
        self.picker.observe(self._answer_point, ["valence", "arousal"])
        self.kind.observe(self._answer_point, "value")
        self._answer_point()
        return _side_by_side([self.picker], [self.kind, self.answers["point"]])

    def _answer_point(self, _: object = None) -> None:
        moments = self.kind.value == MOMENTS
        points = self.corpus.labels if moments else self.points
        near = nearest(points, (self.picker.valence, self.picker.arousal), len(points))
        rows = near.groupby(level="song_id", sort=False).head(1)[:FOUND].reset_index()
        rows["start"] = rows["time"] if moments else 0.0
        self.answers["point"].offer(self._named(rows), self._play)

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
        answer, method = self.answers["draw"], self.method.value
        profile = self.drawing.profile.dropna(axis="columns")
        if profile.empty:
            answer.show_text("Draw valence, arousal or both: songs that follow appear here.")
            return
        try:
            found = search_profile(self.curves, profile, FOUND, method=method, band=BAND)
        except ValueError as error:
            answer.show_text(str(error))
            return
        answer.offer(self._named(found), lambda piece: self._play(piece, profile, method))

    def _own(self) -> ipywidgets.Widget:
        self.drop = FileDrop(self._receive, suffixes=SUFFIXES, limit=MOST_BYTES)
        text = "Your file stays on this machine. The prediction takes some seconds."
        self.answers["own"].show_text(text)
        card = {"text/markdown": CARD.read_text(encoding="utf-8")}
        shown = ipywidgets.Output(
            outputs=[{"output_type": "display_data", "data": card, "metadata": {}}]
        )
        about = ipywidgets.Accordion([shown], titles=["About the model"])
        return _side_by_side([self.drop, about], [self.answers["own"]])

    @cached_property
    def model(self) -> WindowedRidge:
        """The model in the package, loaded at the first upload."""
        return pretrained()

    def _receive(self, name: str, data: bytes) -> str:
        with warnings.catch_warnings(record=True) as notes:
            warnings.simplefilter("always")
            audio = read_upload(name, data)
        with warnings.catch_warnings(action="ignore", category=DataWarning):  # the same notes
            track = features.extract(audio)
        curve = own_songs.predict_curves(self.model, track).droplevel("song_id")
        (song,) = (row for _, row in own_songs.predict_songs(self.model, track).iterrows())
        place = song[DIMENSIONS]
        rows = self._named(nearest(self.points, place, FOUND).reset_index().assign(start=0.0))
        player = Player(audio, {"predicted": curve}, title=name)
        pictures = _side_by_side(*([part] for part in _own_pictures(curve, song, name)))
        self.answers["own"].offer(rows, self._play, above=[pictures, player])
        lines = own_songs.describe(song.to_frame(name).T).splitlines()
        lines += [f"note: {note.message}" for note in notes]
        return f"{'. '.join(line.strip() for line in lines)}. {own_songs.about_errors(self.model)}"

    def _named(self, rows: pd.DataFrame) -> pd.DataFrame:
        return songs.describe_pieces(rows, self.corpus)

    def _play(
        self, piece: pd.Series, profile: pd.DataFrame | None = None, method: str = ""
    ) -> list[ipywidgets.Widget]:
        """Make the player of a piece and, for a profile, the figure of the match."""
        song, labels = self.corpus.songs.loc[piece["song_id"]], self.corpus.labels
        tracks, stretch, above = {"rated": labels.loc[piece["song_id"]]}, {}, []
        if profile is not None:
            band = BAND if method == "dtw" else None
            figure = songs.draw_match(profile, songs.piece_of(labels, piece), band=band)
            text = f"The profile and the piece of {song['title']} that follows it"
            above, stretch = [_picture(figure, text)], {"end": piece["end"]}
            if len(profile.columns) == 2:
                tracks["drawn"] = songs.shifted(profile, piece["start"])
        if pd.isna(song["audio"]):
            return [*above, _text("This copy of the data has no audio of the song.")]
        stretch["start"] = piece["start"]
        return [*above, Player(song["audio"], tracks, title=song["title"], **stretch)]


class Answer(ipywidgets.VBox):
    """A list of songs to choose from, and below it the widgets of the chosen one."""

    def __init__(self) -> None:
        self.list = ipywidgets.Select(rows=FOUND, layout={"width": "100%"})
        self.shown = ipywidgets.VBox()
        self.list.observe(self._show, "value")
        super().__init__(layout={"width": "100%"})

    def show_text(self, text: str) -> None:
        """Show a sentence instead of a list."""
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


def _own_pictures(curve: pd.DataFrame, song: pd.Series, name: str) -> list[ipywidgets.Widget]:
    """The curve and the plane, each an image, so that a phone shows one below the other."""
    over_time, place = (Figure(figsize=(size, 3.4), layout="constrained") for size in (5.4, 3.6))
    own_songs.draw_curve(curve, over_time.subplots())
    own_songs.draw_place(curve, song, place.subplots())
    text = f"Predicted valence and arousal of {name}"
    return [_picture(over_time, f"{text} over time"), _picture(place, f"{text} on the plane")]


def _side_by_side(*columns: list) -> ipywidgets.Widget:
    """Arrange columns side by side; on a phone, below each other."""
    layout = {"flex": "1 1 17rem", "min_width": "0"}
    boxes = [ipywidgets.VBox(column, layout=layout) for column in columns]
    return ipywidgets.HBox(boxes, layout={"flex_flow": "row wrap"})


def _text(text: str) -> ipywidgets.HTML:
    return ipywidgets.HTML(html.escape(text))


def _picture(figure: object, text: str) -> ipywidgets.Widget:
    layout = {"max_width": "100%", "align_self": "flex-start"}
    image = ipywidgets.Image(value=png(figure), format="png", layout=layout)
    image.alt = text
    return image
