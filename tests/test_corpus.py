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


BROKEN: dict[str, tuple[Callable[[Corpus], Corpus], str]] = {
    "column order": (lambda c: replace(c, labels=c.labels[["arousal", "valence"]]), "columns"),
    "labels without arousal": (lambda c: replace(c, labels=c.labels[["valence"]]), "columns"),
    "ratings without arousal": (lambda c: replace(c, ratings=c.ratings[["valence"]]), "columns"),
    "label out of range": (
        lambda c: replace(c, labels=changed(c.labels, "valence", 1.5)),
        r"labels: expected values in \[-1, 1\]",
    ),
    "labels from 1 to 9": (lambda c: replace(c, labels=5 + 4 * c.labels), "look like 1 to 9"),
    "NaN in labels": (lambda c: replace(c, labels=changed(c.labels, "arousal", np.nan)), "NaN"),
    "infinite feature": (
        lambda c: replace(c, features=changed(c.features, "F0final_sma_amean", np.inf)),
        "features: expected finite numbers, found .* 'F0final_sma_amean' at song_id 3, time 0",
    ),
    "rows in another order": (lambda c: replace(c, labels=c.labels.iloc[::-1]), "rising order"),
    "repeated rows": (
        lambda c: replace(c, features=pd.concat([c.features, c.features]).sort_index()),
        "every row once",
    ),
    "another grid": (lambda c: replace(c, labels=shifted(c.labels)), "grid of 0.5 s"),
    "unknown song": (lambda c: replace(c, songs=c.songs.drop(3)), r"others: \[3\]"),
    "label without features": (
        lambda c: replace(c, features=c.features.drop((3, 16.0))),
        "none for song 3 at 16.0 s",
    ),
    "level names": (
        lambda c: replace(c, labels=c.labels.rename_axis(["song", "time"])),
        "index levels",
    ),
    "songs twice": (
        lambda c: replace(c, songs=pd.concat([c.songs, c.songs])),
        "every song_id once",
    ),
    "songs without a column": (
        lambda c: replace(c, songs=c.songs.drop(columns="genre")),
        "songs: expected index song_id",
    ),
    "another split": (lambda c: replace(c, songs=changed(c.songs, "split", "train")), "train"),
    "ratings out of range": (
        lambda c: replace(c, ratings=c.ratings * 9),
        r"ratings: expected values in \[-1, 1\]",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_validate_names_what_is_broken(corpus, name):
    breaks, message = BROKEN[name]
    corpus.validate()
    with pytest.raises(DataError, match=message):
        breaks(corpus).validate()


def test_select_keeps_the_order_asked_for(corpus):
    part = corpus.select([2001, 3])
    assert list(part.songs.index) == [2001, 3]
    part.validate()


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
