"""Solutions leave; signatures, docstrings and indentation stay; every odd marker is an error."""

from __future__ import annotations

import ast
import importlib.util
import textwrap

import pytest

from autograder.assignment import read_assignment
from autograder.checking.modules import ROOT, SOLUTIONS
from autograder.release import ReleaseError
from autograder.release.strip import (
    ANSWER_STUB,
    CODE_STUB,
    LINE,
    refuse_markers,
    strip_answer,
    strip_code_cell,
    strip_module,
    strip_task,
)

ASSIGNMENT = read_assignment()


def module(text: str, file: str = "hw5_vae.py") -> str:
    return strip_module(textwrap.dedent(text), file, ASSIGNMENT)


def run(text: str) -> dict[str, object]:
    names: dict[str, object] = {}
    exec(compile(text, "stub.py", "exec"), names)
    return names


GOOD = '''
class VAE:
    """A model."""

    def forward(self, x: int, y: int = 2) -> int:
        """Add them."""
        z = 1
        ### BEGIN SOLUTION fc-vae.forward
        secret = x + y
        return secret + z
        ### END SOLUTION

    after = 3
'''


def test_a_region_becomes_an_error_that_names_its_question_and_says_what_to_write():
    vae = run(module(GOOD))["VAE"]
    with pytest.raises(
        NotImplementedError, match=r"^fc-vae\.forward: write VAE\.forward \(.+\)\.$"
    ):
        vae().forward(1)


def test_signature_docstring_and_what_stands_around_a_region_stay():
    stripped = module(GOOD)
    assert "secret" not in stripped and "SOLUTION" not in stripped
    before, after = ast.parse(GOOD).body[0], ast.parse(stripped).body[0]
    assert ast.unparse(before.body[1].args) == ast.unparse(after.body[1].args)
    assert ast.get_docstring(after.body[1]) == "Add them." and "z = 1" in stripped
    assert stripped.rstrip().endswith("after = 3")
    assert "        ### BEGIN YOUR CODE fc-vae.forward\n        raise" in stripped


@pytest.mark.parametrize("indent", ["    ", "        ", "\t"])
def test_the_stub_is_indented_as_the_region_was(indent):
    lines = ("### BEGIN SOLUTION fc-vae.loss", "return 1", "### END SOLUTION")
    text = "def f():\n" + "".join(f"{indent}{line}\n" for line in lines)
    stripped = strip_module(text, "hw5_vae.py", ASSIGNMENT)
    assert f"\n{indent}raise NotImplementedError(" in stripped
    ast.parse(stripped)


def test_a_region_within_a_loop_leaves_the_loop():
    stripped = module(
        """
        def fit(self):
            for x in range(3):
                y = x
                ### BEGIN SOLUTION cifar-dcgan.fit
                z = y

                w = z
                ### END SOLUTION
                print(x)
        """,
        "hw5_gan.py",
    )
    assert "        print(x)" in stripped and "w = z" not in stripped
    with pytest.raises(NotImplementedError, match=r"cifar-dcgan\.fit: write fit"):
        run(stripped)["fit"](None)


def test_a_constant_at_the_top_level_becomes_none():
    stripped = module(
        "# Search.\n### BEGIN SOLUTION autoencoder.tuned_beta\nTUNED_BETA = 0.7\n### END SOLUTION\n"
    )
    assert run(stripped)["TUNED_BETA"] is None and "0.7" not in stripped
    assert "# autoencoder.tuned_beta: write TUNED_BETA" in stripped


@pytest.mark.parametrize("name", SOLUTIONS)
def test_the_modules_of_the_kit_are_stripped_to_modules_that_can_be_imported(name, tmp_path):
    text = (ROOT / f"{name}.py").read_text(encoding="utf-8")
    stripped = strip_module(text, f"{name}.py", ASSIGNMENT)
    assert "SOLUTION" not in stripped and all(len(line) <= LINE for line in stripped.splitlines())
    (tmp_path / f"{name}.py").write_text(stripped, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(f"stub_{name}", tmp_path / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    signatures = [
        [
            (node.name, ast.unparse(node.args), ast.get_docstring(node))
            for node in ast.walk(ast.parse(one))
            if isinstance(node, ast.FunctionDef)
        ]
        for one in (text, stripped)
    ]
    # A function may be defined within a solution; all others keep what they promise.
    assert set(map(str, signatures[1])) <= set(map(str, signatures[0]))
    assert len(signatures[1]) >= len(signatures[0]) - 2


BEGIN, END = "    ### BEGIN SOLUTION fc-vae.loss\n", "    ### END SOLUTION\n"
BODY = "    return 1\n"
ODD = {
    "nested": (BEGIN + BEGIN + BODY + END, 3, "inside the one that began in line 2"),
    "never closed": (BEGIN + BODY, 2, "never ends"),
    "never opened": (BODY + END, 3, "never began"),
    "closed twice": (BEGIN + BODY + END + END, 5, "never began"),
    "no question": (BEGIN.replace(" fc-vae.loss", "") + BODY + END, 2, "name the question"),
    "no part": (BEGIN.replace("fc-vae.", "") + BODY + END, 2, "name the question"),
    "unknown part": (BEGIN.replace("fc-vae", "fc-vea") + BODY + END, 2, "no part 'fc-vea'"),
    "unknown question": (BEGIN.replace("loss", "los") + BODY + END, 2, "has no question 'los'"),
    "of another module": (BEGIN.replace("fc-vae.loss", "conv-gan.DNet") + BODY + END, 2, "hw5_gan"),
    "lower case": (BEGIN.replace("BEGIN", "Begin") + BODY + END, 2, "looks like a marker"),
    "two hashes": (BEGIN.replace("###", "##") + BODY + END, 2, "looks like a marker"),
    "behind code": (f"    x = 1  {BEGIN.strip()}\n" + BODY + END, 2, "looks like a marker"),
    "a tag at the end": (BEGIN + BODY + END.rstrip() + " fc-vae.loss\n", 4, "looks like a marker"),
    "mark scheme": ("    ### BEGIN MARK SCHEME\n" + BODY, 2, "looks like a marker"),
    "hidden tests": ("    ### BEGIN HIDDEN TESTS\n" + BODY, 2, "looks like a marker"),
    "not as deep": (BEGIN + BODY + END.strip() + "\n", 4, "not indented like its other half"),
}


@pytest.mark.parametrize(("body", "line", "words"), ODD.values(), ids=ODD)
def test_an_odd_marker_is_named_with_file_and_line(body, line, words):
    with pytest.raises(ReleaseError) as error:
        strip_module("def f():\n" + body, "hw5_vae.py", ASSIGNMENT)
    assert str(error.value).startswith(f"hw5_vae.py, line {line}: ") and words in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        f"{BEGIN.strip()}\ndef f():\n    return 1\n{END.strip()}\n",
        f"class A:\n{BEGIN}    def f(self):\n        return 1\n{END}",
        f"{BEGIN.strip()}\nprint(1)\n{END.strip()}\n",
        f"{BEGIN.strip()}\n# nothing\n{END.strip()}\n",
    ],
)
def test_a_region_that_would_take_a_definition_away_is_refused(text):
    with pytest.raises(ReleaseError, match=r"line [12]: .*(only set constants|nothing to write)"):
        strip_module(text, "hw5_vae.py", ASSIGNMENT)


def test_a_region_that_cuts_a_statement_in_two_is_refused():
    text = f"def f():\n    x = [\n    {BEGIN}        1,\n    {END}    ]\n    return x\n"
    with pytest.raises(ReleaseError, match=r"hw5_vae.py, without its solutions, line"):
        strip_module(text, "hw5_vae.py", ASSIGNMENT)


def test_an_answer_gives_way_to_words():
    assert strip_answer("### BEGIN SOLUTION\nBecause.\n### END SOLUTION", "a cell") == ANSWER_STUB


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("Because.", "must hold its model answer"),
        ("### BEGIN SOLUTION\nBecause.\n### END SOLUTION\nOf that.", "outside of the region"),
        ("Because\n### BEGIN SOLUTION\nof that.\n### END SOLUTION", "outside of the region"),
        ("### BEGIN SOLUTION\nBecause.", "line 1: the region that begins here never ends"),
        ("### BEGIN SOLUTION\nx\n=== BEGIN MARK SCHEME ===\n### END SOLUTION", "line 3"),
    ],
)
def test_an_answer_that_would_leave_something_behind_is_refused(source, words):
    with pytest.raises(ReleaseError, match=words):
        strip_answer(source, "1_x.ipynb, cell a")


def test_a_task_loses_its_mark_scheme_alone():
    source = "### Title\n\n=== BEGIN MARK SCHEME ===\n- 1 point\n=== END MARK SCHEME ===\nText."
    assert strip_task(source, "a cell") == "### Title\n\nText."
    with pytest.raises(ReleaseError, match=r"line 1: .*looks like a marker"):
        strip_task("### BEGIN SOLUTION\nx\n### END SOLUTION", "a cell")


def test_a_code_cell_gets_the_stub_that_nbgrader_gives():
    source = "x = 1\n### BEGIN SOLUTION fc-vae.loss\nx = 2\n### END SOLUTION\nx"
    assert strip_code_cell(source, "a cell") == f"x = 1\n{CODE_STUB}\nx"


@pytest.mark.parametrize(
    "line", ["### BEGIN SOLUTION", "=== END MARK SCHEME ===", "# end solution"]
)
def test_a_marker_in_any_other_cell_is_refused(line):
    with pytest.raises(ReleaseError, match="a cell, line 2"):
        refuse_markers(f"text\n{line}", "a cell")
    refuse_markers("The solution begins here, and the mark scheme ends.", "a cell")
