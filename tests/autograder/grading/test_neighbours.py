"""A module finds no file that it does not name: what is remembered of it hangs on its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autograder.checking.proxy import Line, Lost, StudentError
from autograder.grading import basis
from autograder.sandbox.zygote import Zygote

SECRET = "the neighbour's"
NEIGHBOUR = f"SECRET = {SECRET!r}\n".encode()
NAME = "('hw5_' + 'vae')"

WAYS = {
    "a builtin by its name": f"v = getattr(__builtins__, '__imp' + 'ort__'){NAME}",
    "builtins as a dict": f"v = __builtins__['__imp' + 'ort__']{NAME}",
    "its own loader": f"v = __loader__.load{NAME}",
    "what its loader holds": "v = __loader__._sources, __loader__._compiled",
    "the finders": "import sys\nv = [getattr(f, '_sources', 0) for f in getattr(sys, 'meta_path')]",
    "letters of full width": "import hw5_ｖae as v",
    "a relative import": "from . import *",
    "a line that goes on": "import hw5_\\\nvae as v",
    "UTF-7": "# coding: utf-7\n+AGk-mport hw5_+AHY-ae as v",
    "escapes": "# coding: unicode_escape\nimport hw5_\\x76ae as v",
    "rot13": "# coding: rot13\nvzcbeg uj5_inr nf i",
    "an archive": "import zipimport\nv = zipimport.zipimporter('/submission')",
    "lines that are kept": "import linecache\nv = linecache.cache",
    "garbage": f"import gc\nv = [o for o in gc.get_objects() if type(o) is dict and {NAME} in o]",
    "the frames above": "import sys\nv = sys._getframe().f_back.f_back.f_locals",
}
SEEN = "\ndef seen():\n    return str(getattr(v, 'SECRET', v))[:3000]\n"


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with Zygote() as zygote:
        yield zygote


def seen(zygote: Zygote, source: str) -> str:
    """What a hw5_gan.py can see, in a process with the files that it reaches."""
    files = {"hw5_gan.py": f"{source}{SEEN}".encode(), "hw5_vae.py": NEIGHBOUR}
    child = zygote.open({name: files[name] for name in basis.reached("hw5_gan", files)})
    try:
        line = Line(child.send(5.0), 0)
        line.ask("import", module="hw5_gan")
        return str(line.ask("call", target="hw5_gan", path="seen", args=[], kwargs={}))
    except (Lost, StudentError) as error:
        return str(error)
    finally:
        child.close()


@pytest.mark.parametrize("way", WAYS)
def test_a_module_does_not_find_a_neighbour_that_it_does_not_name(zygote: Zygote, way: str) -> None:
    assert basis.reached(
        "hw5_gan", {"hw5_gan.py": WAYS[way].encode(), "hw5_vae.py": NEIGHBOUR}
    ) == ["hw5_gan.py"]
    assert SECRET not in seen(zygote, WAYS[way])


def test_a_neighbour_that_is_named_is_found(zygote: Zygote) -> None:
    assert SECRET in seen(zygote, "import hw5_vae as v")
