"""The report: figures as data, drawn as SVG, assembled into one self-contained page."""

from bakeoff.report.page import Report, draw_report
from bakeoff.report.pictures.look_sheet import draw_look
from bakeoff.report.pictures.looks import look_pictures

__all__ = ["Report", "draw_look", "draw_report", "look_pictures"]
