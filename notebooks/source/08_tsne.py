# %% [markdown]
# # 08 · Maps of what was learned: t-SNE, and what it cannot show
#
# *60 minutes. You need: lessons 03, 06 and 07.*
#
# Listen 5, the idea 10, steps and perplexity 10, training songs 5, two numbers 10, frames 5, limits 5, exercises 10 minutes.
#
# **What you will learn**
#
# 1. what a t-SNE map keeps of many dimensions, and what *steps* and *perplexity* do;
# 2. why a map of training songs is too good, so that you must draw held-out songs;
# 3. two numbers for what the eye believes: *k*-nearest-neighbour R² and *trustworthiness*, over several splits;
# 4. why frames of one song mislead;
# 5. what a t-SNE map cannot show: distances, sizes, and whether there are groups at all.

# %% tags=["hide-input"]
import numpy as np
import pandas as pd
from IPython.display import Audio, Markdown, display
from matplotlib import pyplot as plt
from scipy.stats import spearmanr
from sklearn.manifold import TSNE, trustworthiness
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict
from sklearn.neighbors import KNeighborsRegressor
from sklearn.preprocessing import StandardScaler

from mer_core import models
from mer_core.features import extract, song_level
from mer_core.metrics import DIMENSIONS, r2
from mer_core.models.autoencoder import VAE
from workbook import lesson, plots, widgets

plots.use_style()
corpus = lesson.corpus().split("dev")
features, labels = song_level(corpus.features), corpus.songs[DIMENSIONS]

# %% [markdown]
# ## Listen and look
#
# Herremans et al. (2019) show two maps of songs: one of the original features, one of the space that their triplet
# network learned (lesson 06). The second looks sorted by emotion. We draw such maps and test what they show.
#
# Half of the development songs (synthetic) train the network. The other half is **held out**.


# %%
def halves_of(seed: int) -> tuple[np.ndarray, np.ndarray]:
    shuffled = np.random.default_rng(seed).permutation(labels.index)
    return np.sort(shuffled[: len(shuffled) // 2]), np.sort(shuffled[len(shuffled) // 2 :])


def spaces_of(train: np.ndarray, seed: int = 0) -> dict[str, dict[str, pd.DataFrame]]:
    network = models.TripletNetwork(dimensions=8, steps=120, seed=seed).fit(features.loc[train], labels.loc[train])
    original = StandardScaler().fit(features.loc[train]).set_output(transform="pandas").transform(features)
    learned = network.transform(features)
    return {
        "original features": dict.fromkeys(DIMENSIONS, original),
        "learned by triplets": {name: learned.filter(like=f"{name}_") for name in DIMENSIONS},
    }


train, held_out = halves_of(0)
spaces = spaces_of(train)
original, learned = spaces["original features"]["arousal"], spaces["learned by triplets"]

# %% [markdown]
# **Predict:** the two held-out songs that are nearest to each other in the learned space of arousal: will they sound
# alike, or only be equally loud and fast? Listen; the network was trained for arousal alone.

# %% tags=["hide-input"]
shown = learned["arousal"].loc[held_out]
apart = np.linalg.norm(shown.to_numpy()[:, None] - shown.to_numpy(), axis=2) + np.diag([np.inf] * len(shown))
pair = held_out[list(np.unravel_index(apart.argmin(), apart.shape))]
for song_id in pair:
    text = f"Song {song_id} ({corpus.songs.genre[song_id]}), rated arousal {labels.arousal[song_id]:+.2f}"
    display(Markdown(text), Audio(corpus.songs.audio[song_id]))

# %% [markdown]
# ## The idea: keep the neighbours
#
# t-SNE (t-distributed stochastic neighbour embedding; van der Maaten and Hinton 2008) turns distances into *probabilities of being neighbours*. In the
# many dimensions, song $j$ is a neighbour of song $i$ with probability
#
# $$p_{j|i} = \frac{\exp(-\lVert x_i-x_j\rVert^2 / 2\sigma_i^2)}{\sum_{k\ne i}\exp(-\lVert x_i-x_k\rVert^2 / 2\sigma_i^2)}$$
#
# where $x_i$ are the features of song $i$, and $\sigma_i$ is chosen so that the number of neighbours
# is about the **perplexity**. On the map song $i$ has the position $y_i$ (not a label here). There the probabilities have
# heavier tails, $q_{ij}\propto(1+\lVert y_i-y_j\rVert^2)^{-1}$, and
# the points are moved by gradient descent until $q_{ij}$ is similar to $p_{ij} = (p_{j|i}+p_{i|j})/2n$ for the $n$ songs: it minimises
#
# $$\mathrm{KL}(P\Vert Q)=\sum_{i\ne j} p_{ij}\log\frac{p_{ij}}{q_{ij}}.$$
#
# A neighbour that is moved away costs much; a distant song that is moved near costs little. So t-SNE keeps
# **neighbours**, and little else.


# %%
def neighbour_chances(x: np.ndarray, sigma: float) -> np.ndarray:
    squares = ((x[:, None] - x) ** 2).sum(axis=2)
    weights = np.exp(-squares / (2 * sigma**2))
    np.fill_diagonal(weights, 0)
    return weights / weights.sum(axis=1, keepdims=True)


def perplexity_of(chances: np.ndarray) -> np.ndarray:
    logs = np.log2(chances, where=chances > 0, out=np.zeros_like(chances))
    return 2 ** -(chances * logs).sum(axis=1)


# %%
x = original.to_numpy()
widths = {sigma: perplexity_of(neighbour_chances(x, sigma)).mean() for sigma in (4, 8, 12, 20, 200)}
pd.Series(widths, name="mean perplexity").rename_axis("sigma").round(1).to_frame().T

# %% [markdown]
# A narrow curve counts few neighbours; a very wide one counts all other songs equally. You choose the perplexity, and
# t-SNE finds the width for each song.
#
# ### Experiment: is the map finished?
#
# t-SNE moves the points step by step. **Predict:** can a map look finished when it is not? Watch the divergence KL in
# the titles: while it falls, the map still changes.

# %%
def tsne(points: pd.DataFrame, *, perplexity: float = 15, steps: int = 1000, seed: int = 0) -> pd.DataFrame:
    method = TSNE(perplexity=perplexity, init="pca", random_state=seed, max_iter=steps, learning_rate=10)
    at = method.fit_transform(StandardScaler().fit_transform(points))
    at = pd.DataFrame(at, points.index, ["x", "y"])
    at.attrs["KL"] = float(method.kl_divergence_)
    return at


# %% tags=["hide-input"]
def draw(ax: plt.Axes, at: pd.DataFrame, dimension: str, title: str) -> None:
    colours = {"c": labels.loc[at.index, dimension], "cmap": "viridis", "vmin": -0.6, "vmax": 0.9}
    drawn = ax.scatter(at["x"], at["y"], s=24, **colours)
    ax.set(xticks=[], yticks=[], title=f"{title}: KL {at.attrs['KL']:.2f}")
    if "learned" in title:
        ax.figure.colorbar(drawn, ax=ax, label=f"rated {dimension}")


def both(perplexity: float, steps: int, names: list[str]) -> plt.Figure:
    fig, axes = plt.subplots(len(names), 2, figsize=(9, 3.2 * len(names)), squeeze=False)
    for row, name in zip(axes, names):
        for ax, (kind, space) in zip(row, spaces.items()):
            draw(ax, tsne(space[name].loc[held_out], perplexity=perplexity, steps=steps), name, f"{kind}, {name}")
    fig.suptitle(f"held-out songs, perplexity {perplexity}, {steps} steps")
    return fig


widgets.FigureSlider.draw("steps", [255, 270, 300, 400, 1000, 2000], lambda k: both(15, k, ["arousal"]), start=4)

# %% [markdown]
# After 1000 steps KL hardly changes. All maps below have 1000 steps, and a learning rate of 10: with the default of 50
# the descent does not settle on so few songs. A map should be shown with its number of steps and its KL.
#
# ### Experiment: perplexity
#
# Left: original features. Right: learned ones, of the *same held-out songs*. Colour: valence (above), arousal (below).
# The two maps on the left differ only in colour. **Predict:** what does a map look like if only two neighbours count?

# %% tags=["hide-input"]
widgets.FigureSlider.draw("perplexity", [2, 5, 15, 30], lambda p: both(p, 1000, DIMENSIONS), start=2)

# %% [markdown]
# Few neighbours give many small groups; many neighbours give one cloud. KL values of different perplexities cannot be
# compared. Show more than one perplexity: what you conclude should not depend on it.
#
# ## A map of training songs
#
# The same network and settings. Left: the songs that trained it. Right: the held-out songs.

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.6))
for ax, (name, some) in zip(axes, {"training songs": train, "held-out songs": held_out}.items()):
    draw(ax, tsne(learned["arousal"].loc[some]), "arousal", f"learned, {name}")

# %% [markdown]
# The left map is sorted much better. It shows how well the network fits labels that it was given. The paper does not
# say whether its map shows training songs.
#
# ## Two numbers
#
# **k-nearest-neighbour R².** Predict each song's label as the mean label of its *k* nearest songs, in ten folds. R² is
# high if songs with similar labels are neighbours.
#
# **Trustworthiness** (Venna and Kaski 2001). Are the *k* nearest songs on the map also neighbours in the space? 1: all
# are; about 0.5: the map is random. It does not use the labels.

# %%
K = 5


def neighbour_r2(points: pd.DataFrame, dimension: str) -> float:
    known, folds = labels.loc[points.index, dimension], KFold(10, shuffle=True, random_state=0)
    scaled = StandardScaler().fit_transform(points)
    return r2(known, cross_val_predict(KNeighborsRegressor(K), scaled, known, cv=folds))


def trusted(points: pd.DataFrame, at: pd.DataFrame) -> float:
    return trustworthiness(StandardScaler().fit_transform(points), at, n_neighbors=K)


trust = {kind: trusted(s["arousal"].loc[held_out], tsne(s["arousal"].loc[held_out])) for kind, s in spaces.items()}
pd.Series(trust, name="trustworthiness of the map").round(2).to_frame().T

# %% [markdown]
# The result of one split into halves may be chance. So we train the network on **eight** random halves and measure each time.
# **Predict:** does the network make neighbours more alike on *held-out* songs?

# %%
def measured(seed: int) -> dict[tuple[str, str], float]:
    train, held_out = halves_of(seed)
    found = spaces_of(train) if seed else spaces
    learned, original = found["learned by triplets"], found["original features"]
    values = {}
    for d in DIMENSIONS:
        values[d, "learned, training songs"] = neighbour_r2(learned[d].loc[train], d)
        values[d, "learned, held-out songs"] = neighbour_r2(learned[d].loc[held_out], d)
        values[d, "original, held-out songs"] = neighbour_r2(original[d].loc[held_out], d)
        values[d, "learned - original"] = values[d, "learned, held-out songs"] - values[d, "original, held-out songs"]
    return values


splits = pd.DataFrame({seed: measured(seed) for seed in range(8)}).T

# %% tags=["hide-input"]
rows = splits.agg(["mean", "min", "max"]).T.set_axis(["value", "low", "high"], axis=1)
fig, axes = plt.subplots(1, 2, figsize=(11, 2.6), sharey=True)
for ax, d in zip(axes, DIMENSIONS):
    plots.draw_differences(rows.loc[d], ax=ax, unit="neighbour R²: mean, lowest, highest of 8 splits")
    ax.set_title(f"{d} (synthetic)")

# %% tags=["hide-input"]
added = splits.xs("learned - original", axis=1, level=1)
gap = {d: splits[d, "learned, training songs"] - splits[d, "learned, held-out songs"] for d in DIMENSIONS}
Markdown(
    "On held-out songs the network changes the neighbour R² by "
    + " and ".join(f"**{added[d].mean():+.2f} ± {added[d].std():.2f}** in {d}" for d in DIMENSIONS)
    + f" (mean and standard deviation over {len(splits)} splits; "
    + " and ".join(f"{int((added[d] > 0).sum())} of {len(splits)} above 0 in {d}" for d in DIMENSIONS)
    + "). On training songs it looks better by "
    + " and ".join(f"{gap[d].mean():.2f} ({d})" for d in DIMENSIONS)
    + ". The splits share songs, so the spread is not a confidence interval: it shows how much *one* split can mislead."
)

# %% [markdown]
# ## Frames of one song
#
# The Elman network of lesson 03 has ten hidden units. Lesson 07's variational autoencoder (VAE) has 32 latents, learned
# from sound alone. Both are trained here on songs of the training half. We draw frames of half of the held-out songs, one
# every 7.5 s; a line connects the frames of one song.

# %% tags=["hide-input"]
some = held_out[::2]  # every second song, to save time
halves = {"train": corpus.select(train), "held out": corpus.select(some)}
elman = models.ElmanRNN(seed=0).fit(halves["train"].features, halves["train"].labels)
frames = halves["held out"].labels[halves["held out"].labels.groupby("song_id").cumcount() % 15 == 0]
heard = corpus.features.loc[frames.index]


def mel_of(song_ids: np.ndarray) -> pd.DataFrame:
    return pd.concat([extract(corpus.songs.audio[song_id], ("mel",)) for song_id in song_ids])


vae = VAE(steps=300).fit(mel_of(train[::4]))
memory = {
    "260 features": (heard - corpus.features.loc[train].mean()) / corpus.features.loc[train].std(),
    "latents of a VAE": vae.transform(mel_of(some)).loc[frames.index],
    "hidden units": elman.states(halves["held out"].features).loc[frames.index],
}

# %% tags=["hide-input"]
fig, axes = plt.subplots(2, 3, figsize=(12, 6.4))
frame_maps = {kind: tsne(points, perplexity=30) for kind, points in memory.items()}
for row, name in zip(axes, DIMENSIONS):
    for ax, (kind, at) in zip(row, frame_maps.items()):
        for _, song in at.groupby("song_id"):
            ax.plot(song["x"], song["y"], color=plots.GREY, lw=0.5, zorder=0)
        drawn = ax.scatter(at["x"], at["y"], c=frames[name], s=14, cmap="viridis", vmin=-0.6, vmax=0.6)
        ax.set(xticks=[], yticks=[], title=f"{kind}, {name}")
    fig.colorbar(drawn, ax=row[-1], label=f"rated {name}")

# %% [markdown]
# The nearest neighbour of a frame can be a frame of *the same song*, with nearly the same label. A neighbour R² that
# uses it has the leak of lesson 02. **Predict:** how much does R² fall if whole songs are held out?


# %%
def frame_r2(points: pd.DataFrame, name: str, folds: list) -> float:
    guessed = cross_val_predict(KNeighborsRegressor(K), points, frames[name], cv=folds)
    return r2(frames[name], guessed)


# %% tags=["hide-input"]
by_song = frames.index.get_level_values("song_id")
ways = {
    "frames shuffled (leaks)": list(KFold(10, shuffle=True, random_state=0).split(frames)),
    "other songs": list(GroupKFold(10).split(frames, groups=by_song)),
}
of_frames = pd.DataFrame(
    {
        (name, way): {kind: frame_r2(points, name, folds) for kind, points in memory.items()}
        for name in DIMENSIONS
        for way, folds in ways.items()
    }
)
of_frames.round(2)

# %% [markdown]
# Shuffled frames give a higher R² than other songs do, for every space, trained or not. Only the columns “other songs”
# are evidence, here from one split.
#
# ## What t-SNE cannot show
#
# **Groups.** A hundred points of *pure noise* in 20 dimensions have no groups. **Predict:** will a map show some?

# %% tags=["hide-input"]
noise = pd.DataFrame(np.random.default_rng(1).normal(size=(100, 20)))


def clumps(perplexity: float) -> plt.Figure:
    fig, axes = plt.subplots(1, 2, figsize=(8.5, 3.6))
    for seed, ax in enumerate(axes):
        at = TSNE(perplexity=perplexity, init="random", random_state=seed, max_iter=1000, learning_rate=10).fit_transform(noise)
        ax.plot(*at.T, "o", color=plots.GREY, ms=4)
        kept = trustworthiness(noise, at, n_neighbors=K)
        ax.set(xticks=[], yticks=[], title=f"noise, seed {seed}: trustworthiness {kept:.2f}")
    fig.suptitle(f"perplexity {perplexity}")
    return fig


widgets.FigureSlider.draw("perplexity of noise", [2, 5, 30], clumps)

# %% [markdown]
# At a low perplexity noise has clumps, and another seed has other clumps. Trustworthiness is well above 0.5 all the
# same: it says that near points stayed near, not that there is structure.
#
# **Sizes and distances.** Three groups in 10 dimensions. The second is **ten times as wide** as the first; the third is
# **ten times as far** from the first as the second is.

# %% tags=["hide-input"]
rng = np.random.default_rng(2)
centres = np.zeros((3, 10))
centres[1, 0], centres[2, 1] = 20, 200
group = np.repeat([0, 1, 2], 40)
three = centres[group] + rng.normal(size=(120, 10)) * np.array([0.5, 5.0, 0.5])[group][:, None]
fig, axes = plt.subplots(1, 3, figsize=(11, 3.8))
fig.suptitle("wide : narrow, and far : near; both are 10 : 1 in truth")
for ax, perplexity in zip(axes, (5, 15, 35)):
    at = TSNE(perplexity=perplexity, init="pca", random_state=0, max_iter=1000, learning_rate=10).fit_transform(three)
    middle = np.stack([at[group == g].mean(axis=0) for g in range(3)])
    spread = np.array([at[group == g].std(axis=0).mean() for g in range(3)])
    far = np.linalg.norm(middle - middle[0], axis=1)
    for g, name in enumerate(("narrow", "wide", "far")):
        ax.plot(*at[group == g].T, "o", ms=4, color=("black", "C1", "C2")[g], label=name)
    ax.set(xticks=[], yticks=[], title=f"perplexity {perplexity}")
    ax.set_xlabel(f"width {spread[1] / spread[0]:.1f} : 1, distance {far[2] / far[1]:.1f} : 1")
axes[0].legend(fontsize="small")
plt.show()

# %% [markdown]
# **The size of a group and the distance between groups cannot be read from a t-SNE map.** The map has no axes, either:
# a rotated or mirrored map is the same map.
#
# ## Exercises
#
# **1 (code).** What is the neighbour R² of *arousal* with **one** neighbour, in the learned arousal space of the
# held-out songs? Use the same ten folds.
#
# <details><summary>Hint</summary>
#
# As `neighbour_r2`, with `KNeighborsRegressor(1)`: scale the points, predict with `cross_val_predict`, then `r2`.
#
# </details>

# %% tags=["exercise"]
one_neighbour = ...
# solution:
points = learned["arousal"].loc[held_out]
known = labels.loc[held_out, "arousal"]
folds = KFold(10, shuffle=True, random_state=0)
nearest = KNeighborsRegressor(1)
one_neighbour = r2(known, cross_val_predict(nearest, StandardScaler().fit_transform(points), known, cv=folds))

# %%
wanted = labels.loc[held_out, "arousal"]
scaled = StandardScaler().fit_transform(learned["arousal"].loc[held_out])
ten = list(KFold(10, shuffle=True, random_state=0).split(scaled))


def by_one(space: np.ndarray, y: pd.Series, folds: list) -> float:
    return r2(y, cross_val_predict(KNeighborsRegressor(1), space, y, cv=folds))


z_train = StandardScaler().fit_transform(learned["arousal"].loc[train])
z_valence = StandardScaler().fit_transform(learned["valence"].loc[held_out])
lesson.check_answer(
    "1",
    one_neighbour,
    by_one(scaled, wanted, ten),
    tolerance=1e-6,
    hint="As `neighbour_r2`, with one neighbour.",
    mistakes={
        "Each song is its own nearest neighbour: predict songs of the other folds only.": 1.0,
        "That has five neighbours.": neighbour_r2(learned["arousal"].loc[held_out], "arousal"),
        "That is the space of valence.": by_one(z_valence, wanted, ten),
        "Those are the training songs.": by_one(z_train, labels.loc[train, "arousal"], ten),
    },
)

# %% [markdown]
# **2 (code).** Does the map keep distances? Compute Spearman's correlation between all pairwise distances on the map,
# `tsne(learned["arousal"].loc[held_out])`, and in the scaled space.
#
# <details><summary>Hint</summary>
#
# `scipy.spatial.distance.pdist` gives all pairwise distances of the rows of a table.
#
# </details>

# %% tags=["exercise"]
rank_correlation = ...
# solution:
from scipy.spatial.distance import pdist

space_distances = pdist(StandardScaler().fit_transform(learned["arousal"].loc[held_out]))
map_distances = pdist(tsne(learned["arousal"].loc[held_out]))
rank_correlation = spearmanr(space_distances, map_distances).statistic

# %%
upper = np.triu_indices(len(held_out), 1)
on_map = {k: tsne(learned["arousal"].loc[held_out], perplexity=k).to_numpy() for k in (15, 40)}
pairs = {k: np.linalg.norm(z[:, None] - z, axis=2)[upper] for k, z in (on_map | {"space": scaled}).items()}
lesson.check_answer(
    "2",
    rank_correlation,
    spearmanr(pairs["space"], pairs[15]).statistic,
    tolerance=1e-3,
    hint="`spearmanr(one, other).statistic`.",
    mistakes={
        "That is Pearson's r: take the ranks.": np.corrcoef(pairs["space"], pairs[15])[0, 1],
        "That is the map with another perplexity.": spearmanr(pairs["space"], pairs[40]).statistic,
        "Distances were compared with themselves.": 1.0,
    },
)

# %% [markdown]
# **3 (open).** A paper shows one t-SNE map of a learned space, coloured by valence, and writes: “the network has
# discovered four emotional clusters”. Write the questions that a reviewer must ask.
#
# <details><summary>A possible answer</summary>
#
# Are these training songs or held-out songs? Which perplexity, how many steps, which final KL, and do other
# perplexities and seeds show four groups as well? Does a map of the original features, or of noise of the same size,
# show groups? Is one song one point, or do many frames of a song form a “cluster”? What is the neighbour R² on held-out
# songs, over several splits, beside that of the original features? Do four groups appear in the learned space itself,
# for example by a clustering that is stable under resampling of the songs?
#
# </details>
#
# ## Summary
#
# - t-SNE keeps **neighbours**; perplexity sets how many. Check that the map is finished.
# - Draw **held-out** songs: a learned space is always sorted where it was trained.
# - Give **numbers** with a map: neighbour R² on held-out songs over several splits, and trustworthiness.
# - Frames of one song are neighbours for a trivial reason: hold out whole songs.
# - Sizes, distances and axes of a map mean nothing, and noise shows groups.
#
# ## References
#
# - van der Maaten, Hinton (2008). Visualizing data using t-SNE. *JMLR*.
# - Herremans, Cheuk, Luo, Agres (2019). Untangling indices of emotion in music using neural networks.
# - Kingma, Welling (2014). Auto-encoding variational Bayes. *ICLR*.
# - Venna, Kaski (2001). Neighborhood preservation in nonlinear projection methods. *ICANN*.
# - Wattenberg, Viégas, Johnson (2016). How to use t-SNE effectively. *Distill*.

# %% tags=["hide-input"]
lesson.check_numbers(
    "08",
    {f"{d}, {kind}, mean of splits": (splits[d, kind].mean(), 0.1) for d, kind in splits}
    | {"perplexity at sigma 8": (widths[8], 0.5)}
    | {
        f"{name}, {kind}, frames of other songs": (of_frames.loc[kind, (name, "other songs")], 0.15)
        for name in DIMENSIONS
        for kind in memory
    },
)
