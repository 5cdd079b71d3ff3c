"""Mutants: one small change each, in the region of one question."""

from __future__ import annotations

import ast

from autograder.checking.modules import ROOT
from autograder.mutants import mutants

SOURCE = '''
def given(x):
    return x + 1


def asked(x, y):
    """A text."""
    ### BEGIN SOLUTION part.question
    optimizer.zero_grad()
    z = -torch.cat((x, y), dim=1) * 0.5
    w = {"loss": loss(x, 3.0), "z": z}
    return z < 3
    ### END SOLUTION
'''


def test_each_operator_constant_argument_and_statement_is_changed_once() -> None:
    changed = [one.diff(SOURCE) for one in mutants(SOURCE, "file.py")]
    added = {line[1:].strip() for diff in changed for line in diff.split("\n") if line[0] == "+"}
    assert added == {
        "pass",
        "z = (-torch.cat((x, y), dim=1) / 0.5)",
        "z = (torch.cat((x, y), dim=1)) * 0.5",
        "z = -torch.cat((x, y)) * 0.5",
        "z = -torch.cat((x, y), dim=2) * 0.5",
        "z = -torch.cat((x, y), dim=1) * 1.0",
        "z = -torch.cat((x, y), dim=1) * (-0.5)",
        "z = -torch.cat((y, x), dim=1) * 0.5",
        'w = {"loss": loss(3.0, x), "z": z}',
        'w = {"loss": loss(x.detach(), 3.0), "z": z}',
        'w = {"loss": loss(1.1 * x, 3.0), "z": z}',
        'w = {"loss": loss(x, 6.0), "z": z}',
        'w = {"loss": loss(x, (-3.0)), "z": z}',
        "w = {'z': z}",
        "w = {'loss': loss(x, 3.0)}",
        "return (z <= 3)",
        "return z < 4",
    }


def test_what_is_given_is_left_alone_and_the_question_is_named() -> None:
    for one in mutants(SOURCE, "file.py"):
        assert one.question == "part.question"
        assert "return x + 1" in one.source


def test_every_mutant_of_our_modules_can_be_read() -> None:
    for name in ("hw5_vae.py", "hw5_gan.py"):
        source = (ROOT / name).read_text(encoding="utf-8")
        made = list(mutants(source, name))
        assert len(made) > 100
        for one in made[::25]:
            ast.parse(one.source)
            assert one.source != source
