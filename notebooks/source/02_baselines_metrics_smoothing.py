# %% [markdown]
# # 02 · What is a good prediction? Baselines, metrics and smoothing
#
# *55 minutes. You need: lesson 00; what a linear regression is.*
#
# **What you will learn**
#
# 1. what RMSE, Pearson's r, CCC and R² measure, and what each ignores (10 minutes);
# 2. why one table has two readings: pooled over frames, or song by song (5 minutes);
# 3. how a split that leaks songs makes any model look good (5 minutes);
# 4. how well a constant, linear models and a support vector machine predict (10 minutes);
# 5. what smoothing, averaging over the past and the raters' lag are worth (10 minutes);
# 6. four exercises (15 minutes).

# %%
import numpy as np
import pandas as pd
from IPython.display import Audio, Markdown
from matplotlib import pyplot as plt
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mer_core import Corpus, evaluation, models
from mer_core.metrics import DIMENSIONS, METRICS, ccc, rmse, score, score_songs
from mer_core.models.delayed import delay_features
from mer_core.smoothing import moving_average
from workbook import intervals, lesson, plots, results, widgets

plots.use_style()
corpus = lesson.corpus()
dev, test = corpus.split("dev"), corpus.split("test")

# %% [markdown]
# ## Listen and look
#
# A linear model was trained on the development songs and predicts this test song (synthetic). Listen, and compare three curves: your own impression, the ratings (solid), the predictions (dashed).

# %%
linear = models.Linear().fit(dev.features, dev.labels)
predicted = linear.predict(test.features)
spread = test.labels.groupby("song_id")["arousal"].std()
song_id = spread.loc[test.songs["audio"].dropna().index].idxmax()
print(f"Song {song_id}: {test.songs.title[song_id]} ({test.songs.genre[song_id]})")
Audio(test.songs.audio[song_id])

# %% tags=["hide-input"]
ax = plots.draw_curves(test.labels.loc[song_id], predicted.loc[song_id])
ax.set_title(f"Song {song_id}: a prediction for every half second, the first 15 s included")
ax.legend(fontsize="small", loc="center left", bbox_to_anchor=(1.01, 0.5));
# %% [markdown]
# The predicted arousal has the right shape, but it is noisy, and it rises and falls before the ratings do.
# At both ends of a song, before the first note and in the fade-out, predictions may be extreme: the training labels
# contain no such frames.
#
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
# - **RMSE** (root mean squared error) is a distance in the unit of the ratings.
# - **r** (Pearson's r) measures the shape only.
# - **CCC** (concordance correlation coefficient, Lin 1989) is r, reduced by a wrong level or a wrong range.
# - **R²** compares the squared error with that of the best constant *for these labels*.
#
# **Guess** before you look: here is a song's arousal, changed in five ways. Which metrics notice which change?
# (In tables, *pearson* is r.)

# %%
truth = test.labels.loc[song_id, "arousal"]
noise = np.random.default_rng(0).normal(0, 0.15, len(truth))
changed = {
    "perfect": truth,
    "too high by 0.3": truth + 0.3,
    "half the range": truth.mean() + (truth - truth.mean()) / 2,
    "2 s late": truth.shift(4).bfill(),
    "noisy": truth + noise,
    "constant": truth * 0 + truth.mean(),
}
rows = {name: {key: metric(truth, p) for key, metric in METRICS.items()} for name, p in changed.items()}
pd.DataFrame(rows).T.round(3)

# %% [markdown]
# **r ignores** a wrong level and a wrong range. **RMSE** alone does not show whether an error is one
# of level, range, shape or noise. **CCC** and **R²** ignore none of them. The mean of these labels has R² 0, any other constant a lower
# one. A constant has no r at all (`NaN`, not 0), because it has no shape to compare.
#
# ### Experiment: how far should a prediction move?
#
# Take the linear model's arousal for this song and multiply its distance from its own mean by a factor. **Guess:**
# at which factor is RMSE lowest: below 1, at 1, or above 1? And r, and CCC?

# %% tags=["hide-input"]
own = predicted.loc[song_id].loc[truth.index, "arousal"]
own = own - own.mean() + truth.mean()
factors = [0, 0.25, 0.5, 0.75, 1, 1.5, 2]
by_factor = pd.DataFrame(
    {f: {name: METRICS[name](truth, truth.mean() + f * (own - own.mean())) for name in ("rmse", "pearson", "ccc")}
     for f in np.linspace(0, 2, 41)}
).T  # fmt: skip


def stretched(factor: float) -> plt.Figure:
    fig, (left, right) = plt.subplots(1, 2, figsize=(10.5, 3.3), width_ratios=[3, 2])
    left.plot(truth, color=plots.PALETTE["arousal"], lw=2, label="rated")
    curve = truth.mean() + factor * (own - own.mean())
    left.plot(curve, color=plots.PALETTE["arousal"], ls="--", lw=1, label="predicted")
    left.set(ylim=(-1.4, 1.4), xlabel="time (s)", ylabel="arousal, -1 to 1", title=f"factor {factor}")
    left.legend(loc="lower center", fontsize="small")
    for (name, values), style in zip(by_factor.items(), ("-", "--", ":")):
        right.plot(values, style, color="black", label={"rmse": "RMSE", "pearson": "r", "ccc": "CCC"}[name])
    right.axvline(factor, color=plots.PALETTE["arousal"], lw=2)
    right.set(xlabel="factor", ylabel="value", ylim=(-0.05, 1.05))
    right.legend(fontsize="small")
    return fig


widgets.FigureSlider.draw("factor", factors, stretched, start=4)

# %% tags=["hide-input"]
best = {name: by_factor[name].agg(how) for name, how in {"rmse": "idxmin", "ccc": "idxmax"}.items()}
lowest = {s: np.polyfit(predicted.loc[t.index, "arousal"], t["arousal"], 1)[0] for s, t in test.labels.groupby("song_id")}
cut = np.polyfit(own.iloc[:-2], truth.iloc[:-2], 1)[0]
Markdown(
    f"**Answer:** RMSE is lowest at {best['rmse']:.2f} and CCC is highest at {best['ccc']:.2f}, while r is the "
    f"same at every factor above 0. The last two frames, in the fade-out, matter much: without them RMSE is lowest at {cut:.2f}. "
    f"On {sum(f < 1 for f in lowest.values())} of the {len(lowest)} test songs RMSE is lowest below 1. RMSE always prefers a range that is smaller than CCC's: the less sure a "
    "prediction, the closer to the mean it should stay. Squared error therefore rewards a "
    "model that moves less than the ratings do, and a low RMSE does not mean that it follows the music."
)

# %% [markdown]
# ## One table, two readings
#
# **Pooled**: all frames of all songs together (IRIT's cross-validation). **Per song**: score each song, then take
# the mean over songs (the benchmark's official test figures). Below is a prediction that knows each song's mean
# and nothing else: small noise around it. **Guess** its two values of r.

# %%
song_means = test.labels.groupby("song_id").transform("mean")
only_means = song_means + np.random.default_rng(0).normal(0, 0.01, song_means.shape)
two_readings = score(test.labels, only_means)[["rmse", "pearson", "ccc"]].drop("sd", level=1)
two_readings.round(3)

# %% [markdown]
# The pooled r is high, and the mean r per song is about 0. Never compare a pooled figure with one per song.
#
# ## Folds and leaks
#
# Half a second of a song sounds like the half second before it. If frames of one song are on both sides of a
# split, a model only has to recognise the song. A nearest-neighbour model, evaluated in two ways: *frames*
# drawn into ten folds, and *songs* drawn into ten folds. **Guess** how much r falls.

# %%
frames = dev.labels[dev.labels.groupby("song_id").cumcount() % 6 == 0]
x, song = dev.features.loc[frames.index].to_numpy(), frames.index.get_level_values("song_id")
neighbour = make_pipeline(StandardScaler(), KNeighborsRegressor(1))
splits = {
    "frames shuffled": KFold(10, shuffle=True, random_state=0).split(x),
    "songs whole": GroupKFold(10).split(x, groups=song),
}
leaks = {}
for name, split in splits.items():
    p = cross_val_predict(neighbour, x, frames.to_numpy(), cv=split)
    table = score(frames, pd.DataFrame(p, frames.index, DIMENSIONS))
    leaks[name] = table.xs("pooled", level="aggregation")["pearson"]
pd.DataFrame(leaks).round(3)

# %% [markdown]
# The same model on the same data. The first column is a **leak**: it measures whether the model recognises the song. The
# second measures what it has learned about emotion. In this workbook a *fold* is a set of songs, and
# `cross_validate` refuses folds that share one. It cannot see a feature that was scaled over
# all songs beforehand: scaling belongs inside the model, so that it uses training songs only.
#
# ## Constant, linear, SVR
#
# Three kinds of baselines that every network of the coming lessons has to beat.
#
# - **Constant**: the mean of the training labels.
# - **Linear**: ridge regression, $\min_w \sum (y - w^\top x)^2 + \lambda \lVert w\rVert^2$, on
#   *standardised* features $x$ (mean 0 and standard deviation 1 on the training songs). The penalty
#   $\lambda$ keeps the weights $w$ small. IRIT's and the organisers' linear model had none (λ = 0).
# - **SVR**: support vector regression with a Gaussian kernel. It predicts from similar training frames, and errors
#   below a set width cost nothing. To save time it is trained on every sixth frame; its C and γ are tuned as well.
#
# How large should λ be? **Guess:** is one λ good for both valence and arousal? *Cross-validation* (CV) answers: each song
# is predicted by a model that was not trained on it. *Smoothed* means a moving average over 13
# frames, explained below.

# %%
folds = evaluation.k_folds(dev.songs.index)
penalties = [0, 30, 100, 300, 1000, 3000]
raw = {p: evaluation.cross_validate(models.Linear(ridge=p), dev, folds) for p in penalties}
smooth = {p: moving_average(track, 13) for p, track in raw.items()}

# %% tags=["hide-input"]
def pooled(labels: pd.DataFrame, tracks: dict, metric: str = "rmse", how: str = "pooled") -> pd.DataFrame:
    return pd.DataFrame({k: score(labels, t).xs(how, level="aggregation")[metric] for k, t in tracks.items()}).T


curves = {"raw": pooled(dev.labels, raw), "smoothed": pooled(dev.labels, smooth)}
fig, axes = plt.subplots(1, 2, figsize=(10.5, 3))
for ax, dimension in zip(axes, DIMENSIONS):
    for (name, table), style in zip(curves.items(), ("o-", "s--")):
        ax.plot(range(len(penalties)), table[dimension], style, color=plots.PALETTE[dimension], label=name)
    ax.set_xticks(range(len(penalties)), penalties)
    ax.set(title=dimension, xlabel="penalty λ", ylabel="RMSE, pooled, CV")
    ax.legend(fontsize="small")
# %% tags=["hide-input"]
chosen = {(name, d): table[d].idxmin() for name, table in curves.items() for d in DIMENSIONS}
Markdown(
    f"**Answer:** no. Without smoothing, valence is predicted best with λ = {chosen['raw', 'valence']} and arousal with "
    f"λ = {chosen['raw', 'arousal']}; smoothed, with {chosen['smoothed', 'valence']} and {chosen['smoothed', 'arousal']}. "
    "The curves are flat near their minimum. `Linear()` uses 1000 for both, chosen on these same folds, which "
    "favours arousal and flatters the model slightly. A fair baseline chooses λ for each dimension *inside* the training songs, "
    "in inner folds: “linear, tuned” below."
)

# %% [markdown]
# ## Smoothing, and averages over the past
#
# Ratings change slowly, predictions of single frames jump. IRIT smoothed theirs with a **moving average** of
# 13 frames (6.5 s). The first and last 6 frames keep their values. Move the slider: which window is best?

# %% tags=["hide-input"]
windows = [1, 5, 13, 21, 41]
by_window = pooled(dev.labels, {w: moving_average(raw[1000], w) for w in windows})
example = dev.labels.groupby("song_id")["arousal"].std().idxmax()


def smoothed(window: int) -> plt.Figure:
    fig, (left, right) = plt.subplots(1, 2, figsize=(11, 3.2), width_ratios=[3, 2])
    plots.draw_curves(dev.labels.loc[example], moving_average(raw[1000], window).loc[example], ax=left)
    left.set_title(f"song {example}, window {window} frame{'s' * (window > 1)} ({window / 2:g} s)")
    left.legend(fontsize="x-small", loc="lower right", ncols=2)
    for dimension, colour in plots.PALETTE.items():
        right.plot(by_window[dimension], "o-", color=colour, label=dimension)
        right.plot(window, by_window.loc[window, dimension], "o", ms=12, mfc="none", color=colour)
    right.set(xlabel="window (frames of 0.5 s)", ylabel="RMSE, pooled", title="cross-validated")
    right.legend(fontsize="small")
    return fig


widgets.FigureSlider.draw("window (frames)", windows, smoothed, start=2)

# %% tags=["hide-input"]
Markdown(
    f"**Answer:** RMSE is lowest with {by_window['valence'].idxmin()} frames for valence and {by_window['arousal'].idxmin()} for "
    "arousal. Longer windows leave less noise, but they flatten changes. And a moving average uses the *future*."
)

# %% [markdown]
# Instead of the output, a model can average its *input* over the past. **Guess:** is a gain from this due to what was heard before,
# or just to averaging? Compare a mean over the last 20 rows (10 s) with a mean over *everything* so far.

# %%
past = {"1": 1, "20": 20, "all": 1000}
tracks = {"CV": {"1": raw[1000]}, "test": {}}
for name, window in past.items():
    averaged = delay_features(corpus.features, window=window)
    other = Corpus(corpus.songs, corpus.labels, averaged)
    if window > 1:
        tracks["CV"][name] = evaluation.cross_validate(models.Linear(), other.split("dev"), folds)
    fitted = models.Linear().fit(other.split("dev").features, dev.labels)
    tracks["test"][name] = fitted.predict(other.split("test").features)

# %% tags=["hide-input"]
by_past = {"CV": pooled(dev.labels, tracks["CV"]), "test": pooled(test.labels, tracks["test"])}
fig, axes = plt.subplots(1, 2, figsize=(10.5, 3), sharey=True)
for ax, (protocol, table) in zip(axes, by_past.items()):
    for dimension in DIMENSIONS:
        ax.plot(table[dimension], "o-", color=plots.PALETTE[dimension], label=dimension)
    ax.set(title=protocol, xlabel="rows averaged (one every 0.5 s)", ylabel="RMSE, pooled")
axes[0].legend(fontsize="small");
# %% tags=["hide-input"]
v = {protocol: table["valence"] for protocol, table in by_past.items()}
pair = (score_songs(test.labels, tracks["test"][k])["rmse"].xs("valence", level=1) for k in ("20", "1"))
drop = intervals.difference(*pair)
Markdown(
    f"**Answer:** for valence it is averaging. In CV the RMSE falls from {v['CV']['1']:.3f} to "
    f"{v['CV']['20']:.3f} with 20 rows, and to {v['CV']['all']:.3f} with the mean over everything so far, in which the order of "
    f"events is lost. On the test songs almost nothing of the gain remains ({v['test']['1']:.3f}, {v['test']['20']:.3f}, "
    f"{v['test']['all']:.3f}; per song, 20 rows against 1: {drop['difference']:.3f} [{drop['low']:.3f}, {drop['high']:.3f}]). All this needs no network, so a recurrent network must be compared with it."
)

# %% [markdown]
# ## The raters' lag as part of the model
#
# Lesson 00 showed that ratings follow the music with a lag. A linear model can use this: it predicts the
# label at time $t$ from the features at $t - d$. **Guess:** which delay $d$ predicts the course of arousal within songs
# best? Now r *per song* matters, since the pooled RMSE is mostly about differences between songs.

# %%
late = {0.0: raw[1000]}
for delay in (2, 4, 6, 8):
    features = delay_features(dev.features, delay=2 * delay)
    late[float(delay)] = evaluation.cross_validate(
        models.Linear(), Corpus(dev.songs, dev.labels, features), folds
    )

# %% tags=["hide-input"]
by_delay = pooled(dev.labels, late, "pearson", "mean")
seen = {}  # the test song that you heard, predicted with each delay
for delay in late:
    shifted = delay_features(corpus.features, delay=int(2 * delay))
    fitted = models.Linear().fit(shifted.loc[dev.songs.index], dev.labels)
    seen[delay] = moving_average(fitted.predict(shifted.loc[[song_id]])).loc[song_id, "arousal"]


def with_delay(delay: float) -> plt.Figure:
    fig, (left, right) = plt.subplots(1, 2, figsize=(11, 3.2), width_ratios=[3, 2])
    left.plot(truth, color=plots.PALETTE["arousal"], lw=2, label="rated")
    left.plot(seen[delay], color=plots.PALETTE["arousal"], ls="--", lw=1.2, label="predicted, smoothed")
    left.set(ylim=(-1, 1), xlabel="time (s)", ylabel="arousal, -1 to 1")
    left.set_title(f"song {song_id}, features delayed by {delay:g} s")
    left.legend(fontsize="small", loc="lower center", bbox_to_anchor=(0.6, 0))
    for dimension, colour in plots.PALETTE.items():
        right.plot(by_delay[dimension], "o-", color=colour, label=dimension)
        right.plot(delay, by_delay.loc[delay, dimension], "o", ms=12, mfc="none", color=colour)
    right.set(xlabel="delay d (s)", ylabel="r per song, mean, CV")
    right.legend(fontsize="small")
    return fig


widgets.FigureSlider.draw("delay d (s)", [*late], with_delay)

# %% tags=["hide-input"]
Markdown(
    f"**Answer:** r of arousal rises from {by_delay.loc[0, 'arousal']:.2f} to {by_delay['arousal'].max():.2f} at "
    f"{by_delay['arousal'].idxmax():g} s, r of valence from {by_delay.loc[0, 'valence']:.2f} to "
    f"{by_delay['valence'].max():.2f}. `DelayedLinear` chooses the delay, the length of an average over the past and the penalty, "
    "for each dimension, in inner folds of the training songs. **It is the baseline of all lessons that follow.**"
)

# %% [markdown]
# ## All baselines, with intervals
#
# Stored results of all songs (`make results`), smoothed over 13 frames. Each row is the mean difference in RMSE per song to
# the **constant**, with its 95 % interval over songs; left of 0 is better. The cell below fits
# the delayed linear model here and shows its own RMSE and r per song on the test songs.

# %%
delayed = models.DelayedLinear().fit(dev.features, dev.labels)
live = score(test.labels, moving_average(delayed.predict(test.features)))
print("(delay in frames, window in frames, penalty):", {k: tuple(map(int, v)) for k, v in delayed.chosen_.items()})
live.xs("mean", level="aggregation")[["rmse", "pearson"]].round(3)

# %% [markdown]
# The inner folds may choose a long average *instead of* a delay: the mean over the last 10 s describes, on average, the music 5 s
# ago. Both are ways to be late, and these songs cannot separate them well.

# %% tags=["hide-input"]
SYSTEMS = ["linear, no penalty", "linear, tuned", "SVR, tuned", "delayed linear"]
stored = pd.concat([results.table("baselines_songs"), results.table("baselines_tuned_songs")])
stored = stored.xs(("FS1", "smoothed"), level=("features", "output"))
songs = stored.groupby(["protocol", "system", "dimension", "song_id"]).mean()


def against(protocol: str, metric: str, base: str | None) -> pd.DataFrame:
    """Mean over songs of a metric, or of its difference to a base, with 95 % intervals."""
    found = {}
    for dimension in DIMENSIONS:
        for system in SYSTEMS:
            values = songs.loc[(protocol, system, dimension), metric]
            zero = songs.loc[(protocol, base, dimension), metric] if base else values * 0
            row = intervals.difference(values, zero)
            found[f"{system}, {dimension}"] = row | {"value": row["difference"], "group": dimension}
    return pd.DataFrame(found).T.infer_objects()


fig, axes = plt.subplots(1, 2, figsize=(11, 3.4), sharey=True)
for ax, (protocol, name) in zip(axes, {"CV": "cross-validation", "test": "test songs"}.items()):
    table = against(protocol, "rmse", "constant")
    plots.draw_differences(table, ax=ax, unit="difference in RMSE to the constant")
    ax.set_title(f"SYNTHETIC, {name} ({table['songs'].iloc[0]:.0f} songs)")
axes[0].get_legend().remove()
# %% [markdown]
# In cross-validation all baselines are better than the constant. On the test songs only the delayed linear model's arousal is
# (filled circle: the interval excludes 0). The next figure shows r per song itself.

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 2, figsize=(11, 3.4), sharey=True)
for ax, (protocol, name) in zip(axes, {"CV": "cross-validation", "test": "test songs"}.items()):
    plots.draw_differences(against(protocol, "pearson", None), ax=ax, unit="r per song, mean")
    ax.set_title(f"SYNTHETIC, {name}")
axes[0].get_legend().remove()
# %% tags=["hide-input"]
means = songs["rmse"].groupby(["protocol", "system", "dimension"]).mean()
valence_r = against("test", "pearson", None).filter(like="valence", axis=0)
crossing = "every model's" if ((valence_r["low"] < 0) & (valence_r["high"] > 0)).all() else "not every model's"
gain = intervals.difference(*(songs.loc[("test", s, "arousal"), "pearson"] for s in ("delayed linear", "linear, tuned")))
Markdown(
    f"**On the test songs no baseline predicts valence better than a constant** (RMSE per song "
    f"{means['test', 'constant', 'valence']:.3f}; the best of the others, {means['test', 'SVR, tuned', 'valence']:.3f} for SVR). "
    f"For valence, {crossing} interval of r per song includes 0. With 16 songs they are wide, so small differences cannot be seen. "
    "For arousal the past matters: against “linear, tuned” the delayed linear model's r per song is higher by "
    f"{gain['difference']:.2f} [{gain['low']:.2f}, {gain['high']:.2f}]. The embedded corpus was *composed* so that valence "
    "can fail on the test songs. Lesson 09 asks for the causes."
)

# %% [markdown]
# ### Real music
#
# The same comparison on real songs: the delayed linear model minus the linear model, both tuned in inner folds
# ([all systems](../docs/real_music.md)). Left of 0 is better for RMSE, right of 0 for r.

# %% tags=["hide-input"]
fig, axes = plt.subplots(2, 2, figsize=(11, 3.6))
for row, (metric, how, unit) in zip(axes, [("rmse", "pooled", "RMSE, pooled"), ("pearson", "mean", "r per song")]):
    for ax, (data, n) in zip(row, {"deam": 36, "vgmidi": 160}.items()):
        table = results.table(f"real_{data}_differences").loc[("delayed linear", "linear")]
        table = table.xs((how, metric), level=("aggregation", "metric")).loc[[*DIMENSIONS]]
        shown = table.filter(like="difference").set_axis(["value", "low", "high"], axis=1)
        plots.draw_differences(shown.assign(group=shown.index), ax=ax, unit=f"difference in {unit}")
        ax.set_title(f"REAL: {data.upper()}, {n} songs")
        ax.get_legend().remove()
# %% [markdown]
# On VGMIDI the delayed model is better for arousal by both measures, and its r of valence within pieces is higher. On
# DEAM's 36 excerpts of 30 s all intervals include 0: there are few songs, and little changes within 30 s. What
# delays and averages are worth depends on the music and on the raters.
#
# ### A negative r that means nothing
#
# Pooled over the folds of a cross-validation even the constant has an r, and it is negative:

# %%
constant = evaluation.cross_validate(models.Constant(), dev, folds)
score(dev.labels, constant).xs("pooled", level="aggregation")[["pearson"]].round(3)

# %% [markdown]
# Each fold has its own
# constant, which is lowest where the left-out songs are highest. Remember this artefact when a pooled r is near 0.
#
# ## Exercises
#
# **1. (concept)** You replace every prediction by its mean over the whole song. Which of these can no longer be computed:
# `"pooled r"`, `"r per song"`, or `"RMSE"`?
#
# <details><summary>Hint</summary>
#
# Which of the three divides by the standard deviation of the predictions within one song?
#
# </details>

# %% tags=["exercise"]
undefined = ...
# solution:
undefined = "r per song"

# %%
lesson.check_answer(
    "1",
    undefined,
    "r per song",
    hint="Within each song the prediction is now constant.",
    mistakes={
        "Between songs the predictions still differ.": "pooled r",
        "A distance can always be computed.": "RMSE",
    },
)

# %% [markdown]
# **2. (code)** Write CCC yourself, from its formula. Use population variances (`np.var`).
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
    "2",
    my_ccc(y_example, p_example),
    ccc(y_example, p_example),
    tolerance=1e-9,
    hint="Twice the covariance; below it both variances and the squared distance of the means.",
    mistakes={
        "That is Pearson's r, which ignores level and range.": np.corrcoef(y_example, p_example)[0, 1],
        "The covariance counts twice.": ccc(y_example, p_example) / 2,
        "The means may differ: their squared distance is missing.": 2
        * np.cov(y_example, p_example, ddof=0)[0, 1]
        / (y_example.var() + p_example.var()),
    },
)

# %% [markdown]
# **3. (code)** A constant predictor is fitted to the *development* songs. On how many *test* songs is the
# linear model's RMSE of valence smaller than the constant's?
#
# <details><summary>Hint</summary>
#
# `models.Constant()` has `fit` and `predict` like all models; `score_songs(labels, predictions)` has a row for each song and dimension.
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
# **4. (open)** A paper reports r = 0.70 for valence, pooled over all frames of a random split, and calls its network better than a
# linear model with r = 0.55. What do you ask before you believe it?
#
# <details><summary>A model answer</summary>
#
# Are frames of one song on both sides of the split? Then both figures are inflated. What is r per song? A pooled r can come from
# song means alone. How was the linear model tuned: a penalty for each dimension, smoothing, a delay, as carefully as the
# network? What does a constant reach in RMSE? How many songs are there, and what is the interval of the *paired* difference over songs?
# Were the settings chosen on the test songs?
#
# </details>
#
# ## Summary
#
# - **r** measures shape, **RMSE** distance, **CCC** shape, level and range; **R²** compares with the best constant; a
#   constant has no r.
# - **Pooled** and **per-song** figures answer different questions.
# - A split that shares **songs** measures recognition. Compute means and deviations for
#   scaling on training songs only.
# - **Averaging** helps valence in cross-validation, and hardly on the test songs. A **delay**, or an
#   average over the past, helps arousal within songs.
# - The **delayed linear model**, tuned in inner folds, is the baseline of all further lessons. On test valence no baseline beats the
#   constant.
#
# ## References
#
# - Hoerl, Kennard (1970). Ridge regression. *Technometrics*.
# - Lin (1989). A concordance correlation coefficient to evaluate reproducibility. *Biometrics*.
# - Pellegrini, Barrière (2015). Time-continuous estimation of emotion in music with recurrent neural
#   networks. *MediaEval*.
# - Schubert (2004). Modeling perceived emotion with continuous musical features. *Music Perception*.
# - Smola, Schölkopf (2004). A tutorial on support vector regression. *Statistics and Computing*.

# %%
lesson.check_numbers(
    "02",
    {f"smoothed, λ = 1000, {d}, RMSE": (curves["smoothed"].loc[1000, d], 0.002) for d in DIMENSIONS}
    | {f"smoothed, best λ, {d}, RMSE": (curves["smoothed"][d].min(), 0.002) for d in DIMENSIONS}
    | {f"all the past, {p}, valence, RMSE": (v[p]["all"], 0.003) for p in by_past}
    | {f"delay of 4 s, {d}, r per song": (by_delay.loc[4, d], 0.01) for d in DIMENSIONS}
    | {
        f"delayed linear, test, {d}, {m}": (live.loc[(d, "mean"), m], 0.01)
        for d in DIMENSIONS
        for m in ("rmse", "pearson")
    }
    | {
        f"delayed linear, live minus stored, {d}": (
            live.loc[(d, "mean"), "rmse"] - means["test", "delayed linear", d], 0.002
        )
        for d in DIMENSIONS
    }
    | {f"leak, {name}, {d}, r": (leaks[name][d], 0.01) for name in leaks for d in DIMENSIONS},
)
