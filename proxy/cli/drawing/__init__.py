"""Drawing: what a turnout answers, as lines for people. It asks nobody and knows no command.

    console  the terminal: width, colours, what may be written to it
    bars     a route's split as bars
    state    status
    history  versions, differences, the audit log
    changed  what came of a change, or of reading the file again
    moments  times

Nothing is imported here: `turnout --help` needs none of it.
"""
