"""The report: figures as data, drawn as SVG, assembled into one self-contained page."""

from bakeoff.report.drawings import draw_figures, draw_look
from bakeoff.report.page import build_report

__all__ = ["build_report", "draw_figures", "draw_look"]
