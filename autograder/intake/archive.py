"""Reads folders, zips and tars that somebody handed in, and trusts nothing in them.

What was handed in is a tree of nodes. Nothing is written to disk, no link is followed, and
every read has a cap, so a hostile hand-in can at most be refused.
"""

from __future__ import annotations

import bz2
import gzip
import io
import os
import re
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import IO, Union, cast

FOLDER = "a folder"
FILE = "a file"
LINK = "a link"
SPECIAL = "neither a file nor a folder"
UNSAFE = "an entry with an unsafe name"
REPLACED = "an entry that a later one of the same name replaces"
CLASH = "an entry that is a file and a folder at once"
ENCRYPTED = "encrypted"
PACKED = "compressed in a way other than deflate"

MAX_DEPTH = 12
MAX_NESTED = 64 * 2**20  # bytes of one archive in another, or of what a tar inflates to
MAX_HELD = 2 * MAX_NESTED  # of all that are held in memory for one submission
DIRECTORY_BYTES_PER_ENTRY = 512
CHUNK = 2**16
LONGEST_NAME = 240  # bytes; disks take 255

# What operating systems and tools leave behind; nobody means to hand it in.
_JUNK = re.compile(r"\..*|__MACOSX|__pycache__", re.DOTALL)


class Refused(ValueError):
    """Something is not read. The message continues a sentence that began with its name."""


class Closed(Refused):
    """An archive of a kind that is not opened here; a person can."""


@dataclass(frozen=True)
class Node:
    """One thing that was handed in; nothing of it is read before it is asked for.

    `kind` is FOLDER, FILE, or what else it is, in words. `listing` and `open` belong to folders and
    files; call them through `children` and `read`, which cap and turn every failure into Refused.
    `held` is how many bytes of memory an open archive takes. A file can be opened at any time: its
    archive need not be open any more.
    """

    name: str
    kind: str
    listing: Callable[[int], list[Node]]
    open: Callable[[], IO[bytes]]
    held: int = 0


def _no_list(limit: int) -> list[Node]:
    raise Refused("is not a folder")


def _no_open() -> IO[bytes]:
    raise Refused("is not a file")


def folder(name: str, nodes: list[Node]) -> Node:
    """A folder that holds the given nodes."""
    return Node(name, FOLDER, lambda limit: nodes[: limit + 1], _no_open)


def children(node: Node, limit: int) -> list[Node]:
    """What a folder holds, sorted by name, without junk. Refused above `limit` entries."""
    try:
        nodes = node.listing(limit)
    except OSError as error:
        raise Refused(f"cannot be opened ({error.strerror})") from None
    if len(nodes) > limit:
        raise Refused(f"holds more than {limit:,} entries")
    return sorted(
        (node for node in nodes if node.kind == UNSAFE or not _JUNK.fullmatch(node.name)),
        key=lambda node: (node.name, node.kind),
    )


def read(node: Node, limit: int) -> bytes:
    """The bytes of a file. Refused when it is no plain file, damaged, or above `limit` bytes."""
    if node.kind != FILE:
        raise Refused(f"is {node.kind}")
    data = io.BytesIO()  # which gives its bytes away without a copy
    try:
        with node.open() as stream:
            # The size that a zip or a folder announces may be a lie, so the bytes are counted.
            while data.tell() <= limit and (chunk := stream.read(CHUNK)):
                data.write(chunk)
    except Refused:
        raise
    except OSError as error:
        raise Refused(f"cannot be read ({error.strerror or error})") from None
    except Exception as error:  # zipfile and zlib raise a dozen kinds for one damaged entry
        raise Refused("is damaged") from error
    if data.tell() > limit:
        raise Refused(f"is larger than {size(limit)}")
    return data.getvalue()


def size(count: int) -> str:
    """A number of bytes for a sentence: `2 MB`, `4 kB`."""
    return f"{count // 2**20} MB" if count >= 2**20 else f"{count // 2**10} kB"


def printable(text: str, limit: int = 100) -> str:
    """`text` with everything invisible, such as line ends or direction marks, escaped; cut."""
    text = text[: limit + 1]
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."


def kept_name(name: str) -> str:
    """The name of a file as every disk, table and terminal takes it, with its ending.

    A tar or an old disk may hold bytes that are no text, and a zip names that no disk can.
    """
    stem, dot, ending = printable(name, 10 * len(name)).rpartition(".")
    room = LONGEST_NAME - len(f"{dot}{ending}".encode())
    return stem.encode()[:room].decode(errors="ignore") + dot + ending


# --- folders


def on_disk(path: Path) -> Node:
    """The tree at `path`, which may itself be a link: whoever runs us named it. Raises OSError."""
    path = path.resolve(strict=True)
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        return _disk_node(path, (), path.name, FOLDER)
    return _disk_node(path.parent, (path.name,), path.name, FILE if stat.S_ISREG(mode) else SPECIAL)


def _disk_node(root: Path, parts: tuple[str, ...], name: str, kind: str) -> Node:
    return Node(name, kind, partial(_disk_list, root, parts), partial(_disk_open, root, parts))


def _disk_list(root: Path, parts: tuple[str, ...], limit: int) -> list[Node]:
    nodes: list[Node] = []
    descriptor = _descriptor(root, parts, os.O_DIRECTORY)
    try:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                if len(nodes) > limit:
                    break
                nodes.append(_disk_node(root, (*parts, entry.name), entry.name, _disk_kind(entry)))
    finally:
        os.close(descriptor)
    return nodes


def _disk_kind(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return LINK
    if entry.is_dir(follow_symlinks=False):
        return FOLDER
    return FILE if entry.is_file(follow_symlinks=False) else SPECIAL


def _disk_open(root: Path, parts: tuple[str, ...]) -> IO[bytes]:
    # Non-blocking, so that a fifo put in place of the file cannot hold us up.
    descriptor = _descriptor(root, parts, os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Refused(f"is {SPECIAL}")
    return os.fdopen(descriptor, "rb", buffering=0)


def _descriptor(root: Path, parts: tuple[str, ...], last: int) -> int:
    """Open `root/parts` from folder to folder, so that no link on the way is followed."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for depth, part in enumerate(parts, 1):
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        flags |= last if depth == len(parts) else os.O_DIRECTORY
        try:
            below = os.open(part, flags, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = below
    return descriptor


# --- zips and tars

_Tree = dict[str, Union[Node, "_Tree"]]  # evaluated, so no `|` with a name in quotes

_OPENED = re.compile(r"\.(zip|tar|tgz|tbz2?|tar\.gz|tar\.bz2)$", re.IGNORECASE)
_ARCHIVE = re.compile(r"(\.tar)?\.(zip|rar|7z|tar|gz|tgz|bz2|tbz2?|xz|zst)$", re.IGNORECASE)
_CLOSED = {b"Rar!": "RAR", b"7z\xbc\xaf": "7-Zip", b"\xfd7zX": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
_GZIP, _BZIP2 = b"\x1f\x8b", b"BZh"
_BLOCK = 512  # of a tar


def is_archive(node: Node) -> bool:
    """True for a file that calls itself an archive, of whatever kind."""
    return node.kind == FILE and _ARCHIVE.search(node.name) is not None


def opens(node: Node) -> bool:
    """True for a file that calls itself an archive of a kind that is opened here."""
    return node.kind == FILE and _OPENED.search(node.name) is not None


def without_ending(name: str) -> str:
    """The name of an archive without `.zip` or `.tar.gz`."""
    return _ARCHIVE.sub("", name)


class _Capped:
    """A stream that refuses a single read above `most` bytes.

    zipfile reads the whole directory of a zip in one go, as long as the archive says it is; here
    that is stopped before the memory is asked for.
    """

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable
        self._read, self._most = stream.read, most

    def read(self, count: int = -1) -> bytes:
        if count > self._most:
            raise Refused("holds a directory that is too long")
        return self._read(self._most if count < 0 else count)


@contextmanager
def unpacked(node: Node, entries: int, room: int = MAX_HELD) -> Iterator[Node]:
    """The folder inside a zip or tar, for as long as the context lasts.

    What it is, its first bytes say, not its name. Refused when it is neither, holds more than
    `entries` entries or would take more than `room` bytes of memory while it is open. Of two
    entries with one name the last counts, as it would with every tool that unpacks one after the
    other.
    """
    held = 0
    with ExitStack() as stack:
        try:
            stream = stack.enter_context(node.open())
            first = stream.read(_BLOCK)
            if kind := _CLOSED.get(first[:4]):
                raise Closed(f"is a {kind} archive, which cannot be opened here")
            if first[:2] == _GZIP or first[:3] == _BZIP2 or _is_tar(first):
                whole = [_fitting(_inflated(read(node, MAX_NESTED)), room)]
                stack.callback(whole.clear)
                held, found = len(whole[0]), _tree(_tar_entries(whole, node, entries))
            else:
                if not isinstance(stream, io.FileIO):
                    # A zip in a zip: to seek there is to inflate again, so it is held in memory.
                    data = _fitting(read(node, MAX_NESTED), room)
                    held, stream = len(data), io.BytesIO(data)
                archive = stack.enter_context(_zip(stream, entries))
                found = _tree(_zip_entries(archive, node, entries))
        except Refused:
            raise
        except Exception as error:  # as above: a damaged zip raises anything
            raise Refused("is not a zip that can be read") from error
        yield replace(_folder(node.name, found), held=held)


def _zip_again(node: Node, entries: int) -> zipfile.ZipFile:
    """A zip that was closed. Whoever reads of it keeps it open, and nobody else."""
    stream = node.open()
    if not isinstance(stream, io.FileIO):
        stream = io.BytesIO(read(node, MAX_NESTED))
    return _zip(stream, entries)


def _fitting(data: bytes, room: int) -> bytes:
    """An archive that is held in memory beside others. Raises Refused where they are too much."""
    if len(data) > room:
        raise Refused(f"lies among archives of more than {size(MAX_HELD)}, and was not opened")
    return data


def _zip(stream: IO[bytes], entries: int) -> zipfile.ZipFile:
    stream.seek(0)
    # Room for the directory, and for the comment that may end a zip.
    most = max(entries * DIRECTORY_BYTES_PER_ENTRY, 2 * CHUNK)
    return zipfile.ZipFile(_Capped(stream, most))


def _folder(name: str, tree: _Tree) -> Node:
    def nodes(limit: int) -> list[Node]:
        found = [_folder(k, v) if isinstance(v, dict) else v for k, v in tree.items()]
        return found[: limit + 1]

    return Node(name, FOLDER, nodes, _no_open)


def _zip_entries(archive: zipfile.ZipFile, node: Node, entries: int) -> Iterator[Node]:
    """What the zip at `node` holds. Raises Refused."""

    def opened(info: zipfile.ZipInfo) -> IO[bytes]:
        return (archive if archive.fp else _zip_again(node, entries)).open(info)

    if len(archive.infolist()) > entries:
        raise Refused(f"holds more than {entries:,} entries")
    for info in archive.infolist():
        # Some Windows tools write backslashes; nothing is unpacked, so they may mean folders.
        name = info.orig_filename.replace("\\", "/")
        yield Node(name, _zip_kind(info), _no_list, partial(opened, info))


def _tar_entries(held: list[bytes], node: Node, entries: int) -> Iterator[Node]:
    """What the tar at `node` holds, whose bytes are `held` for as long as it is open. Raises
    Refused.

    We go from header to header ourselves, always forward: tarfile can be sent round in a circle.
    """

    def opened(start: int, end: int) -> IO[bytes]:
        return io.BytesIO(memoryview(held[0] if held else _tar_again(node))[start:end])

    at, number, long = 0, 0, ""
    (data,) = held
    whole = memoryview(data)  # of which a piece is no copy
    while at + _BLOCK <= len(data) and any(data[at : at + _BLOCK]):
        try:
            info = tarfile.TarInfo.frombuf(data[at : at + _BLOCK], "utf-8", "surrogateescape")
        except tarfile.TarError:
            raise Refused("is damaged") from None
        start, end = at + _BLOCK, at + _BLOCK + info.size
        if not start <= end <= len(data):
            raise Refused("is damaged")
        at = start + -(-info.size // _BLOCK) * _BLOCK
        number += 1
        if number > entries:
            raise Refused(f"holds more than {entries:,} entries")
        body = whole[start:end]
        # A name that is too long for the header stands in an entry of its own before it.
        if info.type == tarfile.GNUTYPE_LONGNAME:
            long = bytes(body).rstrip(b"\0").decode("utf-8", "surrogateescape")
        elif info.type == tarfile.XHDTYPE:
            path = re.search(rb"(?:^|\n)\d+ path=([^\n]*)\n", body)
            long = path[1].decode("utf-8", "surrogateescape") if path else long
        elif info.type not in (tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK):
            name = (long or info.name) + ("/" if info.isdir() else "")
            yield Node(name, _tar_kind(info), _no_list, partial(opened, start, end))
            long = ""


@lru_cache(maxsize=1)  # who reads a file of it reads another
def _tar_again(node: Node) -> bytes:
    """A tar that was closed."""
    return _inflated(read(node, MAX_NESTED))


def _tar_kind(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return LINK
    plain = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
    return FILE if info.type in plain or info.isdir() else SPECIAL


def _inflated(data: bytes) -> bytes:
    """A tar without its compression. Raises Refused above what an archive may hold."""
    stream: IO[bytes] = io.BytesIO(data)
    if data.startswith(_GZIP):
        stream = cast(IO[bytes], gzip.GzipFile(fileobj=stream))
    elif data.startswith(_BZIP2):
        stream = bz2.BZ2File(stream)
    inside = read(Node("", FILE, _no_list, lambda: stream), MAX_NESTED)
    if not _is_tar(inside):
        raise Refused("is no archive of files")
    return inside


def _is_tar(first: bytes) -> bool:
    return first[257:262] == b"ustar"


def _tree(entries: Iterable[Node]) -> _Tree:
    """Entries that are called by their paths as a tree."""
    top: _Tree = {}
    for number, node in enumerate(entries):
        aside = f"\0{number}"  # a key that no name can have, for entries that are only listed
        name = node.name
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if _unsafe(name, parts):
            top[aside] = replace(node, kind=UNSAFE)
            continue
        tree: _Tree | None = top
        for part in parts if name.endswith("/") else parts[:-1]:
            below = tree.setdefault(part, {}) if tree is not None else None
            tree = below if isinstance(below, dict) else None
        if tree is None:
            top[aside] = replace(node, kind=CLASH)
        elif not name.endswith("/") and parts:
            node = replace(node, name=parts[-1])
            there = tree.get(node.name)
            if isinstance(there, dict):
                tree[aside] = replace(node, kind=CLASH)
                continue
            if there is not None:
                tree[aside] = replace(there, kind=REPLACED)
            tree[node.name] = node
    return top


def _unsafe(name: str, parts: list[str]) -> bool:
    """True for a name that means a place outside the zip, or that no student gave a file."""
    return (
        name.startswith("/")
        or re.match("[A-Za-z]:", name) is not None
        or ".." in parts
        or len(parts) > MAX_DEPTH
        or any(len(part) > 255 for part in parts)
        or any(ord(character) < 32 for character in name)
    )


def _zip_kind(info: zipfile.ZipInfo) -> str:
    mode = stat.S_IFMT(info.external_attr >> 16)
    if mode == stat.S_IFLNK:
        return LINK
    if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
        return SPECIAL
    if info.flag_bits & 0x1:
        return ENCRYPTED
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return PACKED
    return FILE
