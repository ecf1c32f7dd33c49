# %% [markdown]
# # 04 · A memory with gates: Munich's LSTM
#
# *50 minutes. You need: lesson 03 (hidden state, vanishing gradient, lag curve).*
#
# | part | minutes |
# |---|---|
# | listen, the LSTM, its gates | 20 |
# | how far back, and does it learn the lag? | 10 |
# | training: noise, early stopping, pretraining | 10 |
# | exercises | 10 |
#
# **What you will learn**
#
# 1. what gates are, and the LSTM as six equations and ten lines;
# 2. whether gates give a longer memory than lesson 03's network, trained in the same way;
# 3. whether the LSTM learns the raters' lag;
# 4. how Munich trained: noise, early stopping, pretraining.
#
# The second part, [lesson 04b](04b_lstm_ensembles.ipynb), is about averages of networks and about the comparison with baselines.

# %%
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from IPython.display import Audio, Markdown
from matplotlib import pyplot as plt

from mer_core import models
from mer_core.metrics import DIMENSIONS, pearson, score
from mer_core.models.network import Network
from mer_core.training import Dataset, Job, pad
from workbook import lesson, plots, results, widgets
from workbook.intervals import difference
from workbook.studies.lag import by_delay

plots.use_style()
corpus = lesson.corpus()
dev, test = corpus.split("dev"), corpus.split("test")

# %% [markdown]
# ## Listen and look
#
# Lesson 03's network did not learn that raters react late; a short memory may be one reason. *Long short-term memory* (LSTM)
# was invented for longer memories. We train three networks that differ in their **seed** only (first weights, order of
# songs, validation songs). They are small: Munich's first layer had 200 units. **Guess:** will the LSTM learn the lag?

# %%
data = Dataset(dev.features, dev.labels)
networks = models.LSTM().fit_many([Job(data, seed=seed) for seed in range(3)])
network = networks[0]
predicted = network.predict(test.features)
spread = test.labels.groupby("song_id")["arousal"].std()
song_id = spread.loc[test.songs["audio"].dropna().index].idxmax()
Audio(test.songs.audio[song_id])

# %% tags=["hide-input"]
ax = plots.draw_curves(test.labels.loc[song_id], predicted.loc[song_id])
ax.set_title(f"Song {song_id}, {lesson.kind()}: rated from 15 s on, predicted from the first half second");
# %% [markdown]
# ## The idea: a cell that is not overwritten
#
# Lesson 03's hidden state $h_t = \tanh(W x_t + b + U h_{t-1})$ is computed anew at every step, so the gradient over $k$
# steps is a product of $k$ matrices, and it vanishes. The LSTM (Hochreiter, Schmidhuber 1997; forget gate: Gers et al.
# 2000) adds a **cell** $c_t$, which keeps its value unless something changes it, and three **gates**, numbers between 0
# (closed) and 1 (open):
#
# $$\begin{aligned}
# i_t &= \sigma(W_i x_t + b_i + U_i h_{t-1}) && \text{input gate: how much is written} \\
# f_t &= \sigma(W_f x_t + b_f + U_f h_{t-1}) && \text{forget gate: how much is kept} \\
# g_t &= \tanh(W_g x_t + b_g + U_g h_{t-1}) && \text{the new value} \\
# o_t &= \sigma(W_o x_t + b_o + U_o h_{t-1}) && \text{output gate: how much is read} \\
# c_t &= f_t \, c_{t-1} + i_t \, g_t, \qquad h_t = o_t \tanh(c_t) && \text{cell and hidden state}
# \end{aligned}$$
#
# $\sigma(z) = 1 / (1 + e^{-z})$ lies between 0 and 1; gates multiply unit by unit. As before, $p_t = V h_t + d$ are the
# predictions. Along the cell, $\partial c_t / \partial c_{t-k} = f_t f_{t-1} \cdots f_{t-k+1}$: no matrix and no slope of
# tanh. If the forget gate stays near 1, this gradient does not vanish.
#
# In the code a frame is a row, so `W` and `U` hold the transposed blocks side by side, in torch's order i, f, g, o:


# %%
def lstm(x: torch.Tensor, W: torch.Tensor, U: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The inside of an LSTM layer: i, f, g, o, c, h, each (time, songs, units), of x."""
    h = c = x.new_zeros(x.shape[1], len(U))
    steps = []
    for x_t in x:
        i, f, g, o = (x_t @ W + h @ U + b).chunk(4, dim=-1)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        c = f * c + i * g
        h = o * c.tanh()
        steps.append(torch.stack([i, f, g, o, c, h]))
    return torch.stack(steps, dim=1)


# %% tags=["hide-input"]
class StackedLSTM(torch.nn.Module):
    """Layers of LSTM, one above the other, and a linear output for each step."""

    def __init__(self, inputs: int, hidden: tuple[int, ...], outputs: int = 2) -> None:
        super().__init__()
        sizes = list(pairwise([inputs, *hidden]))
        self.W = torch.nn.ParameterList(self.drawn(a, 4 * b) for a, b in sizes)
        self.U = torch.nn.ParameterList(self.drawn(b, 4 * b) for b in hidden)
        self.b = torch.nn.ParameterList(torch.zeros(4 * b) for b in hidden)
        self.V, self.d = self.drawn(hidden[-1], outputs), torch.nn.Parameter(torch.zeros(outputs))

    def drawn(self, *shape: int) -> torch.nn.Parameter:
        return torch.nn.Parameter(torch.empty(shape).uniform_(-0.1, 0.1))  # as in both papers

    def insides(self, x: torch.Tensor) -> list[torch.Tensor]:
        found = []
        for weights in zip(self.W, self.U, self.b):
            found.append(lstm(x, *weights))
            x = found[-1][-1]
        return found

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.insides(x)[-1][-1] @ self.V + self.d


# %% [markdown]
# `StackedLSTM` (folded above) puts two such layers on top of each other. We copy the trained weights into it and compare
# its predictions with the package's, and one layer with `torch.nn.LSTM`. (A test compares the gradients, too.)

# %% tags=["hide-input"]
def inputs_of(model: models.LSTM | models.ElmanRNN, track: pd.DataFrame) -> torch.Tensor:
    """Inputs of a model: (songs, time, features), standardised, limited to 5 standard deviations."""
    mean, spread = model.standard_[:2]
    return ((pad(track[model.columns_])[0].inputs - mean) / spread).clamp(-model.clip, model.clip)


ours = StackedLSTM(len(network.columns_), network.hidden)
torchs = torch.nn.LSTM(len(network.columns_), network.hidden[0])
with torch.no_grad():
    for name in "WUb":
        for number, weight in enumerate(getattr(ours, name)):
            weight.copy_(network.weights_[f"layers.{number}.{name}"][0].squeeze(0))
    ours.V.copy_(network.weights_["V"][0])
    ours.d.copy_(network.weights_["d"][0, 0])
    torchs.weight_ih_l0.copy_(ours.W[0].T)
    torchs.weight_hh_l0.copy_(ours.U[0].T)
    torchs.bias_ih_l0.copy_(ours.b[0])
    torchs.bias_hh_l0.zero_()

# %%
x = inputs_of(network, test.features.loc[[song_id]]).transpose(0, 1)
mean, spread = network.standard_[2:]
with torch.no_grad():
    again = (ours(x)[:, 0] * spread + mean).numpy()
    from_torch = (torchs(x)[0] - lstm(x, ours.W[0], ours.U[0], ours.b[0])[-1]).abs().max().item()
apart = np.abs(again - predicted.loc[song_id].to_numpy()).max()
print(f"largest difference from mer_core's LSTM: {apart:.0e}, from torch.nn.LSTM: {from_torch:.0e}")

# %% [markdown]
# ## What do the gates do?
#
# The gates of the five units of the upper layer, during our song. **Look first:** which unit's gates follow the music?

# %% tags=["hide-input"]
with torch.no_grad():
    top = ours.insides(x)[-1][:, :, 0].numpy()
time = test.features.loc[song_id].index
fig, axes = plt.subplots(4, 1, figsize=(10, 7.2), sharex=True, height_ratios=[1, 1, 1, 1.6])
extent = (time[0], time[-1] + 0.5, len(top[0, 0]) - 0.5, -0.5)
gates = {"input gate i": top[0], "forget gate f": top[1], "output gate o": top[3]}
for ax, (title, values) in zip(axes, gates.items()):
    picture = ax.imshow(values.T, aspect="auto", extent=extent, vmin=0.2, vmax=0.8, cmap="viridis")
    ax.set(ylabel="unit", title=title, yticks=range(len(values[0])))
    ax.grid(visible=False)
    fig.colorbar(picture, ax=ax, label="open", ticks=[0.2, 0.5, 0.8])
styles = [("black", "-"), ("C0", "--"), ("C1", "-"), ("C2", ":"), ("C3", "-.")]
for unit, (values, (colour, style)) in enumerate(zip(top[4].T, styles)):
    axes[-1].plot(time, values, color=colour, ls=style, lw=1.6, label=f"unit {unit}")
axes[-1].set(xlabel="time (s)", ylabel="cell c", title="values of the cells")
axes[-1].legend(ncols=5, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.3));
# %% tags=["hide-input"]
labelled = dev.features.index.isin(dev.labels.index)
lengths = dev.features.groupby("song_id", sort=False).size()


def at_labels(inside: torch.Tensor) -> np.ndarray:
    """(6, time, songs, units) as (6, labelled frames, units)."""
    frames = [inside[:, :length, song] for song, length in enumerate(lengths)]
    return torch.cat(frames, dim=1).numpy()[:, labelled]


with torch.no_grad():
    lower, upper = map(at_labels, ours.insides(inputs_of(network, dev.features).transpose(0, 1)))
memory, memory_below = (-0.5 / np.log(inside[1]).mean(axis=0) for inside in (upper, lower))
cue = test.features.loc[song_id, "audspec_lengthL1norm_sma_amean"].to_numpy()
r_gate = {name: pd.Series([pearson(cue, curve) for curve in top[k].T]) for name, k in dict(input=0, forget=1, output=3).items()}
follows = {name: (r.abs().idxmax(), r[r.abs().idxmax()]) for name, r in r_gate.items()}
Markdown(
    "The *time constant* of a cell is the time after which its forget gates leave 1/e of its content: "
    f"**{memory.min():.1f} to {memory.max():.1f} s** in the five upper cells, {memory_below.min():.1f} to "
    f"{memory_below.max():.1f} s in the {len(memory_below)} lower ones (development songs). In our song these upper gates follow loudness most: "
    + ", ".join(f"the {name} gate of unit {unit} (r = {r:+.2f})" for name, (unit, r) in follows.items())
    + ". With a positive r a gate opens when the music gets louder."
)

# %% [markdown]
# ## How far back? Two cells, one training
#
# Do gates look further back than lesson 03's cell? A fair comparison changes the cell and nothing else: same layers, same
# training, same three seeds. Lesson 03's own network had other penalties and epochs, so we train Elman cells Munich's way:


# %%
class ElmanCells(models.LSTM):
    """Munich's network and training with Elman cells in place of LSTM cells."""

    cell = "elman"


plain = ElmanCells().fit_many([Job(data, seed=seed) for seed in range(3)])

# %% [markdown]
# How much does the prediction at a song's last frame $T$ change if the input $k$ frames earlier changes? By backpropagation:
# $\lVert \partial (p_{T,1} + p_{T,2}) / \partial x_{T-k} \rVert$. The **reach** is the time that contains 90 % of the sum over all $k$.
# We measure it for the first weights, for the trained network, and (not drawn) for the trained network with $U = 0$: then the only
# way from the past is through the cells.


# %%
def gradients(model: models.LSTM, seed: int, state: str) -> np.ndarray:
    """Share of each lag in the gradient at the last frame, mean over development songs."""
    net = Network(model.cell, len(model.columns_), model.hidden, 2, seeds=[seed])
    if state != "first weights":
        net.load_state_dict(model.weights_)
    if state == "U = 0":
        for layer in net.layers:
            layer.U.data.zero_()
    x = inputs_of(model, dev.features.groupby("song_id").tail(60)).requires_grad_()
    net(x[None])[0, :, -1].sum().backward()
    length = x.grad.norm(dim=2).mean(0).flip(0).numpy()
    return length / length.sum()


# %% tags=["hide-input"]
kinds = {"Elman cells": plain, "LSTM": networks}
states = ["first weights", "trained", "U = 0"]
shares = {
    (name, state): [gradients(model, seed, state) for seed, model in enumerate(trained)]
    for name, trained in kinds.items()
    for state in states
}
reach = pd.DataFrame(
    {key: [0.5 * np.searchsorted(share.cumsum(), 0.9) for share in seeds] for key, seeds in shares.items()}
)
fig, ax = plt.subplots(figsize=(9, 3.6))
for (name, state), seeds in shares.items():
    if state == "U = 0":
        continue
    style = {"color": {"Elman cells": "C4", "LSTM": "C2"}[name], "ls": "-" if state == "trained" else ":"}
    for number, share in enumerate(seeds):
        label = None if number else f"{name}, {state}"
        ax.semilogy(0.5 * np.arange(len(share)), share / share[0], label=label, **style)
ax.set(ylim=(1e-6, 10), xlabel="lag (s)", ylabel="gradient, 1 at the last frame")
ax.set_title("three seeds each, mean over the development songs")
ax.legend(fontsize="small");
# %% tags=["hide-input"]
def listed(key: tuple[str, str]) -> str:
    return ", ".join(f"{value:g}" for value in reach[key])


clear = reach["LSTM", "trained"].min() > reach["Elman cells", "trained"].max()
longer = (reach["LSTM", "trained"] > reach["LSTM", "first weights"]).sum()
kept = (reach["LSTM", "U = 0"] / reach["LSTM", "trained"]).mean()
Markdown(
    f"Reach in s, one number for each seed. **LSTM**: {listed(('LSTM', 'trained'))} (first weights: "
    f"{listed(('LSTM', 'first weights'))}). **Elman cells**: {listed(('Elman cells', 'trained'))} (first weights: "
    f"{listed(('Elman cells', 'first weights'))}). "
    + ("Every LSTM looks further back. " if clear else "The ranges overlap: three seeds do not settle which looks further back. ")
    + f"With $U = 0$ the LSTMs keep {kept:.0%} of their reach ({listed(('LSTM', 'U = 0'))}): most of it comes from the "
    "cells of the two layers, little from the feedback through $U$. A reach is longer than a time constant: 90 % of an exponential decay takes "
    f"{-np.log(0.1):.1f} time constants, and two layers decay one after the other. The first weights lie in [−0.1, 0.1], so all gates start half open, and a "
    f"new cell loses half of its content at every step. Training made the reach longer for {longer} of {len(networks)} LSTMs: gates *let* a network learn a longer memory."
)

# %% [markdown]
# ## Does the LSTM learn the lag?
#
# The lag curve of lesson 03: correlation of delayed loudness with arousal, within test songs. Thin lines: single seeds.

# %%
loudness = test.features["audspec_lengthL1norm_sma_amean"]
by_song = {
    name: [
        by_delay(loudness, model.predict(test.features).loc[test.labels.index, "arousal"])
        for model in trained
    ]
    for name, trained in kinds.items()
}
by_song["raters"] = [by_delay(loudness, test.labels["arousal"])]

# %% tags=["hide-input"]
fig, ax = plt.subplots(figsize=(9, 3.6))
colours = {"Elman cells": "C4", "LSTM": "C2", "raters": "black"}
peaks = {}
for name, colour in colours.items():
    for number, songs in enumerate(by_song[name]):
        line = songs.mean()
        peaks.setdefault(name, []).append(line.idxmax())
        width = 3 if name == "raters" else 1.2
        ax.plot(line, color=colour, lw=width, label=None if number else name)
        ax.plot(line.idxmax(), line.max(), "o", color=colour)
ax.set(xlabel="delay of the loudness (s)", ylabel="r within songs")
ax.set_title(f"{len(songs)} test songs, {lesson.kind()}: the dot is the maximum")
ax.legend(fontsize="small");
# %% tags=["hide-input"]
tilt = {name: sum(songs[4.0] - songs[0.0] for songs in seeds) / len(seeds) for name, seeds in by_song.items()}
against = {name: difference(tilt["LSTM"], tilt[name]) for name in ("raters", "Elman cells")}
span = {name: "{difference:+.2f} [{low:+.2f}, {high:+.2f}]".format_map(row) for name, row in against.items()}
learned = 4 * np.mean(peaks["LSTM"]) / max(np.mean(peaks["raters"]), 0.5)
Markdown(
    "Maxima, one for each seed: "
    + "; ".join(f"{name} {', '.join(f'{p:g}' for p in found)} s" for name, found in peaks.items())
    + f". Delaying the loudness by 4 s changes the raters' r by {tilt['raters'].mean():+.2f}, the LSTM's by {tilt['LSTM'].mean():+.2f}, "
    f"that of Elman cells by {tilt['Elman cells'].mean():+.2f} (means over songs and seeds). LSTM minus raters: {span['raters']}; LSTM minus "
    f"Elman cells: {span['Elman cells']} (95 % intervals over songs, means of three seeds). "
    + (
        "**The LSTM learned at most a small part of the lag.** "
        if learned < 2 and against["raters"]["high"] < 0
        else "The LSTM comes near the raters. "
    )
    + (
        "Whether it learned more than Elman cells is not settled."
        if against["Elman cells"]["low"] <= 0 <= against["Elman cells"]["high"]
        else "Its curve differs from that of Elman cells."
    )
)

# %% [markdown]
# ## The training
#
# | | Munich's papers | `models.LSTM()` | reason |
# |---|---|---|---|
# | standardising | inputs and targets, on the training songs | same | one learning rate for all; a constant has loss 1 |
# | first weights | uniform in [−0.1, 0.1] | same | no gate is saturated |
# | momentum | 0.9 | 0.9 | steps in one direction add up |
# | input noise | variance 0.5 (2014); sd 0.3, in pretraining (2015) | sd 0.6 | the network never sees exactly the same frame twice |
# | early stopping | 20 epochs without a new best | 10 | back to the best weights |
#
# Munich's learning rates, 10⁻⁶ and 5·10⁻⁶, seem very low. They make sense if the cost is half the *sum* of squared errors
# over a song, not the *mean*: the gradient is then as many times larger as there are frames and targets. (CURRENNT, the group's own
# program, works so; the two papers do not name their program.)
#
# ### Early stopping
#
# Each network keeps one development song in ten for validation.

# %% tags=["hide-input"]
history = network.history_
best, last = history["validation"].idxmin(), history.index[-1]
fig, ax = plt.subplots(figsize=(9, 3.2))
ax.plot(history["train"], color="C4", label="training songs (with noise)")
ax.plot(history["validation"], color="C2", label="validation songs")
ax.plot(best, history["validation"].min(), "o", color="C2", ms=9, mfc="none", label="these weights are kept")
ax.axvline(last, color=plots.GREY, ls="--")
ax.axhline(1, color="black", lw=0.8, ls=":")
ax.set(xlabel="epoch", ylabel="mean squared error, in variances", ylim=(0, None))
ax.set_title("seed 0; dashed: training stopped; dotted: error of a constant")
ax.legend(fontsize="small");
# %% tags=["hide-input"]
falling = history["train"][last] < history["train"][best]
Markdown(
    f"The validation loss is lowest in epoch {best} ({history['validation'].min():.2f}); training stopped in epoch {last} "
    f"({history['validation'][last]:.2f}). Meanwhile the training loss went from {history['train'][best]:.2f} to "
    f"{history['train'][last]:.2f}" + (": it overfits." if falling else ".")
)

# %% [markdown]
# ### Experiment: how much noise?
#
# A third of the development songs train, another third validate. **Guess:** is the noise with the smallest *gap* between the two
# curves also the one with the lowest validation loss?

# %%
few = dev.select(dev.songs.index[dev.songs.index % 3 > 0])
judges = few.songs.index[few.songs.index % 3 == 1]
strengths, noisy_data = [0, 0.6, 2], Dataset(few.features, few.labels)
train_songs = few.songs.index.difference(judges)
losses = {}
for noise in strengths:
    fitted = models.LSTM(noise=noise, epochs=20, patience=20).fit_many(
        [Job(noisy_data, train_songs, judges)]
    )
    losses[noise] = fitted[0].history_

# %% tags=["hide-input"]
lowest = pd.Series({noise: curve["validation"].min() for noise, curve in losses.items()})
gap = pd.Series({k: curve["validation"].iloc[-1] - curve["train"].iloc[-1] for k, curve in losses.items()})


def noisy(noise: float) -> plt.Figure:
    fig, ax = plt.subplots(figsize=(9, 3.4))
    ax.plot(losses[noise]["train"], color="C4", label="training songs (with noise)")
    ax.plot(losses[noise]["validation"], color="C2", label="validation songs (without)")
    ax.set(xlabel="epoch", ylabel="mean squared error, in variances", ylim=(0, 1.4))
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_title(f"sd {noise:g}: lowest validation loss {lowest[noise]:.2f}, gap at the end {gap[noise]:.2f}")
    ax.legend(fontsize="small", loc="lower left")
    return fig


widgets.FigureSlider.draw("sd of the noise", strengths, noisy, start=1)

# %% tags=["hide-input"]
Markdown(
    f"The gap is smallest with noise of sd {gap.abs().idxmin():g}, the validation loss with sd {lowest.idxmin():g}. A small gap "
    "is not the aim: it can also mean that the network learns little. One seed and one split: do not choose by this figure."
)

# %% [markdown]
# ### Pretraining
#
# Labels are expensive, songs are not. Munich trained the first layer as a **denoising autoencoder**: its input is noisy features, its
# target the clean ones, so no labels are needed (2014: on development and test songs; 2015: on the sets of the *year before*). Then the layer is
# *kept* as it is or *retrained* with the rest. Our stored networks did the same with training songs only, five seeds. Is the RMSE
# with pretraining lower?

# %%
pretraining = {
    f"{kind} − no pretraining": ((f"LSTM, first layer {kind}", "raw"), ("LSTM", "raw"))
    for kind in ("kept", "retrained")
}
effects = {protocol: lesson.differences(pretraining, protocol=protocol) for protocol in ("CV", "test")}

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 2, figsize=(12, 2.6), sharex=True)
for ax, (protocol, table) in zip(axes, effects.items()):
    plots.draw_differences(table, ax=ax, unit="difference of RMSE")
    ax.set_title(f"SYNTHETIC, {protocol}, {table['songs'].iloc[0]} songs")
    ax.label_outer()
# %% tags=["hide-input"]
def sentence(table: pd.DataFrame) -> str:
    """Which differences exclude 0, as text."""
    words = []
    for name, row in table.iterrows():
        if not row["low"] <= 0 <= row["high"]:
            words.append(f"{name}, {row['group']}: {row['value']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]")
    return "; ".join(words) or "none"


Markdown(
    f"Intervals that exclude 0: in cross-validation **{sentence(effects['CV'])}**; on the test songs {sentence(effects['test'])}. "
    "Positive means that pretraining *raised* the error. So it did not help here, and for valence it may harm."
)

# %% [markdown]
# ### Is the network of this page the stored one?

# %%
live = score(test.labels, predicted).xs("pooled", level="aggregation")["rmse"]
stored = results.table("lstm").loc[("LSTM", "FS1", "raw", "test", 0)].xs("pooled", level=1)["rmse"]
print(f"largest difference of RMSE from the stored one: {(live - stored).abs().max():.5f}")

# %% [markdown]
# ## Exercises
#
# **1.** (Concept) A cell should keep its value for 10 s: after that time, 1/e of it may be left. There are two steps a second. Its forget gate
# depends on its bias only, $f = \sigma(b_f)$. What is $b_f$?
#
# <details><summary>Hint</summary>
#
# After $n$ steps $f^n$ is left. Solve for $f$ first; the inverse of $\sigma$ is the logarithm of $f / (1 - f)$.
#
# </details>

# %% tags=["exercise"]
bias = ...
# solution:
gate = np.exp(-1 / 20)
bias = np.log(gate / (1 - gate))

# %%
lesson.check_answer(
    "1",
    bias,
    -np.log(np.expm1(1 / 20)),
    tolerance=0.01,
    hint="First f, from f to the power of 20 steps = 1/e; then b from f = 1 / (1 + exp(-b)).",
    mistakes={
        "That is the gate, f.": np.exp(-1 / 20),
        "10 s are 20 steps.": -np.log(np.expm1(1 / 10)),
    },
)

# %% [markdown]
# **2.** (Code) Write early stopping: given the validation losses of all epochs, in which epoch does training stop, and from which epoch are
# the weights that are kept? Training stops after `patience` epochs in a row without a new best. Epochs count from 0.
#
# <details><summary>Hint</summary>
#
# One loop over `enumerate(losses)`, one variable: the epoch of the lowest loss so far.
#
# </details>


# %% tags=["exercise"]
def stopped(losses: list[float], patience: int) -> tuple[int, int]:
    """(last epoch, best epoch)"""
    return ...


# solution:
def stopped(losses: list[float], patience: int) -> tuple[int, int]:
    """(last epoch, best epoch)"""
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        if epoch - best >= patience:
            break
    return epoch, best


# %%
best, last = history["validation"].idxmin(), history.index[-1]
trial = [1.0, 0.8, 0.9, 0.7, 0.75, 0.72, 0.71, 0.6]
answers = [stopped(losses, patience) for losses, patience in [(trial, 1), (trial, 3), (trial, 9)]]
expected = [(2, 1), (6, 3), (7, 7)]
if ... not in answers:
    answers.append(stopped(list(history["validation"]), network.patience))
    expected.append((last, best))
lesson.check_answer(
    "2",
    ... if ... in answers else answers,
    expected,
    hint="Remember the epoch of the lowest loss so far; stop when it is `patience` epochs ago.",
    mistakes={
        "The last epoch comes first, then the best.": [(best, last) for last, best in expected],
        "Epochs count from 0.": [(last + 1, best + 1) for last, best in expected],
        "That is the best of all epochs, which nobody knows yet when training stops.": [
            (last, int(np.argmin(losses)))
            for (last, _), losses in zip(expected, [trial] * 3 + [list(history["validation"])])
        ],
    },
)

# %% [markdown]
# **3.** (Open) In which songs should a memory of 20 s help? Describe an experiment that would show that an LSTM *uses* such a memory.
#
# <details><summary>One possible answer</summary>
#
# A memory helps where the present sound does not determine the rating: a quiet passage after a climax, a theme that returns, a long rise.
# The reach shows what *can* have an effect. For what *is used*, exchange the music more than 5 s before a moment for that of another song and
# measure how much the predictions change, and how much their error grows, paired over songs with an interval. Lesson 03's networks without part of their memory
# are the same idea. Compare with Elman cells of the same size and training, with several seeds, and with the delayed linear model, whose memory
# is known.
#
# </details>
#
# ## Summary
#
# - A **cell** keeps its value unless a **gate** lets something in or out: the gradient along it is a product of forget gates.
# - With equal training, compare **cells**, not papers; and show every seed.
# - The LSTM **learned at most a small part of the lag**. A delayed linear model gets it from its delay or its average.
# - **Pretraining** needs no labels. Whether it helps is a question for paired differences.
#
# [Lesson 04b](04b_lstm_ensembles.ipynb): is an LSTM better than a baseline, and is an average better than one network?
#
# ## References
#
# - Coutinho, Trigeorgis, Zafeiriou, Schuller (2015). Automatically estimating emotion in music with deep
#   long-short term memory recurrent neural networks. *MediaEval*.
# - Coutinho, Weninger, Schuller, Scherer (2014). The Munich LSTM-RNN approach to the MediaEval 2014 "Emotion
#   in Music" task. *MediaEval*.
# - Gers, Schmidhuber, Cummins (2000). Learning to forget: continual prediction with LSTM. *Neural
#   Computation*.
# - Hochreiter, Schmidhuber (1997). Long short-term memory. *Neural Computation*.
# - Vincent, Larochelle, Lajoie, Bengio, Manzagol (2010). Stacked denoising autoencoders. *JMLR*.
# - Weninger, Bergmann, Schuller (2015). Introducing CURRENNT: the Munich open-source CUDA recurrent neural
#   network toolkit. *JMLR*.

# %% tags=["hide-input"]
lesson.check_numbers(
    "04",
    {f"seed 0 minus stored, {k}, RMSE": (live[k] - stored[k], 0.02) for k in DIMENSIONS}
    | {"difference from mer_core's LSTM": (apart, 1e-5), "from torch.nn.LSTM": (from_torch, 1e-4)}
    | {"gradient's reach, LSTM, first weights": (reach["LSTM", "first weights"].mean(), 0.5)}
    | {"gap without noise minus gap with most": (gap.iloc[0] - gap.iloc[-1], 0.3)}
    | {"best delay, raters (s)": (peaks["raters"][0], 0)}
    | {
        f"{name}, {row['group']}, {protocol}": (row["value"], 1e-4)
        for protocol, table in effects.items()
        for name, row in table.iterrows()
    },
)
