# %% [markdown]
# # 07 · Learned features: VAE, AE and CNN before an LSTM
#
# *75 minutes. You need: lessons 01, 02 and 04; what a gradient is.*
#
# Listen 5, the idea 20, reconstruction 10, one latent 10, prediction 10, figure 4 10, exercises 10 minutes.
#
# **What you will learn**
#
# 1. how an **autoencoder** learns features from sound, without labels;
# 2. what makes it **variational** (VAE): codes that are distributions, and the two costs of the ELBO;
# 3. to see and to listen to what 32 numbers keep of half a second, and what one of them changes;
# 4. what *β*, more unlabelled audio, and the number of latents change in the prediction;
# 5. whether learned features are better than given ones, beside simple systems.

# %% tags=["hide-input"]
from dataclasses import replace

import librosa
import numpy as np
import pandas as pd
import torch
from IPython.display import Audio, Markdown, display
from matplotlib import pyplot as plt
from sklearn.decomposition import PCA
from sklearn.linear_model import RidgeCV
from torch import nn

from mer_core import Corpus, features, models
from mer_core.features import mel
from mer_core.metrics import DIMENSIONS, r2, score_songs
from mer_core.models.autoencoder import AE, IN_CLASS, VAE
from workbook import intervals, lesson, plots, results, widgets
from workbook.studies.latents import HELD_OUT, LABELLED, band_means, sound_lost

plots.use_style()
corpus = lesson.corpus()

# %% [markdown]
# ## Listen and look
#
# The networks of lessons 03 to 05 receive 260 features that people designed. Herremans et al. (2019), the paper of this
# lesson, use the **mel spectrogram** and let a network find the features. Each half second is a **patch**: 64 mel bands
# times 16 moments, 1,024 numbers in dB.
#
# We train on a random part of the development songs; test songs are for listening and scoring.

# %%
drawn = np.random.default_rng(0).permutation(corpus.split("dev").songs.index)


def with_mel(part: Corpus) -> Corpus:
    tracks = [features.extract(path, ("mel",)) for path in part.songs["audio"]]
    return replace(part, features=pd.concat(tracks))


few = with_mel(corpus.select(sorted(drawn[HELD_OUT : HELD_OUT + LABELLED])))
test = with_mel(corpus.split("test"))
print(f"{len(few.songs)} training songs, {len(few.features)} patches; {len(test.songs)} test songs")

# %% [markdown]
# A patch can be turned back into sound: spread the power of each band over its frequencies and find phases that fit
# (Griffin and Lim 1984). Listen to the same four seconds three times: the recording; its patches, turned back; and its
# patches after a VAE has reduced **each to 32 numbers**. **Predict:** what will be missing in the third?

# %% tags=["hide-input"]
filters = librosa.filters.mel(sr=mel.RATE, n_fft=mel.FFT, n_mels=mel.BANDS, norm=None)


def picture(track: pd.DataFrame) -> np.ndarray:
    """Rows of a track side by side: one spectrogram (bands, frames) in dB."""
    return np.concatenate(list(mel.patches(track)), axis=1)


def sound(track: pd.DataFrame) -> np.ndarray:
    """Samples at 24 kHz that have this spectrogram, more or less."""
    power = mel.FULL_SCALE * 10 ** (picture(track) / 10)
    bins = (filters / filters.sum(axis=1, keepdims=True)).T @ power
    options = {"hop_length": mel.HOP, "n_fft": mel.FFT, "center": False}
    samples = librosa.griffinlim(np.sqrt(bins), n_iter=16, random_state=0, **options)
    return np.clip(samples[mel.LEAD : -mel.LEAD], -1, 1)


song_id = test.labels.groupby("song_id")["arousal"].std().idxmax()
loud = band_means(test.features.loc[[song_id]]).mean(axis=1).rolling(8).mean()
start = int(loud.argmax()) - 7  # of its loudest four seconds
excerpt = test.features.loc[[song_id]].iloc[start : start + 8]
vae = VAE().fit(few.features)
recording = librosa.load(test.songs.audio[song_id], sr=mel.RATE, offset=start / 2, duration=4)[0]
for name, samples in {
    "the recording": recording,
    "its patches, turned back into sound": sound(excerpt),
    "through 32 numbers for each half second": sound(vae.reconstruct(excerpt)),
}.items():
    print(name)
    display(Audio(samples, rate=mel.RATE, normalize=False))

# %% [markdown]
# ## The idea: encode and decode
#
# An **autoencoder** is two networks. The **encoder** turns a patch $x$ (standardised band by band) into few numbers
# $z$, its **code** or **latents**; the **decoder** turns them back, $\hat x(z)$. Both learn to make
# $\lVert x-\hat x\rVert^2$ small. No label is needed: any audio can be used. With linear networks the best
# solution is a PCA (principal component analysis, lesson 03); here a hidden layer makes it nonlinear.
#
# In a **variational** autoencoder (Kingma and Welling 2014) the code of a patch is not a point but a **distribution**, $q(z|x)=\mathcal N(\mu,
# \mathrm{diag}\,\sigma^2)$, from which one point is drawn, $z=\mu+\sigma\epsilon$ with $\epsilon\sim\mathcal N(0,1)$. The randomness
# is in $\epsilon$ alone, so gradients pass through $\mu$ and $\sigma$: the *reparametrisation trick*. The distribution has a
# cost: its distance from one standard normal $p(z)$. Together
#
# $$\log p(x)\;\ge\;\mathrm{ELBO}=\underbrace{\mathbb E_{q}\log p(x|z)}_{-\frac12\lVert x-\hat x(z)\rVert^2+\text{const}}
# -\;\underbrace{\mathrm{KL}\big(q(z|x)\,\Vert\,p(z)\big)}_{\frac12\sum_k(\mu_k^2+\sigma_k^2-\log\sigma_k^2-1)}$$
#
# where $k$ counts the latents and KL is the Kullback-Leibler divergence. Training maximises a lower bound of the
# probability of the data (ELBO, *evidence lower bound*). The first term is the **reconstruction error**, the second the
# **information** in the code, in *nats* (a bit is 0.69 nats). A **β-VAE** (Higgins et al. 2017) minimises reconstruction
# error + β · divergence. With β = 0 and without noise it is the plain autoencoder, **AE**.


# %%
class Bottleneck(nn.Module):
    def __init__(self, columns: int, hidden: int, latent: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(columns, hidden), nn.ReLU(), nn.Linear(hidden, 2 * latent))
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, columns))

    def encode(self, x):
        mean, log_variance = self.encoder(x).chunk(2, dim=-1)
        return mean, log_variance

    def forward(self, x, noise):
        mean, log_variance = self.encode(x)
        z = mean + noise * (log_variance / 2).exp()
        lost = (x - self.decoder(z)).square().sum(-1) / 2
        said = (mean.square() + log_variance.exp() - log_variance - 1).sum(-1) / 2
        return lost, said


# %% [markdown]
# This is the whole network, for AE and VAE. In the code, `lost` is the reconstruction error and `said` the divergence.
# Is the formula of the divergence right? Compare it with a Monte Carlo estimate: the mean of $\log q(z|x)-\log p(z)$
# over random codes.

# %%
network = Bottleneck(mel.BANDS * mel.FRAMES, vae.hidden, vae.latent)
network.load_state_dict(vae.weights_)
x = vae.scale_.standardised(mel.patches(excerpt.iloc[:1]))
with torch.no_grad():
    mean, log_variance = network.encode(x)
    said = network(x, torch.zeros(1, vae.latent))[1].item()
    q = torch.distributions.Normal(mean, (log_variance / 2).exp())
    torch.manual_seed(0)
    z = q.sample((4000,))
    samples = (q.log_prob(z) - torch.distributions.Normal(0.0, 1.0).log_prob(z)).sum(-1)
estimate, error = samples.mean().item(), samples.std().item() / len(samples) ** 0.5
print(f"formula: {said:.2f} nats; Monte Carlo estimate: {estimate:.2f} ± {error:.2f}")

# %% [markdown]
# Training takes 64 random patches and one step of Adam, a thousand times. Both costs settle:

# %% tags=["hide-input"]
ae = AE().fit(few.features)
fig, axes = plt.subplots(1, 2, figsize=(10.5, 3))
for ax, column in zip(axes, ("reconstruction", "divergence")):
    for (name, model), colour in zip({"AE": ae, "VAE, β = 1": vae}.items(), ("C2", "C4")):
        if name != "AE" or column == "reconstruction":
            ax.plot(model.history_[column].rolling(25).mean(), color=colour, label=name)
    ax.set(xlabel="step", ylabel="nats a patch", ylim=(0, None), title=column)
axes[0].legend()
plt.show()

# %% [markdown]
# ## How good is the reconstruction?
#
# **Predict:** which reconstructs the **test** songs better from 32 numbers, a PCA or an autoencoder? Error in dB, lower
# is better; ± is the standard deviation over songs.

# %%
training = vae.scale_.standardised(mel.patches(few.features)).numpy()
pca = PCA(32, random_state=0).fit(training)
patches = vae.scale_.standardised(mel.patches(test.features)).numpy()
through_pca = vae.scale_.decibel(torch.tensor(pca.inverse_transform(pca.transform(patches))))
back = {
    "64 band means": np.repeat(band_means(test.features).to_numpy(), mel.FRAMES, axis=1),
    "PCA": through_pca,
    "AE": ae.reconstruct(test.features),
    "VAE, β = 1": vae.reconstruct(test.features),
}

# %% tags=["hide-input"]
def lost_db(values: np.ndarray | pd.DataFrame) -> pd.Series:
    squares = (np.asarray(values) - test.features.to_numpy()) ** 2
    return np.sqrt(pd.Series(squares.mean(axis=1), test.features.index).groupby("song_id").mean())


losses = pd.DataFrame({name: lost_db(values).agg(["mean", "std"]) for name, values in back.items()}).T
where = test.features.index.get_indexer(excerpt.index[:4])
shown = {"original": picture(excerpt.iloc[:4])} | {
    name: picture(pd.DataFrame(np.asarray(back[name])[where], columns=excerpt.columns))
    for name in ("PCA", "AE", "VAE, β = 1")
}
EXTENT = (start / 2, start / 2 + 2, 0, mel.BANDS)
fig, axes = plt.subplots(1, 4, figsize=(12, 3.2), sharey=True)
for ax, (name, image) in zip(axes, shown.items()):
    drawn_image = ax.imshow(image, origin="lower", aspect="auto", vmin=-80, vmax=0, extent=EXTENT)
    error = f": {losses.loc[name, 'mean']:.2f} ± {losses.loc[name, 'std']:.2f} dB" if name in losses.index else ""
    ax.set(title=name + error, xlabel="time (s)")
    ax.grid(visible=False)
axes[0].set_ylabel("mel band, 0 to 12 kHz")
fig.colorbar(drawn_image, ax=axes, label="dB")
plt.show()

# %% tags=["hide-input"]
apart = {
    name: intervals.difference(lost_db(back[name]), lost_db(back["PCA"])) for name in ("AE", "VAE, β = 1")
}
Markdown(
    "Against the PCA, song by song: "
    + "; ".join(
        f"{name} {row['difference']:+.2f} dB [{row['low']:.2f}, {row['high']:.2f}]" for name, row in apart.items()
    )
    + f" (95 % over {len(test.songs)} synthetic songs; negative: the autoencoder is better). What 32 numbers cannot "
    "represent is replaced by its mean, so the pictures are smooth."
)

# %% [markdown]
# ## What one latent changes
#
# A latent whose divergence is near 0 carries no information: the VAE has switched it off. Which ones are used?

# %% tags=["hide-input"]
with torch.no_grad():
    mean, log_variance = network.encode(vae.scale_.standardised(mel.patches(test.features)))
nats = ((mean**2 + log_variance.exp() - log_variance - 1) / 2).mean(axis=0).numpy()
at_work, strongest = int((nats > 0.1).sum()), int(nats.argmax())
fig, ax = plt.subplots(figsize=(9, 2.6))
ax.bar(range(vae.latent), np.sort(nats)[::-1], color="C4")
ax.axhline(0.1, color=plots.GREY, ls=":")
ax.set(xlabel="latents, by divergence", ylabel="nats a patch", title=f"{at_work} of {vae.latent} have more than 0.1 nats")
plt.show()

# %% [markdown]
# Take two seconds of the song, set the latent with the largest divergence to one value, keep the others, and decode.
# **Predict:** what will it change? Move the slider, look, and listen. Right: the mean spectrum; dashed: unchanged.

# %% tags=["hide-input"]
steps, name = [-3, -2, -1, 0, 1, 2, 3], f"latent_{strongest}"
latents = vae.transform(test.features)
walked = {value: vae.decode(latents.loc[excerpt.index[:4]].assign(**{name: np.float32(value)})) for value in steps}
untouched = picture(vae.reconstruct(excerpt.iloc[:4]))


def at_value(value: float) -> plt.Figure:
    fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), width_ratios=[3, 2])
    image = picture(walked[value])
    left.imshow(image, origin="lower", aspect="auto", vmin=-80, vmax=0, extent=EXTENT)
    left.grid(visible=False)
    left.set(xlabel="time (s)", ylabel="mel band", title=f"{name} = {value:+d}")
    right.plot(untouched.mean(axis=1), np.arange(mel.BANDS), ls="--", color=plots.GREY, label="unchanged")
    right.plot(image.mean(axis=1), np.arange(mel.BANDS), color="C4", label=f"{value:+d}")
    right.set(xlabel="dB", xlim=(-80, 0), ylim=(0, 64), title="mean spectrum")
    right.legend(fontsize="small")
    return fig


def heard_at(value: float) -> np.ndarray:
    samples = librosa.resample(sound(walked[value]), orig_sr=mel.RATE, target_sr=44_100)
    return np.clip(samples, -1, 1)


widgets.FigureSlider.draw(name, steps, at_value, start=5, sound=heard_at)

# %% [markdown]
# The paper hopes for *disentangled* latents: one latent for one quality, such as loudness, and no other latent with
# the same information. A high correlation of one latent is not enough. **Remove that latent: can the other 31 still
# predict loudness?** (A ridge regression, fitted on the training songs, scored on the test songs.)

# %%
loudness = {part: band_means(songs.features).mean(axis=1) for part, songs in {"few": few, "test": test}.items()}
r = latents.corrwith(loudness["test"])
most = r.abs().idxmax()
coded = vae.transform(few.features)
others = RidgeCV(np.logspace(-2, 4, 7)).fit(coded.drop(columns=most), loudness["few"])
without = r2(loudness["test"], others.predict(latents.drop(columns=most)))
print(f"{most}: r with loudness {r[most]:+.2f}; the other {vae.latent - 1} predict it with R² {without:.2f}")

# %% tags=["hide-input"]
Markdown(
    "**Loudness is not disentangled**: the other latents contain it, too."
    if without > 0.5
    else "The other latents contain little of the loudness."
)

# %% [markdown]
# ## From latents to emotion
#
# The LSTM of lesson 04 receives the means $\mu$ of the latents instead of features. The encoder is not changed.
# `models.VAELSTM` and `AELSTM` do both steps in one `fit`.

# %%
lstm = models.LSTM(**IN_CLASS).fit(vae.transform(few.features), few.labels)
predicted = lstm.predict(latents)
mine = score_songs(test.labels, predicted)["rmse"].groupby("dimension").mean()

# %% tags=["hide-input"]
choices = results.table("latent_choices")
row = ("beta", "VAE-LSTM", 1.0, 0, "test")
stored = {d: choices.loc[(*row, d, "mean"), "rmse"] for d in DIMENSIONS}
ax = plots.draw_curves(test.labels.loc[song_id], predicted.loc[song_id])
ax.set_title(f"song {song_id}; RMSE of all test songs: here, stored: " + ", ".join(f"{d} {mine[d]:.3f}, {stored[d]:.3f}" for d in DIMENSIONS))
plt.show()

# %% [markdown]
# **The encoder gives the features; the lag is the LSTM's task** (lesson 04): the encoder sees one half second at a time.
# A **CNN** (convolutional neural network, `models.CNNLSTM`) can take the autoencoder's place. It is trained by the labels
# together with the LSTM; it does not use unlabelled audio.
#
# ### β, latents, more audio
#
# Stored results on the **synthetic** corpus: 24 labelled songs, drawn anew for each of five seeds; mean RMSE of 24
# held-out development songs, and of 16 test songs. The draw of songs changes all systems alike, so the figures show
# **differences between two settings with the same draw**: one thin line for each seed, their mean thick.
# **Predict:** when β grows from 0.1 to 64 and the reconstruction becomes much worse, what happens to the prediction?

# %% tags=["hide-input"]
def constant(seed: int) -> pd.DataFrame:
    order = np.random.default_rng(seed).permutation(corpus.split("dev").songs.index)
    held_out, labelled, _ = np.split(order, [HELD_OUT, HELD_OUT + LABELLED])
    level = corpus.select(labelled).labels.mean()
    parts = {"held-out": corpus.select(sorted(held_out)), "test": corpus.split("test")}
    errors = {
        protocol: score_songs(part.labels, part.labels * 0 + level)["rmse"].groupby("dimension").mean()
        for protocol, part in parts.items()
    }
    return pd.DataFrame(errors)


flat_errors = pd.concat([constant(seed) for seed in range(5)]).groupby("dimension").mean()
means = choices.xs("mean", level="aggregation")
each = means["rmse"]
STYLES = {"AE-LSTM": "C2", "VAE-LSTM": "C4"}


def gaps_of(study: str, system: str, protocol: str, d: str, reference: float) -> pd.DataFrame:
    """RMSE minus that of the reference setting: a row for each seed, a column for each setting."""
    table = each.loc[study, system].xs((protocol, d), level=("protocol", "dimension")).unstack("value")
    if study == "unlabelled" and system in STYLES:
        table["48 +\nscored"] = each.loc["heard", system, 48].xs((protocol, d), level=("protocol", "dimension"))
    return table.sub(table[reference], axis=0)


def draw_study(study: str, xlabel: str, reference: float, base: str) -> None:
    _, axes = plt.subplots(1, 4, figsize=(13, 3), sharey=True)
    for ax, (protocol, d) in zip(axes, [(p, d) for d in DIMENSIONS for p in ("held-out", "test")]):
        for system, colour in STYLES.items():
            if (study, system) in each.index.droplevel(list(range(2, each.index.nlevels))):
                table = gaps_of(study, system, protocol, d, reference)
                names = [f"{value:g}" if isinstance(value, float) else value for value in table]
                ax.plot(names, table.T.to_numpy(), color=colour, lw=0.6, alpha=0.7)
                ax.plot(names, table.mean(), "o-", color=colour, lw=2.5, label=system)
        ax.axhline(0, color=plots.GREY, lw=1)
        ax.set(xlabel=xlabel, title=f"{d}, {protocol}")
    axes[0].set_ylabel(f"RMSE minus that of\n{base}")
    axes[0].legend(fontsize="small")
    plt.show()


draw_study("beta", "β", 1.0, "β = 1")

# %% tags=["hide-input"]
found = means.loc["beta", "VAE-LSTM"].groupby(["value", "protocol"])[["lost", "divergence"]].mean().xs("test", level="protocol")
worst = {d: gaps_of("beta", "VAE-LSTM", "held-out", d, 1.0).mean().abs().max() for d in DIMENSIONS}
Markdown(
    f"From β = 0.1 to 64 the reconstruction error of test songs grows from {found.lost.iloc[0]:.1f} to {found.lost.iloc[-1]:.1f} dB, and the code "
    f"shrinks from {found.divergence.iloc[0]:.0f} to {found.divergence.iloc[-1]:.1f} nats. The RMSE of held-out songs differs from that of β = 1 by at "
    f"most {worst['valence']:.3f} (valence) and {worst['arousal']:.3f} (arousal) on average. A better reconstruction is **not shown** to be a better feature."
)

# %% [markdown]
# **More unlabelled audio, and more latents.** The encoder receives 0, 24 or 48 further songs without labels. “48 +
# scored” adds the audio of the songs that are scored. This is allowed only if all audio is available before any label,
# and it must be reported. The paper's encoder was trained on 2,806 files; whether scored songs were among them is not
# reported.

# %% tags=["hide-input"]
draw_study("unlabelled", "further songs without labels", 0.0, "no further song")
draw_study("latent", "latents", 32.0, "32 latents")

# %% tags=["hide-input"]
seen = {
    (system, d, p): gaps_of("unlabelled", system, p, d, 0.0)[48.0]
    for system in STYLES
    for d in DIMENSIONS
    for p in ("held-out", "test")
}
agree = [key for key, gap in seen.items() if (np.sign(gap) == np.sign(gap.mean())).all()]
Markdown(
    f"With 48 further songs the mean RMSE changes by {min(g.mean() for g in seen.values()):+.3f} to {max(g.mean() for g in seen.values()):+.3f} "
    f"(negative: better). In {len(agree)} of {len(seen)} cases all five seeds agree on the sign."
)

# %% [markdown]
# ## Figure 4 of the paper: errors of songs
#
# The paper compares five systems by the RMSE of single songs. Here the systems are trained on all development songs,
# stored results, **synthetic**. Beside the paper's systems there are simple ones: a constant, a ridge regression on 64
# band means or on 260 features, an LSTM on band means, and a PCA instead of the autoencoder. **Predict:** is the
# autoencoder better than a PCA? Than the constant?
#
# One test for each comparison: the paired difference over songs. Left: ten folds of the 96 development songs. Right:
# the 16 test songs.

# %% tags=["hide-input"]
RIVALS = {
    "constant": ("constant", "FS1"),
    "ridge on bands": ("ridge on bands", "band means"),
    "ridge on 260": ("linear", "FS1"),
    "LSTM on bands": ("LSTM on bands", "band means"),
    "PCA-LSTM": ("PCA-LSTM", "mel"),
    "CNN-LSTM": ("CNN-LSTM", "mel"),
    "BLSTM on 260": ("BLSTM, one network", "FS1"),
}
known = results.stored_songs()["rmse"].xs("raw", level="output").sort_index()


def song_errors(cell: tuple[str, str], protocol: str, d: str) -> pd.Series:
    return known.loc[cell].xs((protocol, d), level=("protocol", "dimension")).groupby("song_id").mean()


compared = pd.DataFrame(
    {
        (system, protocol, d, f"{d}: {rival}"): intervals.difference(song_errors((system, "mel"), protocol, d), song_errors(cell, protocol, d))
        for system in ("AE-LSTM", "VAE-LSTM")
        for protocol in ("CV", "test")
        for d in DIMENSIONS
        for rival, cell in RIVALS.items()
    }
).T.rename(columns={"difference": "value"})
compared["holm"] = intervals.holm(compared["p"].astype(float))
fig, axes = plt.subplots(1, 2, figsize=(11.5, 4.4), sharey=True)
for ax, protocol in zip(axes, ("CV", "test")):
    rows = compared.loc["AE-LSTM", protocol].reset_index(level=0, names="group")
    songs = int(rows["songs"].min())
    plots.draw_differences(rows, ax=ax, detectable=float(rows["detectable"].median()), unit="RMSE of AE-LSTM minus that of the rival")
    ax.set_title(f"{'ten folds' if protocol == 'CV' else 'test songs'}: {songs} songs; left of 0: AE-LSTM is better")

# %% tags=["hide-input"]
sure = compared[compared["holm"] < 0.05]
on_test = compared.xs("test", level=1)


def listed(system: str, sign: int) -> str:
    rows = sure.loc[[system]] if system in sure.index.unique(0) else sure.iloc[:0]
    names = [f"{name} ({protocol})" for (_, protocol, _, name), row in rows.iterrows() if np.sign(row["value"]) == sign]
    return ", ".join(names) or "none"


Markdown(
    f"**Result**, of {len(compared)} comparisons, Holm's correction over all of them: "
    + " ".join(f"**{system}** is better than: {listed(system, -1)}; and worse than: {listed(system, 1)}." for system in ("AE-LSTM", "VAE-LSTM"))
    + f" The 16 test songs detect a difference of {on_test['detectable'].median():.3f} (median). Without the correction "
    f"{int((on_test['low'] > 0).sum())} of {len(on_test)} intervals there are above 0 (the autoencoder is worse) and {int((on_test['high'] < 0).sum())} "
    "below. The paper compares its systems only with large ones. Without a constant, a ridge regression and a PCA one cannot know what "
    "*learned* features add."
)

# %% [markdown]
# ## Exercises
#
# **1 (code).** Write the divergence of a code yourself, for arrays `mean` and `log_variance` of shape (patches, latent): one number for each
# patch.
#
# <details><summary>Hint</summary>
#
# It is the formula under the second brace, with σ² = `np.exp(log_variance)`; `axis=1` sums over the latents.
#
# </details>


# %% tags=["exercise"]
def my_divergence(mean: np.ndarray, log_variance: np.ndarray) -> np.ndarray:
    return ...


# solution:
def my_divergence(mean: np.ndarray, log_variance: np.ndarray) -> np.ndarray:
    return (mean**2 + np.exp(log_variance) - log_variance - 1).sum(axis=1) / 2


# %%
m, v = np.random.default_rng(0).normal(size=(2, 5, 3))
cloud = torch.distributions.Normal(torch.tensor(m), torch.tensor(v / 2).exp())
divergences = torch.distributions.kl_divergence(cloud, torch.distributions.Normal(torch.zeros(5, 3).double(), 1.0))
lesson.check_answer(
    "1",
    my_divergence(m, v),
    divergences.sum(1).numpy(),
    tolerance=1e-9,
    hint="The formula under the second brace, with σ² = exp(log σ²); sum over the latents.",
    mistakes={
        "That is twice as much: the half is missing.": 2 * divergences.sum(1).numpy(),
        "Sum over the latents, don't average.": divergences.mean(1).numpy(),
        "That takes log σ² for σ².": (m**2 + v - np.log(np.abs(v)) - 1).sum(1) / 2,
    },
)

# %% [markdown]
# **2 (code).** How large is the **AE**'s reconstruction error for song `song_id`, in dB: the root of the mean squared
# difference over all its patches, bands and frames?
#
# <details><summary>Hint</summary>
#
# `ae.reconstruct(track)` gives a track in dB; `test.features.loc[[song_id]]` is the song.
#
# </details>

# %% tags=["exercise"]
lost = ...
# solution:
song = test.features.loc[[song_id]]
lost = float(np.sqrt(((ae.reconstruct(song) - song) ** 2).to_numpy().mean()))

# %%
song = test.features.loc[[song_id]]
gap = (ae.reconstruct(song) - song).to_numpy()
lesson.check_answer(
    "2",
    lost,
    float(sound_lost(ae, song)["lost"].iloc[0]),
    tolerance=0.005,
    hint="`ae.reconstruct` gives a track of dB.",
    mistakes={
        "That is the mean square: take its root.": float((gap**2).mean()),
        "That is the mean absolute difference: square, average, take the root.": float(np.abs(gap).mean()),
        "That is the VAE's.": float(sound_lost(vae, song)["lost"].iloc[0]),
    },
)

# %% [markdown]
# **3 (open).** Somebody finds one latent whose r with *arousal* is 0.8 and writes: “the VAE has discovered arousal
# without labels”. Which three measurements would you ask for?
#
# <details><summary>A possible answer</summary>
#
# First, the correlation of loudness with arousal on the same songs: the latent may be loudness. Second, the prediction
# of arousal by the *other* latents: if it is as good, nothing was separated. Third, the same latent on songs of another
# collection, chosen on one half of the songs and measured on the other, since the best of 32 correlations is too high
# by chance. A PCA of the same size belongs beside all three.
#
# </details>
#
# ## Summary
#
# - An **autoencoder** learns features from audio alone; what does not pass the bottleneck is lost.
# - A **VAE** adds a cost for the information in the code; **β** sets it, and unused latents are switched off.
# - One latent that correlates with loudness does not show disentanglement: test the others.
# - A good reconstruction is not a good prediction. Measure both, on held-out songs.
# - Report whose **audio** the encoder received.
# - Compare learned features with a PCA, band means, a ridge regression and the constant, by one test.
#
# ## References
#
# - Griffin, Lim (1984). Signal estimation from modified short-time Fourier transform. *IEEE TASSP*.
# - Herremans, Cheuk, Luo, Agres (2019). Untangling indices of emotion in music using neural networks.
# - Higgins et al. (2017). beta-VAE: learning basic visual concepts with a constrained variational framework. *ICLR*.
# - Kingma, Welling (2014). Auto-encoding variational Bayes. *ICLR*.

# %% tags=["hide-input"]
lesson.check_numbers(
    "07",
    {f"lost, {name} (dB)": (losses.loc[name, "mean"], 0.3) for name in ("64 band means", "PCA", "AE", "VAE, β = 1")}
    | {f"VAE-LSTM, {d}, RMSE": (mine[d], 0.03) for d in DIMENSIONS}
    | {f"constant, {d}, RMSE": (flat_errors.loc[d, "test"], 0.001) for d in DIMENSIONS}
    | {"latents at work": (at_work, 5), "loudness from the other latents, R2": (without, 0.1)},
)
