"""What features of harmony add: `python -m workbook.harmony` fills docs/harmony.md."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mer_core.features.tonal import NAMES as TONAL
from mer_core.metrics import DIMENSIONS
from workbook import results
from workbook.real_music import as_page, fill, number, with_interval
from workbook.studies.harmony import BASELINES, BOTH, SETS, WEIGHTED
from workbook.studies.harmony_chroma import CHROMAS
from workbook.studies.harmony_keys import HARMONIC
from workbook.valence import correlation, interval, mean_over_songs, moments, song_counts

PAGE = results.ROOT / "docs" / "harmony.md"
REAL = {"vgmidi": "VGMIDI", "deam": "DEAM"}
SYNTHETIC = {"mini": "mini (synthetic)"}
BEST = "best without harmony"
BASS = "r of ridge, and bass consonance"
SURE = 0.05
WITHIN = {"pooled": "pooled", "songs": "between songs", "mean": "within songs"}


def scores(
    name: str, features: str | None, *, against: str = BEST, dimension: str = "valence"
) -> pd.DataFrame:
    """Rows of r of whole songs, by learner: of one feature set, or with the level features."""
    known = {"features": features, "against": against, "dimension": dimension, "metric": "pearson"}
    known = {level: value for level, value in known.items() if value}
    return results.table(f"harmony_{name}").xs(tuple(known.values()), level=[*known])


def songs(titles: dict[str, str]) -> pd.DataFrame:
    """Correlations over songs of each learner and set, and differences to the best of the 260."""
    columns = {}
    for name, title in titles.items():
        for dimension in DIMENSIONS:
            part = scores(name, None, dimension=dimension)
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
        level="features", key=lambda names: names.map([*SETS].index), sort_remaining=False
    ).sort_index(level=0, sort_remaining=False, kind="stable")


def detectable() -> pd.DataFrame:
    """The difference in r of valence that so many songs show with a power of 80 %."""
    text = {}
    for name, title in REAL.items():
        part = scores(name, None)
        least = part.loc[part["difference"] != 0, "detectable"].groupby(level="features")
        text[title] = least.agg(["min", "max"]).map(number).agg(" to ".join, axis=1)
    return pd.DataFrame(text).loc[[k for k in SETS if k not in BASELINES]]


def measured_mode() -> pd.DataFrame:
    """How well the 260 predict the mode of a song."""
    parts = {title: scores(name, None, dimension="mode") for name, title in REAL.items()}
    return _ordered(pd.DataFrame({k: v.apply(with_interval, axis=1) for k, v in parts.items()}))


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


def half_seconds(name: str) -> pd.DataFrame:
    """Rows of r of valence every half second, beside the 260 of the same system."""
    table = results.table(f"harmony_frames_{name}")
    return table.xs(("260", "valence", "pearson"), level=("against", "dimension", "metric"))


def frames(name: str) -> pd.DataFrame:
    """Correlations of valence every half second: pooled, between songs and within songs."""
    table, columns = half_seconds(name), {}
    value = table.apply(with_interval, axis=1).unstack("aggregation")
    change = table.apply(_difference, axis=1).unstack("aggregation")
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
    """Scores of the three sets of key profiles on VGMIDI, from the audio and from the notes."""
    table = results.table("harmony_profiles").loc[["CQT", "notes"]]
    return table.apply(with_interval, axis=1).unstack("statistic").drop(columns=BASS)


def chromas() -> pd.DataFrame:
    """Scores of the seven chromas with the profiles of `tonal`, on both real data sets."""
    columns = {}
    for name, title in {"harmony_profiles": "VGMIDI", "harmony_profiles_deam": "DEAM"}.items():
        table = results.table(name).xs("Temperley", level="profile")
        text = table.apply(with_interval, axis=1).unstack("statistic")
        wanted = ["r(mode, valence)", "r of ridge", "same sign, 16 s"]
        columns |= {f"{title}: {k}": text[k] for k in wanted if k in text}
    return pd.DataFrame(columns).reindex([*CHROMAS])


def swap() -> pd.DataFrame:
    """What the parallel mode and a semitone change; value, low, high over pieces."""
    table = results.table("harmony_swap")["value"].unstack("piece")
    counts = song_counts(table.shape[1])
    rows = {key: interval(mean_over_songs(counts, row)) for key, row in table.iterrows()}
    return pd.DataFrame(rows).T.rename_axis(["version", "statistic"]).assign(pieces=table.shape[1])


def _span(values: pd.Series) -> str:
    return f"{number(values.min(), 2)} to {number(values.max(), 2)}"


def _pair(values: pd.Series) -> str:
    return " and ".join(number(value, 2) for value in values)


def _of_songs() -> dict[str, str]:
    six, sets = scores("vgmidi", "tonal"), scores("vgmidi", None)
    base = sets[sets.index.isin(BASELINES, level="features")]
    best, least = base.loc[base["value"].idxmax()], six.loc[six["difference"].idxmin()]
    by_profile = results.table("harmony_profiles").xs(("CQT", "r of ridge"), level=(0, 2))
    return {
        "pieces": f"{best['songs']:.0f}",
        "six": _span(six["value"]),
        "base": number(best["value"], 2),
        "best": ", ".join(best.name),
        "least": with_interval(least, "difference"),
        "profiles": _span(by_profile["value"]),
        "arousal": _span(scores("vgmidi", "tonal", dimension="arousal")["difference"]),
        "both": number(sets["value"]["ridge", BOTH], 2),
        "weighted": number(sets["value"]["ridge", WEIGHTED], 2),
    }


def _of_deam() -> dict[str, str]:
    table, ridge = (
        scores("deam", BOTH, against="260"),
        scores("deam", BOTH, against="260").loc["ridge"],
    )
    zero = (table["difference_low"] < 0) & (table["difference_high"] > 0)
    # The detectable difference shrinks with the root of the number of songs.
    needed = {gain: ridge["songs"] * (ridge["detectable"] / gain) ** 2 for gain in (0.05, 0.03)}
    return {
        "excerpts": f"{ridge['songs']:.0f}",
        "change": _span(table["difference"]),
        "zero": str(zero.sum()),
        "learners": str(len(table)),
        "detectable": _span(table["detectable"]),
        "mode": with_interval(single("deam").loc["mode_long", "valence"]),
        "songs_05": f"{needed[0.05]:.0f}",
        "songs_03": f"{needed[0.03]:.0f}",
    }


def _of_mode() -> dict[str, str]:
    mode = scores("vgmidi", None, dimension="mode")["value"]
    mode = mode[mode.index.isin(BASELINES, level="features")]
    text = swap().apply(with_interval, axis=1)
    found = {
        "predicted_mode": number(mode.max(), 2),
        "moved_up": text["a semitone up", "change of 260"],
    }
    for side in ("260", "tonal"):
        found[f"moved_{side}"] = text["other mode", f"change of {side}"]
        found[f"valence_{side}"] = text["other mode", f"valence by {side}"]
    return found


def _of_chromas() -> dict[str, str]:
    found = {}
    for name, short in {"harmony_profiles": "vgmidi", "harmony_profiles_deam": "deam"}.items():
        table = results.table(name).drop("notes", errors="ignore")
        found[f"chroma_{short}"] = _span(table["value"].xs("r(mode, valence)", level="statistic"))
    ridge = results.table("harmony_profiles").loc[("CQT", "Temperley")]
    others = results.table("harmony_profiles")["value"].xs(
        ("Temperley", "r of ridge"), level=(1, 2)
    )
    found["chroma_ridge"] = _span(others.drop("notes"))
    return found | {"bass": _pair(ridge["value"][["r of ridge", BASS]])}


def _of_keys() -> dict[str, str]:
    same = results.table("harmony_profiles").loc[("CQT", "Temperley", "same sign, 16 s")]
    table = results.table("harmony_keys").xs("mode_long", level="feature")
    known = table.loc["as recorded"]
    played = table.xs("all", level="condition").loc[["played again", "drums removed"]]
    rest = table.xs("all", level="condition")
    return {
        "same": with_interval(same),
        "right": with_interval(known.loc["all"]),
        "majority": number(known["majority"]["all"], 2),
        "r": number(known["r"]["all"], 2),
        "wrong": _pair(known["value"][["dorian", "phrygian"]]),
        "drums_r": _pair(played["r"]),
        "drums_clarity": _pair(played["clarity"]),
        "voices_r": number(rest["r"]["voices"], 2),
        "voices_clarity": number(rest["clarity"]["voices"], 2),
        "harmonic_r": number(rest["r"][HARMONIC], 2),
    }


def _of_frames() -> dict[str, str]:
    table = half_seconds("vgmidi").loc["delayed linear"]
    cells = {
        f"{kind}_{side}": with_interval(table.loc[side, kind])
        for kind in ("pooled", "mean")
        for side in ("260", "tonal")
    }
    networks = half_seconds("vgmidi").drop("delayed linear").xs("tonal", level="features")
    networks = networks["difference"].unstack("aggregation")
    cells |= {"networks": _span(networks["pooled"]), "networks_within": _span(networks["mean"])}
    return cells | {"gain": with_interval(table.loc["tonal", "mean"], "difference")}


def findings() -> str:
    """What was found, one point each; all numbers are read from the stored tables."""
    numbers = _of_songs() | _of_deam() | _of_mode() | _of_keys() | _of_frames()
    numbers |= _of_chromas()
    text = Path(__file__).with_name("harmony_findings.md").read_text(encoding="utf-8")
    return text.strip().format(**numbers)


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
        "chromas": chromas(),
        "swap": swap().apply(with_interval, axis=1).unstack("version"),
    }
    makers |= {f"frames {name}": frames(name) for name in (*REAL, *SYNTHETIC)}
    return {"findings": findings()} | {name: as_page(table) for name, table in makers.items()}


def main() -> None:
    """Write the tables into docs/harmony.md."""
    fill(PAGE, tables())


if __name__ == "__main__":
    main()
