"""The process that owns the sockets and keeps the others alive.

`supervisor` starts, watches, upgrades and ends; `children` are control and the workers; `child`
is one process that is kept alive; `shares` says who accepts where; `host` is what the machine
gives. What outlives every child is in `holdings`.
"""
