"""The import rule: what of a student's file runs, what is left out, and what each end costs."""

from __future__ import annotations

import codecs
import sys
import time

import pytest
import torch

from autograder.checking.proxy import Lost, StudentError
from autograder.inside.cpu import GPU_NOTE, KINDS
from autograder.inside.loader import STATEMENT_SECONDS
from autograder.inside.source import decode
from autograder.sandbox.zygote import Zygote
from tests.autograder.attacks import Talk, busy_core


def loaded(zygote: Zygote, source: str | bytes, **others: bytes) -> Talk:
    return Talk(zygote, source, **others)


def names(zygote: Zygote, source: str | bytes, wanted: str) -> dict[str, object]:
    """The values that the wanted names have after the import; absent ones are left out."""
    found: dict[str, object] = {}
    with loaded(zygote, source) as talk:
        talk.notes()
        for name in wanted.split():
            try:
                found[name] = talk.get(name)
            except StudentError as error:
                assert error.kind == "missing"
    return found


def test_definitions_and_assignments_run_and_bare_statements_do_not(layered: Zygote) -> None:
    source = """
import math as m
from collections import (
    OrderedDict as O,
)
a = b = 1
c: int = 2
d: int
a += 10
(e, *g) = [3, 4, 5]
x = {}
x["k"] = 6
ran = []
ran.append("call")
print("call")
for i in range(3):
    ran.append("loop")
while True:
    ran.append("loop")
with open("/nowhere") as file:
    ran.append("with")
del a
assert False
raise SystemExit
"""
    source = source.replace("raise SystemExit\n", "")
    found = names(layered, source, "a b c d e g x ran i")
    assert found == {"a": 11, "b": 1, "c": 2, "e": 3, "g": [4, 5], "x": {"k": 6}, "ran": []}


def test_branches_are_walked_and_filtered_alike(layered: Zygote) -> None:
    source = """
try:
    import no_such_package as p
except ImportError:
    p = None
    print("x")
else:
    p = 1
finally:
    z = 3
if True:
    y = 1
    exit()
else:
    y = 2
if __name__ == "__main__":
    main = 1
"""
    assert names(layered, source, "p y z main") == {"p": None, "y": 1, "z": 3}


def test_decorators_and_class_bodies_run(layered: Zygote) -> None:
    source = """
import functools
def twice(f):
    @functools.wraps(f)
    def g(*a): return 2 * f(*a)
    return g
@twice
def f(): return 21
class C:
    table = [f() for _ in range(2)]
    class D: pass
value = f()
"""
    assert names(layered, source, "value C.table") == {"value": 42, "C.table": [42, 42]}


def test_a_failing_assignment_is_noted_and_the_rest_is_there(layered: Zygote) -> None:
    with loaded(layered, "a = 1\nb = a / 0\nc = 3\n") as talk:
        (note,) = talk.notes()
        assert "Line 2" in note and "ZeroDivisionError" in note
        assert talk.get("c") == 3


def test_a_failing_definition_costs_its_own_name_alone(layered: Zygote) -> None:
    source = "class VAE(Nowhere):\n    pass\ndef loss_function():\n    return 1\n"
    with loaded(layered, source) as talk:
        (note,) = talk.notes()
        assert "Line 1" in note and "Nowhere" in note
        assert talk.call("loss_function") == 1
        with pytest.raises(StudentError, match="Nowhere") as caught:
            talk.call("VAE")
        assert caught.value.kind == "error" and "line 1" in caught.value.where


def test_a_missing_package_costs_only_its_use(layered: Zygote) -> None:
    source = """
import no_such_package, math
import no_such_package.sub as sub
from no_such_package import thing, other as o
from math import sqrt, no_such_name
from no_such_package import *
def f(): return math.sqrt(4) + sqrt(9)
def g(): return thing(1)
def h(): return sub.anything
"""
    with loaded(layered, source) as talk:
        assert len(talk.notes()) == 5
        assert talk.call("f") == 5
        for name in "gh":
            with pytest.raises(StudentError, match="no_such_package"):
                talk.call(name)


def test_future_imports_hold_for_the_whole_file(layered: Zygote) -> None:
    source = '"""Text."""\nfrom __future__ import annotations\ndef f(x: Nowhere = 0): return 1\n'
    with loaded(layered, source) as talk:
        assert talk.notes() == [] and talk.call("f") == 1


@pytest.mark.parametrize(
    "bottom",
    [
        "main()",
        "losses = main()",
        "losses, rest = main(), 1",
        "for epoch in range(10**9): main()",
        "if __name__ == '__main__':\n    main()",
        "if True:\n    result = main()",
    ],
)
def test_training_at_the_bottom_neither_hangs_nor_fails(layered: Zygote, bottom: str) -> None:
    source = (
        f"import time\ndef main():\n    while True: time.sleep(1)\ndef f(): return 1\n{bottom}\n"
    )
    with loaded(layered, source) as talk:
        began = time.monotonic()
        talk.notes()
        assert time.monotonic() - began < 8
        assert talk.call("f") == 1


@pytest.mark.parametrize("way", ["import time\nsleep = time.sleep", "\nfrom time import sleep"])
def test_sleep_is_charged_while_a_file_loads_and_not_waited_for(layered: Zygote, way: str) -> None:
    began = time.monotonic()
    with loaded(layered, f"{way}\na = sleep(1)\nb = sleep(1000)\nc = sleep(0.5)\n") as talk:
        notes = talk.notes()
        assert [("Line 4" in note, "takes too long" in note) for note in notes] == [(True, True)]
        assert talk.get("c") is None
    assert time.monotonic() - began < 1


@pytest.mark.daily("patience")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux pins to a core")
def test_a_busy_machine_leaves_out_no_line(layered: Zygote) -> None:
    source = """
import time
def work():
    ends = time.process_time() + 1
    while time.process_time() < ends: pass
x = work()
"""
    with loaded(layered, source) as talk, busy_core(talk.child.pid):
        began = time.monotonic()
        assert talk.notes() == []
        assert time.monotonic() - began > 2 * STATEMENT_SECONDS, "the core was not busy"


@pytest.mark.daily("patience")
def test_many_long_statements_share_one_patience(layered: Zygote) -> None:
    source = (
        "def train():\n    while True: pass\n" + "loss = train()\n" * 20 + "def f(): return 1\n"
    )
    with loaded(layered, source) as talk:
        assert "takes too long" in talk.notes()[0]
        assert talk.call("f") == 1


def test_a_loop_that_swallows_everything_is_a_timeout(layered: Zygote) -> None:
    source = """
def forever():
    while True:
        try:
            while True: pass
        except BaseException: pass
x = forever()
"""
    with loaded(layered, source) as talk:
        talk.ask = talk.child.send(1)
        with pytest.raises(Lost) as caught:
            talk.notes()
        assert caught.value.state == "timeout"


def test_the_other_file_of_the_submission_can_be_imported(layered: Zygote) -> None:
    gan = b"import hw5_vae\nvalue = 7\ndef g(): return hw5_vae.x\n"
    source = (
        "x = 1\nimport hw5_gan\nfrom hw5_gan import value as v\ndef f(): return hw5_gan.g() + v\n"
    )
    with loaded(layered, source, hw5_gan=gan) as talk:
        assert talk.notes() == [] and talk.call("f") == 8


def test_the_other_file_may_be_broken(layered: Zygote) -> None:
    source = "import hw5_gan\ndef f(): return 1\n"
    with loaded(layered, source, hw5_gan=b"def g(:\n") as talk:
        assert "hw5_gan" in talk.notes()[0] and talk.call("f") == 1


def test_the_given_module_is_ours_and_its_loaders_are_doubles(layered: Zygote) -> None:
    source = """
from hw5_utils import *
from hw5_utils import load_mnist, no_such_helper
import hw5_utils
images, labels = load_mnist()
theirs = hasattr(hw5_utils, "THEIRS")
def f(): return list(images.shape) + [theirs]
"""
    with loaded(layered, source, hw5_utils=b"THEIRS = 1\n") as talk:
        (note,) = talk.notes()
        assert "no_such_helper" in note
        assert talk.call("f") == [64, 1, 28, 28, False]


@pytest.mark.parametrize("package", ["torchvision", "matplotlib.pyplot as plt", "tqdm", "numpy"])
def test_usual_packages_import(layered: Zygote, package: str) -> None:
    with loaded(layered, f"import {package}\nfrom tqdm import tqdm\nx = 1\n") as talk:
        notes = talk.notes()
        assert notes == [] or "torchvision" in package
        assert talk.get("x") == 1


def test_figures_bars_and_loader_workers_work(layered: Zygote) -> None:
    source = """
import torch, matplotlib.pyplot as plt
from torch.utils.data import DataLoader, TensorDataset
from tqdm.auto import tqdm
def f():
    data = TensorDataset(torch.arange(8.0))
    total = 0.0
    for (x,) in tqdm(DataLoader(data, 4, num_workers=4, persistent_workers=True, timeout=3)):
        total += float(x.sum())
    plt.plot([1, 2]); plt.savefig("figure.png"); plt.show()
    return total
"""
    with loaded(layered, source) as talk:
        assert talk.notes() == [] and talk.call("f") == 28.0


SOURCES = {
    "a byte-order mark": codecs.BOM_UTF8 + "x = 'é'\n".encode(),
    "Latin-1": "x = 'é'  # caf\u00e9\n".encode("latin-1"),
    "UTF-16": "x = 'é'\n".encode("utf-16"),
    "a cookie": "# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1"),
    "another cookie": "# coding: cp1252\nx = 'é'\n".encode("cp1252"),
    "an absurd cookie": "# coding: rot13\nx = 'é'\n".encode("latin-1"),
    "CRLF": "if True:\r\n    x = 'é'\r\n".encode(),
    "old Mac ends": "if True:\r    x = 'é'\r".encode(),
    "tabs": "if True:\n\tx = 'é'\n".encode(),
    "a form feed": "\x0cx = 'é'\n".encode(),
    "no newline at the end": "x = 'é'".encode(),
}


@pytest.mark.parametrize("name", SOURCES)
def test_encodings_and_ends_of_lines(layered: Zygote, name: str) -> None:
    assert names(layered, SOURCES[name], "x") == {"x": "é"}


def test_chinese_comments_in_their_own_encoding_are_read() -> None:
    assert "中文" in decode("# coding: gbk\n# 中文\n".encode("gbk"))


def test_an_empty_file_is_a_module_without_names(layered: Zygote) -> None:
    for source in (b"", b"\n\n", b"# nothing\n"):
        with loaded(layered, source) as talk:
            assert talk.notes() == []
            with pytest.raises(StudentError, match="has no `VAE`"):
                talk.call("VAE")


BROKEN = {
    "a syntax error": (b"x = 1\ndef f(:\n    pass\n", "line 2: def f(:"),
    "a bad indent": (b"x = 1\n  y = 2\n", "line 2"),
    "NUL bytes": (b"x = 1\0\n", ""),
    "many parentheses": (b"x = " + b"(" * 100_000 + b")" * 100_000, ""),
    "Python 2": (b"print 'x'\n", "line 1"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_does_not_parse_is_an_error_with_its_place(layered: Zygote, name: str) -> None:
    source, where = BROKEN[name]
    with loaded(layered, source) as talk:
        with pytest.raises(StudentError) as caught:
            talk.notes()
        assert where in caught.value.where
        with pytest.raises(StudentError):
            talk.notes()  # the second import is as broken as the first


@pytest.mark.parametrize("opening", ["(", "-", "[", "{1:", "lambda:", "not ", "f("])
def test_a_nest_of_900_kilobytes_harms_nobody(layered: Zygote, opening: str) -> None:
    source = b"x = " + opening.encode() * (900_000 // len(opening)) + b"1"
    with loaded(layered, source) as talk, pytest.raises((StudentError, Lost)) as caught:
        talk.notes()
    if isinstance(caught.value, Lost):
        assert caught.value.state in ("crashed", "memory", "timeout")
    assert names(layered, "x = 1", "x") == {"x": 1}


def test_notebook_magics_are_left_out_with_a_note(layered: Zygote) -> None:
    source = """%matplotlib inline
!pip install torch
import torch
def f():
    %time x = 1
    return 1
get_ipython().run_line_magic("matplotlib", "inline")
x = 10
y = (x
    % 3)
"""
    with loaded(layered, source) as talk:
        assert "notebook" in talk.notes()[0]
        assert talk.call("f") == 1


def test_a_magic_does_not_hide_a_syntax_error(layered: Zygote) -> None:
    with loaded(layered, "%matplotlib inline\ndef f(:\n") as talk:
        with pytest.raises(StudentError) as caught:
            talk.notes()
        assert caught.value.type == "SyntaxError"


NAMED = {
    "to": "def f(x): return x.to('GPU') + 1",
    "to a numbered one": "def f(x): return x.to('GPU:0') + 1",
    "to one of many": "def f(x, n=0): return x.to(f'GPU:{n}', torch.float32) + 1",
    "to by keyword": "def f(x): return x.to(device='GPU', non_blocking=True) + 1",
    "a device": "def f(x): return torch.ones(2, device='GPU') + x",
    "a default": "def f(x, device=torch.device('GPU')): return x.to(device) + 1",
    "a device and a number": "def f(x): return x.to(torch.device('GPU', 0)) + 1",
    "a constant": "DEVICE = torch.device('GPU')\ndef f(x): return x.to(device=DEVICE) + 1",
    "a module": "def f(x):\n    net = nn.Identity().to('GPU')\n    return net(x) + 1",
    "a parameter": "def f(x):\n    nn.Linear(2, 2, device='GPU')\n    return x.to('GPU') + 1",
    "a type by name": "def f(x): return x.type('torch.GPU.FloatTensor') + 1",
    "like": "def f(x): return torch.ones_like(x, device='GPU') + x",
    "new": "def f(x): return x.new_ones(2, device='GPU') + x",
    "noise": """
def f(x):
    generator = torch.Generator(device="GPU").manual_seed(0)
    return x + 1 + 0 * torch.randn(2, device="GPU", generator=generator)
""",
    "a default device": """
def f(x):
    torch.set_default_device("GPU")
    return torch.ones(2) + x
""",
    "a device for a while": """
def f(x):
    with torch.device("GPU"):
        return torch.ones(2) + x
""",
    "a default type": """
def f(x):
    torch.set_default_tensor_type("torch.GPU.FloatTensor")
    return torch.ones(2) + x
""",
    "mixed precision": """
def f(x):
    w = torch.ones(2, device="GPU", requires_grad=True)
    sgd, scaler = torch.optim.SGD([w], 1.0), torch.amp.GradScaler("GPU")
    with torch.autocast(device_type="GPU", dtype=torch.float16):
        loss = -(w * x).sum()
    scaler.scale(loss).backward()
    scaler.step(sgd)
    scaler.update()
    return w.detach()
""",
    "weights kept and read": """
def f(x):
    torch.save({"x": x}, "best.pt")
    return torch.load("best.pt", map_location="GPU")["x"] + 1
""",
    "weights read from another machine": """
def f(x):
    torch.save(x, "best.pt")
    return torch.load("best.pt", map_location={"GPU:1": "GPU:0"}) + 1
""",
}
ONLY_CUDA = {
    "a method": "def f(x): return x.cuda() + 1",
    "a method with a number": "def f(x): return x.cuda(0, non_blocking=True) + 1",
    "a module's method": "def f(x):\n    net = nn.Identity().cuda()\n    return net(x.cuda()) + 1",
    "xpu": "def f(x): return x.xpu() + 1",
    "a type": "dtype = torch.cuda.FloatTensor\ndef f(x): return x.type(dtype) + 1",
    "a type that is called": "def f(x): return torch.cuda.FloatTensor([1, 1]) + x",
    "a default type itself": """
def f(x):
    torch.set_default_tensor_type(torch.cuda.FloatTensor)
    return torch.ones(2) + x
""",
}
ASKING = {name: [source.replace("GPU", gpu) for gpu in KINDS] for name, source in NAMED.items()}


@pytest.mark.parametrize("name", [*ASKING, *ONLY_CUDA])
def test_code_that_asks_for_a_gpu_runs_on_the_cpu_and_is_told(layered: Zygote, name: str) -> None:
    sources = ASKING.get(name) or [ONLY_CUDA[name]]
    written = [source.replace("def f(", f"def f{n}(") for n, source in enumerate(sources)]
    head = "import torch\nfrom torch import nn\n"
    with loaded(layered, head + "\n".join(written)) as talk:
        assert talk.notes() == [GPU_NOTE]
        for n in range(len(written)):
            assert talk.call(f"f{n}", torch.ones(2)).tolist() == [2, 2]


GUARDED = {
    "cuda or cpu": """
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
if torch.cuda.is_available():
    other = "cuda:0"
    torch.cuda.manual_seed(1)
""",
    "cuda, mps or cpu": """
if torch.cuda.is_available():
    device = "cuda"
elif torch.backends.mps.is_available() and torch.backends.mps.is_built():
    device = "mps"
else:
    device = "cpu"
""",
    "xpu or cpu": "device = 'xpu' if hasattr(torch, 'xpu') and torch.xpu.is_available() else 'cpu'",
    "whatever there is": """
device = "cpu"
if torch.accelerator.is_available():
    device = torch.accelerator.current_accelerator().type
""",
    "whatever there is, unasked": "device = torch.accelerator.current_accelerator()",
    "ours": "from hw5_utils import default_device\ndevice = default_device()",
}


@pytest.mark.parametrize("name", GUARDED)
def test_code_that_asks_whether_there_is_a_gpu_is_told_nothing(layered: Zygote, name: str) -> None:
    source = f"import torch\n{GUARDED[name]}\ndef f(x): return x.to(device) + 1\n"
    with loaded(layered, source) as talk:
        assert talk.notes() == []
        assert talk.call("f", torch.ones(2)).tolist() == [2, 2]


def test_upkeep_of_a_gpu_does_nothing_where_there_is_none(layered: Zygote) -> None:
    source = """
import torch
def f(x):
    for gpu in (torch.cuda, torch.mps, torch.xpu):
        gpu.manual_seed(1)
        gpu.set_rng_state(gpu.get_rng_state())
        gpu.synchronize()
        gpu.empty_cache()
        start, end = gpu.Event(enable_timing=True), gpu.Event(enable_timing=True)
        start.record()
        end.record()
        seconds = start.elapsed_time(end) / 1000
        assert not gpu.is_available() and gpu.device_count() == seconds == 0
    torch.cuda.set_device(0)
    torch.cuda.reset_peak_memory_stats()
    torch.backends.cudnn.benchmark = True
    used = torch.cuda.memory_allocated() + torch.mps.current_allocated_memory()
    print(f"{torch.cuda.get_device_name(0)}: {used / 2**30:.1f} GB")
    torch.accelerator.synchronize()
    with torch.cuda.device(0), torch.cuda.stream(torch.cuda.Stream()), torch.cuda.amp.autocast():
        return x.pin_memory() + torch.ones(2, device=torch.accelerator.current_accelerator())
"""
    with loaded(layered, source) as talk:
        assert talk.notes() == []
        assert talk.call("f", torch.ones(2)).tolist() == [2, 2]


EXITS = ["raise SystemExit", "exit()", "import sys; sys.exit(0)", "raise KeyboardInterrupt"]


@pytest.mark.parametrize("how", EXITS)
@pytest.mark.parametrize("where", ["class C:\n    {}", "def d(f):\n    {}\n@d\ndef g(): pass"])
def test_leaving_while_the_file_loads_is_an_error(layered: Zygote, how: str, where: str) -> None:
    with loaded(layered, where.format(how)) as talk:
        with pytest.raises(StudentError) as caught:
            talk.notes()
        assert caught.value.type in ("SystemExit", "KeyboardInterrupt", "NameError")


@pytest.mark.parametrize(
    ("how", "state"),
    [
        ("__import__('os')._exit(0)", "crashed"),
        ("__import__('os').abort()", "crashed"),
        ("__import__('ctypes').string_at(0)", "crashed"),
    ],
)
def test_ending_the_process_while_the_file_loads(layered: Zygote, how: str, state: str) -> None:
    for source in (f"x = {how}\n", f"class C:\n    {how}\n"):
        with loaded(layered, source) as talk:
            with pytest.raises(Lost) as caught:
                talk.notes()
            assert caught.value.state == state
