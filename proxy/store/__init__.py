"""Where versions, audit log and silences are kept: SQLite in the data directory, or PostgreSQL."""

from proxy.store.hosts import Hosts
from proxy.store.opening import open_store
from proxy.store.silences import Silences
from proxy.store.store import Store

__all__ = ["Hosts", "Silences", "Store", "open_store"]
