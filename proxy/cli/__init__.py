"""The command line: commands that run turnout, look at one that runs, and change it.

    root        which commands there are; their errors
    faults      what goes wrong, and which configuration file is meant
    running     a running turnout: where it is, how to ask it
    looking     commands that look at it
    changing    commands that change it, and undo
    drawing     its answers, as lines for people
    explaining  where a request goes: in force, or by the file

Each other module is the command of its name. Each is loaded only when it is used. Commands
parse, ask other rooms, print, and choose the exit code; they decide nothing. Exit codes: 0 done,
1 done and not well, or refused, 2 could not be done (usage, unreadable files), 3 turnout can't
start, or can't be reached, 4 the routing changed meanwhile, 5 it is not known whether a change is
in force.
"""

from proxy.cli.root import main

__all__ = ["main"]
