"""Studies: what is cached, what a fault costs, and whether the stored tables are reproduced."""

from __future__ import annotations

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import soundfile

import sweeps
from conftest import ROOT, SHARED
from mer_core import evaluation, features, load_corpus, models
from mer_core.__main__ import main
from mer_core.features import batch
from mer_core.features.sets import choose
from mer_core.files import DataError, DataWarning
from mer_core.metrics import score, score_songs
from mer_core.smoothing import moving_average
from stress import kills
from workbook import results, studies
from workbook.studies import baselines, harmony, paper_settings
from workbook.studies.pretrained import real_songs
from workbook.studies.real import all_music, vgmidi_pieces
from workbook.studies.songs import mini_songs
from workbook.studies.task_scale import task_songs
from workbook.units import fingerprint, run

FOLDS = Path(inspect.getsourcefile(evaluation.k_folds)).name
LINEAR = models.Linear(ridge=10)


@pytest.fixture(scope="module")
def corpus():
    return sweeps.tiny_corpus()


@pytest.fixture(scope="module")
def mini():
    return load_corpus("mini")


# What is computed, and that it is kept


@pytest.mark.parametrize("processes", [1, 2])
def test_the_second_call_computes_nothing_and_gives_the_same(corpus, tmp_path, processes):
    units = sweeps.units(tmp_path / "log", 5)
    settings = {"cache": tmp_path / "store", "processes": processes}
    first = run(sweeps.logged, units, corpus, **settings)
    again = run(sweeps.logged, units, corpus, **settings)
    assert sorted(sweeps.calls(tmp_path / "log")) == [0, 1, 2, 3, 4]
    assert [unit for unit, _ in first.done] == units == [unit for unit, _ in again.done]
    for number, ((_, frame), (_, kept)) in enumerate(zip(first.done, again.done)):
        expected = sweeps.logged(corpus, log=str(tmp_path / "other"), number=number)
        pd.testing.assert_frame_equal(frame, expected, check_exact=True)
        pd.testing.assert_frame_equal(kept, expected, check_exact=True)


def test_a_fold_all_folds_and_the_test_songs(corpus, tmp_path):
    units = studies.product(
        setting=[LINEAR], features=["FS1"], fold=[*range(10), "all", "test"], seed=[4]
    )
    found = run(studies.predict, units, corpus, cache=tmp_path, processes=1)
    frames = [frame for _, frame in found.done]
    dev = corpus.split("dev")
    folds = evaluation.k_folds(dev.songs.index, seed=4)
    whole = evaluation.cross_validate(models.Linear(ridge=10), dev, folds)
    pd.testing.assert_frame_equal(pd.concat(frames[:10]).sort_index(), whole)
    pd.testing.assert_frame_equal(frames[10], whole)
    test = models.Linear(ridge=10).fit(dev.features, dev.labels)
    pd.testing.assert_frame_equal(frames[11], test.predict(corpus.split("test").features))


def test_the_papers_feature_sets(mini):
    widths = {k: choose(mini.features, v).shape[1] for k, v in studies.FEATURE_SETS.items()}
    assert widths == {"FS1": 260, "FS2": 264, "268": 268}
    assert set(results.table("baselines").index.unique("features")) == set(widths)


# Settings are models


def test_a_seed_is_given_to_a_model_and_those_within_it_but_not_over_their_own():
    setting = models.FoldEnsemble(network=models.LSTM(hidden=(4,)), trials=1)
    made = studies.with_seed(setting, 3)
    assert made == replace(setting, seed=3, network=models.LSTM(hidden=(4,), seed=3))
    assert (setting.seed, setting.network.seed) == (0, 0)
    own = models.SecondNetwork(first=models.ElmanRNN(seed=5))
    made = studies.with_seed(own, 3)
    assert (made.seed, made.first.seed, made.second.seed) == (3, 5, 3)
    assert studies.with_seed(models.Linear(ridge=7), 3) == models.Linear(ridge=7)


def test_computing_leaves_the_setting_as_it_was(corpus):
    setting = models.LSTM(hidden=(2,), epochs=1, pretrain="keep", pretrain_epochs=1)
    ensemble = models.Preprocessed(network=setting, components=2)
    before = joblib.hash(ensemble)
    studies.predict(corpus, setting=ensemble, features="FS1", fold="test", seed=1)
    assert joblib.hash(ensemble) == before


def test_all_processes_have_the_same_key_for_a_unit():
    code = (
        "import sys; from workbook import studies; from workbook.units import _key;"
        "units = [unit for study in studies.STUDIES.values() for _, unit in study.units[:40:5]];"
        "print([_key(studies.predict, unit, 'data') for unit in units])"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    (keys,) = found
    assert keys.count(",") > 10


def test_every_setting_makes_a_key_of_its_own():
    units = [unit for study in studies.STUDIES.values() for _, unit in study.units]
    settings = {repr(unit["setting"]): unit["setting"] for unit in units if "setting" in unit}
    assert len({joblib.hash(setting) for setting in settings.values()}) == len(settings) > 20


# What makes a unit another one


def test_other_data_is_another_result(corpus, tmp_path):
    whole = fingerprint(corpus)
    louder = replace(corpus, features=corpus.features * 1.01)
    renamed = replace(corpus, features=corpus.features.add_prefix("x"))
    shifted = replace(corpus, labels=corpus.labels + 1e-9)
    moved = replace(corpus, songs=corpus.songs.assign(split="dev"))
    assert len({fingerprint(c) for c in (corpus, louder, renamed, shifted, moved)}) == 5
    elsewhere = replace(corpus, songs=corpus.songs.assign(audio="/elsewhere/1.ogg"))
    assert fingerprint(elsewhere) == whole


def test_other_code_is_another_result(corpus, tmp_path, monkeypatch):
    units = sweeps.units(tmp_path / "log", 1)
    settings = {"cache": tmp_path / "cache", "processes": 1}
    run(sweeps.logged, units, corpus, **settings)
    monkeypatch.setattr("workbook.units._code", lambda source: "an edit")
    run(sweeps.logged, units, corpus, **settings)
    assert sweeps.calls(tmp_path / "log") == [0, 0]


# Faults


def test_failed_units_are_reported_and_computed_again(corpus, tmp_path):
    units = studies.product(number=range(6), broken=[[2, 4]])
    with pytest.warns(UserWarning, match="2 of 6 units failed.* ArithmeticError: number [24] is"):
        found = run(sweeps.failing, units, corpus, cache=tmp_path, processes=2)
    assert [unit["number"] for unit, _ in found.done] == [0, 1, 3, 5]
    assert sorted(unit["number"] for unit, _ in found.failures) == [2, 4]
    assert "in failing" in found.failures[0][1]
    assert len(sweeps.kept(sweeps.failing, tmp_path, units)) == 4
    with pytest.warns(UserWarning, match="2 of 6"):
        run(sweeps.failing, units, corpus, cache=tmp_path, processes=1)


def test_units_without_a_frame_and_functions_of_no_module_are_refused(corpus, tmp_path):
    with pytest.warns(UserWarning, match="expected a DataFrame, found NoneType"):
        found = run(sweeps.odd, [{"what": "none"}], corpus, cache=tmp_path, processes=1)
    assert len(found.failures) == 1
    with pytest.raises(ValueError, match="importable module"):
        run(lambda corpus: None, [{}], corpus, cache=tmp_path)


def test_a_dead_worker_is_reported_and_finished_units_are_kept(corpus, tmp_path):
    units, log = sweeps.units(tmp_path / "log", 3), tmp_path / "log"
    run(sweeps.logged, units, corpus, cache=tmp_path / "c")
    with pytest.raises(RuntimeError, match=r"a worker process died. Finished units are kept"):
        run(sweeps.odd, [{"what": "dies"}], corpus, cache=tmp_path / "c", processes=2)
    run(sweeps.logged, units, corpus, cache=tmp_path / "c")
    assert len(sweeps.calls(log)) == 3


@pytest.mark.parametrize("damage", ["cut", "empty", "middle"])
def test_a_damaged_file_is_computed_again(corpus, tmp_path, damage):
    log, place = tmp_path / "log", tmp_path / "cache"
    settings = {"cache": place, "processes": 1}
    first = run(sweeps.logged, sweeps.units(log, 2), corpus, **settings)
    path = sorted(place.rglob("output.pkl"))[0]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content[: {"cut": len(content) // 2, "empty": 0}.get(damage)])
    again = run(sweeps.logged, sweeps.units(log, 2), corpus, **settings)
    assert sorted(Counter(sweeps.calls(log)).values()) == [1, 2]
    for (_, frame), (_, other) in zip(first.done, again.done):
        pd.testing.assert_frame_equal(frame, other, check_exact=True)
    run(sweeps.logged, sweeps.units(log, 2), corpus, **settings)
    assert len(sweeps.calls(log)) == 3, "the new file replaces the damaged one"


def test_without_a_cache_folder_units_are_computed_with_one_warning(corpus, tmp_path):
    (tmp_path / "file").write_text("no folder")
    units = sweeps.units(tmp_path / "log", 3)
    with pytest.warns(
        DataWarning, match=r"expected a folder that can be written.*`cache`"
    ) as warned:
        found = run(sweeps.logged, units, corpus, cache=tmp_path / "file" / "cache")
    assert len(warned) == 1
    assert len(found.done) == 3


def mounted(place: Path, *options: str) -> None:
    """A file system of its own, where this process may have one."""
    done = subprocess.run(["mount", *options, str(place)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"mounting a small disk needs root on Linux: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path):
    """A disk of 300 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    try:
        mounted(place, "-t", "tmpfs", "-o", "size=300k", "tmpfs")
    except FileNotFoundError:
        pytest.skip("there is no `mount` here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_costs_only_the_cache(corpus, tmp_path, disk):
    log, settings = tmp_path / "log", {"cache": disk, "processes": 2}
    # 40 kB each, and slow enough for the one that writes them to keep up.
    units = sweeps.units(log, 40, rows=1500, seconds=0.02)
    with pytest.warns(DataWarning, match=r"No space left on device.*free some space") as warned:
        found = run(sweeps.logged, units, corpus, **settings)
    assert len(warned) == 1
    assert len(found.done) == 40
    kept = sweeps.kept(sweeps.logged, disk, units)
    assert 3 <= len(kept) < 10
    mounted(disk, "-o", "remount,size=3m")
    called = len(sweeps.calls(log))
    assert len(run(sweeps.logged, units, corpus, **settings).done) == 40
    assert not {unit["number"] for unit in kept} & set(sweeps.calls(log)[called:])


def test_a_read_only_cache_is_read(corpus, tmp_path, disk):
    log, settings = tmp_path / "log", {"cache": disk, "processes": 1}
    run(sweeps.logged, sweeps.units(log, 3), corpus, **settings)
    mounted(disk, "-o", "remount,ro")
    with warnings.catch_warnings(action="error"):
        found = run(sweeps.logged, sweeps.units(log, 3), corpus, **settings)
    assert len(found.done) == len(sweeps.calls(log)) == 3
    with pytest.warns(DataWarning, match="Read-only file system") as warned:
        found = run(sweeps.logged, sweeps.units(log, 5), corpus, **settings)
    assert len(warned) == 1
    assert (len(found.done), len(sweeps.calls(log))) == (5, 5)


def test_kills_cost_what_was_under_way(tmp_path):
    kills.cost(tmp_path, 3, 100, seconds=0.02)


def test_two_processes_on_one_store(corpus, tmp_path):
    log, store, count = tmp_path / "log", tmp_path / "store", 60
    together = [sweeps.started(store, log, count, processes=1, seconds=0.05) for _ in range(2)]
    assert [run.wait() for run in together] == [0, 0]
    units = sweeps.units(log, count, seconds=0.05)
    called = len(sweeps.calls(log))
    found = run(sweeps.logged, units, corpus, cache=store, processes=1)
    assert len(found.done) == count
    assert len(sweeps.calls(log)) == called <= count * 1.2
    pids = {line.split()[1] for line in log.read_text().splitlines()}
    assert len(pids) == 2, "both have to have computed something"


# Beyond one machine


@pytest.fixture(scope="module")
def two_workers():
    loopback = pytest.importorskip("loopback", exc_type=ImportError)  # needs `distributed`
    with loopback.cluster() as client:
        yield client


def test_a_sweep_on_a_cluster_gives_the_same(corpus, tmp_path, two_workers):
    units = [*studies.product(setting=[LINEAR], features=["FS1"], fold=range(10), seed=[0])]
    units += [{"setting": LINEAR, "features": "FS9", "fold": 0, "seed": 0}]
    alone, spread = (
        _with_one_failure(units, corpus, tmp_path / backend, backend)
        for backend in ("sequential", "dask")
    )
    for (_, frame), (_, other) in zip(alone.done, spread.done, strict=True):
        pd.testing.assert_frame_equal(frame, other, check_exact=True)
    assert [unit for unit, _ in spread.failures] == units[10:]


def _with_one_failure(units, corpus, store, backend):
    with (
        pytest.warns(UserWarning, match="1 of 11 units failed.*KeyError: 'FS9'"),
        joblib.parallel_config(backend=backend),
    ):
        return run(studies.predict, units, corpus, cache=store)


def test_units_are_computed_by_both_workers(corpus, tmp_path, two_workers):
    units = sweeps.units(tmp_path / "log", 8, seconds=0.1)
    with joblib.parallel_config(backend="dask"):
        run(sweeps.logged, units, corpus, cache=tmp_path / "store")
    pids = {int(line.split()[1]) for line in (tmp_path / "log").read_text().splitlines()}
    assert pids == set(two_workers.run(os.getpid).values())


def test_the_line_for_a_cluster(tmp_path, two_workers, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "code.md").read_text(), re.S)
    [example] = [block for block in blocks if "dask" in block]
    names: dict[str, object] = {}
    exec(example.replace("tcp://the-scheduler:8786", two_workers.scheduler.address), names)
    names["client"].close()
    assert len(names["results"].done) == 10


def test_features_on_a_cluster_are_the_same(tmp_path, two_workers):
    for number in range(3):
        noise = np.random.default_rng(number).normal(0, 0.1, 44_100)
        soundfile.write(tmp_path / f"{number}.wav", noise, 44_100)
    alone = features.extract_all(tmp_path, cache=tmp_path / "one", processes=1)
    with joblib.parallel_config(backend="dask"):
        spread = features.extract_all(tmp_path, cache=tmp_path / "two")
    pd.testing.assert_frame_equal(alone.features, spread.features, check_exact=True)


# Tables


SMALL = studies.regressors(
    {"constant": models.Constant(), "linear": LINEAR, "twin": models.Linear(ridge=10)},
    seeds=[0, 1],
    seeded=False,
)


@pytest.fixture
def small(monkeypatch):
    """The name of a small study in the catalogue."""
    monkeypatch.setitem(studies.STUDIES, "small", SMALL)
    return "small"


@pytest.fixture(scope="module")
def computed(corpus, tmp_path_factory):
    """A folder with the tables of `small`, and the cache of its units."""
    folder = tmp_path_factory.mktemp("small")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(studies.STUDIES, "small", SMALL)
        results.compute(
            "small", corpus, folder=folder / "tables", cache=folder / "cache", processes=1
        )
    return folder


@pytest.fixture
def stored(computed, tmp_path, small):
    """A copy of those tables, which a test may change."""
    return shutil.copytree(computed / "tables", tmp_path / "tables")


def test_a_table_holds_what_scoring_gives(corpus, stored):
    table = results.table("small", folder=stored)
    dev = corpus.split("dev")
    folds = evaluation.k_folds(dev.songs.index, seed=1)
    raw = evaluation.cross_validate(models.Linear(ridge=10), dev, folds)
    for output, track in {"raw": raw, "smoothed": moving_average(raw)}.items():
        expected = score(dev.labels, track)
        row = table.loc["linear", "FS1", output, "CV", 1].loc[expected.index]
        pd.testing.assert_frame_equal(row, expected, rtol=1e-4)
    assert list(table.xs("test", level="protocol").index.unique("seed")) == [0]
    songs = results.table("small_songs", folder=stored)
    expected = score_songs(dev.labels, raw)[["rmse", "pearson"]]
    row = songs.loc["linear", "FS1", "raw", "CV", 1].loc[expected.index]
    pd.testing.assert_frame_equal(
        row, expected, atol=1e-4, check_dtype=False, check_index_type=False
    )
    pd.testing.assert_frame_equal(table.loc["twin"], table.loc["linear"])
    assert (table.loc["constant"]["rmse"] != table.loc["linear"]["rmse"]).any()


def test_a_table_says_how_it_was_made(stored):
    about = json.loads((stored / "small.json").read_text())
    assert about["settings"]["setting"] == [repr(models.Constant()), repr(LINEAR)]
    assert about["libraries"]["numpy"] == np.__version__
    assert (about["songs"], about["units"]) == (12, 63)
    assert set(about) >= {"commit", "date", "function", "data", "seconds"}


def test_a_check_compares_numbers_and_finds_a_changed_one(corpus, computed, stored, small):
    settings = {"folder": stored, "cache": computed / "cache", "processes": 1}
    table = results.check(small, corpus, every=True, **settings)
    assert (table["compared"] > 100).all()
    assert (table["different"] == 0).all()
    louder = replace(corpus, labels=corpus.labels * 1.01)
    assert (results.check(small, louder, **settings)["different"] > 0).all()
    text = (stored / "small.csv").read_text()
    (stored / "small.csv").write_text(text.replace("mean,0.", "mean,0.9"))
    assert results.check(small, corpus, **settings)["different"].tolist()[0] > 0


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", "7", '{"tables": []}', '{"tables": {"a.csv": 5}}']
)
def test_damaged_descriptions_of_tables_and_tables_elsewhere_are_refused(tmp_path, text):
    (tmp_path / "small.json").write_text(text)
    with pytest.raises(DataError, match=r"small\.json: expected a description of tables"):
        results.table("small", folder=tmp_path)
    (tmp_path / "small.json").write_text('{"tables": {"../small.csv": {"seed": "int64"}}}')
    with pytest.raises(DataError, match=r"tables in its own folder, found \['\.\./small\.csv'\]"):
        results.table("small", folder=tmp_path)


def test_the_overview_is_the_mean_over_seeds(stored, tmp_path):
    shown = results.overview(results.stored_scores(folder=stored))
    table = results.table("small", folder=stored)
    seeds = [table.loc["linear", "FS1", "raw", "CV", k, "arousal", "pooled"] for k in (0, 1)]
    rmse = shown.loc[("CV", "linear", "FS1", "raw"), ("arousal", "RMSE")]
    assert rmse == pytest.approx((seeds[0] + seeds[1])["rmse"] / 2)
    assert list(shown["seeds"]) == [2] * 6 + [1] * 6
    mean = table.loc["linear", "FS1", "raw", "test", 0, "valence", "mean"]
    assert shown.loc[("test", "linear", "FS1", "raw"), ("valence", "r")] == mean["pearson"]
    assert results.stored_scores(folder=tmp_path).empty


def test_there_is_no_table_with_holes(corpus, tmp_path, monkeypatch):
    units = [((str(k),), {"number": k, "broken": [3]}) for k in range(5)]
    sweep = studies.Study(sweeps.failing, units, ("name",), pytest.fail, ("holes.csv",))
    monkeypatch.setitem(studies.STUDIES, "holes", sweep)
    with (
        pytest.warns(UserWarning, match="1 of 5"),
        pytest.raises(DataError, match=r"5 finished units, found 1 failures.*broken"),
    ):
        results.compute("holes", corpus, folder=tmp_path, cache=tmp_path / "s", processes=1)
    assert not list(tmp_path.glob("*.*"))


WITH_VGMIDI = (vgmidi_pieces, all_music, real_songs, harmony.vgmidi)


@cache
def _corpus_of(load):
    return load() if load else load_corpus("mini")


def skip_without_data(load):
    needed = [] if load in (None, mini_songs, harmony.mini) else ["deam"]
    needed += ["mediaeval2015_task"] * (load is task_songs) + ["vgmidi"] * (load in WITH_VGMIDI)
    missing = [name for name in needed if not (SHARED / name).is_dir()]
    if missing:
        pytest.skip(f"needs a copy of {missing}")
    if load in WITH_VGMIDI and not _vgmidi_is_cached(tonal=load is harmony.vgmidi):
        pytest.skip("features of VGMIDI are not in the cache; `make results-check` computes them")


@cache
def _vgmidi_is_cached(*, tonal):
    audio, folder = load_corpus(SHARED / "vgmidi").songs["audio"], batch._cache_folder(None)[0]
    sets = [("compare",), ("psychoacoustic",)] + [("tonal",)] * tonal
    return audio.notna().all() and all(
        (folder / batch._key(Path(path), names, 1.0)).exists() for path in audio for names in sets
    )


@pytest.mark.parametrize("name", studies.STUDIES)
def test_the_cheapest_rows_of_every_study_are_reproduced(name, monkeypatch, tmp_path):
    load = studies.STUDIES[name].corpus
    skip_without_data(load)
    if name == "harmony_swap" and not shutil.which("fluidsynth"):
        pytest.skip("needs FluidSynth")
    monkeypatch.setenv("MER_DATA", str(SHARED / "deam"))
    monkeypatch.setenv("MER_REAL", str(SHARED))
    table = results.check(name, _corpus_of(load), cache=tmp_path, processes=1)
    assert (table["compared"] > 3).any()
    assert (table["different"] == 0).all(), table.to_string()


def test_stored_tables_are_small_have_a_sweep_each_and_no_two_fill_the_same_row():
    paths = list(results.RESULTS.iterdir())
    assert sum(path.stat().st_size for path in paths) < 4e6
    assert {path.stem for path in paths if path.suffix == ".json"} == set(studies.STUDIES)
    assert all(sweep.cheapest for sweep in studies.STUDIES.values())
    scores = results.stored_scores()
    assert scores.index.is_unique, scores.index[scores.index.duplicated()][0]


def test_a_tuned_model_is_chosen_for_each_dimension_by_songs_that_are_left_out():
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([range(20), np.arange(10) / 2], names=["song_id", "time"])
    x = pd.DataFrame(rng.normal(size=(200, 60)), index).add_prefix("f")
    # Arousal is a sum of features; valence is one number a song, which no other song tells.
    own = pd.Series(rng.uniform(-0.5, 0.5, 20)).reindex(index.get_level_values(0)).to_numpy()
    labels = pd.DataFrame({"valence": own, "arousal": np.tanh(0.2 * x.iloc[:, :3].sum(axis=1))})
    choices = [models.Constant(), models.Linear(ridge=10)]
    tuned = baselines.Tuned(choices=choices).fit(x, labels)
    assert tuned.chosen_ == {"valence": choices[0], "arousal": choices[1]}
    constant, linear = (model.fit(x, labels).predict(x) for model in choices)
    expected = pd.DataFrame({"valence": constant["valence"], "arousal": linear["arousal"]})
    pd.testing.assert_frame_equal(tuned.predict(x), expected)


def test_the_best_networks_of_all_trials_are_those_of_the_least_error(corpus):
    songs = corpus.labels.index.unique("song_id")
    labels = corpus.labels.loc[songs]
    tracks = [{0.1 * k + 0.01 * trial: labels + k for k in range(10)} for trial in range(5)]
    system = "LSTM 2014 run 4"
    frames = {(system, "FS2", k): pd.concat(t, names=["error"]) for k, t in enumerate(tracks)}
    levels = ("system", "features", "trial")
    table, _ = paper_settings.best_networks(corpus, frames, levels)
    rows = table.xs(("raw", "test", 0, "valence", "mean"), level=[2, 3, 4, 5, 6])["rmse"]
    # Ten networks: the mean of 0, 1, 2, 3, 4 above the labels; fifty: five times 0.
    assert rows.droplevel("features").to_dict() == pytest.approx(
        {f"{system}, ten networks": 2.0, f"{system}, fifty networks": 0.0}, abs=1e-6
    )
    one = {key: frame for key, frame in frames.items() if key[-1] == 0}
    table, _ = paper_settings.best_networks(corpus, one, levels)
    assert list(table.index.unique("system")) == [f"{system}, ten networks"]


def test_what_each_song_adds_to_r2_has_the_stored_r2_as_its_mean():
    each = results.table("songs_2013_each")["r2"]
    means = each.groupby(["system", "dimension"]).mean()
    known = results.table("songs_2013_intervals").droplevel(["features", "output", "protocol"])
    apart = (means - known["r2"].loc[means.index]).abs().groupby("system").max()
    # The training of triplets amplifies the rounding of another machine.
    triplets = apart.index.str.startswith("TNN")
    assert apart[~triplets].max() < 5e-4
    assert apart[triplets].max() < 0.01


def test_the_command_computes_and_checks(corpus, tmp_path, small, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("mer_core.load_corpus", lambda where: corpus)
    for function in (results.check, results.compute):
        monkeypatch.setitem(function.__kwdefaults__, "folder", tmp_path / "results")
    assert main(["results", "small", "--processes", "1"]) == 0
    assert "small: wrote small.csv, small_songs.parquet" in capsys.readouterr().out
    assert main(["results", "small", "--check"]) == 0
    assert "\n0 values differ" in capsys.readouterr().out
    assert main(["results", "elmo"]) == 1
    assert "a study of ['songs_mini'" in capsys.readouterr().err
    with pytest.raises(DataError, match=r"a table of \[.*'baselines'.*make results"):
        results.table("elmo", folder=results.RESULTS)
