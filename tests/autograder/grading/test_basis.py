"""What a change of the source runs again: what depends on it, and nothing else."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.assignment import read_assignment
from autograder.checking.modules import ROOT
from autograder.grading import basis
from autograder.parts import _each, all_checks

SOME = ("fc-vae.reparametrize.", "fc-vae.loss.", "conv-gan.loss_d.", "vae-theory.")
CHECKS = {one.id: one for one in all_checks(read_assignment()) if one.id.startswith(SOME)}
REPARAMETRIZE = "fc-vae.reparametrize.moves_mean_and_spread"
FC_VAE = "autograder/parts/fc_vae/checks.py"
NOISE = "autograder/checking/noise.py"
FILES = {"hw5_vae.py": b"import torch\n", "hw5_gan.py": b"import torch\n"}


def forget() -> None:
    for one in (basis._module, basis._followed, basis._table, basis._given, basis.tools):
        one.cache_clear()
    basis._files.clear()
    basis._reaches.clear()


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    forget()
    yield
    forget()


def found() -> dict[str, basis.Basis]:
    return {id: basis.of_check(check) for id, check in CHECKS.items()}


def changed(monkeypatch: pytest.MonkeyPatch, file: str, old: str, new: str) -> set[str]:
    """The checks that depend on this edit; with `tools` among them where all do."""
    before, tools = found(), basis.tools()
    source = (ROOT / file).read_text(encoding="utf-8")
    assert old in source, f"{file} no longer has {old!r}"

    def read(path: Path) -> bytes:
        text = source.replace(old, new, 1) if path == ROOT / file else path.read_text("utf-8")
        return text.encode()

    monkeypatch.setattr(basis, "_read", read)
    forget()
    after = found()
    others = {"tools"} if basis.tools() != tools else set()
    return {id for id in before if before[id] != after[id]} | others


def test_a_word_in_the_docstring_of_a_helper_changes_nothing(monkeypatch):
    old = '"""Could every column'
    assert changed(monkeypatch, NOISE, old, f"{old}, say,") == set()


def test_a_comment_and_a_blank_line_change_nothing(monkeypatch):
    assert (
        changed(monkeypatch, "autograder/grading/judge.py", "def judge(", "# x\n\ndef judge(")
        == set()
    )


def test_what_students_read_of_a_check_changes_that_check(monkeypatch):
    old = "reparametrize draws z with mean mu"
    assert changed(monkeypatch, FC_VAE, old, f"{old}, say,") == {REPARAMETRIZE}


def test_a_line_of_a_check_changes_that_check(monkeypatch):
    old = "def moves_mean_and_spread(hw5_vae: Remote, ref: Remote, rng: Rng"
    assert changed(monkeypatch, FC_VAE, old, f"{old}, n=1") == {REPARAMETRIZE}


def test_the_worth_of_a_check_is_arithmetic(monkeypatch):
    old = '@check("fc-vae.reparametrize", share=3)'
    assert changed(monkeypatch, FC_VAE, old, old.replace("3", "4")) == set()


def test_a_tool_changes_the_checks_that_use_it_and_no_part_that_does_not(monkeypatch):
    found = changed(monkeypatch, NOISE, "SIGMAS = 6.0", "SIGMAS = 5.0")
    assert REPARAMETRIZE in found and "tools" not in found
    assert not [id for id in found if id.startswith(("conv-gan.", "vae-theory."))]


def test_our_solution_changes_the_checks_that_ask_it(monkeypatch):
    found = changed(monkeypatch, "hw5_vae.py", "def loss_function(", "def loss_function(*_, ")
    assert any(id.startswith("fc-vae.loss.") for id in found)
    assert not [id for id in found if id.startswith(("conv-gan.", "vae-theory."))]


def test_the_worker_and_the_judge_are_behind_every_check(monkeypatch):
    assert "tools" in changed(monkeypatch, "autograder/inside/session.py", "4096", "2048")
    assert "tools" in changed(monkeypatch, "autograder/grading/judge.py", "= 180.0", "= 90.0")


# --- files of a submission


def of(module: str, **files: bytes) -> str:
    return basis.of_files(module, {**FILES, **{f"{name}.py": data for name, data in files.items()}})


def test_a_module_depends_on_its_own_file_alone():
    assert of("hw5_vae", hw5_gan=b"x = 1\n") == of("hw5_vae")
    assert of("hw5_gan", hw5_gan=b"x = 1\n") != of("hw5_gan")


def test_a_module_depends_on_those_that_it_names():
    user = b"from helpers import f\n"
    one, two = (of("hw5_vae", hw5_vae=user, helpers=b"f = %d\n" % n) for n in (1, 2))
    assert one != two
    deep = [of("hw5_vae", hw5_vae=user, helpers=b"import more\n", more=b"%d" % n) for n in (1, 2)]
    assert deep[0] != deep[1]


def test_thousands_of_files_that_name_one_another_are_soon_followed():
    files = {f"m{n}.py": b"import m%d" % (n + 1) for n in range(5000)}
    began = time.process_time()
    assert len(basis.reached("m0", files)) == 5000
    assert time.process_time() - began < 1


def test_nothing_of_a_file_that_is_all_words_stays_in_memory():
    text = " ".join(f"w{n}" for n in range(200_000)).encode()
    basis.of_files("hw5_vae", FILES)
    tracemalloc.start()
    try:
        basis.of_files("hw5_vae", {"hw5_vae.py": text})
        assert tracemalloc.get_traced_memory()[0] < len(text) / 4
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "way", ["__import__('a' + 'b')", "open('x.py')", "import importlib", "exec(x)", "x=eval ('y')"]
)
def test_a_module_that_may_reach_anything_depends_on_everything(way: str):
    one, two = (of("hw5_vae", hw5_vae=way.encode(), other=b"%d" % n) for n in (1, 2))
    assert one != two


def test_eval_mode_of_a_network_reaches_nothing():
    one, two = (of("hw5_vae", hw5_vae=b"model.eval()\n", other=b"%d" % n) for n in (1, 2))
    assert one == two


@pytest.mark.parametrize(
    "user",
    [
        b"from hw5_utils import one_hot\n",
        b"import hw5_utils\nf = getattr(hw5_utils, 'one' + '_hot')\n",
        b"import hw5_utils\nf = vars(hw5_utils)['one' + '_hot']\n",
        b"import hw5_utils\nf = eval('hw5_utils.one' + '_hot')\n",
    ],
)
def test_what_a_module_takes_of_the_given_ones_counts(monkeypatch, user: bytes):
    before = of("hw5_vae", hw5_vae=user), of("hw5_vae")
    real = basis._read

    def read(path: Path) -> bytes:
        text = real(path)
        return text.replace(b"def one_hot(", b"def one_hot(_=0, *") if path.parent == ROOT else text

    monkeypatch.setattr(basis, "_read", read)
    forget()
    assert of("hw5_vae", hw5_vae=user) != before[0]
    assert of("hw5_vae") == before[1]


def test_what_a_given_module_does_as_it_is_imported_is_behind_every_file(monkeypatch):
    before = of("hw5_vae"), found()
    real = basis._read

    def read(path: Path) -> bytes:
        more = (
            b"\ntorch.set_default_dtype(torch.float64)\n" if path.name == "hw5_basics.py" else b""
        )
        return real(path) + more

    monkeypatch.setattr(basis, "_read", read)
    forget()
    assert of("hw5_vae") != before[0] and found() != before[1]


def test_what_a_name_of_somebody_elses_stands_for_counts(monkeypatch):
    old = "import torch.nn.functional as F"
    assert changed(monkeypatch, "hw5_vae.py", old, "import torch.nn.grad as F")


def test_a_file_that_is_no_python_is_a_file(monkeypatch):
    assert of("hw5_vae", hw5_vae=b"def (\xff") != of("hw5_vae")


def test_what_was_found_is_found_again_until_code_changes(monkeypatch, tmp_path):
    monkeypatch.setenv("HW5_CACHE", str(tmp_path / "checks.sqlite"))
    own = [one for one in CHECKS.values() if one.id.startswith("fc-vae.")]
    before, tools = basis.of_checks(own), basis.tools()
    forget()
    with monkeypatch.context() as patch:
        patch.setattr(basis, "of_check", None)
        patch.setattr(basis, "_reached", None)
        assert (basis.of_checks(own), basis.tools()) == (before, tools)
    source = (ROOT / FC_VAE).read_text(encoding="utf-8").replace("draws z with", "draws a z with")

    def read(path: Path) -> bytes:
        return source.encode() if path == ROOT / FC_VAE else path.read_bytes()

    monkeypatch.setattr(basis, "_read", read)
    forget()
    after = basis.of_checks(own)
    assert {id for id in after if after[id] != before[id]} == {REPARAMETRIZE}
    assert basis.tools() == tools


def test_no_part_depends_on_the_checks_of_another():
    for check in all_checks(read_assignment()):
        files = {path for path, _ in basis._followed(check)[2]}
        own = basis.PACKAGE / "parts" / check.question.partition(".")[0].replace("-", "_")
        assert {path.parent for path in files if path.name in basis.OWN} <= {own}
    for folder, module in _each("mistakes"):
        for mistake in module.MISTAKES:
            assert mistake.question.partition(".")[0].replace("-", "_") == folder
