"""Leaves out of the modules what belongs to parts that are not released.

A definition belongs to a part when the table in its module's docstring lists it there, when its
decorator names a question of the part, or when a table of parts in the module (`COMMANDS`) has it
under the part's id. What belongs to no part goes by use: it stays when a released part reaches
it, and when no part does. So a figure or a loop that only one part draws on leaves with that
part, and nobody has to mark it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from . import ReleaseError

Name = tuple[str, str]
"""A module and a name at its top level."""

COMMANDS = "COMMANDS"
"""The table of subcommands. When none is left, the command line that works on it goes too."""

WIDTH = 100
IMPORTS = (ast.Import, ast.ImportFrom)
DISPLAYS = (ast.Dict, ast.Tuple, ast.List, ast.Set)


@dataclass(eq=False)
class Statement:
    """A statement at the top level of a module.

    Lines count from 0 and include comments above and the string below that describes a constant.
    `uses` are definitions of ours, `loads` all names that its code mentions; both leave out what a
    table of parts holds: that is in `by_part` and `loads_by_part`.
    """

    node: ast.stmt
    first: int
    last: int
    names: tuple[str, ...]
    part: str = ""
    uses: set[Name] = field(default_factory=set)
    loads: set[str] = field(default_factory=set)
    by_part: dict[str, set[Name]] = field(default_factory=dict)
    loads_by_part: dict[str, set[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Module:
    """A module taken apart: where its docstring is (first line, and the one below its last), its
    imports and the statements of its top level."""

    docstring: tuple[int, int]
    imports: tuple[ast.Import | ast.ImportFrom, ...]
    statements: list[Statement]


def keep_parts(
    sources: Mapping[str, str],
    cells: Mapping[str, Sequence[str]],
    every: Sequence[str],
    kept: Collection[str],
    modules: Mapping[str, str | None],
) -> dict[str, str]:
    """The modules as they are when only the parts `kept` of `every` part are released.

    sources: module name -> text, solutions included; cells: part -> the code of its notebooks;
    modules: part -> the module that its answers are written in. A module that no released part
    writes in, or of which nothing is left, is not among the results.

    Raises ReleaseError when a released part uses what belongs to one that is not.
    """
    ours = frozenset(sources)
    taken = {name: _taken_apart(name, text, (*every,), ours) for name, text in sources.items()}
    gone = [part for part in every if part not in kept]
    staying = _staying(taken, cells, every, kept)
    empty = {
        name
        for name, one in taken.items()
        if not any(_is_definition(it) and id(it) in staying for it in one.statements)
    }
    texts = {}
    for name, text in sources.items():
        written_in = {part for part, module in modules.items() if module == name}
        if written_in and written_in.isdisjoint(kept):
            continue
        if name not in empty:
            left = _without(text, taken[name], staying, every, gone, empty) if gone else text
            texts[name] = left
    return texts


def mentions(text: str, gone: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Line (from 1) and part wherever a text speaks of a part that is not released.

    An id that is an English word as well counts only where it is called a part.
    """
    for part in gone:
        if part not in text:
            continue  # most texts speak of no other part, and this is quick to see
        word = rf"(?<![\w-]){re.escape(part)}(?![\w-])"
        pattern = word if "-" in part else rf"(?i:\bparts?) `?{word}"
        for match in re.finditer(pattern, text):
            yield text.count("\n", 0, match.start()) + 1, part


def _is_definition(statement: Statement) -> bool:
    return isinstance(statement.node, (ast.FunctionDef, ast.ClassDef))


# --- what belongs to whom


@lru_cache(maxsize=256)
def _taken_apart(module: str, text: str, every: tuple[str, ...], ours: frozenset[str]) -> Module:
    """What stands at the top level of a module, and to which part it belongs.

    It is kept: many releases are made of one source when all of them are tried.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise ReleaseError(f"{module}.py, line {error.lineno}: {error.msg}.") from None
    found = _located(tree, text.split("\n"))
    local = {name for one in found for name in one.names}
    imported = _imported(tree.body, ours)
    says = ast.get_docstring(tree, clean=False) or ""
    _refuse_left_behind(module, says, every, text.replace(says, "", 1))
    table = _table(says, every)
    for one in found:
        walked = list(ast.walk(one.node))
        inner = imported | _imported(walked, ours)
        entries = list(_entries(one.node, every))
        inside = {id(node) for _, nodes in entries for part in nodes for node in ast.walk(part)}
        for node in walked:
            if id(node) not in inside:
                one.uses |= _used(node, module, local, inner)
                one.loads |= _loaded(node)
        for part, nodes in entries:
            uses = one.by_part.setdefault(part, set())
            loads = one.loads_by_part.setdefault(part, set())
            for top in nodes:
                for node in ast.walk(top):
                    uses |= _used(node, module, local, inner)
                    loads |= _loaded(node)
        owners = {table[name] for name in one.names if name in table} | set(
            _decorated(one.node, every)
        )
        if len(owners) > 1:
            raise ReleaseError(
                f"{module}.py, line {one.first + 1}: {one.names[0]} belongs to "
                f"{' and to '.join(sorted(owners))}; it can belong to one part only."
            )
        one.part = owners.pop() if owners else ""
    docstring = (0, 0)
    for node in tree.body[:1]:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            docstring = (node.lineno - 1, node.end_lineno or node.lineno)
    imports = tuple(node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom)))
    return Module(docstring, imports, found)


def _loaded(node: ast.AST) -> set[str]:
    """The name that a node mentions, if it mentions one."""
    return {node.id} if isinstance(node, ast.Name) else set()


def _located(tree: ast.Module, lines: Sequence[str]) -> list[Statement]:
    """The statements with the lines that leave when they do."""
    found: list[Statement] = []
    for i, node in enumerate(tree.body):
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        last = (node.end_lineno or node.lineno) - 1
        if isinstance(node, IMPORTS) or (text and i == 0):
            continue
        if text and found:
            found[-1].last = last  # it describes the constant above it
            continue
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]) - 1
        while first and lines[first - 1].startswith("#") and "END SOLUTION" not in lines[first - 1]:
            first -= 1
        below = last + 1  # comments that end a function are no part of it, but leave with it
        while below < len(lines) and (not lines[below] or lines[below][0].isspace()):
            last = below if lines[below] else last
            below += 1
        if last + 1 < len(lines) and "END SOLUTION" in lines[last + 1]:
            last += 1
        found.append(Statement(node, first, last, bound(node)))
    return found


def bound(node: ast.stmt) -> tuple[str, ...]:
    """The names that a statement binds at the top level."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return (node.name,)
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, (ast.AnnAssign, ast.AugAssign)):
        targets = [node.target]
    return tuple(n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name))


def _imported(nodes: Iterable[ast.AST], sources: Collection[str]) -> dict[str, Name]:
    """Local name -> what it stands for, of everything imported from one of our modules.

    A module imported whole stands for the name "" in it.
    """
    found: dict[str, Name] = {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module in sources:
            for alias in node.names:
                found[alias.asname or alias.name] = (str(node.module), alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in sources:
                    found[alias.asname or alias.name] = (alias.name, "")
    return found


def _passed_on(taken: Mapping[str, Module]) -> Iterator[tuple[str, str, Name]]:
    """Module, name and where that comes from, of all that a module passes on by an import *."""
    for module, one in taken.items():
        for node in one.imports:
            origin = str(node.module) if isinstance(node, ast.ImportFrom) else ""
            if origin in taken and node.names[0].name == "*":
                for statement in taken[origin].statements:
                    yield from ((module, name, (origin, name)) for name in statement.names)


def _used(node: ast.AST, module: str, local: set[str], imported: dict[str, Name]) -> set[Name]:
    """The definition of ours that a node names, if it names one."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        target = imported.get(node.value.id)
        return {(target[0], node.attr)} if target and not target[1] else set()
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        if node.id in imported:
            return {imported[node.id]}
        return {(module, node.id)} if node.id in local else set()
    return set()


def _decorated(node: ast.stmt, every: Sequence[str]) -> Iterator[str]:
    """The part whose question a decorator names, as in @question("fc-vae.loss", ...)."""
    for decorator in getattr(node, "decorator_list", []):
        if isinstance(decorator, ast.Call) and decorator.args:
            part = _part_named(decorator.args[0], every)
            if part:
                yield part


def _part_named(node: ast.AST | None, every: Sequence[str]) -> str:
    """The part that a string constant names, `part` or `part.question`; empty for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        part = node.value.partition(".")[0]
        return part if part in every else ""
    return ""


def _tables(node: ast.stmt, every: Sequence[str]) -> Iterator[ast.expr]:
    """Displays in a statement whose every key or element names a part."""
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)) and node.value is not None:
        for display in ast.walk(node.value):
            if isinstance(display, DISPLAYS):
                keys = display.keys if isinstance(display, ast.Dict) else display.elts
                if keys and all(_part_named(key, every) for key in keys):
                    yield display


def _entries(node: ast.stmt, every: Sequence[str]) -> Iterator[tuple[str, list[ast.expr]]]:
    """Part and nodes of every entry in the tables of parts that a statement holds."""
    for display in _tables(node, every):
        if isinstance(display, ast.Dict):
            for key, value in zip(display.keys, display.values, strict=True):
                yield _part_named(key, every), [key, value] if key else [value]
        elif isinstance(display, (ast.Tuple, ast.List, ast.Set)):
            for element in display.elts:
                yield _part_named(element, every), [element]


def _table(docstring: str, every: Sequence[str]) -> dict[str, str]:
    """Name -> part, as the tables of a module's docstring say."""
    found: dict[str, str] = {}
    for row in _rows(docstring.split("\n")):
        text = " ".join(row.lines)
        label, _, names = text.strip().partition(" ")
        if label in every:
            found |= {name: label for name in re.findall(r"[A-Za-z_]\w*", names)}
    return found


def _refuse_left_behind(module: str, docstring: str, every: Sequence[str], code: str) -> None:
    """A row of a part that was taken away, or the name of a function, would go to students."""
    said = f"{module}.py: the table in its docstring names"
    for table in _tables_of(_rows(docstring.split("\n"))):
        rows = [" ".join(row.lines).strip().partition(" ") for row in table]
        if rows[0][0] != "part":
            continue
        lists = rows[0][2].strip() == "what is in it"
        for label, _, names in rows[1:]:
            if label not in every:
                raise ReleaseError(f"{said} {label!r}, which is no part: take its row away.")
            bare = re.sub(r"\([^)]*\)", "", names).split() if lists else []
            for name in (one for one in bare if not re.search(rf"\b{re.escape(one)}\b", code)):
                raise ReleaseError(f"{said} {name!r}, which is not there: take it away.")


# --- what stays


def _staying(
    taken: Mapping[str, Module],
    cells: Mapping[str, Sequence[str]],
    every: Sequence[str],
    kept: Collection[str],
) -> set[int]:
    """The identities of the statements that stay."""
    statements = {module: one.statements for module, one in taken.items()}
    at: dict[Name, list[tuple[str, Statement]]] = {}
    for module, found in statements.items():
        for one in found:
            for name in one.names:
                at.setdefault((module, name), []).append((module, one))
    for module, name, origin in _passed_on(taken):
        at.setdefault((module, name), at.get(origin, []))

    def reach(names: Iterable[Name], start: Iterable[Statement] = ()) -> dict[int, Statement]:
        reached = {id(one): one for one in start}
        waiting = [name for one in reached.values() for name in one.uses] + list(names)
        while waiting:
            for _, one in at.get(waiting.pop(), ()):
                if id(one) not in reached:
                    reached[id(one)] = one
                    waiting += one.uses
        return reached

    everything = [one for found in statements.values() for one in found]
    reached = {}
    for part in every:
        names = {name for one in everything for name in one.by_part.get(part, ())}
        for code in cells.get(part, ()):
            names |= _names_in_cell(code, frozenset(statements))
        reached[part] = reach(names, [one for one in everything if one.part == part])
    general = [
        one
        for one in everything
        if not one.part and not any(id(one) in found for found in reached.values())
    ]
    mute = _muted(statements, general, kept)
    started = [
        one
        for one in everything
        if (one.part in kept if one.part else any(id(one) in reached[part] for part in kept))
    ]
    staying = reach((), started + [one for one in general if id(one) not in mute])
    _refuse_strangers(statements, staying, kept)
    return set(staying)


def _muted(
    statements: Mapping[str, list[Statement]], general: Sequence[Statement], kept: Collection[str]
) -> set[int]:
    """What works on a table of subcommands in which none is left."""
    mute: set[int] = set()
    free = {id(one) for one in general}
    for module, found in statements.items():
        tables = [one for one in found if COMMANDS in one.names and one.by_part]
        if not any(_has_none(one, kept) for one in tables):
            continue
        empty, before = {(module, COMMANDS)}, 0
        while len(empty) > before:  # through main to parse_args to the table
            before = len(empty)
            for one in found:
                named = {(module, name) for name in one.names}
                if id(one) in free and (one.uses & empty or named & empty):
                    mute.add(id(one))
                    empty |= named
    return mute


def _has_none(statement: Statement, kept: Collection[str]) -> bool:
    """Whether a table has no entry of a part that is kept."""
    return not any(part in kept for part in statement.by_part)


@lru_cache(maxsize=1024)
def _names_in_cell(code: str, ours: frozenset[str]) -> frozenset[Name]:
    """What a notebook's cell takes from our modules; lines for IPython are left out."""
    plain = re.sub(r"(?m)^\s*[%!].*$", "", code)
    try:
        tree = ast.parse(plain)
    except SyntaxError:
        return frozenset()  # the notebook's own proof names the cell
    nodes = list(ast.walk(tree))
    imported = _imported(nodes, ours)
    names = {name for name in imported.values() if name[1]}
    for node in nodes:
        names |= _used(node, "", set(), imported)
    return frozenset(names)


def _refuse_strangers(
    statements: Mapping[str, list[Statement]],
    staying: Mapping[int, Statement],
    kept: Collection[str],
) -> None:
    """Raise ReleaseError where something that stays needs a definition of a part that leaves."""
    for one in staying.values():
        if one.part and one.part not in kept:
            module = next(m for m, found in statements.items() if one in found)
            users = [
                name
                for other in staying.values()
                for name in other.names
                if any((module, own) in other.uses for own in one.names)
            ]
            raise ReleaseError(
                f"{module}.py: {', '.join(one.names)} belongs to the part {one.part}, which is not "
                f"released, but {', '.join(users) or 'a notebook'} needs it. Release that part "
                "too, or take the name out of the table at the module's top."
            )


# --- the text that is left


def _without(
    text: str,
    module: Module,
    staying: Collection[int],
    every: Sequence[str],
    gone: Sequence[str],
    empty: Collection[str],
) -> str:
    """The text without the statements that leave, without what tables and docstring say of parts
    that are gone, and without the imports that nothing needs any more, or that find nothing in one
    of the `empty` modules."""
    leaving = [one for one in module.statements if id(one) not in staying]
    needless = _names_loaded(module.statements, ()) - _names_loaded(
        [one for one in module.statements if id(one) in staying], gone
    )
    lines = text.split("\n")
    pieces: list[tuple[int, Statement | ast.Import | ast.ImportFrom]] = [
        *((one.first, one) for one in module.statements),
        *((node.lineno - 1, node) for node in module.imports),
    ]
    # From the bottom up, so that lines above keep their numbers.
    for _, piece in sorted(pieces, key=lambda pair: pair[0], reverse=True):
        if isinstance(piece, ast.ImportFrom) and piece.module in empty:
            _cut(lines, piece.lineno - 1, (piece.end_lineno or piece.lineno) - 1)
        elif not isinstance(piece, Statement):
            _cut_import(lines, piece, needless)
        elif id(piece) not in staying:
            _cut(lines, piece.first, piece.last)
        else:
            for display in _tables(piece.node, every):
                _cut_entries(lines, display, gone)
    left = {name for one in leaving for name in one.names}
    _cut_rows(lines, module.docstring, every, gone, left)
    return "\n".join(lines).rstrip("\n") + "\n"


def _names_loaded(statements: Iterable[Statement], gone: Collection[str]) -> set[str]:
    """The names that these statements mention, but for what their tables hold of parts gone."""
    names: set[str] = set()
    for one in statements:
        names |= one.loads
        for part, loads in one.loads_by_part.items():
            if part not in gone:
                names |= loads
    return names


def _cut(lines: list[str], first: int, last: int) -> None:
    """Take lines out. Of the blank lines above and below, the larger number stays."""
    above, below = first, last + 1
    while above and not lines[above - 1]:
        above -= 1
    while below < len(lines) and not lines[below]:
        below += 1
    lines[above:below] = [""] * max(first - above, below - last - 1)


def _cut_entries(lines: list[str], display: ast.expr, gone: Sequence[str]) -> None:
    """Take the entries of parts that are gone out of a table that stays."""
    if isinstance(display, ast.Dict):
        pairs = [(k, v) for k, v in zip(display.keys, display.values, strict=True) if k]
    else:
        elements = display.elts if isinstance(display, (ast.Tuple, ast.List, ast.Set)) else []
        pairs = [(element, element) for element in elements]
    first, last = display.lineno - 1, (display.end_lineno or display.lineno) - 1
    if first == last:
        line = lines[first].encode()
        kept = [
            line[key.col_offset : value.end_col_offset].decode()
            for key, value in pairs
            if not _part_named(key, gone)
        ]
        inside = ", ".join(kept) + (
            "," if isinstance(display, ast.Tuple) and len(kept) == 1 else ""
        )
        start, end = display.col_offset + 1, (display.end_col_offset or 0) - 1
        lines[first] = (line[:start] + inside.encode() + line[end:]).decode()
        return
    starts = [key.lineno - 1 for key, _ in pairs]
    for i in reversed(range(len(pairs))):
        if _part_named(pairs[i][0], gone):
            del lines[starts[i] : starts[i + 1] if i + 1 < len(pairs) else last]


def _cut_import(
    lines: list[str], node: ast.Import | ast.ImportFrom, needless: Collection[str]
) -> None:
    """Take names that nothing uses any more out of an import at the top level."""
    kept = [a for a in node.names if (a.asname or a.name).partition(".")[0] not in needless]
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    if not kept:
        _cut(lines, first, last)
    elif len(kept) < len(node.names):
        lines[first : last + 1] = _import(node, kept)


def _import(node: ast.Import | ast.ImportFrom, names: Sequence[ast.alias]) -> list[str]:
    """An import of these names, one a line where they do not fit on one."""
    written = [f"{a.name} as {a.asname}" if a.asname else a.name for a in names]
    if isinstance(node, ast.Import):
        return [f"import {', '.join(written)}"]
    start = f"from {'.' * node.level}{node.module or ''} import "
    line = start + ", ".join(written)
    if len(line) <= WIDTH:
        return [line]
    return [f"{start}(", *(f"    {name}," for name in written), ")"]


# --- tables in docstrings


@dataclass(frozen=True)
class Row:
    """A row of an indented table: its first line, and those indented deeper below it."""

    first: int
    lines: tuple[str, ...]


def _rows(lines: Sequence[str]) -> Iterator[Row]:
    """The rows of the tables in a docstring: lines indented by four, and what hangs below."""
    first = -1
    for number, line in enumerate([*lines, ""]):
        hangs = first >= 0 and re.match(r" {5,}\S", line)
        if first >= 0 and not hangs:
            yield Row(first, tuple(lines[first:number]))
            first = -1
        if re.match(r" {4}\S", line):
            first = number


def _cut_rows(
    lines: list[str],
    docstring: tuple[int, int],
    every: Sequence[str],
    gone: Sequence[str],
    left: Collection[str],
) -> None:
    """Take parts and names that are gone out of the tables in a module's docstring; a table that
    has lost its last part goes altogether."""
    start, end = docstring
    text = lines[start:end]
    for table in reversed(_tables_of(_rows(text))):
        named = [{part for part in every if part in " ".join(row.lines).split()} for row in table]
        lost = [bool(parts.intersection(gone)) for parts in named]
        last = any(lost) and not any(n and not gone_ for n, gone_ in zip(named, lost, strict=True))
        kept = [
            line
            for row, row_lost in zip(table, lost, strict=True)
            if not row_lost
            for line in _without_names(row.lines, left)
        ]
        first, below = table[0].first, table[-1].first + len(table[-1].lines)
        if last or not kept:
            _cut(text, first, below - 1)
        else:
            text[first:below] = kept
    while len(text) > 1 and text[-1] == '"""' and not text[-2]:
        del text[-2]
    lines[start:end] = text


def _tables_of(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows that follow one another without a gap, together."""
    found: list[list[Row]] = []
    for row in rows:
        if found and found[-1][-1].first + len(found[-1][-1].lines) == row.first:
            found[-1].append(row)
        else:
            found.append([row])
    return found


def _without_names(row: Sequence[str], left: Collection[str]) -> Sequence[str]:
    """A row `label  name  name (remark)` without the names that have left."""
    match = re.match(r"( {4}\S.*?\s{2,})(\S.*)", row[0])
    if match is None:
        return row
    text = "  ".join([match[2], *(line.strip() for line in row[1:])])
    entries = re.split(r"\s{2,}", text)
    kept = [e for e in entries if re.split(r"\W", e, maxsplit=1)[0] not in left]
    if len(kept) == len(entries):
        return row
    lines = [match[1]]
    for entry in kept:
        if len(lines[-1]) + len(entry) > WIDTH - 2:
            lines.append(" " * len(match[1]))
        lines[-1] += ("  " if lines[-1].strip() and lines[-1] != match[1] else "") + entry
    return lines if kept else []
