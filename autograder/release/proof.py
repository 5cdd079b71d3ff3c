"""What must hold before a release is finished; each proof says in a sentence what it has seen.

complete     notebooks import what is there, and use no name that is nowhere
found        every question, equation, section and notebook that a text refers to is there
silent       nothing of a solution, mark scheme or hidden check is found in what is released
untold       no text of one question tells the answer of another one that is asked
visible      each visible check fails on the release in the stub's words, and passes on the
             solution, in a folder with nothing else in it
same         `nbgrader generate_assignment` makes the same files
worth        through the real judge the release scores zero and the solution scores full
"""

from __future__ import annotations

import ast
import builtins
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from ..checking.reference import Reference
from ..grading.batch import new_seed
from ..grading.judge import judge
from ..parts import all_checks
from ..sandbox.zygote import Zygote
from . import ReleaseError, leaks, notebooks, references, tells
from .package import COURSE, Release

KIT = Path(__file__).resolve().parents[2]
CHECKS = sorted(
    p for room in ("checking", "parts") for p in (KIT / "autograder" / room).rglob("*.py")
)
"""The hidden checks, and what they are made of."""
SHELL_NAMES = {"get_ipython", "display", "__file__", "__name__"}
STUB = re.compile(r"(?P<question>[\w-]+\.\w+): write \S+")

VISIBLE = """
import contextlib, importlib, io, json, os, sys
sys.dont_write_bytecode = True

def said_in(folder):
    said, checks = {}, sys.modules.get("hw5_checks")
    for id, question in checks.QUESTIONS.items() if checks else ():
        module = importlib.import_module(checks.MODULES[id.partition(".")[0]])
        assert module.__file__.startswith(folder), module.__file__
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                question.run(*(getattr(module, name) for name in question.names))
                said[id] = None
            except checks.NotYet as error:
                said[id] = str(error)
    return said

said = []
for folder, names in json.loads(sys.argv[1]):
    os.chdir(folder)
    sys.path.insert(0, folder)
    for name in names:
        module = importlib.import_module(name)
        assert module.__file__.startswith(folder), module.__file__
    said.append(said_in(folder))
    sys.path.remove(folder)
    for name in [name for name in sys.modules if name.startswith("hw5_")]:
        del sys.modules[name]
assert not any(name.partition(".")[0] == "autograder" for name in sys.modules)
print(json.dumps(said))
"""
"""Imports modules of a folder and runs its visible checks, if it has some, as a student's Python
does, without the kit; then the same in the next folder, which sees nothing of the first.
"""


def prove(release: Release, folder: Path) -> Iterator[str]:
    """Prove the release that `package.write` has laid out in `folder`; finish its course.

    Raises ReleaseError at the first thing that does not hold.
    """
    for proof in (complete, found, silent, untold, visible, same, worth):
        yield proof(release, folder)


def complete(release: Release, folder: Path) -> str:
    """The zip holds what it should, and its notebooks use only what is there."""
    with zipfile.ZipFile(folder / release.zip_name) as archive:
        top = f"{release.assignment.id}/"
        inside = {name.removeprefix(top): archive.read(name) for name in archive.namelist()}
        if archive.comment or inside != dict(release.students):
            raise ReleaseError(f"{release.zip_name} does not hold what was put into it.")
    names_are_there(release)
    files = len(release.students)
    return f"{release.zip_name} holds {files} files; its notebooks use only what is in them."


def names_are_there(release: Release) -> None:
    """Raise ReleaseError where a notebook imports or uses what the release does not have."""
    defined = {
        name.removesuffix(".py"): _defined(data.decode())
        for name, data in release.students.items()
        if name.endswith(".py")
    }
    for name, data in release.students.items():
        for other in _opened(data.decode()) if name.endswith(".py") else ():
            defined[name.removesuffix(".py")] |= defined.get(other, frozenset())
    for name, data in release.students.items():
        if name.endswith(".ipynb"):
            _need_names(notebooks.loads(name, data), defined)


def found(release: Release, folder: Path) -> str:
    """What a text refers to, the release has."""
    for lost in references.lead_nowhere(release.students, _asked(release)):
        raise ReleaseError(
            f"{lost} Name what is there, or put it between markers (see wording.py)."
        )
    return "Every question, equation, section and notebook that a text refers to is there."


def silent(release: Release, folder: Path) -> str:
    """Nothing that only staff may read is in any file that students get."""
    written_in = {part.module for part in release.assignment.parts}
    modules = {n: text for n, text in release.source.modules.items() if n in written_in}
    secrets = leaks.collect(modules, release.source.notebooks, CHECKS)
    found = list(leaks.search(release.students, secrets))
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise ReleaseError(f"{found[0]}{more} Take it out of what is given, then release.")
    return f"None of {secrets.count()} fragments of solutions and checks is in any of them."


def untold(release: Release, folder: Path) -> str:
    """No question's answer stands in the text of another one, of a docstring or of a check."""
    of = tells.read_tells()
    asked = [tell for question in _asked(release) for tell in of.get(question, ())]
    for sentence in tells.told(release.students, asked):
        raise ReleaseError(sentence)
    return f"No text tells what another one asks: none of {len(asked)} patterns is in any of them."


def _asked(release: Release) -> list[str]:
    """The questions of the release, as `part.question`."""
    return [question for part in release.parts for question in part.full_ids()]


def visible(release: Release, folder: Path) -> str:
    """The visible checks, run as a student runs them: with stubs, and with the solution."""
    modules = {n: d for n, d in release.students.items() if n.endswith(".py")}
    solution = {f"{name}.py": text.encode() for name, text in release.modules.items()}
    checked = "hw5_checks.py" in modules
    folders = [(modules, [*map(_imported_as, modules)]), (solution, ["hw5_checks"])]
    failed, *passed = _run_visible(folders if checked else folders[:1])
    if not checked:
        return "All modules can be imported; nothing in them is to be written."
    for question, said in failed.items():
        match = STUB.match(said or "")
        if match is None or match["question"].partition(".")[0] != question.partition(".")[0]:
            said = said or "it passes"
            raise ReleaseError(
                f"hw5_checks.py: on the release, the visible check of {question} must fail in the "
                f"words of a stub, but {said}"
            )
    for question, said in passed[0].items():
        if said:
            raise ReleaseError(f"hw5_checks.py: {question} fails on the solution: {said}")
    wanted = {
        f"{part.id}.{q.id}" for part in release.parts for q in part.questions if q.kind == "code"
    }
    if lacking := sorted(wanted - set(failed)):
        raise ReleaseError(f"hw5_checks.py has no visible check of {', '.join(lacking)}.")
    return (
        f"All modules can be imported; {len(failed)} visible checks fail in the stubs' words and "
        "pass on the solution."
    )


def same(release: Release, folder: Path) -> str:
    """`nbgrader generate_assignment`, run in the course, releases the same files."""
    course = folder / COURSE
    name = release.assignment.id
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    ran = subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_assignment", name],
        cwd=course,
        env={**os.environ, "PATH": path, "PYTHONSAFEPATH": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        last = [line for line in ran.stderr.splitlines() if line.strip()][-3:]
        raise ReleaseError(f"nbgrader makes no release of this: {' '.join(last)}")
    made = course / "release" / name
    theirs = {
        path.relative_to(made).as_posix(): path.read_bytes()
        for path in made.rglob("*")
        if path.is_file()
    }
    if set(theirs) != set(release.students):
        raise ReleaseError(
            "nbgrader releases other files than we do: "
            f"{', '.join(sorted(set(theirs) ^ set(release.students)))}."
        )
    cells = 0
    for file, data in release.students.items():
        if not file.endswith(".ipynb"):
            if theirs[file] != data:
                raise ReleaseError(f"{file} is not the same in nbgrader's release.")
            continue
        ours, other = json.loads(data), json.loads(theirs[file])
        for one, two in zip(ours["cells"], other["cells"], strict=False):
            cells += 1
            if one != two:
                raise ReleaseError(
                    f"{file}, cell {one['id']}, is not the same in nbgrader's release."
                )
        if ours != other:
            raise ReleaseError(f"{file} is not the same in nbgrader's release.")
    return f"nbgrader generate_assignment makes the same: {cells} cells, checksums and locks too."


def worth(release: Release, folder: Path) -> str:
    """The judge gives the release nothing and the solution everything."""
    judged = [part for part in release.parts if part.module]
    if not judged:
        return "All of it is marked by hand: there is nothing to judge."
    solution = {f"{name}.py": text.encode() for name, text in release.modules.items()}
    checks, reference, seed = all_checks(release.assignment), Reference(), new_seed()
    sums = []
    with Zygote() as zygote:
        for what, files, full in (
            ("release", release.students, 0.0),
            ("solution", solution, 1.0),
        ):
            wanted = {name for name in files if release.assignment.wants(name)}
            code = {name: files[name] for name in wanted if name.endswith(".py")}
            total = 0.0
            for question in judge(code, judged, checks, reference, zygote.open, seed):
                if question.kind not in ("code", "bonus"):
                    continue
                right = full * question.max_points
                if question.points is None or abs(question.points - right) > 1e-4:
                    lost = [c for c in question.checks if (c.state == "pass") != bool(full)]
                    why = f" ({lost[0].title} {lost[0].message})" if lost else ""
                    raise ReleaseError(
                        f"{question.question}: the {what} scores {question.points}, not "
                        f"{right:g}, with seed {seed}{why}."
                    )
                total += question.points
            sums.append(total)
    return f"The judge gives the release {sums[0]:g} and the solution {sums[1]:g} points of code."


def _imported_as(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _run_visible(
    folders: Sequence[tuple[Mapping[str, bytes], Sequence[str]]],
) -> list[dict[str, str | None]]:
    """What the visible checks said of each of these, files and the modules to import first, laid
    out in a folder of its own. Raises ReleaseError.
    """
    with tempfile.TemporaryDirectory() as home:
        for number, (files, _) in enumerate(folders):
            for name, data in files.items():
                path = Path(home, str(number), name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        asked = [(str(Path(home, str(number))), names) for number, (_, names) in enumerate(folders)]
        ran = subprocess.run(
            [sys.executable, "-I", "-c", VISIBLE, json.dumps(asked)],
            cwd=home,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    if ran.returncode:
        last = ran.stderr.strip().splitlines()[-1:] or ["no word"]
        raise ReleaseError(f"What is released does not run by itself: {last[0]}")
    said: list[dict[str, str | None]] = json.loads(ran.stdout)
    return said


@lru_cache(maxsize=64)
def _defined(text: str) -> frozenset[str]:
    """The names at the top level of a module."""
    names: set[str] = set()
    for node in ast.parse(text).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(a.asname or a.name).partition(".")[0] for a in node.names}
        else:
            names |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return frozenset(names)


@lru_cache(maxsize=64)
def _opened(text: str) -> tuple[str, ...]:
    """The modules of which a module passes on all names, by an import *."""
    return tuple(
        str(node.module)
        for node in ast.parse(text).body
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    )


def _need_names(notebook: notebooks.Notebook, defined: Mapping[str, Collection[str]]) -> None:
    """Raise ReleaseError for a cell that imports or uses what is nowhere."""
    known = set(dir(builtins)) | SHELL_NAMES
    used: list[tuple[str, str]] = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        try:
            tree = ast.parse(leaks.MAGIC.sub("", cell.source))
        except SyntaxError as error:
            raise ReleaseError(f"{notebook.where(cell)}: {error.msg}.") from None
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module in defined:
                for alias in node.names:
                    if alias.name not in defined[node.module]:
                        raise ReleaseError(
                            f"{notebook.where(cell)}: {node.module}.py, as it is released, has no "
                            f"{alias.name}."
                        )
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                known |= {(a.asname or a.name).partition(".")[0] for a in node.names}
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                known.add(node.name)
            elif isinstance(node, ast.arg):
                known.add(node.arg)
            elif isinstance(node, ast.ExceptHandler) and node.name:
                known.add(node.name)
            elif isinstance(node, ast.Name):
                if isinstance(node.ctx, ast.Load):
                    used.append((node.id, notebook.where(cell)))
                else:
                    known.add(node.id)
    for name, where in used:
        if name not in known:
            raise ReleaseError(
                f"{where}, uses {name}, which no released cell of the notebook makes or imports. "
                "Each part must import what it uses."
            )
