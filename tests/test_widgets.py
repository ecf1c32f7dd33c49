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
from workbook.plots import CORNERS, PALETTE
from workbook.widgets import PlanePicker, Player, ProfileDrawing

mpl.use("Agg")
SECOND = np.sin(np.arange(44_100) / 10).astype(np.float32) / 2
TRACK = pd.DataFrame({"valence": [0.1, 0.3], "arousal": [-0.5, 0.5]}, index=[0.0, 0.5])
SONG = ROOT / "data" / "mini" / "MEMD_audio" / "1.ogg"


def player(**options: object) -> Player:
    return Player((SECOND, 44_100), {"rated": TRACK, "predicted": TRACK / 2}, **options)


def widgets() -> list:
    return [player(title="a tone"), PlanePicker(TRACK), ProfileDrawing(1, profile=TRACK)]


@pytest.mark.parametrize("which", range(3))
def test_without_a_kernel_a_picture_stands_there_and_it_is_always_the_same(which):
    first, again = (widgets()[which]._repr_mimebundle_()[0] for _ in range(2))
    assert first["image/png"] == again["image/png"]
    assert first["text/plain"] == again["text/plain"]
    assert Image.open(io.BytesIO(first["image/png"])).width > 300
    assert "0x" not in first["text/plain"]
    assert not plt.get_fignums()


@pytest.mark.parametrize("which", range(3))
def test_the_page_has_the_figures_colours_and_corners_and_loads_nothing_from_elsewhere(which):
    widget = widgets()[which]
    assert all(colour in widget._css for colour in PALETTE.values())
    assert all(f'"{text}"' in widget._esm for text in CORNERS.values())
    assert "http" not in widget._css
    assert "http" not in widget._esm.replace("http://www.w3.org/2000/svg", "")
    assert "import " not in widget._esm


def test_player_sends_the_file_itself_where_browsers_play_it():
    sent = Player(SONG)
    assert (sent.sound, sent.kind) == (SONG.read_bytes(), "audio/ogg")
    assert sent.seconds == sent.end == pytest.approx(45, abs=0.1)


@pytest.mark.parametrize("suffix", ["wav", "aiff"])
def test_player_sends_what_sounds_as_the_audio_does(tmp_path, suffix):
    soundfile.write(tmp_path / f"a.{suffix}", SECOND, 44_100)
    for sent in (player(), Player(tmp_path / f"a.{suffix}")):
        samples, rate = soundfile.read(io.BytesIO(sent.sound))
        assert (rate, sent.kind) == (44_100, "audio/wav")
        assert np.abs(samples - SECOND).max() < 1e-4


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


def test_player_sends_tracks_as_they_are():
    assert player().tracks[0] == {
        "name": "rated",
        "time": [0.0, 0.5],
        "valence": [0.1, 0.3],
        "arousal": [-0.5, 0.5],
    }


def test_player_begins_at_its_stretch_and_cuts_it_at_the_songs_end():
    part = player(start=0.25, end=7)
    assert (part.time, part.start, part.end) == (0.25, 0.25, 1)


@pytest.mark.parametrize("stretch", [(-1, None), (1, None), (0.5, 0.5), (0.6, 0.5), (np.nan, 1)])
def test_player_refuses_a_stretch_outside_the_song(stretch):
    with pytest.raises(ValueError, match="start: expected from 0 to below"):
        player(start=stretch[0], end=stretch[1])


BAD_TRACKS = {
    "rows and columns, found 0 rows": TRACK.iloc[:0],
    "the columns valence, arousal, found none for": TRACK[["valence"]],
    "a DataFrame, found list": [1, 2],
    "finite numbers, found .*'arousal' at 0.0": TRACK.mask(TRACK == -0.5),
    "found .*infinity in 'arousal' at 0.5": TRACK.replace({0.5: np.inf}),
    "the track of one song.*found an index of song_id, time": pd.concat(
        {1: TRACK}, names=["song_id", "time"]
    ),
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


def test_picker_counts_what_lies_in_the_circle():
    picker = PlanePicker(TRACK, valence=0.1, arousal=-0.3, radius=0.25)
    assert picker.inside().tolist() == [True, False]
    assert picker._text() == "valence 0.10, arousal -0.30, radius 0.25: 1 of 2 inside"
    assert PlanePicker().inside().shape == (0,)


@pytest.mark.parametrize(
    "wrong", [{"valence": 1.1}, {"arousal": float("nan")}, {"radius": 0}, {"radius": 2}]
)
def test_picker_refuses_what_is_not_on_the_plane(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"{name}: expected a number in"):
        PlanePicker(TRACK, **wrong)
    picker = PlanePicker(TRACK)
    with pytest.raises(ValueError, match=f"{name}: expected a number in"):
        setattr(picker, name, wrong[name])
    with pytest.raises(
        DataError, match=r"points: expected numbers from -1 to 1, found \[3.0, 5.0\]"
    ):
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


def test_profile_given_is_the_profile_drawn():
    profile = TRACK.rename_axis("time").assign(arousal=np.nan)
    pd.testing.assert_frame_equal(ProfileDrawing(1, profile=profile).profile, profile)


def test_drawing_refuses_other_lengths_times_and_values():
    for seconds in (0, -1, 0.7, 601, float("nan")):
        with pytest.raises(ValueError, match="seconds: expected a multiple"):
            ProfileDrawing(seconds)
    drawing = ProfileDrawing(1)
    with pytest.raises(ValueError, match="valence: expected 2 values, found 1"):
        drawing.valence = [0.0]
    with pytest.raises(ValueError, match=r"arousal: expected values in \[-1, 1\] or None"):
        drawing.arousal = [0.0, float("nan")]
    with pytest.raises(ValueError, match=r"profile: expected 2 rows every 0\.5 s, found 2"):
        drawing.profile = TRACK.set_axis([15.0, 15.5])
    with pytest.raises(DataError, match="profile: expected the columns"):
        drawing.profile = TRACK[["arousal"]]


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT, "", " "])
def test_without_a_title_the_player_shows_the_files_name_which_is_the_song_id(missing):
    assert Player(SONG, title=missing).title == "1"
    assert player(title=missing).title == "", "an array has no name"
    assert player(title=7).title == "7"
