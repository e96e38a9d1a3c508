"""The process that owns the sockets and keeps the others alive.

`supervisor` starts, watches, restarts and ends; `child` is one process that is kept alive;
`host` is what the machine gives: CPUs, open files, sockets.
"""
