"""The command line: one module a command group, each loaded only when it is used.

Commands parse, ask other rooms, print, and choose the exit code; they decide nothing.
Exit codes: 0 done, 1 done and not well, 2 could not be done (usage, unreadable files).
"""

from proxy.cli.root import main

__all__ = ["main"]
