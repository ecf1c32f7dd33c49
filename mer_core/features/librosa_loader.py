"""Import librosa, also where numba cannot write its cache."""

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from mer_core.files import DataError, check_writable, note, user_cache


def load_librosa() -> ModuleType:
    """Import librosa; the first call warns (DataWarning) if compiled code can't be cached."""
    if problem := prepare_numba():
        note(problem)
    with _home():
        import librosa
        import librosa.util.files  # asks for the home folder

    return librosa


@contextmanager
def _home() -> Iterator[None]:
    """Set HOME temporarily if the user has no home folder; nothing is written there."""
    try:
        user_cache("librosa")
    except OSError:
        os.environ["HOME"] = tempfile.gettempdir()
        try:
            yield
        finally:
            del os.environ["HOME"]
    else:
        yield


def prepare_numba() -> str:
    """Give numba a temporary folder if none of its own cache folders can be written.

    Otherwise importing librosa fails. Processes that start later use the same folder, which is
    removed at exit. Returns the problem and its remedy; empty if there is none, librosa is imported
    already, or this function has been called before.
    """
    if "librosa.util.utils" in sys.modules:
        return ""
    given = os.environ.get("NUMBA_CACHE_DIR")
    problem = _problem(Path(given) if given else _beside_librosa())
    if not problem:
        return ""
    with suppress(OSError):
        place = user_cache("numba")
        if not _problem(place):
            _use(place)
            return ""
    with suppress(OSError):  # without a temporary folder numba raises an error
        place = Path(tempfile.mkdtemp(prefix="numba-"))
        atexit.register(shutil.rmtree, place, ignore_errors=True)
        _use(place)
    remedy = "set NUMBA_CACHE_DIR to a folder that can be written"
    return f"librosa's compiled code is not kept ({problem}); to keep it, {remedy}"


def _use(folder: Path) -> None:
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    if "numba" in sys.modules:  # it has read the variable already
        sys.modules["numba"].config.CACHE_DIR = str(folder)


def _beside_librosa() -> Path:
    return Path(find_spec("librosa").origin).parent / "util" / "__pycache__"


def _problem(folder: Path) -> str:
    try:
        check_writable(folder)
    except DataError as error:
        return str(error)
    return ""
