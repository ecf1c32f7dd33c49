"""Interactive figures, each with a static picture for pages without a kernel."""

from workbook.widgets.figure_slider import FigureSlider
from workbook.widgets.file_drop import FileDrop
from workbook.widgets.front_end import show_live
from workbook.widgets.plane_picker import PlanePicker
from workbook.widgets.player import Player
from workbook.widgets.profile_drawing import ProfileDrawing

__all__ = ["FigureSlider", "FileDrop", "PlanePicker", "Player", "ProfileDrawing", "show_live"]
