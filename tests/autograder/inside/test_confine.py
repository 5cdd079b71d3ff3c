"""Attacks on the confinement of a child: each must fail, with bubblewrap and without it."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from autograder.checking.proxy import Lost, StudentError
from autograder.checking.reference import ROOT
from autograder.inside import confine
from autograder.sandbox import launch
from autograder.sandbox.zygote import Zygote
from tests.autograder.attacks import Talk, end, require

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the layers of the sandbox are Linux's"
)

TOOLS = """
import ctypes, errno, mmap, os, resource, signal, socket, struct, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long

def syscall(number, *args):
    found = libc.syscall(ctypes.c_long(number), *[
        ctypes.c_long(a) if isinstance(a, int) else a for a in args
    ])
    if found < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return found

def leave(pid):
    # A child of an attack that succeeded ends by itself.
    if pid == 0:
        time.sleep(2)
        os._exit(0)
    return pid
"""

FORBIDDEN = {
    "forks": "leave(os.fork())",
    "forks by clone": "leave(syscall(56, 17, 0, 0, 0, 0))",
    "forks by clone with high bits": "leave(syscall(56, (1 << 40) | 17, 0, 0, 0, 0))",
    "forks by clone3": """
        args = (ctypes.c_uint64 * 11)()
        args[4] = 17
        leave(syscall(435, args, 88))""",
    "starts a program": "subprocess.run(['/bin/true'], check=True)",
    "spawns a program": "os.posix_spawn('/bin/true', ['true'], {})",
    "replaces itself by a program": "os.execv('/bin/true', ['true'])",
    "starts a process pool": """
        import multiprocessing
        p = multiprocessing.get_context('fork').Process(target=time.sleep, args=(1,))
        p.start()""",
    "opens a TCP socket": "socket.socket()",
    "opens a UDP socket": "socket.socket(type=socket.SOCK_DGRAM)",
    "opens a Unix socket": "socket.socket(socket.AF_UNIX)",
    "opens a netlink socket": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "opens a raw socket": "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "makes a socket pair": "socket.socketpair()",
    "opens a socket by number": "syscall(41, 2, 1, 0)",
    "makes an io_uring": "syscall(425, 4, ctypes.create_string_buffer(120))",
    "makes a memfd": "os.memfd_create('x')",
    "makes a secret memfd": "syscall(447, 0)",
    "makes SysV memory": "syscall(29, 0, 4096, 0o1600)",
    "makes SysV semaphores": "syscall(64, 0, 1, 0o1600)",
    "makes a SysV queue": "syscall(68, 0, 0o1600)",
    "makes a POSIX queue": "syscall(240, b'x', 0o102, 0o600, None)",
    "makes POSIX shared memory": """
        from multiprocessing import shared_memory
        shared_memory.SharedMemory(create=True, size=4096).unlink()""",
    "makes a userfaultfd": "syscall(323, 1)",
    "makes a key": "syscall(248, b'user', b'x', b'y', 1, -2)",
    "uses a keyring": "syscall(250, 0, -3, 1)",
    "loads a BPF program": "syscall(321, 0, ctypes.create_string_buffer(128), 128)",
    "opens performance events": "syscall(298, ctypes.create_string_buffer(128), 0, -1, -1, 0)",
    "unshares a user namespace": "syscall(272, 0x10000000)",
    "enters a namespace": "syscall(308, 3, 0)",
    "mounts": "syscall(165, b'none', b'.', b'tmpfs', 0, None)",
    "opens a mount": "syscall(428, -100, b'/', 0)",
    "changes its root": "os.chroot('.')",
    "becomes root": "os.setuid(0)",
    "becomes root with all its ids": "os.setresuid(0, 0, 0)",
    "changes its groups": "os.setgroups([0])",
    "signals everyone": "os.kill(-1, 0)",
    "signals its parent": "os.kill(os.getppid(), 0)",
    "signals its group": "os.killpg(0, 0)",
    "stops itself": "os.kill(os.getpid(), signal.SIGCONT)",
    "queues a signal": "syscall(129, os.getppid(), 18, ctypes.create_string_buffer(128))",
    "signals a thread of its parent": "syscall(234, os.getppid(), os.getppid(), 18)",
    "has the kernel signal its parent": """
        import fcntl
        fcntl.fcntl(3, fcntl.F_SETOWN, os.getppid())""",
    "has the kernel signal with another number": """
        import fcntl
        fcntl.fcntl(3, 10, signal.SIGKILL)""",
    "traces its parent": "syscall(101, 16, os.getppid(), 0, 0)",
    "lets itself be traced": "syscall(101, 0, 0, 0, 0)",
    "reads its parent's memory": """
        b = ctypes.create_string_buffer(8)
        v = (ctypes.c_void_p * 2)(ctypes.addressof(b), 8)
        syscall(310, os.getppid(), v, 1, v, 1, 0)""",
    "writes its parent's memory": """
        b = ctypes.create_string_buffer(8)
        v = (ctypes.c_void_p * 2)(ctypes.addressof(b), 8)
        syscall(311, os.getppid(), v, 1, v, 1, 0)""",
    "opens a process descriptor": "syscall(434, os.getppid(), 0)",
    "takes another's descriptor": "syscall(438, 3, 0, 0)",
    "compares with its parent": "syscall(312, os.getpid(), os.getppid(), 1, 0, 0)",
    "changes its parent's limits": "resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))",
    "reads its parent's limits": "resource.prlimit(os.getppid(), resource.RLIMIT_CPU)",
    "raises a limit": "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
    "moves its parent to a core": "os.sched_setaffinity(os.getppid(), {0})",
    "moves itself to a core": "os.sched_setaffinity(0, {0})",
    "slows its parent down": "os.setpriority(os.PRIO_PROCESS, os.getppid(), 5)",
    "slows its user down": "os.setpriority(os.PRIO_USER, 0, 5)",
    "changes its parent's scheduling": "os.sched_setscheduler(os.getppid(), 3, os.sched_param(0))",
    "outlives its parent": "assert libc.prctl(1, 0) == 0",
    "outlives its parent with high bits": "syscall(157, (1 << 32) | 1, 0, 0, 0, 0)",
    "becomes dumpable": "assert libc.prctl(4, 1) == 0",
    "makes a device": "os.mknod('null', 0o20666, os.makedev(1, 3))",
    "makes a pipe with a name": "os.mkfifo('fifo')",
    "opens by handle": "syscall(304, 3, ctypes.create_string_buffer(64), 0)",
    "sends on its channel": "socket.socket(fileno=os.dup(3))",
    "runs a program it wrote": """
        with open('x', 'w') as f: f.write('#!/bin/sh')
        os.chmod('x', 0o755)
        assert os.access('x', os.X_OK)""",
    "keeps a fork by vfork": "leave(syscall(58))",
}


@pytest.mark.parametrize("name", FORBIDDEN)
@pytest.mark.usefixtures("x86")
def test_denied_call(zygote: Zygote, name: str) -> None:
    require(zygote, "Landlock", "seccomp")
    body = FORBIDDEN[name].strip().replace("\n        ", "\n    ")
    source = f"{TOOLS}\ndef f():\n    {body}\n"
    assert end(zygote, source) == "error", name
    assert end(zygote, "def f(): return 1") == "value", "the worker must go on"


HIDDEN = [
    "/etc/shadow",
    "/etc/passwd",
    "/proc/self/environ",
    "/proc/self/maps",
    "/proc/self/mem",
    "/proc/self/fd/3",
    "/proc/self/status",
    "/proc/1/environ",
    "/proc/meminfo",
    "/proc/{parent}/mem",
    "/proc/{parent}/environ",
    "/proc/{parent}/maps",
    "/proc/{parent}/cmdline",
    "/proc/{parent}/fd/0",
    "/proc/{parent}/root/etc/passwd",
    "/sys/kernel/uevent_seqnum",
    "/kit/inside/worker.py",
    str(ROOT / "hw5_vae.py"),
    str(ROOT / "hw5_gan.py"),
    str(ROOT / "autograder" / "grading" / "judge.py"),
    str(ROOT / "autograder" / "assignment.toml"),
    str(ROOT / "autograder" / "checking" / "expect.py"),
    str(ROOT / ".git" / "HEAD"),
    __file__,
]


def test_no_file_of_ours_can_be_read(zygote: Zygote) -> None:
    require(zygote, "Landlock")
    source = """
        import os
        def f(paths):
            read = []
            for path in paths:
                try:
                    with open(path.format(parent=os.getppid()), "rb") as file:
                        file.read(1)
                    read.append(path)
                except OSError:
                    pass
            for path in ("/", "/proc", "/tmp", "/home", "/root", "/work"):
                try:
                    os.listdir(path)
                    read.append(path)
                except OSError:
                    pass
            return read
        """
    with Talk(zygote, source) as talk:
        assert talk.call("f", HIDDEN) == []


def test_only_the_scratch_folder_can_be_written(zygote: Zygote, tmp_path: Path) -> None:
    require(zygote, "Landlock")
    os.chmod(tmp_path, 0o777)
    source = """
        import os, sys, torch
        def f(folders):
            mine = os.getcwd()
            folders += [os.path.dirname(torch.__file__), os.path.dirname(os.__file__), "/", "/dev"]
            folders += ["/tmp", "/dev/shm", "/var/tmp", "/run", "/kit", os.path.dirname(mine)]
            wrote = []
            for folder in folders:
                try:
                    with open(os.path.join(folder, "left-behind"), "w"):
                        wrote.append(folder)
                except OSError:
                    pass
            os.symlink("/etc", "link")
            try:
                open("link/left-behind", "w")
                wrote.append("through a link")
            except OSError:
                pass
            with open("mine.txt", "w") as file:
                file.write("x")
            return wrote
        """
    with Talk(zygote, source) as talk:
        assert talk.call("f", [str(tmp_path), str(ROOT), str(ROOT / "autograder")]) == []


def test_permissions_and_times_of_files_outside_stay(zygote: Zygote, tmp_path: Path) -> None:
    require(zygote, "seccomp")
    theirs = tmp_path / "file"
    theirs.write_text("x")
    tmp_path.chmod(0o755)
    before = theirs.stat()
    source = """
        import os
        def f(path):
            for attack in (
                lambda: os.chmod(path, 0o777),
                lambda: os.chmod(os.path.dirname(path), 0),
                lambda: os.utime(path, (1, 1)),
                lambda: os.setxattr(path, "user.x", b"x"),
                lambda: os.truncate(path, 0),
                lambda: os.unlink(path),
                lambda: os.rename(path, "mine"),
                lambda: os.link(path, "mine"),
            ):
                try:
                    attack()
                except OSError:
                    pass
        """
    with Talk(zygote, source) as talk:
        talk.call("f", str(theirs))
    after = theirs.stat()
    assert (before.st_mode, before.st_mtime, before.st_size, before.st_nlink) == (
        after.st_mode,
        after.st_mtime,
        after.st_size,
        after.st_nlink,
    )
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_the_environment_holds_nothing_of_the_judge(zygote: Zygote) -> None:
    source = "import os\ndef f():\n    return sorted(os.environ)"
    with Talk(zygote, source) as talk:
        names = talk.call("f")
    assert not {"SSH_AUTH_SOCK", "GITHUB_TOKEN", "USER", "OLDPWD", "VIRTUAL_ENV"} & set(names)
    assert {"OMP_THREAD_LIMIT", "CUDA_VISIBLE_DEVICES"} <= set(names)


MEMORY = {
    "torch": "import torch\ndef f():\n    return torch.zeros(30 * 2**28).sum()",
    "bytes": "def f():\n    return len(bytearray(30 << 30))",
    "a mapping": "import mmap\ndef f():\n    return len(mmap.mmap(-1, 3 << 30))",
    "pieces": """
def f():
    kept = []
    while len(kept) < 300:  # 2.4 GB where nothing stops it
        kept.append(bytes(8 << 20))
    return len(kept)""",
}


@pytest.mark.parametrize("name", MEMORY)
def test_memory_is_bounded(zygote: Zygote, name: str) -> None:
    assert end(zygote, MEMORY[name], seconds=5) in ("memory", "error")


def test_memory_that_threads_share_is_bounded(zygote: Zygote) -> None:
    source = """
        import threading, time
        def f():
            kept = []
            def grab():
                for _ in range(60):
                    kept.append(bytes(4 << 20))
            threads = [threading.Thread(target=grab) for _ in range(10)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            return sum(map(len, kept)) > 2 << 30
        """
    with Talk(zygote, source, 10) as talk:
        try:
            assert talk.call("f") is False
        except Lost as lost:
            assert lost.state in ("memory", "crashed")
        except StudentError as error:
            assert "thread" in str(error)


def test_threads_are_bounded(zygote: Zygote) -> None:
    source = """
        import threading
        threading.stack_size(64 << 10)
        def f():
            stop, threads = threading.Event(), []
            try:
                for _ in range(4000):
                    threads.append(threading.Thread(target=stop.wait, daemon=True))
                    threads[-1].start()
            except RuntimeError:
                pass
            started = len(threads)
            stop.set()
            return started
        """
    with Talk(zygote, source, 5) as talk:
        assert talk.call("f") < 4000
    assert end(zygote, "def f(): return 1") == "value"


def test_honest_threads_work(zygote: Zygote) -> None:
    source = """
        import concurrent.futures, torch
        torch.set_num_threads(4)
        def f():
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                big = torch.ones(600, 600)
                return sum(float((big @ big).mean()) for _ in pool.map(torch.zeros, [2] * 4))
        """
    with Talk(zygote, source, 10) as talk:
        assert talk.call("f") == 2400.0


def test_the_scratch_disk_is_bounded(layered: Zygote) -> None:
    require(layered, "bubblewrap")
    source = """
        def f():
            for n in range(40):  # 600 MB where nothing stops it
                with open(f"big-{n}", "wb") as file:
                    file.write(bytes(15 << 20))
        """
    assert end(layered, source, seconds=5) == "error"


def test_one_file_is_bounded(zygote: Zygote) -> None:
    source = """
        def f():
            with open("big", "wb") as file:
                for _ in range(64):
                    file.write(bytes(1 << 20))
        """
    assert end(zygote, source, seconds=5) in ("error", "crashed")


FLOODS = {
    "empty files": "open(str(n), 'x').close()",
    "folders": "os.mkdir(str(n))",
    "folders in folders": "os.mkdir('d'); os.chdir('d')",
    "folders in many folders": "os.makedirs(f'{n}/a')",
    "links": "os.symlink('x', str(n))",
    "names of one file": "os.link('one', str(n))",
}


@pytest.mark.parametrize("name", FLOODS)
def test_files_without_bytes_are_bounded(zygote: Zygote, name: str) -> None:
    source = f"""
        import os, time
        open('one', 'x').close()
        def f():
            for n in range(3 * {launch.DISK.files}):  # some megabytes where nothing stops it
                {FLOODS[name]}
            time.sleep(5)
        """
    assert end(zygote, source, seconds=20) in ("error", "memory"), name
    assert end(zygote, "def f(): return 1") == "value", "the worker must go on"


def test_folders_that_change_places_hide_no_files(zygote: Zygote) -> None:
    source = f"""
        import ctypes, os, threading, time
        exchange = ctypes.CDLL(None).renameat2
        def swap():
            while True:
                for _ in range(500): exchange(-100, b'a', -100, b'b', 2)
        def f():
            os.mkdir('a'); os.mkdir('b')
            threading.Thread(target=swap, daemon=True).start()
            for n in range(3 * {launch.DISK.files}):
                open(f'a/{{n}}', 'x').close()
            time.sleep(5)
        """
    assert end(zygote, source, seconds=20) in ("error", "memory")


def test_an_honest_number_of_files_is_nobodys_business(zygote: Zygote) -> None:
    source = """
        import os, time
        def f():
            for n in range(500):
                os.makedirs(f"samples/{n}")
                open(f"samples/{n}/epoch.png", "w").close()
            time.sleep(0.3)
            return len(os.listdir("samples"))
        """
    with Talk(zygote, source) as talk:
        assert talk.call("f") == 500


def test_no_process_of_a_worker_may_mount(layered: Zygote) -> None:
    require(layered, "bubblewrap")
    with Talk(layered, "x = 1") as talk:
        worker = Path(f"/proc/{talk.child.pid}/stat").read_text().rpartition(")")[2].split()[1]
        for pid in (str(talk.child.pid), worker):
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith(("CapEff", "CapPrm", "CapInh", "CapAmb")):
                    assert not int(line.split()[1], 16) >> confine.CAP_SYS_ADMIN & 1, line


def test_no_file_of_any_kind_meets_the_next_student(zygote: Zygote) -> None:
    require(zygote, "Landlock")
    source = """
        import os
        def f():
            os.makedirs("a/b/c")
            os.symlink("/etc", "a/out")
            os.symlink("nowhere", "dangling")
            open("a/b/file", "w").close()
            os.mkdir("closed", 0)
            os.makedirs("closed-full/inner")
            os.mkdir("closed-full/inner/closed", 0)
            open(b"\\xff\\xfe name", "w").close()
            open("left-0", "w").close()
            here = os.open(".", os.O_RDONLY)
            for _ in range(1500):
                os.mkdir("d")
                os.chdir("d")
            os.fchdir(here)
            return len(os.listdir())
        """
    with Talk(zygote, source, 10) as talk:
        assert talk.call("f") == 7
    with Talk(zygote, "import os\ndef f():\n    return os.listdir('.')") as talk:
        assert talk.call("f") == []


def test_nothing_outside_is_removed_through_a_link(zygote: Zygote, tmp_path: Path) -> None:
    keep = tmp_path / "keep"
    keep.mkdir()
    (keep / "file").write_text("x")
    source = "import os\ndef f(path):\n    os.symlink(path, 'link')\n    os.mkdir('d')"
    with Talk(zygote, source) as talk:
        talk.call("f", str(keep))
    assert (keep / "file").read_text() == "x"


def test_what_is_not_linux_takes_no_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert confine.landlock([], []) == 0
    assert not confine.die_with_parent()
    assert not confine.deny_calls(b"")


def test_no_listener_of_the_machine_is_reached(zygote: Zygote) -> None:
    """Abstract Unix sockets and the loopback, by number and without Python's module."""
    with socket.socket(socket.AF_UNIX) as unix, socket.socket() as tcp:
        unix.bind(b"\0hw5-test-%d" % os.getpid())
        unix.listen()
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        source = """
            import socket
            def f(name, port):
                reached = []
                for family, address in ((socket.AF_UNIX, b"\\0" + name.encode()),
                                        (socket.AF_INET, ("127.0.0.1", port))):
                    try:
                        with socket.socket(family) as one:
                            one.connect(address)
                            reached.append(str(address))
                    except OSError:
                        pass
                return reached
            """
        with Talk(zygote, source) as talk:
            assert talk.call("f", f"hw5-test-{os.getpid()}", tcp.getsockname()[1]) == []


def test_the_files_of_ours_that_are_tried_are_there() -> None:
    ours = [path for path in HIDDEN if path.startswith(str(ROOT))]
    assert len(ours) >= 5
    assert all(Path(path).exists() for path in ours if ".git" not in path)
