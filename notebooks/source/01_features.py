# %% [markdown]
# # 01 · What can be measured in a sound? From the waveform to half seconds
#
# *55 minutes. You need: lesson 00; what a frequency is.*
#
# **What you will learn**
#
# 1. how a waveform becomes a spectrogram, and a spectrogram a handful of *descriptors* (5 minutes);
# 2. how 65 descriptors every 10 ms become the 260 features every half second of Munich's, IRIT's and
#    Tsinghua's papers, and what the length of the window does (10 minutes);
# 3. what roughness, dissonance, tempo, event density, flatness and valley add: the sets FS2 and 268 (10 minutes);
# 4. what measures harmony, which is in none of those sets (5 minutes);
# 5. how features go with valence and arousal, with which lag, and what a correlation hides (10 minutes);
# 6. three exercises (15 minutes).

# %%
from dataclasses import replace

import librosa
import numpy as np
import pandas as pd
from IPython.display import Audio, Markdown
from matplotlib import pyplot as plt

from mer_core import evaluation, features, models
from mer_core.features.compare import descriptors
from mer_core.features.psychoacoustic import dissonance_of, roughness_of
from mer_core.metrics import DIMENSIONS, score_songs
from workbook import harmony, intervals, lesson, plots, results, widgets
from workbook.raters import Raters

plots.use_style()
corpus = lesson.corpus(sets=("compare", "psychoacoustic", "spectral"))
dev = corpus.split("dev")

# %% [markdown]
# ## Listen and look
#
# A song (synthetic) whose arousal changes a lot. All that a computer gets is the air pressure, 44,100 times a second: the
# *waveform*. The *spectrogram* shows how strong each frequency is over time. (*Mel*: the frequencies are spaced
# as the ear distinguishes them.)

# %%
with_audio = dev.songs.dropna(subset="audio")
song_id = dev.labels.groupby("song_id")["arousal"].std().loc[with_audio.index].idxmax()
path = dev.songs.audio[song_id]
samples = features.read_audio(path)
rate = features.SAMPLE_RATE
print(f"Song {song_id}: {dev.songs.title[song_id]}; {len(samples):,} samples, {len(samples) / rate:.1f} s")
Audio(path)

# %% tags=["hide-input"]
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
bottom.set_title("ratings");
# %% [markdown]
# Where the picture is brighter, the sound is louder. Compare it with arousal.
#
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
# slope over a few frames: 130 curves in all. openSMILE computes them:

# %%
frames = descriptors(samples[: 6 * rate])
seconds = 0.01 * np.arange(len(frames))
print(f"{frames.shape[1]} curves (descriptors and deltas) in {len(frames)} rows of 10 ms")

# %% tags=["hide-input"]
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
axes[0].set_title("four descriptors, every 10 ms, first 6 s")
axes[-1].set_xlabel("time (s)");
# %% [markdown]
# Each note is a peak of energy; pitch is 0 where no pitch is found.
#
# ## From 10 ms to half seconds
#
# Labels are given every half second, so the descriptors are summarised: **mean and standard deviation over
# one second, every half second**. 130 curves × 2 = **260 features**. The row at time $t$ describes
# $[t, t + 1\,\mathrm{s})$: neighbouring rows share half of their sound.

# %%
extracted = features.extract(path).loc[song_id]
print(f"{extracted.shape[0]} rows of {extracted.shape[1]} features")
extracted.iloc[:3, [8 * 2, 8 * 2 + 1, 43 * 2 + 1]]

# %% tags=["hide-input"]
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
# One curve becomes two features: its mean and its spread within the second. The corpus contains these features,
# as DEAM does. Extracted again from the audio, they must be the same:

# %%
stored = corpus.features.loc[song_id]
both = extracted.index.intersection(stored.index)
varying = [column for column in extracted if stored[column].std() > 0]
agreement = extracted.loc[both, varying].corrwith(stored.loc[both, varying])
print(f"correlation per feature: median {agreement.median():.4f}, lowest {agreement.min():.4f}")

# %% [markdown]
# ## Experiment: how long should the window be?
#
# The papers use 1 s; IRIT mentions 0.5 s. **Guess:** how does the curve change when the window grows from 0.1 s to 4 s, and what
# would a drummer miss? (Grey: every 10 ms; black: the mean over the window that starts there.)

# %% tags=["hide-input"]
song_frames = descriptors(samples)
energy = song_frames[name].to_numpy()
lengths = [0.1, 0.25, 0.5, 1.0, 2.0, 4.0]


def windowed(length: float) -> plt.Figure:
    size = round(100 * length)
    starts = np.arange(0, len(song_frames) - size, 50)
    means = np.array([energy[a : a + size].mean() for a in starts])
    jumps = np.abs(np.diff(means)).mean()
    fig, ax = plt.subplots(figsize=(10, 3))
    ax.plot(0.01 * np.arange(len(song_frames)), energy, color=plots.GREY, lw=0.3)
    ax.step(0.01 * starts, means, where="post", color="black")
    ax.set(xlabel="time (s)", ylabel="RMS energy")
    ax.set_title(f"window {length:g} s: mean step from row to row {jumps:.4f}")
    return fig


widgets.FigureSlider.draw("window (s)", lengths, windowed, start=3)

# %% [markdown]
# **Answer:** a long window gives a steady curve, which changes early, since each window starts
# at its row, and hides single notes; a short one shows every
# note and is noisy. One second keeps changes that a rater can follow.
#
# ## What the papers added: roughness, pace, noise
#
# ComParE was made for speech. A musical tone is a sum of *partials*: pure tones at multiples of its pitch. *Bark* and
# *ERB* are scales of frequency in bands that the ear does not resolve further, narrow below and wide above. *Flatness*
# compares the bands of a spectrum; despite its name this number is 0 for an even spectrum (noise) and near 1 for a tone. The
# *valley* is the strength of the weakest part of a band, between the partials.
#
# | set | features | what they measure | columns |
# |---|---|---|---|
# | FS1 | ComParE | voice, loudness, spectrum, MFCC, and their slopes | 260 |
# | FS2 (Munich) | + sensory dissonance, roughness | beating of partials that lie close together | 264 |
# | | + tempo (BPM), event density (1/s) | pace | |
# | 268 (IRIT) | + flatness on Bark and ERB bands | 0: noise, 1: tones | 268 |
# | | + spectral valley in six bands | what lies between the peaks, as a logarithm | |
#
# (FS2 and 268 each contain FS1.) Six features of our song, and its ratings:

# %% tags=["hide-input"]
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
# Energy, roughness and event density rise with arousal in this song. The tempo jumps: an automatic beat tracker chooses among several
# periods of one rhythm, so a jump is not a change of tempo that a listener would notice.
#
# ### Experiment: two tones
#
# Two partials of frequencies $f_1 < f_2$ and amplitudes $a_1, a_2$ beat, which sounds rough. Roughness is strongest at a distance that
# grows with frequency; $s$ below scales the distance accordingly. Sethares (1993), after the experiments of Plomp and
# Levelt, and Vassilakis (2001) model it:
#
# $$s = \frac{0.24}{0.0207 f_1 + 18.96}, \qquad
# d = a_1 a_2 \left(e^{-3.5\,s\,(f_2-f_1)} - e^{-5.75\,s\,(f_2-f_1)}\right), \qquad
# R = \tfrac12 (a_1a_2)^{0.1} \left(\tfrac{2 a_{\min}}{a_1+a_2}\right)^{3.11} \frac{d}{a_1 a_2}$$
#
# Dissonance $d$ and roughness $R$ are summed over all pairs of partials (`dissonance_of`, `roughness_of`). Move a
# second tone of six partials away from the first and listen (run the cell for the sound). **Guess** first: at which
# intervals are the curves low?

# %% tags=["hide-input"]
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
steps_named = ["unison", "m2", "M2", "m3", "M3", "4th", "tritone"]
steps_named += ["5th", "m6", "M6", "m7", "M7", "octave"]


def two_tones(semitones: int) -> plt.Figure:
    fig, (left, right) = plt.subplots(1, 2, figsize=(11, 3.3), width_ratios=[3, 2])
    for (label, curve), colour in zip(rough.items(), ("black", "C2")):
        left.plot(steps, curve / curve.max(), color=colour, label=label)
        left.plot(semitones, measures[label](*dyad(semitones)) / curve.max(), "o", color=colour)
    left.set(xlabel="interval (semitones)", ylabel="share of the largest", ylim=(-0.05, 1.1))
    left.set_xticks(range(13), steps_named, fontsize="x-small", rotation=45)
    left.legend(fontsize="small")
    frequencies, heights = dyad(semitones)
    for half, colour in ((slice(0, 6), "black"), (slice(6, 12), "C1")):
        right.vlines(frequencies[half], 0, heights[half], color=colour, lw=2)
    right.set(xlabel="frequency (Hz)", ylabel="amplitude", title=f"partials: {steps_named[semitones]}")
    return fig


widgets.FigureSlider.draw("interval (semitones)", range(13), two_tones, start=1, sound=sounding)

# %% tags=["hide-input"]
curve = rough["dissonance (Sethares)"]
inner = np.flatnonzero((curve[1:-1] < curve[:-2]) & (curve[1:-1] < curve[2:])) + 1
dips = [steps_named[round(steps[k])] for k in inner if abs(steps[k] - round(steps[k])) < 0.3]
Markdown(
    f"**Answer:** beside the unison, dissonance has its minima at {', '.join(dips)}. There some partials of the two "
    "tones coincide and others are far apart, so few pairs beat. These are intervals that Western music calls consonant. The "
    "model knows nothing of chords or keys."
)

# %% [markdown]
# ## Harmony: major and minor
#
# Two cadences, the same except for the third and the sixth: major, then minor.

# %% tags=["hide-input"]
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

# %% [markdown]
# The mode over the whole cadence has the right sign. Over one second, which holds two or three of these chords, it is uncertain.

# %% tags=["hide-input"]
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

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True)
for ax, (data, title), plural in zip(axes, harmony.REAL.items(), ("pieces", "excerpts")):
    points = results.table(f"harmony_{data}_points")
    ax.scatter(points["mode_long"], points["valence"], s=18, color=plots.PALETTE["valence"])
    ax.axvline(0, color="black", lw=0.8)
    ax.set(xlabel="mean mode over 16 s (minor < 0 < major)", title=f"REAL: {title}, {len(points)} {plural}")
axes[0].set_ylabel("mean valence, -1 to 1");

# %% tags=["hide-input"]
of_mode = {data: harmony.single(data).loc["mode_long", "valence"] for data in harmony.REAL}
Markdown(
    "Correlation over pieces, with 95 % interval: "
    + "; ".join(
        f"{harmony.REAL[data]} r = **{row['value']:.2f}** ({row['low']:.2f} to {row['high']:.2f})"
        for data, row in of_mode.items()
    )
    + ". Piano pieces in major are rated as more pleasant than those in minor; on DEAM's excerpts "
    + ("the same is found." if of_mode["deam"]["low"] > 0 else "no relation is visible, and they are few.")
    + " [docs/harmony.md](../docs/harmony.md) has the details: on piano pieces the six features predict valence better than the 260 "
    "do; on so few excerpts of DEAM a small gain cannot be seen. Lesson 09 asks what this means."
)

# %% [markdown]
# ## What goes with emotion, and when?
#
# Correlate each feature with the ratings, over all labelled frames (half seconds) of the development songs:
# Pearson's r, as in lesson 00. **Guess** which kind of feature goes with arousal.

# %%
labelled = dev.features.loc[dev.labels.index]
strength = pd.DataFrame({k: labelled.corrwith(dev.labels[k]) for k in DIMENSIONS}).dropna()
top = strength.abs().max()

# %% tags=["hide-input"]
fig, axes = plt.subplots(1, 2, figsize=(12, 3.6))
for ax, dimension in zip(axes, DIMENSIONS):
    best = strength[dimension].sort_values(key=np.abs).tail(7)
    short = best.index.str.replace("pcm_fftMag_", "").str.replace("_sma", "")
    ax.barh(short, best, color=plots.PALETTE[dimension])
    ax.axvline(0, color="black", lw=0.8)
    ax.set(title=f"closest to {dimension}: largest |r| = {top[dimension]:.2f}", xlabel="r over frames")
    ax.tick_params(axis="y", labelsize=9)
# %% [markdown]
# Features of loudness and of change in the spectrum go with arousal; the correlations with valence are weaker. These are numbers of
# synthetic songs.
#
# ### The raters' lag, over all songs
#
# Lesson 00 showed the lag in one song. Here is the mean over songs of r *within* each song, between arousal and loudness that is delayed by
# 0 to 8 s. **Guess** where the curve of real raters has its maximum. (Stored results; bands: 95 % over songs.)

# %% tags=["hide-input"]
lag = results.table("lag").xs(("loudness", "arousal"), level=("cue", "dimension"))
panels = {"mini": "SYNTHETIC: the embedded corpus", "deam": "REAL: DEAM", "vgmidi": "REAL: VGMIDI"}
fig, axes = plt.subplots(1, 3, figsize=(12, 3.2), sharey=True)
for ax, (data, title) in zip(axes, panels.items()):
    rows = lag.loc[data].filter(like="r at", axis=0)
    rows = rows.set_axis(rows.index.str.split().str[2].astype(float)).sort_index()
    ax.plot(rows["value"], color=plots.PALETTE["arousal"])
    ax.fill_between(rows.index, rows["low"], rows["high"], color=plots.PALETTE["arousal"], alpha=0.2)
    ax.axvline(rows["value"].idxmax(), color=plots.GREY, ls="--")
    ax.set(title=f"{title} ({rows['songs'].iloc[0]:.0f} songs)", xlabel="delay of loudness (s)")
axes[0].set_ylabel("r within songs, mean");
# %% tags=["hide-input"]
raters, best_delay = Raters(), lag.xs("best delay", level="statistic")
span = {k: f"{row['value']:g} s [{row['low']:g}, {row['high']:g}]" for k, row in best_delay.iterrows()}
Markdown(
    f"**Answer:** all three curves rise first. The maximum is at {span['mini']} in the embedded corpus, at {span['deam']} in DEAM and at "
    f"{span['vgmidi']} in VGMIDI. The curves are flat near the top, so the intervals are wide, but none of them includes 0. VGMIDI's "
    "ratings are one value per bar, so its lag is coarse. The simulated raters' lag of "
    f"{raters.lag[0]:g} to {raters.lag[1]:g} s and the inertia of their hand ({raters.inertia:g} s) add up. A model of the present frame alone misses this: lesson 02."
)

# %% [markdown]
# ### What a correlation hides
#
# In the development songs valence and arousal go together. A feature that follows arousal then seems to follow
# valence as well. The *partial* correlation is the r of what is left of the feature and of valence after arousal has
# been subtracted from both by linear regression. **Guess:** how many of the large r with valence remain?


# %%
def partial_r(x: pd.DataFrame, y: pd.Series, z: pd.Series) -> pd.Series:
    x, y, z = x - x.mean(), y - y.mean(), z - z.mean()
    rest = x - np.outer(z, x.T @ z / (z @ z))
    return rest.corrwith(y - z * (z @ y) / (z @ z))


valence, arousal = dev.labels["valence"], dev.labels["arousal"]
without_arousal = partial_r(labelled[strength.index], valence, arousal)

# %% tags=["hide-input"]
largest = without_arousal.abs().nlargest(5).index
fig, ax = plt.subplots(figsize=(8, 4))
ax.plot(strength["valence"].abs(), without_arousal.abs(), "o", ms=4, color=plots.PALETTE["valence"], alpha=0.6)
ax.plot(strength.loc[largest, "valence"].abs(), without_arousal[largest].abs(), "o", ms=10, mfc="none", color="black")
ax.plot([0, 0.5], [0, 0.5], color=plots.GREY, lw=0.8)
ax.set_ylim(-0.01, 0.35)
ax.set(xlabel="|r| with valence", ylabel="|partial r|, arousal subtracted", title="one point per feature (SYNTHETIC)");
# %% tags=["hide-input"]
strongest = strength["valence"].abs().nlargest(10).index
shrunk = strength.loc[strongest, "valence"].abs().mean(), without_arousal[strongest].abs().mean()
Markdown(
    f"**Answer:** the ten largest |r| are {shrunk[0]:.2f} on average; their partial |r| is {shrunk[1]:.2f}. Others keep "
    f"up to {without_arousal.abs().max():.2f} (circles: "
    + ", ".join(f"`{name.replace('pcm_fftMag_', '').replace('_sma', '')}`" for name in largest)
    + "). A model of valence that has "
    "learned arousal looks good as long as the two go together."
)

# %% [markdown]
# A feature may also differ *between* songs without following anything *within* a song. Here is the partial r within each song,
# averaged over the songs in which the feature changes, with intervals of 95 % over songs.

# %% tags=["hide-input"]
cues = {"loudness": "audspec_lengthL1norm_sma_amean", "sharpness": "pcm_fftMag_psySharpness_sma_amean"}
cues |= {"dissonance": "sensory_dissonance"} | {k: k for k in ("roughness", "tempo", "event_density")}
by_song = {
    song: partial_r(labelled.loc[song, [*cues.values()]], valence[song], arousal[song])
    for song in dev.songs.index
}
inside = pd.DataFrame(by_song).T.set_axis([*cues], axis=1)
rows = {}
for cue, column in inside.items():
    row = intervals.difference(column.dropna(), column.dropna() * 0)
    rows[f"{cue} ({row['songs']} songs)"] = row | {"value": row["difference"]}
plots.draw_differences(pd.DataFrame(rows).T, unit="partial r with valence within songs (SYNTHETIC)");
# %% tags=["hide-input"]
most = inside.mean().abs().idxmax()
Markdown(
    f"Filled circles: the interval excludes 0. The largest is {most}, {inside[most].mean():.2f}; over all frames its partial r is "
    f"{without_arousal[cues[most]]:.2f}. Features that distinguish songs need not be those that follow valence within them."
)

# %% [markdown]
# ### Do the extra features help?
#
# The same linear model on three sets of features. Each song is predicted by a model that was trained on other songs (lesson 02
# explains this). The error is the RMSE of each song: its typical distance from the ratings.

# %%
chosen = {"FS1": ("compare",), "FS2": ("compare", "psychoacoustic"), "268": ("compare", "spectral")}
folds, errors = evaluation.k_folds(dev.songs.index), {}
for name_, sets in chosen.items():
    part = replace(dev, features=features.choose(dev.features, sets))
    predicted = evaluation.cross_validate(models.Linear(), part, folds)
    errors[name_] = score_songs(dev.labels, predicted)["rmse"]

# %% tags=["hide-input"]
rows = {}
for name_ in ("FS2", "268"):
    for dimension in DIMENSIONS:
        own, base = (errors[k].xs(dimension, level="dimension") for k in (name_, "FS1"))
        row = intervals.difference(own, base)
        rows[f"{name_}, {dimension}"] = row | {"value": row["difference"], "group": dimension}
gains = pd.DataFrame(rows).T.infer_objects()
plots.draw_differences(gains, detectable=gains["detectable"].max(), unit="difference in RMSE to FS1 (SYNTHETIC)");
# %% tags=["hide-input"]
Markdown(
    f"Left of 0 is better. The largest difference is {gains['value'].abs().max():.3f}. Compare them with the grey band: the "
    f"differences that {len(dev.songs)} songs cannot detect reliably. On real songs IRIT reports a gain from the eight features of 268; lesson 03 tests it."
)

# %% [markdown]
# ## A trap: the first instant
#
# RASTA filtering (Hermansky & Morgan 1994) removes what stays the same in a sound: it takes the
# *logarithm* of each auditory band and keeps its changes. The logarithm of digital silence is very low, so when sound
# follows it, the change is enormous. MP3 coding leaves some 50 ms of such silence at the start of a file,
# also in DEAM's excerpts. **Guess:** how much does 0.1 s of silence before ten seconds of our song change the first row?

# %%
band = "audSpec_Rfilt_sma[0]_amean"
ten_seconds = samples[20 * rate : 30 * rate]
after_silence = np.concatenate([np.zeros(rate // 10, np.float32), ten_seconds])
plain, burst = (features.extract((x, rate)).loc[0, band] for x in (ten_seconds, after_silence))
ratio = burst.loc[0.0] / plain.loc[0.0]

# %% tags=["hide-input"]
fig, ax = plt.subplots(figsize=(9, 3))
ax.semilogy(burst.index, burst, "o-", color="black", ms=4, label="0.1 s of silence before it")
ax.semilogy(plain.index, plain, "o-", color=plots.GREY, ms=4, label="as it is")
ax.set(xlabel="time (s)", ylabel="auditory band 0, RASTA", title=band)
ax.legend();

# %% tags=["hide-input"]
Markdown(
    f"**Answer:** the first row becomes **{ratio:.0f} times** as large, and nobody notices it when listening. Labels start at 15 s, so a model "
    "of single frames never meets such a row in training. A network that receives the song from its start does. If features are "
    "scaled by the mean and standard deviation of *all* rows, one such row per song determines the scale."
)

# %% [markdown]
# ## Exercises
#
# **1. (code)** Compute the feature `pcm_RMSenergy_sma_amean` at time 10 s from the descriptors `song_frames`
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
# **2. (concept)** Multiply all samples of a song by 2. Which one of these features changes: `"RMS energy"`, `"spectral centroid"`,
# or `"mode"`?
#
# <details><summary>Hint</summary>
#
# Put $2x_n$ and $2S_k$ into the formulas above. What does a correlation do with a factor?
#
# </details>

# %% tags=["exercise"]
changes = ...
# solution:
changes = "RMS energy"

# %%
lesson.check_answer(
    "2",
    changes,
    "RMS energy",
    hint="Only one of the three depends on the size of the samples.",
    mistakes={
        "The factor is above and below the fraction line.": "spectral centroid",
        "A correlation ignores a factor.": "mode",
    },
)

# %% [markdown]
# **3. (open)** In a collection of pop songs the spectral centroid has r = 0.5 with valence. A colleague concludes that bright sounds are
# pleasant. What else could explain it, and how would you find out?
#
# <details><summary>A model answer</summary>
#
# Arousal: energetic songs are bright, and in this collection they may also be pleasant. Look at the partial correlation without
# arousal, and at songs in which the two do not go together. Genre or production: bright recordings may be of one style; look within genres.
# Between or within: does valence follow brightness within songs, with a delay of some seconds? The interval of r over songs, not over frames, since
# frames of a song are alike. And how many features were tried before this one? The best experiment changes brightness alone, by a
# filter, and asks listeners.
#
# </details>
#
# %% [markdown]
# ## Summary
#
# - 65 descriptors and their 65 deltas every 10 ms; mean and sd over 1 s every 0.5 s: **260 features**.
# - A row at time *t* describes [*t*, *t* + 1 s). Some columns use a little more (deltas,
#   filters such as RASTA) or much more (tempo: 10 s; mode over 16 s).
# - FS2 adds roughness and pace, IRIT's 268 flatness and valley. On this corpus they hardly change a linear model's error.
# - Mode and key clarity come from the chroma and the profiles of the 24 keys; none of the papers' sets contains them.
# - Ratings follow loudness with a **lag** of some seconds, in real data as well.
# - A feature's r with valence is partly its r with **arousal**, and r between songs is not r within songs.
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
        **{f"RMSE per song of valence, {k}": (e.xs("valence", level=1).mean(), 0.002) for k, e in errors.items()},
        "largest partial r with valence": (without_arousal.abs().max(), 0.005),
        "best delay of loudness, DEAM, s": (best_delay.loc["deam", "value"], 0.01),
        "roughest interval (semitones)": (steps[rough["roughness (Vassilakis)"].argmax()], 0.05),
        "agreement with the stored features, median r": (agreement.median(), 0.005),
        "largest |r| with arousal": (top["arousal"], 0.005),
        "largest |r| with valence": (top["valence"], 0.005),
        "r of valence with mode, VGMIDI": (of_mode["vgmidi"]["value"], 0.001),
        "r of valence with mode, DEAM": (of_mode["deam"]["value"], 0.001),
        "burst of the RASTA filter": (ratio, 0.05 * ratio),
    },
)
