"""Why valence fails: the choice of songs, ceilings, r within songs; the page and its verdicts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mer_core.corpus import SONG_COLUMNS, Corpus
from workbook import conclusions, paper_tables, papers, real_music, results, valence_verdicts
from workbook.studies import valence_sides


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def selected(rng) -> Corpus:
    """Sixty songs of 2013, all with features; r within songs is 1 in the first half, the "dev"."""
    index = pd.MultiIndex.from_product([range(60), [15.0, 15.5, 16.0]], names=["song_id", "time"])
    arousal = rng.normal(size=len(index))
    chosen = index.get_level_values(0) < 30
    noise = rng.normal(size=len(index))
    labels = pd.DataFrame({"valence": np.where(chosen, arousal, noise), "arousal": arousal}, index)
    songs = pd.DataFrame(index=pd.Index(range(60), name="song_id"), columns=SONG_COLUMNS)
    songs = songs.assign(split=np.where(songs.index < 30, "dev", "none"), year=2013)
    features = pd.DataFrame({"x": 0.0}, index)
    return Corpus(songs, labels / 10, features)


def test_the_songs_that_were_selected_are_told_from_the_others(selected):
    table = valence_sides.compare_selected(selected, years="2013")["value"]
    assert table["selected", "within songs"] == pytest.approx(1)
    assert abs(table["others", "within songs"]) < 0.5
    difference = table["selected"] - table["others"]
    kinds = [*valence_sides.KINDS]
    assert np.allclose(difference[kinds], table["difference"][kinds])


@pytest.mark.parametrize("data", ["deam", "vgmidi"])
def test_parts_of_r_within_songs_add_up(data):
    table = results.table("valence_within").loc[data, "value"]
    assert table["r"] == pytest.approx(table["through arousal"] + table["beyond arousal"], abs=1e-4)


def test_the_first_figure_has_published_scores_and_the_labels():
    table = valence_verdicts.beside_arousal()
    assert table["published"].tolist() == [0.198, 0.458, 0.026]
    assert table["value"].round(2).tolist() == [0.25, 0.48, -0.0]


def test_every_verdict_has_an_interval_and_a_table_that_exists():
    for name, row in valence_verdicts.verdicts().iterrows():
        assert "[" in row["result"], name
        for study in row["table"].split():
            assert len(results.table(study)), name


def test_planted_cures_are_differences_of_planted_scores():
    gains = valence_verdicts.planted_cures()["value"]
    scores = valence_verdicts.planted_scores().astype(float)
    for (cure, fault), gain in gains.items():
        expected = scores.loc[fault, cure] - scores.loc[fault, "ridge"]
        assert gain == pytest.approx(expected, abs=0.011)


def test_fewer_raters_have_a_lower_ceiling():
    ceilings = [valence_verdicts.few_raters(k)["value"] for k in (1, 5, 30)]
    assert ceilings == sorted(ceilings)
    assert ceilings[-1] < 1


@pytest.mark.parametrize("page", [valence_verdicts, paper_tables])
def test_the_page_has_the_stored_tables(page):
    text = page.PAGE.read_text()
    assert real_music.filled(text, page.tables()) == text


def test_each_conclusion_has_songs_and_each_difference_what_they_detect():
    table = conclusions.conclusions()
    assert set(table.index) == {"use", "do not believe", "nobody knows"}
    assert table["songs"].str.fullmatch(r"\d+").all()
    differences = table["statement"].str.contains("minus|gains|beats")
    assert (table["detects"][differences] != "–").all()


def test_every_claim_has_a_verdict_or_a_lesson():
    listed = {*paper_tables.verdicts().index, *paper_tables.ELSEWHERE}
    assert listed == {*papers.claims().index}
    assert (paper_tables.tally().sum() == len(paper_tables.verdicts())).all()
