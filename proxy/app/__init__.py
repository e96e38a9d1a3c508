"""The composition root: the only room that names concrete adapters.

`python -m proxy.app worker FD` and `... control FD` are the two kinds of child that the
supervisor starts; FD is the child's end of its lifeline. Each imports only its own plane, so
that a worker carries no web framework and no tokenizer.

    worker   a worker's service
    control  what control runs, and in which order it ends
    record   what control keeps of exchanges
    stored   what is kept for good
    told     who is told of alerts
    traced   whom spans go to
"""
