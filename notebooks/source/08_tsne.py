# %% [markdown]
# # 08 · Seeing what was learned: t-SNE, and what it can't tell
#
# *45 minutes. You need: lessons 03, 06 and 07.*
#
# **What you will learn**
#
# 1. what a t-SNE map keeps of many dimensions, and what *perplexity* sets;
# 2. how original and learned features look, coloured by valence and by arousal;
# 3. two numbers for what the eye believes: *k*-nearest-neighbour R² and *trustworthiness*;
# 4. why the map of training songs flatters, and must be drawn of songs held out;
# 5. what latents of an autoencoder and hidden units of a recurrent network look like, and how frames of one song mislead;
# 6. what a t-SNE map can't tell: distances, sizes, and whether there are groups at all.

# %%
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
corpus = lesson.corpus()
corpus = corpus.split("dev")
features, labels = song_level(corpus.features), corpus.songs[DIMENSIONS]

# %% [markdown]
# ## Listen and look
#
# The paper of lesson 06 (Herremans et al. 2019) shows two clouds of songs side by side: the original
# features and the ones that its triplet network learned. The second looks sorted by emotion. Let us draw
# it, and then ask what has been seen.
#
# Half of the development songs (synthetic) train the network; the other half, drawn by lot, is **held out**. First an
# example:
# a held-out song and the held-out song nearest to it in the learned arousal space. Do they belong together?

# %%
shuffled = np.random.default_rng(0).permutation(labels.index)
train, held_out = np.sort(shuffled[: len(shuffled) // 2]), np.sort(shuffled[len(shuffled) // 2 :])
network = models.TripletNetwork(dimensions=8).fit(features.loc[train], labels.loc[train])
scaler = StandardScaler().fit(features.loc[train])
original = pd.DataFrame(scaler.transform(features), labels.index)
learned = {name: network.transform(features).filter(like=f"{name}_") for name in DIMENSIONS}

shown = learned["arousal"].loc[held_out]
apart = np.linalg.norm(shown.to_numpy()[:, None] - shown.to_numpy(), axis=2) + np.diag([np.inf] * len(shown))
pair = held_out[list(np.unravel_index(apart.argmin(), apart.shape))]
for song_id in pair:
    print(f"song {song_id} ({corpus.songs.genre[song_id]}), rated arousal {labels.arousal[song_id]:+.2f}")
    display(Audio(corpus.songs.audio[song_id]))

# %%
spaces = {"original features": {name: original for name in DIMENSIONS}, "learned by triplets": learned}

# %% [markdown]
# ## The idea: keep the neighbours
#
# t-SNE (t-distributed stochastic neighbour embedding; van der Maaten and Hinton 2008) turns distances into *chances of being neighbours*. In the many
# dimensions, song $j$ is a neighbour of song $i$ with
#
# $$p_{j|i} = \frac{\exp(-\lVert x_i-x_j\rVert^2 / 2\sigma_i^2)}{\sum_{k\ne i}\exp(-\lVert x_i-x_k\rVert^2 / 2\sigma_i^2)}$$
#
# where $x_i$ are the features of song $i$, and $\sigma_i$ is chosen so that each song has about as many neighbours as
# the **perplexity** says. On the map, where song $i$ has the place $y_i$ (not a label here), the same is done with a
# heavier-tailed curve, $q_{ij}\propto(1+\lVert y_i-y_j\rVert^2)^{-1}$, and
# the points are moved until $q_{ij}$ is like $p_{ij} = (p_{j|i}+p_{i|j})/2n$ for the $n$ songs, by gradient descent on
#
# $$\mathrm{KL}(P\Vert Q)=\sum_{i\ne j} p_{ij}\log\frac{p_{ij}}{q_{ij}}.$$
#
# A neighbour that gets lost costs much, a stranger that comes near costs little. So t-SNE takes care of
# **who is near whom**, and of little else.


# %%
def neighbour_chances(x: np.ndarray, sigma: float) -> np.ndarray:
    squares = ((x[:, None] - x) ** 2).sum(axis=2)
    weights = np.exp(-squares / (2 * sigma**2))
    np.fill_diagonal(weights, 0)
    return weights / weights.sum(axis=1, keepdims=True)


def perplexity_of(chances: np.ndarray) -> np.ndarray:
    logs = np.log2(chances, where=chances > 0, out=np.zeros_like(chances))
    return 2 ** -(chances * logs).sum(axis=1)


widths = pd.Series(
    {sigma: perplexity_of(neighbour_chances(original.to_numpy(), sigma)).mean() for sigma in (4, 8, 12, 20, 200)}
)
widths.rename_axis("sigma").rename("mean perplexity: neighbours that count").round(1).to_frame()


# %% [markdown]
# A narrow curve sees one neighbour, a very wide one all other songs alike. t-SNE turns this round: you
# say how many, it finds the width, for each song by itself.
#
# ### Experiment: perplexity
#
# Left: original features; right: learned ones, of the *same held-out songs*. Above, colour is valence;
# below, arousal. The left maps differ in nothing but colour.

# %%
def tsne(points: pd.DataFrame, *, perplexity: float = 15, seed: int = 0) -> pd.DataFrame:
    near = TSNE(perplexity=perplexity, init="pca", random_state=seed, max_iter=400, learning_rate=50)
    scaled = StandardScaler().fit_transform(points)
    return pd.DataFrame(near.fit_transform(scaled), points.index, ["x", "y"])


def draw(ax: plt.Axes, at: pd.DataFrame, dimension: str, title: str) -> None:
    colours = {"c": labels.loc[at.index, dimension], "cmap": "viridis", "vmin": -0.6, "vmax": 0.9}
    drawn = ax.scatter(at["x"], at["y"], s=24, **colours)
    ax.set(xticks=[], yticks=[], title=title)
    if "learned" in title:
        ax.figure.colorbar(drawn, ax=ax, label=f"rated {dimension}")


perplexities = [2, 15, 40]
maps = {
    (perplexity, kind, name): tsne(space[name].loc[held_out], perplexity=perplexity)
    for perplexity in perplexities
    for kind, space in spaces.items()
    for name in DIMENSIONS
    if kind != "original features" or name == DIMENSIONS[0]
}


def map_of(perplexity: float, kind: str, name: str) -> pd.DataFrame:
    return maps.get((perplexity, kind, name), maps.get((perplexity, kind, DIMENSIONS[0])))


def both(perplexity: float) -> plt.Figure:
    fig, axes = plt.subplots(2, 2, figsize=(9, 6.4))
    for row, name in zip(axes, DIMENSIONS):
        for ax, kind in zip(row, spaces):
            draw(ax, map_of(perplexity, kind, name), name, f"{kind}, {name}")
    fig.suptitle(f"held-out songs, perplexity {perplexity}")
    return fig


widgets.FigureSlider.draw("perplexity", perplexities, both, start=1)

# %% [markdown]
# ## The flattering map
#
# The same network, the same settings. Left: the songs that it was trained on. Right: the held-out ones.

# %%
fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.6))
for ax, (name, some) in zip(axes, {"training songs": train, "held-out songs": held_out}.items()):
    draw(ax, tsne(learned["arousal"].loc[some]), "arousal", f"learned, {name}")

# %% [markdown]
# The left one is the picture that is usually shown. It says how well the network did on songs whose
# labels it was given. Was Figure 2 of the paper drawn of training songs, too? The paper does not say.
#
# ## What does the eye believe? Two numbers
#
# **k-nearest-neighbour R².** Predict each song's label as the mean of its *k* nearest songs in the
# space, among those of the other nine folds of ten. If like colours really lie together, R² is high.
#
# **Trustworthiness** (Venna and Kaski 2001). Of the *k* nearest songs on the map, are some no neighbours
# in the space that the map was made of? 1: none; about 0.5: the map is random. It says nothing of
# labels, only whether to trust the map.

# %%
K = 5


def neighbour_r2(points: pd.DataFrame, dimension: str) -> float:
    known, folds = labels.loc[points.index, dimension], KFold(10, shuffle=True, random_state=0)
    guessed = cross_val_predict(KNeighborsRegressor(K), StandardScaler().fit_transform(points), known, cv=folds)
    return r2(known, guessed)


def trusted(points: pd.DataFrame, at: pd.DataFrame) -> float:
    return trustworthiness(StandardScaler().fit_transform(points), at, n_neighbors=K)


rows = {}
for some_name, some in {"training songs": train, "held-out songs": held_out}.items():
    for kind, space in spaces.items():
        for name in DIMENSIONS:
            points = space[name].loc[some]
            at = tsne(points)
            rows[some_name, name, kind] = {
                "dimensions": points.shape[1],
                "neighbour R², space": neighbour_r2(points, name),
                "neighbour R², map": neighbour_r2(at, name),
                "trustworthiness of map": trusted(points, at),
            }
numbers = pd.DataFrame.from_dict(rows, orient="index").rename_axis(["songs", "label", "space"])
numbers.round(2)

# %%
flatter = numbers["neighbour R², space"].unstack("songs").xs("learned by triplets", level="space")
gain = numbers["neighbour R², space"].unstack("space").loc["held-out songs"]
Markdown(
    "Neighbours in the learned space (R² on the embedded, **synthetic** corpus): "
    + "; ".join(
        f"**{name}** {flatter.loc[name, 'training songs']:z.2f} among training songs, "
        f"{flatter.loc[name, 'held-out songs']:z.2f} among held-out ones, where the original features have "
        f"{gain.loc[name, 'original features']:z.2f}"
        for name in DIMENSIONS
    )
    + ". What the network adds is the last difference. The first is what a map of training songs shows."
)

# %% [markdown]
# ## What does a memory remember?
#
# The Elman network of lesson 03 turns each half second into ten hidden units, which depend on all that was
# heard before. Trained on the same half of the songs; drawn are frames of the held-out ones, one every
# 7.5 s, by the 260 features of that second and by the hidden units. A line joins the frames of one song.
#
# Between them stand the **32 latents** of lesson 07's variational autoencoder. It has learned its features, too, but from
# *sound alone*: from every other training song, without a label, and without a memory.

# %%
halves = {"train": corpus.select(train), "held out": corpus.select(held_out)}
elman = models.ElmanRNN(seed=0).fit(halves["train"].features, halves["train"].labels)
frames = halves["held out"].labels[halves["held out"].labels.groupby("song_id").cumcount() % 15 == 0]
heard = corpus.features.loc[frames.index]


def mel_of(song_ids: np.ndarray) -> pd.DataFrame:
    return pd.concat([extract(corpus.songs.audio[song_id], ("mel",)) for song_id in song_ids])


vae = VAE(steps=600).fit(mel_of(train[::2]))
memory = {
    "260 features": (heard - corpus.features.loc[train].mean()) / corpus.features.loc[train].std(),
    "latents of a VAE": vae.transform(mel_of(held_out)).loc[frames.index],
    "hidden units": elman.states(halves["held out"].features).loc[frames.index],
}
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
# How often is the nearest neighbour of a frame a frame of *the same song*, whose label is nearly the same?
# By chance it would hardly
# ever be. A neighbour R² must not use such neighbours: that would be the
# leak of lesson 02 again. So its folds are of whole songs; the column beside it shows what shuffled frames
# would have claimed.


# %%
def frame_r2(points: pd.DataFrame, name: str, folds: list) -> float:
    guessed = cross_val_predict(KNeighborsRegressor(K), points, frames[name], cv=folds)
    return r2(frames[name], guessed)


def own_song(points: pd.DataFrame) -> float:
    songs = points.index.get_level_values("song_id")
    away = np.linalg.norm(points.to_numpy()[:, None] - points.to_numpy(), axis=2)
    np.fill_diagonal(away, np.inf)
    return float((songs[away.argmin(axis=1)] == songs).mean())


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
of_frames["map", "trustworthiness"] = [trusted(memory[kind], at) for kind, at in frame_maps.items()]
of_frames["nearest", "is own song"] = [own_song(points) for points in memory.values()]
of_frames.round(2)

# %%
Markdown(
    "Among *other* songs, neighbours by hidden units tell "
    + " and ".join(
        f"{name} with R² = {of_frames.loc['hidden units', (name, 'other songs')]:z.2f} (features: "
        f"{of_frames.loc['260 features', (name, 'other songs')]:z.2f}, latents: "
        f"{of_frames.loc['latents of a VAE', (name, 'other songs')]:z.2f})"
        for name in DIMENSIONS
    )
    + ". Ten units were trained to say both; 260 features were trained for nothing; the latents were trained to give "
    "back the sound, whatever it means."
)

# %% [markdown]
# ## What t-SNE can't tell
#
# ### Groups that are not there
#
# A hundred points of *pure noise* in 20 dimensions: no groups, no order. At a low perplexity they clump
# all the same.

# %%
noise = pd.DataFrame(np.random.default_rng(1).normal(size=(100, 20)))


def clumps(perplexity: float) -> plt.Figure:
    fig, axes = plt.subplots(1, 2, figsize=(8.5, 3.6))
    for seed, ax in enumerate(axes):
        at = TSNE(perplexity=perplexity, init="random", random_state=seed, max_iter=400).fit_transform(noise)
        ax.plot(*at.T, "o", color=plots.GREY, ms=4)
        kept = trustworthiness(noise, at, n_neighbors=K)
        ax.set(xticks=[], yticks=[], title=f"noise, seed {seed}: trustworthiness {kept:.2f}")
    fig.suptitle(f"perplexity {perplexity}")
    return fig


widgets.FigureSlider.draw("perplexity of noise", [2, 5, 30], clumps)

# %% [markdown]
# Two seeds, two maps: what is drawn left, right, near and far changes. And trustworthiness is well above
# 0.5 although there is nothing to see: **a faithful map of nothing.** It does not say that there is
# structure, only that the nearest stayed near.
#
# ### Sizes and distances
#
# Three groups in 10 dimensions. The second is **ten times as wide** as the first; the third is **ten
# times as far** from the first as the second is.

# %%
rng = np.random.default_rng(2)
centres = np.zeros((3, 10))
centres[1, 0], centres[2, 1] = 20, 200
group = np.repeat([0, 1, 2], 40)
three = centres[group] + rng.normal(size=(120, 10)) * np.array([0.5, 5.0, 0.5])[group][:, None]
fig, axes = plt.subplots(1, 3, figsize=(11, 3.6))
measured = {}
for ax, perplexity in zip(axes, (5, 15, 35)):
    at = TSNE(perplexity=perplexity, init="pca", random_state=0, max_iter=500).fit_transform(three)
    middle = np.stack([at[group == g].mean(axis=0) for g in range(3)])
    spread = np.array([at[group == g].std(axis=0).mean() for g in range(3)])
    far = np.linalg.norm(middle - middle[0], axis=1)
    measured[perplexity] = {"2nd : 1st in width": spread[1] / spread[0], "3rd : 2nd in distance": far[2] / far[1]}
    for g, name in enumerate(("narrow", "wide", "far")):
        ax.plot(*at[group == g].T, "o", ms=4, color=("black", "C1", "C2")[g], label=name)
    ax.set(xticks=[], yticks=[], title=f"perplexity {perplexity}")
axes[0].legend(fontsize="small")
ratios = pd.DataFrame(measured).T.rename_axis("perplexity")
ratios.assign(truth="10 : 1 and 10 : 1").round(1)

# %%
Markdown(
    f"True are 10 and 10. On the maps the wide group is {ratios.iloc[:, 0].min():.1f} to "
    f"{ratios.iloc[:, 0].max():.1f} times as wide as the narrow one, and the far one "
    f"{ratios.iloc[:, 1].min():.1f} to {ratios.iloc[:, 1].max():.1f} times as far away. **Size of a group and "
    "distance between groups can't be read off a t-SNE map.** Nor has a map axes: turned or mirrored it is "
    "the same map."
)

# %% [markdown]
# ## Exercises
#
# **1.** What is the 1-nearest-neighbour R² of *arousal* in the learned arousal space, among the held-out
# songs? Use `K = 1` in place of 5: `KNeighborsRegressor(1)`, with the same ten folds.
#
# <details><summary>Hint</summary>
#
# Take `neighbour_r2` apart: scale the points, predict with `cross_val_predict` and the same `KFold`, then `r2`.
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
scaled = StandardScaler().fit_transform(learned["arousal"].loc[held_out])
guesses = np.empty(len(held_out))
for rest, some in KFold(10, shuffle=True, random_state=0).split(scaled):
    away = np.linalg.norm(scaled[some][:, None] - scaled[rest], axis=2)
    guesses[some] = labels.loc[held_out[rest], "arousal"].to_numpy()[away.argmin(axis=1)]
lesson.check_answer(
    "1", one_neighbour, r2(labels.loc[held_out, "arousal"], guesses), tolerance=1e-6,
    hint="As `neighbour_r2`, with one neighbour.",
)

# %% [markdown]
# **2.** How faithful is a map of distances, beyond the nearest? Take the held-out songs' map at
# perplexity 15 of the learned *arousal* space, and compute Spearman's correlation between all pairwise
# distances on the map and in the (scaled) space.
#
# <details><summary>Hint</summary>
#
# `scipy.spatial.distance.pdist` gives all pairwise distances of the rows of a table; `map_of` has the map.
#
# </details>

# %% tags=["exercise"]
rank_correlation = ...
# solution:
from scipy.spatial.distance import pdist

space_distances = pdist(StandardScaler().fit_transform(learned["arousal"].loc[held_out]))
map_distances = pdist(map_of(15, "learned by triplets", "arousal"))
rank_correlation = spearmanr(space_distances, map_distances).statistic

# %%
upper = np.triu_indices(len(held_out), 1)
on_map = map_of(15, "learned by triplets", "arousal").to_numpy()
pairs = [np.linalg.norm(z[:, None] - z, axis=2)[upper] for z in (scaled, on_map)]
lesson.check_answer(
    "2", rank_correlation, spearmanr(*pairs).statistic, tolerance=1e-3,
    hint="`scipy.spatial.distance.pdist` gives all pairwise distances of rows.",
)

# %% [markdown]
# ## Summary
#
# - t-SNE keeps **neighbours**; perplexity says how many count.
# - Show **held-out** songs: a learned space is always tidy where it was learned.
# - Beside a map belong **numbers**: neighbour R² says whether like labels lie together, trustworthiness
#   whether the map may be believed.
# - Sizes of groups, distances between them, and axes mean nothing; noise clumps; other seed, other map.
#
# ## References
#
# - van der Maaten, Hinton (2008). Visualizing data using t-SNE. *JMLR*.
# - Herremans, Cheuk, Luo, Agres (2019). Untangling indices of emotion in music using neural networks.
# - Kingma, Welling (2014). Auto-encoding variational Bayes. *ICLR*.
# - Venna, Kaski (2001). Neighborhood preservation in nonlinear projection methods. *ICANN*.
# - Wattenberg, Viégas, Johnson (2016). How to use t-SNE effectively. *Distill*.

# %%
lesson.check_numbers(
    "08",
    {
        f"{name}, {kind}, {some}": (numbers.loc[(some, name, kind), "neighbour R², space"], 0.15)
        for some in ("training songs", "held-out songs")
        for name in DIMENSIONS
        for kind in spaces
    }
    | {"perplexity at sigma 8": (widths[8], 0.5)}
    | {
        f"{name}, {kind}, frames of other songs": (of_frames.loc[kind, (name, "other songs")], 0.15)
        for name in DIMENSIONS
        for kind in memory
    },
)
