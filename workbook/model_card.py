"""Train the model in the package, and write its card: `python -m workbook.model_card`.

The numbers of the card are from the tables `pretrained`, `pretrained_choices`, `pretrained_groups`
and `pretrained_excerpts` in `data/results`.
"""

from __future__ import annotations

import pandas as pd

from mer_core.metrics import DIMENSIONS
from mer_core.models import pretrained, save
from mer_core.models.pretrained import CARD, WEIGHTS, WindowedRidge
from workbook import results
from workbook.real_music import as_page, fill, number, with_interval
from workbook.studies.pretrained import SHIPPED, real_songs, train

TESTS = {
    "excerpts": "DEAM's 36 excerpts",
    "vgmidi": "VGMIDI, ten folds",
    "2015": "DEAM's 58 songs of 2015",
}
METRICS = {"rmse": ("RMSE", 3), "pearson": ("r", 2), "coverage": ("in the 80 % interval", 2)}


def error_table() -> pd.DataFrame:
    """RMSE, r and coverage of the package's model, with 95 % intervals over songs."""
    table, rows = results.table("pretrained").loc[SHIPPED], {}
    for (test, of, dimension), part in table.groupby(level=["test", "of", "dimension"], sort=False):
        part = part.droplevel(["test", "of", "dimension"])
        cells = [with_interval(part.loc[k], digits=d) for k, (_, d) in METRICS.items()]
        rows[TESTS[test], of, dimension] = [f"{part['songs'].iloc[0]:.0f}", *cells]
    columns = ["songs", *(name for name, _ in METRICS.values())]
    return pd.DataFrame(rows, columns).T.rename_axis(["data", "prediction of", "dimension"])


def system_table() -> pd.DataFrame:
    """RMSE and r of all systems on the 36 excerpts: whole songs and half seconds."""
    table, rows = results.table("pretrained").xs("excerpts", level="test"), {}
    for (system, of, dimension), part in table.groupby(level=[0, 1, 2], sort=False):
        row = part.droplevel([0, 1, 2])["value"]
        cell = number(row["rmse"])
        if system != "constant":
            cell += f", {number(row['pearson'], 2)}"
        rows.setdefault(system, {})[f"{of}, {dimension}"] = cell
    return pd.DataFrame(rows).T.rename_axis("RMSE, r")


def choice_table() -> pd.DataFrame:
    """What the choices change: r and RMSE, and the effect of a gain on predicted arousal."""
    table, rows = results.table("pretrained_choices"), {}
    for choice in table.index.unique("choice"):
        part, cells = table.loc[choice], {}
        for test, head in {"left out, 2013": "DEAM 2013", "left out, vgmidi": "VGMIDI"}.items():
            r = [number(part.loc[(test, "song", k), "pearson"], 2) for k in DIMENSIONS]
            cells[f"r, songs of {head}"] = " / ".join(r)
        excerpts = part.loc["excerpts", "half second"]
        both = excerpts.loc[DIMENSIONS]
        cells["r, excerpts"] = " / ".join(number(v, 2) for v in both["pearson"])
        cells["RMSE, excerpts"] = " / ".join(number(v) for v in both["rmse"])
        moved = [f"{excerpts.loc['arousal', f'moved_{g}_dB']:+.2f}" for g in (-12, 12)]
        cells["arousal at -12 / +12 dB"] = " / ".join(moved)
        rows[choice] = cells
    return pd.DataFrame(rows).T.rename_axis("valence / arousal")


def group_table() -> pd.DataFrame:
    """Errors for songs of training, left out, by campaign, genre and loudness."""
    table = results.table("pretrained_groups")
    return _cells(table).rename_axis(["by", "valence / arousal"])


def excerpt_table() -> pd.DataFrame:
    """Coverage of the excerpts beside that of the same songs with DEAM's features, and of 2013."""
    table = results.table("pretrained_excerpts").loc[0]
    cells, heads = _cells(table), {"spread": "spread of labels", "share": "so few by chance"}
    for column, head in heads.items():
        text = table[column].map(lambda value: number(value, 2)).unstack("dimension")
        cells[head] = text["valence"] + " / " + text["arousal"]
    return cells.rename_axis("valence / arousal")


def _cells(table: pd.DataFrame) -> pd.DataFrame:
    """Songs, RMSE, bias, r and coverage, both dimensions in a cell."""
    rows, levels = {}, table.index.names[:-1]
    for _, part in table.groupby(level=levels, sort=False):
        name, part, cells = part.index[0][:-1], part.droplevel(levels), {}
        cells["songs"] = f"{part['songs'].iloc[0]:.0f}"
        for column, digits in {"rmse": 3, "bias": 2, "pearson": 2, "coverage": 2}.items():
            values = [number(part.loc[k, column], digits) for k in DIMENSIONS]
            cells[{"pearson": "r"}.get(column, column)] = " / ".join(values)
        rows[name[0] if len(name) == 1 else tuple(map(str, name))] = cells
    return pd.DataFrame(rows).T


def harmony_table() -> pd.DataFrame:
    """R and RMSE on VGMIDI of models that are trained there, with and without tonal features."""
    table = results.table("harmony_vgmidi").xs("best without harmony", level="against")
    rows = {}
    for features in ("260", "tonal", "260 and tonal, weighted"):
        for dimension in DIMENSIONS:
            part = table.loc["ridge", features, dimension]
            cells = [with_interval(part.loc[k], digits=METRICS[k][1]) for k in ("pearson", "rmse")]
            rows[features, dimension] = cells
    return pd.DataFrame(rows, ["r", "RMSE"]).T.rename_axis(["ridge on", "dimension"])


def width_table(model: WindowedRidge) -> pd.DataFrame:
    """Half the width of the intervals, for three coverages."""
    widths = {f"{share:.0%}": model.half_widths(coverage=share) for share in (0.5, 0.8, 0.9)}
    return pd.concat(widths, names=["coverage"]).map(lambda width: f"± {number(width, 2)}")


def tables() -> dict[str, str]:
    """All tables of the card, by the names of their marks."""
    found = {
        "errors": error_table(),
        "systems": system_table(),
        "choices": choice_table(),
        "groups": group_table(),
        "excerpts": excerpt_table(),
        "harmony": harmony_table(),
        "widths": width_table(pretrained()),
    }
    return {name: as_page(table) for name, table in found.items()}


def main() -> None:
    """Write the weights and the card."""
    save(train(real_songs()), WEIGHTS)
    fill(CARD, tables())


if __name__ == "__main__":
    main()
