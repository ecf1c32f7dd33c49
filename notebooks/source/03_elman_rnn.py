# %% [markdown]
# # 03 · Does memory help? The Elman network
#
# *60 minutes. You need: lesson 02; what a derivative is.*
#
# **What you will learn**
#
# 1. what a recurrent network is, in one equation and ten lines;
# 2. how far back a trained one really hears, and why gradients vanish;
# 3. how IRIT trained theirs in 2015: momentum, one song at a time, L1 and L2, 50 epochs;
# 4. why a softmax can't predict valence *and* arousal;
# 5. what memory, smoothing, a second network and eight more features are worth;
# 6. which of the paper's claims are reproduced here, tested song by song, and which are not.

# %%
import copy
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from IPython.display import Audio, Markdown
from matplotlib import pyplot as plt
from scipy import stats

from mer_core import evaluation, models
from mer_core.metrics import DIMENSIONS, rmse, score, score_songs
from mer_core.smoothing import moving_average
from mer_core.training import Dataset, Job
from workbook import lesson, papers, plots, results, widgets

plots.use_style()
corpus = lesson.corpus()
dev, test = corpus.split("dev"), corpus.split("test")

# %% [markdown]
# ## Listen and look
#
# [Lesson 02](02_baselines_metrics_smoothing.ipynb) ended with a linear model that was given the last ten seconds
# as features, and asked what a memory would be worth. A **recurrent network** gets only the half second that is playing, but it keeps a few numbers
# from one half second to the next: a memory, whose content it learns to choose. Here is a test song,
# (synthetic, as all songs here), predicted by a model without memory and by one with.

# %%
linear = models.Linear().fit(dev.features, dev.labels)
elman = models.ElmanRNN().fit(dev.features, dev.labels)
heard = {"linear, no memory": linear, "Elman network": elman}
on_test = {name: model.predict(test.features) for name, model in heard.items()}
spread = test.labels.groupby("song_id")["arousal"].std()
song_id = spread.loc[test.songs["audio"].dropna().index].idxmax()
print(f"Song {song_id}: {test.songs.title[song_id]} ({test.songs.genre[song_id]})")
Audio(test.songs.audio[song_id])

# %%
fig, axes = plt.subplots(1, 2, figsize=(11.5, 3.6), sharey=True)
for ax, (name, predicted) in zip(axes, on_test.items()):
    plots.draw_curves(test.labels.loc[song_id], predicted.loc[song_id], ax=ax)
    jumps = predicted.loc[song_id].diff().abs().mean().mean()
    ax.set_title(f"{name}: moves {jumps:.3f} from frame to frame")
# %% [markdown]
# ## The idea: a state that is handed on
#
# At each step $t$ (half a second) the network has the features $x_t$ and its own **hidden state**
# $h_{t-1}$, a handful of numbers in $[-1, 1]$ (IRIT: 10 of them) that it made a step ago:
#
# $$h_t = \tanh(W x_t + b + U h_{t-1}) \qquad p_t = V h_t + d \qquad h_0 = 0$$
#
# $W$ says how the music changes the state, $U$ how the state changes itself, $V$ reads valence and
# arousal off it; $b$ and $d$ are biases. With $U = 0$ nothing is handed on. (Elman 1990; Pellegrini,
# Barrière 2015, section 2, without the softmax, of which more below.) These are the lines that are it:


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
# The package's `ElmanRNN` computes the same with its backward pass written out, for many songs and
# many networks at once. A test holds the lines above equal to it and to `torch.nn.RNN`, values and
# gradients. Here its trained weights are put into the class above:


# %%
def inputs_of(model: models.ElmanRNN, features: pd.DataFrame) -> torch.Tensor:
    """Standardised by the model's training songs, cut at plus and minus 5."""
    mean, deviation = model.standard_[:2]
    x = torch.tensor(features.to_numpy(), dtype=mean.dtype)
    return ((x - mean) / deviation).clamp(-model.clip, model.clip)


# %%
network = Elman(elman.weights_)
with torch.no_grad():
    by_hand = network(inputs_of(elman, test.features.loc[song_id])).numpy()
gap = np.abs(by_hand - on_test["Elman network"].loc[song_id]).max().max()
weights = sum(part.numel() for part in network.parameters())
print(f"{weights} weights; largest difference between the two: {gap:.0e}")

# %% [markdown]
# ## Unrolled
#
# Drawn along time, a recurrent network is a very deep network, as deep as the song is long, in which
# every layer has the *same* weights. Training follows the arrows backwards: **backpropagation through
# time**.

# %%
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
# ## Training, as IRIT did it
#
# One **song** at a time, in a new order each epoch (an *epoch* is one pass over all training songs): predict
# it, take the mean squared error of the predictions $p_t$ against the labels $y_t$ over its labelled frames, add the cost of weights, follow the gradient with **momentum** (a step keeps a share $\mu$ of the
# one before). $\lambda_1$ weighs the sum of absolute weights (L1: pushes many to 0), $\lambda_2$ that of
# squares (L2: lets none grow large); biases are free. With $n$ labelled frames and the learning rate $\eta$:
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
# (That, too, is held equal to the package by a test.) The network hears each song from its first second, so
# that its state is warm when the labels begin at 15 s. IRIT tuned by ten-fold cross-validation and
# stopped after a **fixed 50 epochs**, which they call early stopping. (In later lessons *early stopping* means to
# stop when songs that were kept aside are no longer predicted better.) Ten networks, one a fold, give the
# cross-validated error:

# %%
folds = evaluation.k_folds(dev.songs.index)
data = Dataset(dev.features, dev.labels)
jobs = [Job(data, fold.train, fold.test) for fold in folds]
in_folds = models.ElmanRNN().fit_many(jobs)
cross_validated = [
    model.predict(dev.select(fold.test).features) for model, fold in zip(in_folds, folds)
]
cross_validated = pd.concat(cross_validated).sort_index()
curve = sum(model.history_ for model in in_folds) / len(folds)

# %% [markdown]
# ### Experiment: stop earlier
#
# Slide through the epochs: left, a network trained so long on the development songs predicts the test
# song from above; right, the mean squared error over the ten folds.

# %%
epochs = [1, 3, 10, elman.epochs]
stopped = {n: models.ElmanRNN(epochs=n).fit(dev.features, dev.labels) for n in epochs[:-1]}
stopped[elman.epochs] = elman


def after(n: int) -> plt.Figure:
    fig, (left, right) = plt.subplots(1, 2, figsize=(11.5, 3.6), width_ratios=[3, 2])
    predicted = stopped[n].predict(test.features.loc[[song_id]])
    plots.draw_curves(test.labels.loc[song_id], predicted.loc[song_id], ax=left)
    left.set_title(f"song {song_id} after {n} epochs")
    for name, colour in {"train": plots.GREY, "validation": "C2"}.items():
        label = "training songs" if name == "train" else "songs left out"
        right.plot(curve.index + 1, curve[name], color=colour, label=label)
        right.plot(n, curve[name].iloc[n - 1], "o", color=colour)
    right.set(xlabel="epochs", ylabel="mean squared error", title="ten folds, averaged")
    right.legend()
    return fig


widgets.FigureSlider.draw("epochs", epochs, after, start=3)

# %%
best = int(curve["validation"].idxmin()) + 1
theirs = models.ElmanRNN.paper()
settings = (
    "**Our setting is not the paper's**, since our corpus is smaller: "
    f"η is {elman.learning_rate:g} (theirs {theirs.learning_rate:g}), λ₁ {elman.l1:g} ({theirs.l1:g}), "
    f"λ₂ {elman.l2:g} ({theirs.l2:g}). Theirs has a row of its own in the tables below."
)
Markdown(
    f"The error on songs left out is lowest after **{best}** epochs ({curve['validation'].min():.4f}) and "
    f"is {curve['validation'].iloc[-1]:.4f} after {elman.epochs}, that on training songs "
    f"{curve['train'].iloc[-1]:.4f}. A choice of epochs that looks at these curves has seen all "
    "development songs: that is tuning, and only the test songs are left to judge it. "
    f"{settings} They don't say how much momentum they used, nor over what the cost is averaged."
)

# %% [markdown]
# ## How far back does it hear? Vanishing gradients
#
# What did the music $k$ steps ago, $x_{t-k}$, contribute to the state of now, $h_t$? By the chain rule
# along the arrows, with $D_t = \mathrm{diag}(1 - h_t^2)$, the slope of tanh:
#
# $$\frac{\partial h_t}{\partial x_{t-k}} = D_t\,U\,D_{t-1}\,U \cdots D_{t-k}\,W$$
#
# One factor $U$, and one slope of at most 1, for each step. If they shrink a vector more than they stretch
# it, the product **vanishes** like $q^k$ with some $q < 1$ (Bengio et al. 1994): such a network neither remembers nor
# can learn to. The figure measures it, on every third labelled frame of the development songs.

# %%
lags = np.arange(25)
songs = [dev.features.loc[song] for song in dev.songs.index[:24]]
shortest = min(map(len, songs))
inputs = torch.stack([inputs_of(elman, song.iloc[:shortest]) for song in songs], dim=1)


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


scales = [0, 0.5, 1, 1.5, 2, 3]
norms = {scale: gradient_norms(with_recurrence(scale)) for scale in scales}
rate = (norms[1][5] / norms[1][1]) ** (1 / 4)
radius = np.abs(np.linalg.eigvals(network.U.detach().numpy())).max()

# %% [markdown]
# ### Experiment: more or less feedback
#
# The slider multiplies the trained $U$ (nothing is trained again). Left: the norm of the gradient, against
# the lag. Right: how one unit, the one that is moved most by its past, runs through a song.

# %%
with torch.no_grad():
    plain, cut = network.states(inputs), with_recurrence(0).states(inputs)
unit = int((plain - cut).abs().mean(dim=(0, 1)).argmax())


def feedback(scale: float) -> plt.Figure:
    fig, (left, right) = plt.subplots(1, 2, figsize=(11, 3.6))
    for other in scales:
        shown = {"color": "black", "lw": 2.5} if other == scale else {"color": plots.GREY, "lw": 0.7}
        left.semilogy(lags / 2, np.maximum(norms[other], 1e-12), **shown)
    left.set(xlabel="lag k (s)", ylabel="norm of d h(t) / d x(t-k)", ylim=(1e-8, 30))
    left.set_title(f"{scale:g} U (grey: the other positions)")
    with torch.no_grad():
        state = with_recurrence(scale).states(inputs[:, :1])[:, 0, unit]
    right.plot(np.arange(len(state)) / 2, state, color="black")
    right.set(xlabel="time (s)", ylabel=f"unit {unit}, -1 to 1", ylim=(-1.05, 1.05))
    right.set_title(f"one hidden unit in song {dev.songs.index[0]}")
    return fig


widgets.FigureSlider.draw("feedback (times U)", scales, feedback, start=2)

# %%
half_life = np.log(0.5) / np.log(rate) / 2
Markdown(
    f"With the trained $U$, every step multiplies the gradient by about **{rate:.2f}**: half of it is gone "
    f"after {half_life:.1f} s, and music of 5 s ago counts for {norms[1][10] / norms[1][0]:.1e} of what "
    f"plays now. The largest eigenvalue of $U$ is {radius:.2f}. (A larger $U$ remembers longer, until "
    "tanh saturates: then the slopes $D_t$ are near 0, and it is they who make the product vanish.)"
)

# %% [markdown]
# Gradients are one way to ask. A blunter one: **let the networks forget.** Below, each prediction is
# made from a fresh state, $k$ steps before it; the ten networks of the folds predict the songs that
# they have not heard. If the error stops falling at some $k$, nothing older was used.

# %%
memories = [0, 1, 2, 3, 5, 8, 12, 20, 30]


def forgetful(model: models.ElmanRNN, features: pd.DataFrame, memory: int) -> pd.DataFrame:
    """Predictions at each step from the last `memory` steps and the present one, and no others."""
    network, parts = Elman(model.weights_), []
    for _, song in features.groupby("song_id"):
        x = torch.nn.functional.pad(inputs_of(model, song), (0, 0, memory, 0))
        with torch.no_grad():
            parts.append(network(x.unfold(0, memory + 1, 1).permute(2, 0, 1))[-1].numpy())
    return pd.DataFrame(np.concatenate(parts), features.index, DIMENSIONS)


def error_with(memory: int) -> dict[str, float]:
    heard = [dev.select(fold.test).features for fold in folds]
    parts = [forgetful(model, songs, memory) for model, songs in zip(in_folds, heard)]
    predicted = pd.concat(parts).loc[dev.labels.index]
    return {name: rmse(dev.labels[name], predicted[name]) for name in DIMENSIONS}


forgetting = pd.DataFrame({memory: error_with(memory) for memory in memories}).T
fig, ax = plt.subplots()
for dimension, colour in plots.PALETTE.items():
    ax.plot(forgetting.index / 2, forgetting[dimension], "o-", color=colour, label=dimension)
ax.set(xlabel="what it may remember (s)", ylabel="RMSE, pooled, cross-validated")
ax.set_title("networks that are made to forget")
ax.legend();
# %%
worth = forgetting.loc[0] - forgetting.loc[30]
near = {name: (forgetting[name] - forgetting.loc[30, name]).abs().lt(0.002) for name in DIMENSIONS}
enough = max(close[::-1].cummin()[::-1].idxmax() for close in near.values()) / 2
Markdown(
    "Without its memory the network's RMSE is "
    + " and ".join(
        f"{abs(worth[name]):.3f} {'higher' if worth[name] > 0 else 'lower'} ({name})"
        for name in DIMENSIONS
    )
    + f"; from **{enough:g} s** on it stays within 0.002 of where it ends. What these networks use is a short "
    "past. Mind that they were *trained* with a memory: a model that never had one arranges itself "
    "otherwise. What memory is worth, the comparison of trained systems below has to say."
)

# %% [markdown]
# ## Softmax or linear?
#
# The paper says that the two outputs $z = V h_t + d$ pass through a **softmax**, $p_i = e^{z_i} / \sum_j e^{z_j}$. That
# is meant for probabilities of classes: the outputs are positive and sum to 1. For valence and arousal
# it means that *one is always 1 minus the other*, a correlation of −1 whatever the music. (Code
# that the team has published since has a linear output. So has ours, unless asked.)

# %%
tied = models.ElmanRNN(output="softmax", epochs=10).fit(dev.features, dev.labels)
planes = {"softmax output": tied.predict(test.features), "linear output": on_test["Elman network"]}
fig, axes = plt.subplots(1, 2, figsize=(11, 5.2))
for ax, (name, points) in zip(axes, planes.items()):
    points = points.loc[test.labels.index]
    plots.draw_plane(test.labels, ax=ax, color="#CCCCCC", s=8, edgecolor="none", label="rated")
    plots.draw_plane(points, ax=ax, color="black", s=8, edgecolor="none", label="predicted")
    r = points.corr().loc["valence", "arousal"]
    ax.set_title(f"{name}: predicted r(valence, arousal) = {r:.2f}")
for ax in axes:
    ax.legend(loc="lower right", fontsize="small")
sums = planes["softmax output"].sum(axis=1)
r_labels = test.labels.corr().loc["valence", "arousal"]
print(
    f"softmax: valence + arousal from {sums.min():.3f} to {sums.max():.3f}; labels: r = {r_labels:.2f}"
)

# %% [markdown]
# ## Smoothing
#
# The moving average of lesson 02, with its border rule, on the *cross-validated* predictions of the
# network. IRIT found 13 frames best. Do we?

# %%
windows = [1, 5, 9, 13, 17, 25, 33, 41]
by_window = pd.DataFrame(
    {
        window: score(dev.labels, moving_average(cross_validated, window)).xs("pooled", level=1)[
            "rmse"
        ]
        for window in windows
    }
).T
fig, ax = plt.subplots()
for dimension, colour in plots.PALETTE.items():
    ax.plot(windows, by_window[dimension], "o-", color=colour, label=dimension)
ax.axvline(13, color=plots.GREY, ls=":")
ax.text(13.4, by_window.max().max(), "IRIT", color=plots.GREY, va="top")
ax.set(
    xlabel="window (frames of 0.5 s)", ylabel="RMSE, pooled", title="Elman network, cross-validated"
)
ax.legend();
# %%
best_window = by_window.idxmin()
lost = by_window.loc[13] - by_window.min()
Markdown(
    f"Best here: {best_window['valence']} frames for valence, {best_window['arousal']} for arousal; with 13 "
    f"the RMSE is {lost['valence']:.3f} and {lost['arousal']:.3f} above that. From no smoothing to 13 frames "
    f"it falls by {by_window.loc[1, 'valence'] - by_window.loc[13, 'valence']:.3f} and "
    f"{by_window.loc[1, 'arousal'] - by_window.loc[13, 'arousal']:.3f}. If a plain average mends the output of a "
    "network that has a memory, that memory is not used for all that it could be."
)

# %% [markdown]
# ## Does memory help?
#
# Now the question of lesson 02 can be asked again. There, the memory was made by hand: the mean of each feature
# over the last 10 s. Here it is learned.

# %%
trailing = dev.features.groupby("song_id").rolling(20, min_periods=1).mean().droplevel(0)
remembering = replace(dev, features=dev.features.join(trailing.add_prefix("last_10s_")))
kinds = {
    "constant": evaluation.cross_validate(models.Constant(), dev, folds),
    "linear, each frame alone": evaluation.cross_validate(models.Linear(), dev, folds),
    "linear, with the last 10 s": evaluation.cross_validate(models.Linear(), remembering, folds),
    "Elman network": cross_validated,
}
memory = pd.DataFrame(
    {
        (output, dimension): {
            name: rmse(dev.labels[dimension], change(track).loc[dev.labels.index, dimension])
            for name, track in kinds.items()
        }
        for output, change in {"raw": lambda track: track, "smoothed": moving_average}.items()
        for dimension in DIMENSIONS
    }
)
memory.round(4)

# %%
by_hand, learned = "linear, with the last 10 s", "Elman network"
errors = {
    name: score_songs(dev.labels, moving_average(kinds[name]))["rmse"]
    for name in (by_hand, learned)
}
sentences = []
for dimension in DIMENSIONS:
    ahead = (errors[learned] - errors[by_hand]).xs(dimension, level="dimension")
    p = stats.ttest_1samp(ahead, 0).pvalue
    winner = "by hand" if ahead.mean() > 0 else "learned"
    sentences.append(
        f"- **{dimension}**: raw, the learned memory changes the memoryless RMSE by "
        f"{memory.loc[learned, ('raw', dimension)] - memory.iloc[1]['raw', dimension]:+.3f}, the one made by hand by "
        f"{memory.loc[by_hand, ('raw', dimension)] - memory.iloc[1]['raw', dimension]:+.3f}. Both smoothed, the "
        f"one {winner} is ahead by {abs(ahead.mean()):.3f} per song (paired t-test over songs: p = {p:.2g})."
    )
Markdown(
    "\n".join(sentences)
    + f"\n\nThe network uses about {enough:g} s of its past; the memory by hand is 10 s long. *A recurrent network "
    "has a memory* does not mean that it has learned to use it."
)

# %% [markdown]
# ## The second network
#
# IRIT then fed the smoothed predictions into **another** Elman network. On what does it learn? They don't
# say. There are two ways:
#
# - **in-sample**: the first network predicts its own training songs. These predictions look better
#   than any that the second will meet later, so it may learn to trust them too much;
# - **out-of-fold**: each training song is predicted by a first network that has not heard it. That is
#   `models.SecondNetwork`'s way, and costs five more networks.
#
# Our cross-validated predictions *are* out-of-fold. So the second network takes three lines:

# %%
fed = {
    "out-of-fold": moving_average(cross_validated),
    "in-sample": moving_average(elman.predict(dev.features)),
}
seconds = models.ElmanRNN().fit_many([Job(Dataset(track, dev.labels)) for track in fed.values()])
smooth = moving_average(on_test["Elman network"])
stages = {"raw": on_test["Elman network"], "smoothed": smooth}
stages |= {f"second, {name}": second.predict(smooth) for name, second in zip(fed, seconds)}

fig, axes = plt.subplots(1, 2, figsize=(11.5, 3.4))
styles = {"raw": ("#BBBBBB", 1), "smoothed": ("C2", 2), "second, out-of-fold": ("black", 2)}
for ax, dimension in zip(axes, DIMENSIONS):
    ax.plot(
        test.labels.loc[song_id, dimension], color=plots.PALETTE[dimension], lw=3, label="rated"
    )
    for name, (colour, width) in styles.items():
        ax.plot(stages[name].loc[song_id, dimension], color=colour, lw=width, label=name)
    ax.set(title=dimension, xlabel="time (s)", ylim=(-1, 1))
axes[0].set_ylabel("rating, -1 to 1")
axes[0].legend(fontsize="small", ncols=2, loc="lower center")
movement = pd.DataFrame(
    {
        name: track.groupby("song_id").diff().abs().loc[test.labels.index].mean()
        for name, track in stages.items()
    }
)
movement.T.rename_axis("mean change from frame to frame, test songs").round(4)

# %%
before_after = [movement[name].mean() for name in ("smoothed", "second, out-of-fold")]
seen = {name: score(dev.labels, track).xs("pooled", level=1)["rmse"] for name, track in fed.items()}
more_or_less = (
    "smooths further" if before_after[1] < before_after[0] else "does not smooth further here"
)
Markdown(
    f"The second network **{more_or_less}**: {before_after[0]:.4f} before, {before_after[1]:.4f} after it (mean of both "
    "dimensions). What it learned from differs much: out-of-fold predictions of the training songs have an "
    f"RMSE of {seen['out-of-fold'].mean():.3f}, in-sample ones {seen['in-sample'].mean():.3f}. Which way "
    "scores better is in the table below."
)

# %% [markdown]
# ## Many models at once
#
# All this needs many networks: ten folds, several seeds, and for the second network five more each. A small
# network keeps a processor waiting: a step multiplies a 10 × 10 matrix, and calling the multiplication takes longer
# than doing it. So the package trains **many networks as one computation**, with one more axis in
# each array; each has its own songs, order and weights, and is trained as if alone (a test
# holds them equal).


# %%
def seconds_for(count: int) -> float:
    jobs = [Job(data, seed=seed) for seed in range(count)]
    start = time.perf_counter()
    models.ElmanRNN(epochs=1).fit_many(jobs)
    return time.perf_counter() - start


few, many = seconds_for(2), seconds_for(50)
print(f"50 networks take {many / few:.1f} times as long as 2, where 25 times would be expected.")

# %% [markdown]
# ## The results, from the store
#
# A sweep has trained every variant with several **seeds** (of folds, first weights and order of songs); its
# tables lie in `data/results`, and `make results` computes them again. First: is the row that we have just
# trained the same as the stored one?

# %%
table = pd.concat([results.table("elman"), results.table("baselines")]).sort_index()
live = score(dev.labels, cross_validated).xs("pooled", level=1)[["rmse", "pearson"]]
stored = table.loc[("Elman", "FS1", "raw", "CV", 0)].xs("pooled", level=1)[["rmse", "pearson"]]
pd.concat({"just trained": live, "stored": stored}, axis=1).round(4)

# %% [markdown]
# IRIT's table 1, with ours below each of its rows. CV figures are pooled over frames, test figures are means
# over songs, as in the paper. **Their songs are real, ours are SYNTHETIC**, and even with DEAM the labels
# would be on another scale: look at the order of the rows, not at the distance of the two.

# %%
irit = papers.compare(table).query("paper == 'irit_2015' and table == 'table 1'")
irit = irit.assign(cell=irit["protocol"] + " " + irit["dimension"])
layout = {"index": ["features", "system"], "columns": ["cell", "metric"], "sort": False}
sides = {"IRIT": "value", "ours, synthetic": "ours_value"}
both = pd.concat(
    {name: irit.pivot_table(values=column, **layout) for name, column in sides.items()}
)
order = [(name, *row) for row in both.loc["IRIT"].index for name in sides]
both.reindex(order).reorder_levels([1, 2, 0]).rename_axis(["features", "system", ""]).round(3).astype(object).fillna("")

# %% [markdown]
# `lr` and `BSL` are linear models without a penalty. The paper has no **constant** and no **penalised,
# smoothed** linear model. Here is all that we have on the 260 features, ± the standard deviation over the
# seeds (which is 0 where nothing is random), the lowest error in cross-validation first. (PCA, kernel PCA and
# denoising autoencoder are ways to make the features fewer or cleaner beforehand, which the paper tried as well;
# lessons 04 and 06 explain them.)

# %%
pooled = table.xs("FS1", level="features").xs("pooled", level="aggregation")["rmse"]
groups = pooled.groupby(["system", "output", "protocol", "dimension"])
columns = [(protocol, dimension) for protocol in ("CV", "test") for dimension in DIMENSIONS]
ranking = groups.mean().unstack(["protocol", "dimension"])[columns]
ranking = ranking.loc[ranking["CV"].mean(axis=1).sort_values().index]
varies = groups.std().fillna(0).unstack(["protocol", "dimension"]).reindex_like(ranking)
seeds = table.reset_index().groupby("system")["seed"].nunique().filter(like="Elman")
print(
    f"{seeds['Elman']} seeds of the Elman network, {seeds.min()} to {seeds.max()} of its variants"
)
ranking.map("{:.3f}".format) + " ± " + varies.map("{:.3f}".format)

# %% [markdown]
# ## Verdicts: song by song
#
# A difference of 0.002 in a table may be chance. Every song is predicted by both systems, so their scores can be
# compared **song by song**: the mean difference over songs (each song's score averaged over the seeds) and its 95 %
# interval. With many tests some are significant by chance, so the p of a paper's comparisons on one data set are
# corrected (Holm 1979). `papers.comparisons()` holds what each claim compares. There are four verdicts:
#
# - **reproduced**: all comparisons of the claim are significant in its direction (or, if it claims that nothing is
#   gained, the interval is within 0.02 of RMSE and 0.1 of r);
# - **contradicted**: one is significant in the other direction;
# - **too few songs**: neither. A difference below *detectable* is missed in more than one of five samples of so
#   many songs;
# - **not comparable**: we have no such rows.
#
# Two cautions. A song is one sample, but the songs of one cross-validation share their networks. And an r that the
# paper pools over frames is here the mean r within songs. Synthetic and real songs have columns of their own:

# %%
scores, songs = results.stored_scores(), results.stored_songs()
keys = ["system", "features", "output", "protocol", "dimension"]
by_song = songs["rmse"].groupby([*keys, "song_id"]).mean()
verdicts = papers.stored_verdicts().query("paper == 'irit_2015' and synthetic != ''")
Markdown(papers.verdict_table(verdicts))

# %% [markdown]
# Differences are positive in the claimed direction. On real music all scores are of ten folds, of class settings.

# %%
more_or_less = "**smooths further**" if before_after[1] < before_after[0] else "**does not smooth further**"
Markdown(
    f"Two more claims were answered above, on synthetic songs: the second network {more_or_less}; a window of 13 frames "
    f"costs at most {lost.max():.4f} more than the best window ({best_window['valence']} frames for valence, "
    f"{best_window['arousal']} for arousal)."
)

# %% [markdown]
# ### What the paper did not compare
#
# The baselines that a network has to beat, smoothed like it; and the choices that we made.

# %%
ELMAN = {"system": "Elman", "features": "FS1", "output": "smoothed"}
RAW = ELMAN | {"output": "raw"}
SECOND = RAW | {"system": "Elman, second network"}
ours = {
    "beats the constant": (ELMAN, ELMAN | {"system": "constant"}),
    "beats ridge, both raw": (RAW, RAW | {"system": "linear"}),
    "beats ridge, both smoothed": (ELMAN, ELMAN | {"system": "linear"}),
    "beats SVR, both smoothed": (ELMAN, ELMAN | {"system": "SVR"}),
    "linear output beats softmax": (RAW, RAW | {"system": "Elman, softmax"}),
    "our setting beats the paper's": (RAW, RAW | {"system": "Elman, paper's setting"}),
    "out-of-fold beats in-sample": (SECOND, RAW | {"system": "Elman, second network in-sample"}),
}
rows = [
    {"claim": name, "relation": "better", "metric": "rmse", "wanted": "lower"}
    | {"aggregation": "pooled" if place["protocol"] == "CV" else "mean"}
    | {f"better_{key}": value for key, value in (first | place).items()}
    | {f"worse_{key}": value for key, value in (second | place).items()}
    for name, (first, second) in ours.items()
    for place in ({"protocol": p, "dimension": d} for p in ("CV", "test") for d in DIMENSIONS)
]
fair = papers.judge(songs, pairs=pd.DataFrame(rows))
interval = "{difference:+.3f} [{low:+.3f}, {high:+.3f}]".format_map
names = {"reproduced": "**yes**", "contradicted": "**the reverse**", "too few songs": "open"}
fair["cell"] = [f"{names[row['verdict']]}: {interval(row)}" for _, row in fair.iterrows()]
columns = fair["better_protocol"] + ", " + fair["better_dimension"]
fair.assign(column=columns).pivot_table(index="claim", columns="column", values="cell", aggfunc="first", sort=False)

# %%
detectable = fair.groupby(["better_protocol", "better_dimension"])["detectable"].median()
Markdown(
    "Mean difference of RMSE over songs with its 95 % interval; p corrected over all these comparisons. *Open*: not shown, "
    f"which may still be true. The median of what can be detected: {detectable['CV'].min():.3f} to "
    f"{detectable['CV'].max():.3f} in cross-validation, {detectable['test'].min():.3f} to {detectable['test'].max():.3f} "
    f"on the {test.labels.index.unique('song_id').size} test songs."
)

# %% [markdown]
# ## Exercises
#
# **1.** How many weights (biases included) has an Elman network with 100 hidden units, 268 features
# and two outputs?
#
# <details><summary>Hint</summary>
#
# $W$ maps features to units, $U$ units to units, $V$ units to outputs; the shapes of $b$ and $d$ follow.
#
# </details>

# %% tags=["exercise"]
how_many = ...
# solution:
how_many = 268 * 100 + 100 * 100 + 100 + 100 * 2 + 2

# %%
shapes = {"W": (268, 100), "U": (100, 100), "b": (1, 100), "V": (100, 2), "d": (1, 2)}
large = Elman({name: torch.zeros(1, *shape) for name, shape in shapes.items()})
lesson.check_answer(
    "1",
    how_many,
    sum(part.numel() for part in large.parameters()),
    hint="W is 268 × 100, U is 100 × 100, V is 100 × 2; b and d have one number a unit and an output.",
    mistakes={
        "That lacks the biases.": sum(part.numel() for part in (large.W, large.U, large.V)),
        "That lacks the feedback U.": sum(p.numel() for p in (large.W, large.b, large.V, large.d)),
        "That lacks the outputs.": sum(part.numel() for part in (large.W, large.b, large.U)),
    },
)

# %% [markdown]
# **2.** Take the feedback away from `network` (`with_recurrence(0)`), and let it predict the test songs, each from its
# first frame. What is the pooled RMSE of arousal? (`inputs_of(elman, ...)` standardises a song;
# without feedback it does not matter where a song begins.)
#
# <details><summary>Hint</summary>
#
# `with torch.no_grad():`, then a frame of the outputs with the index of `test.features`; `rmse(labels, predictions)`.
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
# **3.** In cross-validation, on how many songs has the *smoothed* Elman network (FS1) a lower RMSE of arousal than the
# *smoothed* ridge model (`linear`)? Use `by_song`.
#
# <details><summary>Hint</summary>
#
# `by_song.xs((...), level=keys[1:])` chooses features, output, protocol and dimension at once; then two systems are left.
#
# </details>

# %% tags=["exercise"]
songs_won = ...
# solution:
arousal = by_song.xs(("FS1", "smoothed", "CV", "arousal"), level=keys[1:])
songs_won = int((arousal["Elman"] < arousal["linear"]).sum())

# %%
errors = (
    songs.query(
        "features == 'FS1' and output == 'smoothed' and protocol == 'CV' and dimension == 'arousal'"
    )["rmse"]
    .groupby(["song_id", "system"])
    .mean()
    .unstack()
)
lesson.check_answer(
    "3",
    songs_won,
    int(errors["Elman"].lt(errors["linear"]).sum()),
    hint="by_song['Elman', 'FS1', 'smoothed', 'CV', 'arousal'] has one number a song.",
    mistakes={
        "On those the ridge model is better.": int(errors["Elman"].gt(errors["linear"]).sum()),
        "Those are all songs.": len(errors),
        "Those are won by the outputs as they are, without smoothing.": int(
            by_song["Elman", "FS1", "raw", "CV", "arousal"]
            .lt(by_song["linear", "FS1", "raw", "CV", "arousal"])
            .sum()
        ),
    },
)

# %% [markdown]
# ## Summary
#
# - A recurrent network hands a **state** on: $h_t = \tanh(W x_t + b + U h_{t-1})$. Unrolled, it is deep.
# - The gradient of the past is a **product** of as many factors as there are steps: it vanishes. How far a
#   trained network hears can be measured, and should be.
# - A **softmax** of two outputs ties them to a sum of 1: nothing for valence and arousal.
# - A second network may learn from in-sample or from **out-of-fold** predictions. Only the latter look like what
#   it will meet; whether that is worth anything is for a test to say.
# - A small gain needs a **test over songs** and a baseline that was treated as well as the network:
#   penalised, smoothed.
#
# Lesson 04 builds a memory that can last longer.
#
# ## References
#
# - Bengio, Simard, Frasconi (1994). Learning long-term dependencies with gradient descent is difficult.
#   *IEEE Transactions on Neural Networks*.
# - Elman (1990). Finding structure in time. *Cognitive Science*.
# - Holm (1979). A simple sequentially rejective multiple test procedure. *Scandinavian Journal of Statistics*.
# - Pellegrini, Barrière (2015). Time-continuous estimation of emotion in music with recurrent neural
#   networks. *MediaEval*.
# - Werbos (1990). Backpropagation through time: what it does and how to do it. *Proceedings of the IEEE*.

# %%
means = scores["rmse"].groupby([*keys, "aggregation"]).mean()
elman_rows = means.xs(("FS1", "CV", "pooled"), level=["features", "protocol", "aggregation"])
lesson.check_numbers(
    "03",
    {
        f"trained here, {name}, window {window}, CV, RMSE": (by_window.loc[window, name], 0.004)
        for name in DIMENSIONS
        for window in (1, 13)
    }
    | {
        f"trained here minus stored, {name}, RMSE": (
            live.loc[name, "rmse"] - stored.loc[name, "rmse"],
            0.003,
        )
        for name in DIMENSIONS
    }
    | {
        f"{system}, {output}, CV, {name}, RMSE, mean of seeds": (
            elman_rows[system, output, name],
            0.0005,
        )
        for system, output in [
            ("Elman", "raw"),
            ("Elman", "smoothed"),
            ("Elman, second network", "raw"),
        ]
        for name in DIMENSIONS
    }
    | {"gradient, factor a step": (rate, 0.06)},
)
