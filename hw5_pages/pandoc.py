"""Runs pandoc, within bounds and without files: it reads texts, and writes formulas for Typst."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import math
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from hw5_notebook import ReportError

from .mathematics import converted

ALL = 30  # seconds of CPU time for all texts and formulas together
FIRST, ONE = 1, 3  # for one of them; and once the others are read
PATIENCE = 5  # times as many on the clock
TICK = 0.2
PAGE = 50  # formulas that are written at once: one by one takes pandoc four times as long

Tree = list[Any]
"""A text as pandoc has read it."""

Asked = dict[str, Any]
"""What pandoc reads at once: a text with its format, or a page of formulas with what parts them;
the place of its answer, and the most seconds that it may take."""


class Unread(Enum):
    """Why a text is not read, as the end of a sentence about it."""

    DEEP = "it is nested too deep"
    SLOW = "it would take too much time or memory to read"
    LATE = "reading others took all the time that there is"
    ODD = "something in it cannot be set"


_LUA = r"""
-- Reads texts, and pages of formulas, in JSON; writes pandoc's trees and Typst's formulas, a line
-- each, with the CPU seconds so far. `{}` means that the readers work without files. Text with HTML
-- in it is read a second time as HTML.
local function has_html(doc)
  local found = false
  local function look(raw) found = found or raw.format == 'html' end
  doc:walk {RawInline = look, RawBlock = look}
  return found
end

-- A table without a head of its own, whose first row goes on below: all these rows are its head.
local function headed(open, inside, close)
  if inside:lower():find('<thead') then return nil end
  local first, last = inside:find('<[tT][rR][%s>].-</[tT][rR]%s*>')
  local row = first and inside:sub(first, last):lower() or '<td'
  if row:find('<td[%s>]') then return nil end
  local rows = 1
  for down in row:gmatch('rowspan%s*=%s*["\']?(%d+)') do rows = math.max(rows, tonumber(down)) end
  if rows == 1 then return nil end
  for _ = 2, rows do
    local _, below = inside:find('<[tT][rR][%s>].-</[tT][rR]%s*>', last + 1)
    if not below then return nil end
    last = below
  end
  local head = '<thead>' .. inside:sub(first, last) .. '</thead><tbody>'
  return open .. inside:sub(1, first - 1):gsub('<[tT][bB][oO][dD][yY][^<>]*>', '') .. head
    .. inside:sub(last + 1) .. '</tbody>' .. close
end

-- Tables as a browser takes them: what opens ends what it cannot stand in, rows of head cells right
-- below the head belong to it, all feet are one, and nothing but cells stands in a row.
local parts = {thead = true, tbody = true, tfoot = true}
local loose = {b = true, center = true, font = true, form = true, i = true, p = true, span = true}

local function whole_tables(html)
  local out, open, at = {}, {}, 1
  local function put(said) out[#out + 1] = said end
  local function close(t, what)
    if t.cell then put('</' .. t.cell .. '>') end
    if t.row and what ~= 'cell' then put('</tr>') end
    if t.part and what == 'part' then put('</' .. t.part .. '>') end
    t.cell = nil
    if what ~= 'cell' then t.row = nil end
    if what == 'part' then t.part, t.ended = nil, nil end
  end
  while true do
    local first = html:find('<', at, true)
    if not first then break end
    local tag, slash, name =
      html:match('^(<(/?)(%a%w?%w?%w?%w?%w?%w?%w?)%f[%W][^<>]*>)', first)
    local t = open[#open]
    put(html:sub(at, first - 1))
    at = first + (tag and #tag or 1)
    name = tag and name:lower()
    if name == 'table' and slash == '' then
      open[#open + 1] = {}
    elseif not t then
      -- no table
    elseif name == 'table' then
      close(t, 'part')
      open[#open] = nil
    elseif name == 'caption' then
      t.caption = slash == '' or nil
    elseif parts[name] then
      close(t, 'row')
      if slash ~= '' then
        t.ended = t.part
        tag = ''
      elseif t.part == 'tfoot' and name == 'tfoot' then
        t.ended, tag = nil, ''
      else
        close(t, 'part')
        t.part = name
      end
    elseif name == 'tr' then
      if slash ~= '' and not t.row then
        tag = ''
      else
        close(t, slash == '' and 'row' or 'cell')
        t.row = slash == '' or nil
        local row = t.row and t.ended and html:sub(at):match('^(.-)</[tT][rR]')
        if row and t.ended == 'thead' and not row:lower():find('<td') then
          t.ended = nil
        elseif row then
          close({part = t.part}, 'part')
          t.part, t.ended = nil, nil
        end
      end
    elseif name == 'td' or name == 'th' then
      if slash ~= '' then
        tag = t.cell and '</' .. t.cell .. '>' or ''
        t.cell = nil
      else
        close(t, 'cell')
        if not t.row then put('<tr>') end
        t.row, t.cell = true, name
      end
    elseif loose[name] and not t.cell and not t.caption then
      tag = ''
    end
    put(tag or '<')
  end
  put(html:sub(at))
  for n = #open, 1, -1 do
    close(open[n], 'part')
    put('</table>')
  end
  return table.concat(out)
end

-- A heading with blocks in it, which end it for pandoc: they are words of it, and may be centred.
local function one_line(level, said, inside)
  if inside:find('<[cC]enter') or inside:find('text%-align%s*:%s*center') then
    said = said .. ' align="center"'
  end
  inside = inside:gsub('<(/?)[cC]enter%f[%s>]', '<%1span')
  inside = inside:gsub('<(/?)div%f[%s>]', '<%1span'):gsub('<(/?)p%f[%s>]', '<%1span')
  return '<' .. level .. said .. '>' .. inside .. '</' .. level .. '>'
end

-- What pandoc forgets of HTML, in words that it keeps.
local function kept(html)
  html = whole_tables(html)
  html = html:gsub('(<[tT][aA][bB][lL][eE][^<>]*>)(.-)(</[tT][aA][bB][lL][eE]%s*>)', headed)
  html = html:gsub('<([hH][1-6])(%s?[^<>]*)>(.-)</[hH][1-6]%s*>', one_line)
  html = html:gsub('<[cC]enter>', '<div align="center">'):gsub('</[cC]enter>', '</div>')
  html = html:gsub('<p(%s[^<>]-center[^<>]*)>(.-)</p>', '<div align="center"><p>%2</p></div>')
  local right = '<p(%s[^<>]-align%s*[:=]%s*["\']?right[^<>]*)>(.-)</p>'
  html = html:gsub(right, '<div align="right"><p>%2</p></div>')
  html = html:gsub('<p(%s[^<>]-color%s*:[^<>]*)>(.-)</p>', '<div%1><p>%2</p></div>')
  html = html:gsub('<[fF][oO][nN][tT](%s[^<>]*)>', '<span%1>')
  html = html:gsub('</[fF][oO][nN][tT]>', '</span>')
  html = html:gsub('<textarea[^<>]*>(.-)</textarea>', '<div style="border">%1</div>')
  return html
end

local function as_html(doc)
  local apart = {}  -- notes, and pictures, of which HTML forgets those without an ending
  local function keep(inline)
    apart[#apart + 1] = inline
    return pandoc.Span({}, {['data-apart'] = tostring(#apart)})
  end
  doc = doc:walk {Note = keep, Image = keep}
  doc = pandoc.read(kept(pandoc.write(doc, 'html')), 'html', {}, {})
  return doc:walk {Span = function(span)
    return apart[tonumber(span.attributes.apart)]
  end}
end

local function tree(text)
  local said = text.format == 'html' and kept(text.text) or text.text
  local doc = pandoc.read(said, text.format, {}, {})
  if text.format:find('^commonmark') and has_html(doc) then doc = as_html(doc) end
  return pandoc.write(doc, 'json')
end

local function written(asked)
  local page = {}
  for _, tex in ipairs(asked.formulas) do
    page[#page + 1] = pandoc.Para {pandoc.Math('DisplayMath', tex)}
    page[#page + 1] = pandoc.RawBlock('typst', asked.between)
  end
  return pandoc.write(pandoc.Pandoc(page), 'typst')
end

for _, asked in ipairs(pandoc.json.decode(io.read('a'), false)) do
  local ok, said = pcall(asked.formulas and written or tree, asked)
  io.write(pandoc.json.encode {os.clock(), ok and said or ''}, '\n')
  io.flush()
end
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


def _works() -> bool:
    """Does pandoc do anything at all?"""
    try:
        asked = [program(), "--version"]
        subprocess.run(asked, capture_output=True, timeout=FIRST * PATIENCE, check=True)
        return True
    except (OSError, subprocess.SubprocessError):
        return False


def read(
    fragments: Sequence[dict[str, str]], formulas: Sequence[str]
) -> tuple[list[Tree | Unread], list[str]]:
    """Trees of texts and Typst's formulas; why there is none, and "", for those that are not read.

    One process reads them all, one after the other. What it dies of, or works on for too long,
    waits until the others are read, by another process, and is then tried with more time; a page
    of formulas one by one.
    """
    trees: list[Tree | Unread] = [Unread.LATE] * len(fragments)
    written = [""] * len(formulas)
    asked: list[Asked] = [{**one, "at": at, "most": FIRST} for at, one in enumerate(fragments)]
    asked += [_page(formulas[at : at + PAGE], at) for at in range(0, len(formulas), PAGE)]
    seconds = float(ALL)
    while asked and seconds > 0:
        try:
            answers, used = _answers(asked, seconds)
        except OSError:  # it is there, and cannot be started
            if _works():
                raise
            answers, used = [], 0.0
        if not answers and not _works():
            raise ReportError(f"{program()} does not work here: pip install pypandoc_binary")
        seconds -= used
        for one, answer in zip(asked, answers, strict=False):
            if "text" in one:
                trees[one["at"]] = _tree(answer)
                continue
            pieces = answer.split(one["between"])[: len(one["formulas"])]
            for at, piece in enumerate(pieces, one["at"]):
                written[at] = converted(piece)
        died, asked = asked[len(answers) : len(answers) + 1], asked[len(answers) + 1 :]
        for one in died if seconds > 0 else ():
            if len(several := one.get("formulas", ())) > 1:
                asked += [_page([tex], at) for at, tex in enumerate(several, one["at"])]
            elif one["most"] < ONE:
                asked.append({**one, "most": ONE})
            elif "text" in one:
                trees[one["at"]] = Unread.SLOW
    return trees, written


def _page(formulas: Sequence[str], at: int) -> Asked:
    """Formulas that are written at once; `at` counts those before them."""
    between = hashlib.sha256(json.dumps(formulas).encode()).hexdigest()  # stands in no formula
    return {"formulas": list(formulas), "between": between, "at": at, "most": FIRST}


def _answers(asked: Sequence[Asked], seconds: float) -> tuple[list[str], float]:
    """What pandoc says to these, up to the first of which it dies; and its CPU seconds."""
    said: list[str] = []
    clock = 0.0
    with tempfile.TemporaryDirectory(prefix="hw5-") as folder:
        script, questions = Path(folder, "read.lua"), Path(folder, "asked.json")
        script.write_text(_LUA, encoding="utf-8")
        questions.write_text(json.dumps(asked), encoding="utf-8")
        command = [program(), "+RTS", "-M1g", "-RTS", "lua", str(script)]
        with (
            questions.open("rb") as given,
            subprocess.Popen(
                command,
                cwd=folder,
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            ) as process,
            _watched(process) as wait_for,
        ):
            assert process.stdout
            try:
                for one in asked:
                    _bound(process.pid, min(clock + one["most"], seconds))
                    wait_for(PATIENCE * one["most"])
                    clock, answer = json.loads(process.stdout.readline())
                    said.append(answer)
            except ValueError:  # it has died
                clock += one["most"]
            finally:
                process.kill()
    return said, clock


@contextlib.contextmanager
def _watched(process: subprocess.Popen[bytes]) -> Iterator[Callable[[float], None]]:
    """A way to say for how many seconds, from then on, a process is waited for: then it is killed.

    One thread does it for all texts. One for each would be many at once on a busy machine, where
    a sandbox may not allow as many.
    """
    ended, until = threading.Event(), [math.inf]

    def wait_for(seconds: float) -> None:
        until[0] = time.monotonic() + seconds

    def watch() -> None:
        while not ended.wait(TICK):
            if time.monotonic() > until[0]:
                process.kill()

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield wait_for
    finally:
        ended.set()


def _bound(pid: int, seconds: float) -> None:
    """Let a process have so many CPU seconds; the clock alone, where there is no such bound."""
    if sys.platform == "linux":
        import resource

        with contextlib.suppress(PermissionError, ProcessLookupError):  # a sandbox has its own
            _, most = resource.prlimit(pid, resource.RLIMIT_CPU)
            resource.prlimit(pid, resource.RLIMIT_CPU, (max(1, math.ceil(seconds)), most))


def _tree(text: str) -> Tree | Unread:
    try:
        blocks: Tree = json.loads(text)["blocks"]
    except RecursionError:
        return Unread.DEEP
    except (ValueError, KeyError):
        return Unread.ODD
    return blocks
