"""What the request store says of variants side by side: sums by unit, and values in order.

    window     which observations a comparison is of
    adding     a metric's sums, by unit, added up by the database
    ordering   each so-many-th value, in order
    comparing  all of it for a route, one at a time and within bounds

It knows SQL and no statistics: what is made of the sums is `experiments`'.
"""

from proxy.store.comparing.comparing import Comparing, TooLong

__all__ = ["Comparing", "TooLong"]
