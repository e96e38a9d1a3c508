"""Where a request goes and why: asked of the turnout that runs, or else of the file.

    in_force  what runs, by its admin API
    declared  what a configuration file says, by the very code that decides in a worker
    drawn     either, as lines for people

Nothing is imported here: `turnout --help` needs none of it.
"""
