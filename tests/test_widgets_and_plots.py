from __future__ import annotations

import io

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import soundfile
from matplotlib import pyplot as plt

from workbook import plots
from workbook.widgets import FigureSlider

mpl.use("Agg")


def figure(size: int) -> plt.Figure:
    return plt.figure(figsize=(size, 1), dpi=20)


def test_slider_draws_each_position_once_and_closes_its_figures():
    slider = FigureSlider.draw("size (inch)", [1, 2, 3], figure, start=1)
    assert slider.values == ["1", "2", "3"]
    assert len(set(slider.pictures)) == 3
    assert not plt.get_fignums()


def test_without_a_kernel_the_picture_of_the_position_stands_there():
    slider = FigureSlider.draw("size (inch)", [1, 2, 3], figure, start=1)
    bundle, _ = slider._repr_mimebundle_()
    assert bundle["image/png"] == slider.pictures[1]
    assert bundle["text/plain"] == "size (inch): 2, of 1, 2, 3"


def test_slider_with_sound_holds_a_wav_file_for_each_position():
    slider = FigureSlider.draw("f (Hz)", [220, 440], figure_of_pitch, sound=tone)
    assert len(slider.sounds) == 2
    samples, rate = soundfile.read(io.BytesIO(slider.sounds[1]))
    assert rate == 44_100
    assert np.abs(samples - tone(440)).max() < 1e-4


def figure_of_pitch(_: int) -> plt.Figure:
    return figure(1)


def tone(pitch: int) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * pitch * np.arange(4410) / 44_100)


@pytest.mark.parametrize(("values", "start"), [([], 0), ([1], 1), ([1], -1)])
def test_slider_refuses_positions_that_are_not_there(values, start):
    with pytest.raises(ValueError, match="position"):
        FigureSlider.draw("size", values, figure, start=start)


def test_curves_and_plane_have_units_and_the_palette():
    points = pd.DataFrame({"valence": [0.1, 0.2], "arousal": [0.3, -0.4]}, index=[15.0, 15.5])
    ax = plots.draw_curves(points, points * 0.5)
    assert ax.get_xlabel() == "time (s)"
    assert {line.get_color() for line in ax.lines} == set(plots.PALETTE.values())
    assert len(ax.lines) == 4
    ax = plots.draw_plane(points, hue=points["valence"])
    assert "valence" in ax.get_xlabel()
    assert ax.get_xlim() == (-1, 1)
    plt.close("all")
