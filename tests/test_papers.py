"""The papers' numbers against the papers' text, the claims' form, and ours beside theirs."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from conftest import ROOT, SHARED
from mer_core import models
from mer_core.files import DataError
from mer_core.metrics import DIMENSIONS, METRICS
from workbook.papers import claims, compare, comparisons, published, systems
from workbook.results import stored_scores
from workbook.studies import STUDIES
from workbook.studies.song_systems import SYSTEMS as SYSTEMS_OF_SONGS

TEXTS = {
    "irit_2015": "irit_rnn_2015.txt",
    "munich_2014": "munich_lstm_2014.txt",
    "munich_2015": "munich_lstm_2015.txt",
    "tsinghua_2016": "tsinghua_dblstm_elm_2016.txt",
    "herremans_2019": "herremans_tnn_vae_2019.txt",
}
SYSTEMS = {
    *("linear, no penalty", "SVR", "SVM", "PCA-SVM", "TNN-SVM"),
    *("Elman", "Elman, second network", "LSTM"),
    *(f"Elman, {kind}" for kind in ("PCA", "kernel PCA", "denoising autoencoder")),
    *(f"LSTM 2014 run {run}" for run in range(1, 6)),
    *(f"LSTM 2015 run {run}" for run in range(1, 5)),
    *(f"BLSTM {length}" for length in (10, 20, 30, 60)),
    *(f"BLSTM {fusion}" for fusion in ("average", "average, pretrained with test songs")),
    *("BLSTM-ELM", "BLSTM-ELM, pretrained with test songs"),
    *("AE-LSTM", "VAE-LSTM", "CNN-LSTM", "BLSTM, one network"),
}
VOCABULARY = {
    "paper": set(TEXTS),
    "table": {"table 1", "table 1a", "table 1b", "table 2", "table 3", "figure 4"}
    | {"abstract", "section 3", "section 4.1", "log"},
    "split": {"development", "CV", "validation", "held-out", "test", "test 2014", "not stated"},
    "aggregation": {"pooled", "mean per song", "not stated"},
    "dimension": set(DIMENSIONS),
    "metric": {"rmse", "pearson", "r2", "p", "alpha"},
    "scale": {"2015 task, development", "2015 task, test", "2014 task", "DEAM"}
    | {"2013 task, song level"},
    "source": {"table", "text", "log", "not in our source"},
    "run": {"", "1", "2", "3", "4", "5"},
    "ours": SYSTEMS | {""},
    "our_features": {"", "FS1", "FS2", "268"},
    "output": {"", "raw", "smoothed"},
    "protocol": {"", "CV", "validation", "held-out", "test"},
}
KEY = ["paper", "table", "system", "run", "features", "pretraining", "split"]
KEY += ["aggregation", "dimension", "metric"]


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    folder = SHARED / "papers"
    if not folder.is_dir():
        where = Path("..") / "shared" / "papers"
        pytest.skip(f"needs the papers' texts in {where}, which are not part of the repository")
    return {paper: (folder / name).read_text() for paper, name in TEXTS.items()}


def table(paper: str, name: str, *by: str) -> pd.DataFrame:
    rows = published().query("paper == @paper and table == @name and source == 'table'")
    return rows[[*by, "value", "sd"]].set_index(list(by)) if by else rows


def numbers(text: str) -> list[tuple[float, float]]:
    """Values with their sd, NaN where there is none, in the order of the text."""
    found = re.findall(r"(-?\d*\.\d+)(?:\s*±\s*(\d*\.\d+))?", text)
    return [(float(value), float(sd or "nan")) for value, sd in found]


# The papers' tables -----------------------------------------------------------------------------


def test_every_row_uses_the_vocabulary_and_none_is_there_twice():
    rows = published()
    for column, known in VOCABULARY.items():
        assert set(rows[column]) <= known, column
    assert (rows[["system", "features", "pretraining"]] != "").all(axis=None)
    assert not rows.duplicated(KEY).any()


def test_values_are_in_range_and_missing_only_where_the_source_is():
    rows = published()
    lost = rows["source"] == "not in our source"
    counts = rows[lost].groupby(["paper", "table"]).size().to_dict()
    assert counts == {("munich_2014", "table 1"): 20, ("herremans_2019", "figure 4"): 10}
    assert (rows["value"].isna() == lost).all()
    assert rows[["value", "sd"]].stack().dropna().between(0, 1).all()
    assert (rows.loc[rows["sd"].notna(), "aggregation"] == "mean per song").all()
    beside = rows["ours"] != ""
    assert (rows.loc[beside, ["output", "protocol"]] != "").all(axis=None)
    assert (rows.loc[~beside, ["output", "protocol", "our_features"]] == "").all(axis=None)
    assert beside[rows["source"] == "table"].all()


def test_text_repeats_its_paper_s_table_but_for_what_is_noted():
    rows = published()
    key = [name for name in KEY if name != "table"] + ["value"]
    text, tables = rows[rows["source"] == "text"], rows[rows["source"] == "table"]
    text = text[text["metric"] != "alpha"]  # of raters: in no table
    repeated = text[key].merge(tables[key], how="left", indicator=True)["_merge"].eq("both")
    odd = text[~repeated.to_numpy()]
    assert set(odd["paper"]) == {"irit_2015", "munich_2014"}
    assert (odd["note"] != "").all()


@pytest.mark.parametrize("paper", TEXTS)
def test_every_number_occurs_in_its_paper(texts, paper):
    text = re.sub(r"\b0\n(\d{3}) \(", r"0.\1 (", texts[paper])  # Munich 2014's broken sentences
    if paper == "irit_2015":
        text += (SHARED / "mediaeval2015_task" / "irit_results.txt").read_text()
    found = numbers(text)
    values = {value for value, _ in found}
    rows = published().query("paper == @paper").dropna(subset="value")
    assert len(rows)
    assert set(rows["value"]) <= values
    with_sd = rows.dropna(subset="sd")
    assert set(zip(with_sd["value"], with_sd["sd"])) <= set(found)


def test_irit_s_table_is_the_text_s(texts):
    lines = re.findall(r"^(?:<i>|\+ |lr).*\t.*$", texts["irit_2015"], re.M)
    assert len(lines) == 8
    columns = list(product(("CV", "test"), DIMENSIONS, ("rmse", "pearson")))
    ours = table("irit_2015", "table 1", "system", "features", "split", "dimension", "metric")
    names = ["lr", "BSL", "rnn", "rnn + smoothing", "rnn + smoothing + rnn2"]
    expected, features = {}, None
    for line, name in zip(lines, names + names[2:]):
        features = (re.findall(r"(\d+) feat", line) or [features])[0]
        for column, cell in zip(columns, line.split("\t")[1:]):
            if cell != "N/A":
                expected[name, features, *column] = numbers(cell)[0]
    assert len(expected) == 52
    theirs = pd.DataFrame(expected, index=["value", "sd"]).T.rename_axis(ours.index.names)
    pd.testing.assert_frame_equal(ours.sort_index(), theirs.sort_index())


def test_munich_s_columns_are_the_text_s(texts):
    text = texts["munich_2015"].split("Table 1: Results")[1]
    arousal, valence = (
        part.split("model’s")[0] for part in text.split("Arousal")[1].split("Valence")[:2]
    )
    runs = re.findall(r"^(\d|CB|me14)$", text.split("Arousal")[0], re.M)
    assert runs == ["2", "3", "4", "CB"] * 2 + ["2", "3", "4", "me14"] * 2
    blocks = [(name, metric) for name in ("table 1a", "table 1b") for metric in ("rmse", "pearson")]
    for dimension, part in (("arousal", arousal), ("valence", valence)):
        for number, (name, metric) in enumerate(blocks):
            of_block = slice(4 * number, 4 * number + 4)
            rows = table("munich_2015", name)
            rows = rows[(rows["dimension"] == dimension) & (rows["metric"] == metric)]
            label = rows["run"].where(rows["run"] != "", rows["system"])
            assert list(label) == runs[of_block]
            assert list(zip(rows["value"], rows["sd"])) == numbers(part)[of_block]


def test_tsinghua_s_tables_are_the_text_s(texts):
    lines = [line.split("\t") for line in texts["tsinghua_2016"].splitlines() if "\t0." in line]
    cells = [[float(cell) for cell in line[1:]] for line in lines]
    assert [len(line) for line in cells] == [4] * 4 + [2] * 8
    names = ("table 1", "table 2", "table 3")
    for name, part in zip(names, (cells[:4], cells[4:8], cells[8:])):
        assert list(table("tsinghua_2016", name)["value"]) == [
            cell for line in part for cell in line
        ]
    labels = [re.sub(r"[ (].*", "", line[0]) for line in lines[4:]]
    systems = [table("tsinghua_2016", name)["system"][::2] for name in names[1:]]
    assert labels == list(pd.concat(systems))
    per_length = table("tsinghua_2016", "table 1")
    assert list(per_length["split"][:4]) == ["validation"] * 2 + ["test"] * 2
    assert list(per_length["dimension"][:4]) == ["valence", "arousal"] * 2
    assert list(per_length["system"][::4]) == [f"DBLSTM, length {line[0]}" for line in lines[:4]]


def test_herremans_table_is_the_text_s(texts):
    found = re.findall(r"^(\S*SVM) \(.*\)\t([\d.]+)\t([\d.]+)$", texts["herremans_2019"], re.M)
    rows = table("herremans_2019", "table 1").set_index(["system", "dimension"])["value"]
    assert rows.unstack()[DIMENSIONS].T.to_dict("list") == {
        name: [float(valence), float(arousal)] for name, valence, arousal in found
    }


def test_the_same_result_in_several_papers_is_the_same_number():
    rows = published().dropna(subset="value").query("ours != '' and protocol == 'test'")
    for ours in ("linear, no penalty", "LSTM 2015 run 2", "LSTM 2014 run 4"):
        same = rows[rows["ours"] == ours].groupby(["dimension", "metric"])["value"]
        assert same.size().max() > 1
        assert (same.nunique() == 1).all()


# The claims -------------------------------------------------------------------------------------


def test_claims_are_named_worded_and_open():
    table = claims()
    assert table.index.is_unique
    assert all(re.fullmatch(r"[a-z]+\d*(-[a-z0-9]+)+", name) for name in table.index)
    assert set(table["paper"]) == set(TEXTS)
    assert (table[["claim", "where", "comparison"]] != "").all(axis=None)
    assert table["claim"].str.endswith(".").all()
    without = table[~table.index.isin(comparisons()["claim"])]["comparison"]
    words = "not two rows|no predictions|split into|As for|nearest neighbours|Cronbach"
    assert without.str.contains(words).all()


def test_comparisons_name_what_there_is():
    pairs = comparisons()
    assert set(pairs["claim"]) <= set(claims().index)
    assert set(pairs["relation"]) == {"better", "no worse", "alike"}
    assert set(pairs["metric"]) <= set(METRICS)
    assert set(pairs["aggregation"]) <= {"pooled", "mean", "sd"}
    assert ((pairs["wanted"] == "lower") == (pairs["metric"] == "rmse")).all()
    for side in ("better", "worse"):
        assert set(pairs[f"{side}_system"]) <= SYSTEMS
        assert set(pairs[f"{side}_features"]) <= VOCABULARY["our_features"]
        for level in ("output", "protocol", "dimension"):
            assert set(pairs[f"{side}_{level}"]) <= VOCABULARY[level] - {""}
    assert not pairs.duplicated().any()


def test_a_comparison_asks_for_rows_that_its_systems_have():
    names = ["system", "output", "protocol", "features"]
    stored = stored_scores().reset_index()
    features = stored.groupby(names[:3])["features"].agg(set)
    for side in ("better", "worse"):
        for *cell, wanted in comparisons()[[f"{side}_{name}" for name in names]].to_numpy():
            if cell[0] in set(stored["system"]):
                assert not wanted or wanted in features[tuple(cell)], (cell, wanted)
                assert features[tuple(cell)], cell


def test_dimensions_and_metrics_are_crossed_and_sides_filled():
    pairs = comparisons().set_index("claim")
    linear = pairs.loc["irit-rnn-beats-linear"]
    assert set(zip(linear["better_dimension"], linear["metric"])) == {
        (dimension, metric) for dimension in DIMENSIONS for metric in ("rmse", "pearson")
    }
    assert (linear["worse_dimension"] == linear["better_dimension"]).all()
    fails = pairs.loc["irit-valence-fails-on-test"]
    assert set(zip(fails["better_protocol"], fails["worse_protocol"])) == {("CV", "test")}


def paper_value(pair: pd.Series, side: str, paper: str) -> float:
    """The paper's own number for one side of a comparison of its claim; NaN if it prints none."""
    rows = published().query("paper == @paper and ours != ''")
    rows["aggregation"] = rows["aggregation"].where(rows["aggregation"] == "pooled", "mean")
    wanted = {name: pair[f"{side}_{name}"] for name in ("output", "protocol", "dimension")}
    wanted |= {"ours": pair[f"{side}_system"], "our_features": pair[f"{side}_features"]}
    wanted |= {name: pair[name] for name in ("aggregation", "metric")}
    wanted = {name: value for name, value in wanted.items() if value}
    values = rows[(rows[list(wanted)] == list(wanted.values())).all(axis=1)]["value"]
    assert values.nunique() <= 1
    return values.mean()


def test_the_papers_own_numbers_bear_their_claims_out_but_for_known_ones():
    """Where a paper prints both sides, they agree with its words; the rest is told in words."""
    papers, checked, contrary = claims()["paper"], set(), set()
    for _, pair in comparisons().query("relation != 'alike'").iterrows():
        paper = papers[pair["claim"]]
        better, worse = (paper_value(pair, side, paper) for side in ("better", "worse"))
        gain = worse - better if pair["wanted"] == "lower" else better - worse
        if not np.isnan(gain):
            checked.add(pair["claim"])
            if gain < 0 or (gain == 0 and pair["relation"] == "better"):
                contrary.add((pair["claim"], pair["better_dimension"], pair["metric"]))
    assert len(checked) >= 25
    assert contrary == {
        ("irit-268-helps", "arousal", "rmse"),  # 0.238 on both sides, second network
        ("irit-second-network-helps", "arousal", "rmse"),  # 0.238 on both sides, 268 features
        ("irit-second-network-best-arousal-on-test", "arousal", "rmse"),  # 0.244 against 0.243
        ("irit-preprocessing-brings-nothing", "valence", "rmse"),  # kernel PCA in IRIT's log
        ("irit-preprocessing-brings-nothing", "valence", "pearson"),
        ("irit-valence-harder", "arousal", "pearson"),  # in cross-validation
        ("munich15-valence-below-baseline", "valence", "pearson"),  # runs 3 and 4
        ("tsinghua-test-songs-in-pretraining-help", "valence", "rmse"),  # the average, 0.331
    }


# Ours beside theirs -----------------------------------------------------------------------------

LEVELS = ["system", "features", "output", "protocol", "seed", "dimension", "aggregation"]


def results(*rows: tuple, **values: float) -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples(rows, names=LEVELS)
    return pd.DataFrame({metric: values.get(metric, 0.5) for metric in METRICS}, index=index)


def elman(seed: int = 0, protocol: str = "test", aggregation: str = "mean") -> tuple:
    return ("Elman", "FS1", "smoothed", protocol, seed, "arousal", aggregation)


def row(rows: pd.DataFrame, /, **wanted: str) -> pd.Series:
    (found,) = rows[(rows[list(wanted)] == list(wanted.values())).all(axis=1)].index
    return rows.loc[found]


SMOOTHED = {"paper": "irit_2015", "system": "rnn + smoothing", "features": "260"}
VALENCE_R = {"dimension": "valence", "metric": "pearson"}
SMOOTHED |= {"table": "table 1", "dimension": "arousal", "split": "test"}


def test_compare_gives_the_papers_rows_in_their_order_whatever_ours_are():
    rows = compare(results(elman()))
    added = ["ours_value", "ours_spread", "ours_sd", "difference", "comparable"]
    assert list(rows) == [*published(), *added]
    pd.testing.assert_frame_equal(rows[KEY], published()[KEY])
    assert rows["comparable"].str.endswith(".").all()
    unknown = results(("ridge of ours", "FS1", "raw", "CV", 0, "valence", "mean"))
    for ours in (unknown, unknown.iloc[:0]):
        rows = compare(ours)
        assert len(rows) == len(published())
        assert rows["ours_value"].isna().all()


def test_compare_averages_seeds_and_keeps_their_spread():
    values = {(0, "mean"): 0.20, (1, "mean"): 0.22, (0, "sd"): 0.05, (1, "sd"): 0.07}
    ours = pd.concat(
        [results(elman(seed, aggregation=kind), rmse=v) for (seed, kind), v in values.items()]
    )
    found = row(compare(ours), **SMOOTHED, metric="rmse")
    assert found["value"] == 0.247
    assert found["ours_value"] == pytest.approx(0.21)
    assert found["ours_spread"] == pytest.approx(np.std([0.20, 0.22], ddof=1))
    assert found["ours_sd"] == pytest.approx(0.06)
    assert found["difference"] == pytest.approx(0.21 - 0.247)
    one = row(compare(results(elman()).droplevel("seed")), **SMOOTHED, metric="rmse")
    assert one["ours_value"] == 0.5
    assert np.isnan(one["ours_spread"])


def test_a_pooled_row_takes_ours_pooled_and_a_row_per_song_the_mean():
    pooled = results(elman(protocol="CV", aggregation="pooled"), pearson=0.6)
    ours = pd.concat([pooled, results(elman(protocol="CV", aggregation="mean"), pearson=0.4)])
    found = row(compare(ours), **SMOOTHED | {"split": "CV"}, metric="pearson")
    assert (found["aggregation"], found["ours_value"]) == ("pooled", 0.6)
    assert row(compare(ours), **SMOOTHED, metric="pearson")["comparable"].startswith("Not run")


GAPS = {
    "does not state its aggregation": (
        ("Elman", "FS1", "smoothed", "test", 0, "arousal", "mean"),
        {"paper": "tsinghua_2016", "system": "RNN+smooth", "dimension": "arousal"},
    ),
    "Not in our source": (
        ("LSTM 2014 run 1", "FS1", "raw", "test", 0, "valence", "mean"),
        {"paper": "munich_2014", "run": "1", "dimension": "valence", "metric": "rmse"},
    ),
    "chose its models on these very songs": (
        ("LSTM 2015 run 2", "FS2", "raw", "held-out", 0, "valence", "mean"),
        {"system": "LSTM-RNN", "run": "2", "table": "table 1b", **VALENCE_R},
    ),
}


@pytest.mark.parametrize("reason", GAPS)
def test_a_row_with_a_gap_in_its_paper_says_so(reason):
    ours, wanted = GAPS[reason]
    found = row(compare(results(ours)), **wanted)
    assert found["ours_value"] == 0.5
    assert reason in found["comparable"]
    assert np.isnan(found["difference"]) == (found["source"] == "not in our source")


def test_what_is_not_run_lost_or_repeated_says_so():
    rows = compare(results(elman()))
    run, known = rows["ours_value"].notna(), rows["ours"] != ""
    lost = rows["source"] == "not in our source"
    for some, reason in (
        (lost, "Not in our source"),
        (~run & ~lost & known, "Not run"),
        (~known, "We have no such system"),
    ):
        assert rows.loc[some, "comparable"].str.startswith(reason).all()
    assert rows.loc[~run, "difference"].isna().all()


@pytest.mark.parametrize(("corpus", "synthetic"), [("mini", True), ("DEAM", False)])
def test_an_rmse_s_difference_means_nothing_and_an_r_s_its_direction(corpus, synthetic):
    rows = compare(results(elman()), corpus=corpus)
    error, r = (row(rows, **SMOOTHED, metric=k)["comparable"] for k in ("rmse", "pearson"))
    assert error.startswith("The difference means nothing")
    assert "unit of its labels" in error
    assert r.startswith("Only the direction")
    assert ("synthetic" in error, "synthetic" in r) == (synthetic, synthetic)


def test_every_comparison_gives_a_reason_even_on_deam():
    rows = published().query("ours != ''")
    index = ["ours", "our_features", "output", "protocol", "dimension"]
    cells = {
        (*cell[:4], 0, cell[4], how)
        for cell in rows[index].itertuples(index=False)
        for how in ("mean", "pooled")
    }
    sentences = compare(results(*cells), corpus="DEAM").dropna(subset="difference")["comparable"]
    assert len(sentences) > 120
    assert sentences.str.fullmatch(r"[^:]+: [^:]+\.").all()


def test_a_row_that_leaves_our_features_open_takes_what_there_is():
    found, cell = {"167": 0.35, "functionals": 0.4}, ("raw", "CV", 0, "valence", "pooled")
    ours = [results(("SVM", name, *cell), r2=value) for name, value in found.items()]
    rows = compare(pd.concat(ours)).query("system == 'SVM' and dimension == 'valence'")
    assert dict(zip(rows["our_features"], rows["ours_value"])) == found
    nameless = compare(results(("SVM", "", *cell)))
    assert len(nameless) == len(published())


def test_ours_without_r_is_undefined_and_one_seed_without_it_too():
    for ours in (
        results(elman(), pearson=np.nan),
        pd.concat([results(elman(0)), results(elman(1), pearson=np.nan)]),
    ):
        found = row(compare(ours), **SMOOTHED, metric="pearson")
        assert np.isnan(found["ours_value"])
        assert found["comparable"].startswith("Undefined in ours")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda ours: ours.droplevel("aggregation"), "expected an index of"),
        (lambda ours: ours.reset_index(), "expected an index of"),
        (lambda ours: ours.drop(columns="ccc"), r"found none for \['ccc'\]"),
        (lambda ours: ours.assign(rmse="0.2"), r"expected numbers, found .*rmse"),
        (lambda ours: pd.concat([ours, ours]), "every row once"),
        (lambda ours: ours.rename({"test": "Eval"}), r"protocol to be one of .*\['Eval'\]"),
        (lambda ours: ours.rename({"arousal": "energy"}), r"dimension to be .*\['energy'\]"),
        (lambda ours: ours.rename({"mean": "median"}), r"aggregation to be .*\['median'\]"),
        (lambda ours: ours.rename({"Elman": np.nan}), r"system to be a name in every row"),
    ],
)
def test_malformed_results_are_named(spoil, message):
    with pytest.raises(DataError, match=f"ours: .*{message}|ours: {message}"):
        compare(spoil(results(elman())))


@pytest.mark.parametrize(("system", "row"), list(systems().iterrows()), ids=systems().index)
def test_every_system_has_its_class_lesson_test_and_table(system, row):
    assert set(row["papers"].split("|")) <= set(TEXTS)
    assert hasattr(models, row["class"])
    assert list((ROOT / "notebooks" / "source").glob(f"{row['lesson']}_*.py"))
    test = (ROOT / "tests" / f"{row['test']}.py").read_text()
    assert row["class"] in test or (system in SYSTEMS_OF_SONGS and "in SYSTEMS" in test)
    labels = {label[0] for label, _ in STUDIES[row["table"]].units}
    assert system in labels or row["table"] == "multiscale"


def test_no_system_of_the_papers_is_left_out():
    sides = {name for side in ("better", "worse") for name in comparisons()[f"{side}_system"]}
    assert set(systems().index) >= set(published()["ours"]) - {""} | sides
