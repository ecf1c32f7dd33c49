"""What features of harmony add: `python -m workbook.harmony` fills docs/harmony.md."""

from __future__ import annotations

import pandas as pd

from mer_core.features.tonal import NAMES as TONAL
from mer_core.files import written_atomically
from mer_core.metrics import DIMENSIONS
from workbook import results
from workbook.real_music import as_page, filled, number, with_interval
from workbook.studies.harmony import BASELINES, BOTH, WEIGHTED
from workbook.valence import correlation, interval, mean_over_songs, moments, song_counts

PAGE = results.ROOT / "docs" / "harmony.md"
REAL = {"vgmidi": "VGMIDI", "deam": "DEAM"}
SYNTHETIC = {"mini": "mini (synthetic)"}
BEST = "best without harmony"
SURE = 0.05
ORDER = [*BASELINES, "tonal", BOTH, WEIGHTED]
WITHIN = {"pooled": "pooled", "songs": "between songs", "mean": "within songs"}


def songs(titles: dict[str, str]) -> pd.DataFrame:
    """Correlations over songs of each learner and set, and differences to the best of the 260."""
    columns = {}
    for name, title in titles.items():
        table = results.table(f"harmony_{name}").xs((BEST, "pearson"), level=("against", "metric"))
        for dimension in DIMENSIONS:
            part = table.xs(dimension, level="dimension")
            head = f"{title} ({part['songs'].iloc[0]:.0f}), {dimension}"
            columns[f"{head}: r"] = part.apply(with_interval, axis=1)
            columns[f"{head}: difference"] = part.apply(_difference, axis=1)
    return _ordered(pd.DataFrame(columns))


def _difference(row: pd.Series) -> str:
    text = with_interval(row, "difference")
    return "–" if row["difference"] == 0 else text + "*" * bool(row["p_holm"] < SURE)


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Feature sets from the plainest on, systems as they are stored."""
    return table.sort_index(
        level="features", key=lambda names: names.map(ORDER.index), sort_remaining=False
    ).sort_index(level=0, sort_remaining=False, kind="stable")


def detectable() -> pd.DataFrame:
    """The difference in r of valence that so many songs show with a power of 80 %."""
    rows = {}
    for name, title in REAL.items():
        table = results.table(f"harmony_{name}")
        part = table.xs((BEST, "valence", "pearson"), level=("against", "dimension", "metric"))
        part = part[part["difference"] != 0]
        rows[title] = part["detectable"].groupby(level="features").agg(["min", "max"])
    text = {k: v.map(number).agg(" to ".join, axis=1) for k, v in rows.items()}
    return pd.DataFrame(text).loc[[k for k in ORDER if k not in BASELINES]]


def measured_mode() -> pd.DataFrame:
    """How well the 260 predict the mode of a song."""
    columns = {}
    for name, title in REAL.items():
        table = results.table(f"harmony_{name}")
        part = table.xs((BEST, "mode", "pearson"), level=("against", "dimension", "metric"))
        columns[title] = part.apply(with_interval, axis=1)
    return _ordered(pd.DataFrame(columns))


def single(name: str) -> pd.DataFrame:
    """Correlations over songs of the mean of each tonal feature with the mean label."""
    points = results.table(f"harmony_{name}_points")
    counts, rows = song_counts(len(points)), {}
    for feature in TONAL:
        for dimension in DIMENSIONS:
            sums = moments(points[feature], points[dimension])
            rows[feature, dimension] = interval(correlation(counts @ sums))
    return pd.DataFrame(rows).T.rename_axis(["feature", "dimension"])


def singles() -> pd.DataFrame:
    """The same as text, for both real data sets."""
    columns = {}
    for name, title in REAL.items():
        text = single(name).apply(with_interval, axis=1).unstack("dimension")
        columns |= {f"{title}, {k}": text[k] for k in DIMENSIONS}
    return pd.DataFrame(columns).loc[[*TONAL]]


def frames(name: str) -> pd.DataFrame:
    """Correlations of valence every half second: pooled, between songs and within songs."""
    table = results.table(f"harmony_frames_{name}")
    table = table.xs(("260", "valence", "pearson"), level=("against", "dimension", "metric"))
    value = table.apply(with_interval, axis=1).unstack("aggregation")
    change = table.apply(_difference, axis=1).unstack("aggregation")
    columns = {}
    for aggregation, head in WITHIN.items():
        columns |= {f"{head}: r": value[aggregation], f"{head}: minus 260": change[aggregation]}
    return _ordered(pd.DataFrame(columns))


def keys() -> pd.DataFrame:
    """How often the third of the mode is right in the embedded corpus, SYNTHETIC."""
    table = results.table("harmony_keys")
    text = pd.DataFrame({"right": table.apply(with_interval, axis=1)})
    text["of the more frequent third"] = table["majority"].map(lambda v: number(v, 2))
    ends = table[["r", "r_low", "r_high"]].set_axis(["value", "low", "high"], axis=1)
    text["r"] = ends.apply(with_interval, axis=1)
    text["key clarity"] = table["clarity"].map(lambda v: number(v, 2))
    return text.join(table[["songs", "frames"]].astype(int).astype(str))


def profiles() -> pd.DataFrame:
    """Key profiles beside each other, from the audio and from the notes of VGMIDI."""
    table = results.table("harmony_profiles")
    return table.apply(with_interval, axis=1).unstack("statistic")


def swap() -> pd.DataFrame:
    """What the parallel mode and a semitone change; value, low, high over pieces."""
    table = results.table("harmony_swap")["value"].unstack("piece")
    counts = song_counts(table.shape[1])
    rows = {key: interval(mean_over_songs(counts, row)) for key, row in table.iterrows()}
    return pd.DataFrame(rows).T.rename_axis(["version", "statistic"]).assign(pieces=table.shape[1])


def swaps() -> pd.DataFrame:
    """The same as text."""
    return swap().apply(with_interval, axis=1).unstack("version")


def tables() -> dict[str, str]:
    """All tables of the page, by the names of their marks."""
    makers = {
        "songs": songs(REAL),
        "songs mini": songs(SYNTHETIC),
        "detectable": detectable(),
        "mode": measured_mode(),
        "single": singles(),
        "keys": keys(),
        "profiles": profiles(),
        "swap": swaps(),
    }
    makers |= {f"frames {name}": frames(name) for name in (*REAL, *SYNTHETIC)}
    return {name: as_page(table) for name, table in makers.items()}


def main() -> None:
    """Write the tables into docs/harmony.md."""
    with written_atomically(PAGE) as part:
        part.write_text(filled(PAGE.read_text(), tables()))


if __name__ == "__main__":
    main()
