"""The rules of the house that a reader cannot see in any one file."""

from __future__ import annotations

import ast
import re
import subprocess
from modulefinder import ModuleFinder
from pathlib import Path

import pytest

from autograder.notebooks.printing import GIVEN as GIVEN_TO_PRINT

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "autograder"
PAGES = sorted((ROOT / "hw5_pages").glob("*.py"))
STUDENT = [*sorted(ROOT.glob("hw5_*.py")), *PAGES]
GIVEN = [path for path in STUDENT if path.stem not in ("hw5_vae", "hw5_gan")]

LEVELS = [
    {"__main__", "conftest", "pytest_option"},
    {"audit", "authoring", "course", "gradebook", "gradescope", "mutants", "new", "release"}
    | {"untouched", "visible"},
    {"export"},
    {"grading", "notebooks"},
    {"parts", "sandbox"},
    {"checking", "intake"},
    {"inside"},
    {"arguments", "assignment", "files", "lateness", "leaving", "placeholders", "progress"}
    | {"results", "roster", "tables", "times"},
]
"""From the command line down: a module imports from levels below its own, or from its own."""


STUDENT_LEVELS = [
    {"hw5_start", "hw5_helper", "hw5_tryout"},
    {"hw5_vae", "hw5_gan"},
    {"hw5_live", "hw5_explore", "hw5_utils"},
    {"hw5_figures", "hw5_train", "hw5_errors", "hw5_report"},
    {"hw5_data", "hw5_ingredients", "hw5_checks", "hw5_folder", "hw5_pages", "hw5_summary"},
    {"hw5_basics", "hw5_edits", "hw5_written"},
    {"hw5_asked", "hw5_checkpoint", "hw5_notebook", "hw5_process"},
]
"""The students' modules, from what starts the others down: each imports from levels below its own,
nowhere from its own, and so in no circle."""

PAGES_LEVELS = [
    {"__init__"},
    {"printing"},
    {"arrangement", "typesetting"},
    {"outputs"},
    {"pandoc", "texts", "writing"},
    {"pictures"},
    {"sheet"},
    {"mathematics"},
    {"chemistry", "decorations", "packages"},
    {"colours", "tex"},
]
"""The modules of hw5_pages, by the same rule."""


def imported_by(path: Path) -> set[str]:
    """Top-level names of the package's modules and folders that a file of it imports."""
    names = set()
    depth = len(path.relative_to(PACKAGE).parts) - 1
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == depth + 1:
            first = (node.module or "").split(".")[0]
            names |= {first} if first else {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("autograder"):
            rest = (node.module or "").split(".")[1:]
            names |= {rest[0]} if rest else {alias.name for alias in node.names}
    return names - {"__version__"}


def level(name: str) -> int:
    return next(i for i, names in enumerate(LEVELS) if name in names)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.name)
def test_imports_run_one_way(path):
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own == "__init__":
        return
    for name in imported_by(path):
        assert level(name) >= level(own), f"{path.name} imports {name}"


@pytest.mark.parametrize("path", sorted((PACKAGE / "inside").glob("*.py")), ids=lambda p: p.name)
def test_what_runs_inside_imports_nothing_of_ours_from_outside(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level <= 1
            assert not (node.module or "").startswith(("autograder", "hw5_"))


def test_nbgraders_commands_do_not_load_torch():
    """It takes longer than most of what they do."""
    finder = ModuleFinder(path=[str(ROOT)])
    for path in sorted((PACKAGE / "gradebook").glob("*.py")):
        finder.run_script(str(path))
    assert "autograder.checking.modules" in finder.modules
    assert "torch" not in finder.badmodules


@pytest.mark.parametrize("name", ["assignment", "results", "tables"])
def test_assignment_results_and_tables_import_nothing_of_ours(name):
    assert imported_by(PACKAGE / f"{name}.py") == set()


@pytest.mark.parametrize("path", STUDENT, ids=lambda p: p.name)
def test_student_facing_modules_never_import_the_autograder(path):
    """hw5_asked.py alone reads a file of it, and only here: a release holds data instead."""
    if path.stem != "hw5_asked":
        assert "autograder" not in path.read_text()


def students_level(name: str) -> int:
    return next(i for i, names in enumerate(STUDENT_LEVELS) if name in names)


def students_imported_by(tree: ast.Module) -> set[str]:
    """The students' modules that a module imports: at its top, in a function, or by a name."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = ast.unparse(node.func).rpartition(".")[2]
            names |= {node.args[0].value} if called in ("import_module", "__import__") else set()
    return {name for name in names if str(name).startswith("hw5_")}


@pytest.mark.parametrize("path", STUDENT, ids=lambda p: p.name)
def test_students_modules_import_from_below_even_inside_functions(path):
    own = "hw5_pages" if path in PAGES else path.stem
    for name in students_imported_by(ast.parse(path.read_text())):
        assert students_level(name) > students_level(own), f"{path.name} imports {name}"


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_modules_of_the_pages_import_from_below(path):
    def pages_level(name: str) -> int:
        return next(i for i, names in enumerate(PAGES_LEVELS) if name in names)

    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            for name in [node.module] if node.module else [alias.name for alias in node.names]:
                assert pages_level(name) > pages_level(path.stem), f"{path.name} imports {name}"


def test_an_import_is_seen_wherever_it_stands():
    text = """
import hw5_one
def f():
    if True:
        from hw5_two import x
    importlib.import_module("hw5_three")
"""
    assert students_imported_by(ast.parse(text)) == {"hw5_one", "hw5_two", "hw5_three"}


@pytest.mark.parametrize("path", GIVEN, ids=lambda p: p.name)
def test_given_modules_hold_no_solution(path):
    assert "BEGIN SOLUTION" not in path.read_text()


@pytest.mark.parametrize("path", [p for p in STUDENT if p not in GIVEN], ids=lambda p: p.name)
def test_solution_regions_are_closed_and_name_a_question(path):
    from autograder.assignment import read_assignment

    assignment, opened = read_assignment(), None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        begin = re.match(r"\s*### BEGIN SOLUTION (\S+)$", line)
        if "BEGIN SOLUTION" in line:
            assert begin, f"line {number} has no part.question"
            assert opened is None, f"line {number} opens a region inside another"
            opened = assignment.question(begin[1])
        elif "END SOLUTION" in line:
            assert opened is not None, f"line {number} ends a region that nobody began"
            opened = None
    assert opened is None


def test_every_module_says_what_it_is_for_in_its_first_line():
    for path in [*PACKAGE.rglob("*.py"), *STUDENT]:
        text = ast.get_docstring(ast.parse(path.read_text()))
        assert text, path
        assert text.splitlines()[0].rstrip().endswith((".", ":")), path


def test_no_data_weights_or_large_files_are_tracked():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        assert path.suffix not in {".gz", ".pt", ".pkl", ".safetensors", ".xz"}, name
        assert not path.is_file() or path.stat().st_size < 400_000, name


def test_ruff_and_mypy_are_told_the_oldest_python():
    """Then one refuses words that it does not know, and the other what its library lacks."""
    settings = (ROOT / "pyproject.toml").read_text()
    (oldest,) = re.findall(r'^requires-python = ">=(3\.\d+),', settings, re.M)
    assert re.findall(r'^target-version = "py(\d+)"$', settings, re.M) == [oldest.replace(".", "")]
    assert re.findall(r'^python_version = "([\d.]+)"', settings, re.M) == [oldest]


def test_every_text_names_the_pythons_that_pyproject_allows():
    settings = (ROOT / "pyproject.toml").read_text()
    ((oldest, after),) = re.findall(r'^requires-python = ">=3\.(\d+),<3\.(\d+)"$', settings, re.M)
    for path in (ROOT / "README.md", *(PACKAGE / "release").glob("start-*.md")):
        if "colab" not in path.name:
            named = re.findall(r"Python 3\.(\d+) to 3\.(\d+)", path.read_text())
            assert named == [(oldest, str(int(after) - 1))], path.name


def test_mypy_checks_all_that_makes_a_pdf():
    settings = (ROOT / "pyproject.toml").read_text()
    section = settings.partition("[tool.mypy]\n")[2].partition("\n[")[0]
    checked = set(re.findall(r'"(hw5_\w+)"', section))
    assert checked == set(GIVEN_TO_PRINT) - {"hw5_asked", "hw5_checks"}
    assert "follow_imports" not in settings
