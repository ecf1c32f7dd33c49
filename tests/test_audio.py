"""Audio files as users have them: whole ones are read to the end, damaged ones are refused."""

import shutil
import struct
import sys
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import correlate

from conftest import ROOT
from mer_core.features import duration, extract, read_audio
from mer_core.features.audio import stream
from mer_core.files import DataError, DataWarning

sys.path.insert(0, str(ROOT / "tests" / "stress"))
import audio_files

RATE = 44_100
needs_ffmpeg = pytest.mark.skipif(
    not (shutil.which("ffmpeg") and shutil.which("ffprobe")), reason="needs ffmpeg to make files"
)


@pytest.fixture
def make(tmp_path) -> audio_files.Maker:
    return audio_files.Maker(tmp_path)


def notes_on(audio: object) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read_audio(audio)
    return [str(each.message) for each in caught if each.category is DataWarning]


def seconds_of(path: Path) -> float:
    """Of a file that reading and measuring agree on."""
    length = len(read_audio(path)) / RATE
    assert duration(path) == pytest.approx(length, abs=0.001)
    return length


@needs_ffmpeg
def test_a_sample_of_the_three_hundred_files(tmp_path):
    faults = {
        f"{case.group}: {case.name}": fault
        for case in audio_files.sample(tmp_path)
        if (fault := audio_files.fault(case))
    }
    assert not faults


@needs_ffmpeg
@pytest.mark.parametrize(("suffix", "codec"), [("m4a", "aac"), ("wma", "wmav2"), ("mp4", "alac")])
def test_m4a_and_wma_are_the_sound_that_was_encoded(make, suffix, codec):
    samples = read_audio(make.encode(suffix, "-c:a", codec))
    source = read_audio(make.wav())
    products = correlate(samples, source[20_000:120_000], "valid", "fft")  # encoders delay
    start = int(products.argmax())
    r = np.corrcoef(samples[start : start + 100_000], source[20_000:120_000])[0, 1]
    assert r > 0.98
    assert start == pytest.approx(20_000, abs=4_096)
    assert np.std(samples) == pytest.approx(np.std(source), rel=0.05)


@needs_ffmpeg
@pytest.mark.parametrize("factor", [0, 0.5, 3])
def test_an_mp3_is_as_long_as_its_frames_whatever_xing_says(make, factor):
    content = make.encode("mp3", "-q:a", 4, "-id3v2_version", 0).read_bytes()
    at = content.index(b"Xing") + 8
    frames = int.from_bytes(content[at : at + 4], "big")
    changed = audio_files.put(content, at, struct.pack(">I", round(frames * factor)))
    assert seconds_of(make.write("mp3", changed)) == pytest.approx(4, abs=0.08)


@needs_ffmpeg
def test_chained_ogg_streams_of_two_rates_are_read_to_the_end(make):
    parts = [make.encode("ogg", rate=rate, channels=n) for rate, n in ((RATE, 2), (22_050, 1))]
    path = make.write("ogg", b"".join(part.read_bytes() for part in parts))
    assert seconds_of(path) == pytest.approx(8, abs=1e-3)
    first = read_audio(parts[0])
    assert read_audio(path)[: len(first)] == pytest.approx(first, abs=1e-6)


@pytest.mark.parametrize("size", [0, 0x7F000000, 0x7FFFF000, 0xFFFFFFFF])
def test_a_wav_file_from_a_pipe_ends_where_it_ends(tmp_path, size):
    path = tmp_path / "x.wav"
    soundfile.write(path, audio_files.music(RATE, 2), RATE)
    content = path.read_bytes()
    said = struct.pack("<I", size)
    path.write_bytes(audio_files.put(audio_files.put(content, 4, said), 40, said))
    assert seconds_of(path) == 4


@needs_ffmpeg
@pytest.mark.parametrize("kind", ["flac", "ogg", "mp3", "m4a", "aac"])
def test_damage_in_the_middle_is_refused_with_its_position(make, kind):
    options = ["-movflags", "faststart"] if kind == "m4a" else []
    content = make.encode(kind, *options).read_bytes()
    middle = len(content) // 2
    path = make.write(kind, audio_files.put(content, middle, bytes(6000)))
    with pytest.raises(DataError, match=r"damage at [12]\.\d\d s"):
        read_audio(path)


@needs_ffmpeg
@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3", "aac", "aiff", "au", "caf", "mka"])
def test_a_truncated_file_is_refused_with_its_position(make, kind):
    content = make.encode(kind).read_bytes()
    with pytest.raises(DataError, match=r"(breaks off after|damage at) [12]\.\d+ s"):
        read_audio(make.write(kind, content[: len(content) // 2 - 5]))


@pytest.mark.parametrize("content", [b"", audio_files.id3(900), b"TAG" + bytes(125)])
def test_a_file_without_sound_is_told_as_such(tmp_path, content):
    (tmp_path / "x.mp3").write_bytes(content)
    for read in (read_audio, duration):
        with pytest.raises(DataError, match=r"x\.mp3: .* no sound in it"):
            read(tmp_path / "x.mp3")


def test_the_contents_decide_and_not_the_suffix(tmp_path):
    soundfile.write(tmp_path / "x.wav", audio_files.music(RATE, 1), RATE)
    path = (tmp_path / "x.wav").rename(tmp_path / "x.mp3")
    assert seconds_of(path) == 4


@pytest.mark.parametrize("text", ["#EXTM3U\n{}\n", "ffconcat version 1.0\nfile {}\n"])
def test_a_script_leads_to_no_other_file(tmp_path, text):
    soundfile.write(tmp_path / "secret.wav", audio_files.music(RATE, 1), RATE)
    (tmp_path / "x.mp3").write_text(text.format(tmp_path / "secret.wav"))
    with pytest.raises(DataError, match="can't be decoded"):
        read_audio(tmp_path / "x.mp3")


SONG = audio_files.music(RATE, 1)[:, 0] * 0.9
NOTES: dict[str, tuple[np.ndarray, list[str]]] = {
    "nothing": (np.stack([SONG, SONG[::-1]], axis=1), []),
    "cancelling channels": (np.stack([SONG, -SONG], axis=1), ["the channels cancel"]),
    "nearly cancelling channels": (np.stack([SONG, -0.8 * SONG], axis=1), ["the channels cancel"]),
    "a dead channel": (np.stack([SONG, 0 * SONG], axis=1), ["channel 2 of 2 is silent"]),
    "two dead channels": (
        np.stack([0 * SONG, SONG, SONG, 1e-5 * SONG], axis=1),
        ["channel 1 and 4 of 4 is silent", "6 dB"],
    ),
    "an offset": (SONG + 0.4, ["a DC offset of +0.40 of full scale"]),
    "clipping": (np.clip(8 * SONG, -1, 1), ["clipping: "]),
    "silence": (0 * SONG, ["silence from start to end"]),
    "an offset and clipping": (np.clip(8 * SONG + 0.4, -1, 1), ["a DC offset", "clipping"]),
}


@pytest.mark.parametrize("name", NOTES)
def test_faults_of_the_level_are_told_once(tmp_path, name):
    samples, parts = NOTES[name]
    soundfile.write(tmp_path / "x.wav", samples, RATE, subtype="FLOAT")
    for audio in (tmp_path / "x.wav", (samples, RATE)):
        notes = notes_on(audio)
        assert len(notes) == len([part for part in parts if "dB" not in part])
        assert all(part in " ".join(notes) for part in parts)


def test_real_music_and_the_embedded_songs_have_no_such_fault(real_deam):
    songs = [*(real_deam / "MEMD_audio").glob("*.mp3"), *(ROOT / "data/mini").rglob("*.ogg")]
    assert len(songs) > 40
    assert not [note for path in songs[::4] for note in notes_on(path)]


@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_blocks_are_what_is_read_at_once(tmp_path, rate):
    samples = np.tile(audio_files.music(rate, 2), (4, 1))
    soundfile.write(tmp_path / "x.wav", samples, rate)
    blocks = list(stream(tmp_path / "x.wav"))
    assert len(blocks) > 2
    whole = read_audio(tmp_path / "x.wav")
    assert np.array_equal(np.concatenate(blocks), whole)
    assert len(whole) == 16 * RATE
    one = extract(tmp_path / "x.wav").to_numpy()
    assert np.array_equal(one, extract((whole, RATE)).to_numpy())


def test_features_of_a_long_file_need_less_memory_than_its_samples(tmp_path):
    with soundfile.SoundFile(tmp_path / "x.wav", "w", RATE, 1, "PCM_16") as file:
        for _ in range(120):
            file.write(SONG)
    extract((SONG, RATE))  # imports
    tracemalloc.start()
    for _ in stream(tmp_path / "x.wav"):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 120 * len(SONG) * 4 / 2
