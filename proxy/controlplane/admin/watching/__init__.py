"""Alerts as they stand, and silences, over HTTP.

    answering  what readers may see, and what admins may silence
    models     what is taken and answered

Nothing is imported here: the models are read without a web framework.
"""
