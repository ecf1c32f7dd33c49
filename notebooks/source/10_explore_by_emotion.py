# %% [markdown]
# # 10 · Explore by emotion: hear it, point at it, draw it
#
# *45 minutes. You need: lesson 00 (the plane, curves of emotion); lesson 02 for the model that predicts your own song.*
#
# **What you will learn**
#
# 1. to find music by a point of the plane: whole songs, or moments in them;
# 2. to find it by a drawn course of emotion, compared moment by moment or with a warped clock;
# 3. dynamic time warping in eight lines, its band, and a bound that spares nearly all of its work;
# 4. what a band is worth, and when it is too wide;
# 5. to predict the emotion of your own song, and to read the interval around a prediction.
#
# In 2019 Herremans and colleagues put their models behind an interface: pick a point of the plane and get songs;
# draw a profile over time and get the songs that come closest to it. They don't say how the two were compared.
# Here you build it.

# %%
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import Markdown, display
from matplotlib import pyplot as plt

from mer_core import features, models, own_songs
from mer_core.metrics import DIMENSIONS
from mer_core.retrieval import alignment, nearest, search_profile
from workbook import explore, lesson, plots, widgets
from workbook.explore.own_song import MOST_BYTES, SUFFIXES

plots.use_style()
corpus = explore.library()

# %% [markdown]
# ## Hear it
#
# A song with two points that move on the plane as it plays: the mean rating (solid) and the prediction of the model in
# the package (dashed). This model is a linear regression on the music of the last 30 seconds. It was trained on
# **real** songs, DEAM and VGMIDI, and has never seen the songs of this corpus. In JupyterLab, run the cell and press
# *Play*; without a kernel you see a picture.

# %%
model = models.pretrained()
heard = corpus.songs[corpus.songs["split"].eq("test") & corpus.songs["audio"].notna()]
song_id = heard.index[0] if len(heard) else corpus.songs["audio"].dropna().index[0]
rated = {"rated": corpus.labels.loc[song_id]}
if not corpus.features.empty:
    rated["predicted"] = model.predict(corpus.features.loc[[song_id]]).loc[song_id]
widgets.Player(corpus.songs.audio[song_id], rated, title=f"Song {song_id}: {corpus.songs.title[song_id]}")

# %% [markdown]
# ## Point at it
#
# Each grey point is a song: the mean of its labels. Tap the plane, or move the point with the arrow keys; drag away
# from it for the radius. What you picked stands in `picker.valence` and `picker.arousal`, and the next cell uses it.

# %%
points = explore.song_points(corpus)
picker = widgets.PlanePicker(points, valence=0.5, arousal=0.5, radius=0.25)
picker

# %%
picked = np.array([picker.valence, picker.arousal])
nearest(points, picked, 5).round(2)

# %% [markdown]
# A song's mean hides its moments. Search the **half seconds** instead, and take the nearest of each song:

# %%
moments = nearest(corpus.labels, picked, len(corpus.labels)).groupby("song_id", sort=False).head(1)
moments.head(5).join(corpus.songs[["title", "artist"]]).round(2)

# %%
near_moments = np.hypot(*(corpus.labels - picked).to_numpy().T) <= picker.radius
near_means = np.hypot(*(points[DIMENSIONS] - picked).to_numpy().T) <= picker.radius
visited = corpus.labels.index[near_moments].unique("song_id")
reach = {"by their means": near_means.mean(), "at some moment": len(visited) / len(points)}
Markdown(
    f"Within {picker.radius:.2f} of the point lie **{reach['by their means']:.0%}** of the songs by their means, and "
    f"**{reach['at some moment']:.0%}** at some moment. Who looks for a corner of the plane should ask for moments: "
    "a mean is drawn to the middle by everything else that a song does."
)

# %% [markdown]
# ## Draw it
#
# Now a **profile**: how valence and arousal shall go, every half second. Choose one of the two, draw with mouse or
# finger (or left, right, up and down on the keyboard), then the other. To begin with, a storm that calms down:

# %%
t = np.linspace(0, 1, 30)
calming = pd.DataFrame({"valence": 0.4 * t - 0.2, "arousal": 0.4 - 0.5 * t**2}, pd.Index(np.arange(30) / 2, name="time"))
drawing = widgets.ProfileDrawing(15, profile=calming)
drawing

# %% [markdown]
# Which piece of which song follows it? Of every song, all pieces of 15 s are compared and the best is told.

# %%
profile = drawing.profile.dropna(axis="columns")  # a dimension that isn't drawn isn't asked for
found = search_profile(corpus.labels, profile, 5)
explore.describe_pieces(found, corpus).round(2)

# %%
piece = found.iloc[0]
explore.draw_match(profile, explore.piece_of(corpus.labels, piece), band=None)
plt.show()

# %% [markdown]
# Listen to the piece (it is shaded on the waveform), and to what you drew as the second point:

# %%
shown = {"rated": corpus.labels.loc[piece["song_id"]]}
if len(profile.columns) == 2:
    shown["drawn"] = explore.shifted(profile, piece["start"])
title, audio = corpus.songs.loc[piece["song_id"], ["title", "audio"]]
stretch = {"start": piece["start"], "end": piece["end"]}
widgets.Player(audio, shown, title=title, **stretch) if pd.notna(audio) else Markdown("No audio of it in this copy.")

# %% [markdown]
# ## The idea: a clock that may be warped
#
# Let $p_1, \dots, p_n$ be the profile and $c_1, \dots, c_n$ a curve of as many frames, both points of the plane. The
# **Euclidean distance** compares moment by moment:
#
# $$d_E(p, c) = \sqrt{\sum_{t=1}^{n} \lVert p_t - c_t \rVert^2}$$
#
# It is strict: a curve that does the same two seconds later is far away. Nobody draws to the second, and raters react
# late. **Dynamic time warping** (DTW; Sakoe and Chiba 1978) also chooses *which moments belong together*: a path of pairs
# $(i, j)$ from $(1, 1)$ to $(n, n)$, on which each step goes on in $i$, in $j$, or in both. The cheapest path follows
# from a recursion: the last pair of a best path is preceded by a best path.
#
# $$D_{i,j} = \lVert p_i - c_j \rVert^2 + \min\left(D_{i-1,j-1},\; D_{i-1,j},\; D_{i,j-1}\right), \qquad
# d_{DTW}(p, c) = \sqrt{D_{n,n}}$$
#
# The **band** forbids pairs that are too far apart, $|i - j| \le r$. With $r = 0$ only the diagonal is left, and DTW
# is the Euclidean distance. In full:


# %%
def dtw(profile: np.ndarray, curve: np.ndarray, radius: int) -> np.ndarray:
    """D, with i down and j to the right; infinite outside the band."""
    n = len(profile)
    D = np.full((n + 1, n + 1), np.inf)
    D[0, 0] = 0
    for i in range(1, n + 1):
        for j in range(max(1, i - radius), min(n, i + radius) + 1):
            cost = np.sum((profile[i - 1] - curve[j - 1]) ** 2)
            D[i, j] = cost + min(D[i - 1, j - 1], D[i - 1, j], D[i, j - 1])
    return D[1:, 1:]


# %% [markdown]
# The piece that was found, warped by hand: the accumulated cost, the cheapest path through it, and the pairs that it
# makes.

# %%
curve = explore.piece_of(corpus.labels, piece)
sides = profile.to_numpy(), curve[list(profile)].to_numpy()
radius = 3
D = dtw(*sides, radius)
path = alignment(profile, curve[list(profile)], band=radius / len(profile))
fig, ax = plt.subplots(figsize=(4.6, 4))
image = ax.imshow(np.sqrt(D), origin="lower", cmap="cividis")
fig.colorbar(image, label="root of the accumulated cost")
ax.plot(path[:, 1], path[:, 0], "w.-", lw=1, label="cheapest path")
ax.set(xlabel="frame of the curve, j", ylabel="frame of the profile, i", title=f"a band of {radius} frames")
ax.grid(visible=False)
ax.legend(loc="upper left", fontsize="small", labelcolor="white", facecolor="0.3")
plt.show()

# %%
straight = float(np.sqrt(np.sum((sides[0] - sides[1]) ** 2)))
warped = float(np.sqrt(D[-1, -1]))
Markdown(
    f"Moment by moment the piece is **{straight:.2f}** away, warped by up to {radius / 2:g} s **{warped:.2f}**. "
    f"Warping never makes a distance larger: the diagonal is one of the paths."
)

# %% [markdown]
# ### Most of the work can be spared
#
# DTW takes $n(2r+1)$ steps for each piece, and there are as many pieces as there are moments. **LB_Keogh** (Keogh and
# Ratanamahatana 2005) sees beforehand which of them can't be among the best. Around the profile lies an envelope: at
# each moment the lowest $L_j$ and the highest $U_j$ that it is within the band. A curve's frame $j$ has to be matched
# to *something* in the band, so it pays at least its way to the envelope:
#
# $$LB(p, c)^2 = \sum_{j=1}^{n} \left\lVert c_j - \mathrm{clip}(c_j, L_j, U_j) \right\rVert^2 \;\le\; d_{DTW}(p, c)^2$$
#
# So: compute all bounds, which is fast; go through the pieces from the lowest bound upwards; stop when the next bound is
# above the k-th best distance so far. No result changes. `search_profile` does this in compiled code, with one more
# bound (from the profile to the *curve's* envelope), and leaves a piece as soon as its path costs too much.


# %%
def lower_bound(profile: np.ndarray, curve: np.ndarray, radius: int) -> float:
    total = 0.0
    for j, point in enumerate(curve):
        near = profile[max(0, j - radius) : j + radius + 1]
        outside = point - np.clip(point, near.min(axis=0), near.max(axis=0))
        total += np.sum(outside**2)
    return np.sqrt(total)


# %%
some = corpus.labels.index.unique("song_id")[:100]  # plain Python is slow: a piece of each of the first hundred
pieces = [corpus.labels.loc[song, list(profile)].to_numpy()[: len(profile)] for song in some]
bounds = np.array([lower_bound(sides[0], one, radius) for one in pieces])
distances = np.array([np.sqrt(dtw(sides[0], one, radius)[-1, -1]) for one in pieces])
fifth = np.sort(distances)[4]
spared = float((bounds > fifth).mean())
fig, (left, right) = plt.subplots(1, 2, figsize=(10.5, 3.6))
name = profile.columns[-1]
steps = range(len(profile))
near = [profile[name].iloc[max(0, j - radius) : j + radius + 1] for j in steps]
lowest, highest = [one.min() for one in near], [one.max() for one in near]
left.fill_between(steps, lowest, highest, color=plots.PALETTE[name], alpha=0.25, label="envelope of the profile")
example = pieces[int(np.argsort(distances)[len(distances) // 2])][:, -1]
left.plot(steps, example, "k", lw=1.5, label="a curve")
left.vlines(steps, example, np.clip(example, lowest, highest), color=plots.GREY, lw=1, label="what it pays at least")
left.set(xlabel="frame", ylabel=name, ylim=(-1, 1), title="LB_Keogh")
left.legend(fontsize="small")
right.plot(bounds, distances, ".", color="C2")
right.axline((0, 0), slope=1, color=plots.GREY, lw=1)
right.axvline(fifth, color="k", ls="--", lw=1, label="the fifth best distance")
right.set(xlabel="lower bound", ylabel="DTW distance", title="right of the dashed line nothing needs warping")
right.legend(fontsize="small")
plt.show()

# %%
Markdown(
    f"For the five best of {len(some)} pieces, **{spared:.0%}** need no warping at all: their bound alone rules "
    f"them out. The bound is never above the distance (largest excess: {max(0, float((bounds - distances).max())):.1g})."
)

# %% [markdown]
# ### Experiment: how wide should the band be?
#
# A test with a known answer. Take a song's own curve as somebody might draw it: **two seconds late** and with a
# trembling hand (standard deviation 0.05). Does the search find the song among all? Where on the plane a song lies
# would give it away, so the mean is taken off every curve and every drawing: only the *course* counts. Curves of
# 30 s are compared as wholes; move the band.

# %%
half_minutes = corpus.labels[corpus.labels.groupby("song_id").cumcount() < 60]
half_minutes = half_minutes[half_minutes.groupby("song_id")["valence"].transform("size") == 60]
courses = half_minutes - half_minutes.groupby("song_id").transform("mean")
songs = courses.index.unique("song_id")
asked = songs[:: max(1, len(songs) // 56)][:56]
rng = np.random.default_rng(0)


def as_drawn(curve: pd.DataFrame, *, late: int = 4) -> pd.DataFrame:
    """A curve that comes some frames late, holds its first value until then, and trembles."""
    delayed = curve.iloc[np.maximum(np.arange(len(curve)) - late, 0)].set_axis(curve.index)
    trembling = delayed + rng.normal(0, 0.05, delayed.shape)
    return trembling - trembling.mean()


drawn = {song: as_drawn(courses.loc[song]) for song in asked}
bands = [0, 0.05, 0.1, 0.2, 0.4, 1.0]


def found_first(band: float) -> float:
    """The share of songs that their own drawing finds before all others."""
    options = {"method": "dtw", "part": "song", "band": band}
    return np.mean([search_profile(courses, drawn[s], 1, **options)["song_id"][0] == s for s in asked])


share_first = pd.Series({band: found_first(band) for band in bands})
share_first.rename("share of songs found first").rename_axis("band").to_frame().T.round(2)

# %%
mover = courses.loc[asked].groupby("song_id")["arousal"].std().idxmax()


def with_band(band: float) -> plt.Figure:
    pairs = alignment(drawn[mover], courses.loc[mover], band=band)
    sides = [drawn[mover]["arousal"], courses.loc[mover, "arousal"]]
    fig, (left, right) = plt.subplots(1, 2, figsize=(10.5, 3.6), width_ratios=[3, 2])
    time = sides[0].index.to_numpy()
    left.plot(time[pairs.T], [y.to_numpy()[pairs[:, k]] for k, y in enumerate(sides)], color=plots.GREY, lw=0.6)
    left.plot(sides[0], "k--", label="as drawn")
    left.plot(sides[1], color=plots.PALETTE["arousal"], lw=2, label="as rated")
    left.set(xlabel="time (s)", ylabel="arousal, mean taken off", title=f"song {mover}, a band of {band:.0%}")
    left.legend(fontsize="small")
    right.plot([f"{b:.0%}" for b in bands], share_first, "o-", color="C2")
    right.plot(f"{band:.0%}", share_first[band], "o", ms=13, mfc="none", color="k")
    right.set(xlabel="band", ylabel="share found first", ylim=(0, 1.05))
    right.set_title(f"{len(asked)} drawings, {len(songs)} songs")
    return fig


percent = {f"{band:.0%}": band for band in bands}
widgets.FigureSlider.draw("band", list(percent), lambda text: with_band(percent[text]), start=2)

# %%
best_band = float(share_first.idxmax())
gain, loss = share_first[best_band] - share_first[0], share_first[best_band] - share_first[1.0]
Markdown(
    f"Without warping, **{share_first[0]:.0%}** of the songs are found first; best is a band of **{best_band:.0%}** with "
    f"{share_first[best_band]:.0%}. "
    + ("Warping helps here, since the drawing is late. " if gain > 0 else "Warping doesn't help here. ")
    + (
        f"Without any band it is {share_first[1.0]:.0%}: who may warp at will fits other songs as well."
        if loss > 0
        else "A wider band costs nothing here but time."
    )
    + " The test was made so that lateness matters; how late your own hand is, nobody has measured."
)

# %% [markdown]
# ## Bring your own song
#
# Drop a file, or write its path into `my_song`; until then the song from above takes its place. It is cut to 20 s here
# (`make app` and the command `mer predict` take all of it). The model in the package predicts it at once.

# %%
uploaded = {}


def keep(name: str, data: bytes) -> str:
    uploaded[name] = explore.read_upload(name, data)
    return f"{name} is here. Run the cells below."


widgets.FileDrop(keep, suffixes=SUFFIXES, limit=MOST_BYTES)

# %%
my_song = None  # such as "music/song.mp3"
path = Path(my_song or corpus.songs.audio[song_id])
uploaded = uploaded or {path.name: explore.read_upload(path.name, path.read_bytes())}
name, (samples, rate) = list(uploaded.items())[-1]
own = features.extract((samples[: 20 * rate], rate))
my_curve, my_row = own_songs.predict_curves(model, own), own_songs.predict_songs(model, own).iloc[0]
own_songs.draw(my_curve.droplevel("song_id"), my_row, title=name)

# %%
place = my_row[DIMENSIONS]
print(own_songs.describe(my_row.to_frame(name).T))

# %% [markdown]
# **The interval is part of the prediction.** It is built from errors: the model predicted each of its training songs
# when the song was left out, and 8 of 10 errors were smaller than half the width of the band. This is called
# *conformal prediction*. It promises that the interval holds 8 of 10 new songs, if they are like the training songs.
# The songs of this corpus are not like them: they are synthetic, and so are their raters. Does the promise hold?

# %%
test = corpus.select(corpus.songs.index[corpus.songs["split"].eq("test")])
if test.features.empty:
    print("This copy has no features of test songs: nothing to measure.")
else:
    predicted = own_songs.predict_curves(model, test.features).loc[test.labels.index]
    trust = {}
    for dimension in DIMENSIONS:
        label, low, high = test.labels[dimension], predicted[f"{dimension}_low"], predicted[f"{dimension}_high"]
        trust[dimension] = {
            "r of all half seconds": predicted[dimension].corr(label),
            "RMSE": np.sqrt(((predicted[dimension] - label) ** 2).mean()),
            "share inside the interval": label.between(low, high).mean(),
        }
    display(pd.DataFrame(trust).round(2))

# %% [markdown]
# The share should be 0.80. The *model card*, `mer_core/models/model_card.md`, has the shares for real songs that the
# model was not trained on, its errors by genre and loudness, and what it must not be used for. The songs nearest to
# yours, by their means:

# %%
neighbours = nearest(points, place, 5)
neighbours.round(2)

# %% [markdown]
# `make app` shows all of this as one page: point, draw, bring your own.
#
# ## Exercises
#
# **1.** Write the search for one song yourself: the start, in s, of the piece of `own_curve` that follows `short`
# most closely, moment by moment.
#
# <details><summary>Hint</summary>
#
# There are `len(own_curve) - len(short) + 1` pieces. The start of the best is a time, which stands in the index.
#
# </details>

# %%
short = profile.iloc[:20]
own_curve = corpus.labels.loc[corpus.labels.index.get_level_values("song_id")[0], list(profile)]


# %% tags=["exercise"]
def best_start(short: pd.DataFrame, own_curve: pd.DataFrame) -> float:
    return ...


# solution:
def best_start(short: pd.DataFrame, own_curve: pd.DataFrame) -> float:
    values, wanted = own_curve.to_numpy(), short.to_numpy()
    starts = range(len(values) - len(wanted) + 1)
    costs = [np.sum((values[k : k + len(wanted)] - wanted) ** 2) for k in starts]
    return own_curve.index[int(np.argmin(costs))]


# %%
one_song = corpus.labels.loc[[corpus.labels.index.get_level_values("song_id")[0]]]
right_start = search_profile(one_song, short, 1)["start"][0]
lesson.check_answer(
    "1",
    best_start(short, own_curve),
    right_start,
    hint="Slide a window of 20 frames over the curve; sum the squared differences; take the time of the smallest.",
    mistakes={
        "That is the number of the frame; wanted is its time.": (right_start - own_curve.index[0]) * 2,
        "That counts from the first label, which is not the song's start.": right_start - own_curve.index[0],
        "That is where the piece ends.": right_start + len(short) / 2,
    },
)

# %% [markdown]
# **2.** How many of the pieces in `pieces` does the bound rule out if only the *single best* is wanted? Use `bounds` and
# `distances`.
#
# <details><summary>Hint</summary>
#
# A piece can be left out when even its lower bound is above the best distance of all.
#
# </details>

# %% tags=["exercise"]
ruled_out = ...
# solution:
ruled_out = int((bounds > distances.min()).sum())

# %%
lesson.check_answer(
    "2",
    ruled_out,
    int((bounds > distances.min()).sum()),
    hint="Compare each bound with the smallest of the distances.",
    mistakes={
        "Those have to be warped.": int((bounds <= distances.min()).sum()),
        "That is for the five best.": int((bounds > fifth).sum()),
        "That compares bounds with bounds.": int((bounds > bounds.min()).sum()),
    },
)

# %% [markdown]
# **3.** Somebody cares about arousal alone. Which song (its title) follows `calming["arousal"]` most closely, warped in a
# band of 10 %?
#
# <details><summary>Hint</summary>
#
# `search_profile` takes a frame with one column; `corpus.songs.title` has the titles.
#
# </details>

# %% tags=["exercise"]
title_of_best = ...
# solution:
best = search_profile(corpus.labels, calming[["arousal"]], 1, method="dtw")
title_of_best = corpus.songs.title[best["song_id"][0]]

# %%
titles = {
    columns: corpus.songs.title[
        search_profile(corpus.labels, calming[list(columns)], 1, method="dtw")["song_id"][0]
    ]
    for columns in [("arousal",), ("valence", "arousal")]
}
lesson.check_answer(
    "3",
    title_of_best,
    titles["arousal",],
    hint='Double brackets keep a frame: calming[["arousal"]].',
    mistakes={"That one follows valence as well.": titles["valence", "arousal"]},
)

# %% [markdown]
# ## Summary
#
# - A point finds songs by their mean, or moments; moments reach the corners, means don't.
# - The Euclidean distance compares moment by moment; DTW may warp the clock, within a band.
# - A lower bound that is cheap to compute spares most of the work and changes no result.
# - A band has to be wide enough for what hands and raters do, and no wider.
# - A prediction without an interval says too little; the interval holds for songs like those of training.
#
# ## References
#
# - Herremans, Cheuk, Luo, Agres (2019). Untangling indices of emotion in music using neural networks.
# - Keogh, Ratanamahatana (2005). Exact indexing of dynamic time warping. *Knowledge and Information Systems*.
# - Rakthanmanon et al. (2012). Searching and mining trillions of time series subsequences under dynamic time warping. *KDD*.
# - Russell (1980). A circumplex model of affect. *Journal of Personality and Social Psychology*.
# - Sakoe, Chiba (1978). Dynamic programming algorithm optimization for spoken word recognition. *IEEE Transactions on
#   Acoustics, Speech, and Signal Processing*.

# %%
lesson.check_numbers(
    "10",
    {f"distance of the {k + 1}. piece": (found["distance"][k], 1e-6) for k in (0, 4)}
    | {"warped distance": (warped, 1e-6), "spared": (spared, 1e-6)}
    | {f"within the circle, {kind}": (float(value), 1e-6) for kind, value in reach.items()}
    | {f"found first, band {band:.0%}": (share_first[band], 0.02) for band in bands}
    | {f"own song, {dimension}": (place[dimension], 0.03) for dimension in DIMENSIONS},
)
