"""One name for all that is given: what can be had there, and what the first cell says."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import hw5_utils

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def digits(monkeypatch):
    """Every test runs on the digits that scikit-learn ships."""
    monkeypatch.setenv("HW5_DATA", "digits")


def run_python(code: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def test_import_stays_light():
    """Does importing the helpers leave plotting, data and the student's files alone?"""
    heavy = ["torchvision", "matplotlib", "sklearn", "safetensors", "hw5_vae", "hw5_checks"]
    code = f"import sys, hw5_utils; print([m for m in {heavy} if m in sys.modules])"
    assert run_python(code) == "[]\n"


@pytest.mark.parametrize("module", ["hw5_basics", "hw5_data", "hw5_train", "hw5_checkpoint"])
def test_all_that_is_given_can_be_had_here(module):
    """By its name, and by an import of everything: what was imported here once still can be."""
    there = vars(importlib.import_module(module))
    public = {name for name in there if not name.startswith("_")}
    here: dict = {}
    exec("from hw5_utils import *", here)
    assert public <= here.keys() and all(here[name] is there[name] for name in public)


def test_check_is_offered_here_too(capsys):
    assert hw5_utils.check("fc-vae.reparametrize") is True


class TestBegin:
    def test_it_says_what_is_here(self, capsys, monkeypatch, tmp_path):
        (tmp_path / "MNIST").mkdir()
        monkeypatch.setenv("HW5_DATA", str(tmp_path))
        monkeypatch.delenv("HW5_QUICK", raising=False)
        assert hw5_utils.begin() is False
        said = capsys.readouterr().out
        assert f"torch {torch.__version__}" in said and "hw5_gan.py last edited on" in said
        assert f"Data in {tmp_path}: MNIST\n" in said and "WARNING" not in said

    def test_it_names_the_gpu_of_a_mac(self, capsys, monkeypatch):
        monkeypatch.setattr(hw5_utils, "default_device", lambda: "mps")
        hw5_utils.begin()
        assert "on the GPU of this Mac (mps)" in capsys.readouterr().out

    def test_quick_settings_can_be_asked_for_in_the_notebook(self, capsys, monkeypatch):
        monkeypatch.delenv("HW5_QUICK", raising=False)
        assert hw5_utils.begin(quick=True) is True
        assert "WARNING: quick settings" in capsys.readouterr().out

    def test_quick_settings_and_stand_ins_are_warned_of(self, capsys, monkeypatch):
        monkeypatch.setenv("HW5_QUICK", "1")
        assert hw5_utils.begin() is True
        warned = [line for line in capsys.readouterr().out.splitlines() if "WARNING: " in line]
        assert ["stand-ins" in warned[0], "quick settings" in warned[1]] == [True, True]

    def test_zero_asks_for_no_quick_settings(self, monkeypatch):
        monkeypatch.setenv("HW5_QUICK", "0")
        assert hw5_utils.begin() is False
