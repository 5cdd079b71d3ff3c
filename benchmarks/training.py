"""Trains every part at the seeds' settings on the real data, and holds it to its gates.

    python benchmarks/training.py --data DIR             everything (hours on a laptop)
    python benchmarks/training.py --only fc-vae ae       the runs of these names
    python benchmarks/training.py --report               only write the table anew
    python benchmarks/speed.py --data DIR                how fast the loops are; --report adds it

Every run is the command a student gives, with checkpoints, so a stopped benchmark goes on where it
was. `benchmarks/TRAINING.md` holds the table; the exit code is 1 when a gate is missed. GANs are
gated on samples, since their losses say nothing: a small classifier trained here says how sure it
is of the digits it sees, and how evenly they fall on the ten classes.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import speed  # noqa: E402
from speed import TABLE  # noqa: E402

Metrics = dict[str, float]


@dataclass(frozen=True)
class Gate:
    """A number that must lie in [low, high]; `seed` is what the seed or its students reached."""

    metric: str
    seed: str
    low: float = -math.inf
    high: float = math.inf

    def __str__(self) -> str:
        if self.low == -math.inf:
            return f"< {self.high:g}"
        return f"> {self.low:g}" if self.high == math.inf else f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Run:
    """One command, the seeds it is run with, and what is measured on what it leaves."""

    name: str
    command: str
    key: str
    seeds: tuple[int, ...]
    gates: tuple[Gate, ...]
    measure: Callable[[Path, dict, str | None], Metrics]


def from_metrics(folder: Path, kept: dict, data: str | None) -> Metrics:
    """The last epoch's mean losses and everything noted, as the command wrote them."""
    last = {name: value for name, value in kept["epochs"][-1].items() if name != "epoch"}
    return {**{f"train {name}": value for name, value in last.items()}, **kept["results"]}


def after_ten(folder: Path, kept: dict, data: str | None) -> Metrics:
    """Also the mean ELBO of epochs 1 and 10."""
    found = from_metrics(folder, kept, data)
    for epoch in (1, 10):
        entry = kept["epochs"][epoch - 1]
        found[f"train ELBO, epoch {epoch}"] = entry.get("elbos", entry.get("elbo", math.nan))
    return found


def reconstructs(folder: Path, kept: dict, data: str | None) -> Metrics:
    """Also the autoencoder's binary cross-entropy per pixel on the test images."""
    from hw5_checkpoint import load_weights
    from hw5_utils import load_mnist
    from hw5_vae import AutoEncoder

    model = load_weights(folder / "autoencoder-ae.safetensors", AutoEncoder(32)).eval()
    x = load_mnist("test", data=data)[0]
    with torch.no_grad():
        again = model.reconstruct(x).reshape(x.shape)
    loss = torch.nn.functional.binary_cross_entropy(again, x).item()
    return {**from_metrics(folder, kept, data), "test rec": loss}


def samples_of(sample: Callable[[Path], torch.Tensor]) -> Callable:
    """Measures 1,000 samples, (1000, 1, 28, 28) in [0, 1], under a small classifier."""

    def measure(folder: Path, kept: dict, data: str | None) -> Metrics:
        from hw5_figures import train_classifier
        from hw5_utils import load_mnist

        torch.manual_seed(0)
        images, labels = load_mnist(data=data)
        classifier = train_classifier(images, labels)
        test, test_labels = load_mnist("test", data=data)
        with torch.no_grad():
            reads = (classifier(test).argmax(1) == test_labels).float().mean().item()
            drawn = sample(folder)
            odds = classifier(drawn).softmax(1)
        share = torch.bincount(odds.argmax(1), minlength=10) / len(odds)
        entropy = -(share * share.clamp(min=1e-9).log()).sum().item()
        return {
            **from_metrics(folder, kept, data),
            "classifier reads digits": reads,
            "sure of samples": odds.max(1).values.mean().item(),
            "class entropy (nats)": entropy,
            "ink": drawn.mean().item(),
        }

    return measure


def conv_gan_samples(folder: Path) -> torch.Tensor:
    from hw5_checkpoint import load_weights
    from hw5_gan import GNet

    gen = load_weights(folder / "conv-gan.safetensors", GNet(64), "gen").eval()
    return gen(torch.empty(1000, 64).uniform_(-1, 1))


def fc_gan_samples(folder: Path) -> torch.Tensor:
    from hw5_checkpoint import load_weights
    from hw5_gan import build_dc_generator, generator, sample_noise

    dc = (folder / "fc-gan-dc.safetensors").exists()
    file = folder / ("fc-gan-dc.safetensors" if dc else "fc-gan.safetensors")
    net = load_weights(file, build_dc_generator() if dc else generator(), "G")
    flat = net(sample_noise(1000, 96))
    return ((flat + 1) / 2).view(-1, 1, 28, 28)


SAMPLES = (
    Gate("sure of samples", "", low=0.8),
    Gate("class entropy (nats)", "", low=2.0),
    Gate("ink", "0.13 in MNIST", 0.08, 0.2),
)

RUNS = (
    Run(
        "bernoulli-vae",
        "hw5_vae.py bernoulli-vae --num_epoches 200",
        "bernoulli-vae",
        (1234, 0),
        (
            Gate("train ELBO, epoch 10", "-160.8 (a batch)", low=-172),
            Gate("train_elbo", "-131 to -150 (a batch)", low=-155),
            Gate("test_elbo", "", low=-166),
        ),
        after_ten,
    ),
    Run(
        "ae",
        "hw5_vae.py autoencoder ae --epochs 10",
        "autoencoder-ae",
        (0, 1),
        (Gate("test rec", "0.084 to 0.091 (a batch)", high=0.10),),
        reconstructs,
    ),
    Run(
        "beta-vae 0",
        "hw5_vae.py autoencoder beta-vae --beta 0 --epochs 5",
        "autoencoder-beta-vae-0",
        (0, 1),
        (
            Gate("test_rec_loss", "0.089 to 0.10", high=0.11),
            Gate("test_kl_loss", "26 to 28", low=15),
        ),
        from_metrics,
    ),
    Run(
        "beta-vae 10",
        "hw5_vae.py autoencoder beta-vae --beta 10 --epochs 5",
        "autoencoder-beta-vae-10",
        (0, 1),
        (
            Gate("test_rec_loss", "0.25 to 0.28 in all", low=0.255),
            Gate("test_kl_loss", "3e-7", high=0.01),
        ),
        from_metrics,
    ),
    Run(
        "beta-vae 0.105",
        "hw5_vae.py autoencoder beta-vae --beta 0.105 --epochs 10",
        "autoencoder-beta-vae-0.105",
        (0, 1),
        (
            Gate("test_rec_loss", "0.125 to 0.138", high=0.15),
            Gate("test_kl_loss", "0.29 to 0.32", 0.2, 0.45),
        ),
        from_metrics,
    ),
    Run(
        "conditional 0.105",
        "hw5_vae.py autoencoder conditional --beta 0.105 --epochs 5",
        "autoencoder-conditional-0.105",
        (0, 1),
        (
            Gate("test_rec_loss", "0.138 to 0.152", high=0.16),
            Gate("test_kl_loss", "0.21 to 0.23", 0.15, 0.4),
            Gate("recognised", "", low=0.9),
        ),
        from_metrics,
    ),
    Run(
        "fc-vae",
        "hw5_vae.py fc-vae --epochs 10",
        "fc-vae",
        (0, 1),
        (Gate("test_loss", "109.47 (a batch)", high=122),),
        from_metrics,
    ),
    Run(
        "fc-cvae",
        "hw5_vae.py fc-vae --conditional --epochs 10",
        "fc-cvae",
        (0, 1),
        (Gate("test_loss", "102.07 (a batch)", high=118), Gate("recognised", "", low=0.85)),
        from_metrics,
    ),
    Run(
        "conv-gan",
        "hw5_gan.py conv-gan --epochs 30",
        "conv-gan",
        (0,),
        SAMPLES,
        samples_of(conv_gan_samples),
    ),
    Run(
        "fc-gan",
        "hw5_gan.py fc-gan --epochs 10",
        "fc-gan",
        (0, 1),
        SAMPLES,
        samples_of(fc_gan_samples),
    ),
    Run(
        "fc-gan dc",
        "hw5_gan.py fc-gan --dc --epochs 5",
        "fc-gan-dc",
        (0,),
        SAMPLES,
        samples_of(fc_gan_samples),
    ),
    Run(
        "cifar-dcgan",
        "hw5_gan.py cifar-dcgan --epochs 25",
        "cifar-dcgan",
        (0,),
        (Gate("reconstruction", "0.0146", high=0.03),),
        from_metrics,
    ),
    Run(
        "cifar-dcgan spectral",
        "hw5_gan.py cifar-dcgan --spectral --epochs 25",
        "cifar-dcgan-spectral",
        (0,),
        (Gate("reconstruction", "below 0.03 asked", high=0.03),),
        from_metrics,
    ),
    Run(
        "ae-gan",
        "hw5_gan.py ae-gan --epochs 80",
        "ae-gan",
        (0,),
        (Gate("test_ae", "0.0171 (train)", high=0.025),),
        from_metrics,
    ),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Train what is asked for, write the table, and say which gates were missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [run.name for run in RUNS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="RUN")
    parser.add_argument("--data", help="folder of MNIST and CIFAR-10 (default: data/)")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "training")
    parser.add_argument("--report", action="store_true", help="train nothing; write the table")
    arguments = parser.parse_args(argv)
    for run in RUNS:
        for seed in run.seeds if run.name in arguments.only and not arguments.report else ():
            train(run, seed, arguments.out, arguments.data)
    return report(arguments.out)


def train(run: Run, seed: int, out: Path, data: str | None) -> None:
    """Give the command, unless it was finished before, and keep what was measured."""
    folder = out / f"{run.name.replace(' ', '-')}-{seed}"
    kept = folder / "measured.json"
    if kept.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    file, *rest = run.command.split()
    command = [sys.executable, str(ROOT / file), *rest, "--seed", str(seed), "--resume"]
    command += ["--out", str(folder), *(["--data", data] if data else [])]
    print(f"{run.name}, seed {seed} ...", flush=True)
    started = time.monotonic()
    with (folder / "output.txt").open("w") as output:
        subprocess.run(command, check=True, stdout=output, stderr=subprocess.STDOUT)
    metrics = json.loads((folder / "metrics.json").read_text())[run.key]
    measured = run.measure(folder, metrics, data)
    seconds = sum(epoch.get("seconds", 0.0) for epoch in metrics["epochs"])
    measured["seconds"] = seconds or time.monotonic() - started
    kept.write_text(json.dumps(measured, indent=1) + "\n")


def report(out: Path) -> int:
    """Write TRAINING.md from everything measured so far. 1 when a gate is missed."""
    rows, missed, untrained = [], [], []
    table = TABLE.read_text(encoding="utf-8") if TABLE.exists() else ""
    before = table.partition(speed.TITLE)[0].splitlines()
    for run in RUNS:
        files = [
            out / f"{run.name.replace(' ', '-')}-{seed}" / "measured.json" for seed in run.seeds
        ]
        found = [json.loads(file.read_text()) for file in files if file.exists()]
        if not found:  # rows that were measured elsewhere stay
            mine = [line for line in before if line.startswith(f"| {run.name} |")]
            kept_rows = [line for line in mine if "| held |" in line or "| MISSED |" in line]
            rows += kept_rows
            untrained += [] if kept_rows else [run.name]
            missed += [f"{run.name}: {line}" for line in kept_rows if "| MISSED |" in line]
            continue
        minutes = statistics.mean(one["seconds"] for one in found) / 60
        for gate in run.gates:
            values = [one[gate.metric] for one in found]
            mean = statistics.mean(values)
            spread = f" ± {statistics.stdev(values):.2g}" if len(values) > 1 else ""
            held = all(gate.low <= value <= gate.high for value in values)
            missed += [] if held else [f"{run.name}: {gate.metric}"]
            rows.append(
                f"| {run.name} | {gate.metric} | {gate.seed or '-'} | {mean:.4g}{spread} "
                f"| {len(values)} | {gate} | {'held' if held else 'MISSED'} | {minutes:.1f} |"
            )
    head = [
        "# Numbers reached on the real data",
        "",
        "Written by `python benchmarks/training.py`: each row is a command that a student gives,",
        "at the seeds' settings, on the whole of MNIST or CIFAR-10. Minutes are wall time and",
        "differ between machines.",
        "",
        "| run | measured | the seed | ours | seeds | gate | | minutes |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    tail = ["", f"Not trained here yet: {', '.join(untrained)}."] if untrained else []
    TABLE.write_text("\n".join([*head, *rows, *tail, *speed.section(out)]) + "\n")
    for line in missed:
        print(f"missed: {line}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
