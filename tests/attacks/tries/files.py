"""Tries at files: reading, writing and holding what is not the submission's own."""

from __future__ import annotations

import ctypes
import fcntl
import os
import sys
import threading
import time

from tests.attacks.tools import (
    BUBBLEWRAP,
    CLOSED,
    JUDGE,
    LANDLOCK,
    LIMITS,
    SECCOMP,
    USER,
    WATCH,
    aims,
    attempt,
    checked,
    libc,
    refuse_unless,
    syscall,
)


def _reads(*paths: str) -> None:
    """Raises what the last of them raises, unless one of them can be read."""
    for path in paths:
        try:
            with open(path, "rb") as file:
                file.read(1)
                return
        except OSError as error:
            last = error
    raise last


def _parent(name: str) -> str:
    return f"/proc/{os.getppid()}/{name}"


# --- reading


@attempt(BUBBLEWRAP, LANDLOCK, CLOSED)
def reads_the_solutions_and_the_checks():
    _reads(*aims["answers"])


@attempt(BUBBLEWRAP, LANDLOCK, CLOSED)
def reads_the_solutions_through_the_root_of_its_parent():
    _reads(*(_parent("root") + path for path in aims["answers"]))


@attempt(BUBBLEWRAP, LANDLOCK)
def reads_a_file_of_the_machine():
    _reads(aims["file"])


@attempt(BUBBLEWRAP, LANDLOCK)
def reads_who_has_an_account():
    _reads("/etc/passwd")


@attempt(BUBBLEWRAP, LANDLOCK, USER)
def reads_the_passwords():
    _reads("/etc/shadow")


@attempt(LANDLOCK, USER)
def reads_the_memory_of_its_parent_as_a_file():
    _reads(_parent("mem"), _parent("maps"))


@attempt(LANDLOCK, USER)
def reads_the_environment_of_its_parent():
    _reads(_parent("environ"))


@attempt(LANDLOCK, USER)
def reads_a_descriptor_of_its_parent():
    _reads(_parent("fd/0"), _parent("fd/1"))


@attempt(LANDLOCK)
def reads_how_its_parent_was_called():
    _reads(_parent("cmdline"))


@attempt(LANDLOCK)
def reads_its_own_memory_map():
    _reads("/proc/self/maps", "/proc/self/mem", "/proc/self/environ", "/proc/self/status")


@attempt(LANDLOCK)
def reads_about_the_machine():
    _reads("/proc/meminfo", "/proc/cpuinfo")


@attempt(BUBBLEWRAP, LANDLOCK)
def reads_devices_and_drivers():
    _reads("/sys/kernel/uevent_seqnum")


@attempt(LANDLOCK)
def lists_folders_of_the_machine():
    for path in ("/", "/proc", "/tmp", "/home"):
        try:
            os.listdir(path)
            return
        except OSError as error:
            last = error
    raise last


@attempt(LANDLOCK)
def reads_the_code_that_runs_it():
    """It holds no answer."""
    (worker,) = (one for name, one in sys.modules.items() if name.endswith("inside.worker"))
    _reads(worker.__file__)


@attempt(BUBBLEWRAP, LANDLOCK)
def reads_through_a_link():
    os.symlink(aims["file"], "link-to-read")
    _reads("link-to-read")


@attempt(SECCOMP)
def opens_a_file_by_its_handle():
    syscall(304, os.open(".", os.O_RDONLY), ctypes.create_string_buffer(64), 0)


# --- writing


def _writes(folder: str) -> None:
    with open(os.path.join(folder, "left-behind"), "x"):
        pass


@attempt(BUBBLEWRAP, LANDLOCK)
def writes_into_a_folder_of_the_machine():
    _writes(aims["outside"])


@attempt(BUBBLEWRAP, LANDLOCK)
def writes_into_the_folder_for_temporary_files():
    name = f"/tmp/left-behind-{os.getpid()}"
    with open(name, "x"):
        os.unlink(name)


@attempt(BUBBLEWRAP, LANDLOCK)
def writes_into_shared_memory():
    name = f"/dev/shm/left-behind-{os.getpid()}"
    with open(name, "x"):
        os.unlink(name)


@attempt(BUBBLEWRAP, LANDLOCK)
def writes_into_the_environment():
    _writes(aims["environment"])


@attempt(BUBBLEWRAP, LANDLOCK)
def opens_a_file_of_the_environment_for_writing():
    os.close(os.open(aims["module"], os.O_WRONLY))


@attempt(BUBBLEWRAP, LANDLOCK)
def writes_through_a_link():
    os.symlink(aims["outside"], "link-to-write")
    _writes("link-to-write")


@attempt(BUBBLEWRAP, LANDLOCK)
def cuts_a_file_off():
    os.truncate(aims["file"], 0)


@attempt(BUBBLEWRAP, LANDLOCK)
def removes_a_file():
    os.unlink(aims["file"])


@attempt(BUBBLEWRAP, LANDLOCK)
def takes_a_file_away():
    os.rename(aims["file"], "mine")


@attempt(BUBBLEWRAP, LANDLOCK)
def keeps_a_file_by_another_name():
    os.link(aims["file"], "mine")


def _changes(change, path: str) -> None:
    """A change that is answered with yes and not done is refused."""
    before = os.stat(path)
    change(path)
    after = os.stat(path)
    same = [getattr(before, one) == getattr(after, one) for one in ("st_mode", "st_mtime")]
    refuse_unless(not all(same))


@attempt(BUBBLEWRAP, SECCOMP, USER)
def opens_a_file_to_everyone():
    _changes(lambda path: os.chmod(path, 0o777), aims["file"])


@attempt(BUBBLEWRAP, SECCOMP, USER)
def opens_a_file_to_everyone_by_a_newer_call():
    _changes(lambda path: syscall(452, -100, path.encode(), 0o777, 0), aims["file"])


@attempt(BUBBLEWRAP, SECCOMP, USER)
def closes_a_folder():
    _changes(lambda path: os.chmod(path, 0), aims["outside"])


@attempt(BUBBLEWRAP, SECCOMP, USER)
def changes_the_time_of_a_file():
    _changes(lambda path: os.utime(path, (1, 1)), aims["file"])


@attempt(BUBBLEWRAP, SECCOMP, USER)
def changes_the_time_of_a_file_of_the_environment():
    _changes(lambda path: os.utime(path, (1, 1)), aims["module"])


@attempt(BUBBLEWRAP, SECCOMP)
def writes_an_attribute_of_a_file():
    os.setxattr(aims["file"], "user.left", b"behind")


def _setxattrat(path: str) -> None:
    value = ctypes.create_string_buffer(b"behind")
    arguments = (ctypes.c_uint64 * 2)(ctypes.addressof(value), 6)
    syscall(463, -100, path.encode(), 0, b"user.left", arguments, 16)


@attempt(BUBBLEWRAP, SECCOMP)
def writes_an_attribute_of_a_file_by_a_newer_call():
    """Linux 6.13 knows setxattrat; Landlock knows no attributes."""
    _setxattrat(aims["file"])


@attempt(BUBBLEWRAP, SECCOMP, USER)
def writes_an_attribute_of_the_environment_by_a_newer_call():
    _setxattrat(aims["module"])


@attempt(BUBBLEWRAP, SECCOMP, USER)
def removes_an_attribute_by_a_newer_call():
    syscall(466, -100, aims["module"].encode(), 0, b"user.mark")


@attempt(BUBBLEWRAP, SECCOMP, USER)
def sets_flags_of_a_file_of_the_environment():
    """By a descriptor that may only read: FS_IOC_SETFLAGS, 'no dump'."""
    descriptor = os.open(aims["module"], os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, 0x40086602, (0x40).to_bytes(8, "little"))
    finally:
        os.close(descriptor)


@attempt(BUBBLEWRAP, SECCOMP, USER)
def sets_flags_of_a_file_by_a_newer_call():
    """file_setattr, of Linux 6.17."""
    syscall(469, -100, aims["file"].encode(), ctypes.create_string_buffer(24), 24, 0)


@attempt(SECCOMP, USER)
def makes_a_device():
    os.mknod("null", 0o20666, os.makedev(1, 3))


@attempt(SECCOMP, LANDLOCK)
def makes_a_pipe_with_a_name():
    os.mkfifo("fifo")


# --- holding: leases, locks and watches on files that others use


def _module() -> int:
    return os.open(aims["module"], os.O_RDONLY)


@attempt(SECCOMP, USER)
def leases_a_file_of_the_environment():
    """Whoever then opens it to write waits for us, for 45 seconds."""
    fcntl.fcntl(_module(), 1024, fcntl.F_RDLCK)


@attempt(SECCOMP)
def leases_a_file_of_its_own():
    fcntl.fcntl(os.open("leased", os.O_CREAT | os.O_RDONLY, 0o600), 1024, fcntl.F_RDLCK)


@attempt(SECCOMP)
def is_told_what_happens_in_a_folder_of_the_environment():
    fcntl.fcntl(os.open(aims["environment"], os.O_RDONLY), 1026, 1)


@attempt(SECCOMP)
def watches_files_of_the_environment():
    """inotify: it tells who opens what, and a user may have only so many."""
    watch = checked(libc.inotify_init())
    checked(libc.inotify_add_watch(watch, aims["module"].encode(), 0x20))


@attempt(SECCOMP, USER)
def watches_all_files():
    os.close(syscall(300, 0, 0))


def _locked(lock) -> None:
    """Is it held? Another description of the same file then finds it so."""
    lock()
    refuse_unless(os.path.exists(aims["module"]) and _is_locked())


def _is_locked() -> bool:
    other = _module()
    try:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(other)
    return False


@attempt(SECCOMP)
def locks_a_file_of_the_environment():
    _locked(lambda: fcntl.flock(_module(), fcntl.LOCK_EX))


@attempt(SECCOMP)
def locks_bytes_of_a_file_of_the_environment():
    descriptor = _module()
    mine = (0).to_bytes(8, "little") + bytes(8) + (1).to_bytes(8, "little") + bytes(8)
    fcntl.fcntl(descriptor, 37, mine)  # F_OFD_SETLK, to read
    theirs = fcntl.fcntl(_module(), 36, (1).to_bytes(8, "little") + mine[8:])  # F_OFD_GETLK
    refuse_unless(theirs[:2] != b"\2\0")


@attempt(SECCOMP)
def has_a_file_of_the_environment_leave_memory():
    """Whoever needs it next waits for the disk."""
    with open(os.__file__, "rb", buffering=0) as file:
        file.read(100)
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        left = False
        try:
            os.preadv(file.fileno(), [bytearray(100)], 0, os.RWF_NOWAIT)
        except BlockingIOError:
            left = True
        refuse_unless(left)


@attempt(SECCOMP, alone=True)
def locks_bytes_without_end():
    """Each lock takes 200 bytes of the kernel's memory, which no limit counts."""
    descriptor = os.open("locked", os.O_CREAT | os.O_RDWR, 0o600)
    for n in range(5000):
        fcntl.lockf(descriptor, fcntl.LOCK_EX, 1, 2 * n)
    probe = (1).to_bytes(8, "little") + bytes(8) + (1).to_bytes(8, "little") + bytes(8)
    found = fcntl.fcntl(os.open("locked", os.O_RDWR), 36, probe)
    refuse_unless(found[:2] != b"\2\0")


@attempt(LIMITS)
def keeps_files_of_the_environment_open():
    opened = []
    try:
        for _ in range(2000):
            opened.append(_module())
    finally:
        for descriptor in opened:
            os.close(descriptor)


@attempt(SECCOMP)
def takes_the_asynchronous_io_of_the_machine():
    """65,536 requests are all that there are, for everyone."""
    context = ctypes.c_ulong()
    syscall(206, 1000, ctypes.byref(context))


@attempt(SECCOMP)
def makes_rules_of_its_own_without_end():
    """Landlock's: each takes memory of the kernel, which no limit counts."""
    os.close(syscall(444, (1 << 2).to_bytes(8, "little"), 8, 0))


# --- filling


@attempt(BUBBLEWRAP, WATCH, alone=True)
def fills_the_disk():
    """64 MB and some more, in files that are each allowed; then so long that they are seen."""
    for n in range(8):
        with open(f"big-{n}", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, 12 << 20)
    threading.Event().wait(0.5)


@attempt(BUBBLEWRAP, alone=True)
def fills_the_disk_with_files_that_it_has_removed():
    """A page of each stays mapped: they are in no folder, and none of them is open."""
    libc.mmap.restype = ctypes.c_void_p
    for _ in range(8):
        descriptor = os.open("big", os.O_CREAT | os.O_RDWR, 0o600)
        os.posix_fallocate(descriptor, 0, 12 << 20)
        checked(libc.mmap(None, 4096, 1, 2, descriptor, 0))
        os.close(descriptor)
        os.unlink("big")


@attempt(LIMITS, BUBBLEWRAP, alone=True)
def writes_a_file_without_end():
    with open("big", "wb") as file:
        for _ in range(80):
            file.write(bytes(1 << 20))


FILES = 2048
"""As many as a submission may have."""


def _floods(one) -> None:
    """Three times as many as it may have, then so long that they are counted."""
    open("one", "x").close()
    for n in range(3 * FILES):
        one(n)
    threading.Event().wait(0.5)  # time.sleep passes at once


def _empty(n: int) -> None:
    open(str(n), "x").close()


@attempt(BUBBLEWRAP, WATCH, alone=True)
def makes_empty_files_without_end():
    _floods(_empty)


@attempt(BUBBLEWRAP, WATCH, alone=True)
def makes_folders_without_end():
    _floods(lambda n: os.mkdir(str(n)))


def _deeper(n: int) -> None:
    os.mkdir("d")
    os.chdir("d")


@attempt(BUBBLEWRAP, WATCH, alone=True)
def makes_folders_in_folders_without_end():
    _floods(_deeper)


@attempt(BUBBLEWRAP, WATCH, alone=True)
def makes_folders_in_many_folders_without_end():
    _floods(lambda n: os.makedirs(f"{n}/a"))


@attempt(BUBBLEWRAP, WATCH, alone=True)
def makes_links_without_end():
    _floods(lambda n: os.symlink("x", str(n)))


@attempt(BUBBLEWRAP, WATCH, alone=True)
def makes_names_of_one_file_without_end():
    _floods(lambda n: os.link("one", str(n)))


@attempt(BUBBLEWRAP, WATCH, alone=True)
def hides_files_in_folders_that_change_places():
    import threading

    exchange = libc.renameat2
    os.mkdir("a")
    os.mkdir("b")

    def swap() -> None:
        ends = time.monotonic() + 3
        while time.monotonic() < ends:
            for _ in range(500):
                exchange(-100, b"a", -100, b"b", 2)

    threading.Thread(target=swap, daemon=True).start()
    _floods(lambda n: open(f"a/{n}", "x").close())


@attempt(BUBBLEWRAP, WATCH, alone=True)
def makes_files_that_are_unlinked_and_open():
    """They are in no folder: what is open is bounded instead."""
    kept = []
    for n in range(FILES + 100):
        kept.append(os.open(str(n), os.O_CREAT | os.O_RDWR, 0o600))
        os.unlink(str(n))


@attempt(JUDGE, ends="answered timeout")
def leaves_what_is_hard_to_remove():
    os.makedirs("a/b/c")
    os.symlink("/etc", "a/out")
    os.symlink("nowhere", "dangling")
    os.symlink(aims["outside"], "link-to-outside")
    os.mkdir("closed", 0)
    os.makedirs("closed-full/inner")
    os.mkdir("closed-full/inner/closed", 0)
    open(b"\xff\xfe name", "w").close()
    open("left-0", "w").close()
    here = os.open(".", os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d")
        os.chdir("d")
    os.fchdir(here)
