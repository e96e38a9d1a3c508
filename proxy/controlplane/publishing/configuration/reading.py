"""Reading: the configuration as it stands, and the last good one, as values to publish.

The text of the last good file is kept in the data directory, for its owner only, so that turnout
can start while the file is bad. References in it are followed anew. Reading blocks: call it in a
thread. Nothing here knows what is in force.
"""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from proxy.config.compile import compile_settings, file_for_upstream, load_file
from proxy.config.data_dir import data_dir
from proxy.config.routes.contents import contents, with_contents
from proxy.config.schema import File
from proxy.config.settings import DATA_DIR, Origin, Settings
from proxy.config.source import read_content
from proxy.config.source.files import keep_file
from proxy.errors import ConfigError
from proxy.rollout import Contents

LAST_GOOD = "last-good.yaml"


class Declared(Struct, frozen=True, kw_only=True):
    """A configuration without problems."""

    file: File
    folder: Path  # where paths in it start
    given: Mapping[str, str | int | float]  # what the command line says instead
    text: bytes | None = None  # as it was read; None: no file, or it is the last good one

    @property
    def contents(self) -> Contents:
        """Its routing."""
        return contents(self.file)

    @property
    def revision(self) -> int | None:
        """Its own number."""
        return self.file.revision

    def routed(self, contents: Contents) -> "Declared":
        """Return it with another routing; ConfigError lists why the two do not fit."""
        return replace(self, file=with_contents(self.file, contents))

    def settings(self, version: int) -> Settings:
        """Return the settings, the routing under `version`."""
        made = compile_settings(self.file, self.folder, version)
        said: dict[str, object] = dict(self.given)
        if "workers" in said:
            said["data_plane"] = replace(made.data_plane, workers=said["workers"])
        return replace(made, **said)


class Reading:
    """Reads what `origin` names, with the variables of `environ`.

    `room` is how many client keys there may be; None: any number.
    """

    def __init__(
        self,
        origin: Origin,
        environ: Mapping[str, str],
        data_dir: str | None = None,
        room: int | None = None,
    ) -> None:
        self._origin = origin
        self._environ = environ
        self._data_dir = data_dir  # None: as the file says
        self._room = room
        self._seen: bytes | None = None  # what was read last; None: nothing that could be

    @property
    def name(self) -> str:
        """What is read, for people."""
        return self._origin.file or "--upstream"

    @property
    def file(self) -> str | None:
        """The file's path; None: there is none."""
        return self._origin.file

    def read(self) -> Declared:
        """Return what stands there now; ConfigError lists every problem."""
        file, origin = self._origin.file, self._origin
        if file is None:
            made = file_for_upstream(origin.upstream or "")
            return Declared(file=made, folder=Path(), given=origin.given)
        self._seen = None
        self._seen = text = read_content(file)
        return self._declared(file, text, text)

    def stale(self) -> bool:
        """Return whether the file has other contents now than were read last."""
        try:
            now = None if self._origin.file is None else read_content(self._origin.file)
        except ConfigError:
            now = None
        return now != self._seen

    def forget(self) -> None:
        """Take what was read last as not read: it could not be put in force."""
        self._seen = b""

    def last_good(self) -> Declared | None:
        """Return the last good file; None: there is none, or it is not good any more."""
        file = self._origin.file
        if file is None:
            return None
        try:
            text = (Path(self.data_dir()) / LAST_GOOD).read_bytes()
            return self._declared(file, text, None)
        except (OSError, ConfigError):
            return None

    def keep(self, declared: Declared) -> None:
        """Keep the text of `declared` as the last good file; OSError where that can't be."""
        if declared.text is not None:
            keep_file(Path(self.data_dir()) / LAST_GOOD, declared.text)

    def data_dir(self) -> str:
        """Return the data directory, read off a bad file as well as that can be done."""
        if self._data_dir is None:
            self._data_dir = str(self._origin.given.get("data_dir") or self._said())
        return self._data_dir

    def _said(self) -> str:
        file = self._origin.file
        return DATA_DIR if file is None else data_dir(file, self._environ)

    def _declared(self, file: str, content: bytes, text: bytes | None) -> Declared:
        made = load_file(file, self._environ, content)
        count = len(made.keys)
        if self._room is not None and count > self._room:
            problem = (
                f"{file}: keys are {count}, and this turnout has room for {self._room} until it "
                "is started again; restart it"
            )
            raise ConfigError(problem, problems=(problem,))
        folder = Path(file).parent
        return Declared(file=made, folder=folder, given=self._origin.given, text=text)


def told(error: ConfigError) -> tuple[str, ...]:
    """Return the problems of a configuration, a line each."""
    return error.problems or (str(error),)
