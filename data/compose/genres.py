"""What tells the genres apart: tempo, metre, patterns, drums and instruments, as plain tables.

Patterns are strings of one character per sixteenth note of a 4/4 bar (3/4 takes the first twelve).
Every genre lists its patterns from the calmest to the busiest; the composer picks by energy.

- chords: `C` the whole chord, `1`-`4` one of its tones from below, `.` nothing new.
- bass: `R` root, `3` third, `5` fifth, `8` octave, `A` a step towards the next root.
- drums: a digit is the energy (in ninths) from which the stroke is played.
"""

from dataclasses import dataclass

DRUM_NOTES = {  # General MIDI percussion keys
    "kick": 36,
    "side stick": 37,
    "snare": 38,
    "clap": 39,
    "closed hat": 42,
    "low tom": 45,
    "open hat": 46,
    "mid tom": 47,
    "crash": 49,
    "high tom": 50,
    "ride": 51,
    "tambourine": 54,
    "shaker": 70,
}


@dataclass(frozen=True)
class Palette:
    """General MIDI programs (from 0) of the players; `kit` is a program of the drum bank."""

    lead: int
    second: int
    chords: int
    pad: int
    bass: int
    kit: int


@dataclass(frozen=True)
class Genre:
    """One genre: tempo in beats per minute, metres in beats, swing (0.5 even, 0.67 triplets)."""

    tempo: tuple[float, float]
    metres: tuple[int, ...]
    swing: float
    section_bars: int
    sevenths: bool
    chords: tuple[str, ...]
    bass: tuple[str, ...]
    drums: dict[str, str]
    development: tuple[Palette, ...]
    test: tuple[Palette, ...]


GENRES = {
    "Classical": Genre(
        tempo=(60, 132),
        metres=(4, 3),
        swing=0.5,
        section_bars=8,
        sevenths=False,
        chords=("C...............", "1...3...2...3...", "1.3.2.3.1.3.2.3.", "1324132413241324"),
        bass=("R...............", "R.......5.......", "R...3...5...8...", "R.8.R.8.5.8.5.8."),
        drums={
            "kick": "6.......8.......",
            "crash": "9...............",
            "snare": "......8.......88",
        },
        development=(
            Palette(lead=40, second=73, chords=0, pad=48, bass=42, kit=48),
            Palette(lead=68, second=71, chords=46, pad=49, bass=43, kit=48),
            Palette(lead=73, second=40, chords=45, pad=48, bass=70, kit=48),
        ),
        test=(
            Palette(lead=60, second=69, chords=6, pad=44, bass=43, kit=48),
            Palette(lead=56, second=41, chords=24, pad=52, bass=58, kit=48),
        ),
    ),
    "Folk": Genre(
        tempo=(72, 144),
        metres=(4, 3),
        swing=0.54,
        section_bars=8,
        sevenths=False,
        chords=("C...............", "1...2...3...2...", "1.3.2.3.1.3.2.4.", "C..CC.CCC..CC.CC"),
        bass=("R...............", "R.......5.......", "R...5...R...5...", "R..55...R..5R.A."),
        drums={
            "tambourine": "..6.4.6...6.4.6.",
            "kick": "3.......4..7....",
            "shaker": "8.5.8.5.8.5.8.5.",
        },
        development=(
            Palette(lead=40, second=22, chords=25, pad=21, bass=32, kit=0),
            Palette(lead=74, second=21, chords=24, pad=48, bass=32, kit=0),
            Palette(lead=73, second=105, chords=25, pad=20, bass=33, kit=8),
        ),
        test=(
            Palette(lead=75, second=109, chords=107, pad=20, bass=35, kit=40),
            Palette(lead=78, second=15, chords=46, pad=22, bass=43, kit=40),
        ),
    ),
    "Jazz": Genre(
        tempo=(72, 190),
        metres=(4,),
        swing=0.66,
        section_bars=8,
        sevenths=True,
        chords=("C...............", "C.....C.........", "..C...C...C.....", "C..C..C...C..C.C"),
        bass=("R.......5.......", "R...3...5...A...", "R...3...5...A...", "R..R3...5.8.A..A"),
        drums={
            "ride": "2...1.4.2...1.4.",
            "closed hat": "....2.......2...",
            "kick": "4.....9...7.....",
            "snare": "......7..8....6.",
        },
        development=(
            Palette(lead=66, second=56, chords=0, pad=48, bass=32, kit=32),
            Palette(lead=65, second=11, chords=26, pad=16, bass=32, kit=32),
            Palette(lead=59, second=71, chords=0, pad=89, bass=32, kit=40),
        ),
        test=(
            Palette(lead=57, second=64, chords=4, pad=50, bass=35, kit=40),
            Palette(lead=11, second=67, chords=5, pad=52, bass=33, kit=0),
        ),
    ),
    "Blues": Genre(
        tempo=(64, 140),
        metres=(4,),
        swing=0.66,
        section_bars=12,
        sevenths=True,
        chords=("C...............", "C.......C.......", "..C...C...C...C.", "C.C.C.C.C.C.C.C."),
        bass=("R.......5.......", "R...5...R...5...", "R...3...5...3...", "R.R.3.3.5.5.8.A."),
        drums={
            "kick": "1.......1.....7.",
            "snare": "....2.......2...",
            "closed hat": "3.5.3.5.3.5.3.5.",
        },
        development=(
            Palette(lead=22, second=27, chords=0, pad=16, bass=33, kit=0),
            Palette(lead=26, second=65, chords=16, pad=18, bass=32, kit=8),
            Palette(lead=66, second=22, chords=25, pad=16, bass=33, kit=0),
        ),
        test=(
            Palette(lead=29, second=57, chords=4, pad=19, bass=34, kit=16),
            Palette(lead=64, second=28, chords=3, pad=20, bass=35, kit=40),
        ),
    ),
    "Country": Genre(
        tempo=(76, 150),
        metres=(4, 3),
        swing=0.52,
        section_bars=8,
        sevenths=False,
        chords=("C...............", "....C.......C...", "..C...C...C...C.", "..C.C.CC..C.C.CC"),
        bass=("R...............", "R.......5.......", "R.......5.......", "R...5...R...5.A."),
        drums={
            "kick": "2.......2.......",
            "snare": "..7.3.7...7.3.7.",
            "closed hat": "4.4.4.4.4.4.4.4.",
        },
        development=(
            Palette(lead=40, second=25, chords=25, pad=48, bass=32, kit=0),
            Palette(lead=27, second=105, chords=25, pad=16, bass=33, kit=8),
            Palette(lead=22, second=40, chords=24, pad=21, bass=32, kit=0),
        ),
        test=(
            Palette(lead=105, second=110, chords=3, pad=50, bass=34, kit=40),
            Palette(lead=110, second=28, chords=15, pad=20, bass=35, kit=16),
        ),
    ),
    "Rock": Genre(
        tempo=(84, 164),
        metres=(4,),
        swing=0.5,
        section_bars=8,
        sevenths=False,
        chords=("C...............", "1.2.3.2.1.2.3.2.", "C.....C...C.....", "C.C.C.C.C.C.C.CC"),
        bass=("R...............", "R.....R.R.......", "R.R.R.R.R.R.R.R.", "R.R.R.R.R.R.5.A."),
        drums={
            "kick": "1.....5.2.4...7.",
            "snare": "....2.......2..8",
            "closed hat": "3.4.3.4.3.4.3.4.",
            "open hat": "..............7.",
        },
        development=(
            Palette(lead=29, second=27, chords=27, pad=16, bass=33, kit=16),
            Palette(lead=30, second=29, chords=29, pad=18, bass=34, kit=16),
            Palette(lead=27, second=0, chords=25, pad=48, bass=33, kit=8),
        ),
        test=(
            Palette(lead=84, second=31, chords=28, pad=50, bass=35, kit=0),
            Palette(lead=31, second=18, chords=30, pad=19, bass=36, kit=24),
        ),
    ),
    "Pop": Genre(
        tempo=(80, 136),
        metres=(4,),
        swing=0.5,
        section_bars=8,
        sevenths=False,
        chords=("C...............", "C.......C.......", "1.3.2.3.1.3.2.4.", "C..C..C.C..C..C."),
        bass=("R...............", "R.......R.......", "R..R..R.R..R..5.", "R.R8R.R8R.R8R.5A"),
        drums={
            "kick": "2.....6.2.5.....",
            "clap": "....5.......5...",
            "snare": "....3.......3...",
            "closed hat": "4.4.4.4.4.4.4.48",
            "shaker": "..6...6...6...6.",
        },
        development=(
            Palette(lead=73, second=80, chords=0, pad=89, bass=33, kit=8),
            Palette(lead=81, second=54, chords=4, pad=90, bass=38, kit=25),
            Palette(lead=27, second=66, chords=0, pad=48, bass=33, kit=0),
        ),
        test=(
            Palette(lead=82, second=12, chords=5, pad=94, bass=36, kit=24),
            Palette(lead=85, second=7, chords=2, pad=95, bass=39, kit=16),
        ),
    ),
    "Electronic": Genre(
        tempo=(88, 148),
        metres=(4,),
        swing=0.5,
        section_bars=8,
        sevenths=False,
        chords=("C...............", "C.....C.....C...", "1.2.3.2.4.2.3.2.", "1231231212312312"),
        bass=("R...............", "R.....R.....R...", "..R...R...R...R.", "R.RRR.RRR.RRR.8R"),
        drums={
            "kick": "2...2...2...2...",
            "clap": "....4.......4...",
            "open hat": "..5...5...5...5.",
            "closed hat": "3646364636463646",
        },
        development=(
            Palette(lead=81, second=80, chords=81, pad=89, bass=38, kit=25),
            Palette(lead=80, second=84, chords=4, pad=90, bass=39, kit=24),
            Palette(lead=81, second=98, chords=88, pad=95, bass=38, kit=24),
        ),
        test=(
            Palette(lead=87, second=82, chords=50, pad=93, bass=36, kit=8),
            Palette(lead=83, second=86, chords=7, pad=92, bass=37, kit=0),
        ),
    ),
}
