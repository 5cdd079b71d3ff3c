"""Shows how far right answers stay from being refused, check by check, and mistakes from passing.

    python benchmarks/margins.py fc-vae                        right answers at 100 draws
    python benchmarks/margins.py ae-gan.loss_generator --draws 1000
    python benchmarks/margins.py fc-vae --mistakes --draws 20  what known mistakes differ by

Every comparison of two numbers that a check makes is noted while our solution answers it, and each
style a tenth as often: as smaller / larger, so that it would be decided otherwise beyond 1. Of a
comparison that is always decided alike a line tells how often it was made, the worst ratio, the
second worst, how probable 1 is by two laws fitted to the tenth of draws that is worst, and where
it stands:

    power      P(ratio > r) falls like a power of r (Hill's estimator): where a distance is divided
               by what may be small by chance. Far too careful for normal noise.
    weibull    -log P(ratio > r) grows like a power of r, as for normal noise and its squares.

Neither knows of a ratio that cannot reach 1, a correlation or a share: there, and for the tests of
checking/noise.py, the laws that the docstrings name decide. What stays below 0.1 is rounding, and
not shown; `both ways` is one of several ways that are all right.

With --mistakes: for each mistake the draw at which it was caught least clearly, by the clearest
comparison that it turned round, as larger / smaller, and the draws at which it was missed. A check
ends at the first comparison that refuses: those behind it would often have been clearer.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib.abc
import io
import math
import operator
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from importlib.machinery import PathFinder, SourceFileLoader
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

ROUNDING = 0.1
"""Below this, in all draws, a ratio is a matter of rounding."""
DECIDES = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}

Place = tuple[str, ...]
"""The line of a part's check, and below it the comparison."""
Seen = dict[Place, tuple[float, bool | None]]
"""The ratio nearest to being decided otherwise, and what was decided; None of some numbers this
way and of some that.
"""

seen: Seen = {}


def noted(left: Any, right: Any, sign: str, place: str) -> Any:
    """The comparison itself, written down where it is one of positive numbers."""
    decided = OPERATORS[sign](left, right)
    small, bound = (left, right) if sign in ("<", "<=") else (right, left)
    if isinstance(left, int) and isinstance(right, int):
        return decided  # counts, which no chance moves
    with contextlib.suppress(TypeError, ValueError, RuntimeError):
        ratios = torch.as_tensor(small).double() / torch.as_tensor(bound).double()
        verdict = torch.as_tensor(decided)
        if ratios.numel() and bool((ratios >= 0).all()):
            # Of many numbers all must be within: the one that is furthest away decides.
            holds = bool(verdict.all()) if verdict.all() or not verdict.any() else None
            _note((*_line(), place), float(ratios.max()), holds)
    return decided


def _note(place: Place, ratio: float, holds: bool | None) -> None:
    before = seen.get(place)
    near = abs(math.log(ratio)) if 0 < ratio < math.inf else math.inf
    if before is None or near < abs(math.log(before[0] or 1e-300)):
        seen[place] = (min(ratio, 1e300), holds)


def _line() -> tuple[str, ...]:
    """The nearest line of a part's folder on the way here."""
    frame = sys._getframe(2)
    while frame is not None and "/parts/" not in frame.f_code.co_filename:
        frame = frame.f_back
    if frame is None:
        return ()
    return (f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}",)


class Noting(ast.NodeTransformer):
    """`a < b` becomes `noted(a, b, "<", place)`."""

    def __init__(self, file: str) -> None:
        self._file = Path(file).name

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        sign = DECIDES.get(type(node.ops[0]))
        if sign is None or len(node.ops) > 1:
            return node
        texts = [ast.Constant(sign), ast.Constant(f"{self._file}:{node.lineno}")]
        call = ast.Call(ast.Name("noted", ast.Load()), [node.left, *node.comparators, *texts], [])
        return ast.copy_location(call, node)


class _Loader(SourceFileLoader):
    def get_code(self, fullname: str) -> Any:
        path = self.get_filename(fullname)
        tree = Noting(path).visit(ast.parse(self.get_data(path)))
        return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)

    def exec_module(self, module: Any) -> None:
        module.noted = noted
        super().exec_module(module)


class _Finder(importlib.abc.MetaPathFinder):
    """Loads what decides in checks so that its comparisons are noted."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        spec = None
        if name.startswith(("autograder.checking.", "autograder.parts.")):
            spec = PathFinder.find_spec(name, path)
            if spec and isinstance(spec.loader, SourceFileLoader):
                spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


sys.meta_path.insert(0, _Finder())

from autograder import audit  # noqa: E402
from autograder.checking.expect import Fail, Partial  # noqa: E402
from autograder.checking.here import LocalCode  # noqa: E402
from autograder.checking.proxy import StudentError  # noqa: E402
from autograder.checking.registry import Check  # noqa: E402
from autograder.grading.judge import Run, call, fresh  # noqa: E402


def decided(check: Check, run: Run, seed: int) -> tuple[Seen, bool]:
    """What a check compares at one draw, and whether it passes."""
    seen.clear()
    passed = True
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call(check, fresh(run.send(check.seconds)), audit._reference(), seed)
        except (Fail, Partial, StudentError):
            passed = False
    return dict(seen), passed


def _run(trial: audit.Trial) -> Run:
    module = audit._assignment().part(trial.part).module
    return Run({f"{module}.py": trial.source.encode()}, LocalCode, patience=math.inf)


def _margin(ratio: float) -> float:
    """How many times as far as where it would be decided otherwise."""
    return max(ratio, 1 / ratio) if ratio else math.inf


def power(worst: Sequence[float], share: float) -> float:
    """P(ratio > 1) by a power law; `worst`: the largest ratios, which are so much of all."""
    logs = [math.log(one) for one in worst]
    mean = sum(one - logs[-1] for one in logs[:-1]) / (len(logs) - 1)
    return share * math.exp(logs[-1] / mean) if mean > 0 else 0.0


def weibull(worst: Sequence[float], share: float) -> float:
    """P(ratio > 1) when -log P(ratio > r) is c r^b: a line through the logarithms of both."""
    count = len(worst) / share
    x = [math.log(one) for one in worst]
    y = [math.log(-math.log((i + 0.5) / count)) for i in range(len(worst))]
    mx, my = sum(x) / len(x), sum(y) / len(y)
    spread = sum((a - mx) ** 2 for a in x)
    slope = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True)) / spread if spread else 0.0
    return math.exp(-math.exp(min(my - slope * mx, 700))) if slope > 0 else 1.0


def right_answers(checks: Sequence[Check], part: str, draws: int) -> Iterator[str]:
    """A line for each check, of the comparison that comes nearest to refusing what is right."""
    trials = audit.trials(audit._assignment(), [part])
    solution = next(one for one in trials if one.kind == audit.REFERENCE)
    styles = [one for one in trials if one.kind == audit.STYLE]
    runs = [(_run(solution), draws, None)]
    runs += [(_run(one), max(draws // 10, 1), audit.concerned(one)) for one in styles]
    for check in checks:
        found: dict[Place, list[tuple[float, bool | None]]] = defaultdict(list)
        refused, tried = 0, 0
        for run, times, questions in runs:
            if questions is not None and check.question not in questions:
                continue
            for seed in range(1, times + 1):
                one, passed = decided(check, run, seed)
                refused, tried = refused + (not passed), tried + 1
                for place, what in one.items():
                    found[place].append(what)
        yield _row(check, found, tried, refused)


def _row(
    check: Check, found: dict[Place, list[tuple[float, bool | None]]], tried: int, refused: int
) -> str:
    rows = []
    for place, all_of_it in found.items():
        ways = {holds for _, holds in all_of_it}
        if None in ways:
            continue  # it is no bound: one number is drawn by comparing others
        if len(ways) > 1:
            rows.append((math.nan, f"    {'both ways':>40} {' < '.join(place)}"))
            continue
        ratios = sorted((r if ways == {True} else 1 / r for r, _ in all_of_it), reverse=True)
        if ratios[0] < ROUNDING:
            continue
        worst = [one for one in ratios[: max(len(ratios) // 10, 10)] if one > 0]
        share = len(worst) / len(ratios)
        laws = [law(worst, share) if len(worst) > 5 else 1.0 for law in (power, weibull)]
        numbers = " ".join(f"{p:9.1e}" for p in laws)
        near = ratios[1] if len(ratios) > 1 else ratios[0]
        text = f"{len(ratios):6} {ratios[0]:6.3f} {near:6.3f} {numbers} {' < '.join(place)}"
        rows.append((ratios[0], f"    {text}"))
    head = f"{check.id}: {tried} draws, {refused} refused"
    return "\n".join([head, *(text for _, text in sorted(rows, key=lambda row: -row[0]))])


def mistakes(part: str, questions: set[str], draws: int) -> Iterator[str]:
    """A line for each mistake that a comparison of numbers catches, the least clear first."""
    trials = audit.trials(audit._assignment(), [part])
    solution = next(one for one in trials if one.kind == audit.REFERENCE)
    usual: dict[tuple[str, int], Seen] = {}
    rows = []
    for trial in trials:
        if trial.kind != audit.MISTAKE or not trial.costs & questions:
            continue
        run, ratios, missed = _run(trial), [], []
        own = [one for one in audit._checks(part) if one.question in trial.costs]
        for seed in range(1, draws + 1):
            best = 0.0
            for check in own:
                if best == math.inf:
                    break
                if (check.id, seed) not in usual:
                    usual[check.id, seed] = decided(check, _run(solution), seed)[0]
                found, passed = decided(check, run, seed)
                if passed:
                    continue
                before = usual[check.id, seed]
                other = [
                    _margin(ratio)
                    for place, (ratio, holds) in found.items()
                    if place in before
                    and before[place][1] is not None
                    and before[place][1] != holds
                ]
                best = max(best, *other, 0.0) if other else math.inf
            missed += [seed] if not best else []
            ratios.append(best)
        rows.append((min(ratios), trial.name, missed))
    for least, name, missed in sorted(rows):
        if least < math.inf:
            yield f"{least:10.3g}  {name}" + (f"  missed at {missed}" if missed else "")
    yield f"{sum(one[0] == math.inf for one in rows)} more are caught exactly, at each draw"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("wanted", nargs="+", help="a part, part.question or part.question.check")
    parser.add_argument("--draws", type=int, default=100, help="how often (default: 100)")
    parser.add_argument("--mistakes", action="store_true", help="how clearly mistakes are caught")
    arguments = parser.parse_args(argv)
    for wanted in arguments.wanted:
        part = wanted.partition(".")[0]
        checks = [one for one in audit._checks(part) if f"{one.id}.".startswith(f"{wanted}.")]
        if not checks:
            parser.error(f"no check is called {wanted}")
        questions = {one.question for one in checks}
        rows = (
            mistakes(part, questions, arguments.draws)
            if arguments.mistakes
            else right_answers(checks, part, arguments.draws)
        )
        for row in rows:
            print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
