"""Variational autoencoders: the models, and the losses that train them.

    part      what is in it
    fc-vae    VAE  reparametrize  loss_function  CVAE  draw_samples  draw_interpolation  draw_digits

A variational autoencoder explains an image x by a code z. It has a prior p(z) = N(0, I), a decoder
p(x|z) and an encoder q(z|x), and it maximises a lower bound of log p(x), the evidence lower bound:

    log p(x)  >=  E_q(z|x)[ log p(x|z) ]  -  KL( q(z|x) || p(z) )

Letters: N images in a batch, D = 784 pixels, Z latent dimensions, H hidden units, C classes.
Spread is carried as logvar = log(sigma^2), which may be any real number: sigma = exp(logvar / 2).
Where the lines say BEGIN and END you write; the rest of the file needs no edit.

    python hw5_vae.py fc-vae --epochs 10
    python hw5_vae.py fc-vae --conditional
"""

from __future__ import annotations

import argparse
import sys

import torch
import torch.nn.functional as F
from torch import nn

from hw5_utils import (
    batches,
    hello,
    load_mnist,
    positive,
    reset_seed,
    run_options,
    save_images,
    train_vae,
)


def hello_vae() -> None:
    """Say that this file can be imported, and when it was last edited."""
    hello(__file__)


class VAE(nn.Module):
    """Fully connected variational autoencoder with a Gaussian code and Bernoulli pixels.

        q(z|x) = N(mu(x), diag exp(logvar(x)))        p(x|z) = prod_d Bernoulli(x_d | x_hat_d(z))

    Part fc-vae, questions `networks` and `forward`. Source: Kingma and Welling, Auto-Encoding
    Variational Bayes, 2014; Swansea CSCM77, section 2.1.3.

        encoder       Flatten, then three times (Linear, ReLU): (N, 1, 28, 28) -> (N, H)
        mu_layer      Linear: (N, H) -> (N, Z)
        logvar_layer  Linear: (N, H) -> (N, Z)
        decoder       three times (Linear, ReLU), Linear, Sigmoid, Unflatten:
                      (N, Z) -> (N, 1, 28, 28), in [0, 1]

    hidden_dim is H, the same in every layer; its size is your choice (400 does well).
    """

    def __init__(self, input_size: int, latent_size: int = 15):
        """input_size: D, the number of pixels, 784 = 28 * 28; latent_size: Z."""
        super().__init__()
        self.input_size = input_size
        self.latent_size = latent_size
        ### BEGIN SOLUTION fc-vae.networks
        self.hidden_dim = 400
        self.encoder = nn.Sequential(
            nn.Flatten(),
            nn.Linear(input_size, self.hidden_dim),
            nn.ReLU(),
            nn.Linear(self.hidden_dim, self.hidden_dim),
            nn.ReLU(),
            nn.Linear(self.hidden_dim, self.hidden_dim),
            nn.ReLU(),
        )
        self.mu_layer = nn.Linear(self.hidden_dim, latent_size)
        self.logvar_layer = nn.Linear(self.hidden_dim, latent_size)
        self.decoder = nn.Sequential(
            nn.Linear(latent_size, self.hidden_dim),
            nn.ReLU(),
            nn.Linear(self.hidden_dim, self.hidden_dim),
            nn.ReLU(),
            nn.Linear(self.hidden_dim, self.hidden_dim),
            nn.ReLU(),
            nn.Linear(self.hidden_dim, input_size),
            nn.Sigmoid(),
            nn.Unflatten(1, (1, 28, 28)),
        )
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Encode, draw one code per image, decode.

        x: (N, 1, 28, 28), in [0, 1].
        Returns x_hat: (N, 1, 28, 28), in [0, 1]; mu: (N, Z); logvar: (N, Z).
        """
        ### BEGIN SOLUTION fc-vae.forward
        hidden = self.encoder(x)  # (N, H)
        mu = self.mu_layer(hidden)  # (N, Z)
        logvar = self.logvar_layer(hidden)  # (N, Z)
        z = reparametrize(mu, logvar)  # (N, Z)
        return self.decoder(z), mu, logvar
        ### END SOLUTION


def reparametrize(mu: torch.Tensor, logvar: torch.Tensor) -> torch.Tensor:
    """Draw z from N(mu, diag exp(logvar)) such that gradients reach mu and logvar.

        z = mu + sigma * eps,        eps ~ N(0, I)

    Part fc-vae, question `reparametrize`. Source: Kingma and Welling 2014, section 2.4; Swansea
    CSCM77, section 2.1.4. Spread comes in as logvar = log(sigma^2).

    mu, logvar: (N, Z). Returns z: (N, Z), with fresh noise in every entry.
    """
    ### BEGIN SOLUTION fc-vae.reparametrize
    sigma = torch.exp(logvar / 2)
    return mu + sigma * torch.randn_like(sigma)
    ### END SOLUTION


def loss_function(
    x_hat: torch.Tensor, x: torch.Tensor, mu: torch.Tensor, logvar: torch.Tensor
) -> torch.Tensor:
    """The negative evidence lower bound: smaller is better. In nats, summed over the pixels and
    the latent dimensions of an image, averaged over the N images of the batch.

        loss = 1/N sum_n [ sum_d bce(x_hat_nd, x_nd) + KL_n ]
        KL_n = -1/2 sum_j (1 + log sigma_nj^2 - mu_nj^2 - sigma_nj^2)

    Part fc-vae, question `loss`. Source: Kingma and Welling 2014, equation 10 and appendix B;
    Swansea CSCM77, section 2.1.5. Hint: torch.nn.functional.binary_cross_entropy.

    x_hat, x: reconstructed and original images, the same shape (N, ...), in [0, 1];
    mu, logvar: (N, Z). Returns a scalar.
    """
    ### BEGIN SOLUTION fc-vae.loss
    reconstruction = F.binary_cross_entropy(x_hat, x, reduction="sum")
    kl = -0.5 * torch.sum(1 + logvar - mu**2 - torch.exp(logvar))
    return (reconstruction + kl) / len(x)
    ### END SOLUTION


class CVAE(nn.Module):
    """Conditional variational autoencoder: encoder and decoder are told the class c of the image.

        q(z|x,c) = N(mu(x,c), diag exp(logvar(x,c)))        p(x|z,c)

    Part fc-vae, question `cvae`. Source: Sohn, Lee and Yan 2015; Swansea CSCM77, section 2.1.8.

    The layers are those of VAE with two changes. The encoder has no Flatten in front: it reads
    the flat image and the class side by side, in the order [x, c]: (N, D + C). The decoder reads
    [z, c]: (N, Z + C). The order matters, because decoder(cat(z, c)) is called from outside.
    """

    def __init__(self, input_size: int, num_classes: int = 10, latent_size: int = 15):
        """input_size: D, the number of pixels; num_classes: C; latent_size: Z."""
        super().__init__()
        self.input_size = input_size
        self.num_classes = num_classes
        self.latent_size = latent_size
        ### BEGIN SOLUTION fc-vae.cvae
        self.hidden_dim = 400
        self.encoder = nn.Sequential(
            nn.Linear(input_size + num_classes, self.hidden_dim),
            nn.ReLU(),
            nn.Linear(self.hidden_dim, self.hidden_dim),
            nn.ReLU(),
            nn.Linear(self.hidden_dim, self.hidden_dim),
            nn.ReLU(),
        )
        self.mu_layer = nn.Linear(self.hidden_dim, latent_size)
        self.logvar_layer = nn.Linear(self.hidden_dim, latent_size)
        self.decoder = nn.Sequential(
            nn.Linear(latent_size + num_classes, self.hidden_dim),
            nn.ReLU(),
            nn.Linear(self.hidden_dim, self.hidden_dim),
            nn.ReLU(),
            nn.Linear(self.hidden_dim, self.hidden_dim),
            nn.ReLU(),
            nn.Linear(self.hidden_dim, input_size),
            nn.Sigmoid(),
            nn.Unflatten(1, (1, 28, 28)),
        )
        ### END SOLUTION

    def forward(
        self, x: torch.Tensor, c: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Encode [x, c], draw one code per image, decode [z, c].

        x: (N, 1, 28, 28), in [0, 1]; c: (N, C), one-hot.
        Returns x_hat: (N, 1, 28, 28), in [0, 1]; mu: (N, Z); logvar: (N, Z).
        """
        ### BEGIN SOLUTION fc-vae.cvae
        hidden = self.encoder(torch.cat((x.flatten(1), c), dim=1))  # (N, H)
        mu = self.mu_layer(hidden)  # (N, Z)
        logvar = self.logvar_layer(hidden)  # (N, Z)
        z = reparametrize(mu, logvar)  # (N, Z)
        return self.decoder(torch.cat((z, c), dim=1)), mu, logvar
        ### END SOLUTION


@torch.no_grad()
def draw_samples(vae: nn.Module, n: int = 10) -> torch.Tensor:
    """n new images from a trained VAE: (n, 1, 28, 28). Codes come from the prior N(0, I).

    Part fc-vae, question `figures`.
    """
    ### BEGIN SOLUTION fc-vae.figures
    z = torch.randn(n, vae.latent_size, device=next(vae.parameters()).device)
    return vae.decoder(z)
    ### END SOLUTION


@torch.no_grad()
def draw_interpolation(vae: nn.Module, rows: int = 12, steps: int = 12) -> torch.Tensor:
    """Each row runs in equal steps along the straight line from one random code to another.

    Part fc-vae, question `figures`. Both ends are drawn. Returns (rows * steps, 1, 28, 28), row
    by row.
    """
    ### BEGIN SOLUTION fc-vae.figures
    device = next(vae.parameters()).device
    start, end = torch.randn(2, rows, 1, vae.latent_size, device=device)  # (rows, 1, Z) each
    w = torch.linspace(0, 1, steps, device=device).view(1, steps, 1)
    return vae.decoder(((1 - w) * start + w * end).flatten(0, 1))
    ### END SOLUTION


@torch.no_grad()
def draw_digits(cvae: nn.Module) -> torch.Tensor:
    """One new image of each class, in order: (C, 1, 28, 28).

    Part fc-vae, question `figures`.
    """
    ### BEGIN SOLUTION fc-vae.figures
    c = torch.eye(cvae.num_classes, device=next(cvae.parameters()).device)
    z = torch.randn(cvae.num_classes, cvae.latent_size, device=c.device)
    return cvae.decoder(torch.cat((z, c), dim=1))
    ### END SOLUTION


def run_fc_vae(args: argparse.Namespace) -> None:
    """Train the VAE, or the CVAE with --conditional, on 55,000 digits; save its figures."""
    images, labels = load_mnist(validation=5000, data=args.data)
    loader = batches(images, labels, batch_size=128, device=args.device)
    model = (CVAE if args.conditional else VAE)(784, latent_size=args.latent_size).to(args.device)
    for epoch in range(args.epochs):
        train_vae(epoch, model, loader, cond=args.conditional, loss_function=loss_function)
    model.eval()
    if args.conditional:
        save_images(draw_digits(model), args.out / "conditional_vae_generation.jpg", columns=10)
    else:
        save_images(draw_samples(model), args.out / "vae_generation.jpg", columns=10)
        save_images(draw_interpolation(model), args.out / "vae_interpolation.jpg")


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line; in a notebook, parse_args([]) gives the defaults."""
    parser = argparse.ArgumentParser(
        prog="hw5_vae.py",
        description="Train the models of this file, one part at a time.",
        epilog="Example: python hw5_vae.py fc-vae --epochs 2 --data digits",
    )
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    fc_vae = parts.add_parser(
        "fc-vae",
        parents=[run_options(epochs=10)],
        help="fully connected VAE and conditional VAE",
        description="Train the VAE on 55,000 digits. Prints the mean loss of each epoch (nats per "
        "image, smaller is better; below 120 after 10 epochs) and saves vae_generation.jpg and "
        "vae_interpolation.jpg, or conditional_vae_generation.jpg with --conditional.",
    )
    add = fc_vae.add_argument
    add("--conditional", action="store_true", help="train the CVAE instead")
    add("--latent-size", type=positive, default=15, help="dimensions of the code, Z")
    fc_vae.set_defaults(run=run_fc_vae)
    argv = sys.argv[1:] if argv is None else argv
    return parser.parse_args(argv or ["fc-vae"])


def main(argv: list[str] | None = None) -> int:
    """Run one part; returns the exit code."""
    args = parse_args(argv)
    reset_seed(args.seed)
    try:
        args.run(args)
    except (NotImplementedError, OSError) as error:
        print(f"hw5_vae.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
