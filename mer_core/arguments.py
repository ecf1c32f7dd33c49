"""What the commands of `mer` have in common: how they are added, and their numeric options."""

import argparse
from collections.abc import Callable


def add_command(
    commands: argparse._SubParsersAction, run: Callable, *examples: str
) -> argparse.ArgumentParser:
    """Add a command that runs a function of the same name, whose docstring is the help text.

    The help ends with the examples: the words that follow `mer`.
    """
    lines = "".join(f"\n  mer {example}" for example in examples)
    command = commands.add_parser(
        run.__name__,
        help=run.__doc__,
        description=run.__doc__,
        epilog=f"examples:{lines}" if examples else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run)
    return command


def add_processes(command: argparse.ArgumentParser) -> None:
    """Add the option `--processes`."""
    count = "parallel processes, at most one per core (default: -1, one per core)"
    command.add_argument("--processes", type=processes, default=-1, help=count)


def folds(text: str) -> int:
    """Read a number of folds: 2 or more."""
    return _whole(text, at_least=2, expected="2 or more folds")


def processes(text: str) -> int:
    """Read a number of processes: 1 or more, or -1 for one per core."""
    return -1 if text == "-1" else _whole(text, at_least=1, expected="1 or more, or -1 for all")


def _whole(text: str, *, at_least: int, expected: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() else at_least - 1
    if number < at_least:
        raise argparse.ArgumentTypeError(f"expected {expected}, found {text!r}")
    return number
