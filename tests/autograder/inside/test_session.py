"""Code under a session: every answer is a value or a described error, never an exception.

What is hostile runs in a worker; what is merely odd, here.
"""

from __future__ import annotations

import types
from typing import Any

import pytest
import torch

from autograder.checking.proxy import StudentError
from autograder.inside import wire
from autograder.inside.session import Session, describe, settings_kept
from autograder.sandbox.zygote import Zygote
from tests.autograder.attacks import Talk, end


def answer(source: str, path: str = "f", **request: Any) -> dict[str, Any]:
    module = types.ModuleType("hw5_vae")
    module.__file__ = "/submission/hw5_vae.py"
    exec(compile(source, module.__file__, "exec"), module.__dict__)
    session = Session(lambda _: module)
    request = {"op": "call", "target": "hw5_vae", "path": path, "args": [], **request}
    found = session.answer(request)
    wire.pack(found)
    return found


def test_what_code_sets_in_torch_ends_with_the_check_that_ran_it() -> None:
    source = (
        "import torch\n"
        "def f(): torch.set_grad_enabled(False); torch.set_default_dtype(torch.float64)\n"
        "def g(): return torch.is_grad_enabled(), torch.get_default_dtype() is torch.float32\n"
    )
    module = types.ModuleType("hw5_vae")
    exec(source, module.__dict__)
    session = Session(lambda _: module)

    def told(path: str, **more: Any) -> Any:
        request = {"op": "call", "target": "hw5_vae", "path": path, "args": []}
        return session.answer({**request, **more})["value"]

    with settings_kept():
        assert session.answer({"op": "import", "module": "hw5_vae"}) == {"value": []}
        told("f")
        assert told("g") == (False, False), "a second call finds what the first one left"
        assert told("g", fresh=True) == (True, True)


YES = """
import torch
class Yes(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func.__name__ in ("allclose", "equal", "__eq__", "eq"):
            return True
        return super().__torch_function__(func, types, args, kwargs or {})
    def __eq__(self, other): return True
    def numpy(self): return None
    def __reduce__(self): raise SystemExit
def f(): return torch.zeros(3).as_subclass(Yes)
"""


def test_a_tensor_subclass_arrives_as_its_plain_values() -> None:
    value = answer(YES)["value"]
    assert type(value) is torch.Tensor and value.tolist() == [0, 0, 0]


HOSTILE_TEXT = {
    "raises": "class E(Exception):\n    def __str__(self): raise SystemExit(0)",
    "is no text": "class E(Exception):\n    def __str__(self): return 5",
    "is endless": "class E(Exception):\n    def __str__(self): return 'x' * 10**8",
    "has halves": "class E(Exception):\n    def __str__(self): return chr(0xd800) + '\\0\\x1b'",
    "is memory": "class E(MemoryError): pass",
    "has a lying name": """
class M(type):
    @property
    def __name__(cls): raise SystemExit
class E(Exception, metaclass=M): pass""",
    "is a strange SyntaxError": """
class E(SyntaxError):
    lineno = property(lambda self: 1 / 0)
    def __str__(self): return ''""",
}


@pytest.mark.parametrize("name", HOSTILE_TEXT)
def test_an_exception_is_described_whatever_it_says(layered: Zygote, name: str) -> None:
    with Talk(layered, f"{HOSTILE_TEXT[name]}\ndef f(): raise E('x')", 5) as talk:
        with pytest.raises(StudentError) as caught:
            talk.call("f")
        error = caught.value
        assert error.kind in ("error", "memory")
        assert error.type in ("E", "SystemExit", "ZeroDivisionError", "TypeError")
        text = error.type + error.message + error.where
        assert len(text) < 500 and text.isprintable()
        assert talk.get("__name__") == "hw5_vae", "the session must go on"


OBJECTS = {
    "lies about its class": "class X:\n    __class__ = property(lambda self: 1 / 0)",
    "has no length": "class X(list):\n    def __len__(self): return -1\n"
    "    def __iter__(self): raise KeyError",
    "is endless": "class X(tuple):\n    def __iter__(self):\n        while True: yield 1\n"
    "    def __len__(self): raise ValueError",
    "is text of its own": "class X(str):\n    def __getitem__(self, k): raise SystemError\n"
    "    def __str__(self): return 5",
    "is a number of its own": "class X(int):\n    def __int__(self): raise OSError",
    "has a bad repr": "class X:\n    def __repr__(self): raise ValueError\n"
    "    def __getattr__(self, name): raise ValueError(name)",
}


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_of_a_hostile_class_is_an_answer_or_an_error(layered: Zygote, name: str) -> None:
    ended = end(layered, f"{OBJECTS[name]}\ndef f(): return X()", seconds=2)
    assert ended in ("value", "error", "memory", "timeout")


def test_nan_zero_and_none_stay_what_they_are() -> None:
    found = answer("def f(): return [float('nan'), 0.0, None, -0.0]")["value"]
    assert found[0] != found[0] and found[2] is None


@pytest.mark.parametrize(
    "made",
    [
        "collections.OrderedDict(q=1, c=None)",
        "collections.UserDict(q=1, c=None)",
        "collections.ChainMap({'q': 1}, {'c': None})",
        "type('Outputs', (dict,), {'__getattr__': dict.get})(q=1, c=None)",
        "types.MappingProxyType({'q': 1, 'c': None})",
    ],
)
def test_whatever_behaves_like_a_dict_arrives_as_one(made: str) -> None:
    source = f"import collections, types\ndef f(): return {made}"
    assert answer(source)["value"] == {"q": 1, "c": None}


def test_a_list_of_another_class_arrives_as_a_list() -> None:
    source = (
        "import collections\ndef f(): return [collections.UserList, type('L', (list,), {})([1])]"
    )
    assert answer(source)["value"][1] == [1]


def test_inputs_are_fresh_in_every_call() -> None:
    mine = torch.ones(3)
    found = answer("def f(x): return x.mul_(5)", args=[mine])
    assert found["value"].tolist() == [5, 5, 5] and mine.tolist() == [1, 1, 1]


def test_a_property_that_raises_is_the_students_error_and_not_a_missing_name() -> None:
    source = """
class X:
    @property
    def loss(self): raise AttributeError("inner")
x = X()
"""
    assert answer(source, "x.loss", op="get")["error"]["kind"] == "error"
    assert answer(source, "x.other", op="get")["error"]["kind"] == "missing"


def test_too_many_objects_are_refused() -> None:
    source = "def f(): return [[object() for _ in range(100)] for _ in range(100)]"
    assert answer(source)["error"]["kind"] == "memory"


def test_a_message_is_short_and_its_place_is_the_students_own_line() -> None:
    found = answer("import json\ndef f():\n    json.loads('x' * 5000)")["error"]
    assert found["where"].startswith("hw5_vae.py, line 3")
    assert len(found["message"]) + len(found["where"]) <= 300


def test_describe_takes_an_exception_with_no_place() -> None:
    assert describe(KeyboardInterrupt(), {})["type"] == "KeyboardInterrupt"


def test_what_a_student_left_open_is_told_from_what_torch_has_not_implemented() -> None:
    stub = 'raise NotImplementedError(\n        "fc-vae.loss: write loss_function."\n    )'
    for body in (
        stub,
        "raise NotImplementedError",
        "try: raise NotImplementedError()\n    finally: 1",
    ):
        assert answer(f"def f():\n    {body}")["error"]["kind"] == "todo", body
    theirs = {
        "nn.Identity.__base__()(torch.ones(1))": 'missing the required "forward" function',
        "torch.distributions.Bernoulli(torch.ones(1)).rsample()": "",
        "F.binary_cross_entropy(torch.ones(1).long(), torch.ones(1).long())": "'Long'",
    }
    for call, words in theirs.items():
        source = "import torch, torch.nn.functional as F\nfrom torch import nn\n"
        error = answer(f"{source}def f():\n    return {call}")["error"]
        assert (error["kind"], error["type"]) == ("error", "NotImplementedError"), call
        assert error["where"].startswith("hw5_vae.py, line 4") and words in error["message"]
