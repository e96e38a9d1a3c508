"""A running turnout, as the command line reaches it: where it is, how to ask, how to show answers.

    options   the options that all of these commands have
    asking    one command's business with a turnout: look, change, show
    client    the admin API over HTTP
    refused   what could not be done, for people and for programs
    where     which turnout is meant, and the token that opens it
    times     durations and moments, as people write them
    names     its routes and variants, for completion

Nothing is imported here: `turnout --help` needs none of it.
"""
