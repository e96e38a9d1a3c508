"""What workers and control say to each other, and what they count in shared memory.

    messages   the vocabulary, as plain values
    wire       one message after the other on a socket
    outbox     the worker's bounded queue of observations
    courier    the worker's end: keeps a connection to control, for ever
    tally      shared memory: exchanges begun and accounted for, and client keys' limits
    lifeline   what the supervisor and its children say to each other
    settling   what a child asks of Python and of the kernel once it stands

Nothing here knows what an observation means, or what is done with it.
"""

from proxy.channel.courier import Courier
from proxy.channel.messages import (
    Acknowledged,
    Gauges,
    Hello,
    Publication,
    Received,
    Report,
    ShadowReport,
    Spent,
    UpstreamReport,
)
from proxy.channel.outbox import Outbox
from proxy.channel.tally import Account, Ledger, Tally, create_memory
from proxy.channel.wire import Wire

__all__ = [
    "Account",
    "Acknowledged",
    "Courier",
    "Gauges",
    "Hello",
    "Ledger",
    "Outbox",
    "Publication",
    "Received",
    "Report",
    "ShadowReport",
    "Spent",
    "Tally",
    "UpstreamReport",
    "Wire",
    "create_memory",
]
