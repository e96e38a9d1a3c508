"""Summary: series of numbers, of each one for every lot of units, that are added up.

All lots of a series are one integer, in lanes of LANE bits: adding two of these adds every lane.
It knows no metric; who counts what is told by `counting`.
"""

from math import log
from typing import Final
from zlib import compress, decompress

import msgspec
from msgspec import Struct

from proxy.experiments.summaries.counting import LOTS, MARKS, Increment

LANE: Final = 8  # bytes
FAST: Final = 1  # zlib's level: most of it is zeros
FEW: Final = 0.005  # of all marks: fewer free ones say no more than that there are very many units


class Packed(Struct, frozen=True, array_like=True):
    """A summary as it is kept."""

    series: dict[str, bytes]
    marks: bytes


class Summary(Struct):
    """What is known of exchanges that were counted; without any, nothing."""

    series: dict[str, int] = {}  # all lots of each, in lanes
    marks: int = 0  # a bit for each that is taken

    def add(self, increment: Increment) -> None:
        """Add what was counted."""
        for lot, amounts in increment.lots.items():
            for name, amount in amounts.items():
                self._add(name, amount << (8 * LANE * lot))
        for mark in increment.marks:
            self.marks |= 1 << mark

    def merge(self, other: "Summary") -> None:
        """Add what another one knows, of other exchanges."""
        for name, lanes in other.series.items():
            self._add(name, lanes)
        self.marks |= other.marks

    def _add(self, name: str, lanes: int) -> None:
        self.series[name] = self.series.get(name, 0) + lanes

    def names(self, prefix: str) -> dict[str, str]:
        """Return the series that begin with `prefix`, by what follows."""
        return {name.removeprefix(prefix): name for name in self.series if name.startswith(prefix)}

    def lots(self, *names: str) -> list[int]:
        """Return the number of each lot, of all these series together."""
        added = sum(self.series.get(name, 0) for name in names)
        lanes = added.to_bytes(LOTS * LANE, "little")
        return [
            int.from_bytes(lanes[place : place + LANE], "little")
            for place in range(0, LOTS * LANE, LANE)
        ]

    def total(self, *names: str) -> int:
        """Return the sum over all lots, of all these series together."""
        return sum(self.lots(*names))

    @property
    def units(self) -> int:
        """How many units there were: exactly of few, within 1 percent of 100,000.

        Linear counting: Whang, Vander-Zanden and Taylor, "A Linear-Time Probabilistic Counting
        Algorithm for Database Applications", ACM TODS 15, 1990.
        """
        free = MARKS - self.marks.bit_count()
        return round(-MARKS * log(max(free / MARKS, FEW)))

    def pack(self) -> bytes:
        """Return it as it is kept."""
        series = {
            name: lanes.to_bytes(LOTS * LANE, "little") for name, lanes in self.series.items()
        }
        packed = Packed(series, self.marks.to_bytes(MARKS // 8, "little"))
        return compress(msgspec.msgpack.encode(packed), FAST)

    @classmethod
    def unpack(cls, kept: bytes) -> "Summary":
        """Return what was kept."""
        packed = msgspec.msgpack.decode(decompress(kept), type=Packed)
        series = {name: int.from_bytes(lanes, "little") for name, lanes in packed.series.items()}
        return cls(series, int.from_bytes(packed.marks, "little"))
