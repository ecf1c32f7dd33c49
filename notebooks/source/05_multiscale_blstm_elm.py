# %% [markdown]
# # 05 · The future and several scales: BLSTM and ELM
#
# *60 minutes. You need: lessons 02 to 04; what a matrix inverse is.*
#
# | part | minutes |
# |---|---|
# | listen, both directions, does the future help? | 20 |
# | pieces of several lengths | 10 |
# | fusion: the extreme learning machine | 10 |
# | fair comparisons, claims, other lengths in the test | 10 |
# | exercises | 10 |
#
# **What you will learn**
#
# 1. how a bidirectional network reads a song from both ends, in ten lines;
# 2. how to test whether the future helps: equal size, training and seeds;
# 3. what a network can use of a song that is cut into pieces;
# 4. an extreme learning machine, in three lines of algebra;
# 5. what happens if training and test pieces differ in length, the question that the paper left open.

# %%
import numpy as np
import pandas as pd
import torch
from IPython.display import Audio, Markdown
from matplotlib import pyplot as plt
from sklearn.linear_model import Ridge

from mer_core import evaluation, models
from mer_core.metrics import DIMENSIONS, rmse, score_songs
from mer_core.models.network import Network
from mer_core.models.tsinghua import supervector
from mer_core.training import Dataset, Job
from workbook import lesson, papers, plots, results, widgets
from workbook.intervals import difference
from workbook.studies.lag import by_delay

plots.use_style()
corpus = lesson.corpus()
dev, test = corpus.split("dev"), corpus.split("test")

# %% [markdown]
# ## Listen and look
#
# Tsinghua's team argues that emotion in music depends on the context before *and after* a moment. When you hear the start of a drum roll, you do not
# know yet where it leads; a network that has the whole recording does. But a rater has heard only the past, and reacts late. Our simulated
# raters have a delay and inertia and know nothing of the future. **Guess:** does the future help to predict them?

# %%
blstm = models.BLSTM().fit(dev.features, dev.labels)
predicted = blstm.predict(test.features)
spread = test.labels.groupby("song_id")["arousal"].std()
song_id = spread.loc[test.songs["audio"].dropna().index].idxmax()
Audio(test.songs.audio[song_id])

# %% tags=["hide-input"]
ax = plots.draw_curves(test.labels.loc[song_id], predicted.loc[song_id])
r_two = {name: track.loc[test.labels.index].corr().loc["valence", "arousal"] for name, track in
         {"predicted": predicted, "rated": test.labels}.items()}  # fmt: skip
ax.set_title(f"Song {song_id}, {lesson.kind()}, predicted by a BLSTM");
# %% tags=["hide-input"]
Markdown(
    f"Over all test songs the *predicted* valence and arousal have r = {r_two['predicted']:.2f}, the *rated* ones {r_two['rated']:.2f}. "
    + (
        "The network learned from the development songs that the two go together, so its predicted valence follows its arousal."
        if r_two["predicted"] > r_two["rated"] + 0.2
        else "The two correlations are near each other."
    )
)

# %% [markdown]
# ## The idea: read the song from both ends
#
# Take two LSTMs. The first reads the features $x_1, \dots, x_T$ forwards, the second backwards. At every step put their states side by side:
#
# $$\overrightarrow{h}_t = \mathrm{LSTM}(x_t, \overrightarrow{h}_{t-1}) \qquad
# \overleftarrow{h}_t = \mathrm{LSTM}'(x_t, \overleftarrow{h}_{t+1}) \qquad
# h_t = [\overrightarrow{h}_t, \overleftarrow{h}_t]$$
#
# (Schuster, Paliwal 1997; Li et al. 2016, section 2.1.) $h_t$ depends on the whole song. A next layer may read it in the same way: a *deep* bidirectional
# network. There is no new cell: the backward LSTM is an LSTM on the **reversed** song, whose states are reversed again. Songs in a batch are padded at
# their *ends*, so each must be reversed **within its own length**.


# %%
def reverse(x, lengths):
    """Each song of (songs, time, columns) from its last frame to its first; padding stays behind."""
    return torch.stack([torch.cat([song[:n].flip(0), song[n:]]) for song, n in zip(x, lengths)])


def both_ways(x, lengths, ahead, back):
    """States of the past and of the future; ahead and back are functions from x to states."""
    past = ahead(x)
    future = reverse(back(reverse(x, lengths)), lengths)
    return torch.cat([past, future], dim=-1)


# %% [markdown]
# A test compares these lines with the package and with `torch.nn.LSTM(bidirectional=True)`, values and gradients.
#
# ## Does the future help? A controlled experiment
#
# Three kinds of networks, with the same training, epochs, folds and seeds: **forward** (12 LSTM units), **backward** (the same on reversed songs) and **both** (12
# units for each direction). Five folds and two seeds make thirty networks.


# %%
class BothWays(models.LSTM):
    """Munich's training for a layer of which half the units read the songs backwards."""

    def _make_network(self, inputs, seeds):
        return Network(self.cell, inputs, self.hidden, 2, seeds=seeds, bidirectional=True)


def backwards(track: pd.DataFrame) -> pd.DataFrame:
    """Every song reversed, at the times that it had."""
    songs = [song.set_axis(song.index[::-1])[::-1] for _, song in track.groupby("song_id")]
    return pd.concat(songs)


# %%
folds, seeds = evaluation.k_folds(dev.songs.index, k=5), (0, 1)
reversed_labels = backwards(dev.labels.reindex(dev.features.index)).dropna()
data = Dataset(dev.features, dev.labels)
mirror = Dataset(backwards(dev.features), reversed_labels)
one_way = models.LSTM(hidden=(12,), epochs=10, patience=None)
kinds = {"forward": (one_way, data), "backward": (one_way, mirror)}
kinds["both"] = BothWays(hidden=(24,), epochs=10, patience=None), data
fitted = {
    name: model.fit_many([Job(own, fold.train, seed=seed) for seed in seeds for fold in folds])
    for name, (model, own) in kinds.items()
}

# %% tags=["hide-input"]
def predict(name: str, model: models.LSTM, track: pd.DataFrame) -> pd.DataFrame:
    return backwards(model.predict(backwards(track))) if name == "backward" else model.predict(track)


left_out = [dev.select(fold.test).features for fold in folds]
curves = {
    name: [
        pd.concat(
            [predict(name, fitted[name][k + len(folds) * seed], songs) for k, songs in enumerate(left_out)]
        ).sort_index()
        for seed in seeds
    ]
    for name in fitted
}

# %% [markdown]
# ### What does each direction use?
#
# Change the features of one moment of a song and look which predictions change.

# %% tags=["hide-input"]
song = test.features.loc[[song_id]].iloc[:60]
place = 30
changed = song.copy()
changed.iloc[place] += 2 * dev.features.std().to_numpy()
moved = {
    name: (predict(name, fitted[name][0], changed) - predict(name, fitted[name][0], song)).abs().mean(axis=1)
    for name in fitted
}
moved = pd.DataFrame({name: curve.to_numpy() for name, curve in moved.items()}, (np.arange(60) - place) / 2)
fig, ax = plt.subplots(figsize=(9, 3.2))
for name, colour, style in zip(moved, ("C2", "C4", "black"), ("-", "-", "--")):
    ax.semilogy(moved.index, np.maximum(moved[name], 1e-7), style, color=colour, label=name)
ax.axvline(0, color=plots.GREY, ls=":")
ax.set(xlabel="time from the changed frame (s)", ylabel="change of the prediction")
ax.set_title(f"one frame of song {song_id} is changed")
ax.legend()
before, after = moved[moved.index < 0].mean(), moved[moved.index > 0].mean()
share = before / (before + after)

# %% [markdown]
# The forward network changes only after the changed frame, the backward one only before it, the bidirectional one on both sides.
#
# ### Does it help?
#
# Paired over the development songs, each predicted by networks that were not trained on it. One more comparison is needed: two networks
# averaged are better than one anyway (lesson 04b), so *forward and backward averaged* must be compared with *two forward networks averaged*.

# %%
average = {
    "forward + backward": [(curves["forward"][s] + curves["backward"][1 - s]) / 2 for s in seeds],
    "forward + forward": [(curves["forward"][0] + curves["forward"][1]) / 2],
}
errors = {
    name: sum(score_songs(dev.labels, track)["rmse"] for track in tracks) / len(tracks)
    for name, tracks in (curves | average).items()
}
pairs = [("backward", "forward"), ("both", "forward"), ("forward + forward", "forward")]
pairs += [("forward + backward", "forward + forward")]
rows = [
    {"name": f"({a}) − ({b})", "group": d}
    | difference(*(errors[side].xs(d, level="dimension") for side in (a, b)))
    for a, b in pairs
    for d in DIMENSIONS
]
future = pd.DataFrame(rows).set_index("name").rename(columns={"difference": "value"})

# %% tags=["hide-input"]
plots.draw_differences(future, unit=f"difference of RMSE, cross-validation, {lesson.kind()}");
# %% tags=["hide-input"]
loudness = dev.features["audspec_lengthL1norm_sma_amean"]
peak = {"raters": by_delay(loudness, dev.labels["arousal"]).mean().idxmax()}
for name, tracks in curves.items():
    peak[name] = [by_delay(loudness, track.loc[dev.labels.index, "arousal"]).mean().idxmax() for track in tracks]


def read(name: str) -> str:
    return "; ".join(
        f"{row['group']} {row['value']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}]"
        for _, row in future.loc[name].iterrows()
    )


fine_gain = future.loc["(forward + backward) − (forward + forward)"].set_index("group")["detectable"]
helps = (future.loc[["(both) − (forward)", "(forward + backward) − (forward + forward)"], "high"] < 0).any()
Markdown(
    f"RMSE of both directions minus forward: {read('(both) − (forward)')}. Forward and backward averaged, minus two forward "
    f"networks averaged: {read('(forward + backward) − (forward + forward)')}. Two forward networks averaged, minus one: "
    f"{read('(forward + forward) − (forward)')}. "
    + (
        "In one comparison the future helps. "
        if helps
        else "**No gain from the future is visible**, as expected of raters who cannot know it; in the second comparison "
        f"gains of {fine_gain['valence']:.4f} (valence) and {fine_gain['arousal']:.4f} (arousal) would be found in 80 % of such samples. "
    )
    + "The lag, as in lessons 03 and 04: the raters' arousal follows loudness best after "
    f"{peak['raters']:g} s, the predictions (two seeds) after "
    + "; ".join(f"{', '.join(f'{p:g}' for p in peak[name])} s ({name})" for name in fitted)
    + ". All are early. We have not made this comparison on real music; there the future may matter."
)

# %% [markdown]
# ## Pieces of several lengths
#
# Tsinghua **cut** songs into pieces of 10, 20, 30 or 60 frames (5 to 30 s), in training and in prediction. Every piece starts with an empty memory; what lies
# outside a piece cannot be used. The last piece of a song may be shorter. **Guess before you move the slider:** where do the curves of short pieces jump?

# %%
scales = [10, 20, 30, 60]
at_scale = {60: blstm} | {k: models.BLSTM(scale=k).fit(dev.features, dev.labels) for k in scales[:3]}
by_scale = {k: model.predict(test.features) for k, model in at_scale.items()}

# %% tags=["hide-input"]
def cut(scale: int) -> plt.Figure:
    fig, ax = plt.subplots(figsize=(10.5, 3.4))
    curve = by_scale[scale].loc[song_id]
    plots.draw_curves(test.labels.loc[song_id], curve, ax=ax)
    for seam in curve.index[::scale][1:]:
        ax.axvline(seam, color=plots.GREY, lw=0.8)
    ax.set_title(f"pieces of {scale} frames ({scale / 2:g} s), grey lines: the cuts")
    return fig


widgets.FigureSlider.draw("piece (frames)", scales, cut, start=0)

# %% tags=["hide-input"]
jumps = {}
for k, track in by_scale.items():
    step = track.groupby("song_id").cumcount()
    moves = track.groupby("song_id").diff().abs().mean(axis=1)
    at_cut = (step % k == 0) & (step > 0)
    jumps[k] = moves[at_cut].mean() / moves[~at_cut & (step > 0)].mean()
Markdown(
    "At the cuts: the frame after a cut has no past, the frame before it no future. Over all test songs the step over a cut is "
    + ", ".join(f"{ratio:.1f} (length {k})" for k, ratio in sorted(jumps.items()))
    + " times as large as other steps."
)

# %% [markdown]
# ## Sixty networks for each dimension
#
# Tsinghua's system (sections 3.2 and 3.3), one for valence and one for arousal:
#
# 1. five times, 20 songs are set aside for validation, with the genres of the *test* set, no song twice;
# 2. for each of these partitions and each length, **three trials**: $4 \times 5 \times 3 = 60$ networks;
# 3. one network of each length is selected, in two ways: *group 1* by its validation error, *group 2* so that all four come from different partitions;
# 4. an ELM (below) fuses the four outputs of each group, and the two fused curves are averaged: **BLSTM-ELM**. Instead, the plain mean of all selected networks: **BLSTM average**.
#
# The first two of five layers were pretrained "in the way similar to the training of an autoencoder". `models.MultiScaleBLSTM` does all of this. The paper's size, five layers of 250
# units, has not been run here; the stored results below are of the small setting.
#
# For each length the ELM receives the **output**, its **delta** (change since the last frame) and its **smoothed** value: twelve numbers at each frame.

# %% tags=["hide-input"]
outputs = pd.DataFrame({k: by_scale[k]["arousal"] for k in scales})
inside = supervector(outputs).loc[song_id]
fig, axes = plt.subplots(3, 1, figsize=(10, 5.6), sharex=True)
for ax, kind in zip(axes, ("output", "delta", "smoothed")):
    for k, shade in zip(scales, ("#9ecae1", "#4292c6", "#2171b5", "#08306b")):
        ax.plot(inside.index, inside[f"{k} {kind}"], color=shade, label=f"{k} frames")
    ax.set_ylabel(f"{kind}, arousal")
axes[0].legend(ncols=4, fontsize="small", loc="upper right")
axes[0].set_ylim(-1, 1.4)
axes[-1].set_xlabel("time (s)")
axes[0].set_title(f"the twelve inputs of the arousal ELM in song {song_id}")
r_scales = supervector(outputs).corr().loc["10 output", "60 output"]
# %% tags=["hide-input"]
Markdown(
    f"The outputs of lengths 10 and 60 have r = {r_scales:.2f} over all test songs. The more the columns are correlated, the less a fusion can gain, and the "
    "less stable are the weights of a least-squares fit: a reason to try a ridge."
)

# %% [markdown]
# ## ELM: three lines of algebra
#
# An **extreme learning machine** (Huang, Zhu, Siew 2006) has one hidden layer that is *never trained*. Its weights are random; only the output weights $\beta$ are
# fitted, which is a linear problem:
#
# $$H = \tanh(X W + b) \qquad \beta = H^{+}\, T \qquad \hat{T} = H \beta$$
#
# A row of $X$ is one frame's inputs, a row of $T$ its targets. $H^{+}$ is the Moore-Penrose inverse; if the columns of $H$ are linearly independent,
# $H^{+} = (H^\top H)^{-1} H^\top$. A ridge uses $(H^\top H + \lambda I)^{-1} H^\top$.


# %%
def extreme_learning_machine(X, T, W, b):
    """Output weights for a hidden layer with the weights W and the biases b."""
    H = np.tanh(X @ W + b)
    beta = np.linalg.pinv(H) @ T
    return lambda new: np.tanh(new @ W + b) @ beta


# %% [markdown]
# ### Experiment: how many hidden units?
#
# 60 points of a sine with noise. **Guess:** which number of units is best?

# %% tags=["hide-input"]
x_line = np.linspace(-3, 3, 60)[:, None]
noisy = np.sin(2 * x_line) + np.random.default_rng(0).normal(0, 0.3, x_line.shape)
fine = np.linspace(-3, 3, 400)[:, None]


def toy(units: int) -> plt.Figure:
    draw = np.random.default_rng(1)
    W, b = draw.normal(size=(1, units)) * 2, draw.normal(size=units) * 2
    machine = extreme_learning_machine(x_line, noisy, W, b)
    error = rmse(np.sin(2 * fine).ravel(), machine(fine).ravel())
    fig, ax = plt.subplots(figsize=(9, 3.2))
    ax.plot(x_line, noisy, ".", color=plots.GREY, label="60 noisy points")
    ax.plot(fine, np.sin(2 * fine), color="black", lw=1, ls=":", label="truth")
    ax.plot(fine, machine(fine), color="C2", label="ELM")
    ax.set(ylim=(-2, 2), xlabel="x", ylabel="y", title=f"{units} hidden units: RMSE to the truth {error:.2f}")
    ax.legend(loc="lower center", ncols=3, fontsize="small")
    return fig


widgets.FigureSlider.draw("hidden units", [1, 2, 5, 10, 20, 40, 60], toy, start=3)

# %% [markdown]
# Too few units cannot follow the curve, too many follow the noise. The paper does not say how many hidden units it uses. The stored fusions of all sizes, on the test songs, five seeds:

# %% tags=["hide-input"]
sizes = results.table("multiscale_units").xs("pooled", level="aggregation")["rmse"]
sizes = sizes.xs("test", level="protocol").unstack("seed")
fig, axes = plt.subplots(1, 2, figsize=(11, 3.4))
for ax, dimension in zip(axes, DIMENSIONS):
    for ridge, style in {0: "-", 10: ":"}.items():
        lines = sizes.xs((ridge, dimension), level=["ridge", "dimension"])
        ax.semilogx(lines.index, lines, style, color=plots.PALETTE[dimension], lw=0.8)
        name = f"ridge {ridge}" if ridge else "pseudo-inverse"
        ax.semilogx(lines.index, lines.mean(axis=1), style, color=plots.PALETTE[dimension], lw=2.5, label=name)
    ax.set(xlabel="hidden units", ylabel="RMSE, pooled", title=f"{dimension}: single seeds and their mean")
    ax.set_xticks(lines.index, lines.index)
    ax.minorticks_off()
    ax.legend(fontsize="small")
# %% tags=["hide-input"]
lowest = {d: sizes.xs((0, d), level=["ridge", "dimension"]).idxmin() for d in DIMENSIONS}
small = models.MultiScaleBLSTM()
Markdown(
    "The number of units with the lowest error depends on the seed: "
    + " and ".join(f"{min(best)} to {max(best)} ({d})" for d, best in lowest.items())
    + f". So no number is *the* best. The results below use {small.elm.units} units and no ridge."
)

# %% [markdown]
# ## Fair comparisons
#
# On the synthetic test songs and, in cross-validation, on real music: RMSE of **BLSTM average** and **BLSTM-ELM** minus that of their opponents, smoothed, paired over songs.

# %%
opponents = ["constant", "linear", "delayed linear", "Elman", "LSTM"]
pairs = {f"{a} − {b}": ((a, "smoothed"), (b, "smoothed")) for a in ("BLSTM average",) for b in opponents}
pairs["BLSTM-ELM − BLSTM average"] = ("BLSTM-ELM", "smoothed"), ("BLSTM average", "smoothed")
pairs["BLSTM 60 − BLSTM 10"] = ("BLSTM 60", "smoothed"), ("BLSTM 10", "smoothed")
found = {
    "SYNTHETIC, test songs": lesson.differences(pairs, protocol="test"),
    "REAL: VGMIDI, cross-validation": lesson.differences(pairs, data="vgmidi"),
    "REAL: DEAM, cross-validation": lesson.differences(pairs, data="deam"),
}

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 3, figsize=(14, 5), sharex=True)
for ax, (title, table) in zip(axes, found.items()):
    plots.draw_differences(table, ax=ax, unit="difference of RMSE")
    ax.set_title(f"{title}, {table['songs'].iloc[0]} songs", fontsize="small")
    ax.label_outer()
    if "REAL" in title:
        ax.set_facecolor("#F3F7EE")
# %% tags=["hide-input"]
delayed_rows = pd.concat({title: table.loc["BLSTM average − delayed linear"] for title, table in found.items()})
worse, better = (delayed_rows["low"] > 0).sum(), (delayed_rows["high"] < 0).sum()
synthetic = found["SYNTHETIC, test songs"]
band = synthetic.groupby("group")["detectable"].median()
Markdown(
    f"Against the delayed linear model the average is better in {better} and worse in {worse} of {len(delayed_rows)} comparisons (intervals that exclude 0, not corrected for "
    f"their number). Sixteen test songs detect differences of about {band['valence']:.3f} (valence) and {band['arousal']:.3f} (arousal), and most "
    "differences between these networks are smaller. The paper calls its system the best of the 2015 task; it compared scores without intervals."
)

# %% [markdown]
# ### The paper's claims
#
# Compared song by song, with Holm's correction; the numbers are in [lesson 11](11_scoreboard.ipynb).

# %% tags=["hide-input"]
Markdown(papers.verdict_list(papers.stored_verdicts().query("paper == 'tsinghua_2016'")))

# %% [markdown]
# ## The open question: train at one length, test at another
#
# The paper plans to study test pieces of another length than in training. The weights do not depend on the length, so any network can read pieces of any length, or whole songs.
# Group 1's networks of all seeds, RMSE pooled over the test songs (SYNTHETIC):

# %% tags=["hide-input"]
stored_lengths = results.table("multiscale_lengths").xs("pooled", level="aggregation")
lengths = stored_lengths["rmse"]
matrix = lengths.groupby(["dimension", "trained", "tested"]).mean().unstack("tested")
matrix = matrix[[*map(str, scales), "whole"]]
fig, axes = plt.subplots(1, 2, figsize=(11, 3.8))
for ax, dimension in zip(axes, DIMENSIONS):
    own = matrix.loc[dimension]
    ax.imshow(own, cmap={"valence": "Oranges", "arousal": "Blues"}[dimension], aspect="auto")
    for i, j in np.ndindex(own.shape):
        middle = own.to_numpy().min() * 0.4 + own.to_numpy().max() * 0.6
        colour = "white" if own.iloc[i, j] > middle else "black"
        ax.text(j, i, f"{own.iloc[i, j]:.3f}", ha="center", va="center", color=colour)
    ax.set_xticks(range(own.shape[1]), own.columns)
    ax.set_yticks(range(len(own)), own.index)
    ax.grid(False)
    ax.set(xlabel="tested at (frames)", ylabel="trained at (frames)", title=f"{dimension}, RMSE")
# %% tags=["hide-input"]
by_seed = lengths.unstack("tested").xs(60, level="trained")
change = (by_seed["10"] - by_seed["60"]).groupby("dimension")
whole = (by_seed["whole"] - by_seed["60"]).groupby("dimension")
r_seed = stored_lengths["pearson"].unstack("tested").xs(60, level="trained")
r_change = (r_seed["10"] - r_seed["60"]).groupby("dimension").mean()


def ranges(groups) -> str:
    return " and ".join(f"{groups.min()[d]:+.3f} to {groups.max()[d]:+.3f} ({d})" for d in DIMENSIONS)


Markdown(
    f"Networks trained at 60 frames and tested at 10: the RMSE changes by {ranges(change)}, over five seeds; r changes by "
    + " and ".join(f"{r_change[d]:+.3f} ({d})" for d in DIMENSIONS)
    + f". Tested on whole songs: {ranges(whole)}. An RMSE is also lower if wrong predictions are nearer to "
    "the mean, so look at r, too. Along a row the networks are the same; down a column they differ."
)

# %% [markdown]
# ### Is the network of this page the stored one?

# %%
live = pd.Series({d: rmse(test.labels[d], predicted.loc[test.labels.index, d]) for d in DIMENSIONS})
stored = results.table("blstm").loc[("BLSTM, one network", "FS1", "raw", "test", 0)]
stored = stored.xs("pooled", level="aggregation")["rmse"]
print(f"largest difference of RMSE from the stored one: {(live - stored).abs().max():.5f}")

# %% [markdown]
# ## Exercises
#
# **1.** (Concept) An ELM has 12 inputs, 50 hidden units and one output, as in the equations above. How many of its numbers are *fitted to data*?
#
# <details><summary>Hint</summary>
#
# Which of $W$, $b$ and $\beta$ are random?
#
# </details>

# %% tags=["exercise"]
fitted_numbers = ...
# solution:
fitted_numbers = 50

# %%
lesson.check_answer(
    "1",
    fitted_numbers,
    50,
    hint="Only the output weights are fitted: one for each hidden unit.",
    mistakes={
        "W and b are random, not fitted.": 12 * 50 + 50 + 50,
        "W is random, not fitted.": 12 * 50,
        "b is random, not fitted.": 50 + 50,
        "There is no output bias in the equations.": 51,
    },
)

# %% [markdown]
# **2.** (Code) Give the ELM a ridge: output weights $(H^\top H + \lambda I)^{-1} H^\top T$.
#
# <details><summary>Hint</summary>
#
# `np.linalg.solve(A, B)` gives $A^{-1} B$; what is $A$ here, what is $B$?
#
# </details>


# %% tags=["exercise"]
def ridge_weights(H, T, penalty):
    return ...


# solution:
def ridge_weights(H, T, penalty):
    return np.linalg.solve(H.T @ H + penalty * np.eye(H.shape[1]), H.T @ T)


# %%
H_example = np.tanh(np.random.default_rng(0).normal(size=(40, 8)))
T_example = np.random.default_rng(1).normal(size=(40, 2))
reference = Ridge(alpha=0.7, fit_intercept=False).fit(H_example, T_example).coef_.T
lesson.check_answer(
    "2",
    ridge_weights(H_example, T_example, 0.7),
    reference,
    tolerance=1e-6,
    hint="np.linalg.solve(A, B) is A⁻¹B; np.eye(n) is I.",
    mistakes={
        "That is the ELM without a ridge.": np.linalg.pinv(H_example) @ T_example,
        "λ belongs on the diagonal, not on every entry.": np.linalg.solve(
            H_example.T @ H_example + 0.7, H_example.T @ T_example
        ),
        "That is the square of the penalty.": Ridge(alpha=0.49, fit_intercept=False)
        .fit(H_example, T_example)
        .coef_.T,
    },
)

# %% [markdown]
# **3.** (Open) "Bidirectional networks of any length beat the LSTM for valence: the future helps." Name three differences between the paper's BLSTM and the LSTM that it
# compares with, besides the direction. What would you compare instead?
#
# <details><summary>One possible answer</summary>
#
# They differ in size (five layers of 250 units against three layers), in the number of networks that are averaged and how they were chosen, in pretraining data, in the number of outputs
# (one network for each dimension), and in pieces against whole songs; they come from two teams, with one score each. Instead: forward, backward and both with equal units, training, folds
# and seeds; two forward networks averaged against forward and backward averaged; differences paired over songs with intervals, on songs that no choice has used.
#
# </details>
#
# ## Summary
#
# - A **bidirectional** network is two LSTMs, one on the reversed song; each state depends on past and future.
# - To show that the **future** helps, compare with *equal* size, training and seeds, and an average with an average.
# - Cut songs: a network can use nothing outside its **piece**, and its curves jump at the cuts.
# - An **ELM** has a random hidden layer and fits the output weights only; too many units fit noise.
# - Delay and average (lesson 02) are still the baseline that **no network here** beats.
#
# ## References
#
# - Huang, Zhu, Siew (2006). Extreme learning machine: theory and applications. *Neurocomputing*.
# - Li, Xianyu, Tian, Chen, Meng, Xu, Cai (2016). A deep bidirectional long short-term memory based
#   multi-scale approach for music dynamic emotion prediction. *ICASSP*.
# - Schuster, Paliwal (1997). Bidirectional recurrent neural networks. *IEEE Transactions on Signal Processing*.

# %% tags=["hide-input"]
lesson.check_numbers(
    "05",
    {f"one network, live, {d}, RMSE": (live[d], 0.01) for d in DIMENSIONS}
    | {
        f"{name}, test, {row['group']}": (row["value"], 1e-4) for name, row in synthetic.iterrows()
    }
    | {
        f"trained at 60, tested at {k}, {d}, RMSE": (matrix.loc[(d, 60), k], 1e-4)
        for k in ("10", "60", "whole")
        for d in DIMENSIONS
    }
    | {f"{name}, CV, {row['group']}": (row["value"], 0.01) for name, row in future.iterrows()}
    | {"change before the changed frame, both": (share["both"], 0.1)},
)
