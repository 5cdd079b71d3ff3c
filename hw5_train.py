"""Given to students: training loops, and the command line that starts them.

    training loops   train_vae (part fc-vae)  run_a_gan (part fc-gan)
    command line     run_options  run_part  positive

Nothing here needs an edit. The loops know nothing of the networks, optimizers and losses that they
are given; what they are not given of yours, they find in your module once it is imported.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from weakref import WeakKeyDictionary

import torch

from hw5_basics import (
    _is_there,
    adam,
    default_device,
    descend,
    fused,
    in_channels_last,
    one_hot,
    progress,
    reset_seed,
    save_images,
    show_images,
    show_losses,
    unwritten,
)
from hw5_checkpoint import CheckpointError, Gallery, checkpoint, resumable
from hw5_data import batches, load_mnist


def _split_batch(batch) -> tuple[torch.Tensor, torch.Tensor | None]:
    """(images, labels) of what a loader yields: x, (x,), or (x, y)."""
    return (*batch, None)[:2] if isinstance(batch, (tuple, list)) else (batch, None)


def _guard_images(x: torch.Tensor) -> None:
    """Refuse pixels outside [0, 1] and say what they may be."""
    low, high = x.min().item(), x.max().item()
    if not 0 <= low <= high <= 1:
        raise ValueError(
            f"The images run from {low:.4g} to {high:.4g}, but pixels must lie in [0, 1]. "
            "Were they divided by 255? Were they normalised to [-1, 1] or to mean 0?"
        )


def _yours(module: str, name: str):
    """What you have written under this name in `module`, which you have imported."""
    try:
        return getattr(sys.modules[module], name)
    except (KeyError, AttributeError):
        raise ValueError(
            f"No {name} was given, and none is there: import {module} first, or give it as "
            f"{name}=..."
        ) from None


_ADAMS: WeakKeyDictionary = WeakKeyDictionary()  # model -> the Adam that has trained it so far


def train_vae(
    epoch, model, train_loader, cond=False, *, loss_function=None, optimizer=None
) -> float:
    """Train for one epoch, print and return the mean loss per image.

    One Adam (rate 1e-3) accompanies a model from its epoch 0 on: it must remember its averages
    from one epoch to the next. model(x) gives (x_hat, mu, logvar), or model(x, c) with cond=True;
    loss_function(x_hat, x, mu, logvar) is the one in hw5_vae.py unless another is given.
    """
    if loss_function is None:
        loss_function = _yours("hw5_vae", "loss_function")
    if optimizer is None:
        if epoch == 0 or model not in _ADAMS:
            _ADAMS[model] = adam(model.parameters(), lr=1e-3)
        optimizer = _ADAMS[model]
    device = next(model.parameters()).device
    total, count = torch.zeros((), device=device), 0
    model.train()
    bar = progress(train_loader, f"Epoch {epoch}")
    for batch in bar:
        x, labels = _split_batch(batch)
        x = x.to(device).view(len(x), 1, 28, 28)
        if count == 0:
            _guard_images(x)
        if cond and labels is None:
            raise ValueError("cond=True needs labels: use batches(images, labels).")
        c = (one_hot(labels, getattr(model, "num_classes", 10)).to(device),) if cond else ()
        x_hat, mu, logvar = model(x, *c)
        if mu.shape != logvar.shape or x_hat.numel() != x.numel():
            raise ValueError(
                f"The model must give (x_hat, mu, logvar); got shapes {tuple(x_hat.shape)}, "
                f"{tuple(mu.shape)}, {tuple(logvar.shape)}. Is the order right?"
            )
        if epoch == count == 0 and logvar.min() >= 0 and logvar.numel() > 500:
            print("Note: every logvar is positive. Is it a standard deviation or a variance?")
        loss = loss_function(x_hat, x, mu, logvar)
        descend(loss, optimizer)
        show_losses(bar, nats=loss)
        total += loss.detach() * len(x)
        count += len(x)
    mean = total.item() / max(count, 1)
    print(f"Train Epoch: {epoch} \tLoss: {mean:.6f}")
    return mean


def run_a_gan(
    D,
    G,
    D_solver,
    G_solver,
    discriminator_loss,
    generator_loss,
    save_filename,
    show_every=250,
    batch_size=128,
    noise_size=96,
    num_epochs=10,
    *,
    loader=None,
    sample_noise=None,
    losses=None,
    samples=None,
) -> torch.Tensor:
    """Train a GAN on flat images in [-1, 1]: one step of D, then one of G, each on fresh noise.

    D, G: networks (N, 784) -> (N, 1) and (N, noise_size) -> (N, 784); D_solver, G_solver: their
    optimizers; the losses take logits. Every show_every iterations 16 samples are shown and
    written to save_filename. loader: the 55,000 training images unless told; sample_noise: the
    one in hw5_gan.py unless told; losses: {"D": [], "G": []}, to be filled step by step; samples:
    a Gallery, to be filled epoch by epoch. A last batch that is short is skipped. Returns 16
    samples.
    """
    if sample_noise is None:
        sample_noise = _yours("hw5_gan", "sample_noise")
    device = next(D.parameters()).device
    in_channels_last(D, G)
    if loader is None:
        images = load_mnist(validation=5000)[0]
        loader = batches(images, batch_size=batch_size, device=device)
    d_solver, g_solver = fused(D_solver), fused(G_solver)
    losses = {"D": [], "G": []} if losses is None else losses
    samples = Gallery() if samples is None else samples
    state = {"D": D, "G": G, "D_solver": d_solver, "G_solver": g_solver, "samples": samples}
    state |= {f"{name}_losses": values for name, values in losses.items()}
    fakes = None
    for epoch in resumable(num_epochs, **state):
        iteration, steps = len(losses["D"]), []
        bar = progress(loader, f"Epoch {epoch}")
        for batch in bar:
            x = _split_batch(batch)[0].to(device)
            if len(x) != batch_size:
                continue
            if iteration == 0:
                _guard_images(x)
            real = 2 * (x.view(-1, 784) - 0.5)  # (N, 784), in [-1, 1]

            noise = sample_noise(batch_size, noise_size, dtype=real.dtype, device=device)
            d_error = discriminator_loss(D(real), D(G(noise)))
            descend(d_error, d_solver)

            noise = sample_noise(batch_size, noise_size, dtype=real.dtype, device=device)
            fakes = G(noise)
            g_error = generator_loss(D(fakes))
            descend(g_error, g_solver)

            steps.append(torch.stack((d_error.detach(), g_error.detach())))
            show_losses(bar, D=d_error, G=g_error)
            if iteration % show_every == 0:
                bar.write(f"Iter: {iteration}, D: {d_error.item():.4}, G:{g_error.item():.4}")
                if checkpoint.active is None:  # `training` has a picture of its own
                    show_images(fakes[:16])
                save_images(fakes[:16], save_filename)
            iteration += 1
        if not steps:
            raise ValueError(f"run_a_gan: no batch held batch_size={batch_size} images.")
        for name, values in zip("DG", torch.stack(steps).T.tolist(), strict=True):
            losses[name] += values
        samples[epoch] = fakes[:16].detach().cpu()
    if fakes is None:  # resumed after the last epoch
        fakes = samples[max(samples)]
    if checkpoint.active is None:
        show_images(fakes[:16])
    save_images(fakes[:16], save_filename)
    return fakes[:16].detach()


def run_part(args: argparse.Namespace, file: str) -> int:
    """Run the part that the command line asks for, `args.run(args)`; returns the exit code."""
    reset_seed(args.seed)
    try:
        args.run(args)
    except (NotImplementedError, OSError, CheckpointError) as error:
        if isinstance(error, NotImplementedError) and not unwritten(error):
            raise
        print(f"{Path(file).name}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print(f"\n{str(stop) or 'Stopped.'}")
        return 130
    return 0


def _folder(text: str) -> Path:
    """A folder that can be written to, made if need be."""
    try:
        Path(text).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=text).close()
    except OSError as error:
        why = f"cannot write into the folder {text!r}: {error.strerror}"
        raise argparse.ArgumentTypeError(why) from None
    return Path(text)


def _device(text: str) -> str:
    """A device that torch can use here."""
    if not _is_there(text):
        raise argparse.ArgumentTypeError(f"torch has no device {text!r} here; try cpu")
    return text


def _data(text: str) -> str:
    """The word digits, or a folder that is there (read-only will do) or can be made."""
    return text if text == "digits" or Path(text).is_dir() else str(_folder(text))


def positive(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def run_options(
    epochs: int, seed: int = 0, aliases: dict[str, str] | None = None
) -> argparse.ArgumentParser:
    """The options that every subcommand has; aliases: a second name for --epochs or --resume."""
    options, aliases = argparse.ArgumentParser(add_help=False), aliases or {}
    options.add_argument(
        *("--epochs", aliases.get("--epochs", "--epochs")),
        type=positive,
        default=epochs,
        dest="epochs",
        help="passes over the images (%(default)s)",
    )
    options.add_argument(
        "--device",
        type=_device,
        default=default_device(),
        help="cpu, cuda, cuda:1 or mps (%(default)s)",
    )
    options.add_argument(
        "--data",
        type=_data,
        help="folder of MNIST, fetched into it if missing (`data` beside this file), or the word "
        "digits for 1,797 small ones",
    )
    options.add_argument(
        "--seed", type=int, default=seed, help="start of the random stream (%(default)s)"
    )
    options.add_argument(
        "--out",
        type=_folder,
        default=".",
        help="folder for figures, metrics.json and checkpoints (%(default)s)",
    )
    options.add_argument(
        *("--resume", aliases.get("--resume", "--resume")),
        action="store_true",
        dest="resume",
        help="go on after the last epoch kept in --out",
    )
    return options
