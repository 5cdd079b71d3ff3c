"""Given to students: says in a sentence what stopped a cell, where a traceback would say less.

    a stub was called                            its sentence
    a name that another cell makes is missing    which cell that is
    Python was told to end                       where, and what comes of it

Every other error is shown as IPython shows it.
"""

from __future__ import annotations

import ast
import linecache
import re
import traceback
from types import TracebackType

from hw5_basics import unwritten
from hw5_edits import is_written
from hw5_folder import open_notebook
from hw5_notebook import Cell, Notebook
from hw5_process import at_line

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
ENDERS = ("exit", "quit")  # IPython takes them away from modules


def attend(shell) -> None:
    """Speak of the errors of this notebook from now on."""
    shell.set_custom_exc((NotImplementedError, NameError), _speak)
    shell.events.register("post_run_cell", _speak_of_an_exit)


def _speak(shell, kind, error, frames: TracebackType, tb_offset=None) -> None:
    """Print a sentence in place of the traceback, if there is one to say."""
    if unwritten(error):
        print(f"Not yet. {error}")
    elif sentence := _of_a_name(shell, error, frames):
        print(sentence)
    else:
        shell.showtraceback((kind, error, frames), tb_offset=tb_offset)


# --- names that are missing


def _of_a_name(shell, error: BaseException, frames: TracebackType) -> str:
    """What to say of a name that is missing; "" where a traceback is better."""
    name = getattr(error, "name", None)
    if type(error) is not NameError or not name:
        return ""
    if name in ENDERS:
        return f"{_place(shell, frames)}: {_ends(f'{name}()', 'would end')}"
    while frames.tb_next:
        frames = frames.tb_next
    if frames.tb_frame.f_globals is not shell.user_ns:  # a line of a module, the student's perhaps
        return ""
    try:
        notebook = open_notebook(shell)
    except Exception:  # whatever lies around here
        return ""
    run = [text.strip() for text in shell.user_ns.get("In", [""])]
    return _of_a_maker(notebook, name, run) if notebook else ""


def _of_a_maker(notebook: Notebook, name: str, run: list[str]) -> str:
    """Which cell above makes this name, and what to do about it; "" if there is none.

    run: the cells that were run, the one that stopped last. If that one is the student's own, it
    may stand anywhere: then it is the first cell that makes the name.
    """
    cells = [cell for cell in notebook.cells if cell.kind == "code"]
    here = [k for k, cell in enumerate(cells) if cell.source.strip() == run[-1]]
    above = cells[: here[0]] if here else cells
    makers = [cell for cell in above if _line_that_makes(name, cell.source)]
    if not makers:
        return ""
    cell = makers[-1 if here else 0]
    heading, line = _heading(notebook, cell), _line_that_makes(name, cell.source)
    under = f", under the heading “{heading}”" if heading else ""
    sentence = f"`{name}` is not there yet. A cell above makes it{under}, in the line `{line}`. "
    if cell.source.strip() in run[:-1]:
        return f"{sentence}That cell was run, but it stopped before that: see what it says."
    return f"{sentence}Run that cell first."


def _line_that_makes(name: str, source: str) -> str:
    """The line of a cell that gives this name a value; "" if there is none."""
    source = re.sub(r"(?m)^(\s*)[%!].*$", r"\1pass", source)
    try:
        todo: list[ast.AST] = [ast.parse(source)]
    except SyntaxError:
        return ""
    for node in todo:  # which grows meanwhile
        names = {getattr(node, "name", None)} if isinstance(node, DEFINITIONS) else set()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names = {node.id}
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = {one.asname or one.name.partition(".")[0] for one in node.names}
        if name in names:
            return source.splitlines()[node.lineno - 1].strip()
        if not isinstance(node, (*DEFINITIONS, *COMPREHENSIONS, ast.Lambda)):
            todo += ast.iter_child_nodes(node)  # names in those others are their own
    return ""


def _heading(notebook: Notebook, cell: Cell) -> str:
    """The heading that a cell stands under."""
    above = [one.source for one in notebook.cells[: cell.number - 1] if one.kind == "markdown"]
    headings = re.findall(r"(?m)^#{1,6}\s+(.+?)\s*(?:·.*)?$", "\n".join(above))
    return re.sub(r"[`*]", "", headings[-1]) if headings else ""


# --- exits


def _speak_of_an_exit(result) -> None:
    """After each cell: a SystemExit is shown by IPython as a bare word."""
    error = result.error_in_exec
    if isinstance(error, SystemExit) and error.__traceback__:
        from IPython import get_ipython

        print(f"{_place(get_ipython(), error.__traceback__)}: {_ends('SystemExit', 'ends')}")


def _ends(what: str, verb: str) -> str:
    return (
        f"{what} {verb} Python itself. A notebook goes on, but nothing after this line has run, "
        "and a check that meets it counts as failed. Take it out; to stop at a mistake, raise an "
        'error that says what is wrong, as in raise ValueError("...").'
    )


def _place(shell, frames: TracebackType) -> str:
    """The innermost line that a student wrote, in a file or in a cell."""
    place = "Your code"
    for frame, number in traceback.walk_tb(frames):
        file = frame.f_code.co_filename
        if frame.f_globals is shell.user_ns:
            place = f"The line `{linecache.getline(file, number).strip()}` of the notebook"
        elif is_written(file):
            place = at_line(file, number, linecache.getline(file, number))
    return place
