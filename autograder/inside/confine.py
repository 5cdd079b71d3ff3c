"""Gives up rights, in the child, before any student code runs. Nothing here can be undone.

Each function takes one layer on and says whether it did: user, limits, Landlock, seccomp. They
stand alone, so that where one is missing the others still hold.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import resource
import signal
import struct
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

try:
    import pyseccomp as seccomp
except (ImportError, OSError, RuntimeError):
    # pyseccomp is a pure binding: without libseccomp.so.2 its import fails.
    seccomp = None

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
CAP_SYS_ADMIN = 21
MS_NOSUID, MS_NODEV = 2, 4
CLONE_THREAD = 0x10000
CLONE_NEWNS = 0x20000
CLONE_NEW = (CLONE_NEWNS, *(1 << bit for bit in range(25, 31)))
"""Flags of clone that ask for a new namespace: mount, cgroup, uts, ipc, user, pid, net."""

FORBIDDEN = (
    "socket socketpair connect bind listen accept accept4 sendto sendmsg sendmmsg "
    "recvfrom recvmsg recvmmsg getsockopt setsockopt getsockname getpeername shutdown "
    "fork vfork execve execveat "
    "ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp "
    "pidfd_open pidfd_getfd pidfd_send_signal "
    "kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo "
    "sched_setaffinity sched_setattr sched_setparam sched_setscheduler setpriority ioprio_set "
    "setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid "
    "shmget shmat shmctl shmdt msgget msgsnd msgrcv msgctl semget semop semctl semtimedop "
    "mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr "
    "memfd_create memfd_secret userfaultfd "
    "io_uring_setup io_uring_enter io_uring_register "
    "io_setup io_submit io_getevents io_pgetevents io_cancel io_destroy "
    "inotify_init inotify_init1 inotify_add_watch "
    "landlock_create_ruleset landlock_add_rule landlock_restrict_self "
    "keyctl add_key request_key bpf perf_event_open fanotify_init "
    "unshare setns mount umount umount2 pivot_root chroot move_mount open_tree fsopen fsconfig "
    "fsmount fspick mount_setattr open_tree_attr "
    "open_by_handle_at name_to_handle_at mknod mknodat personality quotactl quotactl_fd "
    "acct swapon swapoff "
    "reboot kexec_load kexec_file_load init_module finit_module delete_module "
    "migrate_pages move_pages modify_ldt iopl ioperm vhangup syslog settimeofday "
    "clock_settime clock_adjtime adjtimex sethostname setdomainname "
    "setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat "
    "file_setattr get_robust_list "
    "seccomp splice tee vmsplice "
    "statmount listmount listns lsm_get_self_attr lsm_set_self_attr lsm_list_modules "
)
"""System calls denied whatever their arguments, by name. With seccomp, a submission could have its
calls written into the machine's log; a pipe of pages, which no limit counts, keeps all of a large
page for a part of it.
"""

KERNEL_NEEDS = (
    "socket socketpair connect bind listen accept accept4 sendto sendmsg sendmmsg "
    "recvfrom recvmsg recvmmsg getsockopt setsockopt getsockname getpeername shutdown "
    "fork vfork execve execveat kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo "
    "sched_setscheduler sched_setparam "
)
"""What a Jupyter kernel cannot do without: processes, signals, and sockets, which reach no farther
than the network namespace that it must be given. What waits in a socket is memory that no limit
counts: it gets no other room than the system gives."""

FAMILIES = (1, 2, 10, 16)  # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK
"""Kinds of sockets that a notebook may have: those that the namespace of its network bounds. Others
reach the host of a virtual machine (AF_VSOCK), or have the kernel load a module that nobody needs.
"""

ROOM = (7, 8, 32, 33)  # SO_SNDBUF, SO_RCVBUF, and both of them by force

PRETENDED = (
    "chmod fchmod fchmodat fchmodat2 chown lchown fchown fchownat utime utimes utimensat futimesat "
    "flock sync syncfs fsync fdatasync sync_file_range msync fadvise64"
)
"""Calls that succeed and do nothing: Landlock does not know them, and honest code that copies a
file must not fail at its permissions. A lock is held against nobody, for a submission is alone
with its files; real ones could be held on Python's, and each takes memory that no limit counts.
Nor need files outlast a power cut, and neighbours would wait for the disk; so they would for files
of Python that somebody had leave memory."""

NUMBERS = {
    "pidfd_send_signal": 424,
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "pidfd_open": 434,
    "clone3": 435,
    "pidfd_getfd": 438,
    "process_madvise": 440,
    "mount_setattr": 442,
    "quotactl_fd": 443,
    "landlock_create_ruleset": 444,
    "landlock_add_rule": 445,
    "landlock_restrict_self": 446,
    "memfd_secret": 447,
    "process_mrelease": 448,
    "fchmodat2": 452,
    "statmount": 457,
    "listmount": 458,
    "lsm_get_self_attr": 459,
    "lsm_set_self_attr": 460,
    "lsm_list_modules": 461,
    "setxattrat": 463,
    "removexattrat": 466,
    "open_tree_attr": 467,
    "file_setattr": 469,
    "listns": 470,
}
"""Calls younger than some libseccomp in use; the numbers hold on every architecture."""

PRCTL = (15, 16)  # PR_SET_NAME, PR_GET_NAME
"""All that is left of prctl: others make a process outlive its parent, take the kernel's memory, or
keep neighbours off a core. They must be numbers in a row: see `compile_filter`."""

MERGEABLE = 12
"""MADV_MERGEABLE: the kernel looks for equal pages of others, which takes its time and tells us."""

SHARED = 0x21
"""Flags of a mapping that is shared and no file's. It stays whole while a page of it is mapped, and
only that page is counted."""

FCNTL = (8, 10, 15, 1024, 1026)
"""F_SETOWN, F_SETSIG, F_SETOWN_EX: signals that the kernel sends for us. F_SETLEASE: whoever opens
the file waits for us. F_NOTIFY: we are told who does."""

FCNTL_LOCKS = (6, 7, 37, 38)  # F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW: see PRETENDED
IOCTL = (0x5412,)  # TIOCSTI
IOCTL_KINDS = (0x66, 0x58, 0x76, 0x94, 0x89)
"""Flags, versions and seals of files, which need no right to write: FS_IOC_*, those of XFS that all
file systems took over, and those of btrfs. Those of sockets, which send signals and tell about the
machine's network."""


SIGNALS = 256
"""Signals that may be pending, and so timers that there may be: each takes the kernel's memory."""


@dataclass(frozen=True)
class Limits:
    """Caps of one child.

    memory: bytes of address space beyond what the warm worker maps; cpu: seconds in all;
    file: bytes per file written; processes: tasks (threads included) its user may have; files: how
    many may be open.
    """

    memory: int
    cpu: int
    file: int
    processes: int
    files: int = 64


def prctl(option: int, argument: int) -> bool:
    """Linux's prctl(2); False where it is refused or there is none."""
    if not sys.platform.startswith("linux"):
        return False
    zero = ctypes.c_ulong(0)
    return bool(_libc().prctl(option, ctypes.c_ulong(argument), zero, zero, zero) == 0)


def mount_scratch(folder: str, size: int, files: int) -> None:
    """Mount an empty disk on `folder` for this process and those it starts: so many bytes, so many
    files and folders. Then give up the right to mount.

    bubblewrap's --tmpfs bounds bytes alone, and a file without bytes costs a kilobyte of the
    kernel's memory. Call it before any thread starts. Raises OSError.
    """
    libc = _libc()
    options = f"size={size},nr_inodes={files},mode=1777".encode()
    try:
        if libc.unshare(CLONE_NEWNS) or libc.mount(
            b"tmpfs", folder.encode(), b"tmpfs", ctypes.c_ulong(MS_NOSUID | MS_NODEV), options
        ):
            raise _error("no scratch disk can be mounted")
    finally:
        _give_up(CAP_SYS_ADMIN)


def _give_up(capability: int) -> None:
    """Take one capability from this thread for good."""
    libc = _libc()
    # Version 3 of capabilities, of ourselves; effective, permitted, inheritable of bits 0 to 31,
    # then of those beyond.
    head, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    if libc.capget(head, sets):
        raise _error("capabilities cannot be read")
    for n in range(3):
        sets[n] &= ~(1 << capability)
    if libc.capset(head, sets):
        raise _error("a capability cannot be given up")


def _error(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")


def become(uid: int) -> bool:
    """Turn from root into an unprivileged user with no groups. False when not root."""
    if os.geteuid() != 0:
        return False
    try:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
    except OSError:
        # Where root has not the right (a container), it stays what it is; Doctor says so.
        return False
    os.setresuid(uid, uid, uid)
    return True


def limit(limits: Limits) -> None:
    """Set resource limits, soft and hard alike. `memory` is on top of what is mapped now."""
    caps = {
        resource.RLIMIT_FSIZE: limits.file,
        resource.RLIMIT_NPROC: limits.processes,
        resource.RLIMIT_NOFILE: limits.files,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,  # what is locked leaves memory for nobody, and may be all of it
    }
    if sys.platform.startswith("linux"):
        caps[resource.RLIMIT_AS] = mapped() + limits.memory
        caps[resource.RLIMIT_MSGQUEUE] = 0
        caps[resource.RLIMIT_SIGPENDING] = SIGNALS
    for what, cap in caps.items():
        _cap(what, cap, cap)
    # Soft below hard: the first says SIGXCPU, the second just kills.
    _cap(resource.RLIMIT_CPU, limits.cpu, limits.cpu + 2)


def _cap(what: int, soft: int, hard: int) -> None:
    _, ceiling = resource.getrlimit(what)
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    resource.setrlimit(what, (soft, hard))


def mapped() -> int:
    """Bytes of address space this process maps."""
    # Not open(): what it touches of this process, a child copies.
    file = os.open("/proc/self/statm", os.O_RDONLY)
    try:
        return int(os.read(file, 100).split()[0]) * resource.getpagesize()
    finally:
        os.close(file)


@dataclass(frozen=True)
class Rules:
    """What Landlock will let a process do with files: the kernel's ABI, 0 where it has no Landlock,
    and the descriptor of its rules, -1 without any. They are the same for every child.
    """

    abi: int = 0
    descriptor: int = -1


def landlock_rules(read: Sequence[str], write: Sequence[str]) -> Rules:
    """Rules that allow reading beneath `read`, and writing beneath `write`, and nothing else of
    files. Where the kernel can, also no TCP, no abstract Unix socket and no signal to a process
    outside.
    """
    if not sys.platform.startswith("linux"):
        return Rules()
    abi = _landlock(444, None, 0, 1)
    if abi < 1:
        return Rules()
    files = (1 << (16 if abi >= 5 else 15 if abi >= 3 else 14 if abi >= 2 else 13)) - 1
    attributes = struct.pack("=QQQ", files, 3 if abi >= 4 else 0, 3 if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = _landlock(444, attributes, size, 0)
    if ruleset < 0:
        return Rules()
    execute, write_file, read_file, read_dir = 1, 2, 4, 8
    truncate_ioctl = (1 << 14) | (1 << 15)
    # Plain files, folders and links may be made; devices, sockets and pipes may not.
    special = (1 << 6) | (1 << 9) | (1 << 10) | (1 << 11)
    for paths, rights in (
        (read, execute | read_file | read_dir),
        (write, files & ~(execute | special)),
    ):
        for path in paths:
            _allow(ruleset, path, rights & files, execute | write_file | read_file | truncate_ioctl)
    return Rules(abi, ruleset)


def landlock(rules: Rules) -> int:
    """Bind this process to the rules, for good. Brings their ABI, 0 where it cannot be done."""
    if rules.descriptor < 0:
        return 0
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    done = _landlock(446, rules.descriptor, 0, None)
    return rules.abi if done == 0 else 0


def _allow(ruleset: int, path: str, rights: int, of_files: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not os.path.isdir(path):
        rights &= of_files
    _landlock(445, ruleset, 1, struct.pack("=Qi", rights, descriptor), 0)
    os.close(descriptor)


def _landlock(number: int, *arguments: Any) -> int:
    """One of Landlock's three system calls, numbered alike on every architecture."""
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return int(_libc().syscall(ctypes.c_long(number), *words))


def compile_filter(needed: str = "") -> bytes:
    """The seccomp filter as a program for the kernel; nothing where libseccomp is missing.

    Denied calls fail with EPERM: no sockets, no new processes or programs, no signals, no reach
    into other processes, no memory outside the limit. Threads stay. It is the same for every
    child, so that it is compiled once. Calls that are `needed` are let through; new processes
    share the namespaces of the old all the same.
    """
    if seccomp is None:
        return b""
    denied = seccomp.ERRNO(errno.EPERM)
    rules = seccomp.SyscallFilter(defaction=seccomp.ALLOW)
    with contextlib.suppress(OSError, RuntimeError, ValueError):  # libseccomp before 2.5
        # A tree instead of a list: loaded in two thirds of the time, and sooner at its end.
        rules.set_attr(seccomp.Attr.CTL_OPTIMIZE, 2)
    for name in FORBIDDEN.split():
        if name not in needed.split():
            _rule(rules, denied, name)
    for name in PRETENDED.split():
        _rule(rules, seccomp.ERRNO(0), name)
    if "fork" in needed.split():
        for flag in CLONE_NEW:
            _rule(rules, denied, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, flag, flag))
    else:
        _rule(rules, denied, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, CLONE_THREAD, 0))
    if "socket" in needed.split():
        for name in ("socket", "socketpair"):
            _rule(rules, denied, name, seccomp.Arg(0, seccomp.GT, max(FAMILIES)))
            for family in {*range(max(FAMILIES))}.difference(FAMILIES):
                _rule(rules, denied, name, seccomp.Arg(0, seccomp.EQ, family))
    # libc falls back to clone, whose flags a filter can see.
    _rule(rules, seccomp.ERRNO(errno.ENOSYS), "clone3")
    _rule(rules, denied, "prlimit64", seccomp.Arg(0, seccomp.NE, 0))
    _rule(rules, denied, "prctl", seccomp.Arg(0, seccomp.LT, min(PRCTL)))
    _rule(rules, denied, "prctl", seccomp.Arg(0, seccomp.GT, max(PRCTL)))
    _rule(rules, denied, "mmap", seccomp.Arg(3, seccomp.MASKED_EQ, SHARED, SHARED))
    for name, place, values in (
        ("madvise", 2, (MERGEABLE,)),
        ("setsockopt", 2, ROOM),
        ("fcntl", 1, FCNTL),
        ("ioctl", 1, IOCTL),
    ):
        for value in values:
            # The kernel looks at 32 bits of these, the filter at 64: compare what it looks at.
            _rule(rules, denied, name, seccomp.Arg(place, seccomp.MASKED_EQ, 0xFFFFFFFF, value))
    for lock in FCNTL_LOCKS:
        same = seccomp.Arg(1, seccomp.MASKED_EQ, 0xFFFFFFFF, lock)
        _rule(rules, seccomp.ERRNO(0), "fcntl", same)
    for kind in IOCTL_KINDS:
        _rule(rules, denied, "ioctl", seccomp.Arg(1, seccomp.MASKED_EQ, 0xFF00, kind << 8))
    with tempfile.TemporaryFile() as file:
        try:
            rules.export_bpf(file)
        except (OSError, RuntimeError):
            return b""
        file.seek(0)
        return file.read()


def deny_calls(program: bytes) -> bool:
    """Load a filter that `compile_filter` made. False where there is none."""
    if not program:
        return False
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    code = ctypes.create_string_buffer(program, len(program))
    fprog = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    return bool(
        _libc().prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.c_char_p(fprog), 0, 0) == 0
    )


def _rule(rules: Any, action: Any, name: str, *arguments: Any) -> None:
    for call in (name, NUMBERS.get(name)):
        if call is None:
            continue
        try:
            rules.add_rule(action, call, *arguments)
            return
        except (OSError, RuntimeError, ValueError):
            # This architecture, or this libseccomp, has no call of that name.
            continue


def die_first() -> bool:
    """Where memory runs out, the kernel is to end this process before any other."""
    try:
        file = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    except OSError:
        return False
    try:
        return os.write(file, b"1000") == 4
    except OSError:
        return False
    finally:
        os.close(file)


def die_with_parent(how: signal.Signals = signal.SIGKILL) -> bool:
    """Ask the kernel to signal us when our parent dies. Changing the user clears it."""
    return prctl(PR_SET_PDEATHSIG, how)


@cache
def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)
