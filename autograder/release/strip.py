"""The one engine that takes solutions and mark schemes out of modules and notebook cells.

    modules     ### BEGIN SOLUTION fc-vae.loss  ...  ### END SOLUTION    becomes a stub
    answers     ### BEGIN SOLUTION              ...  ### END SOLUTION    becomes the words below
    task cells  === BEGIN MARK SCHEME ===  ...  === END MARK SCHEME ===  goes altogether

A line that looks like a marker and is none, a marker inside another region, one that is never
closed or never opened: each is an error that names file and line.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..assignment import Assignment, AssignmentError
from . import ReleaseError

ANSWER_STUB = "YOUR ANSWER HERE"
CODE_STUB = "# YOUR CODE HERE\nraise NotImplementedError()"
"""What `nbgrader generate_assignment` puts into a cell: ours must say the same."""

LINE = 100
MARKER = re.compile(r"\b(BEGIN|END)\s+(SOLUTION|MARK\s*SCHEME|HIDDEN\s+TESTS?)\b", re.IGNORECASE)
SOLUTION = re.compile(r"(?P<indent>[ \t]*)### (?P<which>BEGIN|END) SOLUTION(?: (?P<tag>\S+))?")
SCHEME = re.compile(r"(?P<indent>)=== (?P<which>BEGIN|END) MARK SCHEME ===(?P<tag>)")


@dataclass(frozen=True)
class Region:
    """Lines between two markers: `first` and `last` are those of the markers, from 0."""

    tag: str
    indent: str
    first: int
    last: int
    body: tuple[str, ...]


def regions(text: str, where: str, marker: re.Pattern[str]) -> list[Region]:
    """The regions that one kind of marker encloses. Raises ReleaseError for any other marker,
    and for nested, unclosed and stray ones."""
    found: list[Region] = []
    lines, opened, begun = text.split("\n"), -1, None
    for number, line in enumerate(lines):
        if not MARKER.search(line):
            continue
        match = marker.fullmatch(line.rstrip())
        if match is None or (match["which"] == "END" and match["tag"]):
            raise ReleaseError(
                f"{where}, line {number + 1}: {line.strip()!r} looks like a marker, but none of "
                "that form belongs here. A marker stands alone on its line, exactly as the "
                "other regions show it."
            )
        if match["which"] == "BEGIN":
            if begun is not None:
                raise ReleaseError(
                    f"{where}, line {number + 1}: a region begins inside the one that began in "
                    f"line {opened + 1}. Close that one first."
                )
            opened, begun = number, match
        elif begun is None:
            raise ReleaseError(f"{where}, line {number + 1}: a region ends here that never began.")
        else:
            if match["indent"] != begun["indent"]:
                raise ReleaseError(
                    f"{where}, line {number + 1}: this marker is not indented like its other "
                    f"half in line {opened + 1}."
                )
            body = tuple(lines[opened + 1 : number])
            found.append(Region(begun["tag"] or "", begun["indent"], opened, number, body))
            begun = None
    if begun is not None:
        raise ReleaseError(f"{where}, line {opened + 1}: the region that begins here never ends.")
    return found


def without(text: str, found: Sequence[Region], stub: Callable[[Region], list[str]]) -> str:
    """The text with each region, markers included, replaced by the lines of its stub."""
    lines = text.split("\n")
    for region in reversed(found):
        lines[region.first : region.last + 1] = stub(region)
    return "\n".join(lines)


def strip_module(text: str, file: str, assignment: Assignment, question: str = "") -> str:
    """A module as students get it: regions inside functions raise NotImplementedError and say
    what to write; constants at the top level are None. With `question` (part.question) its
    regions alone are taken out.

    Raises ReleaseError with file and line for a tag that names no question, for a region that is
    no whole piece of code, and for a result that is no Python.
    """
    found = regions(text, file, SOLUTION)
    functions = _functions(text, file)
    for region in found:
        _need_question(region, file, assignment)
    found = [region for region in found if question in ("", region.tag)]

    def stub(region: Region) -> list[str]:
        title = assignment.question(region.tag).title
        name = _enclosing(functions, region)
        if name:
            sentence = f"{region.tag}: write {name} ({title}).".replace('"', "'")
            lines = _raising(region.indent, sentence)
        else:
            names = _constants(region, file)
            lines = [
                f"{region.indent}{name} = None  # {region.tag}: write {name} ({title})."
                for name in names
            ]
        begin, end = (f"{region.indent}### {w} YOUR CODE {region.tag}" for w in ("BEGIN", "END"))
        return [begin, *lines, end]

    stripped = without(text, found, stub)
    _parsed(stripped, f"{file}, without its solutions")
    return stripped


def strip_answer(source: str, where: str) -> str:
    """An answer cell as students get it: its one region has given way to words."""
    found = regions(source, where, SOLUTION)
    if not found:
        raise ReleaseError(
            f"{where}: an answer cell must hold its model answer between the lines "
            "'### BEGIN SOLUTION' and '### END SOLUTION'."
        )
    stripped = without(source, found, lambda region: [region.indent + ANSWER_STUB])
    if stripped.strip() != ANSWER_STUB:
        raise ReleaseError(
            f"{where}: what stands outside of the region would be released as a part of the "
            "answer. Close the region below it, or move it into the statement."
        )
    return stripped


def strip_code_cell(source: str, where: str) -> str:
    """A code cell that students write in: its regions hold the stub that nbgrader puts there."""
    found = regions(source, where, SOLUTION)
    return without(
        source, found, lambda region: [region.indent + line for line in CODE_STUB.split("\n")]
    )


def strip_task(source: str, where: str) -> str:
    """A task cell without its mark scheme."""
    return without(source, regions(source, where, SCHEME), lambda region: [])


def refuse_markers(source: str, where: str) -> None:
    """Raise ReleaseError where a cell that nothing is stripped from holds a marker."""
    regions(source, where, re.compile("(?!)"))


def _need_question(region: Region, file: str, assignment: Assignment) -> None:
    where = f"{file}, line {region.first + 1}"
    if "." not in region.tag:
        raise ReleaseError(f"{where}: name the question, as in '### BEGIN SOLUTION fc-vae.loss'.")
    try:
        assignment.question(region.tag)
    except AssignmentError as error:
        raise ReleaseError(f"{where}: {error}.") from None
    module = assignment.part(region.tag.partition(".")[0]).module
    if module is not None and file != f"{module}.py":
        raise ReleaseError(f"{where}: {region.tag} is written in {module}.py, not here.")


def _parsed(text: str, file: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise ReleaseError(f"{file}, line {error.lineno}: {error.msg}.") from None


@lru_cache(maxsize=8)
def _functions(text: str, file: str) -> list[tuple[int, int, str]]:
    """First and last line (from 0) of the body of every function, with its qualified name."""
    found: list[tuple[int, int, str]] = []

    def visit(node: ast.AST, above: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                found.append((child.lineno, (child.end_lineno or 0) - 1, above + child.name))
                visit(child, above)  # a function within is written as part of the outer one
            elif isinstance(child, ast.ClassDef):
                visit(child, f"{above}{child.name}.")
            elif not isinstance(child, ast.expr):  # which holds no function with a name
                visit(child, above)

    visit(_parsed(text, file), "")
    return found


def _enclosing(functions: list[tuple[int, int, str]], region: Region) -> str:
    """The outermost function around a region; empty at the top level and in a class's body.

    The last line of a function may be the last of the region: a closing comment is no part of it.
    """
    around = [
        (first, name)
        for first, last, name in functions
        if first <= region.first and region.indent and last >= _last_code(region)
    ]
    return min(around)[1] if around else ""


def _last_code(region: Region) -> int:
    """The last line of a region's body that is not blank and no comment."""
    code = [
        region.first + 1 + k
        for k, line in enumerate(region.body)
        if line.strip() and not line.strip().startswith("#")
    ]
    return code[-1] if code else region.first


def _constants(region: Region, file: str) -> list[str]:
    """The names that a region outside of any function sets: only constants can become None."""
    where = f"{file}, line {region.first + 1}"
    names: list[str] = []
    for statement in _parsed(textwrap.dedent("\n".join(region.body)), where).body:
        targets = (
            statement.targets
            if isinstance(statement, ast.Assign)
            else [statement.target]
            if isinstance(statement, ast.AnnAssign)
            else []
        )
        if not targets or not all(isinstance(target, ast.Name) for target in targets):
            raise ReleaseError(
                f"{where}: outside of a function a region may only set constants. Put the "
                "markers below the `def` line and its docstring: students keep both."
            )
        names += [target.id for target in targets if isinstance(target, ast.Name)]
    if not names:
        raise ReleaseError(f"{where}: this region holds nothing to write.")
    return names


def _raising(indent: str, sentence: str) -> list[str]:
    """`raise NotImplementedError(sentence)`, folded where it would be too long."""
    line = f'{indent}raise NotImplementedError("{sentence}")'
    if len(line) <= LINE:
        return [line]
    inner = indent + "    "
    pieces = textwrap.wrap(sentence, LINE - len(inner) - 3)
    quoted = [f'{inner}"{piece} "' for piece in pieces[:-1]] + [f'{inner}"{pieces[-1]}"']
    return [f"{indent}raise NotImplementedError(", *quoted, f"{indent})"]
