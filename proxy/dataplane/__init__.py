"""The data plane: one worker's life of a request, in the order in which it is read.

    service   where a path goes; every exchange ends in one Observation
    admit     who is calling, what do they ask for, which variant -> a Call
    forward   carry out the Call: rewrite, send, retry, fall back
    relay     the reply's bytes to the client first, then to the meter
    shadow    repeat some to one variant more, when their clients have been answered

Beside them: `keys` (who may), `plane` (what is in force), `call` (what was admitted), `writing`
(heads, errors and lists in our own name), and `worker`, the process around it all.
"""
