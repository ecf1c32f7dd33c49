# %% [markdown]
# # 00 · Start here: what is emotion in music, as data?
#
# *45 minutes. You need: a little Python. You do not need: signal processing, neural networks.*
#
# **What you will learn**
#
# 1. what *valence* and *arousal* are, and how people rate them while a song plays;
# 2. how far raters agree, and how Cronbach's α says it in one number;
# 3. how development and test songs are divided, and how they differ;
# 4. the one shape of data that runs through all twelve lessons.

# %%
import numpy as np
from IPython.display import Audio, Markdown
from matplotlib import pyplot as plt

from mer_core import agreement
from mer_core.datasets import deam
from mer_core.metrics import DIMENSIONS, pearson
from workbook import lesson, plots, widgets

plots.use_style()
corpus = lesson.corpus()
dev, test = corpus.split("dev"), corpus.split("test")

# %% [markdown]
# ## Listen and look
#
# Here is one song. It is **synthetic**, as are all songs and raters that this workbook brings along: composed
# by rule, rated by simulated listeners (*Which data?*, below, says why). While you listen, ask yourself
# twice: *how pleasant is this?* (valence) and *how much energy does it have?* (arousal). Does your answer
# change as the song goes on?

# %%
with_audio = dev.songs.dropna(subset="audio")
spread = dev.labels.groupby("song_id").std().loc[with_audio.index].sum(axis=1)
song_id = spread.idxmax()
song = dev.songs.loc[song_id]
print(f"Song {song_id}: {song.title}, {song.artist} ({song.genre}), {song.duration:.0f} s")
Audio(song.audio)

# %% [markdown]
# A *rater* moves a slider while listening, once for valence and once for arousal. This is what the raters
# of the song said, averaged, every half second. All this follows *Emotion in Music*, a task of MediaEval
# (a yearly benchmark: same data, same question for all teams) from 2013 to 2015; its data set with real
# songs and real raters is called **DEAM**. The first 15 s are missing: raters need time to settle, so the
# organisers of the task left them out.

# %%
labels = corpus.labels.loc[song_id]
ax = plots.draw_curves(labels)
ax.set_title(f"Song {song_id}: rated valence and arousal");
# %% [markdown]
# ## The idea: a point that moves on a plane
#
# Russell's circumplex (1980) puts feelings on a plane: valence from unpleasant to pleasant, arousal
# from calm to excited. A song is then a path on that plane, and *music emotion recognition*, as in
# this workbook, is: **from the sound alone, predict the path.** Both scales run from −1 to 1.

# %%
ax = plots.draw_plane(
    labels, hue=labels.index.to_series(), palette="viridis", edgecolor="none", s=30
)
ax.plot(labels["valence"], labels["arousal"], color=plots.GREY, lw=0.8, zorder=0)
ax.legend(title="time (s)", fontsize="small", bbox_to_anchor=(1.02, 1))
ax.set_title(f"Song {song_id} on the plane");
# %% [markdown]
# ## The data, as tables
#
# A corpus is four tidy frames, and nothing else. `labels` and `features` are *tracks*: one row for
# each `(song_id, time)`. `time` counts from the start of the song; a label was given **at** that
# moment, features describe the second that **starts** there.

# %%
corpus.labels.loc[[song_id]].head(3)

# %%
corpus.features.loc[[song_id]].iloc[:3, :4]

# %%
corpus.songs.loc[[song_id], ["title", "genre", "duration", *DIMENSIONS, "split"]]

# %% [markdown]
# ## The raters
#
# The curve above is an average. The thin lines are the raters behind it.

# %%
ratings = corpus.ratings.loc[song_id]
fig, axes = plt.subplots(1, 2, figsize=(11, 3.4), sharey=True)
for ax, dimension in zip(axes, DIMENSIONS):
    curves = ratings[dimension].dropna().unstack("rater")
    ax.plot(curves, color=plots.GREY, lw=0.8, alpha=0.7)
    ax.plot(curves.mean(axis=1), color=plots.PALETTE[dimension], lw=2.5)
    ax.set(title=f"{dimension}: {curves.shape[1]} raters and their mean", xlabel="time (s)")
axes[0].set(ylabel="rating, -1 to 1", ylim=(-1, 1));
# %% [markdown]
# Do the raters agree? Not on *where* the song is: each has a scale of their own. But their curves may
# rise and fall together. **Cronbach's α** measures that. With $k$ raters, the variance
# $\sigma_i^2$ of rater $i$ over time and the variance $\sigma_\Sigma^2$ of the raters' sum,
#
# $$\alpha = \frac{k}{k-1}\left(1 - \frac{\sum_{i=1}^{k}\sigma_i^2}{\sigma_\Sigma^2}\right)$$
#
# (Cronbach 1951). If all move together, the sum moves much more than its parts and α is near 1; if
# each wanders alone, α is about 0. In a song where nothing happens α can be far *below* 0.

# %%
curves = ratings["arousal"].dropna().unstack("rater").dropna()
k = curves.shape[1]
by_hand = k / (k - 1) * (1 - curves.var().sum() / curves.sum(axis=1).var())
print(f"arousal of song {song_id}: alpha = {by_hand:.3f}")
print(f"mer_core says:           alpha = {agreement.cronbach_alpha(curves):.3f}")

# %% [markdown]
# Every song has its α. The organisers of MediaEval 2015 *chose* the development songs by it, and did
# not choose the test songs. The embedded corpus repeats that; its test songs are, moreover, the one set
# of thousands of drawn sets whose figures came nearest to DEAM's, so its α is like DEAM's by design.

# %%
alphas = agreement.rater_statistics(corpus.ratings)["alpha"].unstack("dimension")
alphas["split"] = corpus.songs["split"]
fig, axes = plt.subplots(1, 2, figsize=(11, 3.2), sharex=True)
bins = np.linspace(-1, 1, 21)
for ax, dimension in zip(axes, DIMENSIONS):
    for side, style in {"dev": {"alpha": 0.5}, "test": {"histtype": "step", "lw": 2.5}}.items():
        values = alphas.loc[alphas["split"] == side, dimension].clip(-1, 1)
        weights = np.full(len(values), 100 / len(values))
        ax.hist(values, bins, weights=weights, color=plots.PALETTE[dimension], label=side, **style)
    ax.set(title=dimension, xlabel="Cronbach's alpha of a song (below -1 shown at -1)")
    ax.legend()
axes[0].set_ylabel("songs (%)")
agreement_table = alphas.groupby("split")[DIMENSIONS].agg(["median", "mean", "std"]).round(2)
agreement_table

# %% [markdown]
# ## Experiment: how many raters are enough?
#
# Move the slider: how far is the mean of the first *n* raters from the mean of all of them?

# %%
arousal = ratings["arousal"].dropna().unstack("rater").dropna()
counts = [n for n in (1, 2, 3, 5, 8, 10) if n <= arousal.shape[1]]


def first_raters(n: int) -> plt.Figure:
    fig, ax = plt.subplots(figsize=(9, 3.2))
    few, everyone = arousal.iloc[:, :n].mean(axis=1), arousal.mean(axis=1)
    ax.plot(everyone, color=plots.GREY, lw=2, label=f"all {arousal.shape[1]} raters")
    ax.plot(few, color=plots.PALETTE["arousal"], lw=2, label=f"the first {n}")
    ax.fill_between(everyone.index, few, everyone, color=plots.PALETTE["arousal"], alpha=0.2)
    ax.set(ylim=(-1, 1), xlabel="time (s)", ylabel="arousal, -1 to 1")
    ax.set_title(
        f"{n} of {arousal.shape[1]} raters: mean distance {(few - everyone).abs().mean():.3f}"
    )
    ax.legend(loc="lower right", fontsize="small")
    return fig


widgets.FigureSlider.draw("raters averaged", counts, first_raters, start=1)

# %% [markdown]
# ## Development and test songs
#
# Models are built on *development* songs and judged on *test* songs that they have never met. Look at
# the song means of the two sets: what differs? Above each stands *Pearson's r* of valence and arousal: 1
# if both rise together, −1 if one rises as the other falls, 0 if neither tells of the other. (Lesson 02 has
# its formula. Below, *pooled* means over all half seconds of all songs; sd is the standard deviation.)

# %%
means = corpus.labels.groupby("song_id").mean()
fig, axes = plt.subplots(1, 2, figsize=(11, 5.2))
for ax, (name, side) in zip(axes, {"development": dev, "test": test}.items()):
    points = means.loc[side.labels.index.unique("song_id")]
    r = points.corr().loc["valence", "arousal"]
    plots.draw_plane(points, ax=ax, color="black", s=25)
    ax.set_title(f"{len(points)} {name} songs: r(valence, arousal) = {r:.2f}")

# %%
statistics = deam.describe(corpus)
statistics.drop(["songs", "labelled frames"]).round(3)

# %%
r_dev, r_test = statistics.loc["r(valence, arousal) over song means", ["dev", "test"]]
parted = r_test < r_dev / 2
Markdown(
    f"Over song means r is {r_dev:.2f} in the development songs and {r_test:.2f} in the test songs. "
    + (
        "In the former pleasant music tends to be energetic music, in the latter it does not: a model may "
        "learn *“loud and fast, so pleasant”* from the former, and will be wrong about the latter. "
        if parted
        else ""
    )
    + "Remember this picture: lesson 09 comes back to it."
)

# %% [markdown]
# ## Which data?
#
# | | DEAM, the real one | the embedded corpus |
# |---|---|---|
# | songs | 1802, from FMA, MedleyDB, Jamendo | composed by rule, rendered on sampled instruments |
# | raters | people | simulated: they lag, drift, use the scale in their own way |
# | good for | results | learning, and checking that code does what it says |
# | licence | research use only, to be fetched by you | part of the workbook |
#
# The embedded corpus is **synthetic**. It lets every lesson run anywhere in seconds. **No number in these notebooks is a
# finding about real music** unless it says so. With a copy of DEAM on your disk, set `MER_DATA` to its
# folder and run the same notebooks on the real thing.
#
# ## The map of the course
#
# | lesson | question | paper |
# |---|---|---|
# | 00 | what is emotion in music, as data? | |
# | [01](01_features.ipynb) | what does a computer hear? Features | Munich 2014, IRIT 2015 |
# | [02](02_baselines_metrics_smoothing.ipynb) | what is a good prediction? Baselines, metrics, smoothing | IRIT 2015 |
# | [03](03_elman_rnn.ipynb) | does memory help? The Elman network | IRIT 2015 |
# | [04](04_lstm.ipynb) | a memory with gates: the LSTM | Munich 2014, 2015 |
# | [05](05_multiscale_blstm_elm.ipynb) | the future and several scales: BLSTM and ELM | Tsinghua 2016 |
# | [06](06_triplet_network.ipynb) | one emotion for a whole song: triplets | Herremans 2019 |
# | [07](07_vae_lstm.ipynb) | can features be learned from sound alone? VAE, AE, CNN with LSTM | Herremans 2019 |
# | [08](08_tsne.ipynb) | seeing what was learned: t-SNE, and what it can't tell | Herremans 2019 |
# | [09](09_why_valence_fails.ipynb) | why does valence fail on the test set? | all |
# | [10](10_explore_by_emotion.ipynb) | how do you find music by its emotion? Hear, point, draw | Herremans 2019 |
# | [11](11_scoreboard.ipynb) | the scoreboard: what the papers claim, what we measured | all |
#
# Five papers are rebuilt. *Munich*, *IRIT* (Toulouse) and *Tsinghua* (Beijing) are our short names for three
# teams of the task and for what they published: Coutinho et al. 2014 and 2015, Pellegrini and Barrière 2015,
# Li et al. 2016. The fifth is Herremans et al. 2019. Full titles are below.
#
# ## Exercises
#
# Put your answer in place of `...` and run the cell, then the one below it, which checks it. (The check's code is
# folded, since it knows the answer.)
#
# **1.** Compute Cronbach's α of the *valence* ratings of the song above, from its formula.
#
# <details><summary>Hint</summary>
#
# A table with one column per rater, as `curves` above; `.var()` of it, and `.var()` of the raters' sum.
#
# </details>

# %% tags=["exercise"]
alpha_valence = ...
# solution:
curves = ratings["valence"].dropna().unstack("rater").dropna()
k = curves.shape[1]
alpha_valence = k / (k - 1) * (1 - curves.var().sum() / curves.sum(axis=1).var())

# %%
rated = ratings["valence"].dropna().unstack("rater").dropna()
lesson.check_answer(
    "1",
    alpha_valence,
    agreement.cronbach_alpha(rated),
    tolerance=1e-6,
    hint="Variances over time, one per rater; and the variance of the raters' sum.",
    mistakes={
        "That is arousal's.": by_hand,
        "That lacks the factor k / (k - 1).": 1 - rated.var().sum() / rated.sum(axis=1).var(),
        "That has the variances of all moments, not of all raters.": agreement.cronbach_alpha(rated.T),
    },
)

# %% [markdown]
# **2.** How many *development* songs lie, by their mean labels, in the quadrant of pleasant and excited
# music (both above 0)?
#
# <details><summary>Hint</summary>
#
# A song's mean label: `groupby("song_id").mean()`. Two conditions a row, and both have to hold.
#
# </details>

# %% tags=["exercise"]
happy_songs = ...
# solution:
dev_means = dev.labels.groupby("song_id").mean()
happy_songs = int((dev_means > 0).all(axis=1).sum())

# %%
happy = int((dev.labels.groupby("song_id").mean().min(axis=1) > 0).sum())
lesson.check_answer(
    "2",
    happy_songs,
    happy,
    hint="Song means first, then count the rows.",
    mistakes={
        "Those are frames.": int((dev.labels > 0).all(axis=1).sum()),
        "Those lie above 0 on one scale at least.": int(
            (dev.labels.groupby("song_id").mean() > 0).any(axis=1).sum()
        ),
        "Those are the songs of both splits.": int(
            (corpus.labels.groupby("song_id").mean() > 0).all(axis=1).sum()
        ),
    },
)

# %% [markdown]
# **3.** How far valence and arousal go together over song *means* stands above. Do they go together *within*
# the song that you heard? Compute Pearson's r of its two curves.
#
# <details><summary>Hint</summary>
#
# `labels` has the columns `valence` and `arousal`; `pearson` is imported above.
#
# </details>

# %% tags=["exercise"]
r_within = ...
# solution:
r_within = pearson(labels["valence"], labels["arousal"])

# %%
lesson.check_answer(
    "3",
    r_within,
    np.corrcoef(labels["valence"], labels["arousal"])[0, 1],
    tolerance=1e-6,
    hint="Both columns of `labels`, which holds this song only.",
    mistakes={
        "That is of all development frames.": pearson(dev.labels["valence"], dev.labels["arousal"]),
        "That is the covariance, which has a unit.": labels["valence"].cov(labels["arousal"]),
    },
)

# %% [markdown]
# ## Summary
#
# - Emotion is rated on two scales, **valence** and **arousal**, in [−1, 1], every half second from 15 s on.
# - A label is a **mean of raters**; Cronbach's α says how far their curves move together.
# - **Development and test songs differ**: in how valence goes with arousal, in agreement, in sources.
# - Everything is a **track**: a frame with one row per `(song_id, time)`.
#
# ## References
#
# - Aljanaki, Yang, Soleymani (2017). Developing a benchmark for emotional analysis of music. *PLOS ONE*.
# - Coutinho, Trigeorgis, Zafeiriou, Schuller (2015). Automatically estimating emotion in music with deep
#   long-short term memory recurrent neural networks. *MediaEval*.
# - Coutinho, Weninger, Schuller, Scherer (2014). The Munich LSTM-RNN approach to the MediaEval 2014 "Emotion
#   in Music" task. *MediaEval*.
# - Cronbach (1951). Coefficient alpha and the internal structure of tests. *Psychometrika*.
# - Herremans, Cheuk, Luo, Agres (2019). Untangling indices of emotion in music using neural networks.
# - Li, Xianyu, Tian, Chen, Meng, Xu, Cai (2016). A deep bidirectional long short-term memory based
#   multi-scale approach for music dynamic emotion prediction. *ICASSP*.
# - Pellegrini, Barrière (2015). Time-continuous estimation of emotion in music with recurrent neural
#   networks. *MediaEval*.
# - Russell (1980). A circumplex model of affect. *Journal of Personality and Social Psychology*.

# %%
lesson.check_numbers(
    "00",
    {
        "development songs": (len(dev.songs), 0),
        "test songs": (len(test.songs), 0),
        "r over song means, development": (r_dev, 0.001),
        "r over song means, test": (r_test, 0.001),
        "alpha of arousal, development, median": (
            agreement_table.loc["dev", ("arousal", "median")],
            0.011,
        ),
        "alpha of valence, test, median": (
            agreement_table.loc["test", ("valence", "median")],
            0.011,
        ),
    },
)
