"""Puts a release together: what students get, nbgrader's course folder and the marking guide.

    OUT/hw5.zip             to give to students, and what --address points at
    OUT/course/             where nbgrader works: nbgrader_config.py, source, release, gradebook.db
    OUT/marking_guide.md    for staff

`make` decides what is in all of them and writes nothing; `write` lays it out.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .. import lateness
from ..assignment import Assignment, Part, as_data, grade_id
from ..checking.modules import packaged
from . import ReleaseError, install, notebooks, parts, wording
from .guide import marking_guide
from .notebooks import Notebook
from .strip import SOLUTION, strip_module

HERE = Path(__file__).resolve().parent
CONFIG = HERE.parent / "gradebook" / "nbgrader_config.py"
COURSE, GUIDE, PICTURES = "course", "marking_guide.md", "pictures"
ASKED = "hw5_asked"


@dataclass(frozen=True)
class Source:
    """The kit as its instructors have it: modules by name, notebooks, pictures by file name.

    `package` is what students get as it is, by path: how their PDF is made.
    """

    folder: Path
    modules: Mapping[str, str]
    notebooks: tuple[Notebook, ...]
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    package: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Release:
    """What a release holds.

    `modules` and `kept` are the modules and notebooks of the released parts with their solutions;
    `students` what students get, file name -> bytes; `notes` what whoever releases should know.
    """

    assignment: Assignment
    parts: tuple[Part, ...]
    source: Source
    modules: Mapping[str, str]
    kept: tuple[Notebook, ...]
    students: Mapping[str, bytes]
    notes: tuple[str, ...]

    @property
    def zip_name(self) -> str:
        """What the zip for students is called."""
        return f"{self.assignment.id}.zip"


def read_source(folder: Path, assignment: Assignment) -> Source:
    """The modules `hw5_*.py`, the notebooks with their pictures and the package of a kit.

    Raises ReleaseError.
    """
    modules = {p.stem: p.read_text(encoding="utf-8") for p in sorted(folder.glob("hw5_*.py"))}
    whole = replace(assignment, parts=(*assignment.parts, *assignment.off))
    for name, text in modules.items():
        _as_released(name, text, whole)  # here, where the lines still are those of the file
    every = [part.id for part in (*assignment.parts, *assignment.off)]
    found = [notebooks.read(p, every) for p in sorted((folder / "notebooks").glob("*.ipynb"))]
    pictures = sorted((folder / "notebooks" / PICTURES).glob("*"))
    for path in pictures:
        part, dashes, _ = path.name.partition("--")
        if part not in every or not dashes or path.suffix != ".png":
            raise ReleaseError(
                f"notebooks/{PICTURES}/{path.name}: a picture is called part--what.png, after the "
                "part that it is released with."
            )
    drawn = {p.name: p.read_bytes() for p in pictures}
    return Source(folder, modules, tuple(found), drawn, packaged(folder))


def make(source: Source, assignment: Assignment, part_ids: Sequence[str], address: str) -> Release:
    """The release of these parts, of all when none is named.

    Raises AssignmentError for a part that is not there, ReleaseError for a source that cannot be
    released.
    """
    chosen = tuple(assignment.part(name) for name in dict.fromkeys(part_ids)) or assignment.parts
    chosen = tuple(part for part in assignment.parts if part in chosen)
    kept_ids = [part.id for part in chosen]
    every = [part.id for part in (*assignment.parts, *assignment.off)]
    tailored = [_tailored(one, assignment, kept_ids, address) for one in source.notebooks]
    written = [one for one in tailored if one]
    _need_every_question(chosen, written)
    cells: dict[str, list[str]] = {}
    for notebook in source.notebooks:
        for part, code in notebooks.code_by_part(notebook):
            cells.setdefault(part, []).append(code)
    answered_in = {part.id: part.module for part in (*assignment.parts, *assignment.off)}
    texts = {
        name: wording.worded(text, f"{name}.py", assignment, kept_ids)
        for name, text in source.modules.items()
    }
    known = as_data(texts.pop(ASKED), chosen)
    modules = parts.keep_parts(texts, cells, every, kept_ids, answered_in)
    modules[ASKED] = known
    stripped = {
        f"{name}.py": _as_released(name, text, assignment).encode()
        for name, text in modules.items()
    }
    started = install.files(source.folder, f"{assignment.id}.zip", address)
    students = {
        "README.md": _readme(assignment, chosen, modules, written, address).encode(),
        **{name: text.encode() for name, text in started.items()},
        "LICENSE": (source.folder / "LICENSE").read_bytes(),
        **stripped,
        **source.package,
        **{f"{n.name}.ipynb": notebooks.strip_notebook(n).text().encode() for n in written},
        **{
            f"{PICTURES}/{name}": data
            for name, data in source.pictures.items()
            if name.partition("--")[0] in kept_ids
        },
    }
    gone = [part for part in every if part not in kept_ids]
    return Release(
        assignment, chosen, source, modules, tuple(written), students, tuple(_notes(students, gone))
    )


def _tailored(
    notebook: Notebook, assignment: Assignment, kept_ids: Sequence[str], address: str
) -> Notebook | None:
    """A notebook as this release has it, with its solutions; None where nothing of it is left."""
    kept = notebooks.keep_parts(notebook, kept_ids)
    if not kept:
        return None
    kept = notebooks.worded(kept, assignment, kept_ids)
    off = {part.id for part in assignment.off}
    if set(notebook.parts) - off > set(kept.parts):
        kept = notebooks.retitled(
            kept, ", and ".join(assignment.part(id).title for id in kept.parts)
        )
    kept = notebooks.write_rules(notebooks.write_points(kept, assignment), assignment)
    return notebooks.write_address(kept, address) if address else kept


def write(release: Release, folder: Path) -> None:
    """Lay a release out in an empty folder; nbgrader has yet to make its own release of it."""
    course = folder / COURSE
    home = course / "source" / release.assignment.id
    home.mkdir(parents=True)
    # generate_assignment copies what lies beside the notebooks, so it is what students get.
    for name, data in release.students.items():
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_bytes(data)
    for notebook in release.kept:
        (home / f"{notebook.name}.ipynb").write_text(notebook.text(), encoding="utf-8")
    shutil.copyfile(CONFIG, course / CONFIG.name)
    (folder / release.zip_name).write_bytes(_zip(release))
    guide = marking_guide(release.assignment.title, release.parts, release.modules, release.kept)
    (folder / GUIDE).write_text(guide, encoding="utf-8")


@contextmanager
def appearing(out: Path) -> Iterator[Path]:
    """A folder to work in that becomes `out` when the block ends well, and is gone otherwise.

    Raises ReleaseError when `out` is there already, or cannot be made.
    """
    out = Path(os.path.abspath(out))
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ReleaseError(
            f"--out {out} is there already. Give a new folder: a course folder in use holds marks "
            "that no release may touch."
        )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise ReleaseError(f"--out {out} cannot be made: {error.strerror}.") from None
    try:
        work.chmod(0o755)
        yield work
        if out.exists():
            out.rmdir()
        work.rename(out)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _as_released(name: str, text: str, assignment: Assignment) -> str:
    """A module without solutions; one that is given has none, whatever it says of markers."""
    if any(part.module == name for part in assignment.parts):
        return strip_module(text, f"{name}.py", assignment)
    for number, line in enumerate(text.split("\n"), 1):
        if SOLUTION.fullmatch(line):
            raise ReleaseError(f"{name}.py, line {number}: nobody writes in this file.")
    return text


def _need_every_question(chosen: Sequence[Part], written: Sequence[Notebook]) -> None:
    """Each question of the released parts has one cell that carries its points, in one notebook."""
    places: dict[str, list[str]] = {}
    for notebook in written:
        for cell in notebooks.graded(notebook):
            places.setdefault(cell.id, []).append(notebook.where(cell))
    for part in chosen:
        for question in part.questions:
            cells = places.get(grade_id(f"{part.id}.{question.id}"), [])
            if question.kind != "info" and not cells:
                raise ReleaseError(
                    f"no notebook asks {part.id}.{question.id}: there must be one cell called "
                    f"{grade_id(f'{part.id}.{question.id}')} that carries its points."
                )
            if len(cells) > 1:
                raise ReleaseError(
                    f"{part.id}.{question.id} is asked twice: {' and '.join(cells)}."
                )


def _notes(students: Mapping[str, bytes], gone: Sequence[str]) -> Iterator[str]:
    """Where a text still speaks of a part that is not released."""
    for name, data in students.items():
        if name.endswith(".png"):
            continue
        if not name.endswith(".ipynb"):
            for line, part in parts.mentions(data.decode(), gone):
                yield f"{name}, line {line}, speaks of {part}, which is not released."
            continue
        for cell in notebooks.loads(name, data).cells:
            for _, part in parts.mentions(cell.source, gone):
                yield f"{name}, cell {cell.id}, speaks of {part}, which is not released."


# --- files of their own


def _readme(
    assignment: Assignment,
    chosen: Sequence[Part],
    modules: Mapping[str, str],
    written: Sequence[Notebook],
    address: str,
) -> str:
    by_id = {part.id: part for part in chosen}

    def points(notebook: Notebook) -> float:
        return sum(by_id[part].points for part in notebook.parts)

    checked = [part.id for part in chosen if any(q.kind == "code" for q in part.questions)]
    return (
        Environment(
            loader=FileSystemLoader(HERE), undefined=StrictUndefined, keep_trailing_newline=True
        )
        .get_template("student.md")
        .render(
            title=assignment.title,
            notebooks=[
                {"name": n.name, "title": n.title, "points": f"{points(n):g}"} for n in written
            ],
            points=f"{sum(map(points, written)):g}",
            due=assignment.due.strftime("%d %B %Y, %H:%M %Z") if assignment.due else "",
            late=list(lateness.in_words(assignment)),
            groups=list(_groups(assignment, chosen)),
            address=address,
            modules=[f"`{name}.py`" for name in sorted({p.module for p in chosen if p.module})],
            written=any(notebooks.has_answers(n) for n in written),
            checks=checked[0] if checked else "",
            commands=list(_commands(modules)),
            files=[f"`{name}`" for name in _handed_in(assignment, modules)],
        )
    )


def _groups(assignment: Assignment, chosen: Sequence[Part]) -> Iterator[str]:
    """What is not each student's own, a sentence each."""
    for part in chosen:
        if part.max_group > 1:
            yield f"`{part.id}` may be done in groups of up to {part.max_group}."
    for part in chosen:
        if part.anonymous:
            yield f"`{part.id}` is marked without names: write none into it."


def _commands(modules: Mapping[str, str]) -> Iterator[str]:
    """The example commands in the modules' docstrings."""
    for text in modules.values():
        yield from re.findall(r"(?m)^    (python hw5_(?:vae|gan)\.py .*?)(?:  +#.*)?$", text)


def _handed_in(assignment: Assignment, modules: Mapping[str, str]) -> Iterator[str]:
    for name in assignment.files:
        if not name.endswith(".py") or name.removesuffix(".py") in modules:
            yield name


def _zip(release: Release) -> bytes:
    """The files of students in one folder; the same files make the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(release.students):
            entry = zipfile.ZipInfo(f"{release.assignment.id}/{name}", (2000, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, release.students[name], zipfile.ZIP_DEFLATED)
    return out.getvalue()
