"""The proxy: written like the module, answered from a session."""

from __future__ import annotations

import linecache
import types

import numpy as np
import pytest
import torch
from torch import nn

from autograder.checking.proxy import (
    Line,
    Lost,
    ReferenceFailed,
    StudentError,
    assign,
    fill,
    gradients,
    interrupted,
    items,
    load_weights,
    passes,
    patient,
    sampler,
    set_grads,
    shapes,
    stub,
    value,
    weights,
    zero,
)
from autograder.inside.compiler import without_compiler
from autograder.inside.session import Session
from autograder.inside.wire import Handle

without_compiler()  # an optimizer is made below, whenever tests are collected

SOURCE = """
import torch
from torch import nn

WIDTH = 3

def draw(n):
    return torch.randn(n)

def change(x):
    x.add_(1)
    return x

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 1)
        self.first = nn.Linear(2, 3)

    def forward(self, x):
        return self.last(self.first(x)), x

class Holder:
    def __init__(self):
        self.net = Net()

    def score(self, x):
        return self.net(x)[0].sum()

def fails():
    raise KeyError("gone")

def resumable(epochs, **state):
    return range(epochs)

def trained(name_both=True):
    net, losses = nn.Linear(1, 1), []
    nn.init.zeros_(net.weight)
    for epoch in resumable(3, losses=losses, **({"net": net} if name_both else {})):
        with torch.no_grad():
            net.weight += 1 + epoch
        losses.append(net.weight.item())
    return losses

def counted(words):
    seen = []
    lost = words.missing
    for word in lost:
        word.missing
        seen.append(len(word))
    lost.missing
    return seen

def summed():
    total = 0
    for number in (1, 2):
        ### BEGIN YOUR CODE part.first
        total += number
        break
        ### END YOUR CODE part.first
        ### BEGIN YOUR CODE part.second
        total += 10 * number
        ### END YOUR CODE part.second
    return total

def asked(heard, names):
    for name in names:
        if heard.wrong:
            herd.append(name.lower(hard).wrong)
        else:
            heard.append(wrong(name) if heard.wrong else wrong)
    return heard

def todo():
    raise NotImplementedError
"""


@pytest.fixture
def code(monkeypatch):
    lines = SOURCE.splitlines(keepends=True)
    monkeypatch.setitem(linecache.cache, "/code.py", (len(SOURCE), None, lines, "/code.py"))
    module = types.ModuleType("code")
    module.__file__ = "/code.py"
    exec(compile(SOURCE, "/code.py", "exec"), module.__dict__)
    session = Session(lambda name: module)
    return lambda seed=1: Line(session.answer, seed).module("code")


def test_attributes_are_followed_only_when_asked_for(code):
    assert value(code().WIDTH) == 3
    assert value(code().Net().first.in_features) == 2


@pytest.mark.parametrize("claim", [[[1 << 20, 1 << 10]], [[2, 2]] * 600, [[1 << 24]] * 3])
def test_a_network_larger_than_any_worker_could_hold_is_not_believed(claim):
    answers = {"call": Handle(0, "Net"), "fill": claim, "shapes": claim}
    model = Line(lambda request: {"value": answers[request["op"]]}, 0).module("code").Net()
    for asked in (lambda: fill(model, 1), lambda: shapes(model)):
        with pytest.raises(StudentError) as caught:
            asked()
        assert caught.value.kind == "memory"


def test_every_call_of_a_check_has_a_seed_of_its_own_and_a_new_line_repeats_them(code):
    module = code()
    first, second = module.draw(5), module.draw(5)
    assert not torch.equal(first, second)
    again = code()
    assert torch.equal(again.draw(5), first) and torch.equal(again.draw(5), second)


def test_inputs_are_fresh_memory_for_every_call(code):
    x = torch.zeros(3)
    module = code()
    assert torch.equal(module.change(x), torch.ones(3))
    assert torch.equal(module.change(x), torch.ones(3))
    assert torch.equal(x, torch.zeros(3))


def test_gradients_reach_inputs_and_models(code):
    net, x = code().Net(), torch.ones(4, 2)
    found = gradients(net, x, wrt=[0], of=[net], pick=0)
    assert found.value.shape == (4, 1)
    assert found.inputs[0].shape == (4, 2)
    assert [g.shape for g in found.objects[0]] == [(1, 3), (1,), (3, 2), (3,)]


def test_a_gradient_that_nothing_fills_is_none(code):
    net, x = code().Net(), torch.ones(4, 2)
    found = gradients(net, x, wrt=[0], of=[net], pick=1)
    assert found.objects[0] == [None] * 4


def test_a_model_is_filled_in_the_order_of_definition_or_of_execution(code):
    defined, executed = code().Net(), code().Net()
    assert fill(defined, 5)[0] == [1, 3]
    assert fill(executed, 5, order="execution", example=[torch.ones(1, 2)])[0] == [3, 2]
    assert not torch.equal(weights(defined)[0], weights(executed)[0])


def test_equal_seeds_fill_equally_and_other_seeds_differently(code):
    a, b, c = code().Net(), code().Net(), code().Net()
    for net, seed in ((a, 5), (b, 5), (c, 6)):
        fill(net, seed)
    assert all(torch.equal(x, y) for x, y in zip(weights(a), weights(b), strict=True))
    assert not torch.equal(weights(a)[0], weights(c)[0])


def test_weights_are_written_and_read(code):
    net = code().Net()
    zero(net)
    assert all(not w.any() for w in weights(net))
    load_weights(net, [torch.full(shape, 2.0) for shape in shapes(net)])
    assert all((w == 2).all() for w in weights(net))


def test_a_stub_takes_the_place_of_an_attribute(code):
    holder = code().Holder()
    assign(holder.net, stub(holder, torch.ones(2, 1), torch.tensor([0.5])))
    assert torch.equal(holder.net(torch.ones(1, 2)), torch.tensor([[2.5]]))


def test_a_modal_stub_gives_something_else_in_evaluation(code):
    holder = code().Holder()
    net = stub(holder, torch.ones(2, 1), torch.tensor([0.5]), modal=True)
    x = torch.tensor([[1.0, 2.0]])
    assert net(x).item() == 3.5
    net.eval()
    assert net(x).item() == 1.75


def test_a_sampler_adds_something_else_in_every_call(code):
    draw = sampler(code().Holder(), mu=1.0, logvar=0.5)
    draws = [draw(torch.tensor([1.0]), logvar=torch.tensor([4.0])).item() for _ in range(3)]
    assert draws == [3.0, 4.0, 6.0]


@pytest.mark.parametrize(("all_is_named", "end"), [(True, [1, 3, 6]), (False, [1, 2, 5])])
def test_an_interrupted_training_goes_on_with_what_it_has_named(code, all_is_named, end):
    module = code()
    assert module.trained() == [1, 3, 6]
    assign(module.resumable, interrupted(module))
    assert module.trained(all_is_named) == [1]
    assert module.trained(all_is_named) == end


def test_the_passes_of_a_loader_differ_and_begin_anew_after_the_last(code):
    loader = passes(code(), ["a", "b"], ["c", "d"])
    assert [items(loader, 9) for _ in range(3)] == [["a", "b"], ["c", "d"], ["a", "b"]]


def test_a_patient_function_passes_over_what_raises_and_takes_items_for_what_it_cannot_have(code):
    here = code()
    with pytest.raises(StudentError, match="missing"):
        here.counted(["a"])
    found = patient(here.counted, ["one", "three"])(["a"])
    assert found == [3, 5]


def test_within_a_statement_that_raises_what_is_called_is_called_all_the_same(code):
    here = code()
    assert patient(here.asked)([], ["A"]) == []
    assert patient(here.asked, within=True)([], ["A"]) == ["A", "A"]


def test_what_is_written_for_a_question_can_be_left_out_of_a_function(code):
    here = code()
    assert here.summed() == 1
    assert patient(here.summed, instead={"part.first": "total += 100"})() == 230
    with pytest.raises(StudentError, match=r"BEGIN and END of part\.third are gone"):
        patient(here.summed, instead={"part.third": "pass"})


def test_gradients_can_be_set_for_an_optimizer(code):
    net = code().Net()
    set_grads(net, [torch.ones(shape) for shape in shapes(net)])


def test_an_error_brings_its_kind_its_words_and_the_students_own_line(code):
    with pytest.raises(StudentError) as error:
        code().fails()
    assert (error.value.kind, error.value.type) == ("error", "KeyError")
    with pytest.raises(StudentError) as error:
        code().todo()
    assert error.value.kind == "todo"


def test_a_missing_name_is_told_from_an_error_inside(code):
    with pytest.raises(StudentError, match=r"code\.py has no `nothing`") as error:
        code().nothing()
    assert error.value.kind == "missing"


def test_the_reference_failing_is_not_the_students_error(code):
    line = Line(lambda request: {"error": {"type": "ValueError"}}, 1, reference=True)
    with pytest.raises(ReferenceFailed):
        line.module("hw5_vae").VAE(784)


@pytest.mark.parametrize("answer", [None, [], "pass", {"error": "all good"}, {"error": None}])
def test_an_answer_that_is_no_answer_ends_the_process_of_the_student(answer):
    with pytest.raises(Lost) as lost:
        Line(lambda request: answer, 1).module("hw5_vae").VAE(784)
    assert lost.value.state == "crashed"


@pytest.mark.parametrize(
    ("value", "instead"),
    [
        (nn.Linear(2, 2), "stub("),
        (torch.optim.SGD([torch.zeros(1)]), "descent("),
        (nn.Linear, "sized("),
        (lambda x: x, "mix("),
        (np.zeros(3), "torch.as_tensor"),
        ({1, 2}, "list("),
        (range(3), "list("),
        (object(), "docs/authoring.md"),
    ],
)
def test_what_cannot_be_sent_says_what_to_use_instead(value: object, instead: str) -> None:
    line = Line(lambda request: request, 1)
    with pytest.raises(TypeError, match="cannot be sent; ") as stop:
        line.module("hw5_vae").kl_divergence([value])
    assert instead in str(stop.value)
