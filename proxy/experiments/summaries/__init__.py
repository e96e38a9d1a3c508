"""Summaries: a variant's exchanges in numbers that add up, so that nobody reads them one by one.

    slots     of which stretch of time a summary is
    counting  what exchanges add to one
    summary   what is known of many, by lots of units

Units are put into lots by their hash. Of every series (how many failed, how many tokens there
were, how many took from 320 to 349 ms) there is a number for each lot. Lots are as independent of
one another as units are, so intervals that go by lots hold as those that go by units do.
"""

from proxy.experiments.summaries.counting import LOTS, Counting, Increment, count, counting
from proxy.experiments.summaries.slots import after, slot_of, slots, whole
from proxy.experiments.summaries.summary import Summary

__all__ = [
    "LOTS",
    "Counting",
    "Increment",
    "Summary",
    "after",
    "count",
    "counting",
    "slot_of",
    "slots",
    "whole",
]
