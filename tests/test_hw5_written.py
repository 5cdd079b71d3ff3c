"""Reading a student's modules: which questions are written, and which lines are whose."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

import hw5_written
from autograder.assignment import read_assignment
from hw5_written import Module, appendix, excerpts, progress, questions_asked, read_modules

ROOT = Path(__file__).resolve().parent.parent
JUDGED = {
    f"{part.id}.{question.id}"
    for part in read_assignment().parts
    for question in part.questions
    if question.kind in ("code", "bonus")
}
MARKERS = re.compile(r"^\s*### (?:BEGIN|END) (?:YOUR CODE|SOLUTION).*\n", re.M)


@pytest.fixture(scope="module")
def stubs(released) -> dict[str, Module]:
    return read_modules(released)


@pytest.fixture(scope="module")
def solved() -> dict[str, Module]:
    return read_modules(ROOT)


@pytest.fixture(scope="module")
def asked():
    return questions_asked(ROOT)


def module(text: str, name: str = "hw5_gan.py") -> Module:
    return Module(name, text.encode())


def without_markers(one: Module) -> Module:
    return module(MARKERS.sub("", one.data.decode()), one.name)


def unwritten(modules, asked) -> set[str]:
    far = {key: progress(modules[one.file], key, one.names) for key, one in asked.items()}
    return {key for key, one in far.items() if not one.begun}


def test_it_takes_from_the_checks_what_they_take_from_a_file(asked):
    import hw5_checks

    held = {key: one.names for key, one in hw5_checks.QUESTIONS.items()}
    assert {key: one.names for key, one in asked.items()} == held
    for key, one in asked.items():
        assert one.file == f"{hw5_checks.MODULES[key.partition('.')[0]]}.py"


def test_without_the_checks_nothing_is_asked(tmp_path):
    assert questions_asked(tmp_path) == {}


def test_of_a_release_every_judged_question_is_unwritten(stubs, asked):
    assert unwritten(stubs, asked) == set(asked) == JUDGED


def test_of_the_solution_none_is(solved, asked):
    assert unwritten(solved, asked) == set()


def test_markers_that_were_deleted_change_neither(stubs, solved, asked):
    assert unwritten({n: without_markers(one) for n, one in stubs.items()}, asked) == JUDGED
    assert unwritten({n: without_markers(one) for n, one in solved.items()}, asked) == set()


def test_what_a_stub_leaves_to_be_set_is_unwritten_without_its_remark_too(stubs, asked):
    text = without_markers(stubs["hw5_vae.py"]).data.decode()
    text = re.sub(r"^TUNED_BETA = None.*$", "TUNED_BETA = None", text, flags=re.M)
    one = asked["autoencoder.tuned_beta"]
    assert not progress(module(text), "autoencoder.tuned_beta", one.names).begun
    text = text.replace("TUNED_BETA = None", "TUNED_BETA: float = 0.1")
    assert progress(module(text), "autoencoder.tuned_beta", one.names).begun


REGION = """
def f(x):
    \"\"\"What it does.\"\"\"
    ### BEGIN YOUR CODE a.b
    {}
    ### END YOUR CODE a.b
"""


@pytest.mark.parametrize(
    "body",
    [
        "pass",
        "...",
        "return",
        "return None",
        "# not yet",
        "raise NotImplementedError",
        "raise NotImplementedError('later')",
        'print(x)\n    raise NotImplementedError("a.b: write f (What it does).")',
    ],
)
def test_a_place_that_holds_nothing_is_unwritten(body):
    far = progress(module(REGION.format(body)), "a.b", ("f",))
    assert (far.places, far.unwritten, far.begun) == (1, ("f",), False)


@pytest.mark.parametrize("body", ["return x", "x = 1", "yield x", "return 0"])
def test_a_place_that_holds_something_is_written_even_if_wrong(body):
    assert progress(module(REGION.format(body)), "a.b", ("f",)).begun


def test_of_several_places_each_counts():
    first = "class D:\n    def forward(self):\n        ### BEGIN YOUR CODE a.b\n        return 1\n"
    second = REGION.format('raise NotImplementedError("a.b: write f (What it does).")')
    far = progress(module(f"{first}        ### END YOUR CODE a.b\n{second}"), "a.b", ("D", "f"))
    assert far.begun and far.places == 2 and far.unwritten == ("f",)


def test_a_question_inside_a_function_of_another_is_unwritten_as_long_as_that_is():
    text = REGION.format('x = 1\n    raise NotImplementedError("a.b: write f (What it does).")')
    assert not progress(module(text), "a.c", ("f",)).begun


def test_names_that_were_changed_are_lacking_unless_a_star_may_bring_them():
    assert progress(module("def g(): return 1"), "a.b", ("f", "g")).lacking == ("f",)
    assert progress(module("from mine import *"), "a.b", ("f",)).lacking == ()
    for text in ("from mine import f", "import f", "if 1:\n    f = 2", "f, g = 1, 2", "f: int = 3"):
        assert progress(module(text), "a.b", ("f",)).lacking == ()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"x = 1\n\ndef f(:\n", "hw5_gan.py, line 3, is not valid Python: "),
        (b"def f():\n  x = 1\n\ty = 2\n", "hw5_gan.py, line 3, is not valid Python: "),
        (b"x = 1\0", "hw5_gan.py is not valid Python: "),
        (b"x = '\xff'\n", "is not valid Python: "),
        (b"(" * 5000, "is not valid Python: "),
    ],
)
def test_a_file_that_is_no_python_is_a_sentence_with_its_line(data, words):
    one = Module("hw5_gan.py", data)
    assert one.tree is None and words in one.problem and one.problem.endswith(".")
    assert one.lines


def test_other_encodings_are_read_as_python_reads_them():
    latin = Module("hw5_gan.py", "# coding: latin-1\nx = 'é'\r\ny = 2".encode("latin-1"))
    assert latin.problem == "" and latin.lines[1:] == ["x = 'é'", "y = 2"]
    assert Module("hw5_gan.py", b"\xef\xbb\xbfx = 1").lines == ["x = 1"]


def test_a_file_is_never_run(tmp_path):
    path = tmp_path / "ran"
    text = f"open({str(path)!r}, 'w')\n{REGION.format('return 1')}"
    assert progress(module(text), "a.b", ("f",)).begun and excerpts(module(text), "a.b", ("f",))
    assert not path.exists()


def test_an_excerpt_is_what_stands_between_the_markers_below_its_definition(solved, asked):
    (piece,) = excerpts(solved["hw5_gan.py"], "cifar-dcgan.fit", ("DCGAN",))
    assert piece.head.startswith("class DCGAN(nn.Module):\n    def fit(self, ")
    lines = solved["hw5_gan.py"].lines
    assert piece.text == "\n".join(lines[piece.first - 1 : piece.last])
    assert "BEGIN SOLUTION cifar-dcgan.fit" in lines[piece.first - 2]
    for key, one in asked.items():
        assert excerpts(solved[one.file], key, one.names), key


def test_a_signature_of_several_lines_is_the_head_and_a_helper_above_is_not():
    text = REGION.format("return x").replace("def f(x):", "def f(\n    x,  # (N,): any\n) -> int:")
    helper = "    def helper(y):\n        return y\n\n"
    text = text.replace("    ### BEGIN", f"{helper}    for _ in x:\n        ### BEGIN")
    text = text.replace("    ### END", "        ### END").replace(
        "    return x", "        return x"
    )
    (piece,) = excerpts(module(text), "a.b", ())
    assert piece.head == "def f(\n    x,  # (N,): any\n) -> int:"


def test_without_markers_the_excerpt_is_the_definition_or_the_method_of_that_name(solved, asked):
    one = without_markers(solved["hw5_vae.py"])
    (loss,) = excerpts(one, "fc-vae.loss", ("loss_function",))
    assert loss.text.startswith("def loss_function(") and loss.head == ""
    (method,) = excerpts(one, "bernoulli-vae.elbo_loss", ("BernoulliVAE",))
    assert method.text.lstrip().startswith(("def elbo_loss(", "@staticmethod"))
    assert method.head == "class BernoulliVAE(nn.Module):"


def test_a_marker_that_is_gone_ends_a_region_where_the_function_ends():
    text = REGION.format("return x").replace("    ### END YOUR CODE a.b\n", "\n\ny = 1\n")
    (piece,) = excerpts(module(text), "a.b", ())
    assert piece.text == "    return x"


def test_the_appendix_shows_what_is_written_and_names_the_rest(solved, stubs, asked):
    keys = ["fc-gan.sample_noise", "fc-vae.loss", "fc-vae.figures", "no.such"]
    mixed = {"hw5_vae.py": solved["hw5_vae.py"], "hw5_gan.py": stubs["hw5_gan.py"]}
    made = appendix(keys, mixed, asked)
    assert [one.question for one in made.shown] == ["fc-vae.loss", "fc-vae.figures"]
    assert made.notes == ("Not written: fc-gan.sample_noise.",) and made.whole == ()
    assert not appendix(["no.such"], mixed, asked).there


def test_of_a_file_that_is_no_python_the_appendix_shows_regions_or_all_of_it(solved, asked):
    text = solved["hw5_gan.py"].data.decode() + "\ndef f(:\n"
    broken = {"hw5_gan.py": module(text)}
    made = appendix(["fc-gan.sample_noise"], broken, asked)
    assert made.shown[0].excerpts and "is not valid Python" in made.notes[0] and not made.whole
    unmarked = {"hw5_gan.py": module(MARKERS.sub("", text))}
    made = appendix(["fc-gan.sample_noise"], unmarked, asked)
    assert made.whole == tuple(unmarked.values()) and not made.shown


def test_no_more_places_are_shown_than_a_student_has():
    text = "### BEGIN YOUR CODE a.b\nx = 1\n### END YOUR CODE a.b\n" * 1000
    assert len(excerpts(module(text), "a.b", ())) == hw5_written.PLACES


def test_a_marker_without_end_is_soon_read():
    before = time.process_time()
    assert module("# BEGIN SOLUTION" + " " * 1_000_000 + "a b\n").regions == {}
    assert time.process_time() - before < 2
