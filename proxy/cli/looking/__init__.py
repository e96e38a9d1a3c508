"""Commands that look at a running turnout.

    status    the state as a whole, once or kept live
    ready     whether it takes traffic, as an exit code
    logs      requests on record, and one with its whole story
    versions  the list of versions
    version   one version, with its contents
    diff      what differs between two
    audit     the audit log

Nothing is imported here: each command is loaded only when it is used.
"""
