# %% [markdown]
# # 02 · What is a good prediction? Baselines, metrics and smoothing
#
# *45 minutes. You need: lesson 00; what a linear regression is.*
#
# **What you will learn**
#
# 1. what RMSE, Pearson's r, CCC and R² reward, and what each forgives;
# 2. why one table can be read in two ways: pooled over frames, or song by song;
# 3. how a split that leaks songs makes any model look good;
# 4. what a constant, a linear model and a support vector machine reach, before any network;
# 5. what smoothing and memory are worth.

# %%
import numpy as np
import pandas as pd
from IPython.display import Audio, Markdown
from matplotlib import pyplot as plt
from sklearn.model_selection import KFold
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mer_core import Corpus, evaluation, models
from mer_core.metrics import DIMENSIONS, METRICS, ccc, rmse, score, score_songs
from mer_core.smoothing import moving_average
from workbook import lesson, plots, widgets

plots.use_style()
corpus = lesson.corpus()
dev, test = corpus.split("dev"), corpus.split("test")

# %% [markdown]
# ## Listen and look
#
# A linear model was trained on the development songs and predicts this test song (synthetic, as all songs
# here). Listen, and compare three curves: what you feel, what raters said (solid), what the model says (dashed).

# %%
linear = models.Linear().fit(dev.features, dev.labels)
predicted = linear.predict(test.features)
spread = test.labels.groupby("song_id")["arousal"].std()
song_id = spread.loc[test.songs["audio"].dropna().index].idxmax()
print(f"Song {song_id}: {test.songs.title[song_id]} ({test.songs.genre[song_id]})")
Audio(test.songs.audio[song_id])

# %%
ax = plots.draw_curves(test.labels.loc[song_id], predicted.loc[song_id])
ax.set_title(f"Song {song_id}: the model answers every half second, the first 15 s included")
ax.legend(fontsize="small", loc="center left", bbox_to_anchor=(1.01, 0.5));
# %% [markdown]
# ## The idea: four ways to be right
#
# For labels $y$ and predictions $p$ of $n$ frames, with means $\bar y, \bar p$, variances
# $s_y^2, s_p^2$ and covariance $s_{yp}$:
#
# $$\mathrm{RMSE} = \sqrt{\tfrac1n\sum (y-p)^2} \qquad
# r = \frac{s_{yp}}{s_y s_p} \qquad
# \mathrm{CCC} = \frac{2 s_{yp}}{s_y^2 + s_p^2 + (\bar y - \bar p)^2} \qquad
# R^2 = 1 - \frac{\sum (y-p)^2}{\sum (y-\bar y)^2}$$
#
# RMSE (root mean squared error) is in the unit of the ratings. r (Pearson) asks for the shape only. CCC
# (concordance correlation coefficient, Lin 1989) is r, made smaller by a wrong scale or place. R² compares with
# the best constant *for these very labels*.
#
# What does each **forgive**? Take a song's arousal and spoil it in five ways. (In tables of code, *pearson* is r.)

# %%
truth = test.labels.loc[song_id, "arousal"]
rng = np.random.default_rng(0)
spoilt = {
    "perfect": truth,
    "too high by 0.3": truth + 0.3,
    "half the range": truth.mean() + (truth - truth.mean()) / 2,
    "2 s late": truth.shift(4).bfill(),
    "noisy": truth + rng.normal(0, 0.15, len(truth)),
    "constant": truth * 0 + truth.mean(),
}
forgiving = pd.DataFrame(
    {
        name: {key: metric(truth, curve) for key, metric in METRICS.items()}
        for name, curve in spoilt.items()
    }
).T
forgiving.round(3)

# %% [markdown]
# Read the table by columns. **r forgives** a wrong place and a wrong range completely. **RMSE** is a
# distance and nothing else: from its value nobody can tell a wrong place from a wrong range or from
# noise. **CCC** forgives neither place nor range. **R²** forgives nothing either: it is a squared RMSE,
# measured against that of the constant, which has 0 here. The constant has no r at all: `NaN`, not 0,
# because there is no shape to compare.
#
# ### Experiment: slide the prediction away

# %%
offsets = np.round(np.arange(-0.6, 0.61, 0.2), 1)


def shifted(offset: float) -> plt.Figure:
    fig, (left, right) = plt.subplots(1, 2, figsize=(10.5, 3.3), width_ratios=[3, 2])
    curve = truth + offset
    left.plot(truth, color=plots.PALETTE["arousal"], lw=2, label="rated")
    left.plot(curve, color=plots.PALETTE["arousal"], ls="--", label="predicted")
    left.set(ylim=(-1.4, 1.4), xlabel="time (s)", ylabel="arousal, -1 to 1", title=f"offset {offset:+.1f}")
    left.legend(loc="upper right", fontsize="small")
    values = {name: METRICS[name](truth, curve) for name in ("rmse", "pearson", "ccc")}
    bars = right.bar(["RMSE", "r", "CCC"], list(values.values()), color=[plots.GREY, "C2", "C4"])
    right.bar_label(bars, fmt="%.2f")
    right.set(ylim=(-0.2, 1.15), title="what the metrics say", ylabel="value")
    return fig


widgets.FigureSlider.draw("offset", offsets, shifted, start=5)

# %% [markdown]
# ## One table, two readings
#
# The papers report two aggregations, and they are not the same thing. **Pooled**: all frames of all
# songs in one pot (IRIT's cross-validation). **Per song**: score each song, then mean ± sd over songs
# (the task's official test figures). A model that knows which song is which, but nothing of what
# happens within a song, gets a fine pooled r, and none per song.

# %%
knows_songs_only = test.labels.groupby("song_id").transform("mean") + rng.normal(
    0, 0.01, (len(test.labels), 2)
)
two_readings = score(test.labels, knows_songs_only)[["rmse", "pearson", "ccc"]]
two_readings.round(3)

# %% [markdown]
# ## Folds and leaks
#
# Half a second of a song sounds like the half second before it. If frames of one song stand on both
# sides of a split, a model need only recognise the song. Watch a nearest-neighbour model under two
# splits: one throws *frames* into ten folds, the other *songs*.

# %%
rows = dev.labels.groupby("song_id").cumcount() % 6 == 0
frames = dev.labels[rows]
x, y = dev.features.loc[frames.index].to_numpy(), frames.to_numpy()
neighbour = make_pipeline(StandardScaler(), KNeighborsRegressor(1))
leaky = np.empty_like(y)
for train, held_out in KFold(10, shuffle=True, random_state=0).split(x):
    leaky[held_out] = neighbour.fit(x[train], y[train]).predict(x[held_out])
clean = np.empty_like(y)
for fold in evaluation.k_folds(dev.songs.index):
    held_out = frames.index.get_level_values("song_id").isin(fold.test)
    clean[held_out] = neighbour.fit(x[~held_out], y[~held_out]).predict(x[held_out])
leaks = pd.DataFrame(
    {
        name: score(frames, pd.DataFrame(p, frames.index, DIMENSIONS)).xs("pooled", level=1)[
            "pearson"
        ]
        for name, p in {"frames shuffled (leaks)": leaky, "songs kept whole": clean}.items()
    }
)
leaks.round(3)

# %%
drop = leaks.iloc[:, 0] - leaks.iloc[:, 1]
Markdown(
    f"The same model, the same data: r of valence falls by **{drop['valence']:.2f}** and of arousal by "
    f"**{drop['arousal']:.2f}** as soon as no song is on both sides. The first column measures memory, "
    "the second one hearing. In this workbook a fold is a set of *songs*; `cross_validate` refuses folds "
    "that share one. What it can't see is a feature that was scaled *before*, over all songs: scaling "
    "belongs inside the model, as in `Linear`, so that it is learned from training songs only."
)

# %% [markdown]
# ## Constant, linear, SVR
#
# Three baselines that every network of the coming lessons has to beat.
#
# - **Constant**: the mean of the training labels.
# - **Linear**: ridge regression, $\min_w \sum (y - w^\top x)^2 + \lambda \lVert w\rVert^2$, on
#   features $x$ that are *standardised* (mean 0, standard deviation 1 on the training songs). The penalty
#   $\lambda$ keeps the weights $w$ small, so that many features help without fitting noise. IRIT's and the
#   organisers' linear model had none (λ = 0).
# - **SVR**: support vector regression with a Gaussian kernel. It predicts by likeness to training frames, and
#   errors smaller than a set width cost nothing.
#
# Each row is predicted by itself: apart from the little past that its features carry, none of these
# models knows what came before.

# %%
systems = {
    "constant": models.Constant(),
    "linear, no penalty": models.Linear.paper(),
    "linear": models.Linear(),
    "SVR": models.SVR(),
}
folds = evaluation.k_folds(dev.songs.index)
table = evaluation.scoreboard(systems, corpus, folds=folds)
board = evaluation.as_paper(table)
board.loc[["CV"]].xs("pooled", level="aggregation").round(3)

# %% [markdown]
# *CV* is cross-validation: each song is predicted by a model that has not seen it. A curious row: pooled over the
# folds, even the constant has an r, and it is negative. Each fold has a constant of its own, and it is
# lowest just where the songs left out are highest. An artefact of
# pooling, not a finding; keep it in mind when a pooled r is close to 0. On the test songs there is one
# constant, and no r:

# %%
board.loc[["test"]].xs("pooled", level="aggregation").round(3)

# %% [markdown]
# And the same songs scored one by one, then mean and sd over songs:

# %%
per_song = board.loc["test"].loc[["mean", "sd"]].xs("raw", level="output")
per_song.round(3)

# %%
cv = table.xs(("raw", "pooled"), level=("output", "aggregation"))["pearson"].unstack("dimension")
fig, ax = plt.subplots(figsize=(8, 3.2))
names = ["linear, no penalty", "linear", "SVR"]
for shift, dimension in zip((-0.2, 0.2), DIMENSIONS):
    for protocol, hatch in {"CV": "", "test": "///"}.items():
        values = [cv.loc[(name, protocol), dimension] for name in names]
        place = np.arange(3) + shift + (0.1 if hatch else -0.1)
        ax.bar(
            place,
            values,
            0.18,
            color=plots.PALETTE[dimension],
            hatch=hatch,
            edgecolor="white",
            label=f"{dimension}, {protocol}",
            alpha=0.6 if hatch else 1,
        )
ax.axhline(0, color="black", lw=0.8)
ax.set(ylim=(-0.3, 1.15), ylabel="Pearson's r, pooled", title="Cross-validated and on the test songs")
ax.set_xticks(range(3), names)
ax.legend(ncols=4, fontsize="small", loc="upper center");
# %%
linear_r = cv.loc["linear"]
Markdown(
    f"From cross-validation to the test songs the linear model's arousal goes from r = "
    f"{linear_r.loc['CV', 'arousal']:.2f} to {linear_r.loc['test', 'arousal']:z.2f}, its valence from "
    f"{linear_r.loc['CV', 'valence']:.2f} to {linear_r.loc['test', 'valence']:z.2f}. In the papers, on "
    "real music, valence broke down in the same way. (The embedded corpus was *composed* so that it can.) "
    "Lesson 09 asks which of the possible causes does it."
)

# %% [markdown]
# ## Smoothing
#
# Ratings move slowly, predictions of single frames jump. IRIT smoothed theirs with a moving average of
# 13 frames (6.5 s). **Border rule:** the first and last 6 frames, where the window does not fit, keep
# their unfiltered values.

# %%
windows = [1, 5, 9, 13, 21, 31, 41]
raw = evaluation.cross_validate(models.Linear(), dev, folds)
by_window = {window: score(dev.labels, moving_average(raw, window)) for window in windows}
example = dev.labels.groupby("song_id")["arousal"].std().idxmax()


def smoothed(window: int) -> plt.Figure:
    fig, (left, right) = plt.subplots(1, 2, figsize=(11, 3.4), width_ratios=[3, 2])
    plots.draw_curves(dev.labels.loc[example], moving_average(raw, window).loc[example], ax=left)
    left.set_title(f"song {example}, window {window} frames ({window / 2:g} s)")
    for dimension, colour in plots.PALETTE.items():
        errors = [by_window[w].loc[(dimension, "pooled"), "rmse"] for w in windows]
        right.plot(windows, errors, "o-", color=colour, label=dimension)
        right.plot(window, errors[windows.index(window)], "o", ms=12, mfc="none", color=colour)
    right.set(xlabel="window (frames of 0.5 s)", ylabel="RMSE, pooled", title="cross-validated")
    right.legend(fontsize="small")
    return fig


widgets.FigureSlider.draw("window (frames)", windows, smoothed, start=3)

# %%
gain = {
    dimension: by_window[1].loc[(dimension, "pooled"), "rmse"]
    - by_window[13].loc[(dimension, "pooled"), "rmse"]
    for dimension in DIMENSIONS
}
Markdown(
    f"A window of 13 frames changes the linear model's RMSE by {-gain['valence']:+.3f} (valence) and "
    f"{-gain['arousal']:+.3f} (arousal). The price: a moving average also looks at the *future*, and it "
    "flattens what really changes fast."
)

# %% [markdown]
# ## What would a memory be worth?
#
# Smoothing mends the *output*. A model could also remember the *input*: here, beside each feature, its
# mean over the last 10 s. The model stays linear.

# %%
trailing = corpus.features.groupby("song_id").rolling(20, min_periods=1).mean().droplevel(0)
remembering = Corpus(corpus.songs, corpus.labels, corpus.features.join(trailing.add_prefix("last_10s_")))
with_memory = evaluation.cross_validate(models.Linear(), remembering.split("dev"), folds)
memory = pd.DataFrame(
    {
        name: score(dev.labels, predictions).xs("pooled", level=1)["rmse"]
        for name, predictions in {
            "each frame alone": raw,
            "smoothed, 13 frames": moving_average(raw),
            "with the last 10 s": with_memory,
            "both": moving_average(with_memory),
        }.items()
    }
)
memory.round(3)

# %%
Markdown(
    " ".join(
        f"For **{dimension}**, memory changes the RMSE by {row.iloc[2] - row.iloc[0]:+.3f}, smoothing by "
        f"{row.iloc[1] - row.iloc[0]:+.3f}, both together by {row.iloc[3] - row.iloc[0]:+.3f}."
        for dimension, row in memory.iterrows()
    )
    + " All that **without any network**. The recurrent networks of the next lessons learn for themselves "
    "what to remember; they have to be compared with these figures, not with the raw ones."
)

# %% [markdown]
# ## Exercises
#
# **1.** Write CCC yourself, from its formula. Use population variances (`np.var`).
#
# <details><summary>Hint</summary>
#
# The covariance is the mean of the product of what each deviates from its mean.
#
# </details>


# %% tags=["exercise"]
def my_ccc(y: np.ndarray, p: np.ndarray) -> float:
    return ...


# solution:
def my_ccc(y: np.ndarray, p: np.ndarray) -> float:
    covariance = np.mean((y - y.mean()) * (p - p.mean()))
    return 2 * covariance / (y.var() + p.var() + (y.mean() - p.mean()) ** 2)


# %%
y_example = test.labels.loc[song_id, "arousal"].to_numpy()
p_example = predicted.loc[song_id].loc[test.labels.loc[song_id].index, "arousal"].to_numpy()
lesson.check_answer(
    "1",
    my_ccc(y_example, p_example),
    ccc(y_example, p_example),
    tolerance=1e-9,
    hint="Twice the covariance; below it both variances and the squared distance of the means.",
    mistakes={
        "That is Pearson's r, which forgives place and range.": np.corrcoef(y_example, p_example)[0, 1],
        "The covariance counts twice.": ccc(y_example, p_example) / 2,
        "The means may differ: their squared distance is missing.": 2
        * np.cov(y_example, p_example, ddof=0)[0, 1]
        / (y_example.var() + p_example.var()),
    },
)

# %% [markdown]
# **2.** The unpenalised linear model is smoothed with 13 frames. What is its pooled RMSE of valence in
# cross-validation? Read it from `board`.
#
# <details><summary>Hint</summary>
#
# `board.index.names` and `board.columns.names` say in which order to ask; `.loc[row, column]` takes a tuple for each.
#
# </details>

# %% tags=["exercise"]
answer = ...
# solution:
answer = board.loc[("CV", "pooled", "linear, no penalty", "smoothed"), ("valence", "RMSE")]

# %%
again = moving_average(evaluation.cross_validate(models.Linear.paper(), dev, folds))
lesson.check_answer(
    "2",
    answer,
    rmse(dev.labels["valence"], again.loc[dev.labels.index, "valence"]),
    tolerance=1e-6,
    hint="Index: protocol, aggregation, system, output. Column: dimension, metric.",
    mistakes={
        said: board.loc[row, (dimension, "RMSE")]
        for said, row, dimension in [
            ("That is arousal's.", ("CV", "pooled", "linear, no penalty", "smoothed"), "arousal"),
            ("That is not smoothed.", ("CV", "pooled", "linear, no penalty", "raw"), "valence"),
            ("That one has a penalty.", ("CV", "pooled", "linear", "smoothed"), "valence"),
            ("That is on test songs.", ("test", "pooled", "linear, no penalty", "smoothed"), "valence"),
        ]
    },
)

# %% [markdown]
# **3.** A constant predictor is fitted to the *development* songs. On how many *test* songs is the
# linear model's RMSE of valence smaller than the constant's?
#
# <details><summary>Hint</summary>
#
# `models.Constant()` has `fit` and `predict` as all models; `score_songs(labels, predictions)` has a row for each song and dimension.
#
# </details>

# %% tags=["exercise"]
better = ...
# solution:
flat = models.Constant().fit(dev.features, dev.labels).predict(test.features)
errors = pd.DataFrame(
    {
        name: score_songs(test.labels, p)["rmse"].xs("valence", level="dimension")
        for name, p in {"linear": predicted, "constant": flat}.items()
    }
)
better = int((errors["linear"] < errors["constant"]).sum())

# %%
mean = dev.labels["valence"].mean()
wins = [
    rmse(song["valence"], predicted.loc[song.index, "valence"])
    < rmse(song["valence"], song["valence"] * 0 + mean)
    for _, song in test.labels.groupby("song_id")
]
lesson.check_answer(
    "3",
    better,
    sum(wins),
    hint="score_songs gives the RMSE of each song, for both predictions.",
    mistakes={"On those the constant is better.": len(wins) - sum(wins), "Those are all.": len(wins)},
)

# %% [markdown]
# ## Summary
#
# - **r** asks for the shape, **RMSE** for the distance, **CCC** for shape, place and range, **R²** compares with
#   the best constant; a constant has no r.
# - **Pooled** and **per-song** figures answer different questions: never compare one with the other.
# - A split that shares **songs** measures memory. Statistics come from training songs only.
# - A linear model with a **moving average** or a **memory of 10 s** is a serious opponent.
#
# ## References
#
# - Hoerl, Kennard (1970). Ridge regression. *Technometrics*.
# - Lin (1989). A concordance correlation coefficient to evaluate reproducibility. *Biometrics*.
# - Pellegrini, Barrière (2015). Time-continuous estimation of emotion in music with recurrent neural
#   networks. *MediaEval*.
# - Smola, Schölkopf (2004). A tutorial on support vector regression. *Statistics and Computing*.

# %%
lesson.check_numbers(
    "02",
    {
        f"{name}, {protocol}, {dimension}, r": (cv.loc[(name, protocol), dimension], 0.02)
        for name in ("linear", "SVR")
        for protocol in ("CV", "test")
        for dimension in DIMENSIONS
    }
    | {
        f"constant, CV, {dimension}, RMSE": (
            board.loc[("CV", "pooled", "constant", "raw"), (dimension, "RMSE")],
            0.002,
        )
        for dimension in DIMENSIONS
    }
    | {f"smoothing gain, {dimension}": (gain[dimension], 0.002) for dimension in DIMENSIONS}
    | {
        f"with the last 10 s, {dimension}, RMSE": (
            memory.loc[dimension, "with the last 10 s"], 0.003
        )
        for dimension in DIMENSIONS
    },
)
