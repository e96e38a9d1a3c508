"""How a change gets in force: checked, appended, pushed to every worker, acknowledged."""
