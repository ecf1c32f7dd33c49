# %% [markdown]
# # 07 · Learned features: VAE, AE and CNN in front of an LSTM
#
# *60 minutes. You need: lessons 01, 02 and 04; what a gradient is.*
#
# **What you will learn**
#
# 1. how an **autoencoder** learns features from sound alone, without a single label;
# 2. what makes it **variational** (VAE): codes that are clouds, and the two costs of the ELBO, the *evidence lower bound*;
# 3. to see and hear what 32 numbers keep of half a second, and what one of them does;
# 4. what *β* trades, what further unlabelled audio is worth, and how many latents are needed;
# 5. whether learned features beat given ones: the paper's figure 4, song by song, with simple systems beside it.

# %%
from dataclasses import replace

import librosa
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from IPython.display import Audio, Markdown, display
from matplotlib import pyplot as plt
from sklearn.decomposition import PCA
from torch import nn

from mer_core import Corpus, features, models
from mer_core.features import mel
from mer_core.metrics import DIMENSIONS, score_songs
from mer_core.models.autoencoder import AE, IN_CLASS, VAE
from workbook import lesson, papers, plots, results, widgets
from workbook.studies.latents import HELD_OUT, LABELLED, band_means, sound_lost

plots.use_style()
corpus = lesson.corpus()

# %% [markdown]
# ## Listen and look
#
# Until now we fed networks with 260 features that somebody had thought of. Herremans et al. (2019), the paper of this
# lesson, start from the **mel spectrogram** and let a network find the features. Cut a song into half seconds; each is a
# **patch**, a picture of 64 mel bands and 16 moments (lesson 01), 1,024 numbers in dB.
#
# This lesson trains on few songs, drawn by lot from the development songs; test songs are for listening and measuring.

# %%
drawn = np.random.default_rng(0).permutation(corpus.split("dev").songs.index)


def with_mel(part: Corpus) -> Corpus:
    return replace(part, features=pd.concat([features.extract(path, ("mel",)) for path in part.songs["audio"]]))


few = with_mel(corpus.select(sorted(drawn[HELD_OUT : HELD_OUT + LABELLED])))
test = with_mel(corpus.split("test"))
song_id = test.labels.groupby("song_id")["arousal"].std().idxmax()
loud = band_means(test.features.loc[[song_id]]).mean(axis=1).rolling(8).mean()
start = int(loud.argmax()) - 7  # of its loudest four seconds
print(f"{len(few.songs)} songs to learn from, {len(few.features)} patches; {len(test.songs)} test songs")

# %% [markdown]
# Can one get back to sound? A patch has no phases, and 64 bands instead of 1,025 frequencies. Spread each
# band's power over its frequencies, and let the algorithm of **Griffin and Lim** (1984) look for phases that fit. Three
# times the same four seconds: the recording; its patches, turned back; and its patches squeezed
# through **32 numbers each** by the network that you are about to meet.

# %%
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
# ## The idea: through a bottleneck, and back
#
# An **autoencoder** is two networks. The **encoder** turns a patch $x$ (standardised band by band) into few numbers
# $z$, its **code** or **latents**; the **decoder** turns them back, $\hat x(z)$. Both learn to make
# $\lVert x-\hat x\rVert^2$ small. No label is needed: *any* audio will do. What must pass the
# bottleneck has to be what patches are made of. With linear networks the best one can do is a PCA (principal component
# analysis, lesson 03); a hidden layer of rectified units makes it more.
#
# In a **variational** autoencoder (Kingma and Welling 2014) the code of a patch is not a point but a **cloud**, $q(z|x)=\mathcal N(\mu,
# \mathrm{diag}\,\sigma^2)$, of which one point is drawn, $z=\mu+\sigma\epsilon$ with $\epsilon\sim\mathcal N(0,1)$. Written like this, with the
# chance in the noise $\epsilon$ alone, gradients pass through $\mu$ and $\sigma$ as through any other number: the *reparametrisation trick*.
# And clouds have a price: how far they are from one standard normal $p(z)$. Together
#
# $$\log p(x)\;\ge\;\mathrm{ELBO}=\underbrace{\mathbb E_{q}\log p(x|z)}_{-\frac12\lVert x-\hat x(z)\rVert^2+\text{const}}
# -\;\underbrace{\mathrm{KL}\big(q(z|x)\,\Vert\,p(z)\big)}_{\frac12\sum_k(\mu_k^2+\sigma_k^2-\log\sigma_k^2-1)}$$
#
# where $k$ counts the latents and KL is the Kullback-Leibler divergence, the price of a cloud that is not the standard one.
# So training maximises a lower bound of how likely the data are. The first term is what is **lost**, the second what the code
# **says**, in *nats* (a bit is 0.69 of them). A **β-VAE** (Higgins et al. 2017) weighs the
# second with β: cost = lost + β · said. β = 0 without noise is the plain autoencoder, **AE**.


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
# That is the whole network, for AE and VAE alike; a test holds it equal to the package's. Is *said* the KL divergence?
# The formula against a Monte Carlo estimate: the mean of $\log q(z|x)-\log p(z)$ over codes that are drawn.

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
Markdown(
    f"By the formula this patch's code says **{said:.2f} nats**; the estimate from {len(samples)} draws is {estimate:.2f} ± {error:.2f}."
)

# %% [markdown]
# Training is the usual loop: 64 patches at random, one step of Adam down *lost + β · said*, a thousand times.

# %%
ae = AE().fit(few.features)
fig, axes = plt.subplots(1, 2, figsize=(10.5, 3.3))
for ax, column in zip(axes, ("reconstruction", "divergence")):
    for (name, model), colour in zip({"AE": ae, "VAE, β = 1": vae}.items(), ("C2", "C4")):
        if name != "AE" or column == "reconstruction":
            ax.plot(model.history_[column].rolling(25).mean(), color=colour, label=name)
    ax.set(xlabel="step", ylabel="nats a patch", ylim=(0, None))
axes[0].set_title("lost: half the squared error")
axes[1].set_title("said: divergence of the codes")
axes[0].legend();
# %% [markdown]
# ## What is lost
#
# On the **test** songs, which no model here has heard: how far from the original, in dB, are patches that come back
# from each kind of squeeze? Two simple ones stand beside the autoencoders: the mean of each band (64 numbers) and a
# PCA of 32 components. The table has a row for each; smaller is better. These songs are synthetic; for recordings of your own,
# `python tests/bench/latents.py --audio FOLDER` prints the same.

# %%
training = vae.scale_.standardised(mel.patches(few.features)).numpy()
pca = PCA(32, random_state=0).fit(training)
heard = vae.scale_.standardised(mel.patches(test.features)).numpy()
through_pca = vae.scale_.decibel(torch.tensor(pca.inverse_transform(pca.transform(heard))))
flat = np.repeat(band_means(test.features).to_numpy(), mel.FRAMES, axis=1)
always = np.tile(vae.scale_.mean.repeat(mel.FRAMES, axis=1).ravel(), (len(flat), 1))
back = {
    "nothing (mean of the training songs)": (0, always),
    "64 band means": (64, flat),
    "PCA": (32, through_pca),
    "AE": (32, ae.reconstruct(test.features)),
    "VAE, β = 1": (32, vae.reconstruct(test.features)),
}


def lost_db(values: np.ndarray | pd.DataFrame) -> pd.Series:
    squares = (np.asarray(values) - test.features.to_numpy()) ** 2
    return np.sqrt(pd.Series(squares.mean(axis=1), test.features.index).groupby("song_id").mean())


losses = pd.DataFrame(
    {name: {"numbers": size, **lost_db(values).agg(["mean", "std"])} for name, (size, values) in back.items()}
).T
losses.rename(columns={"mean": "lost (dB), mean over songs", "std": "sd over songs"}).round(2)

# %%
EXTENT = (start / 2, start / 2 + 2, 0, mel.BANDS)
fig, axes = plt.subplots(1, 4, figsize=(12, 3.2), sharey=True)
where = test.features.index.get_indexer(excerpt.index[:4])
shown = {"original": picture(excerpt.iloc[:4])}
for name in ("PCA", "AE", "VAE, β = 1"):
    rows = pd.DataFrame(np.asarray(back[name][1])[where], columns=excerpt.columns)
    shown[name] = picture(rows)
for ax, (name, image) in zip(axes, shown.items()):
    drawn_image = ax.imshow(image, origin="lower", aspect="auto", vmin=-80, vmax=0, extent=EXTENT)
    ax.set(title=name, xlabel="time (s)")
    ax.grid(visible=False)
axes[0].set_ylabel("mel band, 0 to 12 kHz")
fig.colorbar(drawn_image, ax=axes, label="dB");
# %%
ahead = losses.loc["PCA", "mean"] - losses.loc[["AE", "VAE, β = 1"], "mean"]
best = losses.loc[["PCA", "AE", "VAE, β = 1"], "mean"].idxmin()
Markdown(
    f"From as many numbers, *{best}* gives most back. Against the PCA the AE is {abs(ahead['AE']):.2f} dB "
    f"{'better' if ahead['AE'] > 0 else 'worse'}, the VAE {abs(ahead['VAE, β = 1']):.2f} dB "
    f"{'better' if ahead['VAE, β = 1'] > 0 else 'worse'}. {len(few.songs)} songs are little to learn from; a PCA has "
    "nothing to adjust. What looks like smoothing is: whatever can't be told from 32 numbers comes back as its mean. "
    "What a VAE gives away in dB it spends on codes that are compact; whether that serves prediction is another question."
)

# %% [markdown]
# ## Walk along a latent
#
# The divergence is paid latent by latent. One that does not earn its price is switched off by training: its cloud
# *is* the standard normal, and says nothing. Which ones are at work?

# %%
with torch.no_grad():
    mean, log_variance = network.encode(vae.scale_.standardised(mel.patches(test.features)))
nats = ((mean**2 + log_variance.exp() - log_variance - 1) / 2).mean(axis=0).numpy()
at_work, strongest = int((nats > 0.1).sum()), int(nats.argmax())
latents = vae.transform(test.features)
bands = band_means(test.features)
share = 10 ** (bands.to_numpy() / 10)
share /= share.sum(axis=1, keepdims=True)
known = {"loudness": bands.mean(axis=1), "brightness": pd.Series(share @ np.arange(mel.BANDS), bands.index)}
alike = pd.DataFrame({name: latents.corrwith(value) for name, value in known.items()})
fig, ax = plt.subplots(figsize=(9, 2.8))
order = nats.argsort()[::-1]
ax.bar(range(vae.latent), nats[order], color="C4")
ax.axhline(0.1, color=plots.GREY, ls=":")
ax.set(xlabel="latents, by what they say", ylabel="nats a patch", title=f"{at_work} of {vae.latent} say more than 0.1 nats");

# %% [markdown]
# Take two seconds of the song, set the latent that says most to one value **in all of them**, leave all
# others as they are, and decode. Move the slider: look, and listen. Right: the mean spectrum; dashed, untouched.

# %%
steps = [-3, -2, -1, 0, 1, 2, 3]
name = f"latent_{strongest}"
walked = {value: vae.decode(latents.loc[excerpt.index[:4]].assign(**{name: np.float32(value)})) for value in steps}
untouched = picture(vae.reconstruct(excerpt.iloc[:4]))


def at_value(value: float) -> plt.Figure:
    fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), width_ratios=[3, 2])
    image = picture(walked[value])
    left.imshow(image, origin="lower", aspect="auto", vmin=-80, vmax=0, extent=EXTENT)
    left.grid(visible=False)
    left.set(xlabel="time (s)", ylabel="mel band", title=f"{name} = {value:+d}")
    right.plot(untouched.mean(axis=1), np.arange(mel.BANDS), ls="--", color=plots.GREY, label="untouched")
    right.plot(image.mean(axis=1), np.arange(mel.BANDS), color="C4", label=f"{value:+d}")
    right.set(xlabel="dB", xlim=(-80, 0), ylim=(0, 64), title="mean spectrum")
    right.legend(fontsize="small")
    return fig


def heard_at(value: float) -> np.ndarray:
    samples = librosa.resample(sound(walked[value]), orig_sr=mel.RATE, target_sr=44_100)
    return np.clip(samples, -1, 1)


widgets.FigureSlider.draw(name, steps, at_value, start=5, sound=heard_at)

# %%
level = {value: picture(track).mean() for value, track in walked.items()}
r = alike.loc[name]
top = alike.abs().max()
Markdown(
    f"From -3 to +3 the mean level moves by {level[3] - level[-3]:+.0f} dB. Over the test songs' patches this latent's "
    f"correlation with loudness (mean dB) is {r['loudness']:+.2f}, with brightness (centre of the power, in bands) "
    f"{r['brightness']:+.2f}; the largest that any latent has are {top['loudness']:.2f} and {top['brightness']:.2f} (absolute). "
    "Nobody told the network of loudness. “Disentangled”, as the paper hopes, would mean one latent for one such quality: "
    + (
        "here loudness comes close to that."
        if top["loudness"] > 0.8
        else "here loudness is spread over several."
    )
)

# %% [markdown]
# ## From latents to emotion
#
# The LSTM of lesson 04 now hears latents in place of features: the means $\mu$, not drawn codes. The encoder stays as
# it is. `models.VAELSTM` and `AELSTM` do both steps in one `fit`; here they stand apart:

# %%
lstm = models.LSTM(**IN_CLASS).fit(vae.transform(few.features), few.labels)
predicted = lstm.predict(latents)
ax = plots.draw_curves(test.labels.loc[song_id], predicted.loc[song_id])
ax.set_title(f"song {song_id}: VAE-LSTM, {len(few.songs)} labelled songs");

# %% [markdown]
# **A CNN (convolutional neural network) in the autoencoder's place** (`models.CNNLSTM`) has two convolutional layers, whose weights move over the
# patch, and a linear one into 32 latents. It is trained **by the labels**, together with the LSTM: no pretraining,
# no decoder, no use for unlabelled audio. It can learn what matters for emotion, and it can learn the training songs by heart.
#
# ### Recompute one row
#
# The tables below were computed once, by `make results`; this model, seed 0, is one of their rows. RMSE on the test songs, mean
# over songs:

# %%
choices = results.table("latent_choices")
mine = score_songs(test.labels, predicted)["rmse"].groupby("dimension").mean()
row = ("beta", "VAE-LSTM", 1.0, 0, "test")
kept = pd.Series({d: choices.loc[(*row, d, "mean"), "rmse"] for d in DIMENSIONS})
pd.DataFrame({"here": mine, "stored (embedded corpus)": kept, "difference": mine - kept}).loc[DIMENSIONS].round(4)

# %% [markdown]
# ## β, latents, further audio
#
# All of this section: **embedded, synthetic corpus**; 24 labelled songs, drawn anew for each of five seeds; RMSE per song, averaged over
# 24 development songs that were held out ("held-out") or over the 16 test songs. Bars: standard deviation over seeds.
# Dotted: the constant (mean label of the same 24 songs); dashed: a ridge regression on the 64 band means, which is the linear model to beat.
# The bars hold what the draw of songs does to every system alike, so the text compares seed by seed.


# %%
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
over_seeds = means.groupby(["study", "system", "value", "protocol", "dimension"]).agg(["mean", "std"])
STYLES = {"AE-LSTM": ("C2", "o-"), "VAE-LSTM": ("C4", "s-")}


def draw_study(study: str, xlabel: str, *, log: bool = False) -> tuple[plt.Figure, np.ndarray]:
    fig, axes = plt.subplots(1, 4, figsize=(13, 3.4), sharex=True)
    for ax, (protocol, d) in zip(axes, [(p, d) for d in DIMENSIONS for p in ("held-out", "test")]):
        for system, (colour, style) in STYLES.items():
            if (study, system) in over_seeds.index:
                line = over_seeds.loc[study, system].xs((protocol, d), level=("protocol", "dimension"))["rmse"]
                ax.errorbar(line.index, line["mean"], line["std"], fmt=style, color=colour, label=system, capsize=3)
        ridge = over_seeds.loc[("unlabelled", "ridge on bands", 0, protocol, d), ("rmse", "mean")]
        ax.axhline(ridge, color=plots.GREY, ls="--", label="ridge on bands")
        ax.axhline(flat_errors.loc[d, protocol], color="black", ls=":", label="constant")
        ax.set(xlabel=xlabel, title=f"{d}, {protocol}", xscale="log" if log else "linear")
    axes[0].set_ylabel("RMSE, mean over songs")
    return fig, axes


fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.2))
by_beta = over_seeds.loc["beta", "VAE-LSTM"].xs("arousal", level="dimension")
for ax, column, label in zip(axes, ("lost", "divergence"), ("lost (dB)", "said (nats a patch)")):
    for protocol, style in {"held-out": "o-", "test": "o:"}.items():
        line = by_beta.xs(protocol, level="protocol")[column]
        ax.errorbar(line.index, line["mean"], line["std"], fmt=style, color="C4", label=protocol, capsize=3)
    ax.set(xscale="log", xlabel="β", ylabel=label)
axes[0].set_title("β against reconstruction")
axes[1].set_title("β against what codes say")
axes[0].legend()
plt.show()
fig, axes = draw_study("beta", "β", log=True)
axes[0].legend(fontsize="small")
fig.suptitle("β against prediction");

# %%
told = over_seeds.loc["beta", "VAE-LSTM"].xs("held-out", level="protocol")
low, high = (told.xs("arousal", level="dimension").loc[beta] for beta in (0.1, 64))
of_beta = means.loc["beta", "VAE-LSTM"]["rmse"].xs("held-out", level="protocol").unstack("value")
lowest = told["rmse", "mean"].xs("arousal", level="dimension").min()
ridge = over_seeds.loc[("unlabelled", "ridge on bands", 0, "held-out", "arousal"), ("rmse", "mean")]
change = {}
for d in DIMENSIONS:
    by_seed = of_beta.xs(d, level="dimension")
    worst, best = by_seed.mean().idxmax(), by_seed.mean().idxmin()
    gap = by_seed[worst] - by_seed[best]
    change[d] = f"{gap.mean():.3f} ± {gap.std():.3f} ({d}: β = {best:g} best, {worst:g} worst)"
Markdown(
    f"From β = 0.1 to β = 64 what is lost grows from {low['lost', 'mean']:.1f} to {high['lost', 'mean']:.1f} dB, and a code "
    f"says {low['divergence', 'mean']:.0f} and then {high['divergence', 'mean']:.1f} nats. The error of prediction "
    "on held-out songs moves, from the best β to the worst, by "
    + " and ".join(change.values())
    + ", mean and standard deviation over seeds. **A better reconstruction need not be a better feature.** What tells "
    "emotion here (loudness, one may guess) must be among the last things that a code gives up."
    + (" Nor does any β beat the ridge regression's arousal here (dashed)." if lowest > ridge else "")
)

# %%
fig, axes = draw_study("latent", "latents", log=True)
for ax in axes:
    ax.set_xticks([8, 16, 32, 64], [8, 16, 32, 64])
    ax.minorticks_off()
axes[0].legend(fontsize="small")
fig.suptitle("how many latents?");

# %% [markdown]
# **How much does unlabelled audio help?** The encoder hears 0, 24 or 48 further development songs, whose labels
# nobody uses. Crosses: it also hears the songs that are scored, their audio only. The paper's encoder was pretrained on 2,806 files
# of CAL500, GTZAN and DEAM, 1,313 of the latter; that no scored song was among them it does not say. To hear them is allowed where all
# audio is at hand before any label, and must be said, since a score on songs that the encoder knows may flatter.

# %%
fig, axes = draw_study("unlabelled", "further songs without labels")
for ax, (protocol, d) in zip(axes, [(p, d) for d in DIMENSIONS for p in ("held-out", "test")]):
    for system, (colour, _) in STYLES.items():
        value = over_seeds.loc[("heard", system, 48, protocol, d), ("rmse", "mean")]
        ax.plot(50, value, "x", color=colour, ms=9, mew=2)
axes[0].legend(fontsize="small")
fig.suptitle("further audio, and (crosses) the scored songs' own");

# %%
each = means["rmse"].unstack("dimension")


def gained(system: str, study: str) -> str:
    gaps = each.loc["unlabelled", system, 0] - each.loc[study, system, 48]
    parts = []
    for protocol in ("held-out", "test"):
        gap = gaps.xs(protocol, level="protocol")
        parts += [f"{d} {gap[d].mean():+.3f} ± {gap[d].std():.3f} ({protocol})" for d in DIMENSIONS]
    return ", ".join(parts)


sound_gap = over_seeds["lost", "mean"].xs(("test", "arousal"), level=("protocol", "dimension"))
Markdown(
    "RMSE gained by 48 further songs (positive: better; mean ± standard deviation over seeds): "
    + "; ".join(f"**{system}** {gained(system, 'unlabelled')}" for system in STYLES)
    + ". With the scored songs' audio besides: "
    + "; ".join(f"**{system}** {gained(system, 'heard')}" for system in STYLES)
    + f". What the AE loses of test songs goes from {sound_gap['unlabelled', 'AE-LSTM', 0]:.2f} to "
    f"{sound_gap['unlabelled', 'AE-LSTM', 48]:.2f} dB with 48 further songs, and to {sound_gap['heard', 'AE-LSTM', 48]:.2f} if it "
    "has heard the test songs. **So what further audio does for reconstruction, it need not do for prediction**: compare each gain "
    "with its standard deviation."
)

# %% [markdown]
# ## Figure 4: error of each song
#
# The paper compares five systems by the RMSE of DEAM's songs; its figure is not in our copy, so there are no numbers to set beside ours.
# Here all 96 development songs have labels, and the encoders hear those songs only, no test song. Each point is one of the 16
# **test** songs of the **embedded, synthetic corpus**, the mean of five seeds; boxes hold half of the songs; the
# line through each plot is the constant's median.
#
# The lower systems are our controls. *PCA-LSTM*: 32 components in the place of latents. *LSTM on bands*: the 64 band means, nothing learned
# before. *ridge on bands*: those, without a network.

# %%
SYSTEMS = {
    "constant": ("constant", "FS1"),
    "BLSTM-ELM": ("BLSTM-ELM", "FS1"),
    "BLSTM-260": ("BLSTM, one network", "FS1"),
    "CNN-LSTM": ("CNN-LSTM", "mel"),
    "VAE-LSTM": ("VAE-LSTM", "mel"),
    "AE-LSTM": ("AE-LSTM", "mel"),
    "PCA-LSTM": ("PCA-LSTM", "mel"),
    "LSTM on bands": ("LSTM on bands", "band means"),
    "ridge on bands": ("ridge on bands", "band means"),
    "ridge on 260": ("linear", "FS1"),
}
scores, songs = results.stored_scores(), results.stored_songs().sort_index()


def errors_in(protocol: str) -> pd.Series:
    """RMSE by system, seed, song and dimension."""
    known = songs["rmse"].xs(("raw", protocol), level=("output", "protocol"))
    found = {name: known[known.index.isin([cell[0]], level=0) & known.index.isin([cell[1]], level=1)]
             for name, cell in SYSTEMS.items()}
    return pd.concat({k: v.droplevel([0, 1]) for k, v in found.items() if len(v)}, names=["system"])


errors = errors_in("test")
per_song = errors.groupby(["system", "dimension", "song_id"], sort=False).mean()
fig, axes = plt.subplots(1, 2, figsize=(12, 5.2), sharey=True)
for ax, d in zip(axes, DIMENSIONS):
    long = per_song.xs(d, level="dimension").reset_index()
    options = {"data": long, "x": "rmse", "y": "system", "ax": ax, "order": list(SYSTEMS)}
    sns.boxplot(**options, color=plots.PALETTE[d], fliersize=0, boxprops={"alpha": 0.35}, width=0.6)
    sns.stripplot(**options, color=plots.PALETTE[d], size=4, jitter=0.15, alpha=0.8)
    ax.axvline(long.loc[long.system == "constant", "rmse"].median(), color="black", ls=":")
    ax.set(xlabel="RMSE of a song", ylabel="", title=f"{d}, test songs", xlim=(0, None))

# %% [markdown]
# In numbers: the mean over the songs, how much songs differ, and how much the seed alone changes the mean (empty where one
# run was made).

# %%
over_songs = per_song.groupby(["system", "dimension"], sort=False).agg(["mean", "std"])
by_seed = errors.groupby(["system", "dimension", "seed"], sort=False).mean()
over_songs["seeds"] = by_seed.groupby(["system", "dimension"], sort=False).std()
columns = [(d, kind) for d in DIMENSIONS for kind in over_songs]
table = over_songs.unstack("dimension").swaplevel(axis=1)[columns].loc[list(SYSTEMS)]
names = {"mean": "RMSE", "std": "sd over songs", "seeds": "sd over seeds"}
table.rename(columns=names, level=1).round(3).astype(object).fillna("")

# %% [markdown]
# Does the order mean anything? As in the lessons before, two systems are compared **song by song**. First the paper's
# claims on this figure, then questions of our own: does an autoencoder beat what is simpler?

# %%
verdicts = papers.stored_verdicts()
Markdown(papers.verdict_table(verdicts[verdicts.index.str.contains("latents-match|herremans-ae-")]))


# %% [markdown]
# Sixteen songs are few, and these come from other raters and other instruments than the ones that were learned from. In
# ten folds of the **development** songs there are 96 to compare (learned systems: two seeds; an encoder hears the songs of its
# training folds only).
#
# The table: RMSE gained per song over each rival, positive if the autoencoder is better. “better” and “worse” are written only
# where p, corrected over all comparisons of this table (Holm), is below 0.05.


# %%
def against(better: str, worse: str, d: str, protocol: str) -> dict:
    sides = {"better": SYSTEMS[better], "worse": SYSTEMS[worse]}
    same = {"output": "raw", "dimension": d, "protocol": protocol}
    cells = {
        f"{side}_{part}": value
        for side, (system, columns) in sides.items()
        for part, value in {"system": system, "features": columns, **same}.items()
    }
    return cells | {"claim": "ours", "relation": "better", "metric": "rmse", "wanted": "lower", "aggregation": "mean"}


rivals = ["constant", "ridge on bands", "ridge on 260", "LSTM on bands", "PCA-LSTM", "CNN-LSTM", "BLSTM-260"]
pairs = [
    (system, rival, d, protocol)
    for system in ("AE-LSTM", "VAE-LSTM")
    for rival in rivals
    for protocol in ("test", "CV")
    for d in DIMENSIONS
]
own = papers.judge(songs, pairs=pd.DataFrame([against(*pair) for pair in pairs]))
own.index = pd.MultiIndex.from_tuples(pairs, names=["system", "against", "dimension", "protocol"])
WORDS = {"reproduced": "better", "contradicted": "worse", "too few songs": ""}
text = own.apply(lambda row: f"{row['difference']:+.3f} {WORDS.get(row['verdict'], row['verdict'])}", axis=1)
order = [(protocol, d) for protocol in ("test", "CV") for d in DIMENSIONS]
gains = text.unstack(["protocol", "dimension"])[order]
gains.loc[[(system, rival) for system in ("AE-LSTM", "VAE-LSTM") for rival in rivals]]

# %% [markdown]
# And the means in ten folds:

# %%
cv = errors_in("CV").groupby(["system", "dimension", "song_id"], sort=False).mean()
cv = cv.groupby(["system", "dimension"], sort=False).agg(["mean", "std"])
cv = cv.unstack("dimension").swaplevel(axis=1)[[(d, kind) for d in DIMENSIONS for kind in ("mean", "std")]]
cv.rename(columns=names, level=1).round(3)

# %%
findings = own["verdict"].groupby(["system", "protocol"]).value_counts().unstack(fill_value=0)
findings = findings.reindex(columns=list(WORDS), fill_value=0)
leading = {
    where: {d: of[d]["mean"].idxmin() for d in DIMENSIONS} for where, of in {"test": table, "CV": cv}.items()
}
Markdown(
    "; ".join(
        f"{'On the 16 test songs' if where == 'test' else 'in ten folds'} the lowest mean RMSE is *{of['valence']}*'s "
        f"for valence and *{of['arousal']}*'s for arousal"
        for where, of in leading.items()
    )
    + ". "
    + " ".join(
        f"**{system}**, {'test songs' if where == 'test' else 'ten folds'}: better than its rival in {row['reproduced']}, worse in "
        f"{row['contradicted']} of {row.sum()} comparisons."
        for (system, where), row in findings.iterrows()
    )
    + " The paper set its systems beside large ones only. A constant, a ridge regression and a PCA belong beside them: without "
    "these one can't say what the *learning* of features has brought."
)

# %% [markdown]
# ## Exercises
#
# **1.** Write the divergence of a code yourself, for arrays `mean` and `log_variance` of shape (patches, latent): one number for each
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
# **2.** On the **training** songs of this lesson (`few`), how many of the VAE's latents say more than 0.1 nats, on average over all patches?
#
# <details><summary>Hint</summary>
#
# `nats` in “Walk along a latent” is the same for the test songs: the mean over patches comes before the comparison.
#
# </details>

# %% tags=["exercise"]
working = ...
# solution:
with torch.no_grad():
    m, v = network.encode(vae.scale_.standardised(mel.patches(few.features)))
working = int((((m**2 + v.exp() - v - 1) / 2).mean(axis=0) > 0.1).sum())

# %%
with torch.no_grad():
    m, v = network.encode(vae.scale_.standardised(mel.patches(few.features)))
    of_few = torch.distributions.kl_divergence(
        torch.distributions.Normal(m, (v / 2).exp()), torch.distributions.Normal(0.0, 1.0)
    ).mean(0)
lesson.check_answer(
    "2",
    working,
    int((of_few > 0.1).sum()),
    hint="As in “Walk along a latent”, with `few` in the place of `test`.",
    mistakes={"Those are the ones that don't.": int((of_few <= 0.1).sum())},
)

# %% [markdown]
# **3.** How many dB does the **AE** lose of song `song_id`: the root of the mean squared difference over all its patches, bands and
# frames?
#
# <details><summary>Hint</summary>
#
# `ae.reconstruct(track)` gives a track of dB; `test.features.loc[[song_id]]` is the song.
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
    "3",
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
# ## Summary
#
# - An **autoencoder** learns features from audio alone: what can't pass the bottleneck is lost.
# - A **VAE** adds a price for what the code says; latents that don't earn it are switched off. **β** sets the price.
# - Good reconstruction and good prediction are two things. Ask for both, on songs that were not heard.
# - Say whose **audio** the encoder has heard. It never sees a label; even so, test songs belong outside unless the protocol says otherwise.
# - Beside a learned representation belong a PCA, plain band means, a ridge regression and the constant.
#
# ## References
#
# - Griffin, Lim (1984). Signal estimation from modified short-time Fourier transform. *IEEE TASSP*.
# - Herremans, Cheuk, Luo, Agres (2019). Untangling indices of emotion in music using neural networks.
# - Higgins et al. (2017). beta-VAE: learning basic visual concepts with a constrained variational framework. *ICLR*.
# - Kingma, Welling (2014). Auto-encoding variational Bayes. *ICLR*.

# %%
lesson.check_numbers(
    "07",
    {f"lost, {name} (dB)": (losses.loc[name, "mean"], 0.3) for name in ("64 band means", "PCA", "AE", "VAE, β = 1")}
    | {f"VAE-LSTM, {d}, RMSE": (mine[d], 0.03) for d in DIMENSIONS}
    | {f"constant, {d}, RMSE": (flat_errors.loc[d, "test"], 0.001) for d in DIMENSIONS}
    | {"latents at work": (at_work, 5)},
)
