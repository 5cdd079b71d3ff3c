"""Watches the scratch folder, and empties it between two submissions, whatever was left in it."""

from __future__ import annotations

import os
import secrets
import stat

BLOCK = 512  # bytes, whatever the disk's own are: see stat(2)
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def crowded(folder: str, most: int, room: int) -> bool:
    """Does `folder` hold more than `most` files and folders, or `room` bytes, at any depth?

    Who writes there should be stopped meanwhile: folders that change their names hide one another.
    """
    count, taken, waiting = 0, 0, [folder]
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    count += 1
                    taken += entry.stat(follow_symlinks=False).st_blocks * BLOCK
                    if count > most or taken > room:
                        return True
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except PermissionError:
            if _fillable(here):
                return True
        except OSError:  # its path is too long
            return True
    return False


def _fillable(folder: str) -> bool:
    """May its owner make files in it?"""
    try:
        return os.lstat(folder).st_mode & stat.S_IRWXU >= stat.S_IWUSR | stat.S_IXUSR
    except OSError:
        return False


def empty(folder: str) -> bool:
    """Remove everything in `folder`, links unfollowed. False when something stays.

    A folder in a folder is moved up before it is entered: no path grows long, nothing recurses,
    and a tree of any depth goes. Nobody else may be writing there meanwhile.
    """
    mark = f"left-{secrets.token_hex(8)}-"
    moved = 0
    try:
        top = os.open(folder, _FOLDER)
    except OSError:
        return False
    try:
        while names := os.listdir(top):
            for name in names:
                if _unlinked(name, top):
                    continue
                os.chmod(name, 0o700, dir_fd=top)
                inner = os.open(name, _FOLDER, dir_fd=top)
                try:
                    for child in os.listdir(inner):
                        if not _unlinked(child, inner):
                            os.chmod(child, 0o700, dir_fd=inner)
                            os.rename(child, f"{mark}{moved}", src_dir_fd=inner, dst_dir_fd=top)
                            moved += 1
                finally:
                    os.close(inner)
                os.rmdir(name, dir_fd=top)
    except OSError:
        return False
    finally:
        os.close(top)
    return True


def _unlinked(name: str, folder: int) -> bool:
    """Remove it unless it is a folder."""
    try:
        os.unlink(name, dir_fd=folder)
    except (IsADirectoryError, PermissionError):
        # macOS says the second of a folder; for anything else the next step says so again.
        return False
    return True
