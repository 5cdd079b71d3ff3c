"""Runs pandoc, within bounds and without files: it reads texts, and writes formulas for Typst."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hw5_notebook import ReportError

from .mathematics import converted

PANDOC_SECONDS = 20.0  # of CPU time, for all texts together

_LUA = r"""
-- Reads texts and formulas in JSON; writes pandoc's trees and Typst's formulas. `{}` means that
-- the readers work without files. Text with HTML in it is read a second time as HTML.
local asked = pandoc.json.decode(io.read('a'), false)
local trees = {}

local function has_html(doc)
  local found = false
  local function look(raw) found = found or raw.format == 'html' end
  doc:walk {RawInline = look, RawBlock = look}
  return found
end

local function as_html(doc)
  local notes = {}
  doc = doc:walk {Note = function(note)
    notes[#notes + 1] = note
    return pandoc.Span({}, {['data-note'] = tostring(#notes)})
  end}
  doc = pandoc.read(pandoc.write(doc, 'html'), 'html', {}, {})
  return doc:walk {Span = function(span)
    return notes[tonumber(span.attributes.note)]
  end}
end

for i, text in ipairs(asked.fragments) do
  local ok, tree = pcall(function()
    local doc = pandoc.read(text.text, text.format, {}, {})
    if text.format:find('^commonmark') and has_html(doc) then doc = as_html(doc) end
    return pandoc.write(doc, 'json')
  end)
  trees[i] = ok and tree or ''
end

-- One page of formulas: a page each would take pandoc four times as long.
local page = {}
for _, tex in ipairs(asked.formulas) do
  page[#page + 1] = pandoc.Para {pandoc.Math('DisplayMath', tex)}
  page[#page + 1] = pandoc.RawBlock('typst', asked.between)
end
local formulas = pandoc.write(pandoc.Pandoc(page), 'typst')
io.write(pandoc.json.encode {trees = trees, formulas = formulas})
"""


def program() -> str:
    """Where pandoc is: in the package pypandoc_binary, or on the machine."""
    package = importlib.util.find_spec("pypandoc")
    for folder in (package.submodule_search_locations or []) if package else []:
        for name in ("pandoc", "pandoc.exe"):
            if (Path(folder) / "files" / name).is_file():
                return str(Path(folder) / "files" / name)
    if found := shutil.which("pandoc"):
        return found
    raise ReportError("pandoc is missing: pip install pypandoc_binary")


def read(
    fragments: Sequence[dict[str, str]], formulas: Sequence[str], seconds: float = PANDOC_SECONDS
) -> tuple[list[Any], list[str]]:
    """Trees of texts and Typst's formulas; None and "" for those that pandoc cannot read.

    One process reads them all. Where it does not end well, each half gets one of its own.
    """
    if not fragments and not formulas:
        return [], []
    given = {"fragments": list(fragments), "formulas": list(formulas)}
    between = hashlib.sha256(json.dumps(given).encode()).hexdigest()  # stands in no formula
    asked = json.dumps({**given, "between": between}).encode()
    with tempfile.TemporaryDirectory(prefix="hw5-") as folder:
        script = Path(folder, "read.lua")
        script.write_text(_LUA, encoding="utf-8")
        try:
            command = [program(), "+RTS", "-M1g", "-RTS", "lua", str(script)]
            answer = json.loads(_bounded(command, asked, folder, seconds))
            written = answer["formulas"].split(between)[: len(formulas)]
            return list(map(_tree, answer["trees"])), list(map(converted, written))
        except (subprocess.SubprocessError, ValueError, RecursionError):
            pass
    if len(fragments) + len(formulas) == 1:
        return [None] * len(fragments), [""] * len(formulas)
    half, middle = len(fragments) // 2, len(formulas) // 2
    if len(fragments) == 1:
        half = 1  # the formulas by themselves
        middle = 0
    halves = [
        read(fragments[:half], formulas[:middle], max(seconds / 2, 2)),
        read(fragments[half:], formulas[middle:], max(seconds / 2, 2)),
    ]
    return halves[0][0] + halves[1][0], halves[0][1] + halves[1][1]


def _bounded(command: Sequence[str], asked: bytes, folder: str, seconds: float) -> bytes:
    """What a program writes within so many CPU seconds, or ten times as many on the clock."""
    with subprocess.Popen(
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        if sys.platform == "linux":  # elsewhere the clock alone, on which a busy machine is slow
            import resource

            with contextlib.suppress(PermissionError):  # in a sandbox, which has bounds of its own
                most = (round(seconds), round(seconds))
                resource.prlimit(process.pid, resource.RLIMIT_CPU, most)
        try:
            said, _ = process.communicate(asked, timeout=10 * seconds)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise subprocess.SubprocessError(f"it ended with {process.returncode}")
    return said


def _tree(text: str) -> list[Any] | None:
    try:
        blocks: list[Any] = json.loads(text)["blocks"]
    except (ValueError, RecursionError, KeyError):
        return None
    return blocks
