"""Training of many recurrent networks, against the plain PyTorch loop.

Both sides train the same networks: same first weights, same order of songs, the same cost; a check
before the timing holds their predictions together. One thread each.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from joblib import Parallel, delayed
from torch import Tensor, nn

from mer_core import evaluation, features, load_corpus, models
from mer_core.models.network import Network
from mer_core.models.recurrent import RecurrentRegressor
from mer_core.training import Dataset, Job
from timing import Figure, Row, compared, peak_memory

RUNS, TRIALS = 3, 5
TORCH = {"elman": nn.RNN, "lstm": nn.LSTM}


def corpus_and_jobs(*, trials: int = TRIALS) -> tuple[object, list[Job]]:
    """Development songs with 260 features; ten folds, so many trials each."""
    dev = load_corpus("mini").split("dev")
    x = features.choose(dev.features, ["compare"])
    folds = evaluation.k_folds(dev.songs.index)
    seeds = range(trials)
    data = Dataset(x, dev.labels)
    jobs = [Job(data, fold.train, seed=seed) for fold in folds for seed in seeds]
    return x, jobs


class Plain(nn.Module):
    """What a user would write: torch's layers, one above the other."""

    def __init__(self, model: RecurrentRegressor, inputs: int, seed: int) -> None:
        super().__init__()
        own = Network(model.cell, inputs, model.hidden, 2, seeds=[seed])
        sizes = [inputs, *model.hidden]
        self.layers = nn.ModuleList(
            TORCH[model.cell](a, b, batch_first=True) for a, b in pairwise(sizes)
        )
        self.out = nn.Linear(sizes[-1], 2)
        for layer, same in zip(self.layers, own.layers):
            layer.weight_ih_l0.data = same.W[0].data.T.clone()
            layer.weight_hh_l0.data = same.U[0].data.T.clone()
            layer.bias_ih_l0.data.zero_()
            layer.bias_hh_l0.requires_grad_(False).zero_()
        self.out.weight.data = own.V[0].data.T.clone()
        self.out.bias.data.zero_()

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)[0]
        return self.out(x)


def plain_training(model: RecurrentRegressor, job: Job) -> list[Tensor]:
    """One model after the other, song by song; returns its predictions of the first five songs."""
    torch.set_num_threads(1)
    tensors = prepared(model, job)
    network = Plain(model, tensors[0][0].shape[-1], job.seed)
    weights = [w for name, w in network.named_parameters() if "bias" not in name]
    free = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimiser = torch.optim.SGD(free, lr=model.learning_rate, momentum=model.momentum)
    l1, l2 = getattr(model, "l1", 0.0), getattr(model, "l2", 0.0)
    rng = torch.Generator().manual_seed(job.seed)
    for _ in range(model.epochs):
        for song in torch.randperm(len(tensors), generator=rng).tolist():
            inputs, targets, known = tensors[song]
            optimiser.zero_grad()
            noise = getattr(model, "noise", 0.0)
            if noise:
                inputs = inputs + noise * torch.randn(inputs.shape, generator=rng)
            loss = (network(inputs[None])[0, known] - targets[known]).square().mean()
            if l1 + l2:
                loss = loss + sum(l1 * w.abs().sum() + l2 * w.square().sum() for w in weights)
            loss.backward()
            optimiser.step()
    with torch.no_grad():
        return [network(inputs[None])[0] for inputs, *_ in tensors[:5]]


def prepared(model: RecurrentRegressor, job: Job) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Standardised inputs, targets and the mask of labelled frames of each training song."""
    y = job.data.labels.reindex(job.data.features.index)
    train = job.data.features.index.get_level_values(0).isin(job.train)
    known = y["valence"].notna().to_numpy()
    x = job.data.features.to_numpy()
    x = ((x - x[train & known].mean(0)) / x[train & known].std(0)).clip(-5, 5)
    y = y.to_numpy()
    if model.standardise_targets:
        y = (y - y[train & known].mean(0)) / y[train & known].std(0)
    x, y, known = (torch.tensor(part) for part in (x, np.nan_to_num(y), known))
    places = [job.data.features.index.get_level_values(0) == song for song in job.train]
    return [(x[rows].float(), y[rows].float(), known[rows]) for rows in places]


def one_after_the_other(model: RecurrentRegressor, jobs: Sequence[Job]) -> list[list[Tensor]]:
    return [plain_training(model, job) for job in jobs]


def two_processes(model: RecurrentRegressor, jobs: Sequence[Job]) -> list[list[Tensor]]:
    """All models on two processes, which are there already."""
    return Parallel(2)(delayed(plain_training)(model, job) for job in jobs)


def check(model: RecurrentRegressor, jobs: Sequence[Job]) -> None:
    theirs = one_after_the_other(model, jobs[:1])[0]
    fitted = model.fit_many(jobs)[0]
    scale, shift = (np.asarray(part) for part in (fitted.standard_[3], fitted.standard_[2]))
    for song, outputs in zip(jobs[0].train, theirs):
        own = fitted.predict(jobs[0].data.features.loc[[song]]).to_numpy()
        np.testing.assert_allclose(own, outputs.numpy() * scale + shift, atol=2e-3)


def rows(*, short: bool = False) -> Iterator[Row | Figure]:
    torch.set_num_threads(1)
    epochs, runs = (1, 1) if short else (2, RUNS)
    elman, (_, jobs) = models.ElmanRNN(epochs=epochs), corpus_and_jobs()
    check(elman, jobs[:3])
    two_processes(models.ElmanRNN(epochs=1), jobs[:4])  # starts them
    what = f"{len(jobs)} Elman networks of 10 units, 260 features, {epochs} epochs"
    for other, theirs in (
        ("one after the other", one_after_the_other),
        ("two processes", two_processes),
    ):
        yield compared(what, f"PyTorch loop, {other}",
                       partial(theirs, elman, jobs), partial(elman.fit_many, jobs),
                       runs=runs)  # fmt: skip
    for units in ((10,), (32, 32), (64, 64), *([] if short else [(200, 200)])):
        yield of_lstm(units, jobs, runs=runs)
    for name, only in (("PyTorch loop, one after the other", "theirs"), ("50 at once", "ours")):
        memory = f"{peak_memory(__file__, only):.0f} MB at most"
        yield Figure(f"Elman networks, {name}", memory)


def of_lstm(units: Sequence[int], jobs: list[Job], *, runs: int) -> Row:
    # Ten networks where they are wide, so that it does not take all day.
    some, options = jobs[:: 1 if max(units) <= 64 else 5], {"patience": None, "songs_per_update": 1}
    lstm = models.LSTM(hidden=units, epochs=1, **options)
    check(lstm, some[:2])
    what = f"{len(some)} LSTMs of {' + '.join(map(str, units))} units, an epoch"
    return compared(what, "PyTorch loop, one after the other",
                    partial(one_after_the_other, lstm, some), partial(lstm.fit_many, some),
                    runs=runs)  # fmt: skip


def main() -> None:
    """Only train, to have the memory measured."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("side", choices=("theirs", "ours"))
    torch.set_num_threads(1)
    elman, (_, jobs) = models.ElmanRNN(epochs=2), corpus_and_jobs()
    if parser.parse_args().side == "theirs":
        one_after_the_other(elman, jobs[:2])
    else:
        elman.fit_many(jobs)


if __name__ == "__main__":
    main()
