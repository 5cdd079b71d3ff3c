"""Right answers to the part gan-theory, written otherwise."""

from __future__ import annotations

from ...checking.catalogue import Style

IMPORTS = "import math\nimport numpy as np\n"


def _answer(id: str, expression: str) -> Style:
    return Style(id, f"{IMPORTS}def answer_3e(): return {expression}")


STYLES = (
    _answer("a-list", "[float('inf'), np.inf, 1 / 2, 1]"),
    _answer("a-dict", "{'a': math.inf, 'b': math.inf, 'c': 0.5, 'd': 1}"),
    _answer("an-array", "np.array([np.inf, np.inf, 0.5, 1.0])"),
    _answer("a-tensor", "torch.tensor([torch.inf, torch.inf, 0.5, 1.0])"),
    _answer("tensors", "tuple(map(torch.tensor, (math.inf, math.inf, 0.5, 1)))"),
)
