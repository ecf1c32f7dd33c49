# %% [markdown]
# # 10 · Explore by emotion: listen, point, draw
#
# *60 minutes. You need: lesson 00 (the plane, curves of emotion); lesson 02 for the model that predicts your own song.*
#
# Listen, point and draw 15, DTW 15, the bound 5, the band 10, your own song 5, exercises 10 minutes.
#
# **What you will learn**
#
# 1. to find music by a point of the plane: whole songs, or moments in them;
# 2. to find music by a drawn curve, compared moment by moment or by dynamic time warping (DTW);
# 3. DTW in eight lines, and a lower bound that avoids most of its work;
# 4. how wide its band must be, and why;
# 5. to predict the emotion of your own song, and to read the interval of a prediction.
#
# Herremans et al. (2019) built an interface for their models: choose a point of the plane and get songs; draw a
# profile over time and get the songs that are closest to it. They do not say how they compared the two. Here you
# build it.

# %% tags=["hide-input"]
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import Markdown
from matplotlib import pyplot as plt

from mer_core import features, models, own_songs
from mer_core.metrics import DIMENSIONS
from mer_core.retrieval import Curves, alignment, nearest, search_profile
from workbook import explore, lesson, plots, widgets
from workbook.explore.own_song import MOST_BYTES, SUFFIXES

plots.use_style()
corpus = explore.library()

# %% [markdown]
# ## Listen
#
# Two points move on the plane while a song plays: the mean rating (solid), and the prediction of the model in the
# package (dashed). The model is a linear regression on the music of the last 30 s. It was trained on **real** songs
# and has not seen the songs of this corpus. Run the cell and press *Play*. **Predict:** does the rating react before
# or after the music changes? (Lesson 00: the raters' lag.)

# %% tags=["hide-input"]
model = models.pretrained()
heard = corpus.songs[corpus.songs["split"].eq("test") & corpus.songs["audio"].notna()]
song_id = heard.index[0] if len(heard) else corpus.songs["audio"].dropna().index[0]
rated = {"rated": corpus.labels.loc[song_id]}
if not corpus.features.empty:
    rated["predicted"] = model.predict(corpus.features.loc[[song_id]]).loc[song_id]
widgets.Player(corpus.songs.audio[song_id], rated, title=f"Song {song_id}: {corpus.songs.title[song_id]}")

# %% [markdown]
# The rating follows the music with a delay. Lessons 01 and 02 measure it.
#
# ## Point
#
# Each grey point is a song: the mean of its labels. Tap the plane or use the arrow keys to choose a point; drag away
# from it to set the radius. The lists below **update while you choose**.

# %%
points = explore.song_points(corpus)
picker = widgets.PlanePicker(points, valence=0.5, arousal=0.5, radius=0.25)
picker

# %%
def near_songs() -> pd.DataFrame:
    return nearest(points, [picker.valence, picker.arousal], 4)[["title", "distance"]].round(2)


widgets.show_live(picker, ["valence", "arousal"], near_songs)

# %% [markdown]
# A song's mean hides its moments. So search the **half seconds**, and keep the nearest one of each song. **Predict:**
# will these be nearer to your point than the means?

# %%
def near_moments() -> pd.DataFrame:
    rows = nearest(corpus.labels, [picker.valence, picker.arousal], len(corpus.labels))
    rows = rows.groupby("song_id", sort=False).head(1)[:4].join(corpus.songs["title"])
    return rows.reset_index("time").set_index("title")[["time", "distance"]].round(2)


widgets.show_live(picker, ["valence", "arousal"], near_moments)

# %% tags=["hide-input"]
def reached(valence: float, arousal: float, radius: float) -> dict[str, float]:
    """Share of songs within the radius of a point."""
    inside = np.hypot(*(corpus.labels - [valence, arousal]).to_numpy().T) <= radius
    means = np.hypot(*(points[DIMENSIONS] - [valence, arousal]).to_numpy().T) <= radius
    at_some = corpus.labels.index[inside].unique("song_id")
    return {"by their means": means.mean(), "at some moment": len(at_some) / len(points)}


def reach_text() -> Markdown:
    reach = reached(picker.valence, picker.arousal, picker.radius)
    return Markdown(
        f"Within {picker.radius:.2f} of the point are **{reach['by their means']:.0%}** of the songs by their means, and "
        f"**{reach['at some moment']:.0%}** at some moment. A mean is near the middle of the plane: search the corners by moments."
    )


widgets.show_live(picker, ["valence", "arousal", "radius"], reach_text)

# %% [markdown]
# ## Draw
#
# Now draw a **profile**: valence and arousal every half second. Choose one of the two, draw with the mouse, a finger or
# the arrow keys; then the other. The first profile is a storm that becomes calm. Results update after each stroke.

# %%
t = np.linspace(0, 1, 30)
calming = pd.DataFrame({"valence": 0.4 * t - 0.2, "arousal": 0.4 - 0.5 * t**2}, pd.Index(np.arange(30) / 2, name="time"))
drawing = widgets.ProfileDrawing(15, profile=calming)
drawing

# %% [markdown]
# All pieces of 15 s of every song are compared with the profile. For each song the best piece is kept.

# %%
curves = Curves.of(corpus.labels)


def found_pieces(k: int = 3) -> pd.DataFrame:
    profile = drawing.profile.dropna(axis="columns")  # a dimension that is not drawn is not compared
    return search_profile(curves, profile, k) if len(profile.columns) else pd.DataFrame()


def titled() -> pd.DataFrame | str:
    found = found_pieces()
    return explore.describe_pieces(found, corpus).round(2) if len(found) else "Draw valence, arousal or both."


widgets.show_live(drawing, DIMENSIONS, titled)

# %% tags=["hide-input"]
def match() -> plt.Figure | str:
    found, profile = found_pieces(1), drawing.profile.dropna(axis="columns")
    if found.empty:
        return "Draw valence, arousal or both."
    return explore.draw_match(profile, explore.piece_of(corpus.labels, found.iloc[0]), band=None)


def matching_song() -> widgets.Player | str:
    found, profile = found_pieces(1), drawing.profile.dropna(axis="columns")
    if found.empty:
        return "Draw valence, arousal or both."
    piece = found.iloc[0]
    tracks = {"rated": corpus.labels.loc[piece["song_id"]]}
    if len(profile.columns) == 2:
        tracks["drawn"] = explore.shifted(profile, piece["start"])
    title, audio = corpus.songs.loc[piece["song_id"], ["title", "audio"]]
    stretch = {"start": piece["start"], "end": piece["end"]}
    return widgets.Player(audio, tracks, title=title, **stretch) if pd.notna(audio) else "This copy has no audio of it."


widgets.show_live(drawing, DIMENSIONS, match)
widgets.show_live(drawing, DIMENSIONS, matching_song)

# %% [markdown]
# Grey lines connect the moments that are compared; their lengths make up the distance. Listen to the piece: it is
# shaded on the waveform, and your profile is the second point.
#
# ## The idea: warp the time axis
#
# Let $p_1, \dots, p_n$ be the profile and $c_1, \dots, c_n$ a curve of as many frames, both points of the plane. The
# **Euclidean distance** compares moment by moment:
#
# $$d_E(p, c) = \sqrt{\sum_{t=1}^{n} \lVert p_t - c_t \rVert^2}$$
#
# It is strict: a curve that is the same two seconds later is far away. But raters react late, and nobody draws exactly. **Dynamic time warping** (DTW; Sakoe and Chiba 1978) also chooses *which moments belong together*: a path of pairs
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
# For the first profile (the storm) and its best piece, whatever you drew: the accumulated cost and the cheapest path.

# %%
best = search_profile(curves, calming, 1).iloc[0]
curve = explore.piece_of(corpus.labels, best)[DIMENSIONS]
radius = 3
D = dtw(calming.to_numpy(), curve.to_numpy(), radius)
straight = np.sqrt(((calming.to_numpy() - curve.to_numpy()) ** 2).sum())
warped = np.sqrt(D[-1, -1])
print(f"moment by moment: {straight:.3f}; warped by up to {radius / 2:g} s: {warped:.3f}")

# %% tags=["hide-input"]
path = alignment(calming, curve, band=radius / len(calming))
fig, ax = plt.subplots(figsize=(4.6, 4))
image = ax.imshow(np.sqrt(D), origin="lower", cmap="cividis")
fig.colorbar(image, label="root of the accumulated cost")
ax.plot(path[:, 1], path[:, 0], "w.-", lw=1, label="cheapest path")
ax.set(xlabel="frame of the curve, j", ylabel="frame of the profile, i", title=f"a band of {radius} frames")
ax.grid(visible=False)
ax.legend(loc="upper left", fontsize="small", labelcolor="white", facecolor="0.3")
plt.show()

# %% [markdown]
# Warping never makes a distance larger, since the diagonal is one of the paths.
#
# ### A bound avoids most of the work
#
# DTW takes $n(2r+1)$ steps for each piece. **LB_Keogh** (Keogh and Ratanamahatana 2005) finds pieces that cannot be
# among the best, at a small cost. The envelope of the profile holds, for each moment, its lowest value $L_j$ and its
# highest value $U_j$ within the band. Frame $j$ of a curve must be matched with a frame in the band, so it costs at
# least its distance to the envelope:
#
# $$LB(p, c)^2 = \sum_{j=1}^{n} \left\lVert c_j - \mathrm{clip}(c_j, L_j, U_j) \right\rVert^2 \;\le\; d_{DTW}(p, c)^2$$
#
# Compute all bounds; compute DTW from the lowest bound upwards; stop when the next bound is above the k-th best
# distance so far. The result is the same. `search_profile` does this in compiled code.


# %%
def lower_bound(profile: np.ndarray, curve: np.ndarray, radius: int) -> float:
    total = 0.0
    for j, point in enumerate(curve):
        near = profile[max(0, j - radius) : j + radius + 1]
        outside = point - np.clip(point, near.min(axis=0), near.max(axis=0))
        total += np.sum(outside**2)
    return np.sqrt(total)


# %%
some = corpus.labels.index.unique("song_id")[:100]  # plain Python is slow: one piece of each of 100 songs
pieces = [corpus.labels.loc[song, DIMENSIONS].to_numpy()[: len(calming)] for song in some]
bounds = np.array([lower_bound(calming.to_numpy(), one, radius) for one in pieces])
distances = np.array([np.sqrt(dtw(calming.to_numpy(), one, radius)[-1, -1]) for one in pieces])
fifth = np.sort(distances)[4]
spared = float((bounds > fifth).mean())

# %% tags=["hide-input"]
fig, (left, right) = plt.subplots(1, 2, figsize=(10.5, 3.6))
steps = range(len(calming))
near = [calming["arousal"].iloc[max(0, j - radius) : j + radius + 1] for j in steps]
lowest, highest = [one.min() for one in near], [one.max() for one in near]
left.fill_between(steps, lowest, highest, color=plots.PALETTE["arousal"], alpha=0.25, label="envelope of the profile")
example = pieces[int(np.argsort(distances)[len(distances) // 2])][:, -1]
left.plot(steps, example, "k", lw=1.5, label="a curve")
left.vlines(steps, example, np.clip(example, lowest, highest), color=plots.GREY, lw=1, label="least cost")
left.set(xlabel="frame", ylabel="arousal", ylim=(-1, 1), title="LB_Keogh")
left.legend(fontsize="small")
right.plot(bounds, distances, ".", color="C2")
right.axline((0, 0), slope=1, color=plots.GREY, lw=1)
right.axvline(fifth, color="k", ls="--", lw=1, label="the fifth best distance")
right.set(xlabel="lower bound", ylabel="DTW distance", title=f"no DTW for {spared:.0%}: bounds beyond the dashed line")
right.legend(fontsize="small")
plt.show()

# %% [markdown]
# No point lies below the diagonal: the bound is never above the distance. Pieces right of the dashed line need no DTW.
#
# ### Experiment: how wide should the band be?
#
# A test with a known answer. A drawing is made from a song's own curve: it is **late** by a known time, and has noise
# (standard deviation 0.05). Does the search find the song among all songs? The mean is subtracted from every curve and
# drawing, so only the course counts. Curves are 30 s long, 60 frames.
#
# **Predict:** a drawing is 2 s late, 4 frames of 60. Which band finds most songs: 0, about 4 frames, or no limit?

# %%
half_minutes = corpus.labels[corpus.labels.groupby("song_id").cumcount() < 60]
half_minutes = half_minutes[half_minutes.groupby("song_id")["valence"].transform("size") == 60]
courses = half_minutes - half_minutes.groupby("song_id").transform("mean")
songs = courses.index.unique("song_id")
asked, library = songs[:: max(1, len(songs) // 28)][:28], Curves.of(courses)


def as_drawn(curve: pd.DataFrame, late: int, rng: np.random.Generator) -> pd.DataFrame:
    delayed = curve.iloc[np.maximum(np.arange(len(curve)) - late, 0)].set_axis(curve.index)
    noisy = delayed + rng.normal(0, 0.05, delayed.shape)
    return noisy - noisy.mean()


# %%
def share_found(late: int, band: int, seed: int) -> float:
    """Share of songs that are found first, for a band in frames."""
    rng, options = np.random.default_rng(seed), {"method": "dtw", "part": "song", "band": band / 60}
    drawings = {song: as_drawn(courses.loc[song], late, rng) for song in asked}
    return np.mean([search_profile(library, d, 1, **options)["song_id"][0] == song for song, d in drawings.items()])


bands, lateness, seeds = [0, 2, 4, 8, 16, 60], [2, 4, 8], range(3)
cells = pd.MultiIndex.from_product([lateness, bands, seeds], names=["late", "band", "seed"])
found_first = pd.Series([share_found(*cell) for cell in cells], cells)
share = found_first.groupby(["late", "band"]).agg(["mean", "min", "max"])

# %% tags=["hide-input"]
mover = courses.loc[asked].groupby("song_id")["arousal"].std().idxmax()


def with_lateness(seconds: float) -> plt.Figure:
    late, fig = int(2 * seconds), plt.figure(figsize=(10.5, 3.6))
    left, right = fig.subplots(1, 2, width_ratios=[3, 2])
    drawn = as_drawn(courses.loc[mover], late, np.random.default_rng(0))
    pairs = alignment(drawn, courses.loc[mover], band=late / 60)
    sides, time = [drawn["arousal"], courses.loc[mover, "arousal"]], drawn.index.to_numpy()
    left.plot(time[pairs.T], [y.to_numpy()[pairs[:, k]] for k, y in enumerate(sides)], color=plots.GREY, lw=0.6)
    left.plot(sides[0], "k--", label="drawn")
    left.plot(sides[1], color=plots.PALETTE["arousal"], lw=2, label="rated")
    left.set(xlabel="time (s)", ylabel="arousal minus its mean", title=f"song {mover}, drawn {seconds:g} s late")
    left.legend(fontsize="small")
    rows, place = share.loc[late], range(len(bands))
    right.plot(place, rows["mean"], "o-", color="C2", label="mean of three draws of the noise")
    right.vlines(place, rows["min"], rows["max"], color="C2")
    right.axvline(bands.index(late), color=plots.GREY, ls=":", label="the lateness")
    right.set(xlabel="band (frames of 60)", ylabel="share found first", ylim=(0, 1.05))
    right.set_xticks(place, bands)
    right.legend(fontsize="small")
    right.set_title(f"{len(asked)} drawings, {len(songs)} songs")
    return fig


widgets.FigureSlider.draw("lateness (s)", [late / 2 for late in lateness], with_lateness, start=1)

# %% tags=["hide-input"]
at_best = share["mean"].groupby("late").idxmax().map(lambda cell: cell[1])
Markdown(
    "The best band grows with the lateness: "
    + ", ".join(
        f"{late} frames late: best with {at_best[late]} frames ({share.loc[(late, at_best[late]), 'mean']:.0%}; "
        f"without warping {share.loc[(late, 0), 'mean']:.0%}, without a band {share.loc[(late, 60), 'mean']:.0%})"
        for late in lateness
    )
    + ". **A band much narrower than the delay costs most.** One that is too wide also "
    "lets other songs fit, but costs only a few percentage points here. The best band comes from the lateness that *we* chose; how late people "
    "draw is not known."
)

# %% [markdown]
# ## Your own song
#
# Drop a file, or write its path into `my_song`; without one, the song from above is used. The first 20 s are used here
# (`make app` and the command `mer predict` use all of it).

# %% tags=["hide-input"]
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
print(own_songs.describe(my_row.to_frame(name).T))

# %% [markdown]
# **The interval is part of the prediction.** For each training song the model was fitted without it, and its error was
# measured; 8 of 10 errors were smaller than half the width of the interval. This is called *conformal prediction*. The
# interval holds 8 of 10 new songs if they are like the training songs. The songs here are synthetic, and so are the
# raters. **Predict:** what share do the intervals hold here?

# %% tags=["hide-input"]
test = corpus.select(corpus.songs.index[corpus.songs["split"].eq("test")])
inside = {}
if not test.features.empty:
    predicted = own_songs.predict_curves(model, test.features).loc[test.labels.index]
    for dimension in DIMENSIONS:
        label, low, high = test.labels[dimension], predicted[f"{dimension}_low"], predicted[f"{dimension}_high"]
        inside[dimension] = {
            "r of all half seconds": predicted[dimension].corr(label),
            "RMSE": np.sqrt(((predicted[dimension] - label) ** 2).mean()),
            "share inside the interval": label.between(low, high).mean(),
        }
pd.DataFrame(inside).round(2) if inside else Markdown("This copy has no features of test songs.")

# %% [markdown]
# Compare the last row with 0.80. The *model card*, `mer_core/models/model_card.md`, gives the shares for real songs that
# were not used in training, errors by genre and loudness, and uses that are excluded. The songs nearest to yours:

# %%
nearest(points, my_row[DIMENSIONS], 4)[["title", "distance"]].round(2)

# %% [markdown]
# `make app` has all of this on one page.
#
# ## Exercises
#
# **1 (code).** Write the search for one song yourself: the start, in s, of the piece of `own_curve` that follows `short`
# most closely, moment by moment.
#
# <details><summary>Hint</summary>
#
# There are `len(own_curve) - len(short) + 1` pieces. The start of the best is a time: a value of the index.
#
# </details>

# %% tags=["hide-input"]
short = calming.iloc[:20]
own_curve = corpus.labels.loc[corpus.labels.index.get_level_values("song_id")[0], DIMENSIONS]


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
# **2 (concept).** A profile has 30 frames; the band is $r = 3$. How many pairs $(i, j)$ does DTW compute at most, by the
# formula $n(2r+1)$, compared with all pairs $n^2$? Give the ratio.
#
# <details><summary>Hint</summary>
#
# Divide $n(2r+1)$ by $n^2$.
#
# </details>

# %% tags=["exercise"]
ratio = ...
# solution:
ratio = (2 * 3 + 1) / 30

# %%
lesson.check_answer(
    "2",
    ratio,
    7 / 30,
    tolerance=1e-3,
    hint="n(2r+1) divided by n times n.",
    mistakes={
        "That is the number of pairs, not a ratio.": 210,
        "The band goes r frames to both sides.": 4 / 30,
        "That is the ratio of r and n.": 0.1,
        "That is its inverse.": 30 / 7,
    },
)

# %% [markdown]
# **3 (open).** Herremans et al. do not say how their interface compares a drawing with songs. You want to know which
# distance *people* find right: Euclidean, or DTW with a band. Which study would show it, and how many people and songs
# does it need?
#
# <details><summary>A possible answer</summary>
#
# Ask people to listen to an excerpt that they do not know and then to draw its arousal from memory. The known song is
# the truth: measure how often each distance finds it first, as in the experiment above. Pair the two distances over
# people and songs, since drawings of one person are not independent. With 20 people and 10 songs there are 200
# drawings; if one distance finds 10 percentage points more songs, count the drawings that only one of the two finds.
# A pilot study gives that number, and the number of people follows from it. Fix the band before the study.
#
# </details>
#
# ## Summary
#
# - Search by a point finds songs by their mean, or moments; moments reach the corners of the plane.
# - The Euclidean distance compares moment by moment; DTW warps the time axis within a band.
# - A cheap lower bound avoids most of the work of DTW and does not change the result.
# - The band should be about as wide as the delay that it corrects; here a wider one costs little.
# - A prediction needs an interval; the interval is right for songs like those of training.
#
# ## References
#
# - Herremans, Cheuk, Luo, Agres (2019). Untangling indices of emotion in music using neural networks.
# - Keogh, Ratanamahatana (2005). Exact indexing of dynamic time warping. *Knowledge and Information Systems*.
# - Rakthanmanon et al. (2012). Searching and mining trillions of time series subsequences under dynamic time warping. *KDD*.
# - Russell (1980). A circumplex model of affect. *Journal of Personality and Social Psychology*.
# - Sakoe, Chiba (1978). Dynamic programming algorithm optimization for spoken word recognition. *IEEE Transactions on
#   Acoustics, Speech, and Signal Processing*.

# %% tags=["hide-input"]
stored = search_profile(curves, calming, 5)  # whatever was drawn and picked above
by_default = {} if corpus.features.empty else dict(model.predict(corpus.features.loc[[song_id]]).mean())
lesson.check_numbers(
    "10",
    {f"distance of the {k + 1}. piece": (stored["distance"][k], 1e-6) for k in (0, 4)}
    | {"warped distance": (warped, 1e-6), "spared": (spared, 1e-6)}
    | {f"within the circle, {kind}": (float(value), 1e-6) for kind, value in reached(0.5, 0.5, 0.25).items()}
    | {f"found first, late {late}, band {band}": (share.loc[(late, band), "mean"], 0.04) for late in lateness for band in bands}
    | {f"predicted mean, {d}": (by_default[d], 0.01) for d in by_default},
)
