"""A test of those who are told of alerts, over HTTP.

    answering  what admins may have tried
    models     what is answered

Nothing is imported here: the models are read without a web framework.
"""
