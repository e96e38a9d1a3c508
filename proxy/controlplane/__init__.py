"""The control plane: everything that is not on the request path.

    supervision  the process that owns the sockets and keeps the others alive
    control      the control process
    reception    control's end of the channel
    fleet        the workers as control knows them
    pipeline     what becomes of observations
    watching     alerts over windows, and silences
    telling      from an alert to a notice: folded, repeated, silenced
    admin        administration over HTTP

Nothing is imported here: the supervisor does not load what only control needs.
"""
