"""A stack of recurrent layers with one output layer, for many models at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from mer_core.models.cells import elman, lstm
from mer_core.training import generator

CELLS = {"elman": (elman, 1), "lstm": (lstm, 4)}


class Layer(nn.Module):
    """One recurrent layer; every weight has an axis of models in front.

    Parameters
    ----------
    cell : {"elman", "lstm"}
    inputs, units : int
        Sizes.
    models : int
        How many there are; they share nothing.
    """

    def __init__(self, cell: str, inputs: int, units: int, *, models: int) -> None:
        super().__init__()
        self.cell, gates = CELLS[cell]
        self.weight = nn.Parameter(torch.zeros(models, inputs, gates * units))
        self.recurrent = nn.Parameter(torch.zeros(models, units, gates * units))
        self.bias = nn.Parameter(torch.zeros(models, 1, gates * units))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Hidden states (models, songs, time, units) of inputs (models, songs, time, inputs).

        What stands behind a song's end reaches nothing before it: lengths don't matter.
        """
        if len(x) == 1 and self.cell is lstm:
            return self._fused(x[0])
        steps_first = self.projected(x).permute(2, 0, 1, 3).contiguous()
        return self.cell(steps_first, self.recurrent).permute(1, 2, 0, 3)

    def projected(self, x: Tensor) -> Tensor:
        """W x + b at every step, the part of the cell without memory."""
        return torch.baddbmm(self.bias, x.flatten(1, 2), self.weight).unflatten(1, x.shape[1:3])

    def _fused(self, x: Tensor) -> Tensor:
        # For a single model torch's own kernel (oneDNN, cuDNN) does the same and is faster.
        weights = [self.weight[0].mT, self.recurrent[0].mT, self.bias[0, 0]]
        start = x.new_zeros(1, len(x), self.recurrent.shape[1])
        weights = [*(part.contiguous() for part in weights), torch.zeros_like(weights[-1])]
        training = torch.is_grad_enabled()
        return torch.lstm(x, (start, start), weights, True, 1, 0.0, training, False, True)[0][None]


class BidirectionalLayer(nn.Module):
    """Two recurrent layers of half the units: one hears the songs forwards, one backwards.

    Parameters
    ----------
    cell, inputs, models
        As for :class:`Layer`.
    units : int
        Of both directions together, even.
    """

    def __init__(self, cell: str, inputs: int, units: int, *, models: int) -> None:
        super().__init__()
        self.ahead = Layer(cell, inputs, units // 2, models=models)
        self.back = Layer(cell, inputs, units // 2, models=models)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Hidden states, first those of the past, then those of the future.

        Lengths (models, songs) or (1, songs) say where songs end; None: all at the last step.
        """
        if len(x) == 1:
            back = turned(self.back(turned(x, lengths)), lengths)
            return torch.cat([self.ahead(x), back], -1)
        # Both directions walk through the steps together, as twice as many models.
        ways = [self.ahead.projected(x), turned(self.back.projected(x), lengths)]
        recurrent = torch.cat([self.ahead.recurrent, self.back.recurrent])
        steps_first = torch.cat(ways).permute(2, 0, 1, 3).contiguous()
        states = self.ahead.cell(steps_first, recurrent).permute(1, 2, 0, 3)
        return torch.cat([states[: len(x)], turned(states[len(x) :], lengths)], -1)


def turned(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Each song from its last frame to its first; what is padded stays behind it.

    Parameters
    ----------
    x : Tensor, shape (models, songs, time, columns)
    lengths : Tensor, shape (models, songs) or (1, songs), or None
        Frames of each song; None: all that there are.

    Returns
    -------
    Tensor
        Turned twice, it is what it was.
    """
    steps = x.shape[2]
    if lengths is None or bool((lengths == steps).all()):
        return x.flip(2)
    place = (lengths[..., None] - 1 - torch.arange(steps)) % steps
    songs = torch.arange(x[..., 0, 0].numel()).view(*x.shape[:2], 1)
    return x.flatten(0, 2).index_select(0, (songs * steps + place).flatten()).view(x.shape)


class Network(nn.Module):
    """Recurrent layers, one above the other, and a linear output at every step.

    Parameters
    ----------
    cell : {"elman", "lstm"}
    inputs : int
        Number of features.
    hidden : sequence of int
        Units of each layer, from the input up.
    outputs : int
        Number of targets.
    seeds : sequence of int
        One for each model, from which its weights are drawn: alone or among others, a model of
        the same seed starts from the same weights.
    initial : float
        Weights are drawn from [-initial, initial], or, in a bidirectional network, from a normal
        distribution of this standard deviation; biases are 0.
    softmax : bool
        Whether the outputs pass through a softmax.
    bidirectional : bool
        Whether half of each layer's units hear the songs backwards.

    References
    ----------
    Pellegrini and Barriere (2015), section 2; Coutinho et al. (2014), section 2; Li et al. (2016),
    sections 2.1 and 3.2. Notebooks 03 to 05.
    """

    def __init__(
        self,
        cell: str,
        inputs: int,
        hidden: Sequence[int],
        outputs: int,
        *,
        seeds: Sequence[int],
        initial: float = 0.1,
        softmax: bool = False,
        bidirectional: bool = False,
    ) -> None:
        super().__init__()
        sizes, models = [inputs, *hidden], len(seeds)
        self.softmax, self.bidirectional = softmax, bidirectional
        layer = BidirectionalLayer if bidirectional else Layer
        self.layers = nn.ModuleList(
            layer(cell, below, units, models=models) for below, units in pairwise(sizes)
        )
        self.weight = nn.Parameter(torch.zeros(models, sizes[-1], outputs))
        self.bias = nn.Parameter(torch.zeros(models, 1, outputs))
        self._draw(seeds, initial)

    def _draw(self, seeds: Sequence[int], initial: float) -> None:
        with torch.no_grad():
            for model, seed in enumerate(seeds):
                rng = generator(seed)
                for weight in self.weights():
                    if self.bidirectional:
                        weight[model].normal_(0, initial, generator=rng)
                    else:
                        weight[model].uniform_(-initial, initial, generator=rng)

    def weights(self) -> list[nn.Parameter]:
        """All weights without the biases: what is drawn at random and held small."""
        return [weight for name, weight in self.named_parameters() if not name.endswith("bias")]

    def hidden(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """States of the topmost layer, shape (models, songs, time, units)."""
        for layer in self.layers:
            x = layer(x, lengths)
        return x

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Outputs (models, songs, time, targets) for inputs (models, songs, time, features).

        Lengths, shape (models, songs) or (1, songs), are how many frames each song has; None: all.
        """
        states = self.hidden(x, lengths)
        outputs = torch.baddbmm(self.bias, states.flatten(1, 2), self.weight)
        outputs = outputs.unflatten(1, states.shape[1:3])
        return outputs.softmax(-1) if self.softmax else outputs

    def change(self, function: Callable[[Tensor], Tensor]) -> None:
        """Replace every parameter by a function of it, for instance by some of its models."""
        for parameter in self.parameters():
            parameter.data, parameter.grad = function(parameter.data), None
