# %% [markdown]
# # 04b · One network or many? Munich's ensembles
#
# *40 minutes. You need: lesson 04.*
#
# | part | minutes |
# |---|---|
# | listen, averages of networks | 15 |
# | choosing networks | 5 |
# | fair comparisons, claims | 10 |
# | exercises | 10 |
#
# **What you will learn**
#
# 1. why an average of networks is better than its members on average, and by how much;
# 2. why you must not choose networks and report on the same songs;
# 3. whether the LSTM is better than a baseline, song by song, on synthetic and on real music;
# 4. what became of Munich's claims.

# %%
import numpy as np
import pandas as pd
from IPython.display import Audio, Markdown
from matplotlib import pyplot as plt

from mer_core import models
from workbook import lesson, papers, plots, widgets

plots.use_style()
corpus = lesson.corpus()
dev, test = corpus.split("dev"), corpus.split("test")

# %% [markdown]
# ## Listen and look
#
# A network that stops early needs validation songs, and these are lost for training. Munich divided the songs by *song_id modulo 11*. Songs with
# remainder 10 are **held out**. Each of the other ten parts is once the validation set. With five first weights each, that makes fifty networks;
# the prediction is the average of the **five best**: an **ensemble**. We train ten small networks, one for each part.
#
# **Predict:** ten networks are trained on nearly the same songs. Will their curves for a new song be nearly the same?

# %%
small = models.LSTM(hidden=(10,), epochs=8)
ensemble = models.FoldEnsemble(network=small, trials=1, keep=10).fit(dev.features, dev.labels)
members = np.stack([m.predict(test.features).loc[test.labels.index] for m in ensemble.members_])
song_id = test.songs["audio"].dropna().index[0]
Audio(test.songs.audio[song_id])

# %% tags=["hide-input"]
rows = test.labels.index.get_level_values("song_id") == song_id
time = test.labels.loc[song_id].index
fig, axes = plt.subplots(1, 2, figsize=(12, 3.4), sharey=True)
for ax, (column, name) in zip(axes, enumerate(test.labels)):
    colour = plots.PALETTE[name]
    ax.plot(time, members[:, rows, column].T, color=colour, lw=0.7, alpha=0.5)
    ax.plot(time, members[:, rows, column].mean(0), color=colour, lw=2.5, label="average of the ten")
    ax.plot(time, test.labels.loc[song_id, name], color="black", label="rated")
    ax.set(xlabel="time (s)", ylabel="rating, -1 to 1", title=f"{name}, song {song_id}, {lesson.kind()}; thin: one network each")
    ax.legend(fontsize="small")
# %% tags=["hide-input"]
def roughness(curves: np.ndarray) -> np.ndarray:
    """Mean change from one frame to the next."""
    return np.abs(np.diff(curves, axis=-2)).mean((-2, -1))


of_each, of_mean = roughness(members[:, rows]), roughness(members[:, rows].mean(0))
Markdown(
    "The networks differ in first weights, order of songs and validation songs, and so do their curves. From one half second to the next the average "
    f"changes by {of_mean:.3f}, a single network by {of_each.min():.3f} to {of_each.max():.3f}. An average cannot correct an error that all members share: "
    "where all ten are too high, so is the average."
)

# %% [markdown]
# ## Averages of networks
#
# For networks $m$ with predictions $p_m$, their mean $\bar p$ and a label $y$, it holds for every frame exactly that (Krogh, Vedelsby 1995)
#
# $$(\bar p - y)^2 = \overline{(p_m - y)^2} - \overline{(p_m - \bar p)^2},$$
#
# the squared error of the average is the mean squared error of the members minus their disagreement.

# %%
errors = members - test.labels.to_numpy()
of_members, disagreement = np.square(errors).mean(), members.var(axis=0).mean()
of_average = np.square(errors.mean(axis=0)).mean()
print(f"{of_members:.4f} - {disagreement:.4f} = {of_average:.4f}")

# %% [markdown]
# So an average is never worse than its members on average, and it helps more if they disagree.
#
# ### Experiment: how many networks?
#
# **Guess:** with how many networks is half of the gain of ten reached: 2, 3 or 5? Each dot is one draw of $n$ of the ten networks.

# %% tags=["hide-input"]
draw = np.random.default_rng(0).permutation
sizes = [1, 2, 3, 5, 8, 10]
draws = {
    n: [np.sqrt(np.square(errors[draw(10)[:n]].mean(0)).mean()) for _ in range(100)] for n in sizes
}
typical = pd.Series({n: np.mean(values) for n, values in draws.items()})


def averaged(n: int) -> plt.Figure:
    fig, ax = plt.subplots(figsize=(9, 3.2))
    ax.plot(typical, color=plots.GREY, label="mean of the draws")
    ax.plot(np.full(100, n) + np.linspace(-0.15, 0.15, 100), draws[n], ".", color="C2", label=f"{n} of the ten")
    low, high = min(map(min, draws.values())), max(map(max, draws.values()))
    ax.set(xlim=(0.5, 10.5), ylim=(low - 0.002, high + 0.002), xlabel="networks in the average", ylabel="RMSE")
    ax.set_title(f"{len(test.songs)} test songs, {lesson.kind()}: mean RMSE {typical[n]:.4f}")
    ax.legend(fontsize="small")
    return fig


widgets.FigureSlider.draw("networks", sizes, averaged, start=0)

# %% tags=["hide-input"]
share = (typical[1] - typical[2]) / (typical[1] - typical[10])
Markdown(
    f"**Answer:** two networks already have {share:.0%} of the gain of ten. The average of $n$ networks keeps $1/n$ of the variance of independent errors: "
    "the first additions matter most. The draws of few networks also differ more from each other."
)

# %% [markdown]
# ## Choosing networks
#
# *The five best on which songs*? Munich measured all networks on the held-out songs, and reported their error on the same songs. Does that
# flatter? We divide the test songs at random into halves, 300 times. One half chooses the five best networks. **Guess:** how much better than
# *all ten* are these five on the half used to choose them, and on the other half?

# %%
song, names = pd.factorize(test.labels.index.get_level_values("song_id"))
rng = np.random.default_rng(0)


def gains() -> list[float]:
    """RMSE of all ten minus RMSE of the five best: on the songs used to choose, on the others."""
    chosen_by = (rng.permutation(len(names)) < len(names) // 2)[song]
    five = np.square(errors[:, chosen_by]).mean((1, 2)).argsort()[:5]
    found = []
    for rows in (chosen_by, ~chosen_by):
        all_ten, best = (np.sqrt(np.square(e[:, rows].mean(0)).mean()) for e in (errors, errors[five]))
        found.append(all_ten - best)
    return found


halves = pd.DataFrame([gains() for _ in range(300)], columns=["songs used to choose", "other songs"])

# %% tags=["hide-input"]
fig, ax = plt.subplots(figsize=(9, 3))
bins = np.linspace(halves.min().min(), halves.max().max(), 40)
for (name, values), colour in zip(halves.items(), ("C1", "C2")):
    ax.hist(values, bins=bins, alpha=0.6, color=colour, label=f"{name}: mean {values.mean():+.4f}")
ax.axvline(0, color="black", lw=0.8)
ax.set(xlabel="RMSE of all ten minus RMSE of the five best", ylabel="divisions, of 300")
ax.set_title("right of 0: the five best are better than all ten")
ax.legend(fontsize="small");
# %% tags=["hide-input"]
seen, unseen = halves.mean()
Markdown(
    f"On the songs used to choose them, the five best are better by **{seen:.4f}** on average; on other songs by **{unseen:.4f}**. "
    "The difference is the optimism of choosing and reporting on the same songs."
)

# %% [markdown]
# The stored runs show the same choice for whole ensembles: run 2 of 2015 with its members chosen on held-out songs, minus the same with members chosen on
# validation songs.

# %%
chosen = ("LSTM 2015 run 2, selected on held-out", "raw", "FS2"), ("LSTM 2015 run 2", "raw", "FS2")
choice = [
    lesson.differences({f"on {protocol} songs": chosen}, protocol=protocol) for protocol in ("held-out", "test")
]
choice = pd.concat(choice)

# %% tags=["hide-input"]
ax = plots.draw_differences(choice, unit="RMSE, chosen on held-out minus on validation songs; SYNTHETIC")
ax.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
plt.show()
held_out = choice.loc["on held-out songs"]
Markdown(
    "; ".join(
        f"{name} ({row['songs']}), {row['group']}: {row['value']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}]"
        for name, row in choice.iterrows()
    )
    + ". A negative number on held-out songs is the optimism"
    + ("; here both intervals include 0, so none is shown. " if (held_out["low"] * held_out["high"] < 0).all() else ". ")
    + "On the test songs a positive number is the price of the choice."
)

# %% [markdown]
# ## Fair comparisons
#
# As in lesson 03: paired over songs, all smoothed; left of 0 the LSTM is better.

# %%
opponents = ["constant", "linear", "delayed linear", "Elman"]
pairs = {f"LSTM − {name}": (("LSTM", "smoothed"), (name, "smoothed")) for name in opponents}
found = {
    "SYNTHETIC, cross-validation": lesson.differences(pairs),
    "SYNTHETIC, test songs": lesson.differences(pairs, protocol="test"),
    "REAL: VGMIDI, cross-validation": lesson.differences(pairs, data="vgmidi"),
    "REAL: DEAM, cross-validation": lesson.differences(pairs, data="deam"),
}

# %% tags=["hide-input"]
plots.draw_panels(found, height=6.2);
# %% tags=["hide-input"]
delayed_rows = pd.concat({title: table.loc["LSTM − delayed linear"] for title, table in found.items()})
worse, better = (delayed_rows["low"] > 0).sum(), (delayed_rows["high"] < 0).sum()
shape = lesson.differences({"r": pairs["LSTM − delayed linear"]}, protocol="test", metric="pearson").set_index("group")
unsmoothed = {"LSTM − Elman": (("LSTM", "raw"), ("Elman", "raw"))}
raw_error, raw_r = (lesson.differences(unsmoothed, metric=metric) for metric in ("rmse", "pearson"))


def read(rows: pd.DataFrame) -> str:
    return "; ".join(f"{row['group']} {row['value']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]" for _, row in rows.iterrows())


Markdown(
    f"Against the **delayed linear model** the LSTM is better in {better} and worse in {worse} of {len(delayed_rows)} comparisons (intervals "
    "that exclude 0, not corrected). Its r of arousal within the test songs minus the delayed linear model's is "
    f"{shape.loc['arousal', 'value']:+.2f} [{shape.loc['arousal', 'low']:+.2f}, {shape.loc['arousal', 'high']:+.2f}]. "
    "Every comparison, with what so many songs can detect, is in lesson 11.\n\n"
    f"**LSTM minus Elman**, cross-validation on synthetic songs: the RMSE of the smoothed predictions is {read(found['SYNTHETIC, cross-validation'].loc['LSTM − Elman'])}; "
    f"without smoothing it is {read(raw_error)}, and r is {read(raw_r)}. IRIT's claim in lesson 03 (*no better*) is about networks without smoothing, "
    "by RMSE and by r."
)

# %% [markdown]
# ## Munich's runs and claims
#
# 2014: run 1 without pretraining; runs 2 and 3 with a first layer kept or retrained, on the 260 features (FS1); runs 4 and 5 the same on FS2 (FS1
# and four psychoacoustic features). The table with their results is missing from our copy of the paper. 2015: three layers; runs 2 to 4, whose
# description leaves some points open ([our reading](../docs/papers.md)). What the text of 2014 reports for **run 4** against the other runs, on our synthetic test songs:

# %% tags=["hide-input"]
run_4 = ("LSTM 2014 run 4", "raw", "FS2")
sets = {1: "FS1", 2: "FS1", 3: "FS1", 5: "FS2"}
runs = {f"run 4 − run {k}": (run_4, (f"LSTM 2014 run {k}", "raw", features)) for k, features in sets.items()}
runs["run 4 − constant"] = run_4, ("constant, without the held-out songs", "raw")
between = lesson.differences(runs, protocol="test")
plots.draw_differences(between, unit="difference of RMSE, 16 test songs, SYNTHETIC");
# %% tags=["hide-input"]
band = between.loc[[name for name in runs if "run 4 − run" in name], "detectable"]
Markdown(
    f"Intervals that exclude 0: {((between['low'] > 0) | (between['high'] < 0)).sum()} of {len(between)}. So few songs detect differences between runs of {band.min():.3f} to "
    f"{band.max():.3f} or more; Munich had 1000 test songs in 2014. All claims of the two papers (numbers: "
    "[lesson 11](11_scoreboard.ipynb)):\n\n"
    + papers.verdict_list(papers.stored_verdicts().query("paper.str.startswith('munich')"))
)

# %% [markdown]
# ## Exercises
#
# **1.** (Concept) Ten networks have a mean squared error of 0.04 each; their disagreement (the mean variance over networks) is 0.01. What is
# the RMSE of their average?
#
# <details><summary>Hint</summary>
#
# Krogh and Vedelsby's equation is about squared errors. RMSE is a root.
#
# </details>

# %% tags=["exercise"]
rmse_of_average = ...
# solution:
rmse_of_average = np.sqrt(0.04 - 0.01)

# %%
lesson.check_answer(
    "1",
    rmse_of_average,
    np.sqrt(0.03),
    tolerance=0.001,
    hint="Members' squared error minus disagreement; then the root.",
    mistakes={
        "That is the squared error.": 0.03,
        "That is one network.": 0.2,
        "The disagreement is subtracted, not added.": np.sqrt(0.05),
        "Squared errors are subtracted, not their roots.": 0.1,
    },
)

# %% [markdown]
# **2.** (Code) Write the disagreement: the mean over frames of the variance over networks, for an array of shape (networks, frames).
#
# <details><summary>Hint</summary>
#
# `np.var` over axis 0, the networks, divides by their number, as the equation needs it.
#
# </details>


# %% tags=["exercise"]
def disagreement_of(curves: np.ndarray) -> float:
    return ...


# solution:
def disagreement_of(curves: np.ndarray) -> float:
    return float(np.square(curves - curves.mean(axis=0)).mean())


# %%
ten = np.random.default_rng(4).normal(size=(10, 60))
lesson.check_answer(
    "2",
    disagreement_of(ten),
    float(ten.var(axis=0).mean()),
    tolerance=1e-9,
    hint="First the mean curve, then the squared distances from it, then one mean.",
    mistakes={
        "That is the variance over time: the networks are axis 0.": float(ten.var(axis=1).mean()),
        "Divide by the number of networks, not by one less.": float(ten.var(axis=0, ddof=1).mean()),
        "That is a standard deviation.": float(ten.std(axis=0).mean()),
        "That is the variance of all numbers together.": float(ten.var()),
    },
)

# %% [markdown]
# **3.** (Open) A delayed, averaged linear model is simpler than an LSTM, and yet the LSTM is not better here. Why? What would you need to
# show that an LSTM is better?
#
# <details><summary>One possible answer</summary>
#
# The delay and the average are knowledge about raters that we gave to the linear model; the LSTM has to find it in 96 songs, while it also fits
# thousands of weights. The labels are smooth, so a wrong lag costs little RMSE, and the training hardly corrects it. To show an advantage: an opponent
# that is tuned as carefully; enough songs that the expected difference is detectable (see *detectable* in lesson 11); several seeds; and a second
# data set. It would also help to look where the LSTM *should* win: songs with long passages, where a fixed average is wrong.
#
# </details>
#
# ## Summary
#
# - The error of an **average** is the members' error minus their disagreement. The first few networks bring most of the gain.
# - Songs used to *choose* the members are no test set.
# - Compared song by song, the LSTM is not better than a **delayed linear model**.
# - Most claims about single runs need more songs than we have.
#
# ## References
#
# - Coutinho, Trigeorgis, Zafeiriou, Schuller (2015). Automatically estimating emotion in music with deep
#   long-short term memory recurrent neural networks. *MediaEval*.
# - Coutinho, Weninger, Schuller, Scherer (2014). The Munich LSTM-RNN approach to the MediaEval 2014 "Emotion
#   in Music" task. *MediaEval*.
# - Krogh, Vedelsby (1995). Neural network ensembles, cross validation, and active learning. *NIPS*.

# %% tags=["hide-input"]
lesson.check_numbers(
    "04b",
    {"choosing five: on the songs that chose": (seen, 0.01), "on other songs": (unseen, 0.01)}
    | {"members minus disagreement minus average": (of_members - disagreement - of_average, 1e-6)}
    | {"two networks, share of the gain of ten": (share, 0.1)}
    | {f"{name}, test, {row['group']}": (row["value"], 1e-4) for name, row in between.iterrows()},
)
