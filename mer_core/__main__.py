"""Commands: `mer predict | extract | check | download`; the workbook adds its own."""

from __future__ import annotations

import argparse
import importlib.util
import os
import select
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from mer_core.arguments import add_command, add_processes

if TYPE_CHECKING:
    from mer_core.corpus import Corpus

EXTRA = 'pip install "mer-core[workbook]"'
Place = str | None
INTERRUPTED, BROKEN_PIPE = 130, 141
"""128 + SIGINT and 128 + SIGPIPE, as a shell reports them."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command, by default that of the command line, and return its exit status.

    1 after bad input, with one line on standard error; 130 after Ctrl-C; 141 if the reader of the
    output has stopped reading.
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
        if _close_broken() and isinstance(error, BrokenPipeError):
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
    """Write letters that the console lacks as escapes, and nothing to a closed stream."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - until the process ends
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _close_broken() -> bool:
    """Whether nobody reads the output any more; the rest of it is discarded."""
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mer", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for run in (check, download):
        command = add_command(commands, run, f"{run.__name__} path/to/DEAM")
        command.add_argument("where", help="a folder with a data set, or mini")
        years = "year of the MediaEval task (default: 2015)"
        command.add_argument("--task", default="2015", choices=("2013", "2014", "2015"), help=years)
    for entry in entry_points(group="mer.commands"):
        _add_commands(entry, commands)
    examples = [
        "predict song.mp3 --out curve.csv --plot curve.png",
        "predict music/ --recursive --out predictions.json --plot figures/",
    ]
    command = _add_audio(commands, predict, "predict song.mp3", *examples)
    command.add_argument("--out", help="a .csv or .json file for the curves of half seconds")
    command.add_argument("--plot", help="a .png file, or a folder for one figure per song")
    command.add_argument("--train", help="train on the data set in this folder, or on mini")
    example = "extract song.mp3 --out features --sets compare tonal --format parquet"
    command = _add_audio(commands, extract, "extract music/ --out features", example)
    command.add_argument("--out", required=True, help="the folder to write to")
    known = "one or more of compare (default), psychoacoustic, spectral, tonal, mel"
    command.add_argument("--sets", nargs="+", default=["compare"], help=known)
    command.add_argument("--window", type=float, default=1.0, help="length in s (default: 1)")
    kinds = "one CSV file per song (default), or one Parquet file for all"
    command.add_argument("--format", choices=("csv", "parquet"), default="csv", help=kinds)
    return parser


def _add_audio(
    commands: argparse._SubParsersAction, run: Callable, *examples: str
) -> argparse.ArgumentParser:
    command = add_command(commands, run, *examples)
    command.add_argument("audio", nargs="+", help="audio files, or folders with audio files")
    command.add_argument("--recursive", action="store_true", help="search subfolders as well")
    add_processes(command)
    return command


def _add_commands(entry: EntryPoint, commands: argparse._SubParsersAction) -> None:
    """Add another package's commands, or a note if they can't be imported."""
    try:
        add_to = entry.load()
    except Exception as error:  # of a foreign package: anything
        reason = f"{type(error).__name__}: {error}"
        print(f"note: no commands of {entry.name} ({reason}); {EXTRA} may help", file=sys.stderr)
    else:
        add_to(commands)


def check(where: str, task: str) -> None:
    """Describe a data set: songs, labels, raters, repairs; for DEAM its splits and features."""
    from mer_core import datasets

    name = datasets.recognise(where)
    corpus = datasets.load_corpus(where, task=task)
    print(f"{where}: {name}")
    print("".join(f"  {k}: {text}\n" for k, text in datasets.overview(corpus).items()))
    if len(corpus.labels):
        print(datasets.deam.describe(corpus).to_string())
    if name == "DEAM":
        _check_deam(corpus, where, task)


def _check_deam(corpus: Corpus, where: str, task: str) -> None:
    from mer_core.datasets import deam

    print(f"\n{deam.describe_split(corpus.songs, where, task)}")
    print("\nSong-level and dynamic labels compared, valence - arousal, as loaded:")
    print(deam.find_swapped(corpus.songs, corpus.labels, corpus.songs["year"]).to_string())
    if (Path(where) / deam.SONG_LEVEL_FEATURES).exists() and corpus.songs["audio"].notna().any():
        table = deam.compare_features(corpus, Path(where))
        print(f"\nOur features and {deam.SONG_LEVEL_FEATURES} compared, over songs with audio:")
        print(table.to_string())
        print("\nMedian over the features of each family:")
        print(table.groupby("family").median().to_string())


def download(where: str, task: str) -> None:
    """Download DEAM into a folder, or unpack its archives that are there, and check the result."""
    from mer_core.datasets import deam

    check(str(deam.download(where)), task)


def predict(
    audio: list[str], out: Place, plot: Place, train: Place, recursive: bool, processes: int
) -> int:
    """Predict valence and arousal of songs, with intervals that contain 8 of 10 mean ratings."""
    from mer_core import features, models, own_songs
    from mer_core.features.audio import song_id_of

    files = [k for place in audio for k in features.audio_files(place, recursive=recursive)]
    _check_predict(files, {song_id_of(path) for path in files}, out, plot)
    model = models.pretrained()
    if train:
        model = own_songs.train(_development_songs(train), where=train)
    found, failures = features.extract_all(files, processes=processes)
    for why in failures:
        print(f"failed: {why}", file=sys.stderr)
    if not found.empty:
        curves = own_songs.predict_curves(model, found)
        songs = own_songs.predict_songs(model, found)
        print(own_songs.describe(songs))
        if out:
            own_songs.write(Path(out), songs, curves)
            print(f"{len(curves)} half seconds, in {out}")
        for path in own_songs.save_figures(Path(plot), songs, curves) if plot else ():
            print(f"figure: {path}")
        about = train or "real music (DEAM, VGMIDI)"
        print(f"Trained on {about}. {own_songs.about_errors(model)}")
    return int(len(failures) > 0)


def _development_songs(where: str) -> Corpus:
    """A folder's development songs; of a partial copy without features, those with audio."""
    from mer_core.datasets import load_corpus, songs_with_audio

    dev = load_corpus(where).split("dev")
    partial = dev.features.empty and dev.songs["audio"].notna().any()
    return songs_with_audio(dev) if partial else dev


def _check_predict(files: list[Path], song_ids: set, out: Place, plot: Place) -> None:
    """Raise a DataError if the output would destroy a file or can't be written."""
    from mer_core import own_songs
    from mer_core.files import DataError, check_output, check_writable, identities

    outputs: list[str | Path] = [out] if out else []
    if plot:
        if importlib.util.find_spec("matplotlib") is None:
            raise DataError("--plot", f"matplotlib, from {EXTRA}", "an installation without it")
        outputs += own_songs.figure_paths(Path(plot), song_ids).values()
    for path in outputs:
        check_output(path, inputs=identities(files), earlier=own_songs.is_earlier_result)
        check_writable(Path(os.path.realpath(path)).parent)


def extract(
    audio: list[str], out: str, sets: list[str], format: str, recursive: bool, **options: float
) -> int:
    """Extract features of audio files, as CSV files in DEAM's format or as one Parquet file."""
    from mer_core import features
    from mer_core.features import batch
    from mer_core.features.audio import song_id_of

    files = [k for place in audio for k in features.audio_files(place, recursive=recursive)]
    odd = [k for k in files if format == "csv" and not batch.is_file_name(song_id_of(k))]
    named = [k for k in files if k not in odd]
    ids = {song_id_of(path) for path in named}
    batch.check_save(ids, out, format=format, inputs=files)
    found, failures = features.extract_all(named, sets, **options)
    unsafe = "expected a valid name of a CSV file, or --format parquet, found this one"
    for why in [*failures, *(f"{path}: {unsafe}" for path in odd)]:
        print(f"failed: {why}", file=sys.stderr)
    if not found.empty:
        features.save(found, out, format=format)
        count = found.index.unique("song_id").size
        print(f"{count} {'song' if count == 1 else 'songs'}, {len(found)} rows, in {out}")
    return int(len(failures) + len(odd) > 0)


if __name__ == "__main__":
    sys.exit(main())
