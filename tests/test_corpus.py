from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mer_core import Corpus, load_corpus
from mer_core.corpus import with_titles
from mer_core.files import DataError


@pytest.fixture
def corpus(deam) -> Corpus:
    return load_corpus(deam)


def changed(table: pd.DataFrame, column: str, value: object) -> pd.DataFrame:
    table = table.copy()
    table.iloc[0, table.columns.get_loc(column)] = value
    return table


def shifted(table: pd.DataFrame) -> pd.DataFrame:
    index = table.index.to_frame(index=False)
    index["time"] += 0.1
    return table.set_axis(pd.MultiIndex.from_frame(index))


def part(name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[Corpus], Corpus]:
    return lambda corpus: replace(corpus, **{name: change(getattr(corpus, name))})


F0 = "F0final_sma_amean"
RANGE = r": expected values in \[-1, 1\]"
BROKEN: dict[str, tuple[Callable[[Corpus], Corpus], str]] = {
    "column order": (part("labels", lambda y: y[["arousal", "valence"]]), "columns"),
    "labels without arousal": (part("labels", lambda y: y[["valence"]]), "columns"),
    "ratings without arousal": (part("ratings", lambda y: y[["valence"]]), "columns"),
    "label out of range": (part("labels", lambda y: changed(y, "valence", 1.5)), "labels" + RANGE),
    "labels from 1 to 9": (part("labels", lambda y: 5 + 4 * y), "look like 1 to 9"),
    "NaN in labels": (part("labels", lambda y: changed(y, "arousal", np.nan)), "NaN"),
    "infinite feature": (
        part("features", lambda x: changed(x, F0, np.inf)),
        f"features: expected finite numbers, found .* '{F0}' at song_id 3, time 0",
    ),
    "rows in another order": (part("labels", lambda y: y.iloc[::-1]), "rising order"),
    "repeated rows": (
        part("features", lambda x: pd.concat([x, x]).sort_index()), "every row once"
    ),
    "another grid": (part("labels", shifted), "grid of 0.5 s"),
    "unknown song": (part("songs", lambda s: s.drop(3)), r"others: \[3\]"),
    "label without features": (
        part("features", lambda x: x.drop((3, 16.0))), "none for song 3 at 16.0 s"
    ),
    "level names": (part("labels", lambda y: y.rename_axis(["song", "time"])), "index levels"),
    "songs twice": (part("songs", lambda s: pd.concat([s, s])), "every song_id once"),
    "songs without a column": (
        part("songs", lambda s: s.drop(columns="genre")), "songs: expected index song_id"
    ),
    "another split": (part("songs", lambda s: changed(s, "split", "train")), "train"),
    "ratings out of range": (part("ratings", lambda y: y * 9), "ratings" + RANGE),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_validate_names_what_is_broken(corpus, name):
    breaks, message = BROKEN[name]
    corpus.validate()
    with pytest.raises(DataError, match=message):
        breaks(corpus).validate()


def test_select_keeps_the_order_asked_for(corpus):
    some = corpus.select([2001, 3])
    assert list(some.songs.index) == [2001, 3]
    some.validate()


def test_a_side_without_songs_says_what_there_is(corpus):
    with pytest.raises(ValueError, match=r"'test', found none .* 4 in 'dev', 4 in neither"):
        corpus.select(corpus.songs.index[corpus.songs["split"] != "test"]).split("test")


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, "", " ", pd.NaT])
def test_missing_titles_are_song_ids(missing):
    songs = pd.DataFrame({"title": ["Tree", missing]}, pd.Index([3, 2001], name="song_id"))
    assert list(with_titles(songs)["title"]) == ["Tree", "2001"]


@pytest.mark.parametrize("kind", ["string", "category", float])
def test_missing_titles_of_any_type_of_column_are_song_ids(kind):
    songs = pd.DataFrame({"title": pd.Series([None, None], [3, 4], dtype=kind)})
    assert list(with_titles(songs)["title"]) == ["3", "4"]
