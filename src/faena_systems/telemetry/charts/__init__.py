"""The geometry of charts that templates draw as SVG: places and sizes in percent, so that text keeps its own size."""

from .heat import LEVELS, level
from .plot import Column, Plot, columns, labelled, line
from .scale import Scale

__all__ = ["LEVELS", "Column", "Plot", "Scale", "columns", "labelled", "level", "line"]
