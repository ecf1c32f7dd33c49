"""The figures by which the corpus is held against DEAM; run as a script it prints them as a table.

python corpus_statistics.py [folder of the corpus]
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from paths import AROUSAL, VALENCE, cronbach_alpha

# The 431 development and 58 test songs of MediaEval 2015, measured on DEAM; the alphas are those
# that the task's organisers published (Aljanaki, Yang & Soleymani 2015).
DEAM = pd.DataFrame(
    {
        "r of song means": (0.617, 0.035),
        "r pooled over frames": (0.614, -0.197),
        "r within songs, mean": (0.485, 0.00),
        "r within songs, sd": (0.59, 0.59),
        "valence, sd between songs": (0.24, 0.28),
        "arousal, sd between songs": (0.29, 0.22),
        "valence, sd within songs": (0.045, 0.094),
        "arousal, sd within songs": (0.052, 0.151),
        "valence, alpha, mean": (0.73, 0.29),
        "valence, alpha, sd": (0.12, 0.94),
        "arousal, alpha, mean": (0.76, 0.65),
        "arousal, alpha, sd": (0.12, 0.28),
    },
    index=["development", "test"],
).T


def correlation(points: np.ndarray) -> float:
    """Pearson's r of the two columns of points [shape=(n, 2)]."""
    return float(np.corrcoef(points.T)[VALENCE, AROUSAL])


def figures(ratings: list[np.ndarray]) -> pd.Series:
    """The figures of `DEAM` for songs given by their ratings [shape=(raters, frames, 2)]."""
    labels = [song.mean(axis=0) for song in ratings]
    means = np.array([song.mean(axis=0) for song in labels])
    within = np.array([correlation(song) for song in labels])
    between_sd = means.std(axis=0, ddof=1)
    within_sd = np.mean([song.std(axis=0) for song in labels], axis=0)
    alphas = np.array([cronbach_alpha(song) for song in ratings])
    values = [correlation(means), correlation(np.concatenate(labels)), within.mean(), within.std()]
    values += [*between_sd, *within_sd]
    values += [*(f(alphas[:, c]) for c in (VALENCE, AROUSAL) for f in (np.mean, np.std))]
    return pd.Series(values, index=DEAM.index)


def distance(found: pd.Series, wanted: pd.Series) -> float:
    """How far figures lie from the wanted ones: fourth powers of the misses, in units of a third.

    The fourth power keeps every single figure near. Correlations near zero, of which a third means
    nothing, count in units of 0.15.
    """
    third = (wanted.abs() / 3).where(wanted.abs() > 0.04, 0.15)
    return float((((found - wanted) / third) ** 4).sum())


def read_ratings(mini: Path) -> pd.Series:
    """Ratings per song [each (raters, frames, 2)] from the per-rater files of a corpus."""
    folder = mini / "annotations/annotations per each rater/dynamic (per second annotations)"
    both = {
        int(file.stem): [
            pd.read_csv(folder / name / file.name, index_col="WorkerId")
            for name in ("valence", "arousal")
        ]
        for file in (folder / "arousal").glob("*.csv")
    }
    return pd.Series({song: np.stack(pair, axis=-1) for song, pair in sorted(both.items())})


def table(mini: Path) -> pd.DataFrame:
    """DEAM, the corpus and their difference, for development and test songs."""
    ratings = read_ratings(mini)
    parts = {
        "development": ratings[ratings.index <= 2000],
        "test": ratings[ratings.index > 2000],
    }
    columns = {}
    for part, songs in parts.items():
        columns[f"DEAM {part}"] = DEAM[part]
        columns[f"mini {part}"] = figures(list(songs))
        columns[f"difference {part}"] = columns[f"mini {part}"] - DEAM[part]
    return pd.DataFrame(columns)


def as_markdown(frame: pd.DataFrame) -> str:
    """A frame of numbers as a Markdown table with three decimals."""
    lines = ["| | " + " | ".join(frame.columns) + " |", "|---" * (frame.shape[1] + 1) + "|"]
    for name, row in frame.iterrows():
        lines.append(f"| {name} | " + " | ".join(f"{value:.3f}" for value in row) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    default = Path(__file__).resolve().parents[1] / "mini"
    print(as_markdown(table(Path(sys.argv[1]) if len(sys.argv) > 1 else default)))
