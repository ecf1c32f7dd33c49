"""The command line: `python -m mer_core scoreboard | predict | extract | check | ...`."""

from __future__ import annotations

import argparse
import sys
import warnings
from importlib.metadata import entry_points
from pathlib import Path

import pandas as pd

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
    for run in (check, download):
        command = commands.add_parser(run.__name__, help=run.__doc__)
        command.add_argument("where", help="a folder with DEAM, or mini")
        command.add_argument("--task", default="2015", choices=("2013", "2014", "2015"))
        command.set_defaults(run=run)
    for entry in entry_points(group="mer.commands"):
        entry.load()(commands)
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


def check(where: str, task: str) -> None:
    """Describe a folder with DEAM: songs, splits, repairs; own features beside DEAM's."""
    from mer_core.datasets import deam

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
    from mer_core.datasets import deam

    check(str(deam.download(where)), task)


def predict(audio: str, out: str, train: str) -> None:
    """Write a song's valence and arousal, every half second, as six models see them."""
    from mer_core import features, load_corpus
    from mer_core.ensemble import ensemble, predict_curve
    from mer_core.files import written_atomically

    corpus = load_corpus(train)
    if corpus.features.empty:
        raise DataError(train, "features to learn from, in its folder `features`", "none")
    track = features.extract(audio, ["compare"])
    curve, spread = predict_curve(ensemble(corpus), track)
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
