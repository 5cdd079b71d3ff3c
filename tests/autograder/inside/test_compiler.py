"""torch without its compiler, in a process of its own: what another test imports would hide it."""

from __future__ import annotations

import subprocess
import sys

import pytest

BEGIN = """
import inspect, sys, torch
from autograder.inside.compiler import without_compiler
without_compiler()
weight = torch.nn.Parameter(torch.ones(1))
optimizer = torch.optim.Adam([weight], lr=0.1)
weight.sum().backward()
optimizer.step()
optimizer.zero_grad()
assert abs(weight.item() - 0.9) < 1e-4
inspect.getmodule(type(weight))  # it looks at all modules
import hw5_data
hw5_data._torchvision()
assert "torch._dynamo.eval_frame" not in sys.modules
"""


@pytest.mark.parametrize(
    "use",
    [
        "import torch._dynamo.config as config; config.suppress_errors = True",
        "assert torch.compile(lambda x: 2 * x, backend='eager')(weight) == 2 * weight",
    ],
)
def test_optimizers_do_without_it_and_whoever_asks_for_it_has_it(use: str) -> None:
    command = [sys.executable, "-c", BEGIN + use]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
