"""Administration over HTTP: what the command line, Prometheus and people's tools talk to."""
