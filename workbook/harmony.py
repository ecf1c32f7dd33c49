"""What features of harmony add: `python -m workbook.harmony` fills docs/harmony.md."""

from __future__ import annotations

import pandas as pd

from mer_core.features.tonal import NAMES as TONAL
from mer_core.metrics import DIMENSIONS
from workbook import results
from workbook.real_music import as_page, fill, number, with_interval
from workbook.studies.harmony import BASELINES, BOTH, WEIGHTED
from workbook.valence import correlation, interval, mean_over_songs, moments, song_counts

PAGE = results.ROOT / "docs" / "harmony.md"
REAL = {"vgmidi": "VGMIDI", "deam": "DEAM"}
SYNTHETIC = {"mini": "mini (synthetic)"}
BEST = "best without harmony"
SURE = 0.05
ORDER = [*BASELINES, "tonal", BOTH, WEIGHTED]
SIDES = ("260", "tonal")
PLAYED = ("played again", "drums removed")
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
    """How often the third of the mode over 16 s is right in the embedded corpus, SYNTHETIC."""
    table = results.table("harmony_keys")
    version, condition, feature = (table.index.get_level_values(k) for k in table.index.names)
    few = condition.isin(["all", "5 or more"]) & (feature == "mode_long")
    table = table[few | ((version == "as recorded") & (feature == "mode_long"))]
    text = pd.DataFrame({"right": table.apply(with_interval, axis=1)})
    text["of the more frequent third"] = table["majority"].map(lambda v: number(v, 2))
    ends = table[["r", "r_low", "r_high"]].set_axis(["value", "low", "high"], axis=1)
    text["r"] = ends.apply(with_interval, axis=1)
    text["key clarity"] = table["clarity"].map(lambda v: number(v, 2))
    text = text.join(table[["songs", "frames"]].astype(int).astype(str))
    return text.droplevel("feature")


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


def scores(
    name: str, features: str, *, against: str = BEST, dimension: str = "valence"
) -> pd.DataFrame:
    """Rows of r of whole songs with a feature set, by learner."""
    levels = ["features", "against", "dimension", "metric"]
    return results.table(f"harmony_{name}").xs(
        (features, against, dimension, "pearson"), level=levels
    )


def best_without(name: str, dimension: str = "valence") -> pd.Series:
    """The row of the best learner and set without harmony; its name is (learner, set)."""
    parts = {k: scores(name, k, dimension=dimension) for k in BASELINES}
    table = pd.concat(parts, names=["features"]).swaplevel()
    return table.loc[table["value"].idxmax()]


def songs_for(gain: float) -> float:
    """How many songs of DEAM show such a gain in r by ridge with a power of 80 %."""
    row = scores("deam", BOTH, against="260").loc["ridge"]
    return row["songs"] * (row["detectable"] / gain) ** 2


def _span(values: pd.Series, digits: int = 2) -> str:
    return f"{number(values.min(), digits)} to {number(values.max(), digits)}"


def _of_songs() -> list[str]:
    six, base = scores("vgmidi", "tonal"), best_without("vgmidi")
    least = six.loc[six["difference"].idxmin()]
    arousal = scores("vgmidi", "tonal", dimension="arousal")["difference"]
    by_profile = results.table("harmony_profiles").xs(("audio", "r of ridge"), level=(0, 2))
    both, weighted = (number(scores("vgmidi", k)["value"]["ridge"], 2) for k in (BOTH, WEIGHTED))
    return [
        f"**Piano pieces ({base['songs']:.0f}).** The six predict valence with r = "
        f"{_span(six['value'])} over the four learners, the 260 with {number(base['value'], 2)} "
        f"at most ({', '.join(base.name)}). The smallest difference is "
        f"{with_interval(least, 'difference')}. With three sets of key profiles, ridge has r = "
        f"{_span(by_profile['value'])}. For arousal the six are worse: differences of "
        f"{_span(arousal)}.",
        f"**Both together.** Ridge on all 266 has r = {both} for valence, with a weight of their "
        f"own for the six {weighted}: with features that are cut at 5 standard deviations and a "
        "tuned penalty, six among 266 are not lost.",
    ]


def _of_deam() -> list[str]:
    table, mode = scores("deam", BOTH, against="260"), single("deam").loc["mode_long", "valence"]
    zero = ((table["difference_low"] < 0) & (table["difference_high"] > 0)).sum()
    some = [f"{songs_for(gain):.0f}" for gain in (0.05, 0.03)]
    return [
        f"**DEAM's excerpts ({table['songs'].iloc[0]:.0f}).** Adding the six to the 260 of the "
        f"same learner changes r of valence by {_span(table['difference'])}; {zero} of "
        f"{len(table)} intervals hold 0. So many songs show gains above "
        f"{_span(table['detectable'])} only. The mean mode has r = {with_interval(mode)} with "
        f"valence. To see a gain of .05, ridge needs about {some[0]} songs; for .03, {some[1]}.",
    ]


def _of_mode() -> list[str]:
    found = swap()
    change = {k: with_interval(found.loc[("other mode", f"change of {k}")]) for k in SIDES}
    valence = {k: with_interval(found.loc[("other mode", f"valence by {k}")]) for k in SIDES}
    up = with_interval(found.loc[("a semitone up", "change of 260")])
    mode = pd.concat([scores("vgmidi", k, dimension="mode") for k in BASELINES])["value"]
    return [
        f"**The 260 do not measure the mode.** Predicted from them, it has r = "
        f"{number(mode.max(), 2)} at most on VGMIDI. Played in the other mode, a piece moves them "
        f"by {change['260']} standard deviations (by a semitone: {up}), the six by "
        f"{change['tonal']}. Predicted valence of major minus minor: {valence['260']} by the 260, "
        f"{valence['tonal']} by the six.",
    ]


def _of_keys() -> list[str]:
    same = results.table("harmony_profiles").loc[("audio", "Temperley", "same sign, 16 s")]
    table = results.table("harmony_keys").xs("mode_long", level="feature")
    wrong = [number(table.loc[("as recorded", k), "value"], 2) for k in ("dorian", "phrygian")]
    table = table.xs("all", level="condition")
    known = table.loc["as recorded"]
    r, clarity = ([number(table[k][name], 2) for name in PLAYED] for k in ("r", "clarity"))
    return [
        "**Is the mode right?** Over 16 s, audio and notes of VGMIDI agree on major or minor in "
        f"{with_interval(same)} of all half seconds. On mini (synthetic) the composed third is "
        f"right in {with_interval(known)}; a constant has {number(known['majority'], 2)}, so its "
        f"r says more: {number(known['r'], 2)}. It is wrong mostly in dorian and phrygian, which "
        f"have no profile (right in {' and '.join(wrong)}). The same songs played with and "
        f"without drums: r {' and '.join(r)}, key clarity {' and '.join(clarity)}.",
    ]


def _of_frames() -> list[str]:
    table = results.table("harmony_frames_vgmidi")
    table = table.xs(("260", "valence", "pearson"), level=("against", "dimension", "metric"))
    cells = {
        kind: [with_interval(table.loc[("delayed linear", k, kind)]) for k in SIDES]
        for kind in ("pooled", "mean")
    }
    gain = with_interval(table.loc[("delayed linear", "tonal", "mean")], "difference")
    return [
        "**Every half second, VGMIDI.** The delayed linear model has a pooled r of valence of "
        f"{cells['pooled'][0]} with the 260 and {cells['pooled'][1]} with the six; within songs "
        f"{cells['mean'][0]} and {cells['mean'][1]}, a difference of {gain}. The gain is between "
        "songs.",
    ]


def findings() -> str:
    """What was found, one point each; all numbers are read from the stored tables."""
    points = [*_of_songs(), *_of_deam(), *_of_mode(), *_of_keys(), *_of_frames()]
    return "\n".join(f"- {point}" for point in points)


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
    return {"findings": findings()} | {name: as_page(table) for name, table in makers.items()}


def main() -> None:
    """Write the tables into docs/harmony.md."""
    fill(PAGE, tables())


if __name__ == "__main__":
    main()
