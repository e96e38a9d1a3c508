"""Comparing: what there is of a route's variants in a window, for whoever makes sense of it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, Table, literal, select, union_all

from proxy.experiments import Measured, Summary, measured
from proxy.experiments.summaries import slots
from proxy.store.store import told
from proxy.store.summaries.adding import read_increment
from proxy.store.tables import INCREMENTS, SUMMARIES

FOLDED, ADDED = literal(0), literal(1)


class Comparing:
    """Reads from the database that `engine` reaches; any thread may call."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def measure(
        self, route: str, variants: Sequence[str], since: float, until: float
    ) -> list[Measured]:
        """Return what there is of each variant, begun from `since` on and before `until`.

        Both are seconds since the epoch, where slots begin. StoreError: it can't be read.
        """
        summaries = {variant: Summary() for variant in variants}
        within = slots(since, until)

        def chosen(table: Table, column: str, what: Any) -> Any:
            row = table.c
            here = row.route == route, row.variant.in_(variants)
            when = row.slot >= within.start, row.slot < within.stop
            return select(row.variant, what, row[column]).where(*here, *when)

        # One statement, so that nothing is folded between its halves.
        query = union_all(
            chosen(SUMMARIES, "summary", FOLDED), chosen(INCREMENTS, "increment", ADDED)
        )
        with told("read"), self._engine.connect() as connection:
            for variant, added, packed in connection.execute(query):
                if added:
                    summaries[variant].add(read_increment(packed))
                else:
                    summaries[variant].merge(Summary.unpack(packed))
        return [measured(variant, summary) for variant, summary in summaries.items()]
