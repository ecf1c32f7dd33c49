"""Features against openSMILE's own output, and everything that can be wrong with audio."""

import os
import re
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import opensmile
import pandas as pd
import pytest
import soundfile

from conftest import ROOT
from mer_core.features import choose, extract, functionals, read_audio
from mer_core.features.audio import duration
from mer_core.features.compare import CONFIGURATION, descriptors
from mer_core.features.grid import grid
from mer_core.files import DataError, DataWarning

RATE = 44_100


def music(seconds: float, *, rate: int = RATE, seed: int = 0) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).normal(0, 0.02, len(time))
    return 0.4 * np.sin(2 * np.pi * 220 * time) * (1 + np.sin(2 * np.pi * 3 * time)) / 2 + noise


@pytest.fixture(scope="module")
def song() -> np.ndarray:
    return music(3.2)


@pytest.fixture(scope="module")
def features(song) -> pd.DataFrame:
    return extract((song, RATE)).loc[0]


def test_shape_grid_and_deams_names(features):
    assert features.shape == (7, 260)
    assert features.index.tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3]
    assert features.index.name == "time"
    first = ["F0final_sma_stddev", "F0final_sma_amean", "voicingFinalUnclipped_sma_stddev"]
    assert list(features)[:3] == first
    assert {"pcm_fftMag_mfcc_sma[1]_amean", "pcm_fftMag_mfcc_sma_de[14]_stddev"} <= set(features)
    assert np.isfinite(features.to_numpy()).all()


@pytest.mark.parametrize(("name", "song_id"), [("12.wav", 12), ("tune.take2.wav", "tune.take2")])
def test_a_track_is_named_after_its_file(tmp_path, name, song_id):
    soundfile.write(tmp_path / name, music(0.3), RATE)
    track = extract(tmp_path / name)
    assert track.index.names == ["song_id", "time"]
    assert track.index.tolist() == [(song_id, 0.0)]


def by_opensmile(samples: np.ndarray, level: str) -> pd.DataFrame:
    smile = opensmile.Smile(opensmile.FeatureSet.ComParE_2016, level)
    return smile.process_signal(samples.astype(np.float32), RATE)


def test_means_and_deviations_equal_opensmiles_own_descriptors(song, features):
    descriptor = by_opensmile(song, "lld")["mfcc_sma[3]"]
    delta = by_opensmile(song, "lld_de")["pcm_RMSenergy_sma_de"]
    for time, first in ((0.0, 0), (1.5, 150)):
        row = features.loc[time]
        mean = descriptor.iloc[first : first + 100].mean()
        assert row["pcm_fftMag_mfcc_sma[3]_amean"] == pytest.approx(mean, rel=1e-5)
        spread = delta.iloc[first : first + 100].std(ddof=0)
        assert row["pcm_RMSenergy_sma_de_stddev"] == pytest.approx(spread, rel=1e-4)


@pytest.mark.parametrize("song_id", [30, 2006])
def test_one_pass_gives_exactly_what_opensmiles_two_levels_give(song_id):
    samples = read_audio(ROOT / "data" / "mini" / "MEMD_audio" / f"{song_id}.ogg")
    table = descriptors(samples)
    for level, columns in (("lld", table.columns[:65]), ("lld_de", table.columns[65:])):
        own = by_opensmile(samples, level)
        assert [name.replace("pcm_fftMag_mfcc", "mfcc") for name in columns] == list(own)
        distance = np.abs(table[columns].to_numpy() - own.to_numpy()[: len(table)])
        assert (distance < 1e-5 * own.to_numpy().std(axis=0) + 1e-12).all()


def test_full_scale_does_not_wrap_around():
    loud, softer = (np.clip(3 * music(0.5), -peak, peak).astype(np.float32) for peak in (1, 0.9999))
    energy = [descriptors(samples)["pcm_RMSenergy_sma"].mean() for samples in (loud, softer)]
    zero_crossings = [descriptors(samples)["pcm_zcr_sma"].mean() for samples in (loud, softer)]
    assert energy[0] == pytest.approx(energy[1], rel=1e-3)
    assert zero_crossings[0] == pytest.approx(zero_crossings[1])


def test_windows_of_one_and_of_half_a_second(song, features):
    table = descriptors(song.astype(np.float32))
    assert table.shape == (pytest.approx(320, abs=5), 130)
    last = table["pcm_zcr_sma"].iloc[300:].mean()  # cut at the song's end
    assert features.loc[3.0, "pcm_zcr_sma_amean"] == pytest.approx(last)
    halves = extract((song, RATE), window=0.5).loc[0]
    assert halves.index.equals(features.index)
    middle = table["F0final_sma"].iloc[100:150].mean()
    assert halves.loc[1.0, "F0final_sma_amean"] == pytest.approx(middle)


def test_sets_side_by_side_and_chosen_again(song):
    sets = ("compare", "psychoacoustic", "spectral", "tonal", "mel")
    whole = extract((song, RATE), sets)
    assert whole.shape[1] == 260 + 4 + 8 + 6 + 1024
    assert whole.notna().all(axis=None)
    for name, width in zip(sets, (260, 4, 8, 6, 1024)):
        assert choose(whole, [name]).shape[1] == width
    fs2 = choose(whole, ("compare", "psychoacoustic"))
    pd.testing.assert_frame_equal(fs2, extract((song, RATE), ("compare", "psychoacoustic")))
    for sets in (["chroma"], ["spectral", "mel"]):
        with pytest.raises(ValueError, match="found none of"):
            choose(fs2, sets)


def test_functionals_are_opensmiles_under_deams_names(song):
    own = by_opensmile(song, "func")
    ours = functionals((song, RATE))
    assert ours.shape == (6373,)
    assert ours.to_numpy() == pytest.approx(own.iloc[0].to_numpy())
    assert {"pcm_fftMag_mfcc_sma[1]_amean", "F0final_sma_amean"} <= set(ours.index)


@pytest.mark.parametrize(
    ("length", "rows"), [(0.06, 1), (0.3, 1), (0.55, 1), (0.56, 2), (45.0, 90), (45.09, 91)]
)
def test_grid(length, rows):
    assert len(grid(length)) == rows


@pytest.mark.parametrize("sets", [(), "compare"])
def test_no_set_and_text_are_refused(song, sets):
    with pytest.raises(ValueError, match="expected some of"):
        extract((song, RATE), sets)


# --- any audio -----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_formats(tmp_path, song, suffix):
    path = tmp_path / f"song.{suffix}"
    soundfile.write(path, song, RATE)
    samples = read_audio(path)
    assert samples.dtype == np.float32
    assert len(samples) == pytest.approx(len(song), abs=4000)
    assert duration(path) == pytest.approx(3.2, abs=0.1)
    assert np.corrcoef(samples[: len(song)], song[: len(samples)])[0, 1] > 0.9


@pytest.fixture
def m4a(tmp_path, song) -> Callable[..., Path]:
    """Writes the song as M4A with ffmpeg, by its options."""

    def write(*options: str, name: str = "song.m4a") -> Path:
        if not shutil.which("ffmpeg"):
            pytest.skip("needs ffmpeg to write m4a")
        soundfile.write(tmp_path / "song.wav", song, RATE)
        command = ["ffmpeg", "-v", "error", "-i", tmp_path / "song.wav", "-c:a", "aac", *options]
        subprocess.run([*command, f"file:{tmp_path / name}"], check=True)
        return tmp_path / name

    return write


def test_an_m4a_of_six_channels_is_averaged(m4a, song):
    six = m4a("-af", "pan=5.1|" + "|".join(f"c{k}=c0" for k in range(6)))
    assert len(read_audio(six)) == pytest.approx(len(song), abs=2048)


def test_what_a_title_says_is_no_property_of_the_sound(m4a, song):
    path = m4a("-metadata", "title=Audio: 8000 Hz, mono, x")
    assert len(read_audio(path)) == pytest.approx(len(song), abs=2048)


@pytest.mark.parametrize("spoil", ["cut", "hole"])
def test_an_m4a_with_something_missing_is_refused(m4a, spoil):
    path = m4a("-movflags", "faststart")
    content = path.read_bytes()
    third = len(content) // 3
    hole = content[:third] + bytes(third) + content[2 * third :]
    path.write_bytes(content[: 2 * third] if spoil == "cut" else hole)
    with pytest.raises(DataError, match=r"song\.m4a: .* (breaks off after|damage at) \d\.\d\d s"):
        read_audio(path)


def test_a_name_that_looks_like_an_address_is_a_files_name(m4a, song, tmp_path, monkeypatch):
    m4a(name="http:127.0.0.1:9?x.m4a")
    monkeypatch.chdir(tmp_path)
    assert len(read_audio("http:127.0.0.1:9?x.m4a")) == pytest.approx(len(song), abs=2048)


def test_a_playlist_leads_nowhere(m4a, tmp_path):
    m4a("-f", "hls", name="list.m3u8")
    (tmp_path / "list.m3u8").rename(tmp_path / "list.m4a")
    with pytest.raises(DataError, match=r"list\.m4a: expected audio .* can't be decoded"):
        read_audio(tmp_path / "list.m4a")


def test_a_cover_that_is_no_picture_takes_nothing_from_the_sound(m4a, song):
    path = m4a("-f", "lavfi", "-i", "color=size=64x64:duration=0.1", "-map", "0", "-map", "1",
               "-frames:v", "1", "-c:v", "mjpeg", "-disposition:v", "attached_pic")  # fmt: skip
    content = path.read_bytes()
    start = content.index(b"\xff\xd8\xff")
    path.write_bytes(content[:start] + bytes(60) + content[start + 60 :])
    assert len(read_audio(path)) == pytest.approx(len(song), abs=2048)


def test_a_film_without_sound_is_refused(m4a):
    path = m4a("-f", "lavfi", "-i", "color=size=16x16:duration=1", "-map", "1:v", name="x.mp4")
    with pytest.raises(DataError, match=r"x\.mp4: expected audio .*, found no sound in it"):
        read_audio(path)


@pytest.mark.parametrize("name", ["x.m4a", "x.wav", "a\0.m4a", "pipe"])
def test_both_readers_refuse_what_is_no_file(tmp_path, name):
    os.mkfifo(tmp_path / "pipe")
    found = "a folder or a device" if name == "pipe" else "no file"
    for read in (read_audio, duration):
        with pytest.raises(DataError, match=f"expected audio .*, found {found}"):
            read(tmp_path / name)


def test_channels_are_averaged(song):
    six = np.stack([song, song, song, -song, song, song], axis=1)
    assert read_audio((six, RATE)) == pytest.approx((song * 4 / 6).astype(np.float32), abs=1e-6)


@pytest.mark.parametrize(("kind", "scale", "middle"), [("uint8", 127, 128), ("int16", 32_767, 0)])
def test_integers_are_scaled(song, kind, scale, middle):
    samples = np.round(song * scale + middle).astype(kind)
    assert read_audio((samples, RATE)) == pytest.approx(song, abs=1.3 / scale)


@pytest.mark.parametrize("left", [0, 2, 4, 5, 6, 20])
def test_an_ogg_file_cut_inside_a_page_header_breaks_off(tmp_path, left):
    path = tmp_path / "x.ogg"
    soundfile.write(path, music(9), RATE)
    content = path.read_bytes()
    path.write_bytes(content[: content.rfind(b"OggS") + left])
    with pytest.raises(DataError, match="breaks off"):
        read_audio(path)


@pytest.mark.parametrize("rate", [8_000, 22_050, 96_000])
def test_other_rates_are_resampled_and_low_ones_told(rate):
    audio = (music(2.0, rate=rate), rate)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert len(read_audio(audio)) == pytest.approx(2 * RATE, abs=2)
    told = [str(warning.message) for warning in caught if warning.category is DataWarning]
    assert bool(told) == (rate < RATE)
    assert all(f"{rate} Hz" in message for message in told)


def test_silence_is_told_and_described():
    with pytest.warns(DataWarning, match="silence"):
        features = extract((np.zeros(RATE), RATE))
    assert np.isfinite(features.to_numpy()).all()


def test_integers_in_too_wide_a_type_are_told():
    with pytest.warns(DataWarning, match="integers in too wide a type"):
        read_audio(((music(1) * 32_767).astype(np.int32), RATE))


def announce(samples: int, *, rate: int = RATE) -> Callable[[Path], None]:
    """Writes a FLAC file whose header announces so many samples."""

    def make(path: Path) -> None:
        soundfile.write(path, music(0.5), RATE)
        content = bytearray(path.read_bytes())
        kept = int.from_bytes(content[18:26], "big") & (2**8 - 1 << 36)  # channels, bits
        announced = rate << 44 | kept | samples
        path.write_bytes(content[:18] + announced.to_bytes(8, "big") + content[26:])

    return make


def sound(samples: np.ndarray, *, kept: float = 1.0) -> Callable[[Path], None]:
    """Writes the first part of an audio file."""

    def make(path: Path) -> None:
        options = {"subtype": "FLOAT"} if path.suffix == ".wav" and kept == 1 else {}
        soundfile.write(path, samples, RATE, **options)
        path.write_bytes(path.read_bytes()[: round(kept * path.stat().st_size)])

    return make


SIGNALLING = np.frombuffer(b"\1\0\0\0\0\0\xf0\x7f")
INFINITE = np.full((RATE, 2), [np.inf, -np.inf])
BAD: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "missing": ("x.wav", lambda path: None, "no file"),
    "folder": ("x.wav", Path.mkdir, "expected audio .wav"),
    "empty": ("x.wav", Path.touch, "expected audio .wav"),
    "mp3 that is text": ("x.mp3", lambda path: path.write_text("la la " * 999), "decoded"),
    "wav cut": ("x.wav", sound(music(3), kept=0.5), "breaks off .* truncated"),
    "flac cut": ("x.flac", sound(music(3), kept=0.5), ""),
    "ogg cut": ("x.ogg", sound(music(9), kept=0.5), "breaks off"),
    "mp3 cut": ("x.mp3", sound(music(9), kept=0.5), "breaks off"),
    "too short": ("x.wav", sound(music(0.05)), r"0\.06 s .* 0\.050 s"),
    "no samples": ("x.wav", sound(music(0)), "no sound in it"),
    "flac of days": ("x.flac", announce(2**35), r"breaks off after 0\.50 s"),
    "flac of a high rate": ("x.flac", announce(2**33, rate=2**20 - 1), r"breaks off after 0\.50 s"),
    "flac of terabytes": ("x.flac", announce(6 * 3600 * 655_350, rate=655_350), ""),
    "raw samples": ("x.raw", lambda path: path.write_bytes(bytes(999)), "decoded"),
    "an endless device": ("x.wav", lambda path: path.symlink_to("/dev/zero"), "a device"),
    "a pipe without a writer": ("x.wav", os.mkfifo, "a device"),
    "infinity of both signs": ("x.wav", sound(INFINITE), r"finite samples.* 0\.000 s"),
    "NaN": ("x.wav", sound(np.r_[music(1), np.nan]), r"finite samples.* 1\.000 s"),
    "more than single precision": (
        "x.wav",
        lambda path: soundfile.write(path, np.r_[music(1), 1e39], RATE, subtype="DOUBLE"),
        r"finite samples.* 1\.000 s",
    ),
    "a signalling NaN": (
        "x.wav",
        lambda path: soundfile.write(path, np.r_[music(1), SIGNALLING], RATE, subtype="DOUBLE"),
        r"finite samples.* 1\.000 s",
    ),
}


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("name", BAD)
def test_bad_audio_is_named(tmp_path, name):
    file_name, make, message = BAD[name]
    make(tmp_path / file_name)
    with pytest.raises(DataError, match=f"{file_name}: expected .*, found") as error:
        read_audio(tmp_path / file_name)
    assert re.search(message, str(error.value))


BAD_ARRAYS: dict[str, tuple[object, object, str]] = {
    "infinite samples": (np.array([0.0, np.inf] * RATE), RATE, "finite"),
    "infinite samples of both signs": (np.array([[np.inf, -np.inf]] * RATE), RATE, "finite"),
    "three dimensions": (np.zeros((2, 2, RATE)), RATE, "shape"),
    "a rate of nothing": (np.zeros(RATE), 0, "a rate of 0 Hz"),
    "an infinite rate": (np.zeros(RATE), np.inf, "a rate of inf Hz"),
    "a rate below one": (np.zeros(RATE), 0.5, "a rate of 0.5 Hz"),
    "a sample a second": (np.zeros(3000), 1, "at least 1000 samples a second, found 1"),
    "text for a rate": (np.zeros(RATE), "44100", "a rate of 44100 Hz"),
    "rate first": (RATE, np.zeros(RATE), "in this order"),
    "channels first": (np.zeros((2, RATE)), RATE, "shape"),
    "no channels": (np.zeros((RATE, 0)), RATE, "shape"),
    "complex numbers": (np.zeros(RATE, complex), RATE, "floats or integers, found complex128"),
    "objects": (np.zeros(RATE, object), RATE, "floats or integers, found object"),
    "text": (np.array(["la"] * RATE), RATE, "floats or integers"),
    "integers that became floats unscaled": (music(1) * 32_767, RATE, "or integers, found floats"),
    "floats of another scale": (music(1) * 10, RATE, "or integers, found floats up to"),
    "integers of 64 bits": ((music(1) * 32_767).astype(int), RATE, "8, 16 or 32 bits"),
}


@pytest.mark.parametrize("name", BAD_ARRAYS)
def test_bad_arrays_are_refused(name):
    samples, rate, message = BAD_ARRAYS[name]
    with pytest.raises(DataError, match=message):
        read_audio((samples, rate))


# --- real music ----------------------------------------------------------------------------------


def test_real_excerpts_agree_with_deams_own_features(real_deam):
    """Two of the six excerpts; `python -m mer_core check` prints all."""
    theirs = pd.read_csv(real_deam / "song_level_features.csv", index_col="song_id")
    audio = {k: real_deam / "MEMD_audio" / f"{k}.mp3" for k in (3, 8)}
    ours = pd.DataFrame({k: extract(path).loc[k].loc[5:].mean() for k, path in audio.items()}).T
    shared = [name for name in theirs if name in ours and not ("_de" in name and "amean" in name)]
    assert len(shared) == 167 - 65
    own, other = theirs.loc[[3, 8]], theirs.loc[[8, 3]].set_axis([3, 8])
    distance, to_other = (
        ((ours - side)[shared].abs() / theirs[shared].std()).median().median()
        for side in (own, other)
    )
    assert distance < 0.3
    assert to_other > 2 * distance


def test_opensmile_works_in_folders_with_any_letters(tmp_path, monkeypatch):
    noise = np.random.default_rng(0).normal(0, 0.1, RATE)
    expected = descriptors(noise)
    folder = tmp_path / "José's música $1 #2"
    folder.mkdir()
    shutil.copy(CONFIGURATION, folder)
    monkeypatch.setattr("mer_core.features.compare.CONFIGURATION", folder / "compare.conf")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    pd.testing.assert_frame_equal(descriptors(noise), expected)
