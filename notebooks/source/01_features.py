# %% [markdown]
# # 01 · What does a computer hear? From the waveform to half seconds
#
# *50 minutes. You need: lesson 00; what a frequency is.*
#
# **What you will learn**
#
# 1. how a waveform becomes a spectrogram, and a spectrogram a handful of *descriptors*;
# 2. how 65 descriptors every 10 ms become the 260 features every half second that all papers start from;
# 3. what the length of the window does;
# 4. what roughness, dissonance, tempo, event density, flatness and valley add: the sets FS2 and 268;
# 5. what measures harmony, which is in none of those sets;
# 6. which features go with valence and arousal, what a correlation hides, and one trap.

# %%
import librosa
import numpy as np
import pandas as pd
from IPython.display import Audio, Markdown
from matplotlib import pyplot as plt

from mer_core import evaluation, features, models
from mer_core.features.compare import descriptors
from mer_core.features.psychoacoustic import dissonance_of, roughness_of
from mer_core.metrics import DIMENSIONS
from workbook import harmony, lesson, papers, plots, results, widgets

plots.use_style()
corpus = lesson.corpus(sets=("compare", "psychoacoustic", "spectral"))
dev = corpus.split("dev")

# %% [markdown]
# ## Listen and look
#
# A song (synthetic) whose arousal changes a lot. Air pressure, 44,100 times a second: that is all a computer
# gets. Below it is what can be made of that: the *spectrogram* shows how strong each frequency is from moment
# to moment (*mel*: with the frequencies spaced as the ear hears them).

# %%
with_audio = dev.songs.dropna(subset="audio")
song_id = dev.labels.groupby("song_id")["arousal"].std().loc[with_audio.index].idxmax()
path = dev.songs.audio[song_id]
samples = features.read_audio(path)
rate = features.SAMPLE_RATE
print(
    f"Song {song_id}: {dev.songs.title[song_id]}; {len(samples):,} samples, {len(samples) / rate:.1f} s"
)
Audio(path)

# %%
fig, (top, middle, bottom) = plt.subplots(
    3, 1, figsize=(10, 7), sharex=True, height_ratios=[1, 2, 1]
)
time = np.arange(len(samples)) / rate
top.plot(time[::50], samples[::50], color="black", lw=0.3)
top.set(ylabel="pressure\n(full scale: 1)", title="waveform")
mel = librosa.feature.melspectrogram(y=samples, sr=rate, n_fft=2048, hop_length=1024, n_mels=96)
decibels = librosa.power_to_db(mel, ref=np.max, top_db=70)
extent = (0, len(samples) / rate, 0, 96)
middle.imshow(decibels, origin="lower", aspect="auto", extent=extent, cmap="magma")
ticks = np.array([100, 400, 1000, 3000, 10000])
centres = librosa.mel_frequencies(96, fmax=rate / 2)
places = np.interp(ticks, centres, np.arange(96))
middle.set_yticks(places, ticks)
middle.set(ylabel="frequency (Hz)", title="mel-spectrogram, in dB: bright is loud")
middle.grid(visible=False)
plots.draw_curves(dev.labels.loc[song_id], ax=bottom)
bottom.set_title("and what raters said");
# %% [markdown]
# ## The idea: descriptors every 10 ms
#
# openSMILE's ComParE set (Weninger et al. 2013) describes every 10 ms by 65 *low-level descriptors*:
# voicing and pitch, energy, the spectrum's shape, 14 mel-cepstral coefficients (MFCC: the spectrum's
# outline in a few numbers), 26 auditory bands. Two of them, for a frame of $N$ samples $x_n$ with spectrum
# magnitudes $S_k$ at frequencies $f_k$:
#
# $$\mathrm{RMS} = \sqrt{\tfrac1N \sum_n x_n^2} \qquad \mathrm{centroid} = \frac{\sum_k f_k S_k}{\sum_k S_k}$$
#
# RMS energy is close to loudness, the centroid to brightness. For each descriptor there is a *delta*, its
# slope over a few frames: 130 curves in all.

# %%
frames = descriptors(samples[: 6 * rate])
seconds = 0.01 * np.arange(len(frames))
shown = {
    "pcm_RMSenergy_sma": "RMS energy",
    "pcm_fftMag_spectralCentroid_sma": "centroid (Hz)",
    "F0final_sma": "pitch, F0 (Hz)",
    "pcm_RMSenergy_sma_de": "RMS energy, delta",
}
fig, axes = plt.subplots(4, 1, figsize=(10, 6.5), sharex=True)
for ax, (name, label) in zip(axes, shown.items()):
    ax.plot(seconds, frames[name], color="black", lw=0.8)
    ax.set_ylabel(label, fontsize="small")
axes[0].set_title(f"four of {frames.shape[1]} descriptors, every 10 ms, first 6 s")
axes[-1].set_xlabel("time (s)");
# %% [markdown]
# ## From 10 ms to half seconds
#
# Raters answer every half second, so the descriptors are summed up: **mean and standard deviation over
# one second, every half second**. 130 curves × 2 = **260 features**. The row at time $t$ describes
# $[t, t + 1\,\mathrm{s})$: neighbouring rows share half of their sound.

# %%
extracted = features.extract(path).loc[song_id]
print(f"{extracted.shape[0]} rows of {extracted.shape[1]} features")
extracted.iloc[:3, [8 * 2, 8 * 2 + 1, 43 * 2 + 1]]

# %%
name = "pcm_RMSenergy_sma"
fig, ax = plt.subplots(figsize=(10, 3.2))
ax.plot(seconds, frames[name], color=plots.GREY, lw=0.7, label="every 10 ms")
first = extracted.loc[:5]
mean, sd = first[f"{name}_amean"], first[f"{name}_stddev"]
ax.step(first.index, mean, where="post", color="black", label="mean over 1 s, from time on")
ax.fill_between(
    first.index, mean - sd, mean + sd, step="post", color="black", alpha=0.15, label="± sd"
)
ax.set(xlabel="time (s)", ylabel="RMS energy", title="one descriptor, two features")
ax.legend(fontsize="small");
# %% [markdown]
# The corpus brings these features with it, as DEAM does. Extracting them again from the sound has to
# give the same numbers:

# %%
stored = corpus.features.loc[song_id]
both = extracted.index.intersection(stored.index)
agreement = pd.Series(
    {
        column: np.corrcoef(extracted.loc[both, column], stored.loc[both, column])[0, 1]
        for column in extracted
        if stored[column].std() > 0
    }
)
print(
    f"{len(both)} rows in common; correlation per feature: median {agreement.median():.4f}, lowest {agreement.min():.4f}"
)

# %% [markdown]
# ## Experiment: how long should the window be?
#
# The papers take 1 s; IRIT speaks of 0.5 s. A longer window is steadier and slower: move the slider. (Grey:
# every 10 ms; black: the mean over the window that starts there.)

# %%
song_frames = descriptors(samples)
lengths = [0.1, 0.25, 0.5, 1.0, 2.0, 4.0]


def windowed(length: float) -> plt.Figure:
    size = round(100 * length)
    starts = np.arange(0, len(song_frames) - size, 50)
    means = np.array([song_frames[name].iloc[a : a + size].mean() for a in starts])
    jumps = np.abs(np.diff(means)).mean()
    fig, ax = plt.subplots(figsize=(10, 3))
    ax.plot(0.01 * np.arange(len(song_frames)), song_frames[name], color=plots.GREY, lw=0.3)
    ax.step(0.01 * starts, means, where="post", color="black")
    ax.set(xlabel="time (s)", ylabel="RMS energy")
    ax.set_title(f"window {length:g} s: mean step from row to row {jumps:.4f}")
    return fig


widgets.FigureSlider.draw("window (s)", lengths, windowed, start=3)

# %% [markdown]
# ## What a musician would ask for: roughness, pace, noise
#
# ComParE was made for speech. The papers added what music has and it lacks. A musical tone is a sum of
# *partials*, pure tones at multiples of its pitch. *Bark* and *ERB* are two scales of frequency in bands that the
# ear hears as one, narrow below and wide above. *Flatness* says how even a spectrum is over such bands, the
# *valley* how much lies in the weakest part of a band, between the partials.
#
# | set | features | what they measure | columns |
# |---|---|---|---|
# | FS1 | ComParE | voice, loudness, spectrum, MFCC, and their slopes | 260 |
# | FS2 (Munich) | + sensory dissonance, roughness | beating of partials that lie close together | 264 |
# | | + tempo (BPM), event density (1/s) | pace | |
# | 268 (IRIT) | + flatness on Bark and ERB bands | 0: noise, 1: tones | 268 |
# | | + spectral valley in six bands | what lies between the peaks, as a logarithm | |
#
# (FS2 and 268 each start from FS1.) Six features for our song, above what raters said:

# %%
shown = {
    "pcm_RMSenergy_sma_amean": "RMS energy",
    "roughness": "roughness",
    "tempo": "tempo (BPM)",
    "event_density": "events (1/s)",
    "flatness_db_bark": "flatness, Bark",
    "spectral_valley_3": "valley 3 (ln)",
}
fig, axes = plt.subplots(7, 1, figsize=(10, 9), sharex=True)
for ax, (name_, label) in zip(axes, shown.items()):
    ax.plot(stored[name_], color="black", lw=1)
    ax.set_ylabel(label, fontsize="small")
plots.draw_curves(dev.labels.loc[song_id], ax=axes[-1])
axes[0].set_title(f"Song {song_id}");

# %% [markdown]
# ### Experiment: two tones
#
# Two partials of frequencies $f_1 < f_2$ and amplitudes $a_1, a_2$ beat. Sethares (1993), after Plomp and
# Levelt's listeners, and Vassilakis (2001) model how rough that sounds:
#
# $$d = a_1 a_2 \left(e^{-3.5\,s\,(f_2-f_1)} - e^{-5.75\,s\,(f_2-f_1)}\right), \qquad
# s = \frac{0.24}{0.0207 f_1 + 18.96}, \qquad
# R = \tfrac12 (a_1a_2)^{0.1} \left(\tfrac{2 a_{\min}}{a_1+a_2}\right)^{3.11} \frac{d}{a_1 a_2}$$
#
# with the dissonance $d$ and the roughness $R$ each summed over all pairs of partials (`dissonance_of`,
# `roughness_of`). Slide a second tone of six partials away from the first and listen (run the cell for the
# sound). Where do the curves dip, and which interval stands there?

# %%
partials = np.arange(1, 7)
amplitudes = 0.88 ** (partials - 1)


def dyad(semitones: float) -> tuple[np.ndarray, np.ndarray]:
    upper = 261.6 * 2 ** (semitones / 12)
    return np.concatenate([261.6 * partials, upper * partials]), np.tile(amplitudes, 2)


def sounding(semitones: float) -> np.ndarray:
    seconds_ = np.arange(int(1.5 * rate)) / rate
    waves = [a * np.sin(2 * np.pi * f * seconds_) for f, a in zip(*dyad(semitones))]
    return 0.04 * np.sum(waves, axis=0) * np.minimum(1, 20 * np.minimum(seconds_, 1.5 - seconds_))


steps = np.linspace(0, 12.5, 400)
measures = {"dissonance (Sethares)": dissonance_of, "roughness (Vassilakis)": roughness_of}
rough = {label: np.array([f(*dyad(s)) for s in steps]) for label, f in measures.items()}
intervals = ["unison", "m2", "M2", "m3", "M3", "4th", "tritone"]
intervals += ["5th", "m6", "M6", "m7", "M7", "octave"]


def two_tones(semitones: int) -> plt.Figure:
    fig, (left, right) = plt.subplots(1, 2, figsize=(11, 3.3), width_ratios=[3, 2])
    for (label, curve), colour in zip(rough.items(), ("black", "C2")):
        left.plot(steps, curve / curve.max(), color=colour, label=label)
        left.plot(semitones, measures[label](*dyad(semitones)) / curve.max(), "o", color=colour)
    left.set(xlabel="interval (semitones)", ylabel="share of the largest", ylim=(-0.05, 1.1))
    left.set_xticks(range(13), intervals, fontsize="x-small", rotation=45)
    left.legend(fontsize="small")
    frequencies, heights = dyad(semitones)
    for half, colour in ((slice(0, 6), "black"), (slice(6, 12), "C1")):
        right.vlines(frequencies[half], 0, heights[half], color=colour, lw=2)
    right.set(xlabel="frequency (Hz)", ylabel="amplitude", title=f"partials: {intervals[semitones]}")
    return fig


widgets.FigureSlider.draw("interval (semitones)", range(13), two_tones, start=1, sound=sounding)

# %% [markdown]
# ## Harmony: major and minor
#
# Two cadences, the same but for the third and the sixth: major, then minor.

# %%
cadences = {
    "major": [(0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7)],
    "minor": [(0, 3, 7), (5, 8, 12), (7, 11, 14), (0, 3, 7)],
}


def played(chord: tuple[int, ...]) -> np.ndarray:
    seconds_ = np.arange(int(0.6 * rate)) / rate
    pitches = [261.6 * 2 ** (step / 12) for step in chord]
    waves = [np.sin(2 * np.pi * f * h * seconds_) / h for f in pitches for h in (1, 2, 3, 4)]
    return 0.05 * np.exp(-2 * seconds_) * np.sum(waves, axis=0)


sounds = {name: np.concatenate([played(c) for c in chords]) for name, chords in cadences.items()}
Audio(np.concatenate([*sounds.values()])[::4], rate=rate // 4)

# %% [markdown]
# The *chroma* $c$ sums the strength of each of the twelve pitch classes, C to B, over all octaves and over a window.
# Each of the 24 keys has a *profile* $p_k$: how often each pitch class occurs in music of that key (Krumhansl 1990;
# here Temperley's, 1999). From the correlations of $c$ with the profiles come two features:
#
# $$\mathrm{mode} = \max_{k\ \mathrm{major}} r(c, p_k) - \max_{k\ \mathrm{minor}} r(c, p_k), \qquad
# \mathrm{key\ clarity} = \max_k r(c, p_k)$$
#
# Mode is above 0 in major and below 0 in minor. The set `tonal` has both over 1 s and over 16 s, the change from chord to
# chord, and the entropy of the chroma.

# %%
measured = {k: features.extract((sound, rate), ("tonal",)) for k, sound in sounds.items()}
pd.DataFrame({k: table.loc[(0, 1.0)] for k, table in measured.items()}).round(2)

# %%
six = features.extract(path, ("tonal",)).loc[song_id]
fig, (upper, lower) = plt.subplots(2, 1, figsize=(10, 4.5), sharex=True)
upper.plot(six["mode"], color=plots.GREY, lw=1, label="over 1 s")
upper.plot(six["mode_long"], color="black", lw=2, label="over 16 s")
upper.axhline(0, color="black", lw=0.8)
upper.set(ylabel="mode\n(minor < 0 < major)", title=f"Song {song_id} (synthetic)")
upper.set_ylim(-0.3, 0.5)
upper.legend(fontsize="small", loc="upper right", ncols=2)
plots.draw_curves(dev.labels.loc[song_id], ax=lower);
# %% [markdown]
# Over 1 s, mode follows single chords; over 16 s it follows the key. Is it related to valence in **real** music? Each point is a
# piece, averaged over time: piano music from video games (VGMIDI), and songs of many genres (DEAM). The numbers are
# stored results.

# %%
fig, axes = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True)
for ax, (data, title) in zip(axes, harmony.REAL.items()):
    points = results.table(f"harmony_{data}_points")
    ax.scatter(points["mode_long"], points["valence"], s=18, color=plots.PALETTE["valence"])
    ax.axvline(0, color="black", lw=0.8)
    ax.set(xlabel="mean mode over 16 s (minor < 0 < major)", title=f"{title}: {len(points)}, real")
axes[0].set_ylabel("mean valence, -1 to 1");

# %%
of_mode = {data: harmony.single(data).loc["mode_long", "valence"] for data in harmony.REAL}
Markdown(
    "Correlation over pieces, with 95 % interval: "
    + "; ".join(
        f"{harmony.REAL[data]} r = **{row['value']:.2f}** ({row['low']:.2f} to {row['high']:.2f})"
        for data, row in of_mode.items()
    )
    + ". On piano pieces major is pleasant and minor is not; on DEAM's excerpts "
    + ("the same is found." if of_mode["deam"]["low"] > 0 else "nothing like it can be seen, and they are few.")
    + " Lesson 09 asks what that means for models of the 260 features."
)

# %% [markdown]
# ## What goes with emotion?
#
# Correlate each feature with the ratings, over all labelled frames (half seconds) of the development songs:
# Pearson's r, as in lesson 00.

# %%
labelled = dev.features.loc[dev.labels.index]
strength = pd.DataFrame({k: labelled.corrwith(dev.labels[k]) for k in DIMENSIONS}).dropna()
fig, axes = plt.subplots(1, 2, figsize=(12, 4.2))
for ax, dimension in zip(axes, DIMENSIONS):
    best = strength[dimension].sort_values(key=np.abs).tail(10)
    short = best.index.str.replace("pcm_fftMag_", "").str.replace("_sma", "")
    ax.barh(short, best, color=plots.PALETTE[dimension])
    ax.axvline(0, color="black", lw=0.8)
    ax.set(title=f"the ten features closest to {dimension}", xlabel="Pearson's r over frames")
    ax.tick_params(axis="y", labelsize=9)

# %%
top = strength.abs().max()
Markdown(
    f"The best single feature reaches |r| = **{top['arousal']:.2f}** for arousal and "
    f"**{top['valence']:.2f}** for valence, in this corpus. Lesson 02 asks how far all 260 together get."
)

# %% [markdown]
# ### What a correlation hides
#
# Where valence and arousal go together, as in the development songs of lesson 00, whatever follows arousal
# seems to follow valence. Take arousal out of both, the feature and valence (the *partial* correlation), and see what is
# left. And a feature may tell songs apart without following anything *within* a song: the last column is
# the mean of each song's own r.


# %%
def rest(y: pd.Series, x: pd.Series) -> pd.Series:
    slope, offset = np.polyfit(x, y, 1)
    return y - offset - slope * x


valence, arousal = dev.labels["valence"], dev.labels["arousal"]
picked = ["pcm_RMSenergy_sma_amean", "pcm_fftMag_spectralFlux_sma_amean", "sensory_dissonance"]
picked += ["roughness", "tempo", "event_density", "flatness_db_bark", "flatness_db_erb"]
picked += ["spectral_valley_2", "spectral_valley_5"]
hidden = pd.DataFrame(
    {
        column: {
            "r with arousal": labelled[column].corr(arousal),
            "r with valence": labelled[column].corr(valence),
            "r with valence, arousal out": rest(labelled[column], arousal).corr(rest(valence, arousal)),
            "r with valence within songs": labelled[column].groupby("song_id").corr(valence).mean(),
        }
        for column in picked
    }
).T
hidden.round(2)

# %%
shrunk = hidden.iloc[:, 1].abs().mean(), hidden.iloc[:, 2].abs().mean()
Markdown(
    f"Over these {len(hidden)}, |r| with valence is {shrunk[0]:.2f} on average, and {shrunk[1]:.2f} once arousal is "
    "taken out. A model of valence that has learned arousal looks good, as long as the two go together."
)

# %% [markdown]
# ### Do the extra features help?
#
# The same linear model, three sets of features. Each song is predicted by a model that was trained on others, and
# the error is the RMSE (the typical distance from the rating; less is better). Lesson 02 explains model, folds
# and metrics; here only the difference between the rows counts.

# %%
chosen = {
    "FS1 (260)": ("compare",),
    "FS2 (264)": ("compare", "psychoacoustic"),
    "IRIT's 268": ("compare", "spectral"),
}
groups = {label: list(features.choose(dev.features, sets)) for label, sets in chosen.items()}
ablation = evaluation.ablate(models.Linear(), dev, evaluation.k_folds(dev.songs.index), groups)
ablation.round(3)

# %%
change = ablation - ablation.loc["FS1 (260)"]
irit = papers.published().query(
    "paper == 'irit_2015' and system == 'rnn' and protocol == 'CV' "
    "and dimension == 'valence' and metric == 'rmse'"
)
irit = irit.set_index("our_features")["value"]
Markdown(
    "Against FS1, the RMSE changes by "
    + "; by ".join(
        f"{change.loc[label, ('valence', 'RMSE')]:+.4f} (valence) and "
        f"{change.loc[label, ('arousal', 'RMSE')]:+.4f} (arousal) with {label}"
        for label in list(chosen)[1:]
    )
    + " (in this corpus). Minus is better. In IRIT's table 1, on real ones, the eight features took their "
    f"network's RMSE of valence from {irit['FS1']:.3f} to {irit['268']:.3f}. Each feature by itself: "
    "`python -m mer_core ablation`."
)

# %% [markdown]
# ## A trap: the first instant
#
# RASTA filtering (Hermansky & Morgan 1994) removes what stays the same in a sound: it looks at the
# *logarithm* of each auditory band and lets its changes pass. Digital silence has the logarithm of almost
# nothing, so when sound follows it, the change is enormous. MP3 coding leaves some 50 ms of such silence
# at the start of a file, in DEAM's excerpts too. Take ten seconds of our song, put a tenth of a second of
# nothing before them, and see.

# %%
band = "audSpec_Rfilt_sma[0]_amean"
ten_seconds = samples[20 * rate : 30 * rate]
after_silence = np.concatenate([np.zeros(rate // 10, np.float32), ten_seconds])
plain, burst = (features.extract((x, rate)).loc[0, band] for x in (ten_seconds, after_silence))
fig, ax = plt.subplots(figsize=(9, 3))
ax.semilogy(burst.index, burst, "o-", color="black", ms=4, label="0.1 s of silence before it")
ax.semilogy(plain.index, plain, "o-", color=plots.GREY, ms=4, label="as it is")
ax.set(xlabel="time (s)", ylabel="auditory band 0, RASTA", title=band)
ax.legend();

# %%
ratio = burst.loc[0.0] / plain.loc[0.0]
Markdown(
    f"A tenth of a second of nothing makes the first row **{ratio:.0f} times** as large, and nobody hears "
    "a difference. Labels start at 15 s, so a model of single frames never meets such a row in training. A "
    "network that hears the song from its start does, and whoever scales features by the mean and "
    "deviation of *all* rows lets one burst per song set the scale."
)

# %% [markdown]
# ## Exercises
#
# **1.** Compute the feature `pcm_RMSenergy_sma_amean` at time 10 s from the descriptors `song_frames`
# (row *i* starts at *i* × 10 ms).
#
# <details><summary>Hint</summary>
#
# The feature is a mean over one second. How many rows of 10 ms is that, and which is the first?
#
# </details>

# %% tags=["exercise"]
energy_at_10 = ...
# solution:
energy_at_10 = song_frames["pcm_RMSenergy_sma"].iloc[1000:1100].mean()

# %%
lesson.check_answer(
    "1",
    energy_at_10,
    extracted.loc[10.0, "pcm_RMSenergy_sma_amean"],
    tolerance=1e-6,
    hint="One second has 100 rows; the first of them starts at 10 s.",
    mistakes={
        "That is one row, 10 ms.": song_frames["pcm_RMSenergy_sma"].iloc[1000],
        "Row 10 starts at 0.1 s.": song_frames["pcm_RMSenergy_sma"].iloc[10:110].mean(),
        "That is the half second, not the second.": song_frames["pcm_RMSenergy_sma"].iloc[1000:1050].mean(),
        "That is the standard deviation.": extracted.loc[10.0, "pcm_RMSenergy_sma_stddev"],
    },
)

# %% [markdown]
# **2.** Which feature has the largest |r| with arousal? Give its name.
#
# <details><summary>Hint</summary>
#
# `strength` has a row for each feature and a column for each dimension; `idxmax` gives the name of the largest.
#
# </details>

# %% tags=["exercise"]
closest = ...
# solution:
closest = strength["arousal"].abs().idxmax()

# %%
lesson.check_answer(
    "2",
    closest,
    strength["arousal"].abs().idxmax(),
    hint="abs, then idxmax.",
    mistakes={
        "That one is closest to valence.": strength["valence"].abs().idxmax(),
        "That has the most negative r.": strength["arousal"].idxmin(),
        "That has the largest r; a negative one may be stronger.": strength["arousal"].idxmax(),
    },
)

# %% [markdown]
# **3.** Build the names of Munich's set FS2 yourself: those of FS1 (they end in `_amean` or `_stddev`)
# and the four psychoacoustic ones, as a list taken from `dev.features`.
#
# <details><summary>Hint</summary>
#
# `name.endswith(("_amean", "_stddev"))` asks for either ending; the four names stand in the table of sets above.
#
# </details>

# %% tags=["exercise"]
fs2 = ...
# solution:
four = ["sensory_dissonance", "roughness", "tempo", "event_density"]
fs2 = [name for name in dev.features if name.endswith(("_amean", "_stddev")) or name in four]

# %%
lesson.check_answer(
    "3",
    fs2 if fs2 is ... else sorted(fs2),
    sorted(features.choose(dev.features, ("compare", "psychoacoustic"))),
    hint="264 names; none of flatness or valley among them.",
    mistakes={
        "Those are FS1.": sorted(features.choose(dev.features, ("compare",))),
        "Those are IRIT's 268 and Munich's four.": sorted(dev.features),
        "Those are IRIT's 268.": sorted(features.choose(dev.features, ("compare", "spectral"))),
    },
)

# %% [markdown]
# ## Summary
#
# - 65 descriptors and their 65 deltas every 10 ms; mean and sd over 1 s every 0.5 s: **260 features**.
# - A row at time *t* averages the 10 ms frames that start in [*t*, *t* + 1 s). Filters such as RASTA, and
#   the smoothing of pitch, carry a little of the past along; there is no other memory.
# - Single features go with arousal and with valence; how far, a correlation says, in this corpus only.
# - FS2 adds roughness and pace, IRIT's 268 flatness and valley; what that gains is measured by one model on
#   the same folds.
# - Mode and key clarity come from the chroma and the profiles of the 24 keys; none of the papers' sets has them.
# - A feature's r with valence is partly its r with **arousal**.
# - After digital silence, as at the start of an MP3, the **first row** is an outlier in the RASTA bands.
#
# ## References
#
# - Coutinho, Weninger, Schuller, Scherer (2014). The Munich LSTM-RNN approach to the MediaEval 2014 "Emotion
#   in Music" task. *MediaEval*.
# - Eyben, Weninger, Gross, Schuller (2013). Recent developments in openSMILE. *ACM Multimedia*.
# - Hermansky, Morgan (1994). RASTA processing of speech. *IEEE Trans. Speech and Audio Processing*.
# - Jiang, Lu, Zhang, Tao, Cai (2002). Music type classification by spectral contrast feature. *ICME*.
# - Krumhansl (1990). *Cognitive Foundations of Musical Pitch.* Oxford.
# - Pellegrini, Barrière (2015). Time-continuous estimation of emotion in music with recurrent neural
#   networks. *MediaEval*.
# - Plomp, Levelt (1965). Tonal consonance and critical bandwidth. *JASA*.
# - Sethares (1993). Local consonance and the relationship between timbre and scale. *JASA*.
# - Temperley (1999). What's key for key? The Krumhansl-Schmuckler key-finding algorithm reconsidered. *Music
#   Perception*.
# - Vassilakis (2001). *Perceptual and physical properties of amplitude fluctuation and their musical
#   significance.* PhD thesis, UCLA.
# - Weninger, Eyben, Schuller, Mortillaro, Scherer (2013). On the acoustics of emotion in audio.
#   *Frontiers in Psychology*.

# %%
lesson.check_numbers(
    "01",
    {
        "rows of the song": (len(extracted), 0),
        "features": (extracted.shape[1], 0),
        "RMSE of valence, FS1": (ablation.loc["FS1 (260)", ("valence", "RMSE")], 0.002),
        "RMSE of valence, FS2": (ablation.loc["FS2 (264)", ("valence", "RMSE")], 0.002),
        "RMSE of valence, 268": (ablation.loc["IRIT's 268", ("valence", "RMSE")], 0.002),
        "roughest interval (semitones)": (steps[rough["roughness (Vassilakis)"].argmax()], 0.05),
        "agreement with the stored features, median r": (agreement.median(), 0.005),
        "largest |r| with arousal": (top["arousal"], 0.005),
        "largest |r| with valence": (top["valence"], 0.005),
        "r of valence with mode, VGMIDI": (of_mode["vgmidi"]["value"], 0.001),
        "r of valence with mode, DEAM": (of_mode["deam"]["value"], 0.001),
        "burst of the RASTA filter": (ratio, 0.05 * ratio),
    },
)
