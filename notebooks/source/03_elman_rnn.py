# %% [markdown]
# # 03 · Does memory help? The Elman network
#
# *60 minutes. You need: lesson 02 (the delayed linear model); what a derivative is.*
#
# | part | minutes |
# |---|---|
# | listen, the network, its training | 20 |
# | gradients: vanishing and exploding | 10 |
# | does the network learn the raters' lag? | 10 |
# | fair comparisons, softmax, second network, claims | 10 |
# | exercises | 10 |
#
# **What you will learn**
#
# 1. what a recurrent network is, as one equation and a short class;
# 2. why gradients vanish or explode, and how far back a trained network looks;
# 3. whether the network learns that raters react late;
# 4. why a softmax output cannot predict valence *and* arousal;
# 5. how to compare a network with a fair baseline, song by song.

# %%
import copy

import numpy as np
import pandas as pd
import torch
from IPython.display import Audio, Markdown
from matplotlib import pyplot as plt

from mer_core import evaluation, models
from mer_core.metrics import DIMENSIONS, rmse, score
from mer_core.smoothing import moving_average
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
# Raters react late. [Lesson 02](02_baselines_metrics_smoothing.ipynb) gave a linear model *delayed and averaged*
# features. A **recurrent network** receives only the present half second, but it keeps a few numbers
# from one half second to the next. It can learn what to keep. Here are two models *without* any delay: a linear
# model and an Elman network. We train ten networks for ten-fold cross-validation (*CV*): each leaves out another
# tenth of the development songs. The first of them is the one that we look at.
#
# **Guess before you run the cell:** which of the two curves moves more from one half second to the next?

# %%
linear = models.Linear().fit(dev.features, dev.labels)
data, folds = Dataset(dev.features, dev.labels), evaluation.k_folds(dev.songs.index)
in_folds = models.ElmanRNN().fit_many([Job(data, fold.train, fold.test) for fold in folds])
elman = in_folds[0]
on_test = {"linear": linear.predict(test.features), "Elman": elman.predict(test.features)}
spread = test.labels.groupby("song_id")["arousal"].std()
song_id = spread.loc[test.songs["audio"].dropna().index].idxmax()
Audio(test.songs.audio[song_id])

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 2, figsize=(11.5, 3.6), sharey=True)
for ax, (name, predicted) in zip(axes, on_test.items()):
    plots.draw_curves(test.labels.loc[song_id], predicted.loc[song_id], ax=ax)
    jumps = predicted.loc[song_id].diff().abs().median().mean()
    ax.set_title(f"{name}: median change per half second {jumps:.3f}")
    ax.get_legend().remove()
fig.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize="small");
# %% [markdown]
# The songs of the embedded corpus are synthetic. The prediction starts at the first half second, the labels
# at 15 s. Memory need not be what makes the network's curve smoother: its inputs are also limited to ±5 standard deviations.
#
# ## The idea: a state that is passed on
#
# At step $t$ (half a second) the network receives the features $x_t$ and its own **hidden state** $h_{t-1}$ of the
# step before, a list of numbers in $[-1, 1]$ (IRIT: 10 of them):
#
# $$h_t = \tanh(W x_t + b + U h_{t-1}) \qquad p_t = V h_t + d \qquad h_0 = 0$$
#
# $W$ is the effect of the music on the state, $U$ the effect of the old state on the new one (the **feedback**). $V$
# turns the state into valence and arousal; $b$ and $d$ are biases. With $U = 0$ there is no memory. (Elman 1990;
# Pellegrini, Barrière 2015, section 2, but with a linear output: see below.)


# %%
class Elman(torch.nn.Module):
    """h_t = tanh(W x_t + b + U h_(t-1)), p_t = V h_t + d; x has the shape (time, ..., features).

    A frame is a row here, so W, U and V are transposed and multiplied from the right.
    """

    def __init__(self, weights):
        super().__init__()
        for name, (values,) in weights.items():  # of one model
            name = name.removeprefix("layers.0.")
            values = values[0] if name in ("b", "d") else values
            self.register_parameter(name, torch.nn.Parameter(values.clone()))

    def states(self, x):
        h, states = x.new_zeros(*x.shape[1:-1], len(self.U)), []
        for x_t in x:
            h = torch.tanh(x_t @ self.W + self.b + h @ self.U)
            states.append(h)
        return torch.stack(states)

    def forward(self, x):
        return self.states(x) @ self.V + self.d


# %% [markdown]
# The package's `ElmanRNN` computes the same for many networks at once. A test compares the class above with it and
# with `torch.nn.RNN`, values and gradients. We copy the trained weights into our class and predict the song again.


# %%
def inputs_of(model: models.ElmanRNN, features: pd.DataFrame) -> torch.Tensor:
    """Features standardised by the model's training songs and limited to plus and minus 5."""
    mean, deviation = model.standard_[:2]
    x = torch.tensor(features.to_numpy(), dtype=mean.dtype)
    return ((x - mean) / deviation).clamp(-model.clip, model.clip)


# %%
network = Elman(elman.weights_)
with torch.no_grad():
    by_hand = network(inputs_of(elman, test.features.loc[song_id])).numpy()
gap = np.abs(by_hand - on_test["Elman"].loc[song_id]).max().max()
weights = sum(part.numel() for part in network.parameters())
print(f"{weights} weights; largest difference between the two: {gap:.0e}")

# %% [markdown]
# ## Unrolled in time

# %% tags=["hide-input"]
fig, ax = plt.subplots(figsize=(10, 3.2))
steps = ["t-2", "t-1", "t", "t+1"]
arrow = {"arrowstyle": "-|>", "color": plots.GREY, "lw": 1.5}
rows = {"x": (0, "#EEEEEE"), "h": (1.5, "#CFE3F1"), "p": (3, "#F6D9C4")}
for column, step in enumerate(steps):
    for name, (y, colour) in rows.items():
        box = {"boxstyle": "round,pad=0.45", "fc": colour, "ec": plots.GREY}
        ax.text(2 * column, y, f"${name}_{{{step}}}$", ha="center", va="center", bbox=box, size=13)
    for y, label in ((0, "W"), (1.5, "V")):
        ax.annotate("", (2 * column, y + 1.15), (2 * column, y + 0.35), arrowprops=arrow)
        ax.text(2 * column + 0.12, y + 0.75, f"${label}$", va="center")
for column in range(-1, len(steps)):
    ax.annotate("", (2 * column + 1.55, 1.5), (2 * column + 0.45, 1.5), arrowprops=arrow)
    ax.text(2 * column + 1, 1.7, "$U$", ha="center")
ax.text(-2.1, 1.5, "past", ha="center", va="center")
ax.text(8.1, 1.5, "future", ha="center", va="center")
ax.set(xlim=(-2.5, 8.5), ylim=(-0.6, 3.6), title="the same W, U and V at every step")
ax.axis("off");
# %% [markdown]
# Unrolled, a recurrent network is a very deep network with the *same* weights in every layer. Training follows the
# arrows backwards: **backpropagation through time** (Werbos 1990).
#
# ## Training, as IRIT did it
#
# One **song** at a time, in a new order in each **epoch** (one pass over all training songs). The cost is the mean
# squared error of the predictions $p_t$ against the labels $y_t$ over the $n$ labelled frames, plus a penalty for large
# weights: $\lambda_1$ times the sum of absolute weights (L1) and $\lambda_2$ times the sum of squares (L2). Each step
# keeps a share $\mu$ of the step before (**momentum**); $\eta$ is the learning rate:
#
# $$v \leftarrow \mu v - \eta\,\nabla\Bigl(\frac{1}{2n}\sum_t \lVert p_t - y_t\rVert^2 +
# \lambda_1 \sum |w| + \lambda_2 \sum w^2\Bigr) \qquad w \leftarrow w + v$$


# %%
def update(network, x, y, labelled, velocity, model):
    """One song; changes the network and the velocity, a dictionary. The model holds the settings."""
    cost = ((network(x)[labelled] - y) ** 2).mean()
    for name in ("W", "U", "V"):
        weight = getattr(network, name)
        cost = cost + model.l1 * weight.abs().sum() + model.l2 * (weight**2).sum()
    names, weights = zip(*network.named_parameters())
    with torch.no_grad():
        for name, weight, slope in zip(names, weights, torch.autograd.grad(cost, weights)):
            kept = model.momentum * velocity.get(name, 0.0)
            velocity[name] = kept - model.learning_rate * slope
            weight += velocity[name]


# %% [markdown]
# IRIT chose their settings by ten-fold cross-validation and trained for a **fixed 50 epochs**, which they call early
# stopping. (In later lessons *early stopping* means: stop when the error on validation songs no longer falls.) The
# figure shows the mean error of our ten networks.

# %% tags=["hide-input"]
cross_validated = [
    model.predict(dev.select(fold.test).features) for model, fold in zip(in_folds, folds)
]
cross_validated = pd.concat(cross_validated).sort_index()
curve = sum(model.history_ for model in in_folds) / len(folds)
fig, ax = plt.subplots(figsize=(9, 3.2))
ax.plot(curve.index + 1, curve["train"], color=plots.GREY, label="training songs")
ax.plot(curve.index + 1, curve["validation"], color="C2", label="songs that were left out")
ax.set(xlabel="epoch", ylabel="mean squared error", title="Elman network, mean of ten folds")
ax.legend();
# %% tags=["hide-input"]
theirs, end = models.ElmanRNN.paper(), curve.iloc[-1]
Markdown(
    f"At epoch {elman.epochs} the error is {end['train']:.3f} on training songs and {end['validation']:.3f} on left-out "
    "songs: the network fits the songs that it was trained on better. "
    + (
        "But the error on left-out songs hardly rises, so a fixed number of epochs does no harm. "
        if end["validation"] < 1.1 * curve["validation"].min()
        else "The error on left-out songs rises again: the network overfits. "
    )
    + f"Our settings are chosen for a smaller corpus: η = {elman.learning_rate:g} (paper {theirs.learning_rate:g}), "
    f"λ₁ = {elman.l1:g} ({theirs.l1:g}), λ₂ = {elman.l2:g} ({theirs.l2:g}). The paper gives no momentum."
)

# %% [markdown]
# ## How far back? Vanishing and exploding gradients
#
# How much does the input $k$ steps ago, $x_{t-k}$, affect the present state $h_t$? By the chain rule, with
# $D_t = \mathrm{diag}(1 - h_t^2)$, the slope of tanh:
#
# $$\frac{\partial h_t}{\partial x_{t-k}} = D_t\,U\,D_{t-1}\,U \cdots D_{t-k}\,W$$
#
# Each step adds one factor $U$ and one slope of at most 1. If these factors shrink vectors, the product goes to 0:
# this **vanishing gradient** means that the network can neither use nor learn distant events (Bengio et al. 1994). If they
# stretch vectors, it grows without limit: the gradient **explodes**, and training diverges. The usual remedy is *clipping*:
# a gradient that is too long is shortened (Pascanu et al. 2013). We measure the product on 24 development songs.

# %% tags=["hide-input"]
lags = np.arange(25)
songs = [dev.features.loc[song] for song in dev.songs.index[:24]]
shortest = min(map(len, songs))
inputs = torch.stack([inputs_of(elman, song.iloc[:shortest]) for song in songs], dim=1)


# %%
def gradient_norms(network: Elman) -> np.ndarray:
    """Norm of d h_t / d x_(t-k) for each lag k, averaged over t and songs."""
    U, W = network.U.detach().T, network.W.detach().T
    with torch.no_grad():
        slopes = 1 - network.states(inputs) ** 2
    last = torch.arange(30, shortest, 3)
    product, norms = torch.diag_embed(slopes[last]), []
    for lag in lags:
        norms.append((product @ W).norm(dim=(-2, -1)).mean().item())
        product = product @ U * slopes[last - lag - 1].unsqueeze(-2)
    return np.array(norms)


def with_recurrence(scale: float) -> Elman:
    scaled = copy.deepcopy(network)
    scaled.U.data *= scale
    return scaled


# %% [markdown]
# ### Experiment: more or less feedback
#
# The slider multiplies the trained $U$; nothing is trained again. Left: the measured norm (black; grey: with the
# other factors), and the norm without the slopes $D$, that is for a *linear* network (dashed). Right: one hidden unit during a song.
#
# **Guess first:** does the memory always grow with the feedback?

# %% tags=["hide-input"]
scales = [0, 0.5, 1, 1.5, 2, 3, 6, 10]
norms = {scale: gradient_norms(with_recurrence(scale)) for scale in scales}
U, W = network.U.detach().T, network.W.detach().T
powers = [torch.linalg.matrix_power(U, int(k)) @ W for k in lags]
no_slopes = np.array([power.norm().item() for power in powers])
with torch.no_grad():
    plain, cut = network.states(inputs), with_recurrence(0).states(inputs)
unit = int((plain - cut).abs().mean(dim=(0, 1)).argmax())


def feedback(scale: float) -> plt.Figure:
    fig, (left, right) = plt.subplots(1, 2, figsize=(11, 3.6))
    for other in scales:
        shown = {"color": "black", "lw": 2.5} if other == scale else {"color": plots.GREY, "lw": 0.7}
        left.semilogy(lags / 2, np.maximum(norms[other], 1e-12), **shown)
    left.semilogy(lags / 2, np.maximum(no_slopes * float(scale) ** lags, 1e-12), "--", color="C1")
    left.set(xlabel="lag (s)", ylabel="norm of d h(t) / d x(t-k)", ylim=(1e-8, 1e4))
    left.set_title(f"{scale:g} U (dashed: without tanh)")
    with torch.no_grad():
        state = with_recurrence(scale).states(inputs[:, :1])[:, 0, unit]
    right.plot(np.arange(len(state)) / 2, state, color="black")
    right.set(xlabel="time (s)", ylabel=f"unit {unit}, -1 to 1", ylim=(-1.05, 1.05))
    right.set_title(f"one hidden unit in song {dev.songs.index[0]}")
    return fig


widgets.FigureSlider.draw("feedback (times U)", scales, feedback, start=2)

# %% tags=["hide-input"]
rate = (norms[1][5] / norms[1][1]) ** (1 / 4)
half_life = np.log(0.5) / np.log(rate) / 2
radius = np.abs(np.linalg.eigvals(network.U.detach().numpy())).max()
longest = max(scales, key=lambda scale: norms[scale][10])
Markdown(
    f"With the trained $U$ each step multiplies the gradient by about **{rate:.2f}**: half of it is gone after "
    f"{half_life:.1f} s. At a lag of 5 s the gradient is largest for {longest:g} $U$; with {scales[-1]:g} $U$ it is "
    f"{'smaller again' if norms[scales[-1]][10] < norms[longest][10] else 'larger still'}, because the units stay near "
    "−1 or 1, where the slope of tanh is near 0 (**saturation**). Without tanh the gradient explodes as soon as the "
    f"factor times the largest eigenvalue of $U$ ({radius:.2f}) exceeds 1."
)

# %% [markdown]
# ## Does it use its past? Networks without part of their memory
#
# Gradients are one measure. A direct one: compute each prediction from the last $m$ steps only, with the state set
# to 0 before them, for the ten networks of the cross-validation.


# %%
def forgetful(model: models.ElmanRNN, features: pd.DataFrame, memory: int) -> pd.DataFrame:
    """Predictions at each step from the last `memory` steps and the present one, and no others."""
    network, parts = Elman(model.weights_), []
    for _, song in features.groupby("song_id"):
        x = torch.nn.functional.pad(inputs_of(model, song), (0, 0, memory, 0))
        with torch.no_grad():
            parts.append(network(x.unfold(0, memory + 1, 1).permute(2, 0, 1))[-1].numpy())
    return pd.DataFrame(np.concatenate(parts), features.index, DIMENSIONS)


# %% tags=["hide-input"]
def error_with(memory: int) -> dict[str, float]:
    left_out = [dev.select(fold.test).features for fold in folds]
    parts = [forgetful(model, songs, memory) for model, songs in zip(in_folds, left_out)]
    predicted = pd.concat(parts).loc[dev.labels.index]
    return {name: rmse(dev.labels[name], predicted[name]) for name in DIMENSIONS}


memories = [0, 1, 2, 3, 4, 6, 8, 12, 20]
forgetting = pd.DataFrame({memory: error_with(memory) for memory in memories}).T
fig, ax = plt.subplots()
for dimension, colour in plots.PALETTE.items():
    ax.plot(forgetting.index / 2, forgetting[dimension], "o-", color=colour, label=dimension)
ax.set(xlabel="length of the memory (s)", ylabel="RMSE, pooled, cross-validated")
ax.set_title("Elman networks with a limited memory")
ax.legend();
# %% tags=["hide-input"]
worth = forgetting.loc[0] - forgetting.iloc[-1]
missing = (forgetting - forgetting.iloc[-1]) / worth
enough = {name: missing.index[(missing[name] < 0.05)[::-1].cummin()[::-1]][0] / 2 for name in DIMENSIONS}
Markdown(
    "Without any memory the RMSE is "
    + " and ".join(f"{worth[name]:.3f} higher ({name})" for name in DIMENSIONS)
    + ". The networks reach 95 % of this gain or more with "
    + " and ".join(f"**{enough[name]:g} s** ({name})" for name in DIMENSIONS)
    + " of past. They were *trained* with a memory, so this is not the gain over a model without one: that comes below."
)

# %% [markdown]
# ## Does the network learn the lag?
#
# Delay the loudness by 0 to 8 s and correlate it with arousal, within each song. The delay with the highest correlation
# is the **lag** of a curve. A model that learned the raters' lag should have its maximum where the raters have it. We
# add lesson 02's delayed linear model. **Guess first:** at which delay is the maximum of the Elman network?

# %%
delayed = models.DelayedLinear().fit(dev.features, dev.labels)
curves = {"raters": test.labels} | on_test | {"delayed linear": delayed.predict(test.features)}
loudness = test.features["audspec_lengthL1norm_sma_amean"]
by_song = {
    name: by_delay(loudness, track.loc[test.labels.index, "arousal"]) for name, track in curves.items()
}
lag = pd.DataFrame({name: songs.mean() for name, songs in by_song.items()})

# %% tags=["hide-input"]
real = results.table("lag").xs(("loudness", "arousal"), level=["cue", "dimension"])["value"]
fig, (left, right) = plt.subplots(1, 2, figsize=(11.5, 3.8))
for name, colour in zip(lag, ("black", plots.GREY, "C4", "C2")):
    left.plot(lag[name], color=colour, lw=2.5 if name == "raters" else 1.5, label=name)
    left.plot(lag[name].idxmax(), lag[name].max(), "o", color=colour)
left.set(title=f"{len(by_song['raters'])} test songs, {lesson.kind()}", ylabel="r within songs")
for name, label in {"vgmidi": "VGMIDI, 160 pieces", "deam": "DEAM, 36 excerpts"}.items():
    line = [real[name, f"r at {delay:g} s"] for delay in lag.index]
    right.plot(lag.index, line, label=f"raters: {label}")
    right.plot(lag.index[np.argmax(line)], max(line), "o", color=right.lines[-1].get_color())
right.set_title("REAL music, raters only")
for ax in (left, right):
    ax.set_xlabel("delay of the loudness (s)")
    ax.legend(fontsize="small");
# %% tags=["hide-input"]
peak = lag.idxmax()
stored_lag = results.table("lag").xs(("loudness", "arousal", "best delay"), level=[1, 2, 3])
real_lags = ", ".join(
    f"{row['value']:g} s [{row['low']:g}, {row['high']:g}] ({label})"
    for label, row in zip(("DEAM", "VGMIDI"), stored_lag.loc[["deam", "vgmidi"]].to_dict("records"))
)
tilt = {name: songs[4.0] - songs[0.0] for name, songs in by_song.items()}
apart = "{difference:+.2f} [{low:+.2f}, {high:+.2f}]".format_map(difference(tilt["Elman"], tilt["raters"]))
Markdown(
    f"On the test songs the raters' arousal follows loudness best after **{peak['raters']:g} s**, the Elman network's "
    f"after **{peak['Elman']:g} s**, the delayed linear model's after {peak['delayed linear']:g} s. "
    + (
        "**The Elman network did not learn the lag**, although its equation allows it. "
        if peak["Elman"] < peak["raters"] / 2
        else "The Elman network learned at least half of the lag. "
    )
    + f"Delaying the loudness by 4 s changes the raters' r by {tilt['raters'].mean():+.2f} and the network's by "
    f"{tilt['Elman'].mean():+.2f}; the difference is {apart} (95 % interval over {len(tilt['raters'])} songs). Real raters are late as well: {real_lags}, with 95 % intervals over songs."
)

# %% [markdown]
# ## Fair comparisons: song by song
#
# A difference of 0.002 between two means may be chance. Both models predict every song, so we compare them **song by
# song**: the mean difference of their RMSE and its 95 % interval. Opponents are smoothed like the network. They are
# the constant, IRIT's linear model without a penalty, a linear model with a tuned penalty, the delayed linear model,
# and SVR (its settings and its training on every sixth frame: lesson 02). A circle left of 0 means that the Elman network is better; it is
# filled if the interval excludes 0.

# %%
opponents = ["constant", "linear, no penalty", "linear, tuned", "delayed linear", "SVR"]
pairs = {f"Elman − {name}": (("Elman", "smoothed"), (name, "smoothed")) for name in opponents}
real_pairs = {
    name.replace(", tuned", ""): (side, (other[0].replace(", tuned", ""), other[1]))
    for name, (side, other) in pairs.items()
}
found = {
    "SYNTHETIC, cross-validation": lesson.differences(pairs),
    "SYNTHETIC, test songs": lesson.differences(pairs, protocol="test"),
    "REAL: VGMIDI, cross-validation": lesson.differences(real_pairs, data="vgmidi"),
    "REAL: DEAM, cross-validation": lesson.differences(real_pairs, data="deam"),
}

# %% tags=["hide-input"]
plots.draw_panels(found, height=7.2);
# %% tags=["hide-input"]
against = {title: table.loc["Elman − delayed linear"].set_index("group") for title, table in found.items()}


def read(row: pd.Series) -> str:
    return f"{row['value']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}], detectable {row['detectable']:.3f}"


worse = sum(int((table["low"] > 0).sum()) for table in against.values())
better = sum(int((table["high"] < 0).sum()) for table in against.values())
Markdown(
    "**Elman minus delayed linear**, RMSE:\n\n"
    + "\n".join(
        f"- {title}: " + "; ".join(f"{name} {read(row)}" for name, row in table.iterrows())
        for title, table in against.items()
    )
    + f"\n\nOf these {2 * len(against)} comparisons the Elman network is better in {better} and worse in {worse} (the interval "
    "excludes 0; not corrected for their number). *Detectable* is the smallest difference that so many songs show in "
    "80 % of all samples. A smaller true difference often stays undecided."
)

# %% [markdown]
# IRIT compared their network with a linear model *without* penalty and *without* smoothing, and concluded that "the
# sequence modeling capabilities of the RNN are useful".

# %% tags=["hide-input"]
least_squares = {title: table.loc["Elman − linear, no penalty"] for title, table in found.items()}
gains = [f"{row['group']} ({title})" for title, table in least_squares.items() for _, row in table.iterrows() if row["high"] < 0]
Markdown(
    "If both are smoothed, the interval of *Elman − linear, no penalty* excludes 0 in the network's favour for "
    f"{', '.join(gains) or 'none of the eight comparisons'} only. A delay and an average are a memory, too, and a linear model with "
    "them is hard to beat."
)

# %% [markdown]
# ## Softmax or linear output?
#
# The paper says that the outputs $z = V h_t + d$ pass through a **softmax**, $p_i = e^{z_i} / \sum_j e^{z_j}$. That is for
# probabilities of classes: positive numbers whose sum is 1. **Guess first:** what is the correlation of predicted
# valence and arousal then?

# %%
tied = models.ElmanRNN(output="softmax", epochs=10).fit(dev.features, dev.labels)
planes = {"softmax output": tied.predict(test.features), "linear output": on_test["Elman"]}

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 2, figsize=(11, 5.2))
for ax, (name, points) in zip(axes, planes.items()):
    points = points.loc[test.labels.index]
    plots.draw_plane(test.labels, ax=ax, color="#CCCCCC", s=8, edgecolor="none", label="rated")
    plots.draw_plane(points, ax=ax, color="black", s=8, edgecolor="none", label="predicted")
    r = points.corr().loc["valence", "arousal"]
    ax.set_title(f"{name}: r of predicted valence and arousal {r:.2f}")
    ax.legend(loc="lower right", bbox_to_anchor=(1, 0.07), fontsize="small")
# %% [markdown]
# With two outputs one is always 1 minus the other: all predictions lie on a line, and their correlation is −1 whatever
# the music. The team's later published code has a linear output, and so has ours. Exercise 1 shows that the paper's own
# figures exclude a softmax.
#
# ## Smoothing
#
# The moving average of lesson 02 on the cross-validated predictions. IRIT found a window of 13 frames best.

# %% tags=["hide-input"]
windows = [1, 5, 9, 13, 17, 25, 33, 41]
by_window = {
    window: score(dev.labels, moving_average(cross_validated, window)).xs("pooled", level=1)["rmse"]
    for window in windows
}
by_window = pd.DataFrame(by_window).T
fig, ax = plt.subplots(figsize=(9, 3.2))
for dimension, colour in plots.PALETTE.items():
    ax.plot(windows, by_window[dimension], "o-", color=colour, label=dimension)
ax.axvline(13, color=plots.GREY, ls=":")
ax.text(13.4, by_window.max().max(), "IRIT", color=plots.GREY, va="top")
ax.set(xlabel="window (frames of 0.5 s)", ylabel="RMSE, pooled", title="Elman network, CV")
ax.legend();
# %% tags=["hide-input"]
best_window, fall = by_window.idxmin(), by_window.loc[1] - by_window.loc[13]
lost = by_window.loc[13] - by_window.min()
Markdown(
    f"13 frames lower the RMSE by {fall['valence']:.3f} (valence) and {fall['arousal']:.3f} (arousal). The best windows "
    f"here are {best_window['valence']} and {best_window['arousal']} frames, "
    f"at most {lost.max():.3f} better still. A network with a memory could average by itself; "
    "a plain average afterwards still helps it."
)

# %% [markdown]
# ## The second network
#
# IRIT fed the smoothed predictions into **another** Elman network. They do not say on which predictions it was trained.
# *In-sample*: the first network predicts its own training songs. These predictions are better than any that the second
# network will get later. *Out-of-fold*: each training song is predicted by a network that was not trained on it
# (`models.SecondNetwork`). Our folds give both errors:

# %%
own = elman.predict(dev.features.loc[folds[0].train])
for name, track in {"in-sample": own, "out-of-fold": cross_validated.loc[folds[0].train]}.items():
    errors = score(dev.labels.loc[folds[0].train], moving_average(track)).xs("pooled", level=1)["rmse"]
    print(f"{name}: RMSE of the training songs {errors['valence']:.3f} valence, {errors['arousal']:.3f} arousal")

# %% tags=["hide-input"]
second, in_sample = ("Elman, second network", "raw"), ("Elman, second network in-sample", "raw")
pairs_2 = {
    "second network − smoothed Elman": (second, ("Elman", "smoothed")),
    "out-of-fold − in-sample": (second, in_sample),
}
seconds = lesson.differences(pairs_2)
plots.draw_differences(seconds, unit="difference of RMSE, cross-validation, SYNTHETIC")
plt.locator_params(axis="x", nbins=6)
# %% tags=["hide-input"]
def side(row: pd.Series) -> str:
    verdict = "undecided" if row["low"] <= 0 <= row["high"] else "higher" if row["value"] > 0 else "lower"
    return f"{row['group']} {row['value']:+.3f} ({verdict})"


in_sample_wins = seconds.loc["out-of-fold − in-sample"].query("low > 0")["group"]
lines = {name: "; ".join(side(row) for _, row in seconds.loc[name].iterrows()) for name in pairs_2}
Markdown(
    f"The RMSE of the second network (out-of-fold) minus that of the smoothed first one: {lines['second network − smoothed Elman']}. "
    f"Trained out-of-fold instead of in-sample: {lines['out-of-fold − in-sample']} (the same three seeds). The advice to train on "
    "out-of-fold predictions is sound in general, "
    + (
        f"but here the in-sample one is better for {' and '.join(in_sample_wins)}."
        if len(in_sample_wins)
        else "and here the in-sample one is not better."
    )
)

# %% [markdown]
# ## The paper's claims
#
# `papers.stored_verdicts()` compares every claim song by song, with Holm's correction for the number of tests. There are
# four verdicts: **reproduced**, **contradicted**, **too few songs** (the interval allows both) and **not comparable** (no such
# rows). [Lesson 11](11_scoreboard.ipynb) has the numbers. IRIT's claims on synthetic songs, and
# those that real music decides. In them the organisers' linear regression is *not* smoothed, unlike in the figure above. Real music has cross-validation only:
# there, *test songs* are the songs that were left out.

# %% tags=["hide-input"]
verdicts = papers.stored_verdicts().query("paper == 'irit_2015'")
Markdown(papers.verdict_list(verdicts))

# %% [markdown]
# ### Is the network of this page the stored one?

# %%
live = score(dev.labels, cross_validated).xs("pooled", level=1)["rmse"]
stored = results.table("elman").loc[("Elman", "FS1", "raw", "CV", 0)].xs("pooled", level=1)["rmse"]
print(f"largest difference of RMSE from the stored one: {(live - stored).abs().max():.5f}")

# %% [markdown]
# ## Exercises
#
# **1.** (Concept) IRIT report r = .703 of predicted with rated valence, r = .692 of predicted with rated arousal, and r = .626
# of rated valence with rated arousal. Suppose that the output is a softmax, so predicted arousal is 1 minus predicted valence. Write
# down the correlation matrix of *rated valence, rated arousal, predicted valence*. What is its smallest eigenvalue?
# (A correlation matrix of real data has none below 0.)
#
# <details><summary>Hint</summary>
#
# If arousal is predicted as $1 - p$, the correlation of $p$ with rated arousal is minus the reported one.
# `np.linalg.eigvalsh` gives the eigenvalues of a symmetric matrix.
#
# </details>

# %% tags=["exercise"]
smallest = ...
# solution:
matrix = np.array([[1, 0.626, 0.703], [0.626, 1, -0.692], [0.703, -0.692, 1]])
smallest = np.linalg.eigvalsh(matrix).min()

# %%
def eigenvalues(r: float) -> np.ndarray:
    return np.linalg.eigvalsh([[1, 0.626, 0.703], [0.626, 1, r], [0.703, r, 1]])


lesson.check_answer(
    "1",
    smallest,
    eigenvalues(-0.692).min(),
    tolerance=0.005,
    hint="Three 1s on the diagonal; the sign of one of the other three numbers changes.",
    mistakes={
        "That is without the change of sign.": eigenvalues(0.692).min(),
        "That is the largest.": eigenvalues(-0.692).max(),
    },
)

# %% [markdown]
# So a softmax is impossible: no data have these three correlations (if all were computed over the same frames).
#
# **2.** (Code) Remove the feedback of `network` (`with_recurrence(0)`) and predict the test songs, each from its
# first frame. What is the pooled RMSE of arousal? (`inputs_of(elman, ...)` standardises the features.
# Without feedback it does not matter where a song begins.)
#
# <details><summary>Hint</summary>
#
# `with torch.no_grad():`, then a `DataFrame` of the outputs with the index of `test.features`; `rmse(labels, predictions)`.
#
# </details>

# %% tags=["exercise"]
without_memory = ...
# solution:
with torch.no_grad():
    outputs = with_recurrence(0)(inputs_of(elman, test.features)).numpy()
outputs = pd.DataFrame(outputs, test.features.index, DIMENSIONS).loc[test.labels.index]
without_memory = rmse(test.labels["arousal"], outputs["arousal"])

# %%
instant = forgetful(elman, test.features, 0).loc[test.labels.index]
whole = elman.predict(test.features).loc[test.labels.index]
lesson.check_answer(
    "2",
    without_memory,
    rmse(test.labels["arousal"], instant["arousal"]),
    tolerance=1e-4,
    hint="Only frames with labels count; column 1 of the outputs is arousal.",
    mistakes={
        "That is with feedback.": rmse(test.labels["arousal"], whole["arousal"]),
        "That is valence's.": rmse(test.labels["valence"], instant["valence"]),
        "Valence's outputs beside arousal's labels?": rmse(test.labels["arousal"], instant["valence"]),
    },
)

# %% [markdown]
# **3.** (Open) The network *could* learn a lag of 4 s. Give two reasons why it did not, and one experiment for each.
#
# <details><summary>One possible answer</summary>
#
# *The gradient vanishes.* With a small $U$ the error at time $t$ hardly reaches the input 8 steps earlier, so training
# cannot find it. Experiment: start with a larger $U$, such as the identity matrix, and look at the lag curve again.
# *The cost hardly asks for it.* Loudness changes slowly, so the present loudness is almost as good as the delayed one;
# the penalties L1 and L2 also keep $U$ small. Experiment: train without penalties, or on songs with sudden changes, and
# compare the lag curves with intervals over songs. In both cases the delayed linear model is the opponent to beat.
#
# </details>
#
# ## Summary
#
# - A recurrent network passes a **state** on: $h_t = \tanh(W x_t + b + U h_{t-1})$. Unrolled, it is a deep network.
# - The gradient of the past is a **product** with one factor for each step: it vanishes or explodes.
# - *Has a memory* does not mean *uses it*: compare the lag curves of the network and of the raters.
# - Two **softmax** outputs always have the sum 1, so they do not suit valence and arousal.
# - A gain needs a **test over songs**, and a baseline that was tuned as carefully: penalised, smoothed, delayed.
#
# Lesson 04 builds a memory that can last longer, and asks the same question again.
#
# ## References
#
# - Bengio, Simard, Frasconi (1994). Learning long-term dependencies with gradient descent is difficult.
#   *IEEE Transactions on Neural Networks*.
# - Elman (1990). Finding structure in time. *Cognitive Science*.
# - Holm (1979). A simple sequentially rejective multiple test procedure. *Scandinavian Journal of Statistics*.
# - Pascanu, Mikolov, Bengio (2013). On the difficulty of training recurrent neural networks. *ICML*.
# - Pellegrini, Barrière (2015). Time-continuous estimation of emotion in music with recurrent neural
#   networks. *MediaEval*.
# - Schubert (2004). Modeling perceived emotion with continuous musical features. *Music Perception*.
# - Werbos (1990). Backpropagation through time: what it does and how to do it. *Proceedings of the IEEE*.

# %% tags=["hide-input"]
lesson.check_numbers(
    "03",
    {
        f"trained here, {name}, window {window}, CV, RMSE": (by_window.loc[window, name], 0.004)
        for name in DIMENSIONS
        for window in (1, 13)
    }
    | {f"trained here minus stored, {d}, RMSE": (live[d] - stored[d], 0.003) for d in DIMENSIONS}
    | {
        f"Elman minus delayed linear, {title}, {name}": (row["value"], 1e-4)
        for title, table in against.items()
        for name, row in table.iterrows()
    }
    | {f"best delay, test songs, {name} (s)": (peak[name], 1) for name in ("raters", "Elman")}
    | {"gradient, factor a step": (rate, 0.06)},
)
