"""The command line: `python -m mer_core scoreboard | predict | extract | check | ...`."""

from __future__ import annotations

import argparse
import os
import select
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TextIO

EXTRA = ("psychoacoustic", "spectral")
INTERRUPTED, BROKEN_PIPE = 130, 141
"""128 + SIGINT and 128 + SIGPIPE, as a shell reports them."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : list of str, optional
        As on the command line, which is the default.

    Returns
    -------
    int
        0; 1 after bad input, with one line on standard error; 130 after Ctrl-C; 141 if whoever
        reads the output has stopped reading.
    """
    try:
        _write_any_text()
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return INTERRUPTED
    except (ValueError, OSError) as error:
        lost = _close_broken()
        if lost and isinstance(error, BrokenPipeError):
            return BROKEN_PIPE
        print(f"error: {error}", file=sys.stderr)
        return 1


def _run(arguments: list[str] | None) -> int:
    chosen = vars(_parser().parse_args(arguments))
    import pandas as pd  # here, so that Ctrl-C is quiet from the start

    from mer_core.files import DataWarning

    wide = ("display.width", 120, "display.max_rows", 500)
    decimals = ("display.float_format", "{:.3f}".format)
    noted: set[str] = set()

    def note(message: Warning | str, *_: object, **__: object) -> None:
        if str(message) not in noted:  # a command may read the same folder twice
            noted.add(str(message))
            print(f"note: {message}", file=sys.stderr)

    with warnings.catch_warnings(), pd.option_context(*wide, *decimals):
        warnings.simplefilter("always", DataWarning)
        warnings.showwarning = note
        return chosen.pop("run")(**chosen) or 0


def _write_any_text() -> None:
    """Let letters that the console lacks be written as escapes, and a closed stream be silent."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - until the process ends
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _close_broken() -> bool:
    """Whether nobody reads the output any more; what is left of it goes nowhere."""
    gone = False
    for stream in (sys.stdout, sys.stderr):
        gone = gone or _has_no_reader(stream)
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return gone


def _has_no_reader(stream: TextIO) -> bool:
    if not hasattr(select, "poll"):  # on Windows
        return True
    try:
        poll = select.poll()
        poll.register(stream.fileno(), 0)
    except OSError:  # not a file, in a test or a notebook
        return False
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _folds(text: str) -> int:
    return _whole(text, at_least=2, expected="2 or more folds")


def _processes(text: str) -> int:
    return -1 if text == "-1" else _whole(text, at_least=1, expected="1 or more, or -1 for all")


def _whole(text: str, *, at_least: int, expected: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() else at_least - 1
    if number < at_least:
        raise argparse.ArgumentTypeError(f"expected {expected}, found {text!r}")
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mer_core", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for run, count in ((scoreboard, "?"), (check, None), (download, None)):
        command = _command(commands, run)
        command.add_argument("where", nargs=count, help="a folder with DEAM, or mini")
        years = "of MediaEval (default: 2015)"
        command.add_argument("--task", default="2015", choices=("2013", "2014", "2015"), help=years)
    board = commands.choices["scoreboard"]
    board.add_argument("--folds", type=_folds, help="of the cross-validation (default: 10)")
    board.add_argument("--sets", nargs="+", help="feature sets (default: compare)")
    board.add_argument(
        "--markdown", action="store_true", help="the README's tables, from the stored results"
    )
    command = _command(commands, ablation)
    command.add_argument("where", nargs="?", default="mini", help="a folder with DEAM, or mini")
    command = _command(commands, results)
    command.add_argument("names", nargs="*", metavar="NAME", help="of the catalogue; default: all")
    _add_processes(command)
    short = "compute again and compare with the stored tables, writing nothing"
    command.add_argument("--check", action="store_true", help=short)
    command = _command(commands, predict)
    command.add_argument("audio", help="a song")
    command.add_argument("--out", required=True, help="the CSV file to write")
    command.add_argument("--train", default="mini", help="a folder with DEAM, or mini (default)")
    command = _command(commands, extract)
    command.add_argument("audio", nargs="+", help="audio files or folders of them")
    command.add_argument("--out", required=True, help="the folder to write to")
    known = "compare (the default), psychoacoustic, spectral, mel"
    command.add_argument("--sets", nargs="+", default=["compare"], help=known)
    command.add_argument("--window", type=float, default=1.0, help="in s (default: 1)")
    kinds = "one CSV file a song (the default), or one Parquet file"
    command.add_argument("--format", choices=("csv", "parquet"), default="csv", help=kinds)
    command.add_argument("--recursive", action="store_true", help="search subfolders as well")
    _add_processes(command)
    return parser


def _command(commands: argparse._SubParsersAction, run: Callable) -> argparse.ArgumentParser:
    command = commands.add_parser(run.__name__, help=run.__doc__, description=run.__doc__)
    command.set_defaults(run=run)
    return command


def _add_processes(command: argparse.ArgumentParser) -> None:
    count = "at most one per core (default: -1, one per core)"
    command.add_argument("--processes", type=_processes, default=-1, help=count)


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
    import pandas as pd

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
    songs = corpus.split("dev").songs.index
    if folds > len(songs):
        most = f"at most {len(songs)}, one per development song"
        raise ValueError(f"--folds: expected {most}, found {folds}")
    divided = evaluation.k_folds(songs, k=folds)
    table = evaluation.scoreboard(systems, corpus, folds=divided)
    kind = " (synthetic)" if where == "mini" else ""
    print(f"Corpus: {where}{kind}, task {task}. {folds} folds; 13 frames smoothed.")
    print(evaluation.as_paper(table).to_string())
    if (Path(where) / deam.SONG_LEVEL_FEATURES).exists():
        _static_scoreboard(Path(where))


def _static_scoreboard(where: Path) -> None:
    from mer_core import papers
    from mer_core.experiments import songs

    print(
        "\nWhole songs of 2013, ten folds: R2 with its 95 % interval; the paper's features differ."
    )
    table = songs.static_scores(songs.read_whole_songs(where, songs.read_features(where)))
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


def results(names: list[str], processes: int, check: bool) -> int:
    """Compute the tables of data/results, or check them; studies on DEAM need MER_DATA."""
    from mer_core import experiments, load_corpus

    different = 0
    for name in names or experiments.SWEEPS:
        load = experiments.SWEEPS[name].corpus if name in experiments.SWEEPS else None
        try:
            corpus = load() if load else load_corpus("mini")
        except ValueError as error:
            if names:
                raise
            print(f"{name}: skipped, since {error}")
            continue
        if check:
            table = experiments.check(name, corpus, every=True, processes=processes)
            print(table.to_string())
            different += table["different"].sum()
        else:
            written = experiments.compute(name, corpus, processes=processes)
            print(f"{name}: wrote {', '.join(path.name for path in written)}")
    if check:
        print(f"{different} values differ from the stored tables")
    return int(different > 0)


def check(where: str, task: str) -> None:
    """Describe a folder with DEAM: songs, splits, repairs; own features beside DEAM's."""
    from mer_core import deam

    corpus = deam.load_corpus(where, task=task)
    print(deam.describe(corpus).to_string())
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
    """Write a song's valence and arousal, every half second, as six models predict them."""
    from mer_core import explore, features, files, load_corpus
    from mer_core.features.audio import check_file

    check_file(Path(audio))
    read, head = files.identities([audio]), b"time,valence,"
    files.check_output(out, inputs=read, earlier=lambda path: files.starts_with(path, head))
    files.check_writable(Path(os.path.realpath(out)).parent)
    corpus = load_corpus(train)
    if corpus.features.empty:
        raise files.DataError(train, "features to learn from, in its folder `features`", "none")
    track = features.extract(audio, ["compare"])
    print(f"Training six models on {train}: half a minute or more.", file=sys.stderr)
    curve, spread = explore.predict_curve(explore.ensemble(corpus), track)
    with files.written_atomically(out) as part:
        curve.join(spread.add_suffix("_spread")).round(4).to_csv(part)
    means = ", ".join(f"{name} {value:+.2f}" for name, value in curve.mean().items())
    print(f"{audio}: {len(curve)} half seconds, mean {means}; in {out}")
    if train == "mini":
        print("note: learned from the embedded corpus, which is synthetic", file=sys.stderr)


def extract(
    audio: list[str],
    out: str,
    sets: list[str],
    window: float,
    format: str,
    recursive: bool,
    processes: int,
) -> int:
    """Extract features of audio files: DEAM's feature CSVs, or one Parquet file."""
    from mer_core import features
    from mer_core.features import batch
    from mer_core.features.audio import song_id_of

    files = [k for place in audio for k in features.audio_files(place, recursive=recursive)]
    odd = [k for k in files if format == "csv" and not batch.is_file_name(song_id_of(k))]
    named = [k for k in files if k not in odd]
    ids = {song_id_of(path) for path in named}
    batch.check_save(ids, out, format=format, inputs=files)
    found, failures = features.extract_all(named, sets, window=window, processes=processes)
    unsafe = "expected a name that a CSV file can have, or --format parquet, found this one"
    for why in [*failures, *(f"{path}: {unsafe}" for path in odd)]:
        print(f"failed: {why}", file=sys.stderr)
    if not found.empty:
        features.save(found, out, format=format)
        count = found.index.unique("song_id").size
        print(f"{count} {'song' if count == 1 else 'songs'}, {len(found)} rows, in {out}")
    return int(len(failures) + len(odd) > 0)


if __name__ == "__main__":
    sys.exit(main())
