"""Interactive figures, each with a static picture for pages without a kernel."""

from mer_core.widgets.figure_slider import FigureSlider

__all__ = ["FigureSlider"]
