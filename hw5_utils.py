"""Given to students: everything that notebooks and your files use, under one name.

    check, report, bundle   what you have so far; the PDF; the zip to hand in
    begin                   what a notebook finds here
    of hw5_basics.py        seeds, devices, optimizers, progress, simple figures
    of hw5_data.py          the data sets, and batches of them
    of hw5_train.py         training loops, and the command line
    of hw5_checkpoint.py    what keeps a training on disk

Nothing here needs an edit. The checks, the report and what looks after a notebook are imported only
where they are used: they take time.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import torch

# A door: all that stands in these modules can be had here, whatever a release leaves of them.
from hw5_basics import *  # noqa: F403
from hw5_basics import _named, _notebook, default_device
from hw5_checkpoint import *  # noqa: F403
from hw5_data import *  # noqa: F403
from hw5_data import _data_folder
from hw5_train import *  # noqa: F403


def begin(quick: bool = False) -> bool:
    """Say what a notebook finds here; whether it shall use quick settings, asked for here or by
    HW5_QUICK=1.

    What a notebook to be handed in must not say begins with "WARNING:", here and in every loader
    of data that has to use a stand-in.
    """
    here = Path(__file__).resolve().parent
    where = _named(default_device())
    print(f"Python {sys.version.split()[0]}, torch {torch.__version__}, on {where}")
    for name in ("hw5_vae.py", "hw5_gan.py"):
        if (here / name).exists():
            print(f"{name} last edited on {time.ctime((here / name).stat().st_mtime)}")
    folder = _data_folder()
    if folder == "digits":
        print("WARNING: stand-ins are used for the data sets (HW5_DATA=digits).")
    else:
        kept = {"MNIST": "MNIST", "CIFAR-10": "cifar-10-batches-py"}
        found = [name for name, entry in kept.items() if (Path(folder) / entry).is_dir()]
        print(f"Data in {folder}: {' and '.join(found) or 'none yet, it is fetched once'}")
    quick = quick or os.environ.get("HW5_QUICK", "") not in ("", "0")
    if quick:
        print("WARNING: quick settings (HW5_QUICK=1): few images and few steps, for a try only.")
    shell = _notebook()
    if shell:
        import hw5_edits
        import hw5_errors
        import hw5_folder

        hw5_folder.watch(shell)  # so that bundle() knows whether the notebook was saved since
        hw5_edits.follow(shell)
        hw5_errors.attend(shell)
        # The first optimizer imports for a second, and an import that is interrupted stays broken:
        # so it is not left to the first training.
        torch.optim.Adam([torch.zeros(1)])
    return quick


def check(part: str = "") -> bool:
    """Run the visible checks of a part, or of one question, "part.question"; print a table."""
    import hw5_checks

    return hw5_checks.check(part)


def report(
    notebooks=None, out="hw5.pdf", parts=None, anonymous: bool = False, code: bool = True
) -> Path | None:
    """Write the PDF of the notebooks; see hw5_report.report."""
    import hw5_report

    return hw5_report.report(notebooks, out, parts, anonymous, code)


def bundle(notebooks=None, out=None, pdf="hw5.pdf", anyway: bool = False) -> Path | None:
    """Say what is there, and write the zip to hand in; see hw5_report.bundle."""
    import hw5_report

    return hw5_report.bundle(notebooks, out, pdf, anyway)


if __name__ == "__main__":
    import hw5_report

    sys.exit(hw5_report.main())
