"""Right answers to the part ae-gan, written otherwise."""

from __future__ import annotations

from textwrap import indent

from ...checking.catalogue import Style


def _style(id: str, optimizers: str, steps: str, before: str = "") -> Style:
    """Other optimizers, and another body of the loop over x, which makes the losses d, g, ae."""
    code = f"""
def ae_gan_optimizers(model, lr=2e-4):
{indent(optimizers.strip(), " " * 4)}

def train_ae_gan(model, loader, optimizers, epochs):
    bce, mse = nn.BCELoss(), nn.MSELoss()
    e, gen, disc = model.encoder, model.generator, model.discriminator
{indent(before.strip(), " " * 4)}
    kept = [], [], []
    for epoch in range(epochs):
        sums, count = [0.0, 0.0, 0.0], 0
        for batch in loader:
            x = (batch[0] if isinstance(batch, (tuple, list)) else batch).flatten(1)
            n = len(x)
            one, nil = torch.ones(n, 1), torch.zeros(n, 1)
{indent(steps.strip(), " " * 12)}
            sums = [s + v.item() * n for s, v in zip(sums, (d, g, ae))]
            count += n
        for values, total in zip(kept, sums):
            values.append(total / count)
    return kept
"""
    return Style(id, code)


STEPS = """
disc.zero_grad()
real = bce(disc(x), torch.full((n, 1), 1.0))
z = torch.randn(n, model.latent_size)
fake = gen(z)
d = real + bce(disc(fake.detach()), torch.full((n, 1), 0.0))
d.backward()
opt_d.step()
gen.zero_grad()
z = torch.randn(n, model.latent_size)
g = 0.9 * bce(disc(gen(z)), one) + mse(x, gen(e(x)))
g.backward()
opt_g.step()
e.zero_grad()
ae = mse(x, gen(e(x)))
ae.backward()
opt_e.step()
"""
THREE = """
return (torch.optim.Adam(model.encoder.parameters(), lr=lr),
        torch.optim.Adam(model.generator.parameters(), lr=lr),
        torch.optim.Adam(model.discriminator.parameters(), lr=lr))
"""
UNPACK = "opt_e, opt_g, opt_d = optimizers"
TOGETHER = """
opt_d.zero_grad()
z = torch.randn(n, model.latent_size)
with torch.no_grad():
    fakes = gen(z)
d = bce(disc(x), one) + bce(disc(fakes), nil)
d.backward()
opt_d.step()
opt_eg.zero_grad()
ae = mse(gen(e(x)), x)
g = bce(disc(gen(torch.randn_like(z))), one) + ae
g.backward()
opt_eg.step()
"""
STYLES = (
    _style("as-the-source-has-it", THREE, STEPS, UNPACK),
    _style(
        "a-dict-from-discriminator-to-encoder",
        """
return {"D": optim.Adam(model.discriminator.parameters(), lr, betas=(0.5, 0.999)),
        "G": optim.Adam(model.generator.parameters(), lr, betas=(0.5, 0.999)),
        "E": optim.Adam(model.encoder.parameters(), lr)}
""",
        STEPS,
        "opt_d, opt_g, opt_e = (optimizers[name] for name in 'DGE')",
    ),
    _style(
        "two-optimizers",
        """
both = list(model.encoder.parameters()) + list(model.generator.parameters())
return [optim.Adam(both, lr=lr), optim.Adam(model.discriminator.parameters(), lr=lr)]
""",
        TOGETHER,
        "opt_eg, opt_d = optimizers",
    ),
    _style(
        "an-autoencoder-that-moves-the-generator-too",
        """
both = [*model.encoder.parameters(), *model.generator.parameters()]
return (optim.Adam(both, lr=lr), optim.Adam(model.generator.parameters(), lr=lr),
        optim.Adam(model.discriminator.parameters(), lr=lr))
""",
        STEPS.replace("e.zero_grad()", "opt_e.zero_grad()"),
        UNPACK,
    ),
    _style(
        "one-optimizer-for-all",
        "return optim.Adam(model.parameters(), lr=lr)",
        """
model.zero_grad()
z = torch.randn(n, model.latent_size)
d = bce(disc(x), one) + bce(disc(gen(z).detach()), nil)
d.backward()
optimizers.step()
model.zero_grad()
g = 0.5 * bce(disc(gen(z.normal_())), one) + mse(gen(e(x).detach()), x)
g.backward(inputs=list(gen.parameters()))
optimizers.step()
model.zero_grad()
ae = mse(gen(e(x)), x)
ae.backward(inputs=list(e.parameters()))
optimizers.step()
""",
    ),
    _style(
        "plain-gradient-descent",
        THREE.replace("torch.optim.Adam", "torch.optim.SGD"),
        STEPS.replace("0.9 *", "0.01 *"),
        UNPACK,
    ),
    _style(
        "adamw-cleared-after-the-step",
        THREE.replace("torch.optim.Adam", "torch.optim.AdamW"),
        """
d = bce(disc(x), one)
d.backward()
fake = bce(disc(gen(torch.empty(n, model.latent_size).normal_()).detach()), nil)
fake.backward()
d = d + fake
opt_d.step()
g = bce(disc(gen(torch.randn_like(e(x)))), one) + F.mse_loss(gen(e(x)), x)
g.backward()
opt_g.step()
model.zero_grad()
ae = ((gen(e(x)) - x) ** 2).mean()
ae.backward()
opt_e.step()
model.zero_grad()
""",
        UNPACK,
    ),
    _style(
        "rmsprop-and-the-encoder-first",
        THREE.replace("torch.optim.Adam", "torch.optim.RMSprop"),
        """
opt_e.zero_grad()
ae = mse(gen(e(x)), x)
ae.backward()
opt_e.step()
opt_g.zero_grad()
z = torch.randn(n, model.latent_size)
g = -0.9 * torch.log(disc(gen(z))).mean() + mse(gen(e(x)), x)
g.backward()
opt_g.step()
opt_d.zero_grad()
d = -(torch.log(disc(x)) + torch.log(1 - disc(gen(torch.randn_like(z)).detach()))).mean()
d.backward()
opt_d.step()
""",
        UNPACK,
    ),
    _style(
        "another-weight-and-momentum",
        THREE.replace("lr=lr)", "lr=lr, betas=(0.5, 0.9), foreach=True)"),
        STEPS.replace("0.9 *", "3.0 *").replace(
            "bce(disc(gen(z)), one)", "bce(disc(gen(z)), torch.full_like(nil, 1))"
        ),
        UNPACK,
    ),
)
