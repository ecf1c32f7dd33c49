"""The commands of the workbook: `mer scoreboard | ablation | results`."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import pandas as pd

from mer_core.arguments import add_command, add_processes, folds
from mer_core.corpus import Corpus
from mer_core.files import DataError

EXTRA = ("psychoacoustic", "spectral")
SYNTHETIC = [
    ("constant", "FS1"),
    ("linear, tuned", "FS1"),
    ("delayed linear", "FS1"),
    ("SVR, tuned", "FS1"),
    ("Elman", "FS1"),
    ("LSTM 2015 run 3", "FS1"),
    ("BLSTM-ELM", "FS1"),
    ("VAE-LSTM", "mel"),
]
"""Systems and features of the one screen."""
WHOLE = ["constant", "ridge", "SVM", "PCA-SVM", "TNN-SVM"]


def add_to(commands: argparse._SubParsersAction) -> None:
    """Add the commands to those of `mer_core`: an entry point of the group `mer.commands`."""
    command = add_command(commands, scoreboard, "scoreboard", "scoreboard path/to/DEAM --folds 5")
    command.add_argument("where", nargs="?", help="a folder with DEAM, or mini")
    years = "year of the MediaEval task (default: 2015)"
    command.add_argument("--task", default="2015", choices=("2013", "2014", "2015"), help=years)
    command.add_argument("--folds", type=folds, help="folds of the cross-validation (default: 10)")
    command.add_argument("--sets", nargs="+", help="one or more feature sets (default: compare)")
    text = "show the tables of docs/results.md, from the stored results"
    command.add_argument("--all", action="store_true", help="show every stored result")
    command.add_argument("--markdown", action="store_true", help=text)
    command = add_command(commands, ablation, "ablation mini")
    command.add_argument("where", nargs="?", default="mini", help="a folder with DEAM, or mini")
    command = add_command(commands, results, "results baselines elman", "results --check lag")
    command.add_argument("names", nargs="*", metavar="NAME", help="a study (default: all)")
    add_processes(command)
    text = "compute again and compare with the stored tables, without writing files"
    command.add_argument("--check", action="store_true", help=text)


def scoreboard(
    where: str | None,
    task: str,
    folds: int | None,
    sets: list[str] | None,
    all: bool,
    markdown: bool,
) -> None:
    """Show stored results on one screen, or score the baselines on mini or on DEAM."""
    if markdown:
        print(stored_board())
    elif where is not None:
        _live_scoreboard(where, task, folds or 10, sets or ["compare"])
    elif folds or sets:
        raise ValueError("scoreboard: expected a corpus for --folds and --sets, found none")
    elif all:
        _stored_scoreboard()
    else:
        print(one_screen())


def _live_scoreboard(where: str, task: str, folds: int, sets: list[str]) -> None:
    from mer_core import evaluation, features, load_corpus, models
    from mer_core.datasets import deam

    corpus = load_corpus(where, task=task)
    systems = {"constant": models.Constant()}
    if corpus.features.empty:
        print(f"{where} has no features of half seconds: only the constant is scored.")
        if corpus.songs["audio"].notna().any():
            print("For songs whose audio is there: mer_core.datasets.songs_with_audio.")
        corpus = replace(corpus, features=pd.DataFrame({"none": 0.0}, index=corpus.labels.index))
    else:
        corpus = replace(corpus, features=features.choose(corpus.features, sets))
        systems |= {"linear": models.Linear(), "delayed linear": models.DelayedLinear()}
        systems |= {"SVR": models.SVR()}
        print(f"Features: {', '.join(sets)}.", flush=True)
    dev = evaluation.labelled(corpus, "dev").songs.index
    if dev.empty:
        corpus.split("dev")  # raises an error that lists the splits there are
        raise DataError(where, "labels (curves) of development songs", "none")
    table = evaluation.scoreboard(systems, corpus, folds=evaluation.k_folds(dev, k=folds))
    kind = " (synthetic)" if where == "mini" else ""
    print(f"Corpus: {where}{kind}, task {task}. {folds} folds; smoothed over 13 frames.")
    print(deam.describe_split(corpus.songs, where, task))
    print(evaluation.as_paper(table).to_string())
    if (Path(where) / deam.SONG_LEVEL_FEATURES).exists():
        _static_scoreboard(Path(where), corpus)


def _static_scoreboard(where: Path, corpus: Corpus) -> None:
    from threadpoolctl import threadpool_limits

    from workbook import papers
    from workbook.studies import songs

    whole = songs.whole_songs(corpus, songs.read_features(where))
    found = (whole.songs["year"] == 2013).sum()
    if found < 10:
        print(f"\nWhole songs of 2013: expected at least 10 for ten folds, found {found}.")
        return
    print(
        "\nWhole songs of 2013, ten folds: R2 with its 95 % interval. The paper's features differ."
    )
    print("Songs are divided once here (seed 0). The R2 in docs/results.md are means over three")
    print("divisions (seeds 0, 1, 2), so they differ by about .02.")
    print("A minute or two, on one core.", flush=True)
    with threadpool_limits(1):  # the networks are so small that threads only wait for each other
        table = songs.static_scores(whole)
    printed = papers.published().query("paper == 'herremans_2019' and metric == 'r2'")
    printed = printed.set_index(["ours", "dimension"])["value"].rename_axis(table.index.names)
    print(table.assign(paper=printed).to_string(na_rep="-"))


def stored_board() -> str:
    """The scoreboard of docs/results.md."""
    from workbook import papers, results

    whole = results.table("songs_2013_intervals").droplevel(["features", "output", "protocol"])
    return papers.board(results.stored_scores(), results.stored_songs(), whole)


def one_screen() -> str:
    """A system for each lesson: on real music, on the synthetic corpus, and for whole songs."""
    from workbook import real_music, results

    short = real_music.short_table()
    short.columns = short.columns.str.split(", ", expand=True)  # two lines each
    scores = results.overview(results.stored_scores()).loc["test"]
    synthetic = scores.xs("smoothed", level="output").loc[SYNTHETIC]
    synthetic = synthetic.droplevel("features").drop(columns="seeds", level=0)
    whole = results.table("songs_2013_intervals").droplevel(["features", "output", "protocol"])
    whole = whole["r2"].unstack("dimension")[["valence", "arousal"]].loc[WHOLE]
    real = short.to_string()
    parts = {
        "Real music, ten folds of songs, smoothed: RMSE, r, pooled over half seconds.\n"
        "* differs from the delayed linear model (5 %, corrected). One seed: \u00b9": real,
        "Embedded corpus, SYNTHETIC, 16 test songs: means over songs.": synthetic.to_string(),
        "Whole songs, real: R2 of 744 songs of DEAM, ten folds.": whole.to_string(),
    }
    text = "\n\n".join(f"{head}\n{table}" for head, table in parts.items())
    more = "All results, ours and the papers': mer scoreboard --all, docs/results.md, lesson 11."
    return f"{text}\n\n{more}"


def _stored_scoreboard() -> None:
    from workbook import papers, results

    scores = results.stored_scores()
    print("Stored results on the embedded corpus (synthetic), means over seeds of folds.")
    print("CV: pooled over frames; other scores: mean over songs. Smoothed: over 13 frames.")
    print(results.overview(scores).to_string())
    rows = papers.compare(scores).dropna(subset="ours_value")
    notes = {note: f"[{number}]" for number, note in enumerate(rows["comparable"].unique(), 1)}
    rows["note"] = rows["comparable"].map(notes)
    shown = ["paper", "table", "system", "run", "ours", "our_features", "output", "protocol"]
    shown += ["dimension", "metric", "value", "ours_value", "difference", "note"]
    print("\nThe papers' rows for which we have the same system (ours is synthetic):")
    print(rows[shown].to_string(index=False))
    print("\n".join(f"{number} {note}" for note, number in notes.items()))


def ablation(where: str) -> None:
    """Cross-validate the linear model on FS1, FS2, IRIT's 268 and FS1 with each extra feature."""
    from mer_core import evaluation, features, load_corpus, models

    dev = load_corpus(where).split("dev")
    names = {k: list(features.choose(dev.features, [k])) for k in ("compare", *EXTRA)}
    groups = {"FS1 (260)": names["compare"]}
    groups["FS2 (264)"] = names["compare"] + names["psychoacoustic"]
    groups["IRIT (268)"] = names["compare"] + names["spectral"]
    groups["all (272)"] = [name for some in names.values() for name in some]
    groups |= {f"FS1 + {k}": [*names["compare"], k] for some in EXTRA for k in names[some]}
    groups |= {f"{k} alone": [k] for some in EXTRA for k in names[some]}
    folds = evaluation.k_folds(dev.songs.index)
    print(evaluation.ablate(models.Linear(), dev, folds, groups).to_string())


def results(names: list[str], processes: int, check: bool) -> int:
    """Compute the tables of data/results, or check them; studies on DEAM need MER_DATA."""
    from mer_core import load_corpus
    from workbook import results, studies

    different = 0
    for name in names or studies.STUDIES:
        load = studies.STUDIES[name].corpus if name in studies.STUDIES else None
        try:
            corpus = load() if load else load_corpus("mini")
        except ValueError as error:
            if names:
                raise
            print(f"{name}: skipped, since {error}")
            continue
        if check:
            table = results.check(name, corpus, every=True, processes=processes)
            print(table.to_string())
            different += table["different"].sum()
        else:
            written = results.compute(name, corpus, processes=processes)
            print(f"{name}: wrote {', '.join(path.name for path in written)}")
    if check:
        print(f"{different} values differ from the stored tables")
    return int(different > 0)
