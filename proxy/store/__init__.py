"""Where versions and the audit log are kept: SQLite in the data directory."""
