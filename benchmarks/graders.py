"""What this kit costs beside other graders: the same checks on the same submissions, in one run.

    python benchmarks/graders.py [--submissions 30] [--others 3] [--rounds 3]

Writes benchmarks/GRADERS.md. Every row grades the same right submission so many times with seed
003's twelve calls, one job. `floor` is the least a grader could do: one process, torch loaded, a
fork per submission, the checks compiled in, nothing confined. Wall and CPU are those of all
processes involved, start-up included; memory is the most that they held at a time, shared pages
counted once (proportional set size). Ratios to the floor are what counts: seconds differ between
machines. Of floor and kit it is also said what one more submission costs, start-up and whatever is
done once left out; `--own` measures these alone, prints them and writes nothing.

The others are installed into environments of their own below --envs, which find this environment's
torch, and grade in a fresh process a submission, as each of them does. Hostile samples are run by
them in a box of bubblewrap, without network, with bounds on memory and time.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from autograder.checking.modules import GIVEN  # noqa: E402

TABLE = ROOT / "benchmarks" / "GRADERS.md"
SAMPLES = ROOT / "tests" / "submissions"
NAMES = ("hw5_vae.py", "hw5_gan.py")
FILES = {name: (ROOT / name).read_bytes() for name in NAMES}
HOSTILE = {
    "hostile-yes": "every answer equals everything",
    "hostile-patch": "comparisons are replaced where it runs",
    "hostile-exit": "ends the process",
    "hostile-loop": "loops for ever",
    "hostile-memory": "asks for all memory",
}
"""Samples in which nearly nothing is right, and what they try."""

HOLD_SECONDS = 20
"""CPU seconds after which a hostile sample that holds another grader is ended from outside."""
PATIENCE = 6 * HOLD_SECONDS
"""Seconds on the clock after which it is ended that waits for something."""

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


@dataclass
class Cost:
    """What so many submissions cost: seconds on the clock and of CPU, bytes at the most; and what
    was said last."""

    wall: float
    cpu: float
    memory: float
    n: int = 1
    said: str = ""

    def each(self) -> tuple[float, float, float]:
        """Seconds a submission, twice, and MiB."""
        return self.wall / self.n, self.cpu / self.n, self.memory / (1 << 20)

    def more(self) -> float:
        """CPU seconds of one more submission, as floor and kit say it."""
        return float(self.said)


def main() -> int:
    """Measure every grader in turn, and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--submissions", type=int, default=30, help="for the floor and this kit")
    parser.add_argument("--others", type=int, default=3, help="for each of the other graders")
    parser.add_argument("--rounds", type=int, default=3, help="of floor and kit, in turn")
    parser.add_argument("--own", action="store_true", help="the floor and this kit alone")
    parser.add_argument("--envs", type=Path, default=ROOT / "build" / "graders")
    arguments = parser.parse_args()
    n = arguments.submissions
    # nbgrader calls the program alembic, which is here.
    os.environ["PATH"] = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    own = {"floor": [], "kit": [], **({} if arguments.own else {"bare": []})}
    for number in range(arguments.rounds):
        for name, costs in own.items():
            say(f"round {number + 1}: {name} ...")
            costs.append(measured([sys.executable, __file__, name, str(n)], n=n))
    pairs = [*zip(own["kit"], own["floor"], strict=True)]
    if arguments.own:
        print("\n".join(paired(pairs)))
        return 0
    floor = middle(own["floor"])
    rows = [
        ("the floor: a fork a submission, nothing confined", floor),
        ("this kit, every layer", middle(own["kit"])),
        ("this kit, no layer: the code beside the judge", middle(own["bare"])),
    ]
    ends = {"this kit": {name: _by_the_kit(name) for name in HOSTILE}}
    for name, other in OTHERS.items():
        say(f"{name} ...")
        python = environment(arguments.envs / name, other.packages)
        with tempfile.TemporaryDirectory(prefix="graders-") as folder:
            cost, points = other.grade(python, Path(folder), [FILES] * arguments.others, False)
            assert points == [12.0] * arguments.others, points
        rows.append((f"{name} {_version(python, other.packages[0])}", cost))
        with tempfile.TemporaryDirectory(prefix="graders-") as folder:
            _, points = other.grade(python, Path(folder), [FILES], True)
            assert points == [12.0], f"{name} does not work in the box: {points}"
        ends[name] = {}
        for sample in HOSTILE:
            say(f"{name}: {sample} ...")
            files = {one: (SAMPLES / sample / one).read_bytes() for one in NAMES}
            with tempfile.TemporaryDirectory(prefix="graders-") as folder:
                cost, points = other.grade(python, Path(folder), [files], True)
            ends[name][sample] = _ended(points[0], cost)
    TABLE.write_text("\n".join([*report(rows, floor, ends, pairs), ""]), encoding="utf-8")
    print(TABLE.read_text(encoding="utf-8"))
    return 0


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def middle(costs: Sequence[Cost]) -> Cost:
    """The round of median CPU time."""
    return sorted(costs, key=lambda cost: cost.cpu)[len(costs) // 2]


def report(
    rows: Sequence[tuple[str, Cost]],
    floor: Cost,
    ends: Mapping[str, Mapping[str, str]],
    pairs: Sequence[tuple[Cost, Cost]],
) -> Iterator[str]:
    """The lines of GRADERS.md."""
    yield "# This kit beside other graders"
    yield ""
    yield "Written by `python benchmarks/graders.py`, in one run: seed 003's twelve checks on the"
    yield "same right submission, one job; start-up is divided among the submissions of a row."
    yield "Memory is the most that all processes held at a time, shared pages counted once."
    yield "Seconds differ between machines; the ratios to the floor are what to compare."
    yield ""
    yield "| grader | n | wall, s each | CPU, s each | memory, MiB | wall | CPU | memory |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for name, cost in rows:
        wall, cpu, memory = cost.each()
        times = " | ".join(f"{a / b:.2f}" for a, b in zip(cost.each(), floor.each(), strict=True))
        yield f"| {name} | {cost.n} | {wall:.2f} | {cpu:.2f} | {memory:.0f} | {times} |"
    yield ""
    yield from paired(pairs)
    yield ""
    yield "# Hostile samples"
    yield ""
    yield "Of the twelve checks, how many each grader counts as passed. `no result`: it ended"
    yield f"without a mark. `held`: it was ended from outside, after {HOLD_SECONDS} s of"
    yield f"CPU or {PATIENCE} s on the clock."
    yield ""
    yield f"| sample | what it does | {' | '.join(ends)} |"
    yield f"| --- | --- |{' --- |' * len(ends)}"
    for sample, what in HOSTILE.items():
        yield f"| {sample} | {what} | {' | '.join(found[sample] for found in ends.values())} |"


def paired(pairs: Sequence[tuple[Cost, Cost]]) -> Iterator[str]:
    """How this kit compares with the floor, round by round."""
    more = [(kit.more(), floor.more()) for kit, floor in pairs]
    ratios = [kit / floor for kit, floor in more]
    middle = f"{statistics.median(ratios):.2f}"
    yield "CPU of one more submission, this kit's over the floor's, round by round:"
    yield f"{_listed(ratios)} (median {middle}); in milliseconds"
    yield ", ".join(f"{1000 * kit:.0f} over {1000 * floor:.0f}" for kit, floor in more) + "."
    yield f"Of all, start-up included: {_listed([kit.cpu / floor.cpu for kit, floor in pairs])}."


def _listed(ratios: Sequence[float]) -> str:
    return ", ".join(f"{ratio:.2f}" for ratio in ratios)


def _ended(points: float | None, cost: Cost) -> str:
    found = "no result" if points is None else f"{points:g}"
    # What the watch sees last of a process is a little less than what it was ended for.
    held = cost.cpu >= 0.9 * HOLD_SECONDS or cost.wall >= PATIENCE
    return f"held, then {found}" if held else found


def _by_the_kit(sample: str) -> str:
    """How many checks a sample passes here, every layer on."""
    files = {one: (SAMPLES / sample / one).read_bytes() for one in NAMES}
    from autograder.sandbox.zygote import Zygote

    with Zygote() as zygote:
        return f"{_judge(zygote.open)(files):g}"


# --- measuring


def measured(
    command: Sequence[str],
    folder: Path | None = None,
    n: int = 1,
    seconds: float = 3600.0,
    every: float = 0.1,
) -> Cost:
    """Run a command to its end, or for so long, and say what it and all below it cost. It is looked
    at after so many seconds, and again.
    """
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    running = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    most = Cost(0.0, 0.0, 0.0)
    watching = threading.Thread(target=_watch, args=(running.pid, most, every), daemon=True)
    watching.start()
    try:
        said, _ = running.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        running.kill()
        said, _ = running.communicate()
    wall = time.monotonic() - began
    watching.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if running.returncode and folder is None:
        raise SystemExit(f"{command} failed:\n{said[-3000:]}")
    last = said.strip().splitlines()[-1:]
    return Cost(wall, used + most.cpu, most.memory, n, *last)


def _watch(root: int, most: Cost, every: float) -> None:
    """Keep the most that a process and all below it hold at a time, and the CPU time of what is in
    boxes, until it ends: bubblewrap does not wait for its child, so the system loses count of it.
    """
    boxed: dict[int, float] = {}
    while not _is_zombie(root):
        there = {pid: _name(pid) for pid in _tree(root)}
        most.memory = max(most.memory, sum(map(_held, there)))
        boxes = [pid for pid, name in there.items() if name == "bwrap"]
        inside = [pid for box in boxes for pid in _children(box) if there.get(pid) != "bwrap"]
        boxed |= {pid: max(_used(pid), boxed.get(pid, 0.0)) for pid in inside}
        most.cpu = sum(boxed.values())
        time.sleep(every)


def _is_zombie(pid: int) -> bool:
    with _gone():
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for child in _children(pid):
        yield from _tree(child)


def _children(pid: int) -> list[int]:
    with _gone():
        paths = Path(f"/proc/{pid}/task").glob("*/children")
        return [int(child) for path in paths for child in path.read_text().split()]
    return []


def _name(pid: int) -> str:
    with _gone():
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def _held(pid: int) -> float:
    """Bytes of a process: its own pages, and its share of those that it shares."""
    with _gone():
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return 1024.0 * int(line.split()[1])
    return 0.0


def _used(pid: int) -> float:
    """CPU seconds of a process, and of those below it that have ended."""
    with _gone():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _gone() -> contextlib.suppress:
    """What is read of a process may end meanwhile."""
    return contextlib.suppress(OSError, ValueError, IndexError)


FIRST = 2
"""Submissions after which the next one costs no more than any later."""


def floor(n: int) -> None:
    """One process, a fork per submission, results as JSON over a pipe."""
    torch.set_num_threads(1)
    torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))])
    import hw5_utils  # noqa: F401 (loaded once, as the kit's worker does)

    space: dict[str, object] = {}
    exec(compile(CHECKS, "checks", "exec"), space)
    sources = {name: compile(data, name, "exec") for name, data in FILES.items()}

    def grade() -> None:
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

    def used() -> float:
        below = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + below.ru_utime + below.ru_stime

    _say_more(n, grade, used)


def _say_more(n: int, grade: Callable[[], object], used: Callable[[], float]) -> None:
    """Grade so many; print the CPU seconds of one more, as `used` counts them."""
    began = 0.0
    for number in range(n):
        if number == FIRST:
            began = used()
        grade()
    print((used() - began) / (n - FIRST))


def kit(n: int) -> None:
    """The same calls by this kit's judge: warm worker, every layer, values over the wire."""
    from autograder.sandbox.zygote import Zygote

    with Zygote() as zygote:
        if zygote.doctor.missing:
            say(f"not every layer is on: {zygote.doctor.missing}")
        _say_more(n, _by_the_judge(zygote.open), lambda: time.process_time() + zygote.cpu)


def bare(n: int) -> None:
    """The same judge and checks, with the code in the judge's own process: nothing is confined."""
    from autograder.checking.here import LocalCode

    _say_more(n, _by_the_judge(LocalCode), time.process_time)


def _by_the_judge(open_code: Callable) -> Callable[[], None]:
    """What grades a right submission by this kit's judge."""
    judged = _judge(open_code)

    def grade() -> None:
        assert judged(FILES) == 12.0

    return grade


def _judge(open_code: Callable) -> Callable[[Mapping[str, bytes]], float]:
    """What says how many of the twelve checks a submission passes, by this kit's judge."""
    from autograder.assignment import Part, Question
    from autograder.checking.reference import Reference
    from autograder.grading.judge import judge

    torch.set_num_threads(1)
    checks, reference = _twelve(), Reference()
    parts = [
        Part(module, module, module, points, (Question("q", "q", points, "code"),))
        for module, points in (("hw5_vae", 4.0), ("hw5_gan", 8.0))
    ]
    return lambda files: sum(
        one.points or 0.0 for one in judge(files, parts, checks, reference, open_code, seed=1)
    )


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


# --- the others


@dataclass(frozen=True)
class Other:
    """Another grader: what installs it, and what grades these submissions with it in a folder,
    boxed where they are hostile. `grade` brings the cost, and of each submission how many of the
    twelve checks were passed, or None where there is no result.
    """

    packages: tuple[str, ...]
    grade: Callable[
        [Path, Path, Sequence[Mapping[str, bytes]], bool], tuple[Cost, list[float | None]]
    ]


def environment(folder: Path, packages: Sequence[str]) -> Path:
    """The Python of an environment that holds these packages, and finds here what it lacks."""
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, clear=True, with_pip=True)
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "beside.pth").write_text(sysconfig.get_path("purelib") + "\n")
        install = [str(python), "-m", "pip", "install", "--quiet", *packages]
        subprocess.run(install, check=True)
        (folder / "ready").touch()
    return python


def _version(python: Path, package: str) -> str:
    ask = f"import importlib.metadata; print(importlib.metadata.version({package!r}))"
    done = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def box(folder: Path, command: Sequence[str]) -> list[str]:
    """A command that sees the disk and changes only `folder`, without network, and whose memory
    and time end.
    """
    held = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]
    env = str(Path(command[0]).parents[1])  # it may lie below /tmp
    inside = ["--ro-bind", env, env, "--bind", str(folder), str(folder), "--chdir", str(folder)]
    apart = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--die-with-parent"]
    bounds = ["prlimit", f"--as={6 << 30}", f"--cpu={HOLD_SECONDS}", f"--fsize={1 << 26}"]
    home = ["--setenv", "HOME", str(folder)]
    return ["bwrap", *held, *inside, *apart, "--cap-drop", "ALL", *home, *bounds, *command]


def _run(folder: Path, command: Sequence[str], boxed: bool) -> Cost:
    if boxed:
        return measured(box(folder, command), folder, seconds=PATIENCE)
    return measured(command, folder)


def _sum(costs: Sequence[Cost]) -> Cost:
    wall, cpu = sum(cost.wall for cost in costs), sum(cost.cpu for cost in costs)
    return Cost(wall, cpu, max(cost.memory for cost in costs), len(costs))


def _places(folder: Path, submissions: Sequence[Mapping[str, bytes]]) -> Iterator[Path]:
    """A folder for each submission, laid out when its turn comes."""
    for number, files in enumerate(submissions):
        place = folder / f"s{number}"
        _lay_out(place, files)
        yield place


def _lay_out(folder: Path, files: Mapping[str, bytes]) -> None:
    """What a submission needs, and the twelve checks, beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    for name in GIVEN:
        shutil.copy(ROOT / f"{name}.py", folder)
    (folder / "twelve.py").write_text(CHECKS)


def _names() -> list[str]:
    space: dict[str, list[Callable]] = {}
    exec(compile(CHECKS, "checks", "exec"), space)
    return [check.__name__ for check in space["TWELVE"]]


RUN_TESTS = """
import unittest
import hw5_gan, hw5_vae, twelve
from gradescope_utils.autograder_utils.decorators import weight
from gradescope_utils.autograder_utils.json_test_runner import JSONTestRunner

class Twelve(unittest.TestCase):
    pass

for check in twelve.TWELVE:
    @weight(1)
    def test(self, check=check):
        self.assertTrue(check(hw5_vae, hw5_gan))
    setattr(Twelve, f"test_{check.__name__}", test)

with open("results.json", "w") as file:
    JSONTestRunner(stream=file).run(unittest.TestLoader().loadTestsFromTestCase(Twelve))
"""


def _gradescope_utils(
    python: Path, folder: Path, submissions: Sequence[Mapping[str, bytes]], boxed: bool
) -> tuple[Cost, list[float | None]]:
    """Its runner in a fresh Python a submission, as on Gradescope."""
    costs, points = [], []
    for place in _places(folder, submissions):
        (place / "run_tests.py").write_text(RUN_TESTS)
        costs.append(_run(place, [str(python), "run_tests.py"], boxed))
        points.append(_scored(place / "results.json"))
    return _sum(costs), points


def _scored(results: Path) -> float | None:
    """The points in a results.json of Gradescope's kind."""
    try:
        tests = json.loads(results.read_text())["tests"]
        return float(sum(test.get("score") or 0.0 for test in tests))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _otter(
    python: Path, folder: Path, submissions: Sequence[Mapping[str, bytes]], boxed: bool
) -> tuple[Cost, list[float | None]]:
    """`otter run` a submission: a notebook, with its modules beside it."""
    costs, points = [], []
    for place in _places(folder, submissions):
        (place / "tests").mkdir()
        for name in _names():
            code = f">>> bool(twelve.{name}(hw5_vae, hw5_gan))\nTrue"
            suite = {"cases": [{"code": code, "hidden": False}], "scored": True, "type": "doctest"}
            test = {"name": name, "points": 1, "suites": [suite]}
            (place / "tests" / f"{name}.py").write_text(f"OK_FORMAT = True\ntest = {test!r}\n")
        _write_notebook(place / "hw5.ipynb", [_code("import hw5_vae, hw5_gan, twelve")])
        support = sorted(path.name for path in place.glob("*.py"))
        otter = [str(python), "-m", "otter"]
        make = [*otter, "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment"]
        subprocess.run([*make, *support], cwd=place, check=True, capture_output=True)
        run = [*otter, "run", "-a", "autograder.zip", "--no-logo", "hw5.ipynb"]
        costs.append(_run(place, run, boxed))
        points.append(_scored(place / "results.json"))
    return _sum(costs), points


def _nbgrader(
    python: Path, folder: Path, submissions: Sequence[Mapping[str, bytes]], boxed: bool
) -> tuple[Cost, list[float | None]]:
    """`nbgrader autograde` of a class, twelve test cells in one notebook."""
    cells = [_code("import hw5_vae, hw5_gan, twelve", "setup")]
    for name in _names():
        cells.append(_code(f"assert twelve.{name}(hw5_vae, hw5_gan)", name, points=1))
    _write_notebook(folder / "source" / "hw5" / "hw5.ipynb", cells)
    (folder / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.root = '.'\n")
    nbgrader = [str(python), "-m", "nbgrader"]
    made = [*nbgrader, "generate_assignment", "hw5"]
    subprocess.run(made, cwd=folder, check=True, capture_output=True)
    for number, files in enumerate(submissions):
        submitted = folder / "submitted" / f"s{number}" / "hw5"
        shutil.copytree(folder / "release" / "hw5", submitted)
        _lay_out(submitted, files)
    cost = _run(folder, [*nbgrader, "autograde", "hw5"], boxed)
    cost.n = len(submissions)
    export = [*nbgrader, "export", "--to", "grades.csv"]
    subprocess.run(export, cwd=folder, check=True, capture_output=True)
    with (folder / "grades.csv").open() as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    done = {path.parent.name for path in (folder / "autograded").glob("*/hw5")}
    names = [f"s{number}" for number in range(len(submissions))]
    return cost, [scores.get(name, 0.0) if name in done else None for name in names]


def _code(source: str, name: str = "", points: int = 0) -> dict[str, object]:
    """A cell of a notebook; with a name it is nbgrader's, with points it is a test."""
    cell = {"id": name or "cell", "cell_type": "code", "source": source, "metadata": {}}
    cell |= {"outputs": [], "execution_count": None}
    if name:
        known = {"schema_version": 3, "grade_id": name, "locked": True, "solution": False}
        graded = {"grade": bool(points), "task": False, **({"points": points} if points else {})}
        cell["metadata"] = {"nbgrader": {**known, **graded}}
    return cell


def _write_notebook(path: Path, cells: Sequence[dict[str, object]]) -> None:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = {"cells": [*cells], "metadata": {"kernelspec": kernel}, "nbformat": 4}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**book, "nbformat_minor": 5}))


OTHERS = {
    "gradescope-utils": Other(("gradescope-utils",), _gradescope_utils),
    "nbgrader": Other(("nbgrader",), _nbgrader),
    "otter-grader": Other(("otter-grader",), _otter),
}


if __name__ == "__main__":
    OURS = {"floor": floor, "kit": kit, "bare": bare}
    if len(sys.argv) == 3 and sys.argv[1] in OURS:
        OURS[sys.argv[1]](int(sys.argv[2]))
        sys.exit(0)
    sys.exit(main())
