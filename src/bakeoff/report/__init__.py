"""The report: one page that needs nothing outside itself, and its figures as files.

`draw_report` makes both from `Findings`, each chart once. What is shown is gathered as plain values
by `sections/`, charts are drawn by `charts/` (of which only `canvas` knows matplotlib), small
pictures by `pictures/`; `words` writes numbers, each kind in one way. The templates only arrange
what `page.shown_of` gives, by the names that stand there; a name that it lacks is an error.

A new section is a line of `page.shown_of` with a template of its anchor's name, a new chart a field
of `charts.Charts`. Charts are drawn in the stand-in colours of `palette`, never in others, so that
they follow light and dark.
"""

from bakeoff.report.page import Report, draw_report
from bakeoff.report.pictures.view_sheet import draw_view
from bakeoff.report.pictures.views import view_pictures

__all__ = ["Report", "draw_report", "draw_view", "view_pictures"]
