"""Administration over HTTP: what the command line, Prometheus and people's tools talk to.

    administration  the list of all routes, and who may use each
    showing         what readers may see
    changing        what admins may change
    views           what control holds, as the models that are shown
    audit           refused changes in the audit log
    lately          alerts of the last minutes
    watching        alerts over windows as they stand, and silences
    page            the interface described, for people
    entrance        the listener, the gate, the doors, tokens, bodies, refusals
    models          what is taken and answered; the command line reads the same ones

Nothing is imported here: the models are read without a web framework.
"""
