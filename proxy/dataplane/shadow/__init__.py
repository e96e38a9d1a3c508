"""Shadows: some requests are sent to one variant more, whose replies no client sees.

    shadows   which exchanges are followed by one, how many at a time, what is dropped and why
    repeat    one shadow: sent, read to its end, on the record

It begins where the client's exchange has ended, and nothing of the client's waits for it.
"""

from proxy.dataplane.shadow.shadows import Shadows

__all__ = ["Shadows"]
