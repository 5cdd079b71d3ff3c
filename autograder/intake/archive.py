"""Reads folders and zips that somebody handed in, and trusts nothing in them.

What was handed in is a tree of nodes. Nothing is written to disk, no link is followed, and
every read has a cap, so a hostile hand-in can at most be refused.
"""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, Union

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
MAX_NESTED = 64 * 2**20
DIRECTORY_BYTES_PER_ENTRY = 512
CHUNK = 2**16

# What operating systems and tools leave behind; nobody means to hand it in.
_JUNK = re.compile(r"\..*|__MACOSX|__pycache__", re.DOTALL)


class Refused(ValueError):
    """Something is not read. The message continues a sentence that began with its name."""


@dataclass(frozen=True)
class Node:
    """One thing that was handed in; nothing of it is read before it is asked for.

    `kind` is FOLDER, FILE, or what else it is, in words. `listing` and `open` belong to folders and
    files; call them through `children` and `read`, which cap and turn every failure into Refused.
    """

    name: str
    kind: str
    listing: Callable[[int], list[Node]]
    open: Callable[[], IO[bytes]]


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
    data = bytearray()
    try:
        with node.open() as stream:
            # The size that a zip or a folder announces may be a lie, so the bytes are counted.
            while len(data) <= limit and (chunk := stream.read(CHUNK)):
                data += chunk
    except Refused:
        raise
    except OSError as error:
        raise Refused(f"cannot be read ({error.strerror or error})") from None
    except Exception as error:  # zipfile and zlib raise a dozen kinds for one damaged entry
        raise Refused("is damaged") from error
    if len(data) > limit:
        raise Refused(f"is larger than {size(limit)}")
    return bytes(data)


def size(count: int) -> str:
    """A number of bytes for a sentence: `2 MB`, `4 kB`."""
    return f"{count // 2**20} MB" if count >= 2**20 else f"{count // 2**10} kB"


def printable(text: str, limit: int = 100) -> str:
    """`text` with everything invisible, such as line ends or direction marks, escaped; cut."""
    text = text[: limit + 1]
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."


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


# --- zips

_Tree = dict[str, Union[Node, "_Tree"]]  # evaluated, so no `|` with a name in quotes


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
def unzipped(node: Node, entries: int) -> Iterator[Node]:
    """The folder inside a zip, for as long as the context lasts.

    Refused when it is no zip or holds more than `entries` entries. Of two entries with one name
    the last counts, as it would with every tool that unpacks one after the other.
    """
    with ExitStack() as stack:
        try:
            stream = stack.enter_context(node.open())
            if not isinstance(stream, io.FileIO):
                # A zip in a zip: to seek there is to inflate again, so it is held in memory.
                stream = io.BytesIO(read(node, MAX_NESTED))
            # Room for the directory, and for the comment that may end a zip.
            most = max(entries * DIRECTORY_BYTES_PER_ENTRY, 2 * CHUNK)
            archive = stack.enter_context(zipfile.ZipFile(_Capped(stream, most)))
        except Refused:
            raise
        except Exception as error:  # as above: a damaged zip raises anything
            raise Refused("is not a zip that can be read") from error
        if len(archive.infolist()) > entries:
            raise Refused(f"holds more than {entries:,} entries")
        yield _zip_folder(node.name, _zip_tree(archive))


def _zip_folder(name: str, tree: _Tree) -> Node:
    def nodes(limit: int) -> list[Node]:
        found = [_zip_folder(k, v) if isinstance(v, dict) else v for k, v in tree.items()]
        return found[: limit + 1]

    return Node(name, FOLDER, nodes, _no_open)


def _zip_tree(archive: zipfile.ZipFile) -> _Tree:
    top: _Tree = {}
    for number, info in enumerate(archive.infolist()):
        aside = f"\0{number}"  # a key that no name can have, for entries that are only listed
        # Some Windows tools write backslashes; nothing is unpacked, so they may mean folders.
        name = info.orig_filename.replace("\\", "/")
        parts = [part for part in name.split("/") if part not in ("", ".")]
        node = Node(name, _zip_kind(info), _no_list, partial(archive.open, info))
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
