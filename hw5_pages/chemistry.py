"""Chemistry as mhchem writes it (https://mhchem.github.io/MathJax-mhchem), in TeX that all read.

\\ce{SO4^2- + Ba^2+ -> BaSO4 v}     \\pu{123 kJ mol^-1}
"""

from __future__ import annotations

import re

_ARROWS = {
    "->": r"\rightarrow",
    "<-": r"\leftarrow",
    "<->": r"\leftrightarrow",
    "<-->": r"\rightleftarrows",
    "<=>": r"\rightleftharpoons",
    "<=>>": r"\rightleftharpoons",
    "<<=>": r"\rightleftharpoons",
}
_SIGNS = {"=": "=", "#": r"\equiv ", "-": "-", "*": r"\cdot ", ".": r"\cdot ", "/": "/", ",": ","}
_GROUP = r"\{(?:[^{}]|\{[^{}]*\})*\}"
_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<arrow><=>>|<<=>|<-->|<=>|<->|->|<-)(?:\[(?P<above>[^\[\]]*)\])?(?:\[(?P<below>[^\[\]]*)\])?"
    r"|(?P<gone>[v^])(?=\s|$)"
    rf"|\^(?P<up>{_GROUP}|[-+\d.]+|[A-Za-z*])"
    rf"|_(?P<down>{_GROUP}|\d+|[A-Za-z])"
    r"|(?P<charge>[-+])(?=\s|$|[\])])"
    r"|(?P<plus>\+)"
    r"|(?P<share>\d+/\d+)|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<letters>[A-Za-zα-ωΑ-Ω]+)"
    r"|(?P<open>[(\[])|(?P<close>[)\]])|(?P<brace>\\[{}])"
    rf"|\$(?P<maths>[^$]*)\$|(?P<group>{_GROUP})|(?P<tex>\\(?:[A-Za-z]+|.)(?:{_GROUP})*)"
    r"|(?P<sign>[-=#*./,])"
)


def reaction(said: str) -> str:
    """What `\\ce` says, in plain TeX; "" for what is not understood."""
    written, at, atom = "", 0, False  # atom: a number would stand below what is before it
    while at < len(said):
        found = _TOKEN.match(said, at)
        if not found:
            return ""
        kind, text, at = found.lastgroup or "", found[0], found.end()
        bare = not atom
        atom = kind in ("letters", "close", "group", "tex") or (
            atom and kind in ("up", "down", "charge", "number")
        )
        if found["arrow"]:
            arrow = _ARROWS[found["arrow"]]
            if below := found["below"]:
                arrow = rf"\underset{{{_said_at(below)}}}{{{arrow}}}"
            if above := found["above"]:
                arrow = rf"\overset{{{_said_at(above)}}}{{{arrow}}}"
            written, atom = rf"{written} {arrow} ", False
        elif kind in ("up", "down"):
            script = (found["up"] or found["down"]).removeprefix("{").removesuffix("}")
            script = script if re.fullmatch(r"[-+\d.]+", script) else rf"\mathrm{{{script}}}"
            written += f"{'{}' if bare else ''}{'^' if kind == 'up' else '_'}{{{script}}}"
            atom = True
        elif kind == "charge":
            # Alone between blanks it joins two sides; behind something it is its charge.
            written += f"^{{{text}}}" if not bare else f" {text} "
        elif kind == "number":
            written += f"_{{{text}}}" if not bare else rf"{text}\,"
        elif kind == "share":
            written += r"\frac{{{}}}{{{}}}\,".format(*text.split("/"))
        elif kind == "space":
            written += " "
        else:
            written += {
                "gone": r"\downarrow " if text == "v" else r"\uparrow ",
                "plus": " + ",
                "letters": rf"\mathrm{{{text}}}",
                "maths": found["maths"],
                "sign": _SIGNS.get(text, text),
            }.get(kind, text)
    return written


def _said_at(words: str) -> str:
    """What stands above or below an arrow: a formula where it begins as one, else words."""
    formula = reaction(words) if re.match(r"[A-Z$^0-9]", words) else ""
    return formula or rf"\text{{{words}}}"


def unit(said: str) -> str:
    """What `\\pu` says, a number and its units, in plain TeX; "" for what is not understood."""
    if not re.fullmatch(r"[\w\s.,/%°µΩ^+*-]*", said):
        return ""
    words = re.sub(r"([A-Za-z°µΩ%]+)", r"\\mathrm{\1}", said.replace("%", r"\%"))
    words = re.sub(r"\^\{?([-+]?\d+)\}?", r"^{\1}", words)
    return re.sub(r"\s+", r"\\,", words.replace("*", r"\cdot ").strip())
