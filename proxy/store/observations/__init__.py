"""The request store: observations, written in batches, found again, forgotten in time.

    rows        an observation as it is kept, and back
    keeping     a batch, in one transaction
    spending    what was spent a day, by route, variant and key
    bodies      what was asked and answered, where it is kept
    writer      the queue, and the thread that empties it
    forgetting  what is too old, or too much
    finding     what was kept
    opening     all of it together

It knows no route by name and nothing of the file; it is handed a database that is open.
"""

from proxy.store.observations.bodies import Body, KeptBodies
from proxy.store.observations.finding import ANY, Finding, Wanted
from proxy.store.observations.forgetting import Forgetting
from proxy.store.observations.keeping import Keeping
from proxy.store.observations.opening import open_observations
from proxy.store.observations.rows import Kept
from proxy.store.observations.spending import By, Counted, Spending, Spent
from proxy.store.observations.writer import ObservationWriter

__all__ = [
    "ANY",
    "Body",
    "By",
    "Counted",
    "Finding",
    "Forgetting",
    "Keeping",
    "Kept",
    "KeptBodies",
    "ObservationWriter",
    "Spending",
    "Spent",
    "Wanted",
    "open_observations",
]
