"""pandoc is a program that may die."""

from __future__ import annotations

import resource
import sys

from hw5_pages import pandoc
from tests.hw5_pages.looking import pages, printed
from tests.notebooks_awkward.cells import markdown, notebook


def test_pandoc_dying_on_one_text_costs_that_text_alone(monkeypatch, tmp_path):
    real = pandoc.program()
    fake = tmp_path / "pandoc"
    fake.write_text(
        f"#!{sys.executable}\nimport json, subprocess, sys\nasked = json.load(sys.stdin)\n"
        "alive = [not 'KILLER' in one.get('text', '') for one in asked] + [False]\n"
        "text = json.dumps(asked[:alive.index(False)]).encode()\n"
        f"subprocess.run([{real!r}, *sys.argv[1:]], input=text)\n"
    )
    fake.chmod(0o755)
    monkeypatch.setattr(pandoc, "program", lambda: str(fake))
    cells = [markdown(text) for text in ("First $a$", "KILLER text", "Third **b**", "Fourth $c$")]
    result = printed(notebook(*cells))
    (finding,) = result.findings
    assert finding.kind == "text" and finding.sentence.startswith("Cell 2 ")
    text = pages(result.pdf)[0]
    assert all(words in text for words in ("First", "KILLER text", "Third b", "Fourth"))


SELF = "Words [^1].\n\n[^1]: a note [^1] [^1]\n"  # which pandoc reads for ever
DEEP = "$" + "x^{" * 300 + "x" + "}" * 300 + "$"  # and this it writes for ever


def test_what_takes_too_long_is_printed_as_typed_and_told_and_all_else_is_set(monkeypatch):
    monkeypatch.setattr(pandoc, "ONE", 1)
    cells = map(markdown, ("First **b**", SELF, f"{DEEP} and $a_2$", "Last *c*"))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    result = printed(notebook(*cells))
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 8
    assert [(one.kind, one.sentence[:7]) for one in result.findings] == [
        ("text", "Cell 2 "),
        ("formula", "A formu"),
    ]
    assert result.findings[0].sentence.endswith("would take too much time or memory to read.")
    text = pages(result.pdf)[0]
    assert all(words in text for words in ("First b", "[^1]: a note", "Last c"))
    assert "a_2" not in text and "**" not in text


def test_all_texts_together_have_a_bound(monkeypatch):
    monkeypatch.setattr(pandoc, "ONE", 1)
    monkeypatch.setattr(pandoc, "ALL", 2)
    fragments = [{"format": "commonmark+footnotes", "text": SELF}] * 50
    unread = [pandoc.Unread.SLOW] + [pandoc.Unread.LATE] * 49
    assert pandoc.read(fragments, ["a", "b"]) == (unread, ["", ""])


def test_what_takes_long_waits_until_all_else_is_read(monkeypatch):
    monkeypatch.setattr(pandoc, "ALL", 2)
    texts = [{"format": "commonmark+footnotes", "text": text} for text in (SELF, "Words")]
    (slow, words), (formula,) = pandoc.read(texts, ["a_1"])
    assert slow is pandoc.Unread.LATE and formula == "a_1"
    assert words == [{"t": "Para", "c": [{"t": "Str", "c": "Words"}]}]
