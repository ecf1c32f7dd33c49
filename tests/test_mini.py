"""The embedded corpus: complete, like DEAM, learnable, and made again from its seed."""

import hashlib
import subprocess

import mido
import numpy as np
import pandas as pd
import pytest

import corpus_statistics
import learnability
import make_corpus
import song
from conftest import ROOT
from mer_core import Corpus, agreement, load_corpus
from mer_core.datasets import deam
from mer_core.features import duration, extract, read_audio
from mer_core.features.grid import grid
from mer_core.files import DataWarning
from mer_core.metrics import DIMENSIONS
from paths import TEST, cronbach_alpha
from workbook.raters import AROUSAL, VALENCE, Raters, relabel

MINI = ROOT / "data" / "mini"
TEST_DRAW = 989  # what make_corpus.nearest_test_draw() finds, in 20 s


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_corpus("mini")


@pytest.fixture(scope="module")
def jobs() -> list[song.Job]:
    return make_corpus.draw_jobs(TEST_DRAW)[0]


# --- what is there -------------------------------------------------------------------------------


def test_songs_and_splits(corpus):
    dev, test = corpus.split("dev"), corpus.split("test")
    assert len(dev.songs) >= 96
    assert len(test.songs) >= 16
    assert dev.songs["duration"].tolist() == pytest.approx([45.0] * len(dev.songs))
    assert test.songs["duration"].between(75, 150).all()
    assert set(test.songs["genre"]) == set(dev.songs["genre"])
    assert dev.songs["genre"].nunique() >= 6
    assert dev.labels.groupby("song_id").size().eq(60).all()
    assert not corpus.songs[["title", "artist", "genre", "audio"]].isna().any(axis=None)


def test_labels_are_the_mean_of_at_least_ten_raters_and_never_the_path(corpus):
    assert (
        corpus.ratings.groupby("song_id").apply(lambda s: s.index.unique("rater").size).min() >= 10
    )
    means = corpus.ratings.groupby(["song_id", "time"]).mean()
    pd.testing.assert_frame_equal(means, corpus.labels, check_names=False, atol=1e-5, rtol=0)
    latent = deam.annotations.read_curves(MINI / "latent" / "arousal.csv")
    apart = (latent.loc[corpus.labels.index] - corpus.labels["arousal"]).abs()
    assert 0.05 < apart.mean() < 0.3


def test_features_stand_on_the_grid_of_the_audio(corpus):
    rows = corpus.features.groupby("song_id").size()
    expected = corpus.songs["duration"].map(lambda seconds: len(grid(seconds)))
    assert rows.tolist() == expected.tolist()
    assert corpus.features.shape[1] == 260 + 4 + 8


def test_worlds_the_test_songs_in_development_palettes(corpus):
    test = corpus.split("test")
    folder = MINI / "features_development_palette"
    again = deam.feature_files.read_features(folder, test.songs.index)
    assert again.index.equals(test.features.index)
    apart = (again - test.features).abs().mean() / corpus.features.std()
    assert apart.median() > 0.2


def test_functionals_of_every_song(corpus):
    table = pd.read_parquet(MINI / "functionals.parquet")
    assert table.shape == (len(corpus.songs), 6373)
    assert table.index.equals(corpus.songs.index)
    assert np.isfinite(table.to_numpy()).all()
    assert "pcm_fftMag_mfcc_sma[1]_amean" in table


def test_tonal_features_are_those_of_the_audio(corpus):
    table = pd.read_parquet(MINI / "tonal.parquet").set_index(["song_id", "time"])
    assert table.index.equals(corpus.features.index)
    expected = extract(corpus.songs.loc[20, "audio"], ("tonal",))
    pd.testing.assert_frame_equal(table.loc[[20]].astype(float), expected, atol=2e-3, rtol=0)


def test_keys_are_those_that_were_composed(jobs):
    table = pd.read_csv(MINI / "keys.csv")
    assert table["song_id"].nunique() == len(jobs)
    for job in jobs[::20]:
        rows = [*table[table["song_id"] == job.song.song_id].itertuples(index=False, name=None)]
        assert rows == song.keys(job)
    assert table["tonic"].between(0, 11).all()


@pytest.mark.parametrize("song_id", [1, 20, 37, 2003, 2006, 2016])
def test_levels(corpus, song_id):
    path = corpus.songs.loc[song_id, "audio"]
    samples = read_audio(path)
    assert 0.1 < np.abs(samples).max() < 0.99
    assert len(samples) / 44_100 == pytest.approx(duration(path))
    blocks = samples[: len(samples) // 22_050 * 22_050].reshape(-1, 22_050)
    decibels = 10 * np.log10((blocks**2).mean(axis=1) + 1e-12)
    assert decibels.min() > -65
    assert -35 < 10 * np.log10((samples**2).mean()) < -12


def test_the_tree_stays_small():
    size = sum(path.stat().st_size for path in MINI.rglob("*") if path.is_file())
    assert size < 45e6
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert sum((ROOT / name).stat().st_size for name in listed.stdout.splitlines()) < 62e6


# --- like DEAM ------------------------------------------------------------------------------------


def test_statistics_are_deams():
    table = corpus_statistics.table(MINI)
    r = table.loc["r of song means"]
    assert 0.55 <= r["mini development"] <= 0.70
    assert abs(r["mini test"]) < 0.15
    for part in ("development", "test"):
        others = table.drop("r of song means")
        if part == "test":
            others = others.drop("r within songs, mean")  # DEAM's is 0.00
        ratio = others[f"mini {part}"] / others[f"DEAM {part}"]
        assert ratio.between(2 / 3, 4 / 3).all(), ratio
    assert abs(table.loc["r within songs, mean", "mini test"]) < 0.15


def test_the_data_card_has_this_table():
    card = (ROOT / "data" / "README.md").read_text()
    assert corpus_statistics.as_markdown(corpus_statistics.table(MINI)) in card


def test_figures_of_deam_are_deams(real_deam):
    with pytest.warns(DataWarning):
        table = deam.describe(load_corpus(real_deam))
    rows = {
        "r of song means": "r(valence, arousal) over song means",
        "r pooled over frames": "r(valence, arousal) pooled",
        "valence, sd within songs": "valence: sd within songs",
        "arousal, sd between songs": "arousal: sd between songs",
    }
    for ours, theirs in rows.items():
        for part, side in (("development", "dev"), ("test", "test")):
            assert corpus_statistics.DEAM.loc[ours, part] == pytest.approx(
                table.loc[theirs, side], abs=0.006
            )


def test_it_is_learned_like_the_real_thing_and_context_helps(corpus):
    table = learnability.cross_validated(corpus.split("dev"))
    assert 0.5 <= table.loc["ridge", "valence r"] <= 0.75
    assert 0.6 <= table.loc["ridge", "arousal r"] <= 0.85
    assert table.loc["SVR", "valence r"] < table.loc["SVR", "arousal r"]
    errors = table[["valence RMSE", "arousal RMSE"]]
    assert (errors.loc["ridge with 10 s of context"] < errors.loc["ridge"]).all()


# --- made again -----------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_labels(jobs, corpus):
    assert [job.song.song_id for job in jobs] == corpus.songs.index.tolist()
    for job in jobs:
        labels = job.ratings.mean(axis=0)
        assert labels == pytest.approx(corpus.labels.loc[job.song.song_id].to_numpy(), abs=2e-6)


@pytest.mark.parametrize("place", [0, 19, 95, 96, 111])
def test_the_same_path_gives_the_same_midi(jobs, place):
    stored = (MINI / "midi" / f"{jobs[place].song.song_id}.mid").read_bytes()
    assert song.midi_bytes(jobs[place]) == stored


def test_the_manifest_names_every_midi_file():
    lines = (MINI / "midi.sha256").read_text().splitlines()
    named = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert set(named) == {f"midi/{path.name}" for path in (MINI / "midi").glob("*.mid")}
    for name, digest in named.items():
        assert hashlib.sha256((MINI / name).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("song_id", [1, 20, 2006])
def test_every_note_ends(song_id):
    sounding = set()
    for message in mido.MidiFile(MINI / "midi" / f"{song_id}.mid"):
        if message.type == "note_on":
            sounding.add((message.channel, message.note))
        elif message.type == "note_off":
            sounding.discard((message.channel, message.note))
    assert not sounding


# --- other worlds ---------------------------------------------------------------------------------


def test_other_raters_and_another_correlation_need_no_rendering(jobs):
    paths = [job.path for job in jobs if job.song.whole]
    means = [
        np.array([ratings.mean(axis=(0, 1)) for ratings in relabel(paths, many, 1, correlation=r)])
        for many in [Raters(count=60, bias=(0.0, 0.0))]
        for r in (0.0, 0.8)
    ]
    r = [np.corrcoef(points.T)[VALENCE, AROUSAL] for points in means]
    assert r[0] == pytest.approx(0.0, abs=0.1)
    assert r[1] == pytest.approx(0.8, abs=0.1)


def test_relabelling_follows_the_seed_and_raters_who_ignore_lower_alpha(jobs):
    paths = [job.path for job in jobs if job.song.whole]
    first, again, other = (relabel(paths, TEST.raters, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again))
    assert not np.array_equal(first[0], other[0])
    deaf = relabel(paths, Raters(ignoring=(0.9, 0.0)), 1)
    keen = relabel(paths, Raters(ignoring=(0.0, 0.0)), 1)
    alpha = [np.mean([cronbach_alpha(song)[VALENCE] for song in songs]) for songs in (deaf, keen)]
    assert alpha[0] < alpha[1] - 0.3


def test_alpha_of_the_composer_is_the_packages(jobs):
    ratings = jobs[0].ratings
    expected = [agreement.cronbach_alpha(ratings[:, :, k].T) for k in range(len(DIMENSIONS))]
    assert cronbach_alpha(ratings).tolist() == expected
