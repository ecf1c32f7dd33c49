"""How well plain models learn the corpus: 10-fold by song, and from development to test songs.

    python learnability.py [folder of the corpus]

Prints Markdown; r and RMSE are pooled over frames, predictions are not smoothed.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from corpus_statistics import as_markdown
from mer_core import Corpus, load_corpus
from mer_core.datasets.deam.annotations import read_curves
from mer_core.datasets.deam.feature_files import read_features
from mer_core.evaluation import cross_validate, k_folds
from mer_core.features import choose
from mer_core.metrics import DIMENSIONS, score
from mer_core.models import SVR, Constant, Linear
from workbook.raters import recolour

CONTEXT = 20  # half seconds over which trailing means are taken
SYSTEMS = {  # name: (model, whether it also sees trailing means)
    "constant": (Constant(), False),
    "ridge": (Linear(), False),
    "SVR": (SVR(), False),
    "ridge with 10 s of context": (Linear(), True),
}


def with_context(features: pd.DataFrame, *, context: bool = True) -> pd.DataFrame:
    """Features, and if wanted beside them their means over the last 10 s of the song."""
    if not context:
        return features
    trailing = features.groupby(level="song_id").rolling(CONTEXT, min_periods=1).mean()
    return features.join(trailing.droplevel(0).add_prefix("trailing_"))


def pooled(labels: pd.DataFrame, predictions: pd.DataFrame) -> dict[str, float]:
    """r and RMSE of both dimensions, pooled over frames."""
    table = score(labels, predictions).xs("pooled", level="aggregation")
    names = {"r": "pearson", "RMSE": "rmse"}
    return {
        f"{d} {name}": table.loc[d, metric] for d in DIMENSIONS for name, metric in names.items()
    }


def cross_validated(dev: Corpus) -> pd.DataFrame:
    """Scores of every system, ten folds of whole songs; a fold's own constant has no r."""
    folds, rows = k_folds(dev.songs.index), {}
    for name, (model, context) in SYSTEMS.items():
        corpus = Corpus(dev.songs, dev.labels, with_context(dev.features, context=context))
        rows[name] = pooled(dev.labels, cross_validate(model, corpus, folds))
    table = pd.DataFrame(rows).T
    table.loc["constant", ["valence r", "arousal r"]] = np.nan
    return table


def transferred(dev: Corpus, tests: dict[str, tuple[pd.DataFrame, pd.DataFrame]]) -> pd.DataFrame:
    """Scores of systems trained on all development songs, for several (features, labels)."""
    rows = {}
    for name, (model, context) in SYSTEMS.items():
        model.fit(with_context(dev.features, context=context), dev.labels)
        for test, (features, labels) in tests.items():
            predictions = model.predict(with_context(features, context=context))
            rows[f"{test}: {name}"] = pooled(labels, predictions)
    return pd.DataFrame({row: rows[row] for row in sorted(rows)}).T


def as_labels(paths: list[np.ndarray], like: pd.DataFrame) -> pd.DataFrame:
    """Paths [each (steps, 2)] as a track with the rows of another one."""
    parts = dict(zip(like.index.unique("song_id"), map(pd.DataFrame, paths)))
    track = pd.concat(parts, names=["song_id", "time"]).set_axis(DIMENSIONS, axis=1)
    index = track.index.set_levels(track.index.levels[1] * 0.5, level=1)
    return track.set_axis(index).loc[like.index]


def main(mini: Path) -> None:
    """Print both tables."""
    corpus = load_corpus(mini)
    corpus = replace(corpus, features=choose(corpus.features, ("compare",)))
    dev, test = corpus.split("dev"), corpus.split("test")
    latent = pd.DataFrame({d: read_curves(mini / "latent" / f"{d}.csv") for d in DIMENSIONS})
    paths = [latent.loc[song_id].to_numpy() for song_id in test.songs.index]
    familiar = read_features(mini / "features_development_palette", test.songs.index)
    familiar = choose(familiar, ("compare",))
    tests = {
        "A test palettes": (test.features, test.labels),
        "B development palettes": (familiar, test.labels),
        "C development palettes, latent path": (familiar, as_labels(paths, test.labels)),
        "D development palettes, path at r 0.6": (
            familiar,
            as_labels(recolour(paths, 0.6), test.labels),
        ),
    }
    print(as_markdown(cross_validated(dev)), end="\n\n")
    print(as_markdown(transferred(dev, tests)))


if __name__ == "__main__":
    default = Path(__file__).resolve().parents[1] / "mini"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else default)
