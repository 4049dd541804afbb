"""Figures: fronts, runs over time, schedules, distributions, comparisons, tables.

    from dynasoc import plot

    run = dynasoc.run("claims/gpu-sharing")
    plot.timeline(run)[0].figure.savefig("run.png")

Each function draws on the axes that it is given, or on a new figure, and returns them. Needs matplotlib, which is
imported when something is drawn. Logs are thinned to what can be seen: highest and lowest values always stay.
"""

from ._cdf import cdf
from ._forest import forest
from ._gantt import gantt
from ._heatmap import table_heatmap
from ._pareto import pareto
from ._timeline import timeline

__all__ = ["cdf", "forest", "gantt", "pareto", "table_heatmap", "timeline"]
