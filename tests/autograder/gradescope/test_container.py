"""autograder.zip in a container like Gradescope's: right, wrong, hostile and empty work."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.assignment import read_assignment
from autograder.checking.modules import ROOT
from autograder.gradescope import package as gradescope_zip
from autograder.gradescope.run import GIVE_UP, METADATA, with_deadline
from tests.autograder.attacks import lacking
from tests.autograder.gradescope import container
from tests.autograder.gradescope.results_format import faults

SAMPLES = Path(__file__).resolve().parents[2] / "submissions"

HOSTILE = """
import ctypes, glob, os, socket, sys
import torch
from torch import nn

PLACES = [
    "/autograder/source/hw5_vae.py", "/autograder/source/autograder/parts/fc_vae/checks.py",
    "/autograder/submission_metadata.json", "/autograder/results/results.json",
    "/autograder/source/autograder/assignment.toml",
]

def spoils():
    found = []
    for place in PLACES:
        for way in (place, "/proc/1/root" + place, f"/proc/{os.getppid()}/root" + place):
            try:
                found.append(open(way).read())
            except OSError as error:
                found.append(type(error).__name__)
    for pid in glob.glob("/proc/[0-9]*"):
        for file in ("/environ", "/mem", "/maps"):
            if pid != f"/proc/{os.getpid()}":
                try:
                    found.append("READ" + open(pid + file).read(200))
                except (OSError, UnicodeDecodeError) as error:
                    found.append(type(error).__name__)
    return found

class VAE(nn.Module):
    def __init__(self, input_size, latent_size=15, *more):
        super().__init__()
        raise RuntimeError("SPOILS " + "".join(sorted({one[:60] for one in spoils()})))

def reparametrize(mu, logvar):
    raise RuntimeError(f"NETWORK {socket.socket().connect(('127.0.0.1', 80))}")

def loss_function(x_hat, x, mu, logvar):
    for path in ("/autograder/results/results.json", "/autograder/results/x"):
        try:
            open(path, "w").write('{"score": 999}')
        except OSError:
            pass
    try:
        os.kill(os.getppid(), 9)
    except OSError:
        pass
    held = []
    while True:
        held.append(torch.ones(1 << 22))

class CVAE(nn.Module):
    def __init__(self, *sizes, **more):
        super().__init__()
        while os.fork() >= 0:
            pass
"""


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The whole autograder, and one of a single part."""
    if not sys.platform.startswith("linux") or shutil.which("bwrap") is None or os.geteuid() != 0:
        lacking("a container like Gradescope's takes root and bubblewrap")
    folder = tmp_path_factory.mktemp("archives")
    for name, parts in (("all", []), ("vae", ["fc-vae"])):
        gradescope_zip.write(folder / f"{name}.zip", parts)
    return {path.stem: path for path in folder.iterdir()}


def handed_in(name: str) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in (SAMPLES / name).iterdir() if p.is_file()}


@pytest.mark.daily("container")
def test_a_right_submission_gets_everything_within_the_limits(
    archives: dict[str, Path], tmp_path: Path
):
    solution = {name: (ROOT / name).read_bytes() for name in ("hw5_vae.py", "hw5_gan.py")}
    ended = container.run(tmp_path / "root", archives["all"], solution)
    assert ended.code == 0 and ended.results is not None, ended.said
    assert faults(ended.results) == []
    assert {test["status"] for test in ended.results["tests"]} == {"passed"}
    assert ended.results["score"] == sum(t["max_score"] for t in ended.results["tests"]) > 200
    assert ended.memory < container.MEMORY and ended.seconds < GIVE_UP
    layers = ended.results["extra_data"]["layers"]
    assert "answers hidden" in layers and "zygote unreachable" in layers and "no network" in layers
    assert "files hidden" not in layers, "there is no Landlock in this container"


@pytest.mark.daily("container")
def test_a_wrong_submission_loses_what_is_wrong_and_reads_why(
    archives: dict[str, Path], tmp_path: Path
):
    files = handed_in("wrong-spread-and-kl")
    ended = container.run(tmp_path / "root", archives["vae"], files, stale='{"score": 1}')
    assert ended.code == 0 and ended.results is not None, ended.said
    assert faults(ended.results) == []
    scores = [t["score"] for t in ended.results["tests"] if t["max_score"]]
    assert scores == [8, 2, 4, 3, 7] and ended.results["score"] == 24
    wrong = " ".join(t["output"] for t in ended.results["tests"] if t["status"] == "failed")
    assert "sign" in wrong and not re.search(r"\w+\.\w+\.\w+_\w+", wrong)


@pytest.mark.daily("container")
def test_a_hostile_submission_reads_nothing_writes_nothing_and_stops_nothing(
    archives: dict[str, Path], tmp_path: Path
):
    files = {"hw5_vae.py": HOSTILE.encode(), "netid": b"ada"}
    ended = container.run(tmp_path / "root", archives["vae"], files)
    assert ended.code == 0 and ended.results is not None, ended.said
    assert faults(ended.results) == []
    assert ended.results["score"] == 0
    said = {test["name"].split(":")[0]: test["output"] for test in ended.results["tests"]}
    networks = said["fc-vae.networks"]
    assert "SPOILS" in networks and "PermissionError" in networks
    assert "READ" not in networks and "import" not in networks and "points" not in networks
    assert "PermissionError" in said["fc-vae.reparametrize"]
    assert "NETWORK None" not in said["fc-vae.reparametrize"]
    assert "memory" in said["fc-vae.loss"]
    assert "PermissionError" in said["fc-vae.cvae"]
    left = {path.name for path in (tmp_path / "root" / "autograder" / "results").iterdir()}
    assert left == {"results.json"}


@pytest.mark.daily("container")
def test_an_empty_submission_gets_nothing_and_is_told_what_is_missing(
    archives: dict[str, Path], tmp_path: Path
):
    ended = container.run(tmp_path / "root", archives["vae"], {})
    assert ended.code == 0 and ended.results is not None, ended.said
    assert faults(ended.results) == []
    assert ended.results["score"] == 0
    assert "hw5_vae.py was not handed in" in ended.results["tests"][0]["output"]


@pytest.mark.daily("container")
@pytest.mark.parametrize("damage", ["solution", "readable"])
def test_our_own_failure_leaves_no_results_and_says_so(
    archives: dict[str, Path], tmp_path: Path, damage: str
):
    broken, done = tmp_path / "broken.zip", 0
    with zipfile.ZipFile(archives["vae"]) as old, zipfile.ZipFile(broken, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if damage == "solution" and entry.filename == "hw5_vae.py":
                data = data.replace(b"torch.exp(logvar / 2)", b"torch.exp(logvar)")
                data = data.replace(b"torch.exp(0.5 * logvar)", b"torch.exp(logvar)")
            if damage == "readable" and entry.filename == "run_autograder":
                data = data.replace(b"chmod 700", b"chmod 755")
            done += data != old.read(entry)
            new.writestr(entry, data)
    assert done == 1
    ended = container.run(
        tmp_path / "root", broken, handed_in("wrong-halves"), stale='{"score": 1}'
    )
    assert ended.code != 0 and ended.results is None
    assert "by our fault" in ended.said and "Traceback" not in ended.said
    assert ("answers hidden" if damage == "readable" else "our own solution") in ended.said


# --- due dates


def deadline(path: Path, late: str, **dates: object):
    metadata = {**container.METADATA, "assignment": {"due_date": None, **dates}}
    path.write_text(json.dumps(metadata))
    return with_deadline(replace(read_assignment(), late=late), path).due


EARLY, LATE = "2027-04-12T23:00:00.000000-07:00", "2027-04-14T23:00:00.000000-07:00"


def test_gradescopes_due_date_counts_where_it_has_one(tmp_path: Path):
    path = tmp_path / METADATA.name
    assert deadline(path, "flag", due_date=EARLY, late_due_date=LATE).day == 12
    assert deadline(path, "refuse", due_date=EARLY, late_due_date=LATE).day == 14
    assert deadline(path, "refuse", due_date=EARLY, late_due_date=None).day == 12
    assert deadline(path, "flag", due_date=None) is None


@pytest.mark.parametrize("said", ["tomorrow", "", "2027-13-01"])
def test_a_due_date_that_is_none_is_our_failure_not_nobodys(tmp_path: Path, said: str):
    with pytest.raises(ValueError, match="is no time"):
        deadline(tmp_path / METADATA.name, "flag", due_date=said)
