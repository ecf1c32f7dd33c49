"""Recurrent cells over leading dimensions: many models, many songs, one step after the other.

The backward pass (backpropagation through time) is written out, which is two to three times as
fast as autograd. A test compares both passes with torch's own layers.
"""

from __future__ import annotations

import torch
from torch import Tensor


def elman(projected: Tensor, recurrent: Tensor) -> Tensor:
    """Elman's recurrence, h_t = tanh(W x_t + b + U h_(t-1)), from h_0 = 0.

    projected (time, models, songs, units) is W x_t + b; recurrent (models, units, units) is U,
    transposed: a row for each unit that it comes from. Returns h, shape (time, models, songs,
    units). (Elman 1990; Pellegrini and Barriere 2015, section 2; notebook 03.)
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
