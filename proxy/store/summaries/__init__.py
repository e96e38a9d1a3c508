"""Summaries of what was kept: a route's variants, quarter of an hour by quarter of an hour.

    adding     what a batch adds, written in the transaction that keeps it
    folding    what was added becomes part of summaries, a little later
    comparing  a window's summaries, put together

They are a thousandth of what they are of, so a comparison takes as long for five million requests
as for a thousand. What is counted, and what is made of it, is `experiments`' matter.
"""

from proxy.store.summaries.adding import add
from proxy.store.summaries.comparing import Comparing
from proxy.store.summaries.folding import Folding

__all__ = ["Comparing", "Folding", "add"]
