"""What autoencoders of synthetic songs lose of real music that they never heard.

    python tests/bench/latents.py [--audio FOLDER] [--picture FILE.png]

Trained on the development songs of the embedded corpus (SYNTHETIC); measured on its test songs and
on every audio file of a folder, by default that beside the repository, `../shared/audio`; where
there is none it says so and measures nothing. A PCA of as many components and the band means stand
beside the autoencoders. One thread. Prints Markdown; the picture shows ten seconds of each file.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from matplotlib import pyplot as plt
from sklearn.decomposition import PCA

from mer_core import load_corpus
from mer_core.features import audio_files, extract
from mer_core.features.mel import FRAMES, patches
from mer_core.models.autoencoder import AE, VAE
from workbook.studies.latents import band_means, with_mel

BESIDE = Path(__file__).parents[3] / "shared" / "audio"
LATENT, SECONDS = 32, 10


def squeezes(train: pd.DataFrame) -> dict[str, Callable[[pd.DataFrame], np.ndarray]]:
    """Ways through few numbers and back, each a function of a track, by name."""
    encoders = {"AE": AE(latent=LATENT), "VAE, beta 1": VAE(latent=LATENT)}
    fitted = {name: encoder.fit(train) for name, encoder in encoders.items()}
    scale = fitted["AE"].scale_
    pca = PCA(LATENT, random_state=0).fit(scale.standardised(patches(train)).numpy())
    mean = np.repeat(scale.mean, FRAMES, axis=1)

    def by_pca(track: pd.DataFrame) -> np.ndarray:
        rows = pca.transform(scale.standardised(patches(track)).numpy())
        return scale.decibel(torch.tensor(pca.inverse_transform(rows)))

    return {
        "training mean, 0 numbers": lambda track: np.tile(mean.ravel(), (len(track), 1)),
        "band means, 64": lambda track: np.repeat(band_means(track).to_numpy(), FRAMES, axis=1),
        f"PCA, {LATENT}": by_pca,
        **{f"{name}, {LATENT}": _back(encoder) for name, encoder in fitted.items()},
    }


def _back(encoder: AE) -> Callable[[pd.DataFrame], np.ndarray]:
    return lambda track: encoder.reconstruct(track).to_numpy()


def lost(track: pd.DataFrame, back: np.ndarray) -> float:
    return float(np.sqrt(np.mean((track.to_numpy() - back) ** 2)))


def draw(tracks: dict[str, pd.DataFrame], ways: dict[str, Callable], file: str) -> None:
    """Ten seconds of each track, from its middle on, as it is and as it comes back."""
    ways = {"original": pd.DataFrame.to_numpy, **ways}
    size = (3.2 * len(ways), 2.6 * len(tracks))
    fig, axes = plt.subplots(
        len(tracks), len(ways), figsize=size, squeeze=False, layout="constrained"
    )
    for row, (name, track) in zip(axes, tracks.items()):
        part = track.iloc[len(track) // 2 :].iloc[: 2 * SECONDS]
        for ax, (way, function) in zip(row, ways.items()):
            rows = pd.DataFrame(function(part), columns=track.columns)
            image = np.concatenate(list(patches(rows)), axis=1)
            ax.imshow(image, origin="lower", aspect="auto", vmin=-80, vmax=0)
            ax.set(title=f"{name}\n{way}", xticks=[], yticks=[])
    fig.savefig(file, bbox_inches="tight", dpi=90)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--audio", type=Path, default=BESIDE, help="a folder of audio files")
    parser.add_argument("--picture", help="a PNG file to write")
    chosen = parser.parse_args()
    if not chosen.audio.is_dir():
        print("no folder of real audio here: nothing measured")
        return
    torch.set_num_threads(1)
    corpus = with_mel(load_corpus("mini"))
    real = {path.stem: extract(path, ("mel",)) for path in audio_files(chosen.audio)}
    tracks = {"test songs (SYNTHETIC)": corpus.split("test").features, **real}
    ways = squeezes(corpus.split("dev").features)
    print("Lost, in dB (root mean square over patches, bands and frames):\n")
    print("| audio | seconds | " + " | ".join(ways) + " |")
    print("|---|---|" + "---|" * len(ways))
    for name, track in tracks.items():
        cells = [f"{lost(track, back(track)):.2f}" for back in ways.values()]
        print(f"| {name} | {len(track) / 2:.0f} | " + " | ".join(cells) + " |")
    if chosen.picture:
        draw(real, ways, chosen.picture)


if __name__ == "__main__":
    main()
