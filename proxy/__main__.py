"""`python -m proxy`: the turnout command, where the script is not on the path."""

from proxy.cli import main

main(prog_name="turnout")
