"""The reader: clean folders, DEAM's known defects, and everything that can be wrong with a file."""

import gzip
import re
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from conftest import ROOT
from layout import AVERAGED, DYNAMIC, FEATURES, PER_RATER, SONGS
from mer_core import load_corpus
from mer_core.__main__ import main
from mer_core.datasets import deam as deam_package
from mer_core.datasets import songs_with_audio
from mer_core.datasets.deam import describe, describe_split, development_2015, find_swapped
from mer_core.datasets.deam.read import SONG_IDS
from mer_core.files import DataError, DataWarning
from mer_core.metrics import DIMENSIONS

SONG_LEVEL = AVERAGED / "song_level" / "static_annotations_averaged_songs_1_2000.csv"
VALENCE = DYNAMIC / "valence.csv"
AROUSAL = DYNAMIC / "arousal.csv"


def edit(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text()))


def edit_table(path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], sep: str = ",") -> None:
    change(pd.read_csv(path, sep=sep, index_col=0)).to_csv(path, sep=sep)


def put_audio(folder: Path, *names: str, seconds: float = 25) -> None:
    (folder / "MEMD_audio").mkdir()
    for name in names:
        soundfile.write(folder / "MEMD_audio" / name, np.full(int(44_100 * seconds), 0.1), 44_100)


def load_quietly(folder: Path, **options: str):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return load_corpus(folder, **options)


# --- clean input ---------------------------------------------------------------------------------


def test_a_partial_copy_gives_the_songs_whose_audio_is_there(deam, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    shutil.rmtree(deam / "features")
    put_audio(deam, "3.wav", "4.wav")
    put = deam / "MEMD_audio" / "17.wav"
    soundfile.write(put, np.full(44_100 * 5, 0.1), 44_100)  # ends before the labels
    corpus = load_corpus(deam)
    assert corpus.features.empty
    with pytest.warns(DataWarning, match="ends before"):
        part = songs_with_audio(corpus)
    assert list(part.songs.index) == [3, 4]
    assert set(part.features.index.unique("song_id")) == {3, 4}
    part.validate()
    assert part.labels.index.isin(part.features.index).all()
    with pytest.raises(DataError, match="audio of at least one song, found none"):
        songs_with_audio(corpus.select([20]))


def test_the_page_compares_models_on_a_partial_copy(real_deam, tmp_path, monkeypatch, capsys):
    page = (ROOT / "docs" / "datasets.md").read_text()
    code = re.search(r"```python\n([^`]*songs_with_audio.*?)```", page, re.DOTALL)[1]
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(code.replace("path/to/DEAM", str(real_deam)).replace("k=10", "k=2"), names)
    assert len(names["corpus"].songs) == 36
    assert "difference_low" in capsys.readouterr().out
    assert (tmp_path / "delayed.safetensors").exists()


def test_our_features_are_compared_with_the_means_of_deam(deam, monkeypatch):
    names = ["F0final_sma_amean", "audSpec_Rfilt_sma[0]_amean", "F0final_sma_de_amean"]
    index = pd.MultiIndex.from_product([[3, 4, 17], np.arange(30) / 2], names=["song_id", "time"])
    ours = pd.DataFrame(np.random.default_rng(0).normal(size=(90, 3)), index, names)
    means = ours[index.get_level_values("time") >= 5].groupby(level="song_id").mean()
    means.add([0, 1, 0]).to_csv(deam / "song_level_features.csv")
    monkeypatch.setattr("mer_core.datasets.deam.feature_files.extract_songs", lambda songs: ours)
    table = deam_package.compare_features(load_corpus(deam), deam)
    assert list(table["family"]) == ["descriptor", "RASTA", "mean of a delta"]
    assert table["r_after_5s"].to_numpy() == pytest.approx(1)
    assert (table["r"] < 0.9999).all()
    assert table["offset_after_5s"].iloc[[0, 2]].to_numpy() == pytest.approx(0)
    assert table["offset_after_5s"].iloc[1] == pytest.approx(-1 / means.iloc[:, 1].std())


def test_a_clean_folder_loads_without_a_word(deam):
    corpus = load_quietly(deam)
    assert list(corpus.songs.index) == SONGS
    assert list(corpus.labels) == DIMENSIONS
    assert list(corpus.features) == FEATURES
    assert corpus.labels.index.get_level_values("time").min() == 15.0
    assert corpus.features.index.get_level_values("time").min() == 0.0
    assert list(corpus.ratings) == DIMENSIONS
    assert corpus.ratings.index.names == ["song_id", "rater", "time"]
    assert corpus.songs.loc[2001, "title"] == "Title 2001"


def test_song_level_labels_come_in_the_unit_of_the_dynamic_ones(deam):
    corpus = load_quietly(deam)
    raw = pd.read_csv(deam / SONG_LEVEL, index_col=0, skipinitialspace=True)
    assert corpus.songs.loc[3, "valence"] == pytest.approx((raw.loc[3, "valence_mean"] - 5) / 4)


@pytest.mark.parametrize(
    ("task", "dev", "test"),
    [
        ("2013", [3, 4, 17, 20, 25], []),
        ("2014", [3, 4, 17, 20, 25], [1001, 1005, 1010]),
        ("2015", [3, 4, 17, 20, 25, 1001, 1005], [2001, 2002, 2003]),
    ],
)
def test_tasks_differ_in_split_only(deam, task, dev, test):
    corpus = load_quietly(deam, task=task)
    split = corpus.songs["split"]
    known = development_2015().index
    expected_dev = dev if task != "2015" else [song_id for song_id in SONGS if song_id in known]
    assert list(split.index[split == "dev"]) == expected_dev
    assert list(split.index[split == "test"]) == test
    pd.testing.assert_frame_equal(corpus.labels, load_quietly(deam, task="2015").labels)
    if not test:
        with pytest.raises(ValueError, match="found none"):
            corpus.split("test")


def test_split_and_select_keep_what_belongs_together(deam):
    side = load_quietly(deam).split("test")
    for part in (side.labels, side.features, side.ratings):
        assert set(part.index.get_level_values("song_id")) == {2001, 2002, 2003}
    with pytest.raises(KeyError):
        side.select([3])


def test_the_development_list_has_431_songs_of_which_8_are_uncertain(deam):
    listed = development_2015()
    assert len(listed) == 431
    assert (~listed["certain"]).sum() == 8
    own = pd.DataFrame({"certain": True}, pd.Index([1010], name="song_id"))
    own.to_csv(deam / "mediaeval2015_development_ids.csv")
    split = load_quietly(deam).songs["split"]
    assert list(split.index[split == "dev"]) == [1010]


def test_a_partial_folder_without_features_ratings_and_metadata(deam):
    for name in ("features", "metadata", "annotations/annotations per each rater"):
        shutil.rmtree(deam / name)
    with pytest.warns(DataWarning, match="without metadata, nothing shows that the 11 songs"):
        corpus = load_corpus(deam)
    assert corpus.features.empty
    assert corpus.ratings is None
    assert corpus.songs["title"].isna().all()
    assert corpus.songs["year"].tolist() == [2013] * 5 + [2014] * 3 + [2015] * 3


def test_archives_unpacked_one_folder_deeper_and_gzip_and_commas(deam):
    corpus = load_quietly(deam)
    (deam / "DEAM_Annotations").mkdir()
    (deam / "annotations").rename(deam / "DEAM_Annotations" / "annotations")
    (deam / "features").rename(deam / "inner")
    (deam / "features").mkdir()
    (deam / "inner").rename(deam / "features" / "features")
    for path in (deam / "features/features").glob("*.csv"):
        text = path.read_text().replace(";", ",")
        with gzip.open(path.with_name(path.name + ".gz"), "wt") as file:
            file.write(text)
        path.unlink()
    assert_same(load_quietly(deam), corpus)


def test_audio_gives_path_and_duration(deam):
    put_audio(deam, "3.wav")
    songs = load_quietly(deam).songs
    assert songs.loc[3, "duration"] == 25
    assert Path(songs.loc[3, "audio"]).name == "3.wav"
    assert songs["audio"].notna().sum() == 1


def test_raters_without_an_id_are_numbered(deam):
    path = deam / PER_RATER / "valence" / "3.csv"
    pd.read_csv(path).drop(columns="WorkerId").to_csv(path, index=False)
    raters = load_quietly(deam).ratings.loc[3].index.get_level_values("rater")
    assert set(raters) == {"1", "2", "3", "a", "b", "c"}


# --- known defects, repaired aloud ---------------------------------------------------------------


def test_a_swap_is_found_by_measuring_whatever_the_ids():
    many = swap_material(songs=60)
    year = pd.Series(np.repeat([2013, 2014, 2015], 20), many["song_level"].index)
    assert not find_swapped(many["song_level"], many["labels"], year)["swapped"].any()
    for swapped_year in (2013, 2014, 2015):
        level = many["song_level"].copy()
        ids = level.index[year == swapped_year]
        level.loc[ids] = level.loc[ids, DIMENSIONS[::-1]].to_numpy()
        found = find_swapped(level, many["labels"], year)["swapped"]
        assert list(found.index[found]) == [swapped_year]


def test_a_swap_among_too_few_songs_is_left_alone():
    few = swap_material(songs=4)
    level = few["song_level"].set_axis(DIMENSIONS[::-1], axis=1)[DIMENSIONS]
    year = pd.Series(2013, level.index)
    assert not find_swapped(level, few["labels"], year)["swapped"].any()


def swap_material(*, songs: int) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(3)
    index = pd.RangeIndex(5000, 5000 + songs, name="song_id")
    level = pd.DataFrame(rng.uniform(-0.5, 0.5, (songs, 2)), index, DIMENSIONS)
    frames = pd.concat({15.0: level + 0.02, 15.5: level - 0.02}, names=["time"]).swaplevel()
    return {"song_level": level + rng.normal(0, 0.1, level.shape), "labels": frames.sort_index()}


def test_the_swap_is_repaired_aloud_in_a_folder(deam):
    clean = load_quietly(deam).songs[DIMENSIONS]
    edit(deam / SONG_LEVEL, lambda text: swap_rows_below(text, 1000))
    with pytest.warns(DataWarning, match=r"of 2013: .* swapped back in 5 songs .* r = -"):
        repaired = load_corpus(deam).songs[DIMENSIONS]
    pd.testing.assert_frame_equal(repaired, clean)


def swap_rows_below(text: str, highest: int) -> str:
    header, *rows = text.splitlines()
    cells = [row.split(",") for row in rows]
    swapped = [[k, b, a] if int(k) <= highest else [k, a, b] for k, a, b in cells]
    return "\n".join([header, *map(",".join, swapped)]) + "\n"


def test_curves_that_differ_by_a_frame_are_held_aloud(deam):
    edit(deam / VALENCE, lambda text: re.sub(r",[^,]*$", "", text.rstrip("\n")) + "\n")
    with pytest.warns(DataWarning, match=r"differ in length in songs \[2003\].*1 missing frames"):
        labels = load_corpus(deam).labels
    song = labels.loc[2003, "valence"]
    assert len(song) == 20
    assert song.iloc[-1] == song.iloc[-2]


def test_ragged_metadata_with_tabs_and_split_names(deam):
    rows = [
        "song_id,title,artist,album,Genre,,,",
        "2001,\tOld Tree\t,\tCreepoid,n/a,\tRock\t,indie,tag,",
        "2002,Go,No, Really,n/a,folk,,",
        "2003,Habanera,Manuzik",
    ]
    (deam / "metadata" / "metadata_2015.csv").write_text("\n".join(rows) + "\n")
    with pytest.warns(DataWarning, match=r"tabs .* 1 songs.*joined again in songs 2002"):
        songs = load_corpus(deam).songs
    named = songs[["title", "artist", "genre"]]
    assert named.loc[2001].tolist() == ["Old Tree", "Creepoid", "Rock"]
    assert named.loc[2002].tolist() == ["Go", "No, Really", "folk"]
    assert songs.loc[2003, "title"] == "Habanera"
    assert pd.isna(songs.loc[2003, "genre"])


def test_letters_of_another_encoding_are_told(deam):
    text = "song_id,title\n2001,Caf\xe9\n".encode("latin-1")
    (deam / "metadata" / "metadata_2015.csv").write_bytes(text)
    with pytest.warns(DataWarning, match="not UTF-8 were replaced in 1 songs"):
        load_corpus(deam)


def test_a_folder_in_the_home_is_found(deam, monkeypatch):
    monkeypatch.setenv("HOME", str(deam.parent))
    assert len(load_quietly("~/DEAM").songs) == len(SONGS)


def test_a_split_name_whose_row_kept_its_genre_is_joined_in_place(deam):
    rows = ["song_id,artist,album,title,Genre", "1001,Tree,Heavy, Crazy,Hip-Hop"]
    (deam / "metadata" / "metadata_2014.csv").write_text("\n".join(rows) + "\n")
    with pytest.warns(DataWarning, match="joined again in songs 1001"):
        songs = load_corpus(deam).songs
    assert songs.loc[1001, ["title", "genre"]].tolist() == ["Heavy, Crazy", "Hip-Hop"]


def test_labels_behind_the_last_feature_window_are_left_out_aloud(deam):
    edit_table(deam / "features" / "3.csv", lambda table: table.iloc[:-2], sep=";")
    with pytest.warns(DataWarning, match="2 labels at the end of 1 songs"):
        corpus = load_corpus(deam)
    assert corpus.labels.loc[3].index[-1] == corpus.features.loc[3].index[-1]


def test_features_that_are_longer_than_the_audio_are_reported(deam):
    put_audio(deam, "3.wav", seconds=20)
    with pytest.warns(DataWarning, match="longer than their audio .song 3: 24.5 s and 20.0 s"):
        load_corpus(deam)


def test_features_of_a_song_without_labels_are_left_out_aloud(deam):
    shutil.copy(deam / "features" / "3.csv", deam / "features" / "999.csv")
    with pytest.warns(DataWarning, match=r"left out the files of 1 songs without labels: \[999\]"):
        assert 999 not in load_corpus(deam).features.index.get_level_values("song_id")


def test_byte_order_mark_and_windows_line_ends_are_understood(deam):
    clean = load_quietly(deam)
    for path in [*deam.rglob("*.csv")]:
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert_same(load_quietly(deam), clean)


def test_files_whose_names_are_no_numbers_belong_to_no_song(deam):
    clean = load_quietly(deam)
    for name in ("\u00b2.csv", "x.csv", "-3.csv", "3.5.csv", "._3.csv"):
        for folder in ("features", PER_RATER / "valence", PER_RATER / "arousal"):
            (deam / folder / name).write_text("not a table")
    pd.testing.assert_frame_equal(load_quietly(deam).features, clean.features)


# --- folders as users have them ------------------------------------------------------------------

RESOURCE_FORK = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        \xb0\xff"


def test_hidden_files_are_passed_over_in_every_folder(deam):
    put_audio(deam, "3.wav")
    clean = load_quietly(deam)
    for path in [path for path in deam.rglob("*") if path.is_file()]:
        path.with_name(f"._{path.name}").write_bytes(RESOURCE_FORK)
    for folder in [deam, *(path for path in deam.rglob("*") if path.is_dir())]:
        for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
            (folder / name).write_bytes(RESOURCE_FORK)
        (folder / "__MACOSX" / "annotations").mkdir(parents=True)
    assert_same(load_quietly(deam), clean)


def test_upper_case_names_are_found(deam):
    put_audio(deam, "3.wav")
    clean = load_quietly(deam)
    for path in sorted(deam.rglob("*"), key=lambda path: -len(path.parts)):
        path.rename(path.with_name(path.name.upper()))
    again = load_quietly(deam)
    assert again.songs.loc[3, "audio"].endswith("MEMD_AUDIO/3.WAV")
    assert_same(again, clean)


def assert_same(found, expected) -> None:
    songs = [one.songs.assign(audio=one.songs["audio"].notna()) for one in (found, expected)]
    pd.testing.assert_frame_equal(*songs)
    for name in ("labels", "features", "ratings"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(expected, name))


def test_two_audio_files_of_a_song_are_reported_and_the_rest_loads(deam):
    put_audio(deam, "3.mp3", "3.wav", "4.ogg")
    with pytest.warns(DataWarning, match=r"one file per song, found 3\.wav and 3\.mp3; the first"):
        audio = load_corpus(deam).songs["audio"].dropna()
    assert [Path(path).name for path in audio] == ["3.wav", "4.ogg"]


def test_two_feature_or_rater_files_of_a_song_are_reported_and_one_is_read(deam):
    clean = load_quietly(deam)
    for folder in ("features", PER_RATER / "valence"):
        (deam / folder / "03.csv").write_text("not a table")
        (deam / folder / "004.CSV").write_text("not a table")
    expected = r"found 3\.csv and 03\.csv; 4\.csv and 004\.CSV"
    with pytest.warns(DataWarning, match=expected) as caught:
        again = load_corpus(deam)
    assert len([one for one in caught if one.category is DataWarning]) == 2
    assert_same(again, clean)


def test_files_in_subfolders_are_reported(deam):
    (deam / "MEMD_audio" / "2013").mkdir(parents=True)
    shutil.copy(deam / "features" / "3.csv", deam / "MEMD_audio" / "2013" / "3.mp3")
    with pytest.warns(DataWarning, match=r"found 1 in subfolders, such as 2013/3\.mp3; these are"):
        assert load_corpus(deam).songs["audio"].isna().all()


def test_audio_that_is_not_named_by_ids_is_reported(deam):
    (deam / "MEMD_audio").mkdir()
    for name in ("song_3.mp3", "\N{ARABIC-INDIC DIGIT THREE}.mp3", "\N{SUPERSCRIPT TWO}.mp3"):
        (deam / "MEMD_audio" / name).write_text("never read")
    with pytest.warns(DataWarning, match=r"no such name among 3 files, such as song_3\.mp3"):
        assert load_corpus(deam).songs["audio"].isna().all()


# --- other people's data -------------------------------------------------------------------------


def test_labels_from_0_to_1_are_reported_and_song_level_means_are_compared(deam):
    rescale(deam, lambda t: (t + 1) / 2)
    with pytest.warns(DataWarning, match=r"look like \[0, 1\]; the song-level means of 11 songs"):
        corpus = load_corpus(deam)
    assert corpus.labels.min(axis=None) >= 0, "nothing is converted"


def test_labels_from_0_to_1_are_reported_without_song_level_means(deam):
    rescale(deam, lambda t: (t + 1) / 2)
    shutil.rmtree(deam / AVERAGED / "song_level")
    with pytest.warns(DataWarning, match=r"no negative valence or arousal in 11 songs.* 2x - 1"):
        load_corpus(deam)


def test_few_cheerful_songs_are_not_taken_for_another_scale(deam):
    """Song-level means agree with the curves, or there are too few songs to tell."""
    corpus = load_quietly(deam)
    means = corpus.labels.groupby(level="song_id").mean()
    rescale(deam, lambda t: t.abs())
    for path in (deam / AVERAGED / "song_level").iterdir():
        edit_table(path, lambda t: 5 + (t - 5).abs())
    assert len(means) >= 5
    load_quietly(deam)
    shutil.rmtree(deam / AVERAGED / "song_level")
    shutil.rmtree(deam / "annotations/annotations per each rater")
    shutil.rmtree(deam / "features")
    rescale(deam, lambda t: t.iloc[:4])
    load_quietly(deam)


def test_song_level_means_from_1_to_5_are_reported(deam):
    for path in (deam / AVERAGED / "song_level").iterdir():
        edit_table(path, lambda t: 3 + (t - 5) / 2)
    with pytest.warns(DataWarning, match="found none above 5, so they look like 1 to 5"):
        load_corpus(deam)


def test_sad_songs_are_not_taken_for_means_from_1_to_5(deam):
    rescale(deam, lambda t: -t.abs())
    for path in (deam / AVERAGED / "song_level").iterdir():
        edit_table(path, lambda t: 5 - (t - 5).abs())
    load_quietly(deam)


def test_songs_that_are_not_deams_are_divided_with_a_warning(deam):
    rescale(deam, lambda t: t.rename(index={4: 1, 20: 6, 1010: 5000}))
    shutil.rmtree(deam / "annotations/annotations per each rater")
    for path in (deam / AVERAGED / "song_level").iterdir():
        edit_table(path, lambda t: t.rename(index={4: 1, 20: 6, 1010: 5000}))
    for old, new in {4: 1, 20: 6, 1010: 5000}.items():
        (deam / "features" / f"{old}.csv").rename(deam / "features" / f"{new}.csv")
    shutil.rmtree(deam / "metadata")
    with pytest.warns(DataWarning, match=r"3 of 11 songs are not DEAM's, such as \[1, 6, 5000\]"):
        load_corpus(deam)
    listed = pd.DataFrame({"certain": True}, pd.Index([1, 3, 6], name="song_id"))
    listed.to_csv(deam / "mediaeval2015_development_ids.csv")
    assert list(load_quietly(deam).split("dev").songs.index) == [1, 3, 6]


def test_the_list_that_divides_the_songs_is_named(deam):
    said = describe_split(load_quietly(deam).songs, deam, "2015")
    assert "list of 431 ids, which contains 4 of 11 songs; for another data set, write" in said
    assert "those of the year 2015, 3 songs" in said
    said = describe_split(load_quietly(deam, task="2013").songs, deam, "2013")
    assert "those of the year 2013, 5 of 11 songs. Test songs: none" in said
    listed = pd.DataFrame({"certain": True}, pd.Index([1010, 77], name="song_id"))
    listed.to_csv(deam / "mediaeval2015_development_ids.csv")
    said = describe_split(load_quietly(deam).songs, deam, "2015")
    assert f"the folder's own list, {LISTED}, of 2 ids, which contains 1" in said


def test_the_ids_of_deam_are_1802_and_hold_the_development_list():
    ranges = pd.read_csv(Path(deam_package.__file__).parent / SONG_IDS)
    ids = np.concatenate([np.arange(a, b + 1) for a, b in ranges.to_numpy()])
    assert len(set(ids)) == len(ids) == 1802
    assert [((ids > a) & (ids <= a + 1000)).sum() for a in (0, 1000, 2000)] == [744, 1000, 58]
    assert development_2015().index.isin(ids).all()


# --- bad input: a clear error that names file, expected and found --------------------------------


def first_cell(text: str, new: str) -> str:
    header, first, *rest = text.splitlines()
    cells = first.split(",")
    return "\n".join([header, ",".join([cells[0], new, *cells[2:]]), *rest]) + "\n"


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def rescale(folder: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    for name in (VALENCE, AROUSAL):
        edit_table(folder / name, change)


Spoil = Callable[[Path], object]
Frames = Callable[[pd.DataFrame], pd.DataFrame]


def text(name: Path | str, change: Callable[[str], str]) -> Spoil:
    return lambda folder: edit(folder / name, change)


def table(name: Path | str, change: Frames, sep: str = ",") -> Spoil:
    return lambda folder: edit_table(folder / name, change, sep)


def written(name: Path | str, content: str) -> Spoil:
    return lambda folder: (folder / name).write_text(content)


def masked(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.mask(frame.index.to_series() == 17)


METADATA = "metadata/metadata_2015.csv"
LISTED = "mediaeval2015_development_ids.csv"
CURVE_OF_TRUE = "\nTrue," + ",".join(20 * ["0.1"]) + "\n"
BAD: dict[str, tuple[Spoil, list[str]]] = {
    "no folder": (shutil.rmtree, ["DEAM", "annotations", "no such folder"]),
    "no annotations": (lambda d: shutil.rmtree(d / "annotations"), ["annotations", "entries"]),
    "missing file": (lambda d: (d / VALENCE).unlink(), ["valence.csv", "a file", "none"]),
    "empty file": (written(VALENCE, ""), ["valence.csv", "empty file"]),
    "header only": (
        text(VALENCE, lambda t: t.splitlines()[0] + "\n"), ["valence.csv", "at least one row"]
    ),
    "binary": (lambda d: (d / VALENCE).write_bytes(b"\x89PNG\xff"), ["valence.csv", "CSV table"]),
    "wrong header": (
        text(VALENCE, lambda t: t.replace("song_id", "id", 1)),
        ["valence.csv", "'song_id'", "id, sample"],
    ),
    "wrong separator": (
        text(VALENCE, lambda t: t.replace(",", "\t")), ["valence.csv", "'song_id'"]
    ),
    "extra column": (
        table(VALENCE, lambda t: t.assign(mean=0.1)), ["valence.csv", "sample_<ms>ms", "'mean'"]
    ),
    "column off the grid": (
        text(VALENCE, lambda t: t.replace("sample_15500ms", "sample_15400ms")),
        ["valence.csv", "500 ms", "sample_15400ms"],
    ),
    "missing column": (
        table(VALENCE, lambda t: t.drop(columns="sample_16000ms")),
        ["valence.csv", "every 0.5 s", "gap"],
    ),
    "repeated column": (
        text(VALENCE, lambda t: t.replace("sample_15500ms", "sample_15000ms")),
        ["valence.csv", "every column once", "sample_15000ms"],
    ),
    "repeated song": (
        table(VALENCE, lambda t: pd.concat([t, t.iloc[:1]])),
        ["valence.csv", "every song_id once", "3"],
    ),
    "text for a number": (
        text(VALENCE, lambda t: first_cell(t, "loud")),
        ["valence.csv", "a number", "'loud'", "song_id 3"],
    ),
    "song_id is no whole number": (
        text(VALENCE, lambda t: t.replace("\n4,", "\n4.5,")),
        ["valence.csv", "whole number", "song_id"],
    ),
    "NaN inside a song": (
        text(VALENCE, lambda t: first_cell(t, "")), ["valence.csv", "gap (NaN)", "song_id 3"]
    ),
    "song without a value": (table(VALENCE, masked), ["valence.csv", "empty row", "song_id 17"]),
    "another scale": (
        table(VALENCE, lambda t: 5 + 4 * t),
        ["valence.csv", "[-1, 1]", "look like 1 to 9", "(x - 5) / 4 converts them to -1 to 1"],
    ),
    "labels from -100 to 100": (
        table(VALENCE, lambda t: 100 * t),
        ["valence.csv", "[-1, 1]", "look like -100 to 100", "x / 100"],
    ),
    "one label slightly out of range": (
        text(VALENCE, lambda t: first_cell(t, "1.01")),
        ["valence.csv", "[-1, 1]", "a value outside [-1, 1] in song_id 3"],
    ),
    "song-level means from -1 to 1": (
        table(SONG_LEVEL, lambda t: (t - 5) / 4),
        ["song_level", "values in [1, 9]", "look like -1 to 1", "5 + x * 4"],
    ),
    "infinite": (
        text(VALENCE, lambda t: first_cell(t, "inf")), ["valence.csv", "[-1, 1]", "song_id 3"]
    ),
    "song_ids alone": (
        written(VALENCE, "song_id\n3\n4\n"), ["valence.csv", "columns 'sample_<ms>ms'", "none"]
    ),
    "a number of 400 digits for a song": (
        text(VALENCE, lambda t: t.replace("\n4,", f"\n{'9' * 400},")), ["valence.csv", "number"]
    ),
    "row longer than the header": (
        text(VALENCE, lambda t: t.rstrip("\n") + ",0.1\n"), ["valence.csv", "CSV table"]
    ),
    "song in one dimension only": (
        table(AROUSAL, lambda t: t.drop(index=20)), ["same songs in both files", "20"]
    ),
    "curves of very different length": (
        table(AROUSAL, lambda t: t.iloc[:, :9]), ["differ by 2 frames at most", "'arousal': 9"]
    ),
    "song-level column missing": (
        text(SONG_LEVEL, lambda t: t.replace("arousal_mean", "arousal")),
        ["song_level", "arousal_mean"],
    ),
    "song-level scale": (
        table(SONG_LEVEL, lambda t: t * 10),
        ["song_level", "[1, 9]", "look like 0 to 100", "5 + (x - 50) * 0.08 converts them to"],
    ),
    "song-level cell empty": (
        table(SONG_LEVEL, masked), ["song_level", "values in [1, 9]", "nan", "song 17"]
    ),
    "metadata row that ends early": (
        written(METADATA, "title,song_id\nTree,1\nBush\n"),
        ["metadata_2015.csv", "song_id in every row", "Bush"],
    ),
    "metadata without song_id": (
        written(METADATA, "id,title\n2001,a\n"), ["metadata_2015.csv", "song_id", "'id'"]
    ),
    "metadata with a song twice": (
        written(METADATA, "song_id,title\n3,a\n"), ["metadata", "every song once", "3"]
    ),
    "metadata with text as song_id": (
        written(METADATA, "song_id,title\nx1,a\n"), ["metadata_2015.csv", "whole number", "x1"]
    ),
    "metadata with a song_id of thirty digits": (
        written(METADATA, f"song_id\n{'9' * 30}\n"), ["metadata_2015.csv", "whole number", "999"]
    ),
    "metadata with a cell without end": (
        written(METADATA, 'song_id\n"' + "x" * 200_000),
        ["metadata_2015.csv", "a CSV table", "limit"],
    ),
    "features of another length": (
        table("features/3.csv", lambda t: t.iloc[:40], sep=";"),
        ["3.csv", "up to the last label at 24.5 s", "19.5 s"],
    ),
    "features without frameTime": (
        text("features/3.csv", lambda t: t.replace("frameTime", "t")), ["3.csv", "frameTime"]
    ),
    "features on another grid": (
        table("features/3.csv", lambda t: t.set_axis(t.index * 2), sep=";"), ["3.csv", "0, 0.5, 1"]
    ),
    "features with a column missing": (
        table("features/4.csv", lambda t: t.iloc[:, 1:], sep=";"),
        ["4.csv", "columns of 3.csv", FEATURES[0]],
    ),
    "features with a column more": (
        table("features/4.csv", lambda t: t.assign(extra=1.0), sep=";"),
        ["4.csv", "columns of 3.csv", "extra"],
    ),
    "features with a hole": (
        text("features/3.csv", lambda t: re.sub(r"\n2.0;[^;]*", "\n2.0;", t)),
        ["3.csv", "finite", "at 2 s"],
    ),
    "broken gzip": (
        lambda d: (d / "features/3.csv").rename(d / "features/3.csv.gz"), ["3.csv.gz", "CSV table"]
    ),
    "True for a song": (
        text(VALENCE, lambda t: t.splitlines()[0] + CURVE_OF_TRUE),
        ["valence.csv", "numbers in 'song_id'", "True or False"],
    ),
    "rater on another scale": (
        table(PER_RATER / "valence/3.csv", lambda t: t * 100),
        ["valence/3.csv", "[-1, 1]", "WorkerId a", "look like"],
    ),
    "no rater files": (
        lambda d: [path.unlink() for path in (d / PER_RATER / "valence").iterdir()],
        ["valence", "<song_id>.csv"],
    ),
    "rater files of a song in one dimension only": (
        lambda d: (d / PER_RATER / "valence/3.csv").unlink(), ["only one of them for song 3"]
    ),
    "a folder in the place of a rater file": (
        lambda d: folder_instead(d / PER_RATER / "valence/3.csv"),
        ["valence/3.csv", "a CSV table", "a folder"],
    ),
    "True for a number": (
        table(VALENCE, lambda t: t.assign(sample_15000ms=True)),
        ["valence.csv", "numbers in the column", "True or False"],
    ),
    "a song_id of 64 bits": (
        text(VALENCE, lambda t: t.replace("\n3,", f"\n{2**63},")),
        ["valence.csv", "song_id below 2**53", "9.22337e+18"],
    ),
    "features of True": (
        table("features/4.csv", lambda t: t.astype(bool), sep=";"),
        ["4.csv", "numbers in the column", "True or False"],
    ),
    "development list without its mark": (written(LISTED, "song_id\n3\n"), [LISTED, "'certain'"]),
    "audio that is text": (
        lambda d: ((d / "MEMD_audio").mkdir(), (d / "MEMD_audio/3.mp3").write_text("text " * 999)),
        ["3.mp3", "expected audio"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(deam, name):
    spoil, parts = BAD[name]
    spoil(deam)
    with pytest.raises(DataError, match=r"expected .* found") as error:
        load_corpus(deam)
    message = str(error.value)
    assert all(part in message for part in parts), message
    assert ("look like" in message) == any("look like" in part for part in parts), message


# --- on the command line -------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["check", "scoreboard"])
def test_notes_are_printed_once(deam, capsys, command):
    rescale(deam, lambda t: (t + 1) / 2)
    song_level = pd.DataFrame({"a": 0.5, "b": range(11)}, pd.Index(SONGS, name="song_id"))
    song_level.to_csv(deam / "song_level_features.csv")
    options = ["--folds", "2"] if command == "scoreboard" else []
    assert main([command, str(deam), *options]) == 0
    printed = capsys.readouterr()
    notes = [line for line in printed.err.splitlines() if "note:" in line]
    assert len(notes) == 1
    assert "look like [0, 1]" in notes[0]
    if command == "scoreboard":
        assert "expected at least 10 for ten folds, found 5" in printed.out


def test_scoreboard_of_2013_is_the_cross_validation(deam, capsys):
    assert main(["scoreboard", str(deam), "--task", "2013", "--folds", "2"]) == 0
    printed = capsys.readouterr()
    assert "note: no scores on test songs: this task has no test songs" in printed.err
    assert re.search("CV +pooled +constant +raw", printed.out)
    assert "Test songs: none" in printed.out


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        ([2001, 2002], "'dev', found none in this task's data, which have 2 in"),
        ([4, 2001], "expected at least 2 songs to divide, found 1"),
        ([3, 4, 24], "expected 2 to 3 folds for as many songs, found 10"),
    ],
)
def test_too_few_songs_are_refused_before_training(deam, capsys, monkeypatch, kept, message):
    for name in ("features", AVERAGED / "song_level", PER_RATER):
        shutil.rmtree(deam / name)
    rescale(deam, lambda t: t.rename(index={17: 24}).loc[kept])
    monkeypatch.setattr("mer_core.models.Constant.fit", lambda *_: pytest.fail("trained"))
    assert main(["scoreboard", str(deam)]) == 1
    assert message in capsys.readouterr().err


# --- the real thing ------------------------------------------------------------------------------


def test_the_real_slice_of_deam(real_deam):
    with pytest.warns(DataWarning) as caught:
        corpus = load_corpus(real_deam)
    messages = [str(warning.message) for warning in caught if warning.category is DataWarning]
    assert sum("swapped back in 744 songs" in message for message in messages) == 1
    assert sum("swapped" in message for message in messages) == 1
    assert any("[2002, 2011, 2020, 2027, 2036, 2042, 2045]" in message for message in messages)
    table = describe(corpus)
    assert table.loc["songs"].tolist() == [1802, 431, 58]
    r = table.loc["r(valence, arousal) over song means"]
    assert r["dev"] == pytest.approx(0.617, abs=0.0005)
    assert r["test"] == pytest.approx(0.035, abs=0.0005)
    assert table.loc["r(valence, arousal) pooled", "test"] == pytest.approx(-0.197, abs=0.001)
    assert corpus.songs[["title", "artist", "genre", *DIMENSIONS]].notna().all(axis=None)


@pytest.mark.parametrize(("task", "dev", "test"), [("2013", 744, 0), ("2014", 744, 1000)])
def test_the_other_tasks_on_the_real_slice(real_deam, task, dev, test):
    with pytest.warns(DataWarning):
        split = load_corpus(real_deam, task=task).songs["split"].value_counts()
    assert (split.get("dev", 0), split.get("test", 0)) == (dev, test)
