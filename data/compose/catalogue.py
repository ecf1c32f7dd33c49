"""Which songs there are: id, genre, players, mix, length and an invented name."""

from dataclasses import dataclass

import numpy as np

from genres import GENRES, Palette
from mer_core.render import Mix

DEVELOPMENT_COUNT, TEST_COUNT = 96, 16
EXCERPT = 45.0  # s, length of every development song
WHOLE = (75.0, 130.0)  # s, shortest and longest test song
FIRST_TEST_ID = 2001  # as in DEAM

DEVELOPMENT_MIXES = (Mix(), Mix(room=0.4, high=1.0), Mix(room=0.25, low=1.0))
TEST_MIXES = (
    Mix(room=0.75, damping=0.1, wet=0.6, low=2.0, high=-3.0),
    Mix(room=0.6, damping=0.6, wet=0.45, low=-2.0, high=2.0),
)

TITLE_WORDS = (
    "Quiet Paper Borrowed Second Hollow Bright Plastic Northern Late Velvet Clockwork Crooked "
    "Distant Electric Patient Unlit",
    "Algorithm Integer Lantern Residual Harbour Gradient Parade Vector Orchard Remainder Window "
    "Matrix Weather Sample Staircase Signal",
)
ARTISTS = {  # nobody plays here, and the names say so
    "Classical": ("Pseudo-Random Philharmonic", "Seeded String Ensemble"),
    "Folk": ("The Markov Family", "Rule & Thumb"),
    "Jazz": ("Gaussian Quartet", "The Stochastic Five"),
    "Blues": ("Default Delta Band", "Null Pointer Blues Band"),
    "Country": ("Hank Parameter", "The Random Walkers"),
    "Rock": ("Stack Overdrive", "The Sine Waves"),
    "Pop": ("Synthetic Sisters", "The General MIDIs"),
    "Electronic": ("Generator 44.1", "Table Lookup"),
}


@dataclass(frozen=True)
class Song:
    """One entry; `palette` and `mix` say who plays and how it is recorded."""

    song_id: int
    title: str
    artist: str
    genre: str
    duration: float  # s
    palette: Palette
    mix: Mix

    @property
    def whole(self) -> bool:
        """Whether it is a whole song (test) or an excerpt (development)."""
        return self.song_id >= FIRST_TEST_ID


def draw_titles(rng: np.random.Generator) -> list[str]:
    """As many different titles as there are songs."""
    firsts, seconds = (words.split() for words in TITLE_WORDS)
    pairs = [f"{first} {second}" for first in firsts for second in seconds]
    return list(rng.permutation(pairs)[: DEVELOPMENT_COUNT + TEST_COUNT])


def genre_and_round(index: int) -> tuple[str, int]:
    """Genre of the n-th song of a set, and how often that genre was there before."""
    round_, genre = divmod(index, len(GENRES))
    return list(GENRES)[genre], round_


def development_songs(titles: list[str]) -> list[Song]:
    """The excerpts: every genre equally often, its palettes and the mixes in turn."""
    songs = []
    for index, title in enumerate(titles[:DEVELOPMENT_COUNT]):
        genre, turn = genre_and_round(index)
        palettes = GENRES[genre].development
        palette, mix = palettes[turn % len(palettes)], DEVELOPMENT_MIXES[index % 5 % 3]
        artist = ARTISTS[genre][turn % 2]
        songs.append(Song(index + 1, title, artist, genre, EXCERPT, palette, mix))
    return songs


def whole_songs(
    titles: list[str], durations: np.ndarray, *, as_development: bool = False
) -> list[Song]:
    """The whole songs, on palettes and mixes of their own or on those of development."""
    songs = []
    for index, title in enumerate(titles[DEVELOPMENT_COUNT:]):
        genre, turn = genre_and_round(index)
        palettes = GENRES[genre].development if as_development else GENRES[genre].test
        mixes = DEVELOPMENT_MIXES if as_development else TEST_MIXES
        palette, mix = palettes[index % len(palettes)], mixes[index % len(mixes)]
        if not as_development:
            palette = palettes[turn % len(palettes)]
        artist, duration = ARTISTS[genre][turn % 2], float(durations[index])
        songs.append(Song(FIRST_TEST_ID + index, title, artist, genre, duration, palette, mix))
    return songs
