"""The report: figures as data, drawn as SVG, assembled into one self-contained page."""

from bakeoff.report.drawings import draw_look
from bakeoff.report.page import Report, draw_report

__all__ = ["Report", "draw_look", "draw_report"]
