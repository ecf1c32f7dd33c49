# %% [markdown]
# # 11 · The scoreboard: what the papers claim, and what we measured
#
# *45 minutes. You need: lesson 02 (metrics, pooled and per song); the other lessons for the systems themselves.*
#
# **What you will learn**
#
# 1. to read a table of systems: what may be compared in it, and what may not;
# 2. how a paper's figure and ours are compared when the labels are not the same;
# 3. how sure a ranking of systems is, and how many songs it takes to be sure;
# 4. which of the five papers' claims are reproduced on real and on synthetic music, which are contradicted, and which
#    need more songs;
# 5. what to use, what not to believe, and what nobody knows.

# %%
import numpy as np
import pandas as pd
from IPython.display import Audio, Markdown
from matplotlib import pyplot as plt
from scipy import stats

from mer_core import evaluation, models
from mer_core.datasets.deam import chosen_data
from mer_core.metrics import DIMENSIONS
from mer_core.smoothing import moving_average
from workbook import intervals, lesson, paper_tables, papers, plots, real_music, results, widgets
from workbook.conclusions import conclusions

plots.use_style()
corpus = lesson.corpus()
dev, test = corpus.split("dev"), corpus.split("test")

# %% [markdown]
# No result on this page is typed by hand. Thousands of models were trained by `make results`, stored, and are read here.
# Every heading says whether its songs are *real* or *synthetic* (the embedded corpus).

# %%
scores, songs = results.stored_scores(), results.stored_songs()
runs = songs.index.droplevel(["song_id", "dimension"]).unique()
Markdown(
    f"In the store, of synthetic songs: **{scores.index.unique('system').size} systems** (constant and linear models included), "
    f"{len(runs)} runs of them with their seeds and settings, {len(songs):,} scores of single songs."
)

# %% [markdown]
# ## Listen and look
#
# One test song (synthetic), its ratings, and two predictions: a weighted sum of the features, smoothed (*linear*), and
# nothing at all (*constant*: the mean of the training labels). Everything below asks how much better than these two
# curves the networks are. Listen first.

# %%
linear = models.Linear().fit(dev.features, dev.labels)
constant = models.Constant().fit(dev.features, dev.labels)
predicted = {"linear": moving_average(linear.predict(test.features)), "constant": constant.predict(test.features)}
song_id = test.songs["audio"].dropna().index[0]
Audio(test.songs.audio[song_id])

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 2, figsize=(11, 3.4), sharey=True)
for ax, (name, track) in zip(axes, predicted.items()):
    plots.draw_curves(test.labels.loc[song_id], track.loc[song_id], ax=ax)
    ax.set_title(f"song {song_id}, {name}")
plt.show()

# %% [markdown]
# ## The idea: three rules for reading a table
#
# 1. **A row may be compared with rows that were scored on the same songs against the same labels.** RMSE is in
#    the unit of its labels: ours are not the papers' labels. Between a paper's RMSE and ours only the *order of
#    systems* can be compared.
# 2. **Pooled figures and means per song are different questions** (lesson 02). Cross-validation (CV) is
#    pooled here, as in the papers; test figures are means over songs.
# 3. **A difference needs an interval.** All systems predict the same songs, so their errors are compared song by song:
#    for song $s$ the difference is $d_s = e_s^{(a)} - e_s^{(b)}$. Over $n$ songs, with the mean $\bar d$ and the standard
#    deviation $s_d$, the 95 % interval is
#
# $$\bar d \pm t_{0.975}\, \frac{s_d}{\sqrt{n}}$$
#
# and the **detectable difference**, the smallest that $n$ songs show in 80 % of all samples, is $(t_{0.975} + t_{0.8})\, s_d / \sqrt{n}$.
# With many comparisons some are significant by chance. Holm (1979): the $k$-th smallest of $m$ values $p$ is multiplied
# by $m - k + 1$, and no value may be below the one before it.

# %% [markdown]
# ## The board: real music
#
# Every system minus the **delayed linear model** (lesson 02), RMSE pooled over frames, with 95 % intervals over songs. Left
# of 0, a system is better.

# %% tags=["hide-input"]
def forest(ax: plt.Axes, table: pd.DataFrame, title: str) -> None:
    """Differences with their intervals, a system a line."""
    rows = table[["difference", "difference_low", "difference_high"]].set_axis(["value", "low", "high"], axis=1)
    plots.draw_differences(rows, ax=ax, unit="difference of RMSE").set_title(title)


fig, axes = plt.subplots(1, 4, figsize=(13, 5.2), sharey=True)
for pair, (name, title) in zip(axes.reshape(2, 2), real_music.SETS.items()):
    table = results.table(f"real_{name}_differences").xs((real_music.BASE, "pooled", "rmse"), level=[1, 3, 4])
    for ax, dimension in zip(pair, DIMENSIONS):
        part = table.xs(dimension, level="dimension")
        title_of = f"{title}, {part['songs'].max():.0f} real songs\n{dimension}"
        forest(ax, part.loc[real_music.order(part.index)], title_of)
plt.show()

# %% tags=["hide-input"]
real = {name: real_music.real_differences(name).xs(("pooled", "rmse"), level=[2, 3]) for name in real_music.SETS}
better = {}
for name, table in real.items():
    table = table.drop(index=real_music.BASE, level="system")
    sure = table[table["p_holm"] < 0.05]["difference"]
    better[name] = (sure < 0).sum(), (sure > 0).sum(), len(table)
Markdown(
    "Significantly better and worse than the delayed linear model (both dimensions, Holm): "
    + "; ".join(f"{real_music.SETS[k]}: **{a} better, {b} worse** of {n} comparisons" for k, (a, b, n) in better.items())
    + ". The others are undecided. A filled circle: the interval excludes 0 (before Holm's correction)."
)

# %% [markdown]
# [All results](../docs/results.md) has the numbers, [real music](../docs/real_music.md) the scores per song and the smallest differences that so many songs detect.
#
# ## The board: synthetic songs
#
# The same comparison on the embedded corpus, smoothed, but with the mean of the songs' RMSE. Ten folds of the development songs on
# the left, the test songs on the right: two panels, since the songs differ. Variants of a system are in [all results](../docs/results.md).

# %% tags=["hide-input"]
keys = ["system", "features", "output", "protocol", "dimension"]
errors = songs["rmse"].groupby([*keys, "song_id"]).mean()
smooth = errors.xs("smoothed", level="output")
sets = smooth.reset_index("features")["features"].groupby("system").agg(lambda k: "FS1" if "FS1" in set(k) else k.iloc[0])
systems = sets[~sets.index.str.contains("without the held-out|selected on|pretrained with|in-sample|softmax|ten networks")]


def against_delayed(protocol: str, dimension: str) -> pd.DataFrame:
    """Each system minus the delayed linear model on the same songs."""
    base, rows = smooth["delayed linear", "FS1", protocol, dimension], {}
    for name, features in systems.drop("delayed linear").items():
        if (name, features, protocol, dimension) in smooth.index:
            rows[name] = intervals.difference(smooth[name, features, protocol, dimension], base)
    table = pd.DataFrame(rows).T.sort_values("difference")
    table["p_holm"] = intervals.holm(table["p"])
    return table.rename(columns={"low": "difference_low", "high": "difference_high"})


synthetic = {(p, d): against_delayed(p, d) for p in ("CV", "test") for d in DIMENSIONS}
fig, axes = plt.subplots(1, 4, figsize=(14, 8))
for ax, ((protocol, dimension), table) in zip(axes, synthetic.items()):
    count = f"{table['songs'].max():.0f} synthetic songs"
    forest(ax, table[~table.index.str.contains(", ")], f"{'ten folds' if protocol == 'CV' else 'test'}, {count}\n{dimension}")
    ax.tick_params(axis="y", labelsize=9)
plt.show()

# %% tags=["hide-input"]
Markdown(
    "Significantly better and worse than the delayed linear model (Holm, a panel a family), and the smallest difference "
    "that the songs detect (variants are counted but not drawn):\n\n"
    + "\n".join(
        f"- {'ten folds' if p == 'CV' else 'test songs'}, {d}: "
        f"{((t['p_holm'] < 0.05) & (t['difference'] < 0)).sum()} better, "
        f"{((t['p_holm'] < 0.05) & (t['difference'] > 0)).sum()} worse of {len(t)}; detectable: "
        f"{t['detectable'].min():.3f} to {t['detectable'].max():.3f}"
        for (p, d), t in synthetic.items()
    )
)

# %% [markdown]
# ### The papers' sizes and settings
#
# Do the networks gain if they have the paper's size, training and learning rate instead of those of class? Each row is the RMSE in the paper's
# setting minus the RMSE in the smaller setting of class, per song, raw, on the test songs; left of 0 the paper's setting is better. *Size*: the paper's
# units and fifty networks, the learning rate of class. For 2015 the last row is the paper's rate against the rate of class, at the paper's size.

# %% tags=["hide-input"]
inputs = {"Elman": "FS1", "AE-LSTM": "mel", "VAE-LSTM": "mel", "CNN-LSTM": "mel"}
own = {name: ((f"{name}, paper's setting", "raw", k), (name, "raw", k)) for name, k in inputs.items()}
for kind in ("size", "setting"):
    run_4 = (f"LSTM 2014 run 4{part}, fifty networks" for part in (f", paper's {kind}", ""))
    own[f"LSTM 2014 run 4, {kind}"] = tuple((name, "raw", "FS2") for name in run_4)
run_3 = (f"LSTM 2015 run 3, paper's {kind}, ten networks" for kind in ("setting", "size"))
own["LSTM 2015 run 3, rate"] = tuple((name, "raw", "FS1") for name in run_3)
gained = lesson.differences(own, protocol="test")
plots.draw_differences(gained, unit=f"RMSE, paper's setting minus class; SYNTHETIC, {len(test.songs)} songs")
plt.show()
Markdown(
    f"Intervals that exclude 0: {((gained['low'] > 0) | (gained['high'] < 0)).sum()} of {len(gained)}. So few songs detect "
    f"{gained['detectable'].min():.3f} to {gained['detectable'].max():.3f}. No gain from a paper's size is shown with so few training songs. "
    "[The papers](../docs/papers.md) has run times, and the papers' settings on real music."
)

# %% [markdown]
# ## Paper by paper
#
# [Paper by paper](../docs/claims.md) has every printed score beside ours, IRIT's figures on their own scale, and all verdicts. Lesson 09 has the
# published r of valence beside the labels' r(valence, arousal). Have our systems (synthetic songs) the same *order* as a paper's? Kendall's $\tau$ is 1
# for the same order, −1 for the reverse. The rows share songs and networks, so a p value for $\tau$ would mean nothing.

# %% tags=["hide-input"]
orders = paper_tables.orders()
Markdown(
    f"Of {len(orders)} orders, {(orders > 0).sum()} have a positive τ. The highest: {orders.index[-1]}, {orders.iloc[-1]:+.2f}; "
    f"the lowest, a reversed order: {orders.index[0]}, {orders.iloc[0]:+.2f}."
)

# %% [markdown]
# ## Whole songs: real music
#
# Herremans et al.'s table 1 is about whole songs, and here we have real data: 744 songs of DEAM with their
# labels and 167 features (the paper: 6,669 features, and other splits). Stored by `make results` on DEAM.

# %% tags=["hide-input"]
static = results.table("songs_2013_intervals").droplevel(["features", "output", "protocol"])
printed = papers.published().query("paper == 'herremans_2019' and metric == 'r2' and ours != ''")
printed = printed.set_index(["ours", "dimension"])["value"].rename_axis(["system", "dimension"])
whole = static[["r2", "low", "high"]].assign(paper=printed.groupby(level=[0, 1]).first())
whole = whole.unstack("dimension").swaplevel(axis=1)[DIMENSIONS]
whole = whole.sort_values(("valence", "r2"), ascending=False)

fig, axes = plt.subplots(1, 2, figsize=(11, 0.3 * len(whole) + 1), sharey=True)
for ax, name in zip(axes, DIMENSIONS):
    part = whole[name]
    sides = np.abs(part[["low", "high"]].sub(part["r2"], axis=0)).T
    ax.errorbar(part["r2"], range(len(part)), xerr=sides, fmt="o", color=plots.PALETTE[name], label="ours, 95 %")
    ax.plot(part["paper"], range(len(part)), "kx", label="Herremans et al.")
    ax.set(xlabel=f"R², {name}", yticks=range(len(part)), yticklabels=part.index)
    ax.legend(fontsize="small", ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1))
axes[0].invert_yaxis()
plt.show()

# %% tags=["hide-input"]
each = results.stored_songs("deam")["r2"].dropna()


def r2_gain(better: str, worse: str) -> str:
    """Paired difference of R² with its interval, for both dimensions."""
    sides = [[intervals.contributions(each.xs((k, d), level=["system", "dimension"])) for k in (better, worse)] for d in DIMENSIONS]
    rows = {d: intervals.difference(*pair) for d, pair in zip(DIMENSIONS, sides)}
    return "; ".join(f"{d} {v['difference']:+.3f} [{v['low']:+.3f}, {v['high']:+.3f}]" for d, v in rows.items())


theirs = {k: printed.groupby(level=[0, 1]).first()[("TNN-SVM", k)] - printed.groupby(level=[0, 1]).first()[("SVM", k)] for k in DIMENSIONS}
Markdown(
    "Differences of R², paired over the 744 songs, with 95 % intervals:\n\n"
    + f"- triplets minus an SVM on all features: {r2_gain('TNN-SVM', 'SVM')} (the paper: "
    + ", ".join(f"{k} {v:+.3f}" for k, v in theirs.items())
    + f");\n- triplets of the paper's 600 dimensions minus that SVM: {r2_gain('TNN-SVM, 600', 'SVM')};\n"
    + f"- triplets minus an SVM whose features are prepared as theirs (ranks): {r2_gain('TNN-SVM', 'SVM on ranks')};\n"
    + f"- triplets minus the SVM behind a PCA: {r2_gain('TNN-SVM', 'PCA-SVM')}.\n\n"
    + "Compare the first line with the third: how much of the gain is that of the preparation? Lesson 06 has the rest."
)

# %% [markdown]
# ## How sure is a ranking?
#
# Draw the test songs anew, with replacement (the *bootstrap*), as if other songs of the same kind had been chosen, and ask each
# time which system wins.

# %% tags=["hide-input"]
entrants = {
    "constant": ("constant", "FS1", "raw"),
    "linear, smoothed": ("linear", "FS1", "smoothed"),
    "delayed linear, smoothed": ("delayed linear", "FS1", "smoothed"),
    "SVR, smoothed": ("SVR", "FS1", "smoothed"),
    "Elman, smoothed": ("Elman", "FS1", "smoothed"),
    "LSTM": ("LSTM", "FS1", "raw"),
    "LSTM 2015 run 4": ("LSTM 2015 run 4", "FS2", "raw"),
    "BLSTM average": ("BLSTM average", "FS1", "raw"),
    "BLSTM-ELM": ("BLSTM-ELM", "FS1", "raw"),
}
podium = pd.DataFrame()
for name in DIMENSIONS:
    table = pd.DataFrame({k: errors[(*entrant, "test", name)] for k, entrant in entrants.items()})
    draws = np.random.default_rng(0).integers(len(table), size=(4000, len(table)))
    winners = table.to_numpy()[draws].mean(1).argmin(1)
    podium[name] = pd.Series(winners).map(dict(enumerate(table))).value_counts(normalize=True)
podium = podium.fillna(0).reindex([*entrants], fill_value=0)
ax = podium.plot.barh(color=plots.PALETTE, figsize=(8, 3.6))
ax.set(xlabel=f"share of {len(draws)} draws of {len(table)} test songs in which it wins", ylabel="")
ax.invert_yaxis()

# %% tags=["hide-input"]
Markdown(
    "The most frequent winner is "
    + " and ".join(f"**{podium[k].idxmax()}** for {k}, in {podium[k].max():.0%} of the draws" for k in DIMENSIONS)
    + ". A table that names one best system hides how often another one wins."
)

# %% [markdown]
# How many songs would it take? The songs of cross-validation are a pool to draw from: take $n$ of them, test two
# systems, repeat. The slider sets $n$ (MediaEval had 58 test songs in 2015, 1000 in 2014).

# %% tags=["hide-input"]
duels = {
    "Elman against constant": ("Elman, smoothed", "constant"),
    "Elman against linear": ("Elman, smoothed", "linear, smoothed"),
    "Elman against delayed linear": ("Elman, smoothed", "delayed linear, smoothed"),
    "SVR against linear": ("SVR, smoothed", "linear, smoothed"),
    "LSTM against Elman": ("LSTM", "Elman, smoothed"),
}
pools = {
    (duel, name): errors[(*entrants[a], "CV", name)] - errors[(*entrants[b], "CV", name)]
    for duel, (a, b) in duels.items()
    for name in DIMENSIONS
}

# %%
def power(n: int) -> pd.DataFrame:
    """Share of draws of n songs in which a paired t-test says first, second, or nothing."""
    draw, found = np.random.default_rng(n), {}
    for key, pool in pools.items():
        taken = draw.choice(pool.to_numpy(), size=(400, n))
        tests = stats.ttest_1samp(taken, 0, axis=1)
        clear = tests.pvalue < 0.05
        found[key] = [np.mean(clear & (tests.statistic < 0)), np.mean(clear & (tests.statistic > 0))]
    return pd.DataFrame(found, index=["the first is better", "the second is better"]).T


# %% tags=["hide-input"]
def power_figure(n: int) -> plt.Figure:
    fig, axes = plt.subplots(1, 2, figsize=(11, 2.8), sharey=True)
    for ax, name in zip(axes, DIMENSIONS):
        power(n).xs(name, level=1).plot.barh(stacked=True, ax=ax, color=["C2", plots.GREY], legend=False)
        ax.set(xlim=(0, 1), xlabel=f"share of draws with p < 0.05, {name}", ylabel="")
    axes[0].invert_yaxis()
    axes[1].legend(fontsize="small", ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1))
    fig.suptitle(f"{n} songs")
    return fig


counts = [8, 16, 30, 58, 120, 300, 1000]
widgets.FigureSlider.draw("songs", counts, power_figure, start=1)

# %% [markdown]
# The draws take the observed differences for true. They are known within their intervals only, so the number of songs
# that a difference needs ($n$ in the formula of the detectable difference, solved) is a range: from one end of the interval to
# the other. If the interval contains 0, the range has no end: an arrow.

# %% tags=["hide-input"]
def needed(pool: pd.Series) -> list[float]:
    """Songs that the difference needs: as observed, least and most within its 95 % interval."""
    row = intervals.difference(pool, 0 * pool)
    ends = sorted([abs(row["low"]), abs(row["high"])])
    sizes = [abs(row["difference"]), ends[1], 0 if row["low"] < 0 < row["high"] else ends[0]]
    return [np.ceil(len(pool) * (row["detectable"] / size) ** 2) if size else np.inf for size in sizes]


fig, axes = plt.subplots(1, 2, figsize=(11, 2.8), sharey=True)
for ax, name in zip(axes, DIMENSIONS):
    for place, duel in enumerate(duels):
        found, least, most = needed(pools[duel, name])
        ax.plot([least, min(most, 9000)], [place, place], color=plots.PALETTE[name])
        ax.plot(found, place, "o", color=plots.PALETTE[name])
        if most > 9000:
            ax.plot(9000, place, ">", color=plots.PALETTE[name])
    ax.set(xscale="log", xlim=(8, 11_000), xlabel=f"songs needed, {name} (SYNTHETIC)", yticks=range(len(duels)), yticklabels=[*duels])
    ax.axvline(58, color=plots.GREY, ls="--", label="58 songs")
axes[0].invert_yaxis()
axes[1].legend(fontsize="small", loc="upper right");
# %% tags=["hide-input"]
needs = pd.DataFrame([needed(pool) for pool in pools.values()], columns=["observed", "least", "most"])
Markdown(
    f"If the observed differences are true, 58 songs (dashed) suffice for {(needs['observed'] <= 58).sum()} of {len(needs)}. "
    f"{np.isinf(needs['most']).sum()} of them may need any number of songs."
)

# %% [markdown]
# ## The claims, and our verdicts
#
# The five papers' findings were compared song by song. **Reproduced**: significant in the claimed direction (for "no difference": the interval is
# small). **Contradicted**: significant in the other direction. **Too few songs**: neither. **Not comparable**: we have no such rows. A
# *family of tests* (Holm) is all comparisons of one paper on one set of songs. Real and synthetic music have columns of their own. **Guess:** which verdict is the most frequent?

# %% tags=["hide-input"]
tally = paper_tables.tally()
words = ["reproduced", "contradicted", "too few songs", "not comparable"]
ax = tally.T[words].plot.barh(stacked=True, color=["C2", "C3", plots.GREY, "lightgrey"], figsize=(9, 2.2))
for bars in ax.containers:
    ax.bar_label(bars, label_type="center", fontsize=9)
ax.set(xlabel="claims", ylabel="")
ax.invert_yaxis()
ax.legend(fontsize="small", ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1));

# %% [markdown]
# Most claims could not be decided: there are too few songs, or no such systems here. That is about our data, not about the papers.
# [Paper by paper](../docs/claims.md) has each claim with its numbers.

# %% [markdown]
# ## Trained now
#
# A stored table can be checked. On the embedded corpus the linear model is cross-validated again (seed 0) and held
# against the store; on DEAM, named by `MER_DATA`, the constant and the linear model are scored for the first time.

# %%
folds = evaluation.k_folds(dev.songs.index, k=10, seed=0)
systems = {"constant": models.Constant(), "linear": models.Linear()}
live = evaluation.scoreboard(systems, corpus, folds=folds)
now = live.xs(("linear", "raw", "CV", "pooled"), level=("system", "output", "protocol", "aggregation"))
if chosen_data() == "mini":
    stored = scores.xs(("linear", "FS1", "raw", "CV", 0, "pooled"), level=[0, 1, 2, 3, 4, 6])
    agree = np.allclose(stored.loc[DIMENSIONS, "rmse"], now.loc[DIMENSIONS, "rmse"], atol=1e-4)
    print("as stored" if agree else "different")
live.xs(("raw", "CV", "pooled"), level=("output", "protocol", "aggregation"))["rmse"].unstack()[DIMENSIONS].round(3)

# %% [markdown]
# ## One page: what to use, what not to believe, what nobody knows
#
# All songs are real. *Detects*: the smallest difference that so many songs show in 80 % of all samples. Numbers are differences
# unless a second number is named.

# %% tags=["hide-input"]
Markdown(real_music.as_page(conclusions()))

# %% [markdown]
# Three sentences for a colleague. Put a **delayed linear model** into every table: on these songs no network was significantly better. Give every
# difference its **interval and its number of songs**: most differences between systems are smaller than these songs can detect. And look at
# the **labels** before you believe a score of valence (lesson 09).
#
# [The papers](../docs/papers.md) explains settings: *class* is small enough to train in a lesson, *paper* is as printed.

# %% [markdown]
# ## Exercises
#
# **1.** Correct these five p values by hand (Holm), in the given order. `intervals.holm` would do it for you; do it once without.
#
# <details><summary>Hint</summary>
#
# Sort them; multiply the $k$-th smallest by $5 - k + 1$; then go from the smallest up and let no value be below the one before
# it, and none above 1.
#
# </details>

# %%
p_values = np.array([0.04, 0.001, 0.045, 0.5, 0.02])

# %% tags=["exercise"]
adjusted = ...
# solution:
rank = p_values.argsort()
scaled = p_values[rank] * np.arange(len(p_values), 0, -1)
adjusted = np.empty(len(p_values))
adjusted[rank] = np.maximum.accumulate(scaled).clip(max=1)

# %%
lesson.check_answer(
    "1",
    adjusted,
    intervals.holm(pd.Series(p_values)).to_numpy(),
    tolerance=1e-9,
    mistakes={
        "That is Bonferroni's correction, times 5 for all.": np.minimum(p_values * 5, 1),
        "These are the p as they were.": p_values,
    },
    hint="The k-th smallest times 5 - k + 1, then no value below the one before it.",
)

# %% [markdown]
# **2.** On how many of the test songs does the smoothed Elman network (FS1) have a lower RMSE of arousal than the
# constant? Use `errors`.
#
# <details><summary>Hint</summary>
#
# `errors["Elman", "FS1", "smoothed", "test", "arousal"]` has one number a
# song.
#
# </details>

# %% tags=["exercise"]
wins = ...
# solution:
elman = errors["Elman", "FS1", "smoothed", "test", "arousal"]
wins = (elman < errors["constant", "FS1", "raw", "test", "arousal"]).sum()

# %%
apart = errors["Elman", "FS1", "smoothed", "test"] - errors["constant", "FS1", "raw", "test"]
lesson.check_answer(
    "2",
    wins,
    (apart["arousal"] < 0).sum(),
    mistakes={
        "That counts the songs on which the constant is better.": (apart["arousal"] > 0).sum(),
        "That is valence.": (apart["valence"] < 0).sum(),
    },
    hint="Compare the two series of RMSE song by song and count where Elman's is lower.",
)

# %% [markdown]
# **3.** Two systems differ by 0.01 RMSE on average, and the differences of single songs have a standard deviation
# of 0.05. How many songs does it take until $t = \bar d / (s_d / \sqrt n)$ reaches 2?
#
# <details><summary>Hint</summary>
#
# Solve for $n$.
#
# </details>

# %% tags=["exercise"]
n_songs = ...
# solution:
n_songs = (2 * 0.05 / 0.01) ** 2

# %%
lesson.check_answer(
    "3",
    n_songs,
    100,
    tolerance=0.5,
    mistakes={"That is the square root of it.": 10, "That is t = 1.": 25},
    hint="n = (2 s_d / d̄)².",
)

# %% [markdown]
# ## Summary
#
# - A row is compared with rows on the **same songs and labels**; between papers, only the order of systems can be compared.
# - A **constant** and a **delayed linear model** are in every table: a network that does not beat them has learned little.
# - A ranking on few songs can be a **draw of lots**; the number of songs decides what can be seen.
# - *Too few songs* is an honest verdict: **no difference found** is not **no difference**.
# - Every number here comes from a stored run that anybody can compute again.
#
# ## References
#
# - Coutinho, Weninger, Schuller, Scherer (2014). The Munich LSTM-RNN approach to the MediaEval 2014 "Emotion in
#   Music" task. *MediaEval*.
# - Coutinho, Trigeorgis, Zafeiriou, Schuller (2015). Automatically estimating emotion in music with deep long-short
#   term memory recurrent neural networks. *MediaEval*.
# - Herremans, Cheuk, Luo, Agres (2019). Untangling indices of emotion in music using neural networks.
# - Holm (1979). A simple sequentially rejective multiple test procedure. *Scandinavian Journal of Statistics*.
# - Kendall (1938). A new measure of rank correlation. *Biometrika*.
# - Li, Xianyu, Tian, Chen, Meng, Xu, Cai (2016). A deep bidirectional long short-term memory based multi-scale
#   approach for music dynamic emotion prediction. *ICASSP*.
# - Pellegrini, Barrière (2015). Time-continuous estimation of emotion in music with recurrent neural networks.
#   *MediaEval*.

# %% tags=["hide-input"]
lesson.check_numbers(
    "11",
    {f"linear, CV, {k}, RMSE, live": (now.loc[k, "rmse"], 1e-4) for k in DIMENSIONS}
    | {
        f"{name}, test, {k}, RMSE": (smooth[name, "FS1", "test", k].mean(), 1e-4)
        for name in ("constant", "linear", "delayed linear", "Elman", "BLSTM-ELM")
        for k in DIMENSIONS
    }
    | {f"claims, {name}, {word}": (tally.loc[word, name], 1) for name in tally for word in tally.index},
)
