"""VGMIDI: piano pieces from video games, each rated over time by about thirty raters.

Source: Ferreira and Whitehead (2019), "Learning to Generate Music with Sentiment". ISMIR.
https://github.com/lucasnfe/vgmidi
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from mer_core import render
from mer_core.corpus import SONG_COLUMNS, Corpus
from mer_core.datasets.common import extract_songs
from mer_core.datasets.layout import entry, find_folder, visible
from mer_core.features.grid import grid
from mer_core.files import DataError, check_writable, note, user_cache, written_atomically
from mer_core.tracks import DIMENSIONS, LEVELS, RATING_LEVELS, as_array

FILE = re.compile(r"vgmidi_raw_([0-9]{1,3})\.json", re.IGNORECASE)
PIECE, RATING = re.compile(r"piece([0-9]{1,3})"), re.compile(r"(.+)_([0-9]{1,6})")
LONGEST = 3600  # s; no piece is longer than 400 s
MIX = render.Mix()


class Piece(NamedTuple):
    """A piece and its ratings, an array (raters, measures, 2) of valence and arousal."""

    song_id: int
    title: str
    midi: Path
    duration: float
    raters: list[int]
    ratings: np.ndarray


def find(folder: Path) -> Path | None:
    """The folder with `annotations/vgmidi_raw_<n>.json`; None if this is not VGMIDI."""
    places = [find_folder(folder, "labelled"), folder]
    return next((place for place in places if place and _annotations(place)), None)


def load(folder: Path) -> Corpus:
    """Load VGMIDI from a copy of the repository or its folder `labelled`.

    song_id is 1000 x the number of the JSON file + the number of the piece. `artist` is the game.
    All songs are "dev". Labels are means over raters; the value of measure k of n covers
    [k, k + 1) * duration / n. `audio` is the rendered file in the user's cache, or missing; using
    `features` renders and extracts.
    """
    folder = Path(os.path.abspath(folder))  # features may be used in another working directory
    pieces = read_pieces(folder)
    labels, ratings = map(pd.concat, zip(*map(_curves, pieces)))
    songs = pd.DataFrame([_song(piece) for piece in pieces]).set_index("song_id")
    corpus = Corpus(songs[SONG_COLUMNS], labels, partial(_features, folder), ratings)
    corpus.validate()
    return corpus


def render_pieces(folder: Path, song_ids: Iterable[int] | None = None) -> pd.Series:
    """Render pieces of a copy of VGMIDI (all by default) with FluidSynth, as the embedded corpus.

    Returns the paths of the audio (Ogg Vorbis) by song_id. It is kept in the user's cache folder,
    so that a later call goes on after a kill. Pieces that can't be rendered are left out with a
    DataWarning. A DataError is raised if FluidSynth, its sound font or ffmpeg is missing, or no
    piece can be rendered.
    """
    pieces = {piece.song_id: piece for piece in read_pieces(folder)}
    chosen = list(pieces) if song_ids is None else list(song_ids)
    places = {song_id: _place(pieces[song_id]) for song_id in chosen}
    missing = [song_id for song_id in chosen if not places[song_id].exists()]
    if missing:
        for name in ("fluidsynth", "ffmpeg"):
            render.program(name)
        check_writable(places[missing[0]].parent)
    jobs = [delayed(_render)(pieces[song_id], places[song_id]) for song_id in missing]
    done = Parallel(-1, prefer="threads", return_as="generator")(jobs)
    bar = tqdm(done, "FluidSynth", total=len(jobs), unit="piece", disable=not jobs)
    failures = [failure for failure in bar if failure]
    made = {song_id: str(place) for song_id, place in places.items() if place.exists()}
    if failures and not made:
        raise failures[0]
    if failures:
        found = f"{len(failures)} of {len(chosen)} pieces can't be rendered: {failures[0]}"
        note(f"{folder}: {found}")
    return pd.Series(made, dtype=object).rename_axis("song_id")


def read_pieces(folder: Path) -> list[Piece]:
    """Read all pieces and their ratings, by song_id."""
    base = find(Path(folder))
    if base is None:
        raise DataError(folder, "labelled/annotations/vgmidi_raw_<n>.json", "none")
    files = {int(FILE.fullmatch(path.name)[1]): path for path in _annotations(base)}
    midi = entry(base, "midi")
    pieces = [piece for k in sorted(files) for piece in _read_file(files[k], 1000 * k, midi)]
    if not pieces:
        raise DataError(base, "pieces in vgmidi_raw_<n>.json", "none")
    return pieces


def _annotations(base: Path) -> list[Path]:
    return [path for path in visible(entry(base, "annotations")) if FILE.fullmatch(path.name)]


def _read_file(path: Path, first: int, midi: Path) -> list[Piece]:
    content = _json(path)
    named = {name: PIECE.fullmatch(name) for name in content["pieces"]}
    odd = [name for name, match in named.items() if not match]
    if odd:
        raise DataError(path, "pieces called 'piece<n>'", f"{odd[0]!r}")
    ratings: dict[str, dict[int, object]] = {name: {} for name in named}
    for key, values in content["annotations"].items():
        match = RATING.fullmatch(key)
        if not match or match[1] not in ratings:
            raise DataError(path, "annotations '<piece>_<rater>' of its pieces", f"{key!r}")
        if int(match[2]) in ratings[match[1]]:
            raise DataError(path, "every rater of a piece once", f"{key!r} and another")
        ratings[match[1]][int(match[2])] = values
    order = sorted(named, key=lambda name: int(named[name][1]))
    ids = [first + int(named[name][1]) for name in order]
    if len(set(ids)) < len(ids):
        number = max(ids, key=ids.count) - first
        raise DataError(path, "every piece once", f"two of number {number}")
    return [
        _piece(f"{path}, {name}", song_id, content["pieces"][name], ratings[name], midi)
        for name, song_id in zip(order, ids)
    ]


def _json(path: Path) -> dict[str, dict]:
    try:
        content = json.loads(path.read_text("utf-8-sig"), object_pairs_hook=_once)
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(path, "annotations as JSON", str(error)) from None
    for name in ("pieces", "annotations"):
        if not isinstance(content, dict) or not isinstance(content.get(name), dict):
            raise DataError(path, f"an object {name!r}", "none")
    return content


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError(f"{max(names, key=names.count)!r} more than once")
    return dict(pairs)


def _piece(where: str, song_id: int, piece: object, ratings: dict, midi: Path) -> Piece:
    if not isinstance(piece, dict):
        raise DataError(where, "an object with name, duration, measures, midi", f"{piece!r:.40}")
    keys = ("name", "midi", "measures", "duration")
    name, file, measures, duration = map(piece.get, keys)
    if not isinstance(name, str) or not isinstance(file, str):
        raise DataError(where, "name and midi as text", f"{name!r:.40} and {file!r:.40}")
    if file in ("", ".", "..") or set(file) & set("/\\\0"):
        raise DataError(where, "the name of a file in the folder midi", f"{file!r:.80}")
    if type(measures) is not int or measures < 1:
        raise DataError(where, "a whole number of measures", f"{measures!r:.40}")
    if type(duration) not in (int, float) or not 1 <= duration <= LONGEST:
        raise DataError(where, f"a duration from 1 to {LONGEST} s", f"{duration!r:.40}")
    if not ratings:
        raise DataError(where, "raters", "none")
    if not entry(midi, file).is_file():
        raise DataError(where, f"a file {file!r} in {midi.name}", "none")
    raters = sorted(ratings)
    values = [_rating(f"{where}_{rater}", ratings[rater], measures) for rater in raters]
    return Piece(song_id, name, entry(midi, file), float(duration), raters, np.array(values))


def _rating(where: str, rating: object, measures: int) -> np.ndarray:
    """One rater's values, (measures, 2). Two raters have one too many: it is left out."""
    curves = []
    for name in DIMENSIONS:
        values = rating.get(name) if isinstance(rating, dict) else None
        if not isinstance(values, list) or len(values) not in (measures, measures + 1):
            found = f"{len(values)}" if isinstance(values, list) else "none"
            raise DataError(where, f"{measures} values of {name}, one for each measure", found)
        curve = as_array(values[:measures], f"{where}, {name}")
        if np.abs(curve).max() > 1:
            found = f"{curve[np.abs(curve).argmax()]:g}"
            raise DataError(f"{where}, {name}", "values in [-1, 1]", found)
        curves.append(curve)
    return np.stack(curves, axis=-1)


def _curves(piece: Piece) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Labels and ratings of a piece at the times that the features of its audio have."""
    times, measures = grid(piece.duration), piece.ratings.shape[1]
    measure = np.floor(times * measures / piece.duration + 1e-9).astype(int)
    curves, song_id = piece.ratings[:, measure], [piece.song_id]
    index = pd.MultiIndex.from_product([song_id, times], names=LEVELS)
    of_raters = pd.MultiIndex.from_product([song_id, piece.raters, times], names=RATING_LEVELS)
    labels = pd.DataFrame(curves.mean(axis=0), index, DIMENSIONS)
    return labels, pd.DataFrame(curves.reshape(-1, 2), of_raters, DIMENSIONS)


def _song(piece: Piece) -> dict[str, object]:
    valence, arousal = piece.ratings.mean(axis=(0, 1))
    words = piece.midi.stem.split("_")  # series, console, game, title
    try:
        place = _place(piece)
    except (DataError, OSError):  # no sound font, no home folder
        place = None
    song = {"song_id": piece.song_id, "title": piece.title, "duration": piece.duration}
    song |= {"artist": words[2] if len(words) == 4 else None, "genre": "Video game", "year": None}
    song |= {"audio": str(place) if place and place.exists() else None, "split": "dev"}
    return song | {"valence": valence, "arousal": arousal}


def _features(folder: Path, songs: pd.DataFrame) -> pd.DataFrame:
    return extract_songs(render_pieces(folder, songs.index).to_frame("audio"))


def _place(piece: Piece) -> Path:
    """Where a rendered piece is kept: its name is a hash of everything that it depends on."""
    font = render.sound_font()
    settings = f"{MIX} {piece.duration} {font.name} {font.stat().st_size}"
    source = Path(render.__file__).read_bytes()
    key = hashlib.sha256(piece.midi.read_bytes() + settings.encode() + source).hexdigest()
    return user_cache("mer_core") / "rendered" / f"{key[:32]}.ogg"


def _render(piece: Piece, place: Path) -> DataError | None:
    try:
        with written_atomically(place) as part:
            render.render(piece.midi, part, MIX, piece.duration, whole=True)
    except DataError as error:
        return error
    return None
