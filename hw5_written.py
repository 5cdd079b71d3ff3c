"""Given to students: reads hw5_vae.py and hw5_gan.py question by question, and runs nothing.

The code of a question stands between the lines `### BEGIN YOUR CODE part.question` and `### END
YOUR CODE part.question`. Where somebody has taken these lines away, it is the definition of the
names that hw5_checks.py asks for. A file that is no valid Python is read as far as its lines go.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import re
import textwrap
import tokenize
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from io import BytesIO
from pathlib import Path

from hw5_asked import PARTS

MODULES = ("hw5_vae.py", "hw5_gan.py")
CHECKS = "hw5_checks.py"
PLACES = 50  # of one question; more are no student's
MARKER = re.compile(r"\s*#+\s*(?P<edge>BEGIN|END) (?:YOUR CODE|SOLUTION)\b(?:\s*(?P<tag>\S+))?\s*$")
DEFINITION = re.compile(r"\s*(?:(?:async\s+)?def\s+(\w+)\s*[(\[]|class\s+(\w+)\s*[(:\[])")
STUB = re.compile(r"(?P<question>[\w-]+\.\w+): write (?P<name>[\w.]+)")


@dataclass(frozen=True)
class Asked:
    """What a question takes from a student's file: names at its top level."""

    file: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Excerpt:
    """Lines `first` to `last` of a file, counted from 1; `head` are the definitions around them."""

    first: int
    last: int
    head: str
    text: str


@dataclass(frozen=True)
class Progress:
    """How far the code of one question is.

    places: how many pieces of code it asks for; unwritten: what those are called that are not
    there yet; lacking: names that nothing in the file defines.
    """

    places: int
    unwritten: tuple[str, ...]
    lacking: tuple[str, ...]

    @property
    def begun(self) -> bool:
        return not self.lacking and len(self.unwritten) < max(self.places, 1)


@dataclass(frozen=True)
class Module:
    """A student's file as it is on the disk."""

    name: str
    data: bytes

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def lines(self) -> list[str]:
        try:
            encoding = tokenize.detect_encoding(BytesIO(self.data).readline)[0]
            # This one takes the square of a file's length.
            text = self.data.decode("utf-8-sig" if "punycode" in encoding.lower() else encoding)
        except (SyntaxError, LookupError, ValueError):
            text = self.data.decode("utf-8-sig", "replace")
        return re.split(r"\r\n|\r|\n", text)

    @property
    def tree(self) -> ast.Module | None:
        """None where it is no valid Python."""
        return self._read[0]

    @property
    def problem(self) -> str:
        """Why it is no valid Python, with the line, in a sentence; "" where it is."""
        return self._read[1]

    @cached_property
    def _read(self) -> tuple[ast.Module | None, str]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of escapes in strings, which are no problem
                return ast.parse(self.data), ""
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = error.lineno if isinstance(error, SyntaxError) else None
            where = f"{self.name}, line {line}," if line else self.name
            return None, f"{where} is not valid Python: {error.args[0] if error.args else error}."

    @cached_property
    def regions(self) -> dict[str, list[tuple[int, int]]]:
        """For every question the lines of its markers, from 0; the second is excluded."""
        found: dict[str, list[tuple[int, int]]] = {}
        opened, tag = -1, ""
        for number, line in enumerate([*self.lines, "### END YOUR CODE"]):
            marker = MARKER.match(line)
            if marker and opened >= 0:  # a marker that is missing is taken for the next one
                found.setdefault(tag, []).append((opened, _end(self.lines, opened, number)))
                opened = -1
            if marker and marker["edge"] == "BEGIN" and marker["tag"]:
                opened, tag = number, marker["tag"]
        return found

    @cached_property
    def stubs(self) -> dict[str, list[tuple[int, str]]]:
        """For every question the lines, from 0, that still say what to write, and what that is."""
        found: dict[str, list[tuple[int, str]]] = {}
        for node in ast.walk(self.tree or ast.Module([], [])):
            if isinstance(node, ast.Raise) and (said := STUB.match(_said_by(node))):
                found.setdefault(said["question"], []).append((node.lineno - 1, said["name"]))
        return found

    @cached_property
    def definitions(self) -> dict[str, ast.stmt]:
        """What stands at the top level, by name."""
        return {name: node for node in _top_level(self.tree) for name in _names(node)}

    @cached_property
    def open_ended(self) -> bool:
        """Does it import names that nobody can read off it?"""
        imports = (n for n in _top_level(self.tree) if isinstance(n, ast.ImportFrom))
        return any(alias.name == "*" for node in imports for alias in node.names)


def read_modules(folder: Path) -> dict[str, Module]:
    """The student's files in this folder, by name; one that cannot be read is as good as none."""
    found = {}
    for name in MODULES:
        with contextlib.suppress(OSError):
            found[name] = _module(name, (folder / name).read_bytes())
    return found


@lru_cache(maxsize=8)
def _module(name: str, data: bytes) -> Module:
    """What has been read of a file serves again: a notebook may hand in several times."""
    return Module(name, data)


def questions_asked(*folders: Path) -> dict[str, Asked]:
    """Every question with a visible check, as the first hw5_checks.py in these folders has it."""
    path = next((f / CHECKS for f in folders if (f / CHECKS).is_file()), None)
    tree = _module(CHECKS, path.read_bytes()).tree if path else None
    constants: dict[str, object] = {}
    found: dict[str, Asked] = {}
    for node in tree.body if tree else ():
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            constants[node.targets[0].id] = _value(node.value)
        for call in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "question":
                key, *names = _arguments(call, constants)
                part = key.partition(".")[0]
                file = PARTS[part]["module"] if part in PARTS else ""
                found[key] = Asked(f"{file}.py" if file else "", tuple(names))
    return found


def _value(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        return None


def _arguments(call: ast.Call, constants: Mapping[str, object]) -> list[str]:
    """The words of a call; `*NAMES` stands for a tuple above."""
    words: list[str] = []
    for argument in call.args:
        if isinstance(argument, ast.Starred):
            held = constants.get(getattr(argument.value, "id", ""))
            words += [str(one) for one in held] if isinstance(held, tuple) else []
        else:
            words.append(str(_value(argument)))
    return words or [""]


# --- what is written


def progress(module: Module, question: str, names: Sequence[str]) -> Progress:
    """How far this question's code is, in a file that is valid Python."""
    stubs = dict(module.stubs.get(question, ()))
    places: list[str] = []  # what each is called, "" where it is written
    for first, last in module.regions.get(question, ()):
        inside = [name for line, name in stubs.items() if first < line < last]
        empty = _holds_nothing(_parsed(module.lines[first + 1 : last]))
        called = inside[0] if inside else _called(module, first, names)
        places.append(called if inside or empty else "")
        stubs = {line: name for line, name in stubs.items() if not first < line < last}
    places += stubs.values()
    known = module.definitions
    if not places:
        places = [n if _is_unwritten(module, known[n]) else "" for n in names if n in known]
    lacking = () if module.open_ended else tuple(n for n in names if n not in known)
    return Progress(len(places), tuple(dict.fromkeys(filter(None, places))), lacking)


def _called(module: Module, line: int, names: Sequence[str]) -> str:
    """What a place is called: the definition that it stands in, else the first name asked for."""
    around = [found[1] or found[2] for h in _head(module.lines, line) if (found := _defined(h))]
    return ".".join(around) or (names[0] if names else "the code")


def _is_unwritten(module: Module, node: ast.stmt) -> bool:
    """A function without a body, or with another question's stub in it; a constant that is None."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        within = range(node.lineno - 1, node.end_lineno or node.lineno)
        stubs = (line for found in module.stubs.values() for line, _ in found)
        return _holds_nothing(node.body) or any(line in within for line in stubs)
    return isinstance(node, (ast.Assign, ast.AnnAssign)) and _holds_nothing([node])


def _holds_nothing(statements: Sequence[ast.stmt] | None) -> bool:
    return statements is not None and all(map(_is_nothing, statements))


def _is_nothing(node: ast.stmt) -> bool:
    """`pass`, `...`, a text, `return`, `name = None`, or that something is not implemented."""
    if isinstance(node, ast.Raise):
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        return getattr(raised, "id", "") == "NotImplementedError"
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, (ast.Return, ast.Assign, ast.AnnAssign)):
        empty = isinstance(node.value, ast.Constant) and node.value.value is None
        return empty or (node.value is None and isinstance(node, ast.Return))
    return isinstance(node, ast.Pass)


def _said_by(node: ast.Raise) -> str:
    """The words of `raise NotImplementedError("...")`."""
    call = node.exc
    if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "NotImplementedError":
        return "".join(str(a.value) for a in call.args if isinstance(a, ast.Constant))
    return ""


def _parsed(lines: Sequence[str]) -> list[ast.stmt] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(textwrap.dedent("\n".join(lines))).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _top_level(tree: ast.Module | None) -> Iterator[ast.stmt]:
    """Statements outside of functions and classes, those under `if` and `try` too."""
    waiting: list[ast.AST] = list(tree.body) if tree else []
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node
        elif isinstance(node, (ast.stmt, ast.ExceptHandler)):
            if isinstance(node, ast.stmt):
                yield node
            inner = ast.iter_child_nodes(node)
            waiting += [n for n in inner if isinstance(n, (ast.stmt, ast.ExceptHandler))]


def _names(node: ast.stmt) -> Iterator[str]:
    """The names that a statement gives."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        inner = (one for target in targets for one in ast.walk(target))
        yield from (one.id for one in inner if isinstance(one, ast.Name))


# --- the code itself


def excerpts(module: Module, question: str, names: Sequence[str]) -> list[Excerpt]:
    """The code of a question: what stands between its markers, else what defines its names."""
    marked = [
        _excerpt(module, first + 1, last)
        for first, last in module.regions.get(question, [])[:PLACES]
    ]
    return marked or list(_of_names(module, question, names))


@dataclass(frozen=True)
class Shown:
    """What there is to show of one question's code."""

    question: str
    file: str
    excerpts: tuple[Excerpt, ...]


@dataclass(frozen=True)
class Appendix:
    """The code of questions in their order, what to say of it, and files to show as a whole."""

    shown: tuple[Shown, ...] = ()
    notes: tuple[str, ...] = ()
    whole: tuple[Module, ...] = ()

    @property
    def there(self) -> bool:
        """Is there anything to say or to show?"""
        return bool(self.shown or self.notes or self.whole)


def appendix(
    questions: Iterable[str], modules: Mapping[str, Module], asked: Mapping[str, Asked]
) -> Appendix:
    """The code of these questions. A file that is no valid Python is shown as a whole, where its
    markers do not tell which question is where."""
    shown: list[Shown] = []
    unwritten: list[str] = []
    whole: dict[str, Module] = {}
    used: dict[str, Module] = {}
    for key in questions:
        module, names = module_of(key, modules, asked)
        if module is None:
            continue
        used[module.name] = module
        found = excerpts(module, key, names)
        if not module.problem and not (found and progress(module, key, names).begun):
            unwritten.append(key)
        elif found:
            shown.append(Shown(key, module.name, tuple(found)))
        else:
            whole[module.name] = module
    notes = [module.problem for module in used.values() if module.problem]
    notes += [f"Not written: {', '.join(unwritten)}."] if unwritten else []
    return Appendix(tuple(shown), tuple(notes), tuple(whole.values()))


def module_of(
    question: str, modules: Mapping[str, Module], asked: Mapping[str, Asked]
) -> tuple[Module | None, tuple[str, ...]]:
    """The file that a question is written in, None without one, and the names taken from it."""
    known = asked.get(question, Asked("", ()))
    holding = next((n for n, module in modules.items() if question in module.regions), "")
    return modules.get(known.file or holding), known.names


def _excerpt(module: Module, first: int, last: int) -> Excerpt:
    """The lines from `first` to before `last`, counted from 0, without empty ones at the ends."""
    while first < last and not module.lines[first].strip():
        first += 1
    while first < last and not module.lines[last - 1].strip():
        last -= 1
    head = "\n".join(line for group in _head(module.lines, first) for line in group)
    return Excerpt(first + 1, last, head, "\n".join(module.lines[first:last]))


def _of_names(module: Module, question: str, names: Iterable[str]) -> Iterator[Excerpt]:
    """Whole definitions; of a class only the method that is called like the question, if any."""
    for node in (module.definitions[n] for n in names if n in module.definitions):
        methods = node.body if isinstance(node, ast.ClassDef) else []
        called = question.partition(".")[2].lower()
        own = [m for m in methods if getattr(m, "name", "").lstrip("_").lower() == called]
        for one in own or [node]:
            above = [line.lineno for line in getattr(one, "decorator_list", ())]
            yield _excerpt(module, min([one.lineno, *above]) - 1, one.end_lineno or one.lineno)


def _end(lines: Sequence[str], opened: int, closed: int) -> int:
    """Where a region ends: at its marker, or where the code is indented less than it began."""
    room = _indent(lines[opened])
    inside = range(opened + 1, min(closed, len(lines)))
    return next((n for n in inside if lines[n].strip() and _indent(lines[n]) < room), closed)


def _head(lines: Sequence[str], at: int) -> list[list[str]]:
    """The definitions around a line, outermost first, each as the lines of its signature.

    It goes by indentation, so it works where the file is no valid Python.
    """
    found: list[list[str]] = []
    room = _indent(lines[at]) if at < len(lines) else 0
    for number in range(at - 1, -1, -1):
        line = lines[number]
        if room == 0:
            break
        if not line.strip() or line.lstrip()[0] in ")]}":  # a bracket that ends a signature
            continue
        if _indent(line) < room and DEFINITION.match(line):
            found.insert(0, _signature(lines, number))
        room = min(room, _indent(line))
    return found


def _signature(lines: Sequence[str], first: int) -> list[str]:
    """A definition up to its colon."""
    for last in range(first, min(first + 20, len(lines))):
        if lines[last].partition("#")[0].rstrip().endswith(":"):
            return list(lines[first : last + 1])
    return [lines[first]]


def _defined(signature: Sequence[str]) -> re.Match[str] | None:
    return DEFINITION.match(signature[0])


def _indent(line: str) -> int:
    expanded = line.expandtabs()
    return len(expanded) - len(expanded.lstrip())
