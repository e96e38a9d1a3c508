"""Migrating: an older database, or an empty one, gets the tables of today.

Only loaded where there is something to do, because alembic takes its time. It knows no table.
"""

from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from sqlalchemy import Connection

from proxy.store import migrations

FOLDER = str(Path(migrations.__file__).parent)


def migrate(connection: Connection) -> bool:
    """Take the steps that the database lacks, within the transaction that `connection` is in.

    False: it has taken one that is not known here, so nothing was done.
    """
    scripts = ScriptDirectory(FOLDER, version_locations=[FOLDER])
    context = MigrationContext.configure(connection)
    try:
        steps = list(scripts.iterate_revisions("head", context.get_current_revision() or "base"))
    except ResolutionError:
        return False
    with Operations.context(context):
        for step in reversed(steps):
            step.module.upgrade()
            context.stamp(scripts, step.revision)
    return True
