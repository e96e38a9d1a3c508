"""What one turnout holds for itself while it runs, and may inherit or leave to its successor.

`directory` is the data directory and its lock; `sockets` are the listening ones, the channel's
and the tally; `succession` hands them to another turnout; `systemd` is the service manager's
way of doing so.
"""
