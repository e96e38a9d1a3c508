"""Watching: alerts over windows as they stand here, and of which alerts nobody is told.

    watching     looks at all rules every second, logs what changes, and tells of it
    silencing    the silences that last
    remembering  what fires, for a control that starts anew

Nothing is imported here.
"""
