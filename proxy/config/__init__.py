"""Configuration: what a person may write, what is wrong with it, and the settings in force.

    source      the file as it stands: YAML with places, ${NAME} and file:/path
    fields      the kinds of value there are: seconds, sizes, names, addresses
    schema      which keys the file may have
    fit         how values must fit together
    wording     what is wrong, in plain words
    check       a file -> every problem in it, or the schema's model of it
    routes      the routing alone: contents to keep, change and put back, and the table
    compile     that model -> Settings
    data_dir    the data directory, read off a bad file as well
    reference   docs/configuration.md, written from the schema
    settings    plain values: the only module that data plane and control plane import

Nothing is imported here, so that a worker loads neither pydantic nor a YAML parser.
"""
