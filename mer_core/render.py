"""Render MIDI to Ogg Vorbis: FluidSynth, then tone, level and length by a mix, then ffmpeg."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import butter, sosfilt

from mer_core.files import DataError

SAMPLE_RATE = 44100  # Hz
SOUND_FONTS = ("/usr/share/sounds/sf2/FluidR3_GM.sf2", "/usr/share/soundfonts/FluidR3_GM.sf2")
TIME_LIMIT = 120  # s of computing for one song; a note without an end would play for ever
PEAK = 0.75  # of full scale, before encoding
DECODED_PEAK = 0.97  # of full scale, after: the codec overshoots


@dataclass(frozen=True)
class Mix:
    """Room and tone of a recording; levels in dB, the room as FluidSynth's reverb has it."""

    room: float = 0.3
    damping: float = 0.3
    wet: float = 0.3
    low: float = 0.0  # dB below 250 Hz
    high: float = 0.0  # dB above 3 kHz
    level: float = -22.0  # dB re full scale (RMS) to which loudness is drawn
    gain: float = 13.0  # dB, before the evening out
    evened: float = 0.5  # share of the distance to that level that is taken away


def sound_font() -> Path:
    """Path of FluidR3, from the variable SOUND_FONT or where distributions put it."""
    places = [Path(path) for path in (os.environ.get("SOUND_FONT"), *SOUND_FONTS) if path]
    for path in places:
        if path.is_file():
            return path
    expected = "the sound font FluidR3_GM.sf2 (Debian: fluid-soundfont-gm), or SOUND_FONT=<path>"
    raise DataError("FluidSynth", expected, f"none at {', '.join(map(str, places))}")


def program(name: str) -> str:
    """Path of `fluidsynth` or `ffmpeg`."""
    found = shutil.which(name)
    if found is None:
        raise DataError(name, f"the program {name}, to turn MIDI into audio", "none in PATH")
    return found


def synthesise(midi: Path, wav: Path, mix: Mix) -> None:
    """Play a MIDI file into a WAV file (float, stereo)."""
    options = {
        "synth.reverb.room-size": mix.room,
        "synth.reverb.damp": mix.damping,
        "synth.reverb.level": mix.wet,
        "synth.reverb.width": 0.5,
        "synth.dynamic-sample-loading": 1,
        "synth.polyphony": 256,
    }
    settings = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    command = [program("fluidsynth"), "-q", "-n", "-i", "-g", "0.4", "-r", str(SAMPLE_RATE)]
    command += [*settings, "-O", "float", "-T", "wav", "-F", str(wav), str(sound_font()), str(midi)]
    _run(command, midi)
    if not wav.is_file():
        raise DataError(midi, "a MIDI file that FluidSynth can play", "another file")


def _run(command: list[str], path: Path) -> None:
    try:
        subprocess.run(command, check=True, timeout=TIME_LIMIT, capture_output=True)  # noqa: S603
    except subprocess.TimeoutExpired:
        found = "more, perhaps a note without an end"
        raise DataError(path, f"at most {TIME_LIMIT} s of computing", found) from None
    except subprocess.CalledProcessError as error:
        found = error.stderr.decode(errors="replace").strip()[-200:]
        raise DataError(path, f"a file that {Path(command[0]).name} can read", found) from None


def shelve(sound: np.ndarray, mix: Mix) -> np.ndarray:
    """Tone of the mix: what lies below 250 Hz and above 3 kHz, raised or lowered."""
    low = sosfilt(butter(1, 250, "low", fs=SAMPLE_RATE, output="sos"), sound)
    high = sosfilt(butter(1, 3000, "high", fs=SAMPLE_RATE, output="sos"), sound)
    return sound + (10 ** (mix.low / 20) - 1) * low + (10 ** (mix.high / 20) - 1) * high


def even_out(sound: np.ndarray, mix: Mix) -> np.ndarray:
    """Draw the level of a song towards the mix's, part of the way, and keep peaks below `PEAK`.

    Peaks above the limit bend smoothly (a hyperbolic tangent from half of the limit on).
    """
    level = 10 * np.log10(np.mean(sound**2) + 1e-12) + mix.gain
    sound = sound * 10 ** ((mix.gain + mix.evened * (mix.level - level)) / 20)
    knee = PEAK / 2
    bent = knee + (PEAK - knee) * np.tanh((np.abs(sound) - knee) / (PEAK - knee))
    return np.where(np.abs(sound) > knee, np.sign(sound) * bent, sound)


def cut(sound: np.ndarray, duration: float, *, whole: bool) -> np.ndarray:
    """Exactly `duration` s: padded, or cut with a short fade (20 ms; 0.5 s at a song's own end)."""
    length = round(duration * SAMPLE_RATE)
    sound = np.pad(sound[:length], (0, max(0, length - len(sound))))
    fade = round((0.5 if whole else 0.02) * SAMPLE_RATE)
    sound[-fade:] *= np.linspace(1, 0, fade)
    return sound


def encode(wav: Path, ogg: Path) -> None:
    """Mono Vorbis at about 32 kbit/s, the same bytes every time."""
    exact = ["-fflags", "+bitexact", "-flags:a", "+bitexact", "-map_metadata", "-1"]
    command = [program("ffmpeg"), "-v", "error", "-y", "-i", str(wav), "-c:a", "libvorbis"]
    command += ["-b:a", "32k", *exact, "-f", "ogg", str(ogg)]
    _run(command, wav)


def encode_safely(sound: np.ndarray, ogg: Path) -> None:
    """Encode sound, and softer again as long as its decoded peak would clip."""
    wav = ogg.with_suffix(".pcm.wav")
    peak = np.inf
    while peak > DECODED_PEAK:
        soundfile.write(wav, sound, SAMPLE_RATE, subtype="PCM_16")
        encode(wav, ogg)
        peak = np.abs(soundfile.read(ogg)[0]).max()
        sound = sound * 0.97 * DECODED_PEAK / peak


def render(midi: Path, ogg: Path, mix: Mix, duration: float, *, whole: bool) -> None:
    """Play, colour, level, cut and encode one song of `duration` s.

    Raises a DataError if FluidSynth, its sound font or ffmpeg is missing, or the file is not MIDI.
    """
    with tempfile.TemporaryDirectory() as folder:
        wav, encoded = Path(folder) / "song.wav", Path(folder) / "song.ogg"
        synthesise(midi, wav, mix)
        stereo, _ = soundfile.read(wav, always_2d=True)
        sound = cut(shelve(stereo.mean(axis=1), mix), duration, whole=whole)
        encode_safely(even_out(sound, mix), encoded)
        shutil.copyfile(encoded, ogg)
