"""The warm worker: imports torch once, then forks a confined child for each module to be judged.

It obeys its control socket: `fork` (a channel comes along as a descriptor), `reap`. It runs no
student code, no solution and no check, and holds nothing but /dev/null, that socket and the rules
of Landlock that bind its children. The child answers the judge's requests on its channel until the
channel closes.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import inspect
import json
import os
import random
import resource
import select
import signal
import socket
import sys
import threading
import time
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from . import confine, huge_pages, probe, wire
from .compiler import without_compiler
from .cpu import without_gpu
from .loader import Submission, sleep
from .scratch import empty
from .session import Session, describe

MANY = 80
"""Children after which our memory is gathered in large pages: by then, that they were missing has
cost as much (2.5 ms each) as it costs to gather them (0.2 s).
"""

CHANNEL = 3
FOLDER = "/submission"


def main() -> None:
    """Warm up, say so, then serve the control socket (descriptor 0) until it closes."""
    confine.prctl(confine.PR_SET_DUMPABLE, 0)
    confine.prctl(confine.PR_SET_CHILD_SUBREAPER, 1)
    # Not killed outright when the judge dies: the scratch folder must not stay behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    confine.die_with_parent(signal.SIGTERM)
    control = socket.socket(fileno=0)
    settings = json.loads(_message(control)[0])
    try:
        with contextlib.suppress(ConnectionError):
            # Otherwise the judge is gone.
            if not _hung_up(control):
                _warm_and_serve(control, settings)
    finally:
        _clean_up(settings)
    os._exit(0)  # torch would be taken down, which is some tenths of a second of computing


def _clean_up(settings: dict[str, Any]) -> None:
    """Leave no process and no scratch folder behind, even when the signal comes only now."""
    try:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    finally:
        _end_children()
        _sweep(settings)
        with contextlib.suppress(OSError):
            # A folder of our own on the disk; under bubblewrap a mount, gone with us.
            os.rmdir(settings["scratch"])


def _warm_and_serve(control: socket.socket, settings: dict[str, Any]) -> None:
    # A forked child has one thread; more in the parent would deadlock it.
    torch.set_num_threads(1)
    gc.disable()
    warm_up()
    give(settings["given"])
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    settings["filter"] = confine.compile_filter()
    settings["rules"] = confine.landlock_rules(settings["read"], [settings["scratch"], os.devnull])
    empty(settings["scratch"])
    gc.freeze()  # nor looked through first: that takes a quarter of a second
    gc.enable()
    _say(control, {"ready": sorted(set(settings["given"])), "cpu": capability()})
    serve(control, settings)


def serve(control: socket.socket, settings: dict[str, Any]) -> None:
    """Fork and reap as told. Returns when the judge is gone."""
    child = children = 0
    while True:
        text, descriptors = _message(control)
        if not text:
            return
        command = json.loads(text)
        if command["do"] == "fork":
            zygote = os.getpid()
            children += 1
            if children == MANY:
                huge_pages.gather()
            if settings["fork"]:
                child = _fork()
            if child == 0:
                settings["tasks"] = command["tasks"]
                _child(control, descriptors[0], settings, zygote)
            os.close(descriptors[0])
            _say(control, {"pid": child})
        elif command["do"] == "reap":
            _say(
                control,
                {
                    "status": _reap(child, command["grace"]),
                    "clean": _sweep(settings),
                    "cpu": _cpu(),
                },
            )


def warm_up() -> None:
    """Import what students import, and take one tiny training step of plain layers.

    The step makes torch read what it needs of the machine, and load its optimizers, while that is
    still allowed and only once. numpy's random numbers are loaded when somebody first asks for one.
    """
    without_compiler()
    np.random.seed()
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.Flatten(), torch.nn.Linear(8, 1))
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.zeros(2, 1, 4, 4)).sum().backward()
    optimizer.step()
    without_gpu()
    _no_loader_workers()
    # matplotlib's own are enough for a check, and it takes a while to look at all others.
    os.environ["MPL_IGNORE_SYSTEM_FONTS"] = "1"
    with contextlib.suppress(ImportError):
        import matplotlib

        matplotlib.use("Agg")
        import matplotlib.pyplot
    with contextlib.suppress(ImportError):
        import tqdm.auto

        # tqdm's own lock is a semaphore shared by all forks: one child could keep it for ever.
        tqdm.std.TqdmDefaultWriteLock.mp_lock = None
        tqdm.tqdm.set_lock(threading.RLock())
        tqdm.tqdm.monitor_interval = 0  # no thread that looks after bars
        # Its bar for notebooks is a widget, which takes half a second to import.
        bars = types.ModuleType("tqdm.notebook")
        bars.__dict__.update(tqdm=tqdm.tqdm, tqdm_notebook=tqdm.tqdm)
        bars.__dict__.update(trange=tqdm.trange, tnrange=tqdm.trange)
        sys.modules["tqdm.notebook"] = tqdm.notebook = bars


def give(sources: dict[str, str]) -> None:
    """Load the modules that are given to students; their data loaders become tiny doubles."""
    for name, source in sources.items():
        module = types.ModuleType(name)
        module.__file__ = f"{FOLDER}/{name}.py"
        sys.modules[name] = module
        exec(compile(source, module.__file__, "exec"), module.__dict__)
        for double in (load_mnist, load_binary_mnist, load_cifar10, mnist, download):
            if hasattr(module, double.__name__):
                setattr(module, double.__name__, double)
        with contextlib.suppress(Exception):
            # Half of real submissions import torchvision; its shim is the given module's.
            module.__dict__["_torchvision"]()
            importlib.import_module("torchvision.transforms")
            importlib.import_module("torchvision.utils")


def load_mnist(
    split: str = "train",
    binarize: bool = False,
    limit: int | None = None,
    validation: int = 0,
    data: str | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """64 made-up images (64, 1, 28, 28) and labels (64,): a double of the given loader."""
    images = torch.rand(64, 1, 28, 28)
    return (images.round() if binarize else images)[:limit], torch.arange(64)[:limit] % 10


def load_binary_mnist(
    data: str | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """64 made-up binary images (64, 784) and one-hot labels (64, 10), for each split."""
    images, labels = torch.rand(64, 784).round(), torch.eye(10)[torch.arange(64) % 10]
    return images, labels, images.clone(), labels.clone()


def load_cifar10(split: str = "train") -> tuple[torch.Tensor, torch.Tensor]:
    """64 made-up images (64, 3, 32, 32) and labels (64,)."""
    return torch.rand(64, 3, 32, 32), torch.arange(64) % 10


def mnist() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """64 made-up images (64, 28, 28) and labels (64,) for each split, uint8."""
    images = np.random.randint(0, 256, (64, 28, 28), dtype=np.uint8)
    labels = (np.arange(64) % 10).astype(np.uint8)
    return images, labels, images.copy(), labels.copy()


def download(url: str, filename: str) -> None:
    """Fetches nothing."""


def capability() -> str:
    """Which CPU kernels torch uses; judge and child must agree."""
    return str(torch.backends.cpu.get_cpu_capability())


def _no_loader_workers() -> None:
    """DataLoader(num_workers=4) would start processes; it gets 0 whatever is asked."""
    original = torch.utils.data.DataLoader.__init__
    signature = inspect.signature(original)

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        bound = signature.bind(self, *args, **kwargs)
        bound.arguments["num_workers"] = 0
        for name in ("prefetch_factor", "persistent_workers", "timeout", "multiprocessing_context"):
            bound.arguments.pop(name, None)
        original(*bound.args, **bound.kwargs)

    torch.utils.data.DataLoader.__init__ = init  # type: ignore[method-assign]


def _fork() -> int:
    """os.fork(), but for what Python then does about threads, locks and random numbers.

    This process has one thread and holds no lock, and a child takes random numbers of its own: for
    nothing, 300 pages would be written to and so copied, which is a third of what a fork costs.
    """
    child: int = ctypes.PyDLL(None, use_errno=True).fork()
    if child < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return child


def _child(control: socket.socket, channel: int, settings: dict[str, Any], zygote: int) -> None:
    """Become the process of one submission; never returns."""
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with contextlib.suppress(PermissionError):
            # Started without forking, we lead a session already.
            os.setsid()
        control.close()
        os.open(os.devnull, os.O_RDONLY)  # in its place
        os.chdir(settings["scratch"])
        layers = _confine(settings)
        # Only now: Landlock's rules are a descriptor, too.
        os.dup2(channel, CHANNEL)
        os.closerange(CHANNEL + 1, 4096)
        if settings["fork"] and os.getppid() != zygote:
            # It died before we asked to die with it.
            return
        # Read and write, not send and receive: those calls are denied by now.
        os.write(CHANNEL, bytes([_mark(layers)]))
        random.seed()
        np.random.seed(int.from_bytes(os.urandom(4), "little"))  # without one it takes longer
        _answer_all(CHANNEL, Requests(layers))
    finally:
        os._exit(0)


def _mark(layers: dict[str, Any]) -> int:
    """The first byte on the channel: which layers this child has taken on."""
    return 0x40 | sum(1 << n for n, taken in enumerate(layers.values()) if taken)


def _confine(settings: dict[str, Any]) -> dict[str, Any]:
    """Take every layer on, in the only order that works; says which were taken."""
    confine.die_first()
    limits = confine.Limits(**settings["limits"])
    room = confine.Limits(**{**settings["limits"], "processes": settings["tasks"]})
    user = confine.become(settings["uid"])
    # As a user of its own the child counts only its own tasks; else it counts the whole user's.
    confine.limit(limits if user else room)
    confine.die_with_parent()
    abi = confine.landlock(settings["rules"])
    return {"user": user, "landlock": abi, "seccomp": confine.deny_calls(settings["filter"])}


class Requests:
    """The requests of one child: `files` first, then a session's; `probe` and `flood` attack."""

    def __init__(self, layers: dict[str, Any]) -> None:
        self._layers = layers
        self._session: Session | None = None

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to one request; whatever student code raises is described."""
        if request["op"] == "probe":
            return {"value": {**self._layers, **probe.attack(request)}}
        if request["op"] == "flood":
            return {"value": probe.flood(request["files"])}
        if request["op"] == "files":
            files, codes = wire.as_bytes(request["files"]), wire.as_bytes(request["codes"])
            submission = Submission(files, FOLDER, codes)
            self._session = Session(submission.load)
            # Said before anything of theirs runs: later, they could say it.
            return {"value": wire.as_tensors(submission.compile_all())}
        assert self._session is not None
        if request.get("fresh"):
            sleep.rested()
        try:
            return self._session.answer(request)
        except BaseException as error:
            # SystemExit and its like; the session answers the rest.
            return {"error": describe(error, {})}


def _answer_all(channel: int, requests: Requests) -> None:
    for message in _frames(channel):
        answer = requests.answer(message["request"])
        try:
            frame = wire.pack({"id": message["id"], "answer": answer})
        except BaseException as error:
            frame = wire.pack({"id": message["id"], "answer": {"error": describe(error, {})}})
        view = memoryview(frame)
        while view:
            view = view[os.write(channel, view) :]


def _frames(channel: int) -> Iterator[Any]:
    while True:
        prefix = _exactly(channel, wire.PREFIX.size)
        if not prefix:
            return
        head, body = wire.lengths(prefix)
        yield wire.unpack(_exactly(channel, head), _exactly(channel, body))


def _exactly(channel: int, size: int) -> bytearray:
    """That many bytes, or none when the judge has closed the channel."""
    data = bytearray()
    while len(data) < size:
        part = os.read(channel, min(size - len(data), 1 << 20))
        if not part:
            return bytearray()
        data += part
    return data


def _reap(child: int, grace: float) -> int | None:
    """Kill the child and all it left behind; brings its wait status, None when it was alive.

    `grace`: seconds to let it end by itself, where its channel has closed and it should be ending.
    """
    ends = time.monotonic() + grace
    pid, status = os.waitpid(child, os.WNOHANG)
    while not pid and time.monotonic() < ends:
        time.sleep(0.001)
        pid, status = os.waitpid(child, os.WNOHANG)
    if not pid:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    _end_children()
    return status if pid else None


def _cpu() -> float:
    """CPU seconds of this worker and of all children that have ended."""
    usages = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _end_children() -> None:
    """Kill and wait for every process below us; orphans became our children (subreaper)."""
    for _ in range(1000):
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        left = _descendants()
        # Stopped first, so that none forks while the others are killed.
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
        time.sleep(0.002)


def _descendants() -> list[int]:
    """Process ids below us, from /proc."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                # Bytes: a process names itself as it likes.
                with open(f"/proc/{name}/stat", "rb") as file:
                    parents[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
            except (OSError, IndexError):
                continue
    below, found = [os.getpid()], list[int]()
    while below:
        here = below.pop()
        children = [pid for pid, parent in parents.items() if parent == here]
        below += children
        found += children
    return found


def _sweep(settings: dict[str, Any]) -> bool:
    """Empty the scratch folder, as the user who filled it. False when something stays."""
    scratch = settings["scratch"]
    if not os.listdir(scratch):
        return True
    janitor = _fork()
    if janitor == 0:
        clean = False
        try:
            confine.die_with_parent()
            confine.become(settings["uid"])
            clean = empty(scratch)
        finally:
            os._exit(0 if clean else 1)
    return os.waitpid(janitor, 0)[1] == 0


def _hung_up(control: socket.socket) -> bool:
    """Has the judge gone already?"""
    poll = select.poll()
    poll.register(control, 0)
    return bool(poll.poll(0))


def _message(control: socket.socket) -> tuple[str, list[int]]:
    """One line of JSON and the descriptors that came with it; an empty text at the end."""
    data, descriptors = bytearray(), []
    while not data.endswith(b"\n"):
        part, passed, _, _ = socket.recv_fds(control, 1 << 16, 1)
        descriptors += passed
        if not part:
            return "", descriptors
        data += part
    return data.decode(), descriptors


def _say(control: socket.socket, value: dict[str, Any]) -> None:
    control.sendall(json.dumps(value).encode() + b"\n")
