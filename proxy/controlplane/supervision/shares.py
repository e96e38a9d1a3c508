"""The shares: which of the traffic sockets each worker accepts on.

It knows numbers only. Every worker holds every socket, so that what it is told can be changed
while it runs, and so that no queue is without somebody to empty it.
"""

from collections.abc import Collection

Shares = list[tuple[int, ...]]


def shares(sockets: int, workers: int, down: Collection[int] = ()) -> Shares:
    """Return the sockets, by number, of each worker; both numbers are at least 1.

    Every worker has a socket, and every socket a worker, several of them where there are more
    workers. What only workers that are `down` would accept on goes to the others, in turn.
    """
    own: list[set[int]] = [set() for _ in range(workers)]
    for each in range(max(sockets, workers)):
        own[each % workers].add(each % sockets)
    up = [worker for worker in range(workers) if worker not in down]
    if up:
        served = set().union(*(own[worker] for worker in up))
        for turn, orphan in enumerate(sorted(set(range(sockets)) - served)):
            own[up[turn % len(up)]].add(orphan)
    return [tuple(sorted(each)) for each in own]
