"""The command line: `python -m mer_core scoreboard | predict | extract | check | ...`."""

from __future__ import annotations

import argparse
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import pandas as pd

from mer_core.corpus import Corpus
from mer_core.files import DataError, DataWarning

EXTRA = ("psychoacoustic", "spectral")


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : list of str, optional
        As on the command line, which is the default.

    Returns
    -------
    int
        0, or 1 after a bad input, which is told in one line on standard error.
    """
    chosen = vars(_parser().parse_args(arguments))
    wide = ("display.width", 120, "display.max_rows", 500)
    decimals = ("display.float_format", "{:.3f}".format)
    try:
        with warnings.catch_warnings(), pd.option_context(*wide, *decimals):
            warnings.simplefilter("always", DataWarning)
            warnings.showwarning = lambda message, *_: print(f"note: {message}", file=sys.stderr)
            return chosen.pop("run")(**chosen) or 0
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mer_core", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for run, count in ((scoreboard, "?"), (check, None), (download, None)):
        command = commands.add_parser(run.__name__, help=run.__doc__)
        command.add_argument("where", nargs=count, help="a folder with DEAM, or mini")
        command.add_argument("--task", default="2015", choices=("2013", "2014", "2015"))
        command.set_defaults(run=run)
    commands.choices["scoreboard"].add_argument("--folds", type=int, help="10")
    commands.choices["scoreboard"].add_argument("--sets", nargs="+", help="compare")
    short = "the README's tables, from the stored results"
    commands.choices["scoreboard"].add_argument("--markdown", action="store_true", help=short)
    command = commands.add_parser("ablation", help=ablation.__doc__)
    command.add_argument("where", nargs="?", default="mini")
    command.set_defaults(run=ablation)
    command = commands.add_parser("results", help=results.__doc__)
    command.add_argument("names", nargs="*", metavar="NAME", help="of the catalogue; default: all")
    command.add_argument("--processes", type=int, default=-1, help="-1: one per core")
    command.set_defaults(run=results)
    command = commands.add_parser("predict", help=predict.__doc__)
    command.add_argument("audio", help="a song")
    command.add_argument("--out", required=True, help="the CSV file to write")
    command.add_argument("--train", default="mini", help="a folder with DEAM, or mini")
    command.set_defaults(run=predict)
    command = commands.add_parser("extract", help=extract.__doc__)
    command.add_argument("audio", nargs="+", help="audio files or folders of them")
    command.add_argument("--out", required=True, help="the folder to write to")
    known = "compare (the default), psychoacoustic, spectral, mel"
    command.add_argument("--sets", nargs="+", default=["compare"], help=known)
    command.add_argument("--window", type=float, default=1.0, help="in s")
    command.add_argument("--format", choices=("csv", "parquet"), default="csv")
    command.add_argument("--processes", type=int, default=-1, help="-1: one per core")
    command.set_defaults(run=extract)
    return parser


def scoreboard(
    where: str | None, task: str, folds: int | None, sets: list[str] | None, markdown: bool
) -> None:
    """Show the stored results beside the papers', or score the baselines on mini or on DEAM."""
    if markdown:
        print(stored_board())
    elif where is not None:
        _live_scoreboard(where, task, folds or 10, sets or ["compare"])
    elif folds or sets:
        raise ValueError("scoreboard: expected a corpus for --folds and --sets, found none")
    else:
        _stored_scoreboard()


def _live_scoreboard(where: str, task: str, folds: int, sets: list[str]) -> None:
    from mer_core import deam, evaluation, features, load_corpus, models

    corpus = load_corpus(where, task=task)
    systems = {"constant": models.Constant()}
    if corpus.features.empty:
        print(f"{where} holds no features of half seconds: the constant, which needs none, alone.")
        corpus = replace(corpus, features=pd.DataFrame(index=corpus.labels.index))
    else:
        corpus = replace(corpus, features=features.choose(corpus.features, sets))
        systems |= {"linear": models.Linear(), "SVR": models.SVR()}
        print(f"Features: {', '.join(sets)}.")
    dev = evaluation.labelled(corpus, "dev").songs.index
    if dev.empty:
        corpus.split("dev")  # raises, and says what there is instead
        raise DataError(where, "labels (curves) of development songs", "none")
    divided = evaluation.k_folds(dev, k=folds)
    table = evaluation.scoreboard(systems, corpus, folds=divided)
    kind = " (synthetic)" if where == "mini" else ""
    print(f"Corpus: {where}{kind}, task {task}. {folds} folds; 13 frames smoothed.")
    print(deam.describe_split(corpus.songs, where, task))
    print(evaluation.as_paper(table).to_string())
    if (Path(where) / deam.SONG_LEVEL_FEATURES).exists():
        _static_scoreboard(Path(where), corpus)


def _static_scoreboard(where: Path, corpus: Corpus) -> None:
    from mer_core import papers
    from mer_core.experiments import songs

    whole = songs.whole_songs(corpus, songs.read_features(where))
    found = (whole.songs["year"] == 2013).sum()
    if found < 10:
        print(f"\nWhole songs of 2013: expected at least 10 for ten folds, found {found}.")
        return
    print(
        "\nWhole songs of 2013, ten folds: R2 with its 95 % interval. The paper's features differ."
        "\n"
        "Songs are divided once here (seed 0); the README's R2 are means over three divisions\n"
        "(seeds 0, 1, 2) and differ by about .02."
    )
    table = songs.static_scores(whole)
    printed = papers.published().query("paper == 'herremans_2019' and metric == 'r2'")
    printed = printed.set_index(["ours", "dimension"])["value"].rename_axis(table.index.names)
    print(table.assign(paper=printed).to_string(na_rep="-"))


def stored_board() -> str:
    """The README's scoreboard."""
    from mer_core import experiments, papers

    whole = experiments.table("songs_2013_intervals").droplevel(["features", "output", "protocol"])
    return papers.board(experiments.stored_scores(), whole)


def _stored_scoreboard() -> None:
    from mer_core import experiments, papers

    scores = experiments.stored_scores()
    print("Stored results on the embedded corpus (synthetic), means over seeds of folds.")
    print("CV: pooled over frames; all else: mean over songs. Smoothed: 13 frames.")
    print(experiments.overview(scores).to_string())
    rows = papers.compare(scores).dropna(subset="ours_value")
    notes = {note: f"[{number}]" for number, note in enumerate(rows["comparable"].unique(), 1)}
    rows["note"] = rows["comparable"].map(notes)
    shown = ["paper", "table", "system", "run", "ours", "our_features", "output", "protocol"]
    shown += ["dimension", "metric", "value", "ours_value", "difference", "note"]
    print("\nThe papers' rows that have a counterpart here (ours is synthetic):")
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


def results(names: list[str], processes: int) -> None:
    """Compute what the stored tables in data/results lack; those of DEAM need MER_DATA."""
    from mer_core import experiments, load_corpus

    mini = load_corpus("mini")
    for name in names or experiments.SWEEPS:
        load = experiments.SWEEPS[name].corpus if name in experiments.SWEEPS else None
        try:
            corpus = load() if load else mini
        except ValueError as error:
            if names:
                raise
            print(f"{name}: left as it is, since {error}")
            continue
        reasons = experiments.stale(name, corpus)
        print("\n".join(reasons) or f"{name}: up to date")
        if reasons:
            written = experiments.compute(name, corpus, processes=processes)
            print(f"{name}: wrote {', '.join(path.name for path in written)}")


def check(where: str, task: str) -> None:
    """Describe a folder with DEAM: songs, splits, repairs; own features beside DEAM's."""
    from mer_core import deam

    corpus = deam.load_corpus(where, task=task)
    print(deam.describe(corpus).to_string())
    print(f"\n{deam.describe_split(corpus.songs, where, task)}")
    print("\nSong-level against dynamic labels, valence - arousal, as loaded:")
    print(deam.find_swapped(corpus.songs, corpus.labels, corpus.songs["year"]).to_string())
    if (Path(where) / deam.SONG_LEVEL_FEATURES).exists() and corpus.songs["audio"].notna().any():
        table = deam.compare_features(corpus, Path(where))
        print(f"\nOur features beside {deam.SONG_LEVEL_FEATURES}, over songs with audio:")
        print(table.to_string())
        print("\nMedian over each family's features:")
        print(table.groupby("family").median().to_string())


def download(where: str, task: str) -> None:
    """Fetch DEAM into a folder, or unpack the archives that lie in it, and check what is there."""
    from mer_core import deam

    check(str(deam.download(where)), task)


def predict(audio: str, out: str, train: str) -> None:
    """Write a song's valence and arousal, every half second, as six models see them."""
    from mer_core import explore, features, load_corpus
    from mer_core.files import written_atomically

    corpus = load_corpus(train)
    if corpus.features.empty:
        raise DataError(train, "features to learn from, in its folder `features`", "none")
    track = features.extract(audio, ["compare"])
    curve, spread = explore.predict_curve(explore.ensemble(corpus), track)
    with written_atomically(out) as part:
        curve.join(spread.add_suffix("_spread")).round(4).to_csv(part)
    means = ", ".join(f"{name} {value:+.2f}" for name, value in curve.mean().items())
    print(f"{audio}: {len(curve)} half seconds, mean {means}; in {out}")
    if train == "mini":
        print("note: learned from the embedded corpus, which is synthetic", file=sys.stderr)


def extract(
    audio: list[str], out: str, sets: list[str], window: float, format: str, processes: int
) -> int:
    """Extract features of audio files: DEAM's feature CSVs, or one Parquet file."""
    from mer_core import features

    files = [path for place in audio for path in features.audio_files(place)]
    found, failures = features.extract_all(files, sets, window=window, processes=processes)
    for why in failures:
        print(f"failed: {why}", file=sys.stderr)
    if not found.empty:
        features.save(found, out, format=format)
        print(f"{found.index.unique(0).size} songs, {len(found)} rows, in {out}")
    return int(len(failures) > 0)


if __name__ == "__main__":
    sys.exit(main())
