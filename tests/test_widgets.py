"""Widgets without a browser, and the figures of `workbook.plots`."""

from __future__ import annotations

import io

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import soundfile
from matplotlib import pyplot as plt
from PIL import Image

from conftest import ROOT
from mer_core.files import DataError
from workbook import plots
from workbook.widgets import FigureSlider, PlanePicker, Player, ProfileDrawing, show_live

mpl.use("Agg")
SECOND = np.sin(np.arange(44_100) / 10).astype(np.float32) / 2
TRACK = pd.DataFrame({"valence": [0.1, 0.3], "arousal": [-0.5, 0.5]}, index=[0.0, 0.5])
SONG = ROOT / "data" / "mini" / "MEMD_audio" / "1.ogg"


def player(**options: object) -> Player:
    return Player((SECOND, 44_100), {"rated": TRACK, "predicted": TRACK / 2}, **options)


def slider() -> FigureSlider:
    return FigureSlider.draw("size (inch)", [1, 2, 3], figure, start=1)


def figure(size: int) -> plt.Figure:
    return plt.figure(figsize=(5 * size, 1))


def tone(pitch: int) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * pitch * np.arange(4410) / 44_100)


WIDGETS = {
    "player": lambda: player(title="a tone"),
    "picker": lambda: PlanePicker(TRACK),
    "drawing": lambda: ProfileDrawing(1, profile=TRACK),
    "slider": slider,
}


@pytest.mark.parametrize("name", WIDGETS)
def test_a_page_has_a_picture_which_is_always_the_same_and_loads_nothing_from_elsewhere(name):
    widget = WIDGETS[name]()
    first, again = (each._repr_mimebundle_()[0] for each in (widget, WIDGETS[name]()))
    assert first["image/png"] == again["image/png"]
    assert first["text/plain"] == again["text/plain"]
    assert Image.open(io.BytesIO(first["image/png"])).width > 300
    assert "0x" not in first["text/plain"]
    assert not plt.get_fignums()
    if name != "slider":
        assert all(colour in widget._css for colour in plots.PALETTE.values())
        assert all(f'"{text}"' in widget._esm for text in plots.CORNERS.values())
    for text in (str(widget._css), str(widget._esm)):
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
        assert "import " not in text


def test_slider_draws_each_position_once_with_its_sound_and_shows_the_chosen_one():
    assert slider().values == ["1", "2", "3"]
    assert len(set(slider().pictures)) == 3
    bundle, _ = slider()._repr_mimebundle_()
    assert bundle["image/png"] == slider().pictures[1]
    assert bundle["text/plain"] == "size (inch): 2, of 1, 2, 3"
    sounds = FigureSlider.draw("f (Hz)", [220, 440], lambda _: figure(1), sound=tone).sounds
    samples, rate = soundfile.read(io.BytesIO(sounds[1]))
    assert (len(sounds), rate) == (2, 44_100)
    assert np.abs(samples - tone(440)).max() < 1e-4


@pytest.mark.parametrize(("values", "start"), [([], 0), ([1], 1), ([1], -1)])
def test_slider_refuses_positions_that_are_not_there(values, start):
    with pytest.raises(ValueError, match="position"):
        FigureSlider.draw("size", values, figure, start=start)


@pytest.mark.parametrize("suffix", [None, "wav", "aiff"])
def test_player_sends_the_sound_and_the_file_itself_where_browsers_play_it(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    if suffix:
        soundfile.write(path, SECOND, 44_100)
    sent = Player(path) if suffix else player()
    samples, rate = soundfile.read(io.BytesIO(sent.sound))
    assert (rate, sent.kind) == (44_100, "audio/wav")
    assert np.abs(samples - SECOND).max() < 1e-4
    sent = Player(SONG)
    assert (sent.sound, sent.kind) == (SONG.read_bytes(), "audio/ogg")
    assert sent.seconds == sent.end == pytest.approx(45, abs=0.1)


def test_envelope_is_the_loudest_sample_of_each_piece_and_silence_stays_flat():
    samples = np.full(44_100, 0.1)
    samples[30_000] = -0.5
    height = np.array(Player((samples, 44_100)).envelope)
    assert np.argmax(height) == 30_000 * len(height) // 44_100
    assert height.max() == 1
    assert height.min() == pytest.approx(0.2)
    with pytest.warns(match="silence"):
        silent = Player((np.zeros(44_100), 44_100))
    assert max(silent.envelope) == 0


def test_player_sends_its_tracks_and_a_stretch_within_the_song():
    part = player(start=0.25, end=7)
    assert part.tracks[0] == {"name": "rated", "time": [0.0, 0.5], **TRACK.to_dict("list")}
    assert (part.time, part.start, part.end) == (0.25, 0.25, 1)
    for start, end in [(-1, None), (1, None), (0.5, 0.5), (0.6, 0.5), (np.nan, 1)]:
        with pytest.raises(ValueError, match="start: expected from 0 to below"):
            player(start=start, end=end)


BAD_TRACKS = {
    "0 rows": TRACK.iloc[:0],
    "columns valence, arousal": TRACK[["valence"]],
    "found list": [1, 2],
    "'arousal' at 0.0": TRACK.mask(TRACK == -0.5),
    "'arousal' at 0.5": TRACK.replace({0.5: np.inf}),
    "found an index of song_id, time": pd.concat({1: TRACK}, names=["song_id", "time"]),
    "times that increase": TRACK[::-1],
}


@pytest.mark.parametrize("message", BAD_TRACKS)
def test_player_says_what_is_wrong_with_a_track(message):
    with pytest.raises(DataError, match=f"track 'rated': expected .*{message}"):
        Player((SECOND, 44_100), {"rated": BAD_TRACKS[message]})


def test_player_says_what_is_wrong_with_the_audio(tmp_path):
    (tmp_path / "a.mp3").write_bytes(b"no sound at all")
    for audio in (tmp_path / "a.mp3", tmp_path / "none.wav", (SECOND * np.nan, 44_100)):
        with pytest.raises(DataError):
            Player(audio)
    with pytest.raises(ValueError, match="at most 3, found 4"):
        Player((SECOND, 44_100), {str(k): TRACK for k in range(4)})


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT, "", " "])
def test_without_a_title_the_player_shows_the_files_name_which_is_the_song_id(missing):
    assert Player(SONG, title=missing).title == "1"
    assert player(title=missing).title == "", "an array has no name"
    assert player(title=7).title == "7"


def test_picker_counts_what_lies_in_the_circle():
    picker = PlanePicker(TRACK, valence=0.1, arousal=-0.3, radius=0.25)
    assert picker.inside().tolist() == [True, False]
    assert picker._text() == "valence 0.10, arousal -0.30, radius 0.25: 1 of 2 inside"
    assert PlanePicker().inside().shape == (0,)


@pytest.mark.parametrize(
    ("name", "value"), [("valence", 1.1), ("arousal", float("nan")), ("radius", 0), ("radius", 2)]
)
def test_picker_refuses_places_and_points_outside_the_plane(name, value):
    with pytest.raises(ValueError, match=f"{name}: expected a number in"):
        PlanePicker(TRACK, **{name: value})
    with pytest.raises(ValueError, match=f"{name}: expected a number in"):
        setattr(PlanePicker(TRACK), name, value)
    with pytest.raises(DataError, match=r"points: expected .* -1 to 1, found \[3.0, 5.0\]"):
        PlanePicker(TRACK.replace({0.1: 3.0, -0.5: 5.0}))
    with pytest.raises(DataError, match="points: expected"):
        PlanePicker(TRACK.rename(columns=str.upper))


def test_profile_bridges_gaps_holds_the_ends_and_leaves_open_what_was_not_drawn():
    drawing = ProfileDrawing(3)
    drawing.valence = [None, 0.2, None, None, 0.8, None]
    profile = drawing.profile
    assert profile.index.tolist() == [0, 0.5, 1, 1.5, 2, 2.5]
    assert profile["valence"].round(6).tolist() == [0.2, 0.2, 0.4, 0.6, 0.8, 0.8]
    assert profile["arousal"].isna().all()
    given = TRACK.rename_axis("time").assign(arousal=np.nan)
    pd.testing.assert_frame_equal(ProfileDrawing(1, profile=given).profile, given)


BAD_DRAWINGS = [
    ("valence", [0.0], "valence: expected 2 values, found 1"),
    ("arousal", [0.0, float("nan")], r"arousal: expected values in \[-1, 1\] or None"),
    ("profile", TRACK.set_axis([15.0, 15.5]), r"profile: expected 2 rows every 0\.5 s"),
    ("profile", TRACK[["arousal"]], "profile: expected the columns"),
]


@pytest.mark.parametrize(("name", "value", "message"), BAD_DRAWINGS)
def test_drawing_refuses_other_times_values_and_lengths(name, value, message):
    with pytest.raises(ValueError, match=message):
        setattr(ProfileDrawing(1), name, value)
    for seconds in (0, -1, 0.7, 601, float("nan")):
        with pytest.raises(ValueError, match="seconds: expected a multiple"):
            ProfileDrawing(seconds)


def test_curves_and_plane_have_units_and_the_palette():
    ax = plots.draw_curves(TRACK, TRACK * 0.5)
    assert ax.get_xlabel() == "time (s)"
    assert {line.get_color() for line in ax.lines} == set(plots.PALETTE.values())
    assert len(ax.lines) == 4
    ax = plots.draw_plane(TRACK, hue=TRACK["valence"])
    assert "valence" in ax.get_xlabel()
    assert ax.get_xlim() == (-1, 1)
    plt.close("all")


def test_forest_plot_shows_each_value_its_interval_and_whether_it_excludes_zero():
    table = pd.DataFrame(
        {"value": [0.2, -0.1, 0.3], "low": [0.1, -0.3, np.nan], "high": [0.3, 0.1, np.nan]},
        index=["gain", "open", "no interval"],
    )
    ax = plots.draw_differences(table, detectable=0.05, unit="difference in r")
    assert ax.get_xlabel() == "difference in r"
    assert [text.get_text() for text in ax.get_yticklabels()] == list(table.index)
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first row is at the top
    points = {line.get_xdata()[0]: line for line in ax.lines if line.get_marker() == "o"}
    assert sorted(points) == sorted(table["value"])
    assert [points[value].get_mfc() for value in table["value"]] == ["black", "white", "white"]
    spans = [tuple(line.get_xdata()) for line in ax.lines if tuple(line.get_ydata()) == (0, 0)]
    assert spans == [(0.1, 0.3)]
    assert ax.patches[0].get_bbox().intervalx.tolist() == [-0.05, 0.05]
    ax = plots.draw_differences(table.assign(group=["valence", "arousal", "valence"]))
    legend = ax.get_legend()
    colours = [line.get_color() for line in legend.get_lines()]
    assert dict(zip([t.get_text() for t in legend.get_texts()], colours)) == plots.PALETTE
    plt.close("all")


def test_an_answer_is_shown_and_then_updated_in_place_when_the_widget_changes(monkeypatch):
    shown = []
    for name in ("display", "update"):
        record = lambda handle, value, name=name: shown.append((name, handle.display_id, value))  # noqa: E731
        monkeypatch.setattr(f"IPython.display.DisplayHandle.{name}", record)
    picker = PlanePicker(TRACK.rename_axis("song_id"))
    show_live(picker, ["valence"], lambda: picker.valence)
    picker.valence = 0.5
    picker.arousal = 0.5  # the answer does not depend on it
    ((first, place, before), (second, same, after)) = shown
    assert (first, before, second, after) == ("display", 0.0, "update", 0.5)
    assert place == same
    show_live(picker, ["valence"], plt.figure)
    assert not plt.get_fignums()
