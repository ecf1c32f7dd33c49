"""Small folders in DEAM's layout, made on the spot."""

from pathlib import Path

import numpy as np
import pandas as pd

AVERAGED = Path("annotations/annotations averaged per song")
DYNAMIC = AVERAGED / "dynamic (per second annotations)"
PER_RATER = Path("annotations/annotations per each rater/dynamic (per second annotations)")
SONGS = [3, 4, 17, 20, 25, 1001, 1005, 1010, 2001, 2002, 2003]
FEATURES = ["pcm_RMSenergy_sma_amean", "F0final_sma_stddev", "F0final_sma_amean"]


def make_deam(folder: Path, *, frames: int = 20, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    columns = [f"sample_{15000 + 500 * k}ms" for k in range(frames)]
    level = {name: rng.uniform(-0.6, 0.6, len(SONGS)) for name in ("valence", "arousal")}
    (folder / DYNAMIC).mkdir(parents=True)
    for name, means in level.items():
        curves = means[:, None] + rng.normal(0, 0.05, (len(SONGS), frames))
        table = pd.DataFrame(curves, SONGS, columns).rename_axis("song_id")
        table.to_csv(folder / DYNAMIC / f"{name}.csv")
        (folder / PER_RATER / name).mkdir(parents=True)
        for song_id, curve in table.iterrows():
            raters = curve.to_numpy() + rng.normal(0, 0.02, (3, frames))
            ratings = pd.DataFrame(raters, ["a", "b", "c"], columns).rename_axis("WorkerId")
            ratings.to_csv(folder / PER_RATER / name / f"{song_id}.csv")
    write_song_level(folder, level)
    write_metadata(folder)
    write_features(folder, frames=30 + frames, seed=seed)


def write_song_level(folder: Path, level: dict[str, np.ndarray]) -> None:
    (folder / AVERAGED / "song_level").mkdir()
    means = {f" {name}_mean": np.round(5 + 4 * values, 2) for name, values in level.items()}
    table = pd.DataFrame(means, pd.Index(SONGS, name="song_id"))
    for name, ids in {"1_2000": table.index <= 2000, "2000_2058": table.index > 2000}.items():
        path = folder / AVERAGED / "song_level" / f"static_annotations_averaged_songs_{name}.csv"
        table[ids].to_csv(path)


def write_metadata(folder: Path) -> None:
    (folder / "metadata").mkdir()
    genres = ["Rock", "Pop-Rock", "Jazz"]
    for year, lowest in ((2013, 0), (2014, 1000), (2015, 2000)):
        ids = [song_id for song_id in SONGS if lowest < song_id <= lowest + 1000]
        rows = [f"{k},Title {k},Artist {k},n/a,{genres[k % 3]}" for k in ids]
        text = "\n".join(["song_id,title,artist,album,Genre", *rows]) + "\n"
        (folder / "metadata" / f"metadata_{year}.csv").write_text(text)


def write_features(folder: Path, *, frames: int, seed: int) -> None:
    rng = np.random.default_rng(seed + 1)
    (folder / "features").mkdir()
    for song_id in SONGS:
        index = pd.Index(0.5 * np.arange(frames), name="frameTime")
        table = pd.DataFrame(rng.normal(size=(frames, len(FEATURES))), index, FEATURES)
        table.to_csv(folder / "features" / f"{song_id}.csv", sep=";")
