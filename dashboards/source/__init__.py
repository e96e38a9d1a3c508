"""The Grafana boards as code: `python -m dashboards.source` writes dashboards/*.json.

promql      what is asked of Prometheus
panels      how an answer is drawn: numbers, lines, bars, tables
board       what all boards share: variables, links between them, marks of new versions
overview, variants, upstreams, turnout   the four boards
"""

from dashboards.source.board import Board
from dashboards.source.overview import overview
from dashboards.source.turnout import turnout
from dashboards.source.upstreams import upstreams
from dashboards.source.variants import variants

__all__ = ["Board", "boards"]


def boards() -> dict[str, Board]:
    """Return every board, by the name of its file."""
    return {
        "overview": overview(),
        "variants": variants(),
        "upstreams": upstreams(),
        "turnout": turnout(),
    }
