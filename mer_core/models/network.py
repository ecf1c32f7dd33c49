"""Recurrent networks, many models at once: the cells (Elman, LSTM), their layers and the network.

The backward pass of a cell (backpropagation through time) is written out, which is two to three
times as fast as autograd. A test compares both passes with torch's own layers.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from mer_core.training import generator


def elman(projected: Tensor, recurrent: Tensor) -> Tensor:
    """Elman's recurrence, h_t = tanh(W x_t + b + U h_(t-1)), from h_0 = 0.

    projected (time, models, songs, units) is W x_t + b; recurrent (models, units, units) is U,
    transposed. Returns h, shape (time, models, songs, units). (Elman 1990; Pellegrini and Barriere
    2015, section 2; notebook 03.)
    """
    return _Elman.apply(projected, recurrent)


def lstm(projected: Tensor, recurrent: Tensor) -> Tensor:
    """The recurrence of a long short-term memory, from a cell and a state of zeros.

    c_t = f c_(t-1) + i g and h_t = o tanh(c_t), where the gates i, f, o are sigmoids and g is a
    tanh of W x_t + b + U h_(t-1). There are no peepholes.

    projected (time, models, songs, 4 units) is W x_t + b, in torch's order i, f, g, o; recurrent
    (models, units, 4 units) is U, transposed. Returns h, shape (time, models, songs, units). (Gers,
    Schmidhuber and Cummins 2000; Coutinho et al. 2014, section 2; notebook 04.)
    """
    return _LSTM.apply(projected, recurrent)


class _Elman(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, projected: Tensor, recurrent: Tensor) -> Tensor:
        hidden = torch.empty_like(projected)
        state = torch.zeros_like(projected[0])
        for t in range(len(projected)):
            state = torch.baddbmm(projected[t], state, recurrent, out=hidden[t]).tanh_()
        ctx.save_for_backward(hidden, recurrent)
        return hidden

    @staticmethod
    def backward(ctx: object, grad: Tensor) -> tuple[Tensor, Tensor]:
        hidden, recurrent = ctx.saved_tensors
        slopes, carried = 1 - hidden**2, torch.zeros_like(grad[0])
        for t in reversed(range(len(grad))):
            slopes[t].mul_(carried.add_(grad[t]))
            carried = torch.bmm(slopes[t], recurrent.mT)
        return slopes, _outer(hidden[:-1], slopes[1:])


class _LSTM(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, projected: Tensor, recurrent: Tensor) -> Tensor:
        gates = torch.empty_like(projected)
        steps, units = len(projected), recurrent.shape[-2]
        cell = gates.new_zeros(steps + 1, *gates.shape[1:-1], units)
        hidden, squashed = torch.zeros_like(cell), torch.empty_like(cell[1:])
        for t in range(steps):
            gate = torch.baddbmm(projected[t], hidden[t], recurrent, out=gates[t])
            i, f, g, o = gate.split(units, -1)
            gate[..., : 2 * units].sigmoid_(), g.tanh_(), o.sigmoid_()
            torch.mul(f, cell[t], out=cell[t + 1]).addcmul_(i, g)
            torch.mul(o, torch.tanh(cell[t + 1], out=squashed[t]), out=hidden[t + 1])
        ctx.save_for_backward(gates, cell, hidden, squashed, recurrent)
        return hidden[1:]

    @staticmethod
    def backward(ctx: object, grad: Tensor) -> tuple[Tensor, Tensor]:
        gates, cell, hidden, squashed, recurrent = ctx.saved_tensors
        units = grad.shape[-1]
        i, f, g, o = gates.split(units, -1)
        parts = [g * i * (1 - i), cell[:-1] * f * (1 - f), i * (1 - g**2), squashed * o * (1 - o)]
        slopes, opening = torch.cat(parts, -1), o * (1 - squashed**2)
        to_state, to_cell = torch.zeros_like(grad[0]), torch.zeros_like(grad[0])
        for t in reversed(range(len(grad))):
            to_state = to_state + grad[t]
            to_cell = torch.addcmul(to_cell, to_state, opening[t])
            slopes[t, ..., : 3 * units].unflatten(-1, (3, units)).mul_(to_cell.unsqueeze(-2))
            slopes[t, ..., 3 * units :].mul_(to_state)
            to_cell = to_cell * f[t]
            to_state = torch.bmm(slopes[t], recurrent.mT)
        return slopes, _outer(hidden[:-1], slopes)


def _outer(states: Tensor, slopes: Tensor) -> Tensor:
    """Sum over time and songs of state times slope, for each model."""
    before, after = (part.permute(1, 0, 2, 3).flatten(1, 2) for part in (states, slopes))
    return torch.bmm(before.mT, after)


CELLS = {"elman": (elman, 1), "lstm": (lstm, 4)}
BIAS = re.compile(r"(^|\.)[bd]$|bias$")
"""Names of the parameters that start at 0 and are not penalised."""


class Layer(nn.Module):
    """One recurrent layer for several models that share nothing.

    W, U and b, the weights of the inputs, of the last state and the biases, have the shapes
    (models, inputs, gates), (models, units, gates) and (models, 1, gates). A frame is a row, so
    they are multiplied from the right, as in lessons 03 and 04. An LSTM has four gates per unit.
    """

    def __init__(self, cell: str, inputs: int, units: int, *, models: int) -> None:
        super().__init__()
        self.cell, gates = CELLS[cell]
        self.W = nn.Parameter(torch.zeros(models, inputs, gates * units))
        self.U = nn.Parameter(torch.zeros(models, units, gates * units))
        self.b = nn.Parameter(torch.zeros(models, 1, gates * units))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Hidden states (models, songs, time, units) of inputs (models, songs, time, inputs).

        Lengths are not needed: padding comes after a song and can't reach what is before it.
        """
        if len(x) == 1 and self.cell is lstm:
            return self._fused(x[0])
        steps_first = self.projected(x).permute(2, 0, 1, 3).contiguous()
        return self.cell(steps_first, self.U).permute(1, 2, 0, 3)

    def projected(self, x: Tensor) -> Tensor:
        """W x + b at every step, the part of the cell without memory."""
        return torch.baddbmm(self.b, x.flatten(1, 2), self.W).unflatten(1, x.shape[1:3])

    def _fused(self, x: Tensor) -> Tensor:
        # For a single model torch's own kernel (oneDNN, cuDNN) does the same and is faster.
        weights = [self.W[0].mT, self.U[0].mT, self.b[0, 0]]
        start = x.new_zeros(1, len(x), self.U.shape[1])
        weights = [*(part.contiguous() for part in weights), torch.zeros_like(weights[-1])]
        options = {"has_biases": True, "num_layers": 1, "dropout": 0.0, "bidirectional": False}
        options |= {"train": torch.is_grad_enabled(), "batch_first": True}
        return torch.lstm(x, (start, start), weights, **options)[0][None]


class BidirectionalLayer(nn.Module):
    """Two recurrent layers of half the units each: one reads the songs forwards, one backwards."""

    def __init__(self, cell: str, inputs: int, units: int, *, models: int) -> None:
        super().__init__()
        self.ahead = Layer(cell, inputs, units // 2, models=models)
        self.back = Layer(cell, inputs, units // 2, models=models)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Hidden states, first those of the past, then those of the future.

        Lengths (models, songs) or (1, songs) count the frames of each song; None: all are full.
        """
        if len(x) == 1:
            back = reverse_sequences(self.back(reverse_sequences(x, lengths)), lengths)
            return torch.cat([self.ahead(x), back], -1)
        # Both directions are computed together, as twice as many models.
        ways = [self.ahead.projected(x), reverse_sequences(self.back.projected(x), lengths)]
        U = torch.cat([self.ahead.U, self.back.U])
        steps_first = torch.cat(ways).permute(2, 0, 1, 3).contiguous()
        states = self.ahead.cell(steps_first, U).permute(1, 2, 0, 3)
        return torch.cat([states[: len(x)], reverse_sequences(states[len(x) :], lengths)], -1)


def reverse_sequences(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Songs (models, songs, time, columns) from the last frame to the first; padding stays last."""
    steps = x.shape[2]
    if lengths is None or bool((lengths == steps).all()):
        return x.flip(2)
    place = (lengths[..., None] - 1 - torch.arange(steps)) % steps
    songs = torch.arange(x[..., 0, 0].numel()).view(*x.shape[:2], 1)
    return x.flatten(0, 2).index_select(0, (songs * steps + place).flatten()).view(x.shape)


class Network(nn.Module):
    """Recurrent layers, one above the other, and a linear output V, d at every step.

    `cell` is "elman" or "lstm", `inputs` and `outputs` are the numbers of features and of targets,
    `hidden` the units of each layer from the input up. Each model has a seed, from which its
    weights are drawn, whatever the other models are: from [-initial, initial], or, in a
    bidirectional network (half of each layer's units read the songs backwards), from a normal
    distribution of this standard deviation. Biases start at 0.
    Source: Pellegrini and Barriere (2015), section 2; Coutinho et al. (2014), section 2; Li et al.
    (2016), sections 2.1 and 3.2; notebooks 03 to 05.
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
        sizes, models, self.softmax = [inputs, *hidden], len(seeds), softmax
        layer = BidirectionalLayer if bidirectional else Layer
        self.layers = nn.ModuleList(
            layer(cell, below, units, models=models) for below, units in pairwise(sizes)
        )
        self.V = nn.Parameter(torch.zeros(models, sizes[-1], outputs))
        self.d = nn.Parameter(torch.zeros(models, 1, outputs))
        draw = Tensor.normal_ if bidirectional else Tensor.uniform_
        for model, seed in enumerate(seeds):
            rng = generator(seed)
            for weight in self.weights():
                draw(weight.data[model], 0 if bidirectional else -initial, initial, generator=rng)

    def weights(self) -> list[nn.Parameter]:
        """All weights without the biases: what is drawn at random and penalised."""
        return [weight for name, weight in self.named_parameters() if not BIAS.search(name)]

    def hidden(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """States of the topmost layer, shape (models, songs, time, units)."""
        for layer in self.layers:
            x = layer(x, lengths)
        return x

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Outputs (models, songs, time, targets) for inputs (models, songs, time, features).

        Lengths are those of :class:`BidirectionalLayer`.
        """
        states = self.hidden(x, lengths)
        outputs = torch.baddbmm(self.d, states.flatten(1, 2), self.V)
        outputs = outputs.unflatten(1, states.shape[1:3])
        return outputs.softmax(-1) if self.softmax else outputs
