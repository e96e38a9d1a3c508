"""The shape of proxy/: rooms, their size, their names, and the tests that mirror them."""

import ast

import pytest

from tests.frame.source import PACKAGE, TESTS, Module, modules, rooms

ROOMS = [str(room.relative_to(PACKAGE)) for room in rooms()]
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "misc"}
MODULES_A_ROOM = 8
LINES_A_FILE = 500
LINES_A_FUNCTION = 60


def test_every_folder_of_the_package_is_a_room() -> None:
    folders = {path.parent for path in PACKAGE.rglob("*.py")} - {PACKAGE}
    assert folders == set(rooms())


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_it_is_and_names_what_it_hands_out(room: str) -> None:
    module = Module(PACKAGE / room / "__init__.py")
    assert ast.get_docstring(module.tree)
    work = [
        node
        for node in module.tree.body
        if not isinstance(node, ast.Import | ast.ImportFrom | ast.Assign | ast.Expr)
    ]
    assert work == [], "an __init__ is a map: a docstring, imports and __all__"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_at_most_eight_modules(room: str) -> None:
    names = [path.stem for path in (PACKAGE / room).glob("*.py") if path.stem != "__init__"]
    assert len(names) <= MODULES_A_ROOM, sorted(names)


def test_no_module_has_a_vague_name() -> None:
    names = {module.name.rpartition(".")[2] for module in modules()}
    assert not names & VAGUE


def test_every_module_says_what_it_knows() -> None:
    assert [module.name for module in modules() if not ast.get_docstring(module.tree)] == []


def test_no_file_is_long() -> None:
    sizes = {module.name: module.text.count("\n") for module in modules() + modules(TESTS)}
    assert {name: lines for name, lines in sizes.items() if lines > LINES_A_FILE} == {}


def test_no_function_is_long() -> None:
    sizes = {
        f"{module.name}.{function.name}": (function.end_lineno or 0) - function.lineno + 1
        for module in modules()
        for function in module.functions
    }
    assert {name: lines for name, lines in sizes.items() if lines > LINES_A_FUNCTION} == {}


@pytest.mark.parametrize("room", [room for room in ROOMS if "/" not in room])
def test_the_tests_of_a_room_reach_each_of_its_modules(room: str) -> None:
    """Reached is what a room's tests import, by themselves, through test tools or the room itself.

    `test_x.py` reaches `x` of the room that its folder mirrors, however it goes about it.
    """
    inside = {module.name: module for module in modules(PACKAGE / room)}
    through = inside | {module.name: module for module in modules(TESTS / "support")}
    tests = modules(TESTS / room)
    reached = {f"proxy{test.name.removeprefix('tests').replace('.test_', '.')}" for test in tests}
    followed: set[str] = set()
    waiting = tests
    while waiting:
        for source, name in waiting.pop().imports:
            for found in {source, f"{source}.{name}"} & (through.keys() - followed):
                followed.add(found)
                waiting.append(through[found])
    wanted = {name for name, module in inside.items() if not module.path.stem.startswith("__")}
    assert sorted(wanted - followed - reached) == []


# Where another process is waited for without a loop, and a program that a test runs as a process.
SLEEPERS = {"tests.support.patience", "tests.support.programs", "tests.store.observations.faulty"}


def test_no_test_sleeps() -> None:
    """A clock is handed in, or an event awaited; `patience` is where to wait for the rest."""
    found = [
        f"{module.name}:{call.lineno}"
        for module in modules(TESTS)
        if module.name not in SLEEPERS
        for call in ast.walk(module.tree)
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) in ("asyncio.sleep", "time.sleep", "sleep")
        and [ast.unparse(argument) for argument in call.args] != ["0"]
    ]
    assert found == []
