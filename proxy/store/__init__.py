"""Where versions and the audit log are kept: SQLite in the data directory."""

from proxy.store.opening import open_store
from proxy.store.store import Store

__all__ = ["Store", "open_store"]
