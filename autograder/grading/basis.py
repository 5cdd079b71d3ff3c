"""What the result of a check depends on, as fingerprints: what changes nothing of it runs nothing.

Code is followed name by name: a check, the functions that it uses, theirs. Comments, formatting and
docstrings change no fingerprint; the docstring of a check does, since students read it.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import hashlib
import inspect
import json
import os
import platform
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy
import torch

from ..checking.modules import GIVEN, ROOT, SOLUTIONS
from ..checking.registry import Check
from ..inside.source import decode
from ..parts import all_mistakes

PACKAGE = ROOT / "autograder"
TOOLS = ("grading/judge.py", "inside/*.py", "sandbox/*.py")
"""Whatever is asked goes through these; what they use is followed, too."""

OWN = ("checks.py", "mistakes.py", "styles.py")
"""Files of a part that no other part uses."""

EVERYTHING = "*"
WORD = re.compile(r"[A-Za-z_]\w*")
HOW_TO_IMPORT = ("__import__", "importlib", "runpy", "pkgutil", "sys.modules", "sys.path")
HOW_TO_READ = ("read_text", "read_bytes")
BY_NAME = frozenset({"os", "glob"})
BY_CALL = frozenset({"exec", "eval", "compile", "open"})
CALLED = re.compile("|".join(rf"{one}(?<![.\w]{one})\s*\(" for one in sorted(BY_CALL)))
"""How a module may reach files that it does not name. What stands before a name is looked at last:
a pattern that begins with a letter is found four times as fast."""

BY_VALUE = frozenset(
    {"getattr", "attrgetter", "__getattribute__", "__dict__", "vars", "dir", "globals", "inspect"}
)
"""How it may use names that do not stand in it."""


@dataclass(frozen=True)
class Basis:
    """The fingerprints behind one check: its `source` and all that it uses, what it may ask of our
    solutions (`reference`), the sentences of known mistakes that it may say (`mistakes`)."""

    source: str
    reference: str
    mistakes: str


@dataclass(frozen=True)
class Module:
    """The top level of a file: what is defined under which name, where an imported name comes from
    (a file, and the name there), and what is run beside."""

    defined: Mapping[str, Sequence[ast.stmt]]
    imported: Mapping[str, tuple[Path, str]]
    loose: Sequence[ast.stmt]


def of_checks(checks: Iterable[Check]) -> dict[str, Basis]:
    """What each check depends on, by its id; remembered part by part for as long as the code of the
    part, and all that parts have in common, is the same.
    """
    by_part: dict[str, list[Check]] = {}
    for check in checks:
        by_part.setdefault(check.question.partition(".")[0].replace("-", "_"), []).append(check)
    found: dict[str, Basis] = {}
    digests = _digests()
    for part, own in by_part.items():
        asked = [[check.id, check.seconds] for check in own]
        code = sha(asked, _code_of(digests, part))

        def look(own: Sequence[Check] = own) -> dict[str, Any]:
            return {check.id: vars(of_check(check)) for check in own}

        kept = _remembered(part, code, look) if _stands_alone(part, own) else look()
        found |= {id: Basis(**one) for id, one in kept.items()}
    return found


def _stands_alone(part: str, checks: Sequence[Check]) -> bool:
    """Is all of its code where `_code_of` looks?"""
    folder = PACKAGE / "parts" / part
    return all(folder in Path(check.function.__code__.co_filename).parents for check in checks)


def of_check(check: Check) -> Basis:
    """What one check depends on, beside `tools` and the student's files."""
    path, name, nodes = _followed(check)
    own = _own(path, name)
    mistakes = [repr(one) for one in all_mistakes() if one.question == check.question]
    return Basis(
        sha(own, check.seconds, *_codes(node for place, node in nodes.items() if place[1] != name)),
        sha(*_codes(_named(words_of(check), (*GIVEN, *SOLUTIONS)))),
        sha(*mistakes),
    )


def words_of(check: Check) -> frozenset[str]:
    """Every name, attribute and text in a check and what it uses: it asks for nothing else."""
    return frozenset().union(*map(words_in, _followed(check)[2].values()))


@cache
def _followed(check: Check) -> tuple[Path, str, dict[tuple[Path, str], ast.stmt]]:
    """The check's file and name there, and every definition that it leads to."""
    path = Path(inspect.getsourcefile(check.function) or __file__)
    name = check.function.__name__
    return path, name, _reached([(path, name if name in _module(path).defined else EVERYTHING)])


def _own(path: Path, name: str) -> str:
    """A check's code with its docstring, without the line that says what it is worth."""
    nodes = _module(path).defined.get(name, ())
    found = [copy.copy(node) for node in nodes if isinstance(node, ast.FunctionDef)]
    for node in found:
        node.decorator_list = []
    return " ".join(map(ast.dump, found))


@cache
def tools() -> str:
    """What every check goes through: the judge, the session, the sandbox."""

    def look() -> str:
        files = [path for pattern in TOOLS for path in sorted(PACKAGE.glob(pattern))]
        return sha(*_codes(_reached([(path, EVERYTHING) for path in files]).values()))

    found: str = _remembered("tools", _code_of(_digests()), look)
    return found


def machine() -> dict[str, str]:
    """What numbers may depend on beside the code."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "cpu": str(torch.backends.cpu.get_cpu_capability()),
    }


def of_files(module: str, files: Mapping[str, bytes]) -> str:
    """What a student's module can depend on: its own file, other files of the submission that it
    may reach, and what of the given modules it may use."""
    key = _key(module, files)
    if key not in _files:
        names = reached(module, files)
        used = frozenset().union(*(_given_to(decode(files[name])) for name in names))
        _files[key] = sha(*((name, sha(files[name])) for name in names), _given(used))
    return _files[key]


def reached(module: str, files: Mapping[str, bytes]) -> list[str]:
    """The names of the files that a student's module can depend on: its own, and others of the
    submission that it may reach. It is judged with these alone (see `judge.Run`), so that what is
    remembered of it holds wherever it is handed in.
    """
    key = _key(module, files)
    if key not in _reaches:
        _reaches[key] = _followed_from(module, files)
    return _reaches[key]


_files: dict[str, str] = {}
_reaches: dict[str, list[str]] = {}
"""What was found: it is asked when a result is looked for, and when it is tried. The words of a
file are not remembered: they take thirty times its room, where it is made for that."""


def _key(module: str, files: Mapping[str, bytes]) -> str:
    code = sorted(name for name in files if name.endswith(".py"))
    return sha(module, *(part for name in code for part in (name, files[name])))


def _followed_from(module: str, files: Mapping[str, bytes]) -> list[str]:
    texts = {name: decode(files[name]) for name in files if name.endswith(".py")}
    todo = [name for name in [f"{module}.py"] if name in texts]
    found = set(todo)
    while todo:
        name = todo.pop()
        words = _words(texts[name])
        if _by_other_ways(texts[name], words):
            return sorted(texts)
        new = texts.keys() & {f"{word}.py" for word in words} - found
        found |= new
        todo += new
    return sorted(found)


def _words(text: str) -> set[str]:
    return set(WORD.findall(text))


def _by_other_ways(text: str, words: set[str]) -> bool:
    """May it reach files that it does not name?"""
    return bool(
        any(one in text for one in (*HOW_TO_IMPORT, *HOW_TO_READ))
        or BY_NAME & words
        or (BY_CALL & words and CALLED.search(text))
    )


def _given_to(text: str) -> frozenset[str]:
    """The names of the given modules that it may use."""
    words, given = _words(text), frozenset(_table(GIVEN))
    return given if BY_VALUE & words or CALLED.search(text) else given & words


@cache
def _given(words: frozenset[str]) -> str:
    return sha(*_codes(_named(words, GIVEN)))


# --- from one run to the next


def cache_file() -> Path:
    """Where the course keeps what has been tried; what is found here lies beside it."""
    return Path(os.environ.get("HW5_CACHE") or ROOT / ".cache" / "checks.sqlite")


def _remembered(name: str, code: str, look: Callable[[], Any]) -> Any:
    """What `look` finds in code with this fingerprint: it takes a second, and an earlier run may
    have looked already.
    """
    path = cache_file().with_suffix(".basis") / f"{name}.json"
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        kept = json.loads(path.read_bytes())
        if kept["code"] == code:
            return kept["found"]
    found = look()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}")  # another run may write it, too
        beside.write_text(json.dumps({"code": code, "found": found}), encoding="utf-8")
        beside.replace(path)
    return found


def _digests() -> dict[Path, str]:
    """Every file of ours, and a fingerprint of it."""
    files = [*ROOT.glob("hw5_*.py"), *PACKAGE.rglob("*.py")]
    return {path: sha(_read(path)) for path in sorted(files)}


def _code_of(digests: Mapping[Path, str], part: str = "") -> str:
    """A fingerprint of all that a check of this part may depend on: of every file but what other
    parts have for themselves.
    """
    used = [
        [str(path.relative_to(ROOT)), digest]
        for path, digest in digests.items()
        if path.name not in OWN or path.parent.name == part
    ]
    return sha(platform.python_version(), used)


# --- following names


@cache
def _module(path: Path) -> Module:
    defined: dict[str, list[ast.stmt]] = {}
    imported: dict[str, tuple[Path, str]] = {}
    loose: list[ast.stmt] = []
    for node in ast.parse(_read(path)).body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                name = alias.asname or alias.name
                source = _file(path, node, alias.name) if isinstance(node, ast.ImportFrom) else None
                if source:
                    imported[name] = source
                else:  # of somebody else: which name stands for what
                    one = copy.copy(node)
                    one.names = [alias]
                    defined.setdefault(name.partition(".")[0], []).append(one)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            defined.setdefault(node.name, []).append(node)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for name in (
                one.id for t in targets for one in ast.walk(t) if isinstance(one, ast.Name)
            ):
                defined.setdefault(name, []).append(node)
        elif not _is_text(node) and not _is_for_the_command_line(node):
            loose.append(node)
    return Module(defined, imported, loose)


def _read(path: Path) -> bytes:
    return path.read_bytes()


def _file(path: Path, node: ast.ImportFrom, name: str) -> tuple[Path, str] | None:
    """The file of ours that `from ... import name` means, and what of it."""
    inner = (node.module or "").replace(".", "/")
    if node.level:
        base = path.parents[node.level - 1] / inner
    elif inner.split("/")[0] == PACKAGE.name or f"{inner}.py" in _flat():
        base = ROOT / inner
    else:
        return None
    for file, what in (
        (base / f"{name}.py", EVERYTHING),
        (base.with_suffix(".py"), name),
        (base / "__init__.py", name),
    ):
        if file.is_file():
            return file, what
    return None


@cache
def _flat() -> frozenset[str]:
    return frozenset(path.name for path in ROOT.glob("hw5_*.py"))


def _reached(begin: Iterable[tuple[Path, str]]) -> dict[tuple[Path, str], ast.stmt]:
    """Every definition that these lead to, as (file, name) -> code."""
    found: dict[tuple[Path, str], ast.stmt] = {}
    todo, seen = [*begin], set()
    while todo:
        path, name = todo.pop()
        if (path, name) in seen:
            continue
        seen.add((path, name))
        module = _module(path)
        if name == EVERYTHING:
            todo += [(path, one) for one in (*module.defined, *module.imported)]
        elif name in module.imported:
            todo.append(module.imported[name])
        nodes = [*module.defined.get(name, ()), *module.loose]
        for number, node in enumerate(nodes):
            found[path, f"{name} {number}" if number else name] = node
            todo += [
                (path, one)
                for one in _plain_names(node)
                if one in module.defined or one in module.imported
            ]
    return found


def _named(words: Iterable[str], modules: tuple[str, ...]) -> list[ast.stmt]:
    """What these flat modules define under these words, and under the words in that."""
    table = _table(modules)
    todo, seen, found = sorted(table.keys() & set(words)), set[str](), []
    while todo:
        word = todo.pop()
        if word not in seen:
            seen.add(word)
            found += table[word]
            todo += [one for node in table[word] for one in words_in(node) if one in table]
    return found


@cache
def _table(modules: tuple[str, ...]) -> dict[str, list[ast.stmt]]:
    found: dict[str, list[ast.stmt]] = {}
    for name in modules:
        module = _module(ROOT / f"{name}.py")
        for word, nodes in module.defined.items():
            found.setdefault(word, []).extend([*nodes, *module.loose])
    return found


@cache
def words_in(node: ast.AST) -> frozenset[str]:
    """Names, attributes, and texts that may be names."""
    words: list[str] = []
    for one in _within(node):
        if isinstance(one, ast.Name):
            words.append(one.id)
        elif isinstance(one, ast.Attribute):
            words.append(one.attr)
        elif isinstance(one, ast.Constant) and isinstance(one.value, str) and len(one.value) < 80:
            words += WORD.findall(one.value)
    return frozenset(words)


@cache
def _plain_names(node: ast.AST) -> frozenset[str]:
    return frozenset(one.id for one in _within(node) if isinstance(one, ast.Name))


@cache
def _within(node: ast.AST) -> tuple[ast.AST, ...]:
    """A node and all below it: walked once for the three that ask."""
    found, todo = [], [node]
    while todo:
        one = todo.pop()
        found.append(one)
        for value in vars(one).values():
            if isinstance(value, ast.AST):
                todo.append(value)
            elif isinstance(value, list):
                todo += [item for item in value if isinstance(item, ast.AST)]
    return tuple(found)


def _codes(nodes: Iterable[ast.stmt]) -> Iterator[str]:
    """The code of each node, in an order of its own, without docstrings."""
    yield from sorted({_code(node) for node in nodes})


@cache
def _code(node: ast.stmt) -> str:
    documented = [
        (one, one.body)
        for one in _within(node)
        if isinstance(one, (ast.FunctionDef, ast.ClassDef)) and _is_text(one.body[0])
    ]
    for one, body in documented:
        one.body = body[1:] or [ast.Pass()]
    try:
        return ast.dump(node)
    finally:
        for one, body in documented:
            one.body = body


def _is_for_the_command_line(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def sha(*parts: object) -> str:
    """128 bits in hex for these, in this order."""
    whole = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else json.dumps(part, sort_keys=True).encode()
        whole.update(hashlib.sha256(data).digest())
    return whole.hexdigest()[:32]
