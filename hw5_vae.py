"""Variational autoencoders: the models, and the losses that train them.

    part           what is in it
    vae-theory     answer_1b  answer_1g  answer_1h  answer_1j
    bernoulli-vae  Encoder  Decoder  BernoulliVAE
    autoencoder    AEEncoder  AEDecoder  AutoEncoder  make_loader  train_autoencoder  sample_prior
                   kl_divergence  BetaVAE  train_beta_vae  TUNED_BETA  interpolate_embeddings
                   ConditionalAEEncoder  ConditionalAEDecoder  ConditionalBetaVAE  sample_digits
    fc-vae         VAE  reparametrize  loss_function  CVAE  draw_samples  draw_interpolation
                   draw_digits

A variational autoencoder explains an image x by a code z. It has a prior p(z) = N(0, I), a decoder
p(x|z) and an encoder q(z|x), and it maximises a lower bound of log p(x), the evidence lower bound:

    log p(x)  >=  E_q(z|x)[ log p(x|z) ]  -  KL( q(z|x) || p(z) )

Letters: N images in a batch, D = 784 pixels, Z latent dimensions, H hidden units, C classes.
How the standard deviation sigma of q(z|x) is carried, and how the loss is added up:

    bernoulli-vae  sigma_square                      sums, in nats, larger is better
    autoencoder    log_sigma, sigma = exp(log_sigma) means over all entries, smaller is better
    fc-vae         logvar, sigma = exp(logvar / 2)   sums, in nats, smaller is better

Where the lines say BEGIN and END you write; the rest of the file needs no edit.

    python hw5_vae.py bernoulli-vae --num_epoches 200
    python hw5_vae.py autoencoder beta-vae --beta 1
    python hw5_vae.py fc-vae --conditional
    python hw5_vae.py fc-vae --resume                      # after an interruption
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Normal

from hw5_basics import (
    adam,
    array_to_image,
    concat_images,
    descend,
    hello,
    idx2onehot,
    one_hot,
    progress,
    save_images,
    show_losses,
)
from hw5_checkpoint import load_weights, resumable, save_weights
from hw5_data import batch_indices, batches, load_binary_mnist, load_mnist
from hw5_figures import (
    canvas_figure,
    confusion,
    confusion_figure,
    image_grid,
    labelled_rows,
    latent_scatter,
    loss_curves,
    recognise,
    reconstruction_pairs,
    train_classifier,
)
from hw5_live import training
from hw5_train import positive, run_options, run_part, train_vae


def hello_vae() -> None:
    """Say that this file can be imported, and when it was last edited."""
    hello(__file__)


def answer_1b(latent_dimension: int = 2) -> int:
    """How many numbers the encoder gives for each image when q(z|x) is a Gaussian with identity
    covariance matrix and z has `latent_dimension` dimensions.

    Part vae-theory, question `1b`. Source: UIUC CS446 homework 5, problem 1(b).
    """
    ### BEGIN SOLUTION vae-theory.1b
    return latent_dimension  # the mean alone: the covariance is known and need not be learned
    ### END SOLUTION


def answer_1g(mu_phi: float, sigma_phi: float) -> float:
    """KL( q(z|x) || q(z|x) ) in nats, for q(z|x) = N(mu_phi, sigma_phi^2).

    Part vae-theory, question `1g`. Source: UIUC CS446 homework 5, problem 1(g). If you need
    infinity, it is math.inf.
    """
    ### BEGIN SOLUTION vae-theory.1g
    return 0.0  # of any distribution with itself
    ### END SOLUTION


def answer_1h(mu_phi: float, mu_p: float, sigma: float) -> float:
    """KL( q(z|x) || p(z) ) in nats, for q(z|x) = N(mu_phi, sigma^2) and p(z) = N(mu_p, sigma^2):
    two Gaussians of one dimension with the same standard deviation sigma.

    Part vae-theory, question `1h`. Source: UIUC CS446 homework 5, problem 1(h).
    """
    ### BEGIN SOLUTION vae-theory.1h
    return (mu_phi - mu_p) ** 2 / (2 * sigma**2)
    ### END SOLUTION


def answer_1j() -> int:
    """Which of these q(z|x) should be equal to: 1 for p(z); 2 for p(x|z); 3 for p(z|x); 4 for
    p(x, z), where p is the model's distribution.

    Part vae-theory, question `1j`. Source: UIUC CS446 homework 5, problem 1(j).
    """
    ### BEGIN SOLUTION vae-theory.1j
    return 3  # the posterior: there the bound is tight
    ### END SOLUTION


class Encoder(nn.Module):
    """The encoder of part bernoulli-vae, given: q(z|x) = N(mu(x), diag sigma_square(x)).

    Spread is carried as sigma_square, the variance, which is always positive.
    """

    def __init__(self, latent_dimension: int, hidden_units: int, data_dimension: int):
        """latent_dimension: Z; hidden_units: H; data_dimension: D."""
        super().__init__()
        self.fc1 = nn.Linear(data_dimension, hidden_units)
        self.fc2_mu = nn.Linear(hidden_units, latent_dimension)
        self.fc2_sigma = nn.Linear(hidden_units, latent_dimension)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """x: (N, D), 0 or 1. Returns mu: (N, Z); sigma_square: (N, Z), variances."""
        hidden = torch.tanh(self.fc1(x))  # (N, H)
        return self.fc2_mu(hidden), torch.exp(self.fc2_sigma(hidden))


class Decoder(nn.Module):
    """The decoder of part bernoulli-vae: p(x|z) = prod_d Bernoulli(x_d | p_d(z)).

    Part bernoulli-vae, question `decoder`. Source: UIUC CS446 homework 5, problem 2(a).

        fc1    Linear, then tanh: (N, Z) -> (N, H)
        fc2    Linear, then sigmoid: (N, H) -> (N, D)

    Two layers in all: one hidden layer of H = 500 units, and the output.
    """

    def __init__(self, latent_dimension: int, hidden_units: int, data_dimension: int):
        """latent_dimension: Z; hidden_units: H; data_dimension: D."""
        super().__init__()
        ### BEGIN SOLUTION bernoulli-vae.decoder
        self.fc1 = nn.Linear(latent_dimension, hidden_units)
        self.fc2 = nn.Linear(hidden_units, data_dimension)
        ### END SOLUTION

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """z: (N, Z). Returns p: (N, D), the probability that each pixel is 1."""
        ### BEGIN SOLUTION bernoulli-vae.decoder
        return torch.sigmoid(self.fc2(torch.tanh(self.fc1(z))))
        ### END SOLUTION


class BernoulliVAE(nn.Module):
    """Variational autoencoder of black and white digits with a code of two dimensions.

        log p(x)  >=  E_q(z|x)[ log p(x|z) + log p(z) - log q(z|x) ]                       (Eq. 2)

    Part bernoulli-vae. Source: UIUC CS446 homework 5, problem 2. Spread is carried as
    sigma_square, the variance. All logarithms are natural; losses are in nats and LARGER IS BETTER:
    about -548 before training, above -195 after 1 epoch, above -172 after 10.

    Figures are saved in the folder `out` as vis_*.pdf.
    """

    def __init__(
        self, latent_dimension: int = 2, hidden_units: int = 500, data_dimension: int = 784
    ):
        """latent_dimension: Z; hidden_units: H; data_dimension: D."""
        super().__init__()
        self.latent_dimension = latent_dimension
        self.hidden_units = hidden_units
        self.data_dimension = data_dimension
        self.encoder = Encoder(latent_dimension, hidden_units, data_dimension)
        self.decoder = Decoder(latent_dimension, hidden_units, data_dimension)
        self.out = Path(".")

    @staticmethod
    def sample_diagonal_gaussian(mu: torch.Tensor, sigma_square: torch.Tensor) -> torch.Tensor:
        """Draw z from N(mu, diag sigma_square) such that gradients reach mu and sigma_square.

        Part bernoulli-vae, question `sample_diagonal_gaussian`. This is the reparametrization
        trick: z = mu + sigma * eps with eps ~ N(0, I).

        mu, sigma_square: (N, Z). Returns z: (N, Z), with fresh noise in every entry.
        """
        ### BEGIN SOLUTION bernoulli-vae.sample_diagonal_gaussian
        return mu + torch.sqrt(sigma_square) * torch.randn_like(mu)
        ### END SOLUTION

    @staticmethod
    def sample_Bernoulli(p: torch.Tensor) -> torch.Tensor:
        """Draw pixels that are 1 with probability p and 0 otherwise, each on its own.

        Part bernoulli-vae, question `sample_Bernoulli`.

        p: any shape, in [0, 1]. Returns x: the same shape, float32 zeros and ones.
        """
        ### BEGIN SOLUTION bernoulli-vae.sample_Bernoulli
        return (torch.rand_like(p) < p).float()
        ### END SOLUTION

    @staticmethod
    def logpdf_diagonal_gaussian(
        z: torch.Tensor, mu: torch.Tensor, sigma_square: torch.Tensor
    ) -> torch.Tensor:
        """log N(z; mu, diag sigma_square), in nats, summed over the Z dimensions.

            log N = -1/2 sum_j [ log(2 pi sigma_square_j) + (z_j - mu_j)^2 / sigma_square_j ]

        Part bernoulli-vae, question `logpdf_diagonal_gaussian`.

        z: (N, Z); mu, sigma_square: (N, Z), or (Z,) when all z share them, as with a prior.
        Returns (N,).
        """
        ### BEGIN SOLUTION bernoulli-vae.logpdf_diagonal_gaussian
        squares = (z - mu) ** 2 / sigma_square  # (N, Z)
        return -0.5 * (torch.log(2 * math.pi * sigma_square) + squares).sum(-1)
        ### END SOLUTION

    @staticmethod
    def logpdf_bernoulli(x: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
        """log p(x) of independent Bernoulli pixels, in nats, summed over the D pixels.

        === UNLESS vae-theory.1a ===
            log p(x) = sum_d [ x_d log p_d + (1 - x_d) log(1 - p_d) ]

        === OTHERWISE ===
        It is the logarithm of your formula in 1(a) of notebook 1, with p for y_hat.

        === END ===
        Part bernoulli-vae, question `logpdf_bernoulli`. A trained decoder gives p = 0 and p = 1
        exactly, where a logarithm is infinite: the result must stay finite, and 0 * log 0 is 0.

        x: (N, D), 0 or 1; p: (N, D), in [0, 1]. Returns (N,).
        """
        ### BEGIN SOLUTION bernoulli-vae.logpdf_bernoulli
        # Finite, since it bounds each logarithm by -100; and unlike p.clamp(...) it keeps the
        # gradient of the pixels that are most wrong: 12 nats in the test ELBO after 200 epochs.
        pixels = F.binary_cross_entropy(p, x, reduction="none")  # (N, D)
        return -pixels.sum(-1)
        ### END SOLUTION

    def sample_z(self, mu: torch.Tensor, sigma_square: torch.Tensor) -> torch.Tensor:
        """A code for each image: (N, Z)."""
        return self.sample_diagonal_gaussian(mu, sigma_square)

    def elbo_loss(
        self,
        sampled_z: torch.Tensor,
        mu: torch.Tensor,
        sigma_square: torch.Tensor,
        x: torch.Tensor,
        p: torch.Tensor,
    ) -> torch.Tensor:
        """The evidence lower bound of Eq. 2 with one code per image: LARGER IS BETTER. In nats,
        summed over pixels and latent dimensions, averaged over the N images of the batch.

            elbo = 1/N sum_n [ log p(x_n|z_n) + log p(z_n) - log q(z_n|x_n) ]

        Part bernoulli-vae, question `elbo_loss`. The three logarithms are there; the prior is
        p(z) = N(0, I).

        sampled_z, mu, sigma_square: (N, Z); x, p: (N, D). Returns a scalar.
        """
        zero, one = torch.zeros_like(sampled_z), torch.ones_like(sampled_z)
        log_q = self.logpdf_diagonal_gaussian(sampled_z, mu, sigma_square)  # log q(z|x): (N,)
        log_p_z = self.logpdf_diagonal_gaussian(sampled_z, zero, one)  # log p(z): (N,)
        log_p = self.logpdf_bernoulli(x, p)  # log p(x|z): (N,)
        ### BEGIN SOLUTION bernoulli-vae.elbo_loss
        return (log_p + log_p_z - log_q).mean()
        ### END SOLUTION

    def fit(
        self, images: torch.Tensor, num_epoches: int = 200, batch_size: int = 100, lr: float = 1e-3
    ) -> list[float]:
        """Train on images (N, D), batch after batch in their order; returns every step's ELBO.

        Part bernoulli-vae, question `training`: given. Adam takes steps that increase elbo_loss.
        """
        optimizer = adam([*self.encoder.parameters(), *self.decoder.parameters()], lr)
        num_batches = math.ceil(len(images) / batch_size)
        elbos: list = []
        self.train()
        for epoch in resumable(num_epoches, model=self, optimizer=optimizer, elbos=elbos):
            bar = progress(range(num_batches), f"Epoch {epoch}")
            for step in bar:
                iteration = epoch * num_batches + step
                x = images[batch_indices(iteration, num_batches, batch_size)]
                mu, sigma_square = self.encoder(x)
                z = self.sample_z(mu, sigma_square)
                elbo = self.elbo_loss(z, mu, sigma_square, x, self.decoder(z))
                descend(-elbo, optimizer)
                elbos.append(elbo.detach())
                show_losses(bar, ELBO=elbo)
                if iteration % 100 == 0:
                    bar.write(f"Epoch: {epoch}, Iter: {iteration}, ELBO:{elbo.item()}")
        return [float(elbo) for elbo in elbos]

    @torch.no_grad()
    def visualize_data_space(self) -> np.ndarray:
        """Ten codes from the prior: p(x|z) in the left column, a sample of it in the right one.

        Part bernoulli-vae, question `data_space`. Draw z with sample_diagonal_gaussian, then p
        with the decoder, then x with sample_Bernoulli; `array_to_image` makes a picture of each
        and `concat_images(images, 10, 2)` one canvas. It fills the canvas column by column.

        Saves vis_data_space.pdf. Returns the canvas.
        """
        ### BEGIN SOLUTION bernoulli-vae.data_space
        mu = torch.zeros(10, self.latent_dimension, device=self.decoder.fc1.weight.device)
        p = self.decoder(self.sample_diagonal_gaussian(mu, torch.ones_like(mu)))  # (10, D)
        x = self.sample_Bernoulli(p)  # (10, D)
        canvas = concat_images([array_to_image(image) for image in torch.cat((p, x)).cpu()], 10, 2)
        ### END SOLUTION
        canvas_figure(canvas, ["p(x|z)", "x"], file=self.out / "vis_data_space.pdf")
        return canvas

    @torch.no_grad()
    def visualize_latent_space(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """One point for each image, the mean of q(z|x), in the colour of its class.

        Part bernoulli-vae, question `latent_space`.

        images: (N, D); labels: (N, 10) one-hot, or (N,). Saves vis_latent_space.pdf. Returns the
        means: (N, Z).
        """
        ### BEGIN SOLUTION bernoulli-vae.latent_space
        means, _ = self.encoder(images)  # (N, Z)
        classes = labels.argmax(1) if labels.dim() == 2 else labels  # (N,)
        ### END SOLUTION
        latent_scatter(means, classes, file=self.out / "vis_latent_space.pdf")
        return means

    @torch.no_grad()
    def visualize_inter_class_interpolation(
        self, images: torch.Tensor, labels: torch.Tensor
    ) -> np.ndarray:
        """Three pairs of images of different classes; p(x|z) on the way between their means.

        Part bernoulli-vae, question `interpolation`. Row i shows pair i, column k the code
        `interpolate_mu(mua, mub, alpha=k / 10)`, so that a row begins at the second image of its
        pair and ends at the first. `concat_images(pictures, 3, 11)` fills column by column.

        images: (N, D); labels: (N, 10) one-hot, or (N,). Saves
        vis_inter_class_interpolation.pdf. Returns the canvas.
        """
        ### BEGIN SOLUTION bernoulli-vae.interpolation
        classes = labels.argmax(1) if labels.dim() == 2 else labels  # (N,)
        pairs: list[torch.Tensor] = []
        while len(pairs) < 3:
            pair = torch.randint(len(images), (2,), device=images.device)
            if classes[pair[0]] != classes[pair[1]]:
                pairs.append(pair)
        first, second = torch.stack(pairs, dim=1)  # (3,) each
        mua, mub = self.encoder(images[first])[0], self.encoder(images[second])[0]  # (3, Z)
        z = torch.cat([self.interpolate_mu(mua, mub, alpha=k / 10) for k in range(11)])  # (33, Z)
        canvas = concat_images([array_to_image(image) for image in self.decoder(z).cpu()], 3, 11)
        ### END SOLUTION
        alphas = [f"{k / 10:g}" for k in range(11)]
        file = self.out / "vis_inter_class_interpolation.pdf"
        canvas_figure(canvas, alphas, label="alpha", file=file)
        return canvas

    @staticmethod
    def interpolate_mu(mua: torch.Tensor, mub: torch.Tensor, alpha: float = 0.5) -> torch.Tensor:
        """alpha * mua + (1 - alpha) * mub: alpha = 1 gives the first, alpha = 0 the second."""
        return alpha * mua + (1 - alpha) * mub


class AEEncoder(nn.Module):
    """Encoder of part autoencoder: an image to nz numbers.

    Part autoencoder, question `architecture`. Source: USC CSCI566 assignment 2, problem 1.

        net    Linear input_size -> 256, ReLU, Linear 256 -> 64, ReLU, Linear 64 -> nz
    """

    def __init__(self, nz: int, input_size: int):
        super().__init__()
        self.input_size = input_size
        ### BEGIN SOLUTION autoencoder.architecture
        self.net = nn.Sequential(
            nn.Linear(input_size, 256),
            nn.ReLU(),
            nn.Linear(256, 64),
            nn.ReLU(),
            nn.Linear(64, nz),
        )
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: (N, input_size), or images (N, 1, ...) of so many pixels. Returns (N, nz)."""
        return self.net(x.reshape(-1, self.input_size))


class AEDecoder(nn.Module):
    """Decoder of part autoencoder: nz numbers to an image, the encoder in reverse.

    Part autoencoder, question `architecture`. Source: USC CSCI566 assignment 2, problem 1.

        net    Linear nz -> 64, ReLU, Linear 64 -> 256, ReLU, Linear 256 -> output_size, Sigmoid
    """

    def __init__(self, nz: int, output_size: int):
        super().__init__()
        self.output_size = output_size
        ### BEGIN SOLUTION autoencoder.architecture
        self.net = nn.Sequential(
            nn.Linear(nz, 64),
            nn.ReLU(),
            nn.Linear(64, 256),
            nn.ReLU(),
            nn.Linear(256, output_size),
            nn.Sigmoid(),
        )
        ### END SOLUTION

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """z: (N, nz). Returns images (N, 1, output_size), in [0, 1]."""
        return self.net(z).reshape(-1, 1, self.output_size)


class AutoEncoder(nn.Module):
    """Autoencoder without noise: 439,728 parameters for nz = 32.

    Part autoencoder, question `architecture`. Source: USC CSCI566 assignment 2, problem 1-1.
    """

    def __init__(self, nz: int):
        """nz: Z, the length of a code."""
        super().__init__()
        self.nz = nz
        ### BEGIN SOLUTION autoencoder.architecture
        self.encoder = AEEncoder(nz=nz, input_size=784)
        self.decoder = AEDecoder(nz=nz, output_size=784)
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: (N, 1, 784) or any (N, ...) of 784 pixels, in [0, 1]. Returns (N, 1, 784)."""
        ### BEGIN SOLUTION autoencoder.architecture
        return self.decoder(self.encoder(x))
        ### END SOLUTION

    def reconstruct(self, x: torch.Tensor) -> torch.Tensor:
        """x: as for forward, or a single image (784,). Returns (N, 28, 28)."""
        return self.forward(x).reshape(-1, 28, 28)


def make_loader(images: torch.Tensor, labels: torch.Tensor, batch_size: int):
    """An iterable over batches (x, labels): in a fresh random order on every pass, only full
    batches, every image with its own label.

    Part autoencoder, question `loader`. Source: USC CSCI566 assignment 2, problem 1-1. `batches`
    of hw5_data or a torch DataLoader do it.

    images: (N, 1, 28, 28); labels: (N,). Yields (batch_size, 1, 28, 28) and (batch_size,).
    """
    ### BEGIN SOLUTION autoencoder.loader
    return batches(images, labels, batch_size=batch_size, shuffle=True, drop_last=True)
    ### END SOLUTION


def train_autoencoder(model: nn.Module, loader, epochs: int = 10, lr: float = 1e-3) -> list[float]:
    """Train an AutoEncoder with Adam; returns the loss of every step.

    The loss is the binary cross-entropy between image and reconstruction: smaller is better. In
    nats, the MEAN over all pixels of all images of the batch: 0.693 = log 2 before training, 0.09
    after 10 epochs. Grey pixels alone cost 0.058, so it never comes near 0.

    Part autoencoder, question `loop`. Source: USC CSCI566 assignment 2, problem 1-2. Print
    "Run Epoch {epoch}", every 100 steps "It {step}: Reconstruction Loss: {loss}", at the end
    "Done!". Loop over resumable(epochs, ...) in place of range(epochs), and tell it what changes,
    the model, the optimizer and the losses: then a training that was stopped goes on where it was,
    in the notebook as with --resume. Any other loop will do, too, but begins anew.

    loader: yields (x, labels), x (N, 1, 28, 28), in [0, 1].
    """
    ### BEGIN SOLUTION autoencoder.loop
    optimizer, losses = adam(model.parameters(), lr), []
    model.train()
    for epoch in resumable(epochs, model=model, optimizer=optimizer, losses=losses):
        print(f"Run Epoch {epoch}")
        bar = progress(loader, f"Run Epoch {epoch}")
        for x, _ in bar:
            x_hat = model(x)  # (N, 1, 784)
            loss = F.binary_cross_entropy(x_hat, x.reshape(x_hat.shape))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if len(losses) % 100 == 0:
                bar.write(f"It {len(losses)}: Reconstruction Loss: {loss.item()}")
            show_losses(bar, loss=loss)
            losses.append(loss.detach())
    print("Done!")
    return list(map(float, losses))
    ### END SOLUTION


@torch.no_grad()
def sample_prior(model: nn.Module, n: int) -> torch.Tensor:
    """Decode n codes from the prior N(0, I): images (n, 1, 28, 28).

    Part autoencoder, question `sample_prior`. Source: USC CSCI566 assignment 2, problem 1-3.

    model: has `decoder`, which takes codes (N, nz), and `nz`.
    """
    ### BEGIN SOLUTION autoencoder.sample_prior
    z = torch.randn(n, model.nz, device=next(model.parameters()).device)
    return model.decoder(z).reshape(-1, 1, 28, 28)
    ### END SOLUTION


def kl_divergence(
    mu1: torch.Tensor, log_sigma1: torch.Tensor, mu2: torch.Tensor, log_sigma2: torch.Tensor
) -> torch.Tensor:
    """KL( N(mu1, sigma1^2) || N(mu2, sigma2^2) ) in nats, entry by entry; nothing is summed."""
    first = Normal(mu1, torch.exp(log_sigma1), validate_args=False)
    second = Normal(mu2, torch.exp(log_sigma2), validate_args=False)
    return torch.distributions.kl_divergence(first, second)


class BetaVAE(nn.Module):
    """Variational autoencoder whose KL term counts beta times: 441,808 parameters for nz = 32.

        loss = reconstruction + beta * KL( q(z|x) || N(0, I) ),      smaller is better

    Part autoencoder, question `beta_vae`. Source: USC CSCI566 assignment 2, problem 1-4. Spread is
    carried as log_sigma = log(sigma), which may be any real number. The encoder gives 2 * nz
    numbers: mu first, then log_sigma.

    Both terms are MEANS, the first over pixels, the second over latent dimensions. The evidence
    lower bound adds them up instead, so here it belongs to beta = nz / 784, about 0.04. With
    beta = 1 the KL term weighs 24 times as much.
    """

    def __init__(self, nz: int, beta: float = 1.0):
        """nz: Z, the length of a code; beta: the weight of the KL term."""
        super().__init__()
        self.nz = nz
        self.beta = beta
        ### BEGIN SOLUTION autoencoder.beta_vae
        self.encoder = AEEncoder(nz=2 * nz, input_size=784)
        self.decoder = AEDecoder(nz=nz, output_size=784)
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Encode, draw one code per image, z = mu + exp(log_sigma) * eps, decode.

        x: (N, 1, 784) or any (N, ...) of 784 pixels, in [0, 1]. Returns a dict with
        q: (N, 2Z), mu and log_sigma side by side; rec: (N, 1, 784), in [0, 1].
        """
        ### BEGIN SOLUTION autoencoder.beta_vae
        q = self.encoder(x)  # (N, 2Z)
        mu, log_sigma = q.chunk(2, dim=-1)  # (N, Z) each
        z = mu + torch.exp(log_sigma) * torch.randn_like(mu)  # (N, Z)
        return {"q": q, "rec": self.decoder(z)}
        ### END SOLUTION

    def loss(
        self, x: torch.Tensor, outputs: dict[str, torch.Tensor]
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The loss of a batch: smaller is better. In nats, each term a mean over all its entries.

        x: the images that went into forward; outputs: what came out. Returns the total, a scalar,
        and a dict with both terms: rec_loss, the binary cross-entropy, and kl_loss, not yet
        multiplied by beta. Hint: kl_divergence is given; its order of arguments matters.
        """
        ### BEGIN SOLUTION autoencoder.beta_vae
        q, rec = outputs["q"], outputs["rec"]
        mu, log_sigma = q.chunk(2, dim=-1)
        zero = torch.zeros_like(mu)  # the mean of the prior, and the logarithm of its sigma
        rec_loss = F.binary_cross_entropy(rec, x.reshape(rec.shape))
        kl_loss = kl_divergence(mu, log_sigma, zero, zero).mean()
        return rec_loss + self.beta * kl_loss, {"rec_loss": rec_loss, "kl_loss": kl_loss}
        ### END SOLUTION

    def reconstruct(self, x: torch.Tensor) -> torch.Tensor:
        """Decode the mean of q(z|x), without noise.

        x: as for forward, or a single image (784,). Returns (N, 28, 28).
        """
        ### BEGIN SOLUTION autoencoder.beta_vae
        mu, _ = self.encoder(x).chunk(2, dim=-1)
        return self.decoder(mu).reshape(-1, 28, 28)
        ### END SOLUTION


def train_beta_vae(
    model: nn.Module, loader, epochs: int = 10, lr: float = 1e-3
) -> tuple[list[float], list[float]]:
    """Train a BetaVAE or ConditionalBetaVAE on its own loss with Adam; returns the two terms of
    every step, (rec, kl).

    Part autoencoder, questions `beta_vae_loop` and `conditional_loop`. Source: USC CSCI566
    assignment 2, problems 1-5 and 1-8. A model whose attribute `conditional` is true gets the
    labels too: model(x, labels). Print "Running {epochs} epochs with beta={beta}", "Run Epoch
    {epoch}", every 100 steps "It {step}: Total Loss: {total}, Rec Loss: {rec}, KL Loss: {kl}", and
    "Done!". Loop over resumable(epochs, ...) as in train_autoencoder.

    loader: yields (x, labels), x (N, 1, 28, 28), in [0, 1], labels (N,).
    """
    ### BEGIN SOLUTION autoencoder.beta_vae_loop
    optimizer, rec, kl = adam(model.parameters(), lr), [], []
    model.train()
    print(f"Running {epochs} epochs with beta={model.beta}")
    for epoch in resumable(epochs, model=model, optimizer=optimizer, rec=rec, kl=kl):
        print(f"Run Epoch {epoch}")
        bar = progress(loader, f"Run Epoch {epoch}")
        for x, labels in bar:
            outputs = model(x, labels) if getattr(model, "conditional", False) else model(x)
            total, terms = model.loss(x, outputs)
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
            rec_loss, kl_loss = terms["rec_loss"].detach(), terms["kl_loss"].detach()
            if len(rec) % 100 == 0:
                bar.write(
                    f"It {len(rec)}: Total Loss: {total.item()}, \t Rec Loss: {rec_loss.item()}, "
                    f"\t KL Loss: {kl_loss.item()}"
                )
            show_losses(bar, rec=rec_loss, kl=kl_loss)
            rec.append(rec_loss)
            kl.append(kl_loss)
    print("Done!")
    return list(map(float, rec)), list(map(float, kl))
    ### END SOLUTION


# Your beta for BetaVAE: reconstructions that are clear, samples that are digits. Search in steps of
# ten times. Part autoencoder, question `tuned_beta`.
### BEGIN SOLUTION autoencoder.tuned_beta
TUNED_BETA = 0.105
### END SOLUTION


@torch.no_grad()
def interpolate_embeddings(
    model: nn.Module, start: torch.Tensor, end: torch.Tensor, steps: int = 5
) -> torch.Tensor:
    """Decode codes in equal steps on the straight line from the image `start` to `end`.

    Both ends are included: the first code is that of `start`, the last that of `end`. A VAE's code
    is the mean of q(z|x), the first nz numbers of its encoder.

    Part autoencoder, question `interpolate`. Source: USC CSCI566 assignment 2, problem 1-7.

    model: AutoEncoder or BetaVAE; start, end: one image each, (1, 28, 28) or (784,).
    Returns (steps, 1, 28, 28).
    """
    ### BEGIN SOLUTION autoencoder.interpolate
    ends = torch.stack((start.reshape(-1), end.reshape(-1)))  # (2, 784)
    first, last = model.encoder(ends)[:, : model.nz]  # (Z,) each
    w = torch.linspace(0, 1, steps, device=first.device).view(-1, 1)
    return model.decoder((1 - w) * first + w * last).reshape(-1, 1, 28, 28)
    ### END SOLUTION


def _need_labels(c: torch.Tensor | None) -> torch.Tensor:
    """The labels of a conditional model, or a sentence."""
    if c is None:
        raise ValueError("This model is conditional: give it the labels too, as in model(x, c).")
    return c


class ConditionalAEEncoder(nn.Module):
    """Encoder that is told the class: it reads the flat image and the one-hot class, [x, c].

    Part autoencoder, question `conditional`. Source: USC CSCI566 assignment 2, problem 1-8. `net`
    has the layers of AEEncoder; with conditional=True its input is num_labels longer, with False
    the class is ignored.
    """

    def __init__(self, nz: int, input_size: int, conditional: bool, num_labels: int):
        super().__init__()
        self.image_size = input_size
        self.input_size = input_size + num_labels if conditional else input_size
        self.conditional = conditional
        self.num_labels = num_labels
        ### BEGIN SOLUTION autoencoder.conditional
        self.net = nn.Sequential(
            nn.Linear(self.input_size, 256),
            nn.ReLU(),
            nn.Linear(256, 64),
            nn.ReLU(),
            nn.Linear(64, nz),
        )
        ### END SOLUTION

    def forward(self, x: torch.Tensor, c: torch.Tensor | None = None) -> torch.Tensor:
        """x: (N, 1, 784) or any (N, ...) of 784 pixels; c: labels (N,). Returns (N, nz)."""
        x = x.reshape(-1, self.image_size)  # (N, D)
        ### BEGIN SOLUTION autoencoder.conditional
        if self.conditional:
            x = torch.cat((x, idx2onehot(_need_labels(c), self.num_labels)), dim=1)  # (N, D + C)
        ### END SOLUTION
        return self.net(x)


class ConditionalAEDecoder(nn.Module):
    """Decoder that is told the class: it reads the code and the one-hot class, [z, c].

    Part autoencoder, question `conditional`. Source: USC CSCI566 assignment 2, problem 1-8. `net`
    has the layers of AEDecoder; with conditional=True its input is num_labels longer, with False
    the class is ignored.
    """

    def __init__(self, nz: int, output_size: int, conditional: bool, num_labels: int):
        super().__init__()
        self.output_size = output_size
        self.conditional = conditional
        self.num_labels = num_labels
        ### BEGIN SOLUTION autoencoder.conditional
        self.net = nn.Sequential(
            nn.Linear(nz + num_labels if conditional else nz, 64),
            nn.ReLU(),
            nn.Linear(64, 256),
            nn.ReLU(),
            nn.Linear(256, output_size),
            nn.Sigmoid(),
        )
        ### END SOLUTION

    def forward(self, z: torch.Tensor, c: torch.Tensor | None = None) -> torch.Tensor:
        """z: (N, nz); c: labels (N,). Returns images (N, 1, output_size), in [0, 1]."""
        ### BEGIN SOLUTION autoencoder.conditional
        if self.conditional:
            z = torch.cat((z, idx2onehot(_need_labels(c), self.num_labels)), dim=1)  # (N, Z + C)
        ### END SOLUTION
        return self.net(z).reshape(-1, 1, self.output_size)


class ConditionalBetaVAE(nn.Module):
    """BetaVAE whose encoder and decoder are told the class of the image.

        loss = reconstruction + beta * KL( q(z|x,c) || N(0, I) ),      smaller is better

    Part autoencoder, question `conditional`. Source: USC CSCI566 assignment 2, problem 1-8. Spread
    is carried as log_sigma; both terms are means, as in BetaVAE. With conditional=True every
    call needs labels and says so; with False it is a BetaVAE, and labels are ignored.
    """

    def __init__(self, nz: int, beta: float = 1.0, conditional: bool = False, num_labels: int = 0):
        """nz: Z; beta: the weight of the KL term; num_labels: C, at least 1 if conditional."""
        super().__init__()
        if conditional and num_labels < 1:
            raise ValueError("A conditional model needs num_labels, the number of classes.")
        self.nz = nz
        self.beta = beta
        self.conditional = conditional
        self.num_labels = num_labels
        self.encoder = ConditionalAEEncoder(2 * nz, 784, conditional, num_labels)
        self.decoder = ConditionalAEDecoder(nz, 784, conditional, num_labels)

    def forward(self, x: torch.Tensor, c: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        """Encode [x, c], draw one code per image, decode [z, c].

        x: (N, 1, 784) or any (N, ...) of 784 pixels, in [0, 1]; c: labels (N,). Returns a dict
        with q: (N, 2Z), rec: (N, 1, 784) and c.
        """
        ### BEGIN SOLUTION autoencoder.conditional
        q = self.encoder(x, c)  # (N, 2Z)
        mu, log_sigma = q.chunk(2, dim=-1)  # (N, Z) each
        z = mu + torch.exp(log_sigma) * torch.randn_like(mu)  # (N, Z)
        return {"q": q, "rec": self.decoder(z, c), "c": c}
        ### END SOLUTION

    def loss(
        self, x: torch.Tensor, outputs: dict[str, torch.Tensor]
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The loss of a batch, as in BetaVAE: the total and {rec_loss, kl_loss}."""
        ### BEGIN SOLUTION autoencoder.conditional
        q, rec = outputs["q"], outputs["rec"]
        mu, log_sigma = q.chunk(2, dim=-1)
        zero = torch.zeros_like(mu)
        rec_loss = F.binary_cross_entropy(rec, x.reshape(rec.shape))
        kl_loss = kl_divergence(mu, log_sigma, zero, zero).mean()
        return rec_loss + self.beta * kl_loss, {"rec_loss": rec_loss, "kl_loss": kl_loss}
        ### END SOLUTION

    def reconstruct(self, x: torch.Tensor, c: torch.Tensor | None = None) -> torch.Tensor:
        """Decode the mean of q(z|x,c), without noise, with the class c: (N, 28, 28)."""
        ### BEGIN SOLUTION autoencoder.conditional
        mu, _ = self.encoder(x, c).chunk(2, dim=-1)
        return self.decoder(mu, c).reshape(-1, 28, 28)
        ### END SOLUTION


@torch.no_grad()
def sample_digits(model: nn.Module, labels: torch.Tensor) -> torch.Tensor:
    """A new image of each class asked for, with a code of its own from the prior N(0, I).

    Part autoencoder, question `sample_digits`. Source: USC CSCI566 assignment 2, problem 1-9.

    model: a conditional ConditionalBetaVAE; labels: (N,). Returns (N, 1, 28, 28).
    """
    ### BEGIN SOLUTION autoencoder.sample_digits
    labels = labels.to(next(model.parameters()).device)
    z = torch.randn(len(labels), model.nz, device=labels.device)
    return model.decoder(z, labels).reshape(-1, 1, 28, 28)
    ### END SOLUTION


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


DIGITS = [str(k) for k in range(10)]


@torch.no_grad()
def run_bernoulli_vae(args: argparse.Namespace) -> None:
    """Train BernoulliVAE on the first 10,000 digits, rounded; save its three figures."""
    images, labels, test, _ = (t.to(args.device) for t in load_binary_mnist(args.data))
    sizes = (args.latent_dimension, args.hidden_units, args.data_dimension)
    vae = BernoulliVAE(*sizes).to(args.device)
    vae.out = args.out

    def draw() -> torch.Tensor:
        return vae.decoder(torch.randn(64, vae.latent_dimension, device=args.device))

    with training("bernoulli-vae", vae, draw, **vars(args)) as run, torch.enable_grad():
        elbos = vae.fit(images, args.epochs, args.batch_size)
    vae.eval()
    for name, x in (("train", images), ("test", test)):
        mu, sigma_square = vae.encoder(x)
        z = vae.sample_z(mu, sigma_square)
        run.note(**{f"{name}_elbo": vae.elbo_loss(z, mu, sigma_square, x, vae.decoder(z))})
    save_weights(args.out / args.e_path, vae.encoder)
    save_weights(args.out / args.d_path, vae.decoder)
    vae.visualize_data_space()
    vae.visualize_latent_space(images, labels)
    vae.visualize_inter_class_interpolation(images, labels)
    loss_curves({"ELBO (nats per image)": elbos}, file=args.out / "bernoulli-vae-elbo.pdf")


def run_autoencoder(args: argparse.Namespace) -> None:
    """Train the chosen model of part autoencoder on the 60,000 digits; save its figures."""
    if args.model != "ae" and args.beta is None:
        raise NotImplementedError("autoencoder.tuned_beta: set TUNED_BETA, or give --beta")
    images, labels = (t.to(args.device) for t in load_mnist(data=args.data))
    test, test_labels = (t.to(args.device) for t in load_mnist("test", data=args.data))
    loader = make_loader(images, labels, args.batch_size)
    name = f"autoencoder-{args.model}"
    if args.model == "ae":
        model = AutoEncoder(args.nz)
    else:
        name += f"-{args.beta:g}"
        model = BetaVAE(args.nz, args.beta)
    if args.model == "conditional":
        model = ConditionalBetaVAE(args.nz, args.beta, conditional=True, num_labels=10)
    model.to(args.device)

    def draw() -> torch.Tensor:
        if args.model == "ae":
            return model.reconstruct(test[:64])
        if args.model == "beta-vae":
            return sample_prior(model, 64)
        return sample_digits(model, torch.arange(10).repeat(10))

    batches_an_epoch = len(images) // args.batch_size
    with training(name, model, draw, batches=batches_an_epoch, **vars(args)) as run:
        train = train_autoencoder if args.model == "ae" else train_beta_vae
        losses = train(model, loader, args.epochs, args.lr)
    model.eval()
    c = (test_labels,) if args.model == "conditional" else ()
    with torch.no_grad():
        again = model.reconstruct(test, *c)  # (N, 28, 28)
        if args.model == "ae":
            run.note(test_rec_loss=F.binary_cross_entropy(again, test.squeeze(1)))
        else:
            terms = model.loss(test, model(test, *c))[1]
            run.note(**{f"test_{key}": term for key, term in terms.items()})

    def file(figure: str) -> Path:
        return args.out / f"{name}-{figure}.pdf"

    terms = [losses] if args.model == "ae" else losses
    names = ["reconstruction loss", "KL loss"]
    loss_curves(dict(zip(names, terms, strict=False)), file=file("losses"))
    reconstruction_pairs(test[:5], again[:5], file("reconstructions"))
    if args.model == "conditional":
        image_grid(sample_digits(model, torch.arange(10)), 10, over=DIGITS, file=file("digits"))
        asked = torch.arange(10).repeat(100)
        run.note(recognised=_confusion(args, asked, sample_digits(model, asked), file))
    else:
        image_grid(sample_prior(model, 16), 4, file=file("samples"))
    if args.model == "beta-vae":
        _compare_interpolations(args, model, test, test_labels, file("interpolation"))


def _confusion(args: argparse.Namespace, asked: torch.Tensor, drawn: torch.Tensor, file) -> float:
    """Let a classifier read digits that were drawn when others were asked; the share it agrees."""
    images, labels = (t.to(args.device) for t in load_mnist(data=args.data))
    counts = confusion(asked, recognise(train_classifier(images, labels), drawn))
    confusion_figure(counts, file("confusion"))
    return counts.diag().sum().item() / len(asked)


def _compare_interpolations(args, model, images, labels, file: Path) -> None:
    """Rows from a 2 to an 8 and from a 3 to a 7, the autoencoder's beside those of `model`."""
    models = {"VAE": model}
    kept = args.out / "autoencoder-ae.safetensors"
    if kept.exists():
        models = {"AE": load_weights(kept, AutoEncoder(args.nz)).to(args.device)} | models
    else:
        print(f"{kept} is not there: the rows of the autoencoder are left out.")
    rows = {}
    for a, b in ((2, 8), (3, 7)):
        start, end = (images[(labels == k).nonzero()[0]] for k in (a, b))  # (1, 1, 28, 28) each
        for name, one in models.items():
            between = interpolate_embeddings(one, start, end)
            rows[f"{name}, {a} to {b}"] = torch.cat((start, between, end))
    labelled_rows(rows, under=["original", "0", "1/4", "1/2", "3/4", "1", "original"], file=file)


def run_fc_vae(args: argparse.Namespace) -> None:
    """Train the VAE, or the CVAE with --conditional, on 55,000 digits; save its figures."""
    images, labels = load_mnist(validation=5000, data=args.data)
    loader = batches(images, labels, batch_size=128, device=args.device)
    model = (CVAE if args.conditional else VAE)(784, latent_size=args.latent_size).to(args.device)
    name = "fc-cvae" if args.conditional else "fc-vae"
    optimizer, losses = adam(model.parameters(), lr=1e-3), []

    def draw() -> torch.Tensor:
        if args.conditional:
            return torch.cat([draw_digits(model) for _ in range(10)])
        return draw_samples(model, 64)

    with training(name, model, draw, **vars(args)) as run:
        for epoch in resumable(args.epochs, model=model, optimizer=optimizer, losses=losses):
            losses.append(
                train_vae(
                    epoch,
                    model,
                    loader,
                    cond=args.conditional,
                    loss_function=loss_function,
                    optimizer=optimizer,
                )
            )
    model.eval()
    x, y = (t.to(args.device) for t in load_mnist("test", data=args.data))
    c = (one_hot(y),) if args.conditional else ()
    with torch.no_grad():
        x_hat, mu, logvar = model(x, *c)
        run.note(test_loss=loss_function(x_hat, x, mu, logvar))

    def file(figure: str) -> Path:
        return args.out / f"{name}-{figure}.pdf"

    loss_curves({"loss (nats per image)": losses}, factor=0, step="epoch", file=file("losses"))
    reconstruction_pairs(x[:10], x_hat[:10], file("reconstructions"))
    if args.conditional:
        picture = args.out / "conditional_vae_generation.jpg"
        image_grid(draw_digits(model), 10, over=DIGITS, file=picture)
        drawn = torch.cat([draw_digits(model) for _ in range(100)])
        run.note(recognised=_confusion(args, torch.arange(10).repeat(100), drawn, file))
    else:
        save_images(draw_samples(model), args.out / "vae_generation.jpg", columns=10)
        image_grid(draw_interpolation(model), 12, file=args.out / "vae_interpolation.jpg")


def bernoulli_vae_command(parts) -> None:
    """The subcommand of part bernoulli-vae and its options."""
    same = {"--epochs": "--num_epoches", "--resume": "--resume_training"}
    parser = parts.add_parser(
        "bernoulli-vae",
        parents=[run_options(epochs=200, seed=1234, aliases=same)],
        help="VAE of black and white digits with a code of two dimensions",
        description="Train on the first 10,000 digits, rounded to 0 and 1. Prints the ELBO of a "
        "batch (nats per image, larger is better; about -165 after 10 epochs, -131 to -150 after "
        "200) and saves vis_data_space.pdf, vis_latent_space.pdf, "
        "vis_inter_class_interpolation.pdf and the weights of both networks.",
    )
    add = parser.add_argument
    add("--e_path", default="e_params.safetensors", help="the encoder's weights (%(default)s)")
    add("--d_path", default="d_params.safetensors", help="the decoder's weights (%(default)s)")
    add("--hidden_units", type=positive, default=500, help="H (%(default)s)")
    add("--latent_dimension", type=positive, default=2, help="Z (%(default)s)")
    add("--data_dimension", type=positive, default=784, help="D (%(default)s)")
    add("--batch_size", type=positive, default=100, help="N (%(default)s)")
    parser.set_defaults(run=run_bernoulli_vae)


def autoencoder_command(parts) -> None:
    """The subcommand of part autoencoder and its options."""
    parser = parts.add_parser(
        "autoencoder",
        parents=[run_options(epochs=10)],
        help="autoencoder, beta-VAE and conditional beta-VAE",
        description="Train one model on the 60,000 digits. Prints the loss every 100 steps (mean "
        "over pixels, smaller is better; below 0.10 for ae, total below 0.18 for beta-vae) and "
        "saves losses, reconstructions, samples and, when ae has been trained into the same "
        "folder before, interpolations side by side.",
    )
    add = parser.add_argument
    add("model", choices=("ae", "beta-vae", "conditional"), help="which of the three")
    add("--beta", type=float, default=TUNED_BETA, help="weight of the KL term (TUNED_BETA)")
    add("--nz", type=positive, default=32, help="dimensions of the code, Z (%(default)s)")
    add("--lr", type=float, default=1e-3, help="learning rate of Adam (%(default)s)")
    add("--batch_size", type=positive, default=64, help="N (%(default)s)")
    parser.set_defaults(run=run_autoencoder)


def fc_vae_command(parts) -> None:
    """The subcommand of part fc-vae and its options."""
    parser = parts.add_parser(
        "fc-vae",
        parents=[run_options(epochs=10)],
        help="fully connected VAE and conditional VAE",
        description="Train the VAE on 55,000 digits. Prints the mean loss of each epoch (nats per "
        "image, smaller is better; below 120 after 10 epochs) and saves vae_generation.jpg and "
        "vae_interpolation.jpg, or conditional_vae_generation.jpg with --conditional.",
    )
    add = parser.add_argument
    add("--conditional", action="store_true", help="train the CVAE instead")
    add("--latent-size", type=positive, default=15, help="dimensions of the code, Z")
    parser.set_defaults(run=run_fc_vae)


COMMANDS = {
    "bernoulli-vae": bernoulli_vae_command,
    "autoencoder": autoencoder_command,
    "fc-vae": fc_vae_command,
}


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line; without arguments, parse_args([]), the defaults of the last part."""
    last = [*COMMANDS][-1]
    parser = argparse.ArgumentParser(
        prog="hw5_vae.py",
        description="Train the models of this file, one part at a time. Every run keeps a "
        "checkpoint after each epoch; stop it as you like and go on with --resume.",
        epilog=f"Example: python hw5_vae.py {last} --epochs 2 --data digits",
    )
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    for command in COMMANDS.values():
        command(parts)
    argv = sys.argv[1:] if argv is None else argv
    return parser.parse_args(argv or [last])


def main(argv: list[str] | None = None) -> int:
    """Run one part; returns the exit code."""
    return run_part(parse_args(argv), __file__)


if __name__ == "__main__":
    raise SystemExit(main())
