"""Commands that change a running turnout, and undo.

    split     a route's weights
    rollback  an earlier version's contents in force again
    variant   add, drain, remove a variant; off and on again
    pin       give a unit a variant of its own
    unpin     take that back
    shadow    let a variant get a share of a route's requests as well
    reload    read the configuration file again

Nothing is imported here: each command is loaded only when it is used.
"""
