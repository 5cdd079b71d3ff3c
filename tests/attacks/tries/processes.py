"""Tries at other processes: starting them, reaching them, and getting the rights to."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import resource
import signal
import socket
import struct
import subprocess
import time

from tests.attacks.tools import (
    BUBBLEWRAP,
    LANDLOCK,
    LIMITS,
    SECCOMP,
    USER,
    aims,
    attempt,
    checked,
    leave,
    libc,
    syscall,
)

# --- starting


@attempt(SECCOMP)
def forks():
    leave(os.fork())


@attempt(SECCOMP)
def forks_by_vfork_and_keeps_it():
    leave(syscall(58))


@attempt(SECCOMP)
def forks_by_clone():
    leave(syscall(56, 17, 0, 0, 0, 0))


@attempt(SECCOMP)
def forks_by_clone_with_high_bits():
    leave(syscall(56, (1 << 40) | 17, 0, 0, 0, 0))


@attempt(SECCOMP)
def forks_by_clone3():
    args = (ctypes.c_uint64 * 11)()
    args[4] = 17
    leave(syscall(435, args, 88))


@attempt(SECCOMP, LIMITS, alone=True)
def forks_without_end():
    for _ in range(100):
        leave(os.fork())


@attempt(SECCOMP)
def starts_a_program():
    subprocess.run(["/bin/true"], check=True)


@attempt(SECCOMP)
def spawns_a_program():
    os.posix_spawn("/bin/true", ["true"], {})


@attempt(SECCOMP, alone=True)
def replaces_itself_by_a_program():
    os.execv("/bin/true", ["true"])


@attempt(SECCOMP, LANDLOCK, alone=True)
def runs_a_program_that_it_wrote():
    with open("program", "w") as file:
        file.write("#!/bin/true\n")
    os.chmod("program", 0o755)
    os.execv("./program", ["./program"])


@attempt(LIMITS, alone=True)
def starts_threads_without_end():
    import threading

    threading.stack_size(64 << 10)
    stop, threads = threading.Event(), []
    try:
        for _ in range(4000):
            threads.append(threading.Thread(target=stop.wait, daemon=True))
            threads[-1].start()
    except RuntimeError:
        raise BlockingIOError(errno.EAGAIN, "no more threads") from None
    finally:
        stop.set()


# --- signals


@attempt(SECCOMP)
def signals_everyone():
    """The answer is yes wherever it may ask, even where it may signal nobody."""
    os.kill(-1, 0)


@attempt(SECCOMP, USER, LANDLOCK)
def signals_its_parent():
    os.kill(os.getppid(), 0)


@attempt(SECCOMP)
def signals_its_group():
    os.killpg(0, 0)


@attempt(SECCOMP)
def signals_itself():
    os.kill(os.getpid(), signal.SIGCONT)


@attempt(SECCOMP, USER)
def queues_a_signal_for_its_parent():
    info = (ctypes.c_int * 32)(signal.SIGCONT, 0, -1)
    syscall(129, os.getppid(), signal.SIGCONT, info)


@attempt(SECCOMP, USER, LANDLOCK)
def signals_a_thread_of_its_parent():
    syscall(234, os.getppid(), os.getppid(), 0)


@attempt(SECCOMP)
def has_the_kernel_signal_its_parent():
    fcntl.fcntl(3, fcntl.F_SETOWN, os.getppid())


@attempt(SECCOMP)
def has_the_kernel_signal_its_parent_by_another_call():
    fcntl.fcntl(3, 15, bytes(ctypes.c_int(1)) + bytes(ctypes.c_int(os.getppid())))


@attempt(SECCOMP)
def has_the_kernel_signal_with_another_number():
    fcntl.fcntl(3, 10, signal.SIGKILL)


@attempt(LIMITS)
def makes_timers_without_end():
    """Each takes memory of the kernel, and one of the signals that a user may have pending."""
    timer = ctypes.c_int()
    for _ in range(2000):
        syscall(222, 1, None, ctypes.byref(timer))


# --- other processes


@attempt(SECCOMP, USER, LANDLOCK)
def traces_its_parent():
    syscall(101, 0x4206, os.getppid(), 0, 0)


@attempt(SECCOMP)
def lets_itself_be_traced():
    syscall(101, 0, 0, 0, 0)


def _vector():
    buffer = ctypes.create_string_buffer(8)
    return buffer, (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)


@attempt(SECCOMP, USER, LANDLOCK)
def reads_the_memory_of_its_parent():
    _, vector = _vector()
    syscall(310, os.getppid(), vector, 1, vector, 1, 0)


@attempt(SECCOMP, USER, LANDLOCK)
def writes_the_memory_of_its_parent():
    """What it finds there: nothing changes."""
    _, vector = _vector()
    syscall(310, os.getppid(), vector, 1, vector, 1, 0)
    syscall(311, os.getppid(), vector, 1, vector, 1, 0)


@attempt(SECCOMP)
def opens_a_descriptor_of_its_parent():
    os.close(syscall(434, os.getppid(), 0))


@attempt(SECCOMP, USER, LANDLOCK)
def takes_a_descriptor_out_of_its_parent():
    os.close(syscall(438, syscall(434, os.getppid(), 0), 0, 0))


@attempt(SECCOMP, USER, LANDLOCK)
def compares_itself_with_its_parent():
    syscall(312, os.getpid(), os.getppid(), 1, 0, 0)


@attempt(SECCOMP, USER)
def reads_the_limits_of_its_parent():
    resource.prlimit(os.getppid(), resource.RLIMIT_CPU)


@attempt(SECCOMP, USER)
def changes_the_limits_of_its_parent():
    """To what they are."""
    soft, hard = resource.prlimit(os.getppid(), resource.RLIMIT_CPU)
    resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (soft, hard))


@attempt(LIMITS)
def raises_a_limit_of_its_own():
    for name in ("AS", "NPROC", "NOFILE", "FSIZE"):
        kind = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(kind)
        if hard == resource.RLIM_INFINITY:
            return
        try:
            resource.setrlimit(kind, (hard + 1, hard + 1))
        except ValueError:
            raise PermissionError(errno.EPERM, "not allowed to raise it") from None


@attempt(SECCOMP, USER)
def moves_its_parent_to_a_core():
    """The cores that it has."""
    os.sched_setaffinity(os.getppid(), os.sched_getaffinity(os.getppid()))


@attempt(SECCOMP)
def moves_itself_to_a_core():
    os.sched_setaffinity(0, os.sched_getaffinity(0))


@attempt(SECCOMP, USER)
def slows_its_parent_down():
    """By nothing."""
    os.setpriority(os.PRIO_PROCESS, os.getppid(), os.getpriority(os.PRIO_PROCESS, os.getppid()))


@attempt(SECCOMP)
def slows_its_user_down():
    """By nothing, whatever it has: to get back what was given up is a right of its own."""
    os.setpriority(os.PRIO_USER, 0, os.getpriority(os.PRIO_PROCESS, 0))


@attempt(SECCOMP, USER)
def changes_the_scheduling_of_its_parent():
    os.sched_setscheduler(os.getppid(), os.SCHED_OTHER, os.sched_param(0))


@attempt(SECCOMP, alone=True)
def outlives_its_parent():
    checked(libc.prctl(1, 0, 0, 0, 0))


@attempt(SECCOMP, alone=True)
def outlives_its_parent_with_high_bits():
    syscall(157, (1 << 32) | 1, 0, 0, 0, 0)


@attempt(SECCOMP, alone=True)
def becomes_dumpable():
    checked(libc.prctl(4, 1, 0, 0, 0))


@attempt(SECCOMP)
def keeps_its_neighbours_off_its_core():
    """Core scheduling: what is not ours waits while we run on the other thread of a core."""
    checked(libc.prctl(62, 0, 0, 0, ctypes.byref(ctypes.c_ulong())))


def _filter(action: int) -> ctypes.Array:
    """One instruction: whatever is called, do that."""
    program = ctypes.create_string_buffer(struct.pack("=HBBI", 6, 0, 0, action), 8)
    _kept.append(program)
    return ctypes.create_string_buffer(struct.pack("@HP", 1, ctypes.addressof(program)))


_kept: list[ctypes.Array] = []


@attempt(SECCOMP, alone=True)
def has_all_its_calls_written_into_the_log_of_the_machine():
    """A filter of its own that allows and logs."""
    syscall(317, 1, 0, _filter(0x7FFC0000))


@attempt(SECCOMP, alone=True)
def has_all_its_calls_written_into_the_log_by_another_call():
    checked(libc.prctl(22, 2, _filter(0x7FFC0000), 0, 0))


@attempt(SECCOMP, alone=True)
def decides_about_its_own_calls():
    """A filter that asks somebody: threads that wait for an answer cannot be stopped."""
    os.close(syscall(317, 1, (1 << 3) | (1 << 5), _filter(0x7FFF0000)))


@attempt(SECCOMP)
def lists_the_mounts_of_the_machine():
    """By a call of Linux 6.8 that opens no file."""
    root = (ctypes.c_uint64 * 3)(24, 0xFFFFFFFFFFFFFFFF, 0)
    syscall(458, root, ctypes.create_string_buffer(800), 100, 0)


@attempt(SECCOMP)
def asks_its_channel_for_the_interfaces_of_the_machine():
    buffer = ctypes.create_string_buffer(1000)
    asked = struct.pack("@iP", 1000, ctypes.addressof(buffer))
    fcntl.ioctl(3, 0x8912, asked)


# --- rights


@attempt(SECCOMP, USER)
def becomes_root():
    os.setuid(0)


@attempt(SECCOMP, USER)
def becomes_root_with_all_its_ids():
    os.setresuid(0, 0, 0)


@attempt(SECCOMP, USER)
def changes_its_groups():
    os.setgroups([0])


@attempt(SECCOMP)
def makes_a_user_namespace():
    syscall(272, 0x10000000)


@attempt(SECCOMP)
def makes_a_process_in_a_user_namespace():
    leave(syscall(56, 0x10000000 | 17, 0, 0, 0, 0))


@attempt(SECCOMP)
def enters_a_namespace():
    syscall(308, os.open(".", os.O_RDONLY), 0)


@attempt(SECCOMP, USER)
def mounts():
    syscall(165, b"none", b".", b"tmpfs", 0, None)


@attempt(SECCOMP, USER)
def opens_a_mount():
    os.close(syscall(428, -100, b".", 1))


@attempt(SECCOMP, USER)
def opens_a_mount_and_sets_its_attributes():
    os.close(syscall(467, -100, b".", 1, None, 0))


@attempt(SECCOMP, USER)
def makes_a_file_system():
    os.close(syscall(430, b"tmpfs", 0))


@attempt(SECCOMP, USER)
def changes_its_root():
    os.chroot(".")


@attempt(SECCOMP)
def loads_a_BPF_program():
    syscall(321, 0, ctypes.create_string_buffer(128), 128)


@attempt(SECCOMP)
def opens_performance_events():
    syscall(298, ctypes.create_string_buffer(128), 0, -1, -1, 0)


@attempt(SECCOMP)
def makes_a_userfaultfd():
    os.close(syscall(323, 1))


@attempt(SECCOMP)
def makes_an_io_uring():
    os.close(syscall(425, 4, ctypes.create_string_buffer(120)))


@attempt(SECCOMP)
def makes_a_key():
    syscall(248, b"user", b"x", b"y", 1, -2)


@attempt(SECCOMP)
def looks_into_a_keyring():
    syscall(250, 0, -3, 1)


@attempt(SECCOMP, alone=True)
def calls_the_kernel_by_its_numbers_for_32_bits():
    """Another table of system calls, which a filter by numbers does not see."""
    _machine_code(b"\xb8\x02\x00\x00\x00\xcd\x80\xc3")  # mov eax, 2 (fork); int 0x80; ret


@attempt(SECCOMP)
def calls_the_kernel_by_its_numbers_for_x32():
    leave(syscall(0x40000000 | 57))


def _machine_code(code: bytes) -> None:
    import mmap

    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    found = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
    if found < 0:
        raise OSError(-found, os.strerror(-found))
    leave(found)


# --- the network


@attempt(SECCOMP)
def opens_a_TCP_socket():
    socket.socket().close()


@attempt(SECCOMP)
def opens_a_UDP_socket():
    socket.socket(type=socket.SOCK_DGRAM).close()


@attempt(SECCOMP)
def opens_a_Unix_socket():
    socket.socket(socket.AF_UNIX).close()


@attempt(SECCOMP)
def opens_a_netlink_socket():
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()


@attempt(SECCOMP)
def opens_a_socket_to_the_host_of_the_machine():
    """Which no namespace of the network keeps it from, where the machine is a virtual one."""
    socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).close()


@attempt(SECCOMP)
def opens_a_socket_to_the_ciphers_of_the_kernel():
    """Where there is none, the kernel loads a module to see."""
    socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET).close()


@attempt(SECCOMP, USER)
def opens_a_raw_socket():
    socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close()


@attempt(SECCOMP)
def makes_a_socket_pair():
    for one in socket.socketpair():
        one.close()


@attempt(SECCOMP)
def opens_a_socket_by_its_number():
    os.close(syscall(41, 2, 1, 0))


@attempt(SECCOMP)
def sends_on_its_channel():
    socket.socket(fileno=os.dup(3)).close()


@attempt(SECCOMP, BUBBLEWRAP, LANDLOCK)
def reaches_a_port_of_the_machine():
    with socket.socket() as one:
        one.settimeout(1)
        _reached(one, ("127.0.0.1", aims["tcp"]))


@attempt(SECCOMP, BUBBLEWRAP)
def sends_a_packet_to_the_machine():
    with socket.socket(type=socket.SOCK_DGRAM) as one:
        _reached(one, ("127.0.0.1", aims["udp"]))
        for _ in range(2):
            try:
                one.send(b"x")
            except ConnectionRefusedError as error:
                raise PermissionError(errno.EPERM, str(error)) from None
            time.sleep(0.05)


@attempt(SECCOMP, BUBBLEWRAP, LANDLOCK)
def reaches_an_abstract_socket_of_the_machine():
    with socket.socket(socket.AF_UNIX) as one:
        _reached(one, b"\0" + aims["abstract"].encode())


@attempt(SECCOMP, BUBBLEWRAP)
def reaches_a_socket_in_a_folder():
    with socket.socket(socket.AF_UNIX) as one:
        _reached(one, aims["unix"])


def _reached(one, address):
    try:
        one.connect(address)
    except OSError as error:  # nobody is there, in a network of its own
        raise PermissionError(errno.EPERM, str(error)) from None
