"""The control plane: everything that is not on the request path.

    supervisor   owns the sockets; starts, watches, restarts and ends the others
    child        one child process that is kept alive
    host         what the machine gives: CPUs, open files, sockets
    control      the control process
    reception    control's end of the channel
    fleet        the workers as control knows them
    pipeline     what becomes of observations
    api          administration over HTTP

Nothing is imported here: the supervisor does not load what only control needs.
"""
