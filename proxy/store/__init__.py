"""Where versions and the audit log are kept: SQLite in the data directory, or PostgreSQL."""

from proxy.store.hosts import Hosts
from proxy.store.opening import open_store
from proxy.store.store import Store

__all__ = ["Hosts", "Store", "open_store"]
