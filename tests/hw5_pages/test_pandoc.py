"""pandoc is a program that may die."""

from __future__ import annotations

import sys

from hw5_pages import pandoc
from tests.hw5_pages.looking import pages, printed
from tests.notebooks_awkward.cells import markdown, notebook


def test_pandoc_dying_on_one_text_costs_that_text_alone(monkeypatch, tmp_path):
    real = pandoc.program()
    fake = tmp_path / "pandoc"
    fake.write_text(
        f"#!{sys.executable}\nimport subprocess, sys\ntext = sys.stdin.buffer.read()\n"
        "if b'KILLER' in text: sys.exit(251)\n"
        f"sys.exit(subprocess.run([{real!r}, *sys.argv[1:]], input=text).returncode)\n"
    )
    fake.chmod(0o755)
    monkeypatch.setattr(pandoc, "program", lambda: str(fake))
    cells = [markdown(text) for text in ("First $a$", "KILLER text", "Third **b**", "Fourth $c$")]
    result = printed(notebook(*cells))
    (finding,) = result.findings
    assert finding.kind == "text" and finding.sentence.startswith("Cell 2 ")
    text = pages(result.pdf)[0]
    assert all(words in text for words in ("First", "KILLER text", "Third b", "Fourth"))
