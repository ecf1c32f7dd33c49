# %% [markdown]
# # 00 · Start here: what is emotion in music, as data?
#
# *55 minutes. You need: a little Python. You do not need: signal processing, neural networks.*
#
# **What you will learn**
#
# 1. what *valence* and *arousal* are, and how people rate them while a song plays (10 minutes);
# 2. that ratings follow the music with a delay, the raters' *lag* (10 minutes);
# 3. how far raters agree, and what Cronbach's α can and cannot measure (15 minutes);
# 4. how development and test songs differ, and the data format of all lessons (5 minutes);
# 5. three exercises (15 minutes).

# %%
import numpy as np
from IPython.display import Audio, Markdown
from matplotlib import pyplot as plt
from scipy.signal import detrend

from mer_core.agreement import cronbach_alpha
from mer_core.metrics import DIMENSIONS
from workbook import lesson, plots, results, widgets
from workbook.studies.lag import by_delay
from workbook.valence import label_correlations

plots.use_style()
corpus = lesson.corpus()

# %% [markdown]
# ## Listen and look
#
# Below is one song. It is **synthetic**, like all songs of the embedded corpus: composed by rule and
# rated by simulated listeners (see *Which data?* below). While you listen, ask yourself two questions:
# *how pleasant is the emotion?* (valence) and *how much energy does it have?* (arousal).
# Draw your arousal on paper, from left to right, before you scroll on.

# %%
with_audio = corpus.songs.dropna(subset="audio").index
song_id = corpus.labels["arousal"].groupby("song_id").std()[with_audio].idxmax()
song = corpus.songs.loc[song_id]
print(f"Song {song_id}: {song.title}, {song.artist} ({song.genre}), {song.duration:.0f} s")
Audio(song.audio)

# %% [markdown]
# **Perceived or felt?** A sad song may give you pleasure. The emotion that music *expresses* is the
# **perceived** emotion; the emotion that it causes in you is the **felt** emotion (Gabrielsson 2002). They
# often differ. This course predicts perceived emotion. Ratings can mix the two: “how pleasant is
# this?” is easily answered with “how much do I like it?”. When you collect ratings, say which one you mean.
#
# A *rater* listens and moves a slider, once for valence and once for arousal. A **label** is the mean of
# the raters, every half second. This design comes from *Emotion in Music*, a yearly benchmark at MediaEval
# from 2013 to 2015. Its data set of real songs and real raters is called **DEAM**. Labels start at
# 15 s, because raters need time to settle.

# %%
labels = corpus.labels.loc[song_id]
plots.draw_curves(labels).set_title(f"Song {song_id}: rated valence and arousal");
# %% [markdown]
# The curves show how the emotion changes over time. A single label for the whole song would hide that.
#
# ## The idea: a point that moves on a plane
#
# Russell's circumplex (1980) arranges emotions on a plane: valence from unpleasant to pleasant, arousal
# from calm to excited. Each quarter, or *quadrant*, has its own kind of emotion. A song is a path on this plane.
# *Music emotion recognition*, in this workbook, means: **predict the path from the audio alone.**
# Both scales run from −1 to 1.

# %% tags=["hide-input"]
ax = plots.draw_plane(
    labels, hue=labels.index.to_series(), palette="viridis", edgecolor="none", s=30
)
ax.plot(labels["valence"], labels["arousal"], color=plots.GREY, lw=0.8, zorder=0)
ax.legend(title="time (s)", fontsize="small", bbox_to_anchor=(1.02, 1))
ax.set_title(f"Song {song_id} on the plane");
# %% [markdown]
# The same labels as above, with time shown as colour. The plane has limits: it puts *angry* and *afraid* at
# nearly the same place, and it has no place for *nostalgic*.
#
# ## The data, as tables
#
# A corpus consists of four tables. `labels` and `features` are *tracks*: one row for each
# `(song_id, time)`. `time` is in seconds from the start of the song. A label was given **at** that
# time; features describe the second that **starts** there.

# %%
corpus.labels.loc[[song_id]].head(2)

# %%
corpus.features.loc[[song_id]].iloc[:2, :3]

# %% [markdown]
# `ratings` has one row for each `(song_id, rater, time)`, and `songs` one row for each song.

# %%
corpus.ratings.loc[[song_id]].head(2)

# %%
corpus.songs.loc[[song_id], ["title", "genre", *DIMENSIONS, "split"]]

# %% [markdown]
# `songs` has its own valence and arousal: raters also gave **one** rating for the whole song. It is
# not the mean of the curves. Lessons 06 to 08 predict it.
#
# ## The raters' lag
#
# A listener hears a change, decides, and moves the slider. Ratings are therefore late. *Loudness* is a
# feature that often rises and falls with arousal. **Guess:** by how many seconds must
# loudness be delayed to fit the arousal curve best? The measure of fit is *Pearson's r*: 1 if two curves rise and
# fall together, −1 if one rises when the other falls, 0 without a linear relation (lesson 02 has the formula).

# %%
loudness = corpus.features["audspec_lengthL1norm_sma_amean"]
arousal = corpus.labels["arousal"]
r_at = by_delay(loudness.loc[[song_id]], arousal.loc[[song_id]]).loc[song_id]

# %% tags=["hide-input"]
curve = loudness.loc[song_id]
scaled = (curve - curve.mean()) / curve.std() * labels["arousal"].std() + labels["arousal"].mean()


def delayed(seconds: float) -> plt.Figure:
    fig, ax = plt.subplots(figsize=(10, 3.2))
    ax.plot(labels["arousal"], color=plots.PALETTE["arousal"], lw=2, label="arousal, rated")
    ax.plot(scaled.index + seconds, scaled, color=plots.GREY, lw=1, label="loudness, delayed")
    ax.set(ylim=(-1.2, 1.2), xlim=(0, labels.index.max()), xlabel="time (s)")
    ax.set(ylabel="arousal, -1 to 1", title=f"delay {seconds:g} s: r = {r_at[seconds]:.3f}")
    ax.legend(fontsize="small", loc="lower center")
    return fig


widgets.FigureSlider.draw("delay of loudness (s)", [*r_at.index[::2]], delayed)

# %% tags=["hide-input"]
lag = results.table("lag")["value"].unstack("statistic").xs("arousal", level="dimension")
real = ", ".join(
    f"{lag.loc[(data, 'loudness'), 'best delay']:g} s ({name}, {songs} songs)"
    for data, name, songs in [("deam", "DEAM", 36), ("vgmidi", "VGMIDI", 160)]
)
Markdown(
    f"**Answer:** the fit is best at **{r_at.idxmax():g} s** (r = {r_at.max():.2f}, against {r_at[0]:.2f} "
    f"without delay). The simulated raters were built with a lag of 1 to 4 s and a slow hand. Real raters are late "
    f"as well; over real songs the best delay of loudness is {real}. Lesson 01 shows these curves with intervals, and "
    "lesson 02 builds the lag into a linear model. From lesson 03 on, the question is whether networks learn it."
)

# %% [markdown]
# ## The raters
#
# The label is a mean. The thin lines are the individual raters.

# %% tags=["hide-input"]
ratings = corpus.ratings.loc[song_id]
fig, axes = plt.subplots(1, 2, figsize=(11, 3.2), sharey=True)
for ax, dimension in zip(axes, DIMENSIONS):
    each = ratings[dimension].dropna().unstack("rater")
    ax.plot(each, color=plots.GREY, lw=0.8, alpha=0.7)
    ax.plot(each.mean(axis=1), color=plots.PALETTE[dimension], lw=2.5)
    ax.set(title=f"{dimension}: {each.shape[1]} raters and their mean", xlabel="time (s)")
axes[0].set(ylabel="rating, -1 to 1", ylim=(-1, 1));
# %% [markdown]
# Raters differ in level and range, but many of their curves rise and fall together. **Cronbach's α** (1951)
# measures this. With $k$ raters, the variance $\sigma_i^2$ of rater $i$ over time, and
# the variance $\sigma_\Sigma^2$ of the sum of all raters,
#
# $$\alpha = \frac{k}{k-1}\left(1 - \frac{\sum_{i=1}^{k}\sigma_i^2}{\sigma_\Sigma^2}\right)$$
#
# If all raters move together, the sum varies much more than its parts, and α is near 1.

# %%
curves = ratings["arousal"].dropna().unstack("rater").dropna()
k = curves.shape[1]
alpha = k / (k - 1) * (1 - curves.var().sum() / curves.sum(axis=1).var())
print(f"by hand: {alpha:.3f}, mer_core: {cronbach_alpha(curves):.3f}")

# %% [markdown]
# **Guess:** ten people do not listen at all. Each moves the slider slowly up and down at random, which is a
# *random walk*. What is α: about 0, clearly positive, or clearly negative? The code draws 1000 such groups, and
# for comparison 1000 groups whose ratings jump at random in every frame (*white noise*).

# %%
noise = np.random.default_rng(0).normal(size=(1000, 60, 10))
alphas = {
    "white noise": np.array([cronbach_alpha(group) for group in noise]),
    "random walks": np.array([cronbach_alpha(group) for group in noise.cumsum(axis=1)]),
}

# %% tags=["hide-input"]
fig, ax = plt.subplots(figsize=(9, 2.8))
for (name, values), colour in zip(alphas.items(), ("black", plots.PALETTE["arousal"])):
    ax.hist(values.clip(-4), np.linspace(-4, 1, 51), color=colour, alpha=0.5, label=name)
ax.set(xlabel="alpha of ten raters who do not listen (below -4 shown at -4)", ylabel="groups")
ax.legend();
# %% tags=["hide-input"]
low, middle, high = np.percentile(alphas["random walks"], [5, 50, 95])
Markdown(
    f"**Answer:** it can be almost anything. For random walks the median α is {middle:.1f}, and 90 % of the groups lie "
    f"between {low:.1f} and {high:.2f}. For white noise α lies near 0. Slow curves often drift in "
    "the same or in opposite directions by chance. α is **negative** when raters move against each other, so that "
    "the sum varies less than its parts. One α of a short, slow song is therefore weak evidence of agreement."
)

# %% [markdown]
# ### Simulated and real raters
#
# MediaEval 2015 chose its development songs *by* α (at least 0.6) and did not select the test songs.
# The embedded corpus repeats this. The test songs were moreover drawn so that their statistics, α
# included, resemble DEAM's. VGMIDI is real: 160 piano pieces with about 30 raters each. The
# figure shows the median α of 10 raters with intervals of 95 % over songs, synthetic and real in separate panels.

# %% tags=["hide-input"]
stored = results.table("raters").xs("alpha of 10 raters", level="statistic")
panels = {"SYNTHETIC": ["mini", "mini, test"], "REAL: VGMIDI": ["vgmidi", "vgmidi, 30 s"]}
names = {"mini": "development", "mini, test": "test", "vgmidi": "whole pieces", "vgmidi, 30 s": "30 s"}
fig, axes = plt.subplots(1, 2, figsize=(11, 2.6), sharex=True)
for ax, (title, parts) in zip(axes, panels.items()):
    rows = stored.loc[parts].reset_index()
    rows.index = [f"{names[d]}, {k}" for d, k in zip(rows["data"], rows["dimension"])]
    plots.draw_differences(rows.assign(group=rows["dimension"]), ax=ax, unit="Cronbach's alpha, 10 raters")
    ax.set(title=title, xlim=(-0.1, 1))
axes[0].get_legend().remove()
# %% [markdown]
# The real raters agree much less about the course of a piece than the simulated ones, whose songs were
# partly selected for agreement. This is a warning: models look better on the embedded corpus than on real music.
#
# ## Experiment: how many raters are enough?
#
# Two groups of $n$ raters rate the same song. **Guess:** if you double the number of raters, by what
# factor does the distance between the two group means fall? Move the slider. For each $n$,
# 200 random pairs of groups without common raters were drawn; the band holds 90 % of the group means.

# %% tags=["hide-input"]
rng = np.random.default_rng(0)
groups = {}
for n in range(1, curves.shape[1] // 2 + 1):
    drawn = [rng.permutation(curves.shape[1])[: 2 * n] for _ in range(200)]
    groups[n] = np.array([curves.to_numpy()[:, p].T.reshape(2, n, -1).mean(axis=1) for p in drawn])
distance = {n: np.abs(pairs[:, 0] - pairs[:, 1]).mean() for n, pairs in groups.items()}


def two_groups(n: int) -> plt.Figure:
    fig, (left, right) = plt.subplots(1, 2, figsize=(11, 3.2), width_ratios=[3, 2])
    band = np.percentile(groups[n].reshape(-1, len(curves)), [5, 95], axis=0)
    left.fill_between(curves.index, *band, color=plots.PALETTE["arousal"], alpha=0.3)
    left.plot(curves.mean(axis=1), color=plots.GREY, lw=2)
    left.set(ylim=(-1, 1), xlabel="time (s)", ylabel="arousal, -1 to 1")
    left.set_title(f"{'1 rater' if n == 1 else f'means of {n} raters'}: 90 % of the groups")
    right.plot([*distance], [*distance.values()], "o-", color=plots.PALETTE["arousal"], label="measured")
    right.plot(n, distance[n], "o", ms=12, mfc="none", color=plots.PALETTE["arousal"])
    right.plot([*distance], [distance[1] / m**0.5 for m in distance], "--", color=plots.GREY, label="1/√n")
    right.set(xlabel="raters in each group", ylabel="mean distance", ylim=(0, None))
    right.legend(fontsize="small")
    return fig


widgets.FigureSlider.draw("raters in each group", [*groups], two_groups)

# %% [markdown]
# **Answer:** by about √2, not by 2: the error of a mean falls as $1/\sqrt{n}$. To halve the error of a
# label, four times as many raters are needed. This holds for raters who err independently, as the simulated
# ones do; errors that all raters share, such as the lag, remain in the mean of any number of raters.
#
# ## Development and test songs
#
# Models are built on *development* songs and evaluated on *test* songs, which they have never been
# trained on. Each point below is the mean label of one song. **Look:** how do the two sets differ?

# %%
correlations = {side: label_correlations(corpus.split(side).labels) for side in ("dev", "test")}

# %% tags=["hide-input"]
means = corpus.labels.groupby("song_id").mean()
rows = {side: table.loc["over song means"] for side, table in correlations.items()}
fig, axes = plt.subplots(1, 2, figsize=(11, 5.2))
for ax, (side, row) in zip(axes, rows.items()):
    points = means[corpus.songs["split"].loc[means.index] == side]
    plots.draw_plane(points, ax=ax, color="black", s=25)
    span = f"[{row['low']:.2f}, {row['high']:.2f}]"
    ax.set_title(f"{len(points)} {side} songs: r(valence, arousal) = {row['value']:.2f} {span}")
# %% tags=["hide-input"]
dev, test = rows["dev"], rows["test"]
Markdown(
    f"Over the means of the development songs r is {dev['value']:.2f}, with a 95 % interval from {dev['low']:.2f} to "
    f"{dev['high']:.2f} (another draw of songs would give another r). Over the test songs it is {test['value']:.2f}, from "
    f"{test['low']:.2f} to {test['high']:.2f}: with so few songs r is not known well. "
    + (
        "But the two intervals do not overlap. In the development songs pleasant music tends to be energetic; "
        "a model may learn “loud and fast, therefore pleasant” and be wrong about the test songs. "
        if test["high"] < dev["low"]
        else "The two intervals overlap. "
    )
    + "Lesson 09 returns to this picture."
)

# %% [markdown]
# ## Which data?
#
# | | DEAM (real) | the embedded corpus (synthetic) |
# |---|---|---|
# | songs | 1802, from FMA, MedleyDB, Jamendo | 112, composed by rule, played on sampled instruments |
# | raters | people | simulated: lag, drift, personal level and range |
# | good for | results | learning, and testing code |
# | licence | research only; you download it | part of the workbook |
#
# The embedded corpus lets every lesson run anywhere in seconds. **No number in these notebooks is a
# finding about real music** unless the text says so. With a copy of DEAM on your disk, set `MER_DATA` to its
# folder: the same notebooks then run on real music.
#
# ## The map of the course
#
# | lesson | question | paper |
# |---|---|---|
# | 00 | what is emotion in music, as data? | |
# | [01](01_features.ipynb) | what can be measured in a sound? Features | Munich 2014, IRIT 2015 |
# | [02](02_baselines_metrics_smoothing.ipynb) | what is a good prediction? Baselines, metrics, smoothing, lag | IRIT 2015 |
# | [03](03_elman_rnn.ipynb) | does memory help? The Elman network | IRIT 2015 |
# | [04](04_lstm.ipynb) | a memory with gates: the LSTM | Munich 2014, 2015 |
# | [04b](04b_lstm_ensembles.ipynb) | one network or an average of many? | Munich 2014, 2015 |
# | [05](05_multiscale_blstm_elm.ipynb) | the future and several scales: BLSTM and ELM | Tsinghua 2016 |
# | [06](06_triplet_network.ipynb) | one emotion for a whole song: triplets | Herremans 2019 |
# | [07](07_vae_lstm.ipynb) | can features be learned from sound alone? VAE, AE, CNN with LSTM | Herremans 2019 |
# | [08](08_tsne.ipynb) | maps of learned spaces: t-SNE, and its limits | Herremans 2019 |
# | [09](09_why_valence_fails.ipynb) | why does valence fail on the test set? | all |
# | [10](10_explore_by_emotion.ipynb) | how do you find music by its emotion? | Herremans 2019 |
# | [11](11_scoreboard.ipynb) | the scoreboard: what the papers claim, what we measured | all |
#
# *Munich*, *IRIT* (Toulouse) and *Tsinghua* (Beijing) are short names for three teams of the benchmark:
# Coutinho et al. 2014 and 2015, Pellegrini and Barrière 2015, Li et al. 2016. The fifth paper is Herremans et al. 2019.
#
# ## Exercises
#
# Replace `...` by your answer and run the cell, then the folded cell below it, which checks the answer.
#
# **1. (concept)** One rater uses the upper part of the scale only: add 0.3 to all of this rater's ratings. Does α
# `"rise"`, `"fall"` or `"stay"`?
#
# <details><summary>Hint</summary>
#
# What does the formula do with a constant that is added to a curve?
#
# </details>

# %% tags=["exercise"]
effect = ...
# solution:
effect = "stay"

# %%
lesson.check_answer(
    "1",
    effect,
    "stay",
    hint="The formula contains variances only.",
    mistakes={
        "A constant makes no two curves more alike.": "rise",
        "Agreement about the level is not what alpha measures.": "fall",
    },
)

# %% [markdown]
# **2. (code)** How much of α comes from one slow rise or fall? Take `rising`, the arousal ratings of the development song
# with the steepest curve. Subtract from each rater's curve its own straight line. What is α of the rest?
#
# <details><summary>Hint</summary>
#
# `detrend(table, axis=0)`, imported above, subtracts from each column its best straight line.
#
# </details>

# %%
dev_curves = corpus.split("dev").labels["arousal"].groupby("song_id")
steepest = dev_curves.agg(lambda c: abs(np.polyfit(range(len(c)), c, 1)[0])).idxmax()
rising = corpus.ratings.loc[steepest, "arousal"].dropna().unstack("rater").dropna()
print(f"song {steepest}: alpha = {cronbach_alpha(rising):.2f}")

# %% tags=["exercise"]
alpha_rest = ...
# solution:
alpha_rest = cronbach_alpha(detrend(rising, axis=0))

# %%
common = detrend(rising.mean(axis=1))
lesson.check_answer(
    "2",
    alpha_rest,
    cronbach_alpha(detrend(rising, axis=0)),
    tolerance=1e-6,
    hint="One straight line for each rater, over time: axis 0.",
    mistakes={
        "That is alpha with the lines.": cronbach_alpha(rising),
        "That subtracts the mean's line from all raters: each rater has a line.": cronbach_alpha(
            rising.sub(rising.mean(axis=1) - common, axis=0)
        ),
    },
)

# %% [markdown]
# **3. (open)** You want to know whether a streaming service's “sad” playlist makes people sad. Which emotion do you
# ask for, what do you ask exactly, and how do you check that people listened?
#
# <details><summary>A model answer</summary>
#
# The question is about *felt* emotion, so ask about the listener (“how do you feel now?”), before and after, and ask
# separately for liking. Use a control playlist, because mood changes anyway. Continuous ratings take attention: a second, hidden
# copy of one excerpt shows whether a person repeats their ratings, and a curve that never moves shows that they do not rate. α
# alone does not show that people listened, since slow curves can agree by chance. Plan the number of raters by the error that you can
# accept: half the error needs four times the raters.
#
# </details>
#
# ## Summary
#
# - Emotion is rated on two scales, **valence** and **arousal**, in [−1, 1], every half second from 15 s on. We predict
#   *perceived* emotion.
# - A label is a **mean of raters** and follows the music with a **lag** of some seconds.
# - **Cronbach's α** measures whether curves move together, not whether they have the same level. For one slow song it is unreliable.
# - With $n$ raters, the error of a label falls as $1/\sqrt{n}$.
# - **Development and test songs differ** in how valence goes with arousal. Sixteen songs give wide intervals.
#
# ## References
#
# - Aljanaki, Yang, Soleymani (2017). Developing a benchmark for emotional analysis of music. *PLOS ONE*.
# - Coutinho, Trigeorgis, Zafeiriou, Schuller (2015). Automatically estimating emotion in music with deep
#   long-short term memory recurrent neural networks. *MediaEval*.
# - Coutinho, Weninger, Schuller, Scherer (2014). The Munich LSTM-RNN approach to the MediaEval 2014 "Emotion
#   in Music" task. *MediaEval*.
# - Cronbach (1951). Coefficient alpha and the internal structure of tests. *Psychometrika*.
# - Ferreira, Whitehead (2019). Learning to generate music with sentiment. *ISMIR* (VGMIDI).
# - Gabrielsson (2002). Emotion perceived and emotion felt: same or different? *Musicae Scientiae*.
# - Herremans, Cheuk, Luo, Agres (2019). Untangling indices of emotion in music using neural networks.
# - Li, Xianyu, Tian, Chen, Meng, Xu, Cai (2016). A deep bidirectional long short-term memory based
#   multi-scale approach for music dynamic emotion prediction. *ICASSP*.
# - Pellegrini, Barrière (2015). Time-continuous estimation of emotion in music with recurrent neural
#   networks. *MediaEval*.
# - Russell (1980). A circumplex model of affect. *Journal of Personality and Social Psychology*.
# - Schubert (2004). Modeling perceived emotion with continuous musical features. *Music Perception*.

# %%
lesson.check_numbers(
    "00",
    {
        "development songs": (dev["songs"], 0),
        "test songs": (test["songs"], 0),
        "r over song means, development": (dev["value"], 0.001),
        "r over song means, test": (test["value"], 0.001),
        "best delay of loudness, s": (r_at.idxmax(), 0.01),
        "alpha of arousal, by hand": (alpha, 0.001),
        "alpha of random walks, median": (middle, 0.01),
        "two groups of 1 rater, distance": (distance[1], 0.002),
    },
)
