"""`load_corpus`, one function for all data sets, which are recognised by their layout."""

import os
from pathlib import Path

from mer_core.corpus import Corpus
from mer_core.datasets import emomusic, own, pmemo, vgmidi
from mer_core.datasets.deam import read
from mer_core.datasets.layout import find_folder, visible
from mer_core.files import DataError

CSV = "audio files and one CSV file: song_id, time, valence, arousal"
LAYOUTS = {
    "DEAM": (read.find, read.load, "`annotations`/annotations averaged per song/"),
    "VGMIDI": (vgmidi.find, vgmidi.load, "labelled/annotations/vgmidi_raw_<n>.json"),
    "PMEmo": (pmemo.find, pmemo.load, "annotations/dynamic_annotations.csv"),
    "emoMusic": (emomusic.find, emomusic.load, "annotations/valence_cont_average.csv"),
    "labels of MediaEval 2015": (own.find_curves, own.load_curves, "arousal.csv and valence.csv"),
    "your own": (own.find_files, own.load_files, CSV),
}
"""For each data set: functions that find it in a folder and load it, and what is looked for."""


def recognise(where: str | os.PathLike) -> str:
    """Name the data set in a folder by its layout, a key of :data:`LAYOUTS`.

    Raises a DataError that lists what was looked for if it is none of them.
    """
    if where == "mini":
        return "DEAM"
    folder = Path(os.path.expanduser(where))
    found = next((name for name, (find, *_) in LAYOUTS.items() if find(folder)), None)
    if found or find_folder(folder, "annotations"):
        return found or "DEAM"  # whose reader says what is missing in `annotations`
    listed = "; ".join(f"{name}: {files}" for name, (*_, files) in LAYOUTS.items())
    names = [path.name for path in visible(folder)]
    found = f"{len(names)} entries: {', '.join(names[:8])}" if folder.is_dir() else "no such folder"
    raise DataError(folder, f"a folder with one of these data sets ({listed})", found)


def load_corpus(where: str | os.PathLike = "mini", *, task: str = "2015") -> Corpus:
    """Load a data set, which is recognised by its layout; `docs/datasets.md` describes them.

    DEAM and data in its layout, whole or partial; VGMIDI; PMEmo; emoMusic; the 2015 task's labels;
    a folder with audio files and one CSV file of labels. Labels on other scales are converted to
    [-1, 1], known defects are repaired, and each conversion and repair is reported by a
    DataWarning, as are files that are left out.

    Where a data set has audio and no feature files, the 260 features are extracted when
    `corpus.features` is first used, with progress, and kept in the user's cache.
    Source: Aljanaki, Yang, Soleymani (2017). The list of the 431, which is not part of DEAM either,
    was recovered by aligning label curves: 423 are certain, eight nearly so. Notebook 00.

    Parameters
    ----------
    where : "mini" or path
        The embedded, synthetic corpus, or a folder. The embedded corpus is the folder `data/mini`
        of the project's repository; the installed package does not contain it.
    task : {"2015", "2014", "2013"}
        For DEAM: whose development and test songs `split` names; nothing else differs.
        2013: the 744 songs of 2013 are "dev", none is "test" (its own division of them is not part
        of DEAM). 2014: those 744 are "dev", the 1000 of 2014 "test". 2015: the 431 that the
        organisers chose by agreement are "dev", the 58 of 2015 "test".

    Raises
    ------
    DataError
        Naming the file, what was expected and what was found; a ValueError if the task is unknown.

    Examples
    --------
    >>> corpus = load_corpus("mini")
    >>> list(corpus.labels)
    ['valence', 'arousal']
    """
    if task not in read.TASKS:
        raise ValueError(f"task: expected one of {read.TASKS}, found {task!r}")
    name = recognise(where)
    if name == "DEAM":
        return read.load(where, task=task)
    return LAYOUTS[name][1](Path(os.path.expanduser(where)))
