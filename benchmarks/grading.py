"""What confinement costs: seed 003's twelve checks, by this kit and by others, in one run.

    python benchmarks/grading.py [--submissions 50] [--others 3]

Every row grades the same right submission so many times with the same twelve calls, one job.
`floor` is the least a grader could do: one process, torch loaded, a fork per submission, the
checks compiled in, nothing confined. CPU seconds are user and system of all processes involved,
start-up and the reference's own computing included; the ratio to the floor is what counts.
`nbgrader`, `otter-grader` and `gradescope-utils` are run where they are installed, on fewer
submissions.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from autograder.checking.reference import GIVEN  # noqa: E402

FILES = {name: (ROOT / name).read_bytes() for name in ("hw5_vae.py", "hw5_gan.py")}

CHECKS = """
import torch
import torch.nn.functional as F

REAL = [0.93487311, -1.01698916, -0.57304769, -0.88162704, -1.40129389,
        -1.45395693, -1.54239755, -0.57273325, 0.98584429, 0.13312152]
FAKE = [-1.80865868, 0.09030055, -0.4428902, -0.07879368, -0.37655044,
        0.32084742, -0.28590837, 1.01376281, 0.99241439, 0.39394346]

def near(a, b, tolerance=1e-5):
    return abs(float(a) - float(b)) <= tolerance * max(abs(float(b)), 1e-12)

def count(model):
    return sum(p.numel() for p in model.parameters())

def reparametrize(v, g):
    torch.manual_seed(0)
    z = v.reparametrize(torch.zeros(1, 15), torch.ones(1, 15))
    return near(z.mean(), -0.4363, 1e-3) and near(z.std(), 1.6860, 1e-3)

def loss(v, g):
    a = torch.sigmoid(torch.tensor([[[[2.0, 5.0], [6.0, 7.0]]]]))
    b = torch.sigmoid(torch.tensor([[[[1.0, 10.0], [9.0, 3.0]]]]))
    return near(v.loss_function(a, b, torch.ones(1, 15), torch.zeros(1, 15)), 8.5079, 1e-4)

def vae(v, g):
    x_hat, mu, logvar = v.VAE(784)(torch.rand(2, 1, 28, 28))
    return x_hat.shape == (2, 1, 28, 28) and mu.shape == logvar.shape == (2, 15)

def cvae(v, g):
    x_hat, mu, logvar = v.CVAE(784)(torch.rand(2, 1, 28, 28), torch.eye(10)[:2])
    return x_hat.shape == (2, 1, 28, 28) and mu.shape == logvar.shape == (2, 15)

def noise(v, g):
    z = g.sample_noise(3, 4)
    return z.shape == (3, 4) and bool((z.abs() <= 1).all())

def discriminator(v, g):
    return count(g.discriminator()) == 267009

def generator(v, g):
    return count(g.generator(4)) == 1858320

def d_loss(v, g):
    return near(g.discriminator_loss(torch.tensor(REAL), torch.tensor(FAKE)), 1.8423983904443109)

def g_loss(v, g):
    return near(g.generator_loss(torch.tensor(FAKE)), 0.771286196423346)

def optimizer(v, g):
    solver = g.get_optimizer(torch.nn.Linear(2, 2))
    return solver.defaults["lr"] == 1e-3 and solver.defaults["betas"] == (0.5, 0.999)

def dc_classifier(v, g):
    return count(g.build_dc_classifier()) == 1102721

def dc_generator(v, g):
    return count(g.build_dc_generator(4)) == 6580801

TWELVE = [reparametrize, loss, vae, cvae, noise, discriminator, generator, d_loss, g_loss,
          optimizer, dc_classifier, dc_generator]
"""


def main() -> int:
    """Measure every grader that is here and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--submissions", type=int, default=50, help="for the floor and this kit")
    parser.add_argument("--others", type=int, default=3, help="for the other graders; 0: none")
    parser.add_argument("--repeat", type=int, default=3, help="runs of floor and kit, in turn")
    arguments = parser.parse_args()
    n = arguments.submissions
    floors, ours = [], []
    for _ in range(arguments.repeat):
        floors.append(_cpu([sys.executable, __file__, "floor", str(n)]))
        ours.append(_cpu([sys.executable, __file__, "kit", str(n)], add_printed=True))
    floor = statistics.median(floors) / n
    rows = [("floor", floor, n), ("this kit, every layer on", statistics.median(ours) / n, n)]
    if arguments.others:
        for name, grader in OTHERS.items():
            with tempfile.TemporaryDirectory() as folder:
                cost = grader(Path(folder), arguments.others)
            if cost is not None:
                rows.append((name, cost, arguments.others))
    print(f"{'grader':28} {'CPU s / submission':>18} {'times the floor':>16} {'n':>4}")
    for name, cost, count in rows:
        print(f"{name:28} {cost:18.3f} {cost / floor:16.2f} {count:4}")
    pairs = ", ".join(f"{a / b:.2f}" for a, b in zip(ours, floors, strict=True))
    print(f"kit / floor, run by run: {pairs}")
    return 0


def floor(n: int) -> None:
    """One process, a fork per submission, results as JSON over a pipe."""
    torch.set_num_threads(1)
    torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))])
    sys.path.insert(0, str(ROOT))
    import hw5_utils  # noqa: F401 (loaded once, as the kit's worker does)

    space: dict[str, object] = {}
    exec(compile(CHECKS, "checks", "exec"), space)
    sources = {name: compile(data, name, "exec") for name, data in FILES.items()}
    for _ in range(n):
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            modules = []
            for name, code in sources.items():
                module = type(sys)(name.removesuffix(".py"))
                module.__file__ = str(ROOT / name)
                exec(code, module.__dict__)
                modules.append(module)
            verdicts = [bool(check(*modules)) for check in space["TWELVE"]]
            os.write(write, json.dumps(verdicts).encode())
            os._exit(0)
        os.close(write)
        data = b""
        while part := os.read(read, 1 << 16):
            data += part
        os.close(read)
        os.waitpid(pid, 0)
        assert all(json.loads(data)) and len(json.loads(data)) == 12


def kit(n: int) -> None:
    """The same calls by this kit's judge: warm worker, every layer, values over the wire."""
    sys.path.insert(0, str(ROOT))
    from autograder.assignment import Part, Question
    from autograder.checking.reference import Reference
    from autograder.grading.judge import judge
    from autograder.sandbox.zygote import Zygote

    torch.set_num_threads(1)
    checks = _twelve()
    parts = [
        Part(module, module, module, 1.0, (Question("q", "q", 1.0, "code"),))
        for module in ("hw5_vae", "hw5_gan")
    ]
    reference = Reference()
    with Zygote() as zygote:
        if zygote.doctor.missing:
            print(f"not every layer is on: {zygote.doctor.missing}", file=sys.stderr)
        for _ in range(n):
            results = judge(FILES, parts, checks, reference, zygote.open, seed=1)
            assert [result.points for result in results] == [1.0, 1.0], results
        # bubblewrap does not wait for its child, so the system loses count of the worker's time.
        print(zygote.cpu)


def _twelve() -> list:
    """Seed 003's twelve checks, written as checks of this kit."""
    from autograder.checking.expect import close, expect
    from autograder.checking.proxy import set_grads, shapes, stub, weights
    from autograder.checking.registry import Check

    space: dict = {}
    exec(compile(CHECKS, "checks", "exec"), space)
    real, fake = torch.tensor(space["REAL"]), torch.tensor(space["FAKE"])

    def compared(name, *arguments):
        def run(module, ref, rng):
            """The answer is the reference's."""
            close(getattr(module, name)(*arguments), getattr(ref, name)(*arguments), name)

        return run

    def shaped(name, *arguments):
        def run(module, ref, rng):
            """The shapes are right."""
            x_hat, mu, logvar = getattr(module, name)(784)(*arguments)
            expect(x_hat.shape == (2, 1, 28, 28) and mu.shape == logvar.shape == (2, 15), name)

        return run

    def counted(name, count, *arguments):
        def run(module, ref, rng):
            """The number of parameters is right."""
            model = getattr(module, name)(*arguments)
            expect(sum(torch.Size(shape).numel() for shape in shapes(model)) == count, name)

        return run

    def noise(module, ref, rng):
        """Noise lies in [-1, 1]."""
        z = module.sample_noise(3, 4)
        expect(z.shape == (3, 4) and bool((z.abs() <= 1).all()), "noise")

    def optimizer(module, ref, rng):
        """Adam takes the reference's step."""
        steps = []
        for side in (module, ref):
            model = stub(side, torch.ones(2, 2), torch.ones(2))
            solver = side.get_optimizer(model)
            set_grads(model, [torch.ones(2, 2), torch.ones(2)])
            solver.step()
            steps.append(weights(model))
        close(steps[0][0], steps[1][0], "the step")

    a = torch.sigmoid(torch.tensor([[[[2.0, 5.0], [6.0, 7.0]]]]))
    b = torch.sigmoid(torch.tensor([[[[1.0, 10.0], [9.0, 3.0]]]]))
    ones, zeros, x = torch.ones(1, 15), torch.zeros(1, 15), torch.rand(2, 1, 28, 28)
    vae = [
        compared("reparametrize", zeros, ones),
        compared("loss_function", a, b, ones, zeros),
        shaped("VAE", x),
        shaped("CVAE", x, torch.eye(10)[:2]),
    ]
    gan = [
        noise,
        counted("discriminator", 267009),
        counted("generator", 1858320, 4),
        compared("discriminator_loss", real, fake),
        compared("generator_loss", fake),
        optimizer,
        counted("build_dc_classifier", 1102721),
        counted("build_dc_generator", 6580801, 4),
    ]
    return [
        Check(f"{module}.q.{i}", f"{module}.q", module, function, 1.0, (), 10.0)
        for module, functions in (("hw5_vae", vae), ("hw5_gan", gan))
        for i, function in enumerate(functions)
    ]


def fresh_process(folder: Path, n: int) -> float | None:
    """A fresh Python per submission with unittest, the way gradescope-utils is used."""
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    for name in GIVEN:
        shutil.copy(ROOT / f"{name}.py", folder)
    (folder / "twelve.py").write_text(CHECKS)
    (folder / "run_tests.py").write_text(
        textwrap.dedent(
            """
            import unittest
            import hw5_gan, hw5_vae, twelve

            class Twelve(unittest.TestCase):
                pass

            for check in twelve.TWELVE:
                setattr(Twelve, f"test_{check.__name__}",
                        lambda self, check=check: self.assertTrue(check(hw5_vae, hw5_gan)))
            try:
                from gradescope_utils.autograder_utils.json_test_runner import JSONTestRunner
                runner = JSONTestRunner(stream=open("results.json", "w"))
            except ImportError:
                runner = unittest.TextTestRunner()
            result = runner.run(unittest.TestLoader().loadTestsFromTestCase(Twelve))
            assert result.wasSuccessful()
            """
        )
    )
    return sum(_cpu([sys.executable, "run_tests.py"], folder) for _ in range(n)) / n


def nbgrader(folder: Path, n: int) -> float | None:
    """`nbgrader autograde` of a class, twelve test cells in one notebook."""
    if shutil.which("nbgrader") is None and not Path(sys.executable).with_name("nbgrader").exists():
        return None
    nbformat = __import__("nbformat")
    cells = [_cell(nbformat, "import hw5_vae, hw5_gan, twelve", "setup", grade=False)]
    space: dict = {}
    exec(compile(CHECKS, "checks", "exec"), space)
    for check in space["TWELVE"]:
        name = check.__name__
        cells.append(_cell(nbformat, f"assert twelve.{name}(hw5_vae, hw5_gan)", name, grade=True))
    book = nbformat.v4.new_notebook(cells=cells)
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    source = folder / "source" / "hw5"
    source.mkdir(parents=True)
    nbformat.write(book, source / "hw5.ipynb")
    (folder / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.root = '.'\n")
    _cpu([*_tool("nbgrader"), "generate_assignment", "hw5"], folder)
    for i in range(n):
        submitted = folder / "submitted" / f"s{i}" / "hw5"
        shutil.copytree(folder / "release" / "hw5", submitted)
        for name, data in FILES.items():
            (submitted / name).write_bytes(data)
        for name in GIVEN:
            shutil.copy(ROOT / f"{name}.py", submitted)
        (submitted / "twelve.py").write_text(CHECKS)
    return _cpu([*_tool("nbgrader"), "autograde", "hw5"], folder) / n


def _cell(nbformat, source: str, name: str, grade: bool):
    cell = nbformat.v4.new_code_cell(source)
    cell.metadata["nbgrader"] = {
        "schema_version": 3,
        "grade": grade,
        "locked": True,
        "solution": False,
        "task": False,
        "grade_id": name,
        **({"points": 1} if grade else {}),
    }
    return cell


def _tool(name: str) -> list[str]:
    return [sys.executable, "-m", name]


OTHERS: dict[str, Callable[[Path, int], float | None]] = {
    "fresh Python a submission": fresh_process,
    "nbgrader autograde": nbgrader,
}


def _cpu(command: list[str], folder: Path | None = None, add_printed: bool = False) -> float:
    """CPU seconds of a command and everything below it, and those it prints of its own count."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(
            f"{command} failed after {time.monotonic() - started:.0f} s:\n"
            f"{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used + (float(done.stdout) if add_printed else 0.0)


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] in ("floor", "kit"):
        {"floor": floor, "kit": kit}[sys.argv[1]](int(sys.argv[2]))
        sys.exit(0)
    sys.exit(main())
