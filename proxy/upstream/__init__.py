"""The way to an upstream: a client for HTTP/1.1 with kept connections, deadlines and health.

    upstream    acquire a connection, release it, say how it went
    connection  one exchange after another on one connection, under one timer
    timer       one lazy timer for all deadlines of a connection
    reply       reading replies (sans-IO)
    pool        kept connections, and a fair queue
    dial        name, TCP, proxy, TLS
    health      ejection and the half-open trial (pure)
    retries     the budget and the back-off (pure)

It knows nothing of what requests mean, and it follows no redirect.
"""

from proxy.upstream.connection import Connection
from proxy.upstream.reply import ResponseHead
from proxy.upstream.upstream import Upstream, share

__all__ = ["Connection", "ResponseHead", "Upstream", "share"]
