"""Interactive figures, each with a static picture for pages without a kernel."""

from mer_core.widgets.figure_slider import FigureSlider
from mer_core.widgets.file_drop import FileDrop
from mer_core.widgets.plane_picker import PlanePicker
from mer_core.widgets.player import Player
from mer_core.widgets.profile_drawing import ProfileDrawing

__all__ = ["FigureSlider", "FileDrop", "PlanePicker", "Player", "ProfileDrawing"]
