"""The grammar of TeX, as far as formulas need it: groups, commands and where they end."""

from __future__ import annotations

import re


def argument(tex: str, at: int) -> tuple[str, int]:
    """The group, command or letter at `at`, and where it ends."""
    while at < len(tex) and tex[at].isspace():
        at += 1
    if at >= len(tex):
        return "", at
    if tex[at] == "{":
        depth = 0
        for sign in re.compile(r"\\.|[{}]", re.S).finditer(tex, at):
            depth += (sign[0] == "{") - (sign[0] == "}")
            if not depth:
                return tex[at + 1 : sign.start()], sign.end()
        return tex[at + 1 :], len(tex)
    command = re.compile(r"\\(?:[A-Za-z]+|.)", re.S).match(tex, at)
    return (command[0], command.end()) if command else (tex[at], at + 1)


def option(tex: str, at: int) -> tuple[str, int]:
    """What stands in brackets at `at`, "" where there is nothing, and where it ends."""
    found = re.compile(r"\s*\[([^\]]*)\]").match(tex, at)
    return (found[1], found.end()) if found else ("", at)


def rest_of_cell(tex: str, at: int) -> int:
    """Where that ends which a switch such as `\\bf` at `at` applies to: its group, or its cell."""
    depth = 0
    for found in re.compile(r"\\(?:begin|end)\b|\\.|[{}&]", re.S).finditer(tex, at):
        sign = found[0]
        if depth == 0 and sign in ("}", "&", r"\\", r"\end"):
            return found.start()
        depth += (sign in ("{", r"\begin")) - (sign in ("}", r"\end"))
    return len(tex)


_SIGNS = re.compile(
    r"(?P<open>\\begin\s*\{[^{}]*\}(?:\s*\{[lcr|\s]*\})?|\\left\s*(?:\\[A-Za-z]+|\\.|.)|\{)"
    r"|(?P<close>\\end\s*\{[^{}]*\}|\\right\b|\})|(?P<next>\\\\|&)|\\.",
    re.S,
)


def around(tex: str, at: int) -> tuple[int, int]:
    """Where the group, or the cell, begins and ends in which `at` stands."""
    starts, depth = [0], 0
    for sign in _SIGNS.finditer(tex):
        if sign.start() >= at and not depth:
            depth = len(starts)
        if sign["open"]:
            starts.append(sign.end())
        elif sign["close"] or sign["next"]:
            if depth == len(starts):
                return starts[-1], sign.start()
            if sign["next"]:
                starts[-1] = sign.end()
            elif len(starts) > 1:
                starts.pop()
    return starts[depth - 1], len(tex)


def in_rows(tex: str) -> bool:
    """Has it lines or columns of its own, beside those of environments and groups in it?"""
    depth = 0
    for sign in _SIGNS.finditer(tex):
        depth += bool(sign["open"]) - bool(sign["close"])
        if sign["next"] and depth <= 0:
            return True
    return False


def in_words(body: str) -> str:
    """Words with formulas between dollars, as a formula."""
    pieces = body.split("$")
    return "".join(
        piece if at % 2 else rf"\text{{{piece}}}" if piece.strip() else ""
        for at, piece in enumerate(pieces)
    )
