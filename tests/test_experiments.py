"""Runs that are kept: what is stored, what makes it stale, what a fault costs."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import shutil
import subprocess
import time
import warnings
from collections import Counter
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import soundfile

import sweeps
from conftest import ROOT, SHARED
from mer_core import evaluation, experiments, features, load_corpus, models
from mer_core.__main__ import main
from mer_core.experiments import tables, versions
from mer_core.experiments.songs import deam_songs
from mer_core.experiments.valence import deam_valence
from mer_core.features.sets import choose
from mer_core.files import DataError, DataWarning
from mer_core.metrics import score, score_songs
from mer_core.smoothing import moving_average
from stress import kills

FOLDS = Path(inspect.getsourcefile(evaluation.k_folds)).name
LINEAR = {"model": "Linear", "ridge": 10}


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
    settings = {"store": tmp_path / "store", "processes": processes}
    first = experiments.run(sweeps.logged, units, corpus, **settings)
    again = experiments.run(sweeps.logged, units, corpus, **settings)
    assert sorted(sweeps.calls(tmp_path / "log")) == [0, 1, 2, 3, 4]
    assert [unit for unit, _ in first.done] == units == [unit for unit, _ in again.done]
    for number, ((_, frame), (_, kept)) in enumerate(zip(first.done, again.done)):
        expected = sweeps.logged(corpus, log=str(tmp_path / "other"), number=number)
        pd.testing.assert_frame_equal(frame, expected, check_exact=True)
        pd.testing.assert_frame_equal(kept, expected, check_exact=True)


def test_a_file_tells_all_about_its_unit(corpus, tmp_path):
    unit = {"setting": LINEAR, "features": "FS1", "fold": 3, "seed": 1}
    corpus = replace(corpus, features=corpus.features)
    [(_, frame)] = experiments.run(experiments.predict, [unit], corpus, store=tmp_path).done
    [path] = tmp_path.rglob("*.parquet")
    about = pd.read_parquet(path).attrs
    assert path.parent == tmp_path / about["address"][:2]
    assert path.stem == about["address"]
    assert about["unit"] == unit
    assert about["function"] == "mer_core.experiments.settings.predict"
    assert set(about["versions"]) >= {"python", "numpy", "scipy", "scikit-learn", "torch", "pandas"}
    assert about["seconds"] > 0
    song = corpus.labels.loc[frame.index.unique("song_id")]
    difference = (song - frame.loc[song.index])["arousal"].to_numpy()
    rmse = about["scores"]["arousal pooled"]["rmse"]
    assert rmse == pytest.approx(np.sqrt(np.mean(difference**2)))


def test_a_fold_all_folds_and_the_test_songs(corpus, tmp_path):
    units = experiments.product(
        setting=[LINEAR], features=["FS1"], fold=[*range(10), "all", "test"], seed=[4]
    )
    frames = [frame for _, frame in experiments.run(
        experiments.predict, units, corpus, store=tmp_path, processes=1).done]  # fmt: skip
    dev = corpus.split("dev")
    folds = evaluation.k_folds(dev.songs.index, seed=4)
    whole = evaluation.cross_validate(models.Linear(ridge=10), dev, folds)
    pd.testing.assert_frame_equal(pd.concat(frames[:10]).sort_index(), whole)
    pd.testing.assert_frame_equal(frames[10], whole)
    test = models.Linear(ridge=10).fit(dev.features, dev.labels)
    pd.testing.assert_frame_equal(frames[11], test.predict(corpus.split("test").features))


def test_the_papers_feature_sets(mini):
    widths = {k: choose(mini.features, v).shape[1] for k, v in experiments.FEATURE_SETS.items()}
    assert widths == {"FS1": 260, "FS2": 264, "268": 268}


# Settings as data


def test_a_model_within_a_model_and_its_seed(monkeypatch):
    class Pair:
        def __init__(self, *, first, weight=1.0, seed=0):
            self.first, self.weight, self.seed = first, weight, seed

    monkeypatch.setattr(models, "Pair", Pair, raising=False)
    monkeypatch.setattr(models, "__all__", [*models.__all__, "Pair"])
    inner = {"model": "Pair", "first": LINEAR, "seed": 5}
    made = experiments.build({"model": "Pair", "first": inner}, seed=3)
    assert (made.seed, made.first.seed, type(made.first.first)) == (3, 5, models.Linear)


def test_wrong_settings_are_named():
    with pytest.raises(ValueError, match=r"model: expected one of .*'Linear'.*, found 'Lasso'"):
        experiments.build({"model": "Lasso"})
    with pytest.raises(ValueError, match=r"Linear: expected options among \['ridge'\]"):
        experiments.build({"model": "Linear", "alpha": 1})


def test_units_that_are_no_data_and_functions_that_nobody_can_import(corpus, tmp_path):
    with pytest.raises(ValueError, match="what JSON knows"):
        experiments.run(sweeps.logged, [{"number": {1}}], corpus, store=tmp_path)
    with pytest.raises(ValueError, match="what JSON knows"):
        experiments.run(sweeps.logged, [{"number": np.nan}], corpus, store=tmp_path)
    with pytest.raises(ValueError, match="importable module"):
        experiments.run(lambda corpus: None, [{}], corpus, store=tmp_path)


# What makes a result stale


@pytest.fixture
def package(tmp_path):
    """A copy of the package whose sources may be changed."""
    shutil.copytree(
        ROOT / "mer_core", tmp_path / "mer_core", ignore=shutil.ignore_patterns("__pycache__")
    )

    def version(*names: str) -> str:
        versions._source.cache_clear()
        versions._path.cache_clear()
        return versions.code_version([f"mer_core.{name}" for name in names], folder=tmp_path)

    def change(path: str, old: str, new: str) -> None:
        text = (tmp_path / "mer_core" / path).read_text()
        assert old in text
        (tmp_path / "mer_core" / path).write_text(text.replace(old, new, 1))

    yield version, change
    versions._source.cache_clear()
    versions._path.cache_clear()


PREDICT = "experiments.settings.predict"


def test_words_and_layout_dont_count(package):
    version, change = package
    before = version(PREDICT, "models.Linear")
    change("models/baselines.py", '"""Fit to the labelled frames.', '"""Fit to frames (new words).')
    change(
        "models/baselines.py",
        "        self.every = every\n",
        "        # why\n\n        self.every = (every)\n",
    )
    change("evaluation.py", '"""Honest scores', '"""Scores')
    assert version(PREDICT, "models.Linear") == before


def test_refusals_dont_count_and_nothing_else_that_is_named_so(package):
    version, change = package
    names = PREDICT, "models.LSTM"
    before = version(*names)
    start = "        seed = self.seed if job.seed"
    change("models/recurrent.py", start, f"        checks.labelled(job.labels.index, [])\n{start}")
    change("checks.py", "expected every row once", "expected rows once")
    assert version(*names) == before
    change("models/recurrent.py", start, f"        seed = checks.once(labels=job.labels)\n{start}")
    assert version(*names) != before


def test_refusals_give_nothing_back():
    """Whatever they gave could be used, and then a number would depend on them."""
    tree = ast.parse((ROOT / "mer_core" / "checks.py").read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert {ast.unparse(function.returns) for function in functions} == {"None"}
    kept = (ast.Return, ast.Yield, ast.Global, ast.Nonlocal, ast.Delete, ast.AugAssign)
    assert not [node for node in ast.walk(tree) if isinstance(node, kept)]
    stored = [
        target for node in ast.walk(tree) if isinstance(node, ast.Assign) for target in node.targets
    ]
    assert all(isinstance(part, (ast.Name, ast.Tuple)) for part in stored), (
        "nothing of the caller's"
    )


def test_what_is_named_checks_is_the_room_and_its_arguments_change_nothing():
    """A list of that name could be appended to, and the version of code would not see it."""
    for path in (ROOT / "mer_core").rglob("*.py"):
        tree = ast.parse(path.read_text())
        bound = [node for node in ast.walk(tree) if isinstance(node, ast.Name | ast.arg)]
        stored = {n.id for n in bound if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        assert "checks" not in stored | {n.arg for n in bound if isinstance(n, ast.arg)}, path
        calls = [node for node in ast.walk(tree) if versions._is_check(node)]
        inside = [node for call in calls for node in ast.walk(call)]
        assert not [node for node in inside if isinstance(node, ast.NamedExpr)], path


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("models/baselines.py", "Ridge(alpha=ridge)", "Ridge(alpha=2 * ridge)"),
        ("models/baselines.py", "self.every == 0", "self.every == 1"),
        (FOLDS, "default_rng(seed).permutation", "default_rng(seed + 1).permutation"),
        ("corpus.py", ".isin(songs.index)]", ".isin(list(songs.index))]"),
        ("features/sets.py", "spectral_valley_", "valley_"),
        ("experiments/settings.py", "k=10", "k=11"),
        (
            "metrics.py",
            'DIMENSIONS = ["valence", "arousal"]',
            'DIMENSIONS = ["arousal", "valence"]',
        ),
    ],
)
def test_code_that_a_result_needs_counts_wherever_it_stands(package, path, old, new):
    version, change = package
    before = version(PREDICT, "models.Linear")
    change(path, old, new)
    assert version(PREDICT, "models.Linear") != before


def test_a_neighbour_doesnt_count(package):
    version, change = package
    before = version(PREDICT, "models.Linear")
    change("models/baselines.py", "class SVR(", "class Lasso(Linear):\n    pass\n\n\nclass SVR(")
    change("models/__init__.py", '"Constant"', '"Constant", "Lasso"')
    change("models/baselines.py", "C: float = 1.0", "C: float = 2.0")
    change("evaluation.py", "window: int = 13", "window: int = 15")
    assert version(PREDICT, "models.Linear") == before


def test_a_field_that_is_named_as_a_function_is_none_of_it():
    [job] = versions.definitions(["mer_core.training.Job"])  # it has a field `train`
    assert job == "mer_core.training.Job"


def test_names_found_through_lazy_packages_and_local_imports(package, tmp_path):
    version, change = package
    before = version("__main__.check")
    change("deam/describe.py", "def describe(", "def describe(extra, ")
    assert version("__main__.check") != before


def test_what_cant_be_followed_is_refused(package):
    version, change = package
    with pytest.raises(ValueError, match=r"found \['mer_core.models.Lasso'\]"):
        version("models.Lasso")
    change("models/baselines.py", "from mer_core.metrics import", "from ..metrics import")
    with pytest.raises(ValueError, match="expected absolute ones"):
        version("models.Linear")


def test_other_data_is_another_result(corpus, tmp_path):
    whole = experiments.fingerprint(corpus)
    louder = replace(corpus, features=corpus.features * 1.01)
    renamed = replace(corpus, features=corpus.features.add_prefix("x"))
    shifted = replace(corpus, labels=corpus.labels + 1e-9)
    moved = replace(corpus, songs=corpus.songs.assign(split="dev"))
    assert len({experiments.fingerprint(c) for c in (corpus, louder, renamed, shifted, moved)}) == 5
    elsewhere = replace(corpus, songs=corpus.songs.assign(audio="/elsewhere/1.ogg"))
    assert experiments.fingerprint(elsewhere) == whole


# Faults


def test_failures_are_told_and_tried_again(corpus, tmp_path):
    units = experiments.product(number=range(6), broken=[[2, 4]])
    with pytest.warns(UserWarning, match="2 of 6 units failed.* ArithmeticError: number [24] is"):
        results = experiments.run(sweeps.failing, units, corpus, store=tmp_path, processes=2)
    assert [unit["number"] for unit, _ in results.done] == [0, 1, 3, 5]
    assert [unit["number"] for unit, _ in results.failures] == [2, 4]
    assert "in failing" in results.failures[0][1]
    assert len(list(tmp_path.rglob("*.parquet"))) == 4
    with pytest.warns(UserWarning, match="2 of 6"):
        experiments.run(sweeps.failing, units, corpus, store=tmp_path, processes=1)


def test_results_that_cant_be_kept_are_failures(corpus, tmp_path):
    units = experiments.product(what=["none", "mixed"])
    with pytest.warns(UserWarning, match="2 of 2 units failed"):
        results = experiments.run(sweeps.odd, units, corpus, store=tmp_path, processes=1)
    assert not list(tmp_path.rglob("*.parquet"))
    assert len(results.failures) == 2


def test_a_dead_worker_is_told_and_what_was_finished_stays(corpus, tmp_path):
    experiments.run(sweeps.logged, sweeps.units(tmp_path / "log", 3), corpus, store=tmp_path / "s")
    with pytest.raises(RuntimeError, match=r"a worker process died. What was finished is kept"):
        experiments.run(sweeps.odd, [{"what": "dies"}], corpus, store=tmp_path / "s", processes=2)
    assert len(list((tmp_path / "s").rglob("*.parquet"))) == 3


@pytest.mark.parametrize("damage", ["cut", "empty", "footer", "page", "swapped"])
def test_a_damaged_file_is_told_and_computed_again(corpus, tmp_path, damage):
    log, store = tmp_path / "log", tmp_path / "store"
    settings = {"store": store, "processes": 1}
    first = experiments.run(sweeps.logged, sweeps.units(log, 2), corpus, **settings)
    one, two = sorted(store.rglob("*.parquet"))
    content = bytearray(one.read_bytes())
    if damage == "swapped":
        content = two.read_bytes()
    elif damage == "page":
        content[100] ^= 1
    elif damage == "footer":
        content[-6] ^= 255
    one.write_bytes(content[: {"cut": len(content) // 2, "empty": 0}.get(damage)])
    with pytest.warns(DataWarning, match="expected a finished unit, found a damaged file"):
        again = experiments.run(sweeps.logged, sweeps.units(log, 2), corpus, **settings)
    assert sorted(Counter(sweeps.calls(log)).values()) == [1, 2]
    for (_, frame), (_, other) in zip(first.done, again.done):
        pd.testing.assert_frame_equal(frame, other, check_exact=True)


def test_a_store_that_cant_be_written_is_told_before_anything_is_computed(corpus, tmp_path):
    (tmp_path / "file").write_text("no folder")
    units = sweeps.units(tmp_path / "log", 3)
    with pytest.raises(DataError, match=r"expected a store that can be written, found .*run again"):
        experiments.run(sweeps.logged, units, corpus, store=tmp_path / "file" / "store")
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize("leftover", ["old", "fresh"])
def test_what_kills_left_unfinished_goes_a_day_after(corpus, tmp_path, leftover):
    part = tmp_path / "ab" / ".part-x.parquet"
    part.parent.mkdir()
    part.write_text("half")
    age = 2 * 24 * 3600 if leftover == "old" else 0
    os.utime(part, (time.time() - age,) * 2)
    experiments.run(
        sweeps.logged, sweeps.units(tmp_path / "log", 1), corpus, store=tmp_path, processes=1
    )
    assert part.exists() == (leftover == "fresh")


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


def test_a_disk_that_fills_up_costs_what_was_under_way(corpus, tmp_path, disk):
    log, settings = tmp_path / "log", {"store": disk, "processes": 2}
    # 40 kB each, and slow enough for the one that writes them to keep up.
    units = sweeps.units(log, 40, rows=1500, seconds=0.05)
    with (
        warnings.catch_warnings(action="error"),
        pytest.raises(DataError, match=r"found No space left on device.*kept.*run again"),
    ):
        experiments.run(sweeps.logged, units, corpus, **settings)
    finished, called = kills.kept(disk), sweeps.calls(log)
    assert 3 <= len(finished) < 10
    assert len(called) < 25, "the sweep has to stop when its store is full"
    assert not list(disk.rglob(".part-*"))
    mounted(disk, "-o", "remount,size=3m")
    results = experiments.run(sweeps.logged, units, corpus, **settings)
    assert len(results.done) == 40
    assert not finished & set(sweeps.calls(log)[len(called) :])


def test_a_file_that_cant_grow_leaves_nothing_half_written(corpus, tmp_path):
    resource = pytest.importorskip("resource")
    units = sweeps.units(tmp_path / "log", 3, rows=1500)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(DataError, match=r"found File too large.*run again"):
            experiments.run(sweeps.logged, units, corpus, store=tmp_path / "s", processes=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(sweeps.calls(tmp_path / "log")) == 1
    assert not [path for path in (tmp_path / "s").rglob("*") if path.is_file()]


def test_a_read_only_store_can_be_read_and_says_that_it_cant_be_written(corpus, tmp_path, disk):
    log, settings = tmp_path / "log", {"store": disk, "processes": 1}
    experiments.run(sweeps.logged, sweeps.units(log, 3), corpus, **settings)
    mounted(disk, "-o", "remount,ro")
    results = experiments.run(sweeps.logged, sweeps.units(log, 3), corpus, **settings)
    assert len(results.done) == 3
    with pytest.raises(DataError, match="found Read-only file system"):
        experiments.run(sweeps.logged, sweeps.units(log, 4), corpus, **settings)
    assert len(sweeps.calls(log)) == 3


def test_kills_cost_what_was_under_way(tmp_path):
    kills.cost(tmp_path, 3, 100, seconds=0.02)


def test_two_processes_on_one_store(corpus, tmp_path):
    log, store, count = tmp_path / "log", tmp_path / "store", 60
    together = [sweeps.started(store, log, count, processes=1, seconds=0.05) for _ in range(2)]
    assert [run.wait() for run in together] == [0, 0]
    units = sweeps.units(log, count, seconds=0.05)
    called = len(sweeps.calls(log))
    results = experiments.run(sweeps.logged, units, corpus, store=store, processes=1)
    assert len(results.done) == count
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
    units = [*experiments.product(setting=[LINEAR], features=["FS1"], fold=range(10), seed=[0])]
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
        return experiments.run(experiments.predict, units, corpus, store=store)


def test_units_are_computed_by_both_workers(corpus, tmp_path, two_workers):
    units = sweeps.units(tmp_path / "log", 8, seconds=0.1)
    with joblib.parallel_config(backend="dask"):
        experiments.run(sweeps.logged, units, corpus, store=tmp_path / "store")
    pids = {int(line.split()[1]) for line in (tmp_path / "log").read_text().splitlines()}
    assert pids == set(two_workers.run(os.getpid).values())


def test_the_readmes_line_for_a_cluster(tmp_path, two_workers, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    [example] = [block for block in blocks if "dask" in block]
    names: dict[str, object] = {}
    exec(example.replace("tcp://the-scheduler:8786", two_workers.scheduler.address), names)
    names["client"].close()
    assert len(names["results"].done) == 10
    assert len(list(tmp_path.rglob("*.parquet"))) == 10


def test_features_on_a_cluster_are_the_same(tmp_path, two_workers):
    for number in range(3):
        noise = np.random.default_rng(number).normal(0, 0.1, 44_100)
        soundfile.write(tmp_path / f"{number}.wav", noise, 44_100)
    alone = features.extract_all(tmp_path, cache=tmp_path / "one", processes=1)
    with joblib.parallel_config(backend="dask"):
        spread = features.extract_all(tmp_path, cache=tmp_path / "two")
    pd.testing.assert_frame_equal(alone.features, spread.features, check_exact=True)


# Tables


@pytest.fixture
def small(monkeypatch):
    """A catalogue of one small sweep."""
    systems = {"constant": {"model": "Constant"}, "linear": LINEAR}
    sweep = experiments.regressors(systems, seeds=[0, 1], seeded=False)
    monkeypatch.setitem(experiments.SWEEPS, "small", sweep)
    return "small"


def test_a_table_holds_what_scoring_gives(corpus, tmp_path, small):
    experiments.compute(small, corpus, folder=tmp_path, store=tmp_path / "store", processes=1)
    table = experiments.table("small", folder=tmp_path)
    dev = corpus.split("dev")
    folds = evaluation.k_folds(dev.songs.index, seed=1)
    raw = evaluation.cross_validate(models.Linear(ridge=10), dev, folds)
    row = table.loc["linear", "FS1", "raw", "CV", 1]
    expected = score(dev.labels, raw)
    pd.testing.assert_frame_equal(row.loc[expected.index], expected, rtol=1e-4)
    smoothed = score(dev.labels, moving_average(raw))
    row = table.loc["linear", "FS1", "smoothed", "CV", 1].loc[expected.index]
    pd.testing.assert_frame_equal(row, smoothed, rtol=1e-4)
    assert list(table.xs("test", level="protocol").index.unique("seed")) == [0]
    songs = experiments.table("small_songs", folder=tmp_path)
    row = songs.loc["linear", "FS1", "raw", "CV", 1]
    expected = score_songs(dev.labels, raw)[["rmse", "pearson"]]
    pd.testing.assert_frame_equal(
        row.loc[expected.index], expected, atol=1e-4, check_dtype=False, check_index_type=False
    )


def test_a_table_says_where_it_comes_from_and_when_it_is_stale(
    corpus, tmp_path, small, monkeypatch
):
    settings = {"folder": tmp_path, "store": tmp_path / "store", "processes": 1}
    assert experiments.stale(small, corpus, folder=tmp_path) == ["small: never computed"]
    experiments.compute(small, corpus, **settings)
    about = json.loads((tmp_path / "small.json").read_text())
    assert about["settings"]["setting"] == [{"model": "Constant"}, LINEAR]
    assert about["libraries"][0]["numpy"] == np.__version__
    assert experiments.stale(small, corpus, folder=tmp_path) == []

    louder = replace(corpus, labels=corpus.labels / 2)
    assert experiments.stale(small, louder, folder=tmp_path) == [
        "small: other data than the table was made with"
    ]
    more = experiments.regressors({"linear": LINEAR}, seeds=[0])
    with monkeypatch.context() as patch:
        patch.setitem(experiments.SWEEPS, "small", more)
        [reason] = experiments.stale(small, corpus, folder=tmp_path)
        assert "other units in the catalogue" in reason
    with monkeypatch.context() as patch:
        patch.setattr(tables, "version_of", lambda name, models: f"new code of {name, models}")
        reasons = " ".join(experiments.stale(small, corpus, folder=tmp_path))
        assert "the code that Linear depends on has changed" in reasons
        assert "other way of tabulating" in reasons
    with (tmp_path / "small.csv").open("a") as file:
        file.write("by hand\n")
    [reason] = experiments.stale(small, corpus, folder=tmp_path)
    assert reason == "small: small.csv is not the file that was written"


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", "7", '{"tables": []}', '{"tables": {"a.csv": 5}}']
)
def test_what_stands_beside_a_table_is_read_with_care(tmp_path, text):
    (tmp_path / "small.json").write_text(text)
    with pytest.raises(DataError, match=r"small\.json: expected what `make results` wrote"):
        experiments.table("small", folder=tmp_path)


def test_tables_lie_in_their_own_folder(corpus, tmp_path, small):
    experiments.compute(small, corpus, folder=tmp_path, store=tmp_path / "store", processes=1)
    about = json.loads((tmp_path / "small.json").read_text())
    about["tables"] = {"../small.csv": about["tables"]["small.csv"]}
    (tmp_path / "small.json").write_text(json.dumps(about))
    with pytest.raises(
        DataError, match=r"tables of its own folder, .* found \['\.\./small\.csv'\]"
    ):
        experiments.table("small", folder=tmp_path)


def test_two_systems_of_one_setting_both_stand_in_the_table(corpus, tmp_path, monkeypatch):
    systems = {"one": LINEAR, "other": dict(LINEAR), "zero": {"model": "Constant"}}
    sweep = experiments.regressors(systems, seeds=[0], seeded=False)
    monkeypatch.setitem(experiments.SWEEPS, "twins", sweep)
    settings = {"folder": tmp_path, "store": tmp_path / "store", "processes": 1}
    experiments.compute("twins", corpus, **settings)
    table = experiments.table("twins", folder=tmp_path)
    pd.testing.assert_frame_equal(table.loc["one"], table.loc["other"])
    assert (table.loc["zero"]["rmse"] != table.loc["one"]["rmse"]).any()


def test_no_two_sweeps_on_the_embedded_corpus_fill_the_same_row():
    scores = experiments.stored_scores()
    assert scores.index.is_unique, scores.index[scores.index.duplicated()][0]


def test_the_overview_is_the_mean_over_seeds(corpus, tmp_path, small):
    settings = {"folder": tmp_path, "store": tmp_path / "store", "processes": 1}
    experiments.compute(small, corpus, **settings)
    shown = experiments.overview(experiments.stored_scores(folder=tmp_path))
    table = experiments.table(small, folder=tmp_path)
    row = ("CV", "linear", "FS1", "raw")
    seeds = [table.loc["linear", "FS1", "raw", "CV", k, "arousal", "pooled"] for k in (0, 1)]
    assert shown.loc[row, ("arousal", "RMSE")] == pytest.approx((seeds[0] + seeds[1])["rmse"] / 2)
    assert list(shown["seeds"]) == [2] * 4 + [1] * 4
    mean = table.loc["linear", "FS1", "raw", "test", 0, "valence", "mean"]
    assert shown.loc[("test", "linear", "FS1", "raw"), ("valence", "r")] == mean["pearson"]
    assert experiments.stored_scores(folder=tmp_path / "store").empty


def test_there_is_no_table_with_holes(corpus, tmp_path, monkeypatch):
    units = [((str(k),), {"number": k, "broken": [3]}) for k in range(5)]
    sweep = experiments.Sweep(sweeps.failing, units, ("name",), pytest.fail)
    monkeypatch.setitem(experiments.SWEEPS, "holes", sweep)
    with (
        pytest.warns(UserWarning, match="1 of 5"),
        pytest.raises(DataError, match=r"5 finished units, found 1 failures.*broken"),
    ):
        experiments.compute("holes", corpus, folder=tmp_path, store=tmp_path / "s", processes=1)
    assert not list(tmp_path.glob("*.*"))


def test_unknown_names_are_told(corpus, tmp_path):
    with pytest.raises(ValueError, match=r"the catalogue, \[.*'baselines'.*found 'elmo'"):
        experiments.compute("elmo", corpus, folder=tmp_path)
    with pytest.raises(DataError, match=r"a table of \[.*'baselines'.*make results"):
        experiments.table("elmo")


@pytest.mark.parametrize("name", experiments.SWEEPS)
def test_stored_tables_are_not_stale(mini, name, monkeypatch):
    monkeypatch.setenv("MER_DATA", str(SHARED / "deam"))
    load, corpus = experiments.SWEEPS[name].corpus, mini
    if load in (deam_songs, deam_valence) and not (SHARED / "deam").is_dir():
        corpus = None  # then the code is held against the table, the data can't be
    elif load:
        corpus = load()
    reasons = "; ".join(experiments.stale(name, corpus))
    assert not reasons, f"{reasons}. `make results NAMES={name}` computes it anew"


def test_stored_tables_are_small_and_each_has_its_sweep():
    paths = list(tables.RESULTS.iterdir())
    assert sum(path.stat().st_size for path in paths) < 3e6
    assert {path.stem for path in paths if path.suffix == ".json"} == set(experiments.SWEEPS)


def test_a_row_of_the_stored_baselines_computed_anew(mini):
    dev = mini.split("dev")
    dev = replace(dev, features=choose(dev.features, ("compare",)))
    folds = evaluation.k_folds(dev.songs.index, k=10, seed=2)
    live = score(dev.labels, moving_average(evaluation.cross_validate(models.Linear(), dev, folds)))
    kept = experiments.table("baselines").loc["linear", "FS1", "smoothed", "CV", 2]
    pd.testing.assert_frame_equal(kept.loc[live.index], live, rtol=1e-3)
    kept = experiments.table("baselines").xs(2, level="seed")
    assert set(kept.index.unique("features")) == set(experiments.FEATURE_SETS)


def test_the_command_computes_what_is_missing(corpus, tmp_path, small, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("mer_core.load_corpus", lambda where: corpus)
    for function in (tables.stale, tables.compute):
        monkeypatch.setitem(function.__kwdefaults__, "folder", tmp_path / "results")
    assert main(["results", "small", "--processes", "1"]) == 0
    assert "small: never computed\nsmall: wrote small.csv" in capsys.readouterr().out
    assert main(["results", "small"]) == 0
    assert "small: up to date" in capsys.readouterr().out
    assert main(["results", "elmo"]) == 1
    assert "expected a sweep of the catalogue" in capsys.readouterr().err
