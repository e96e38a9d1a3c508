"""The routing that a file declares: as contents to keep, change and compare, and as the table."""
