"""The checks of ae-gan: right answers in many styles score full, mistakes cost where they are."""

from __future__ import annotations

import pytest

from autograder.parts.ae_gan.mistakes import MISTAKES

from .gan_marks import SOURCE, lost, messages, results, with_code

PART = "ae-gan"
QUESTIONS = {"optimizers", "loss_discriminator", "loss_generator", "loss_autoencoder"}


def style(optimizers: str, steps: str, before: str = "") -> str:
    """Other optimizers, and another body of the loop over x, which makes the losses d, g, ae."""
    body = "".join(f"            {line}\n" for line in steps.strip().splitlines())
    start = "".join(f"    {line}\n" for line in before.strip().splitlines())
    return with_code(
        "def ae_gan_optimizers(model, lr=2e-4):\n"
        + "".join(f"    {line}\n" for line in optimizers.strip().splitlines())
        + "\ndef train_ae_gan(model, loader, optimizers, epochs):\n"
        + "    bce, mse = nn.BCELoss(), nn.MSELoss()\n"
        + "    e, gen, disc = model.encoder, model.generator, model.discriminator\n"
        + start
        + "    kept = [], [], []\n"
        + "    for epoch in range(epochs):\n"
        + "        sums, count = [0.0, 0.0, 0.0], 0\n"
        + "        for batch in loader:\n"
        + "            x = (batch[0] if isinstance(batch, (tuple, list)) else batch).flatten(1)\n"
        + "            n = len(x)\n"
        + "            one, nil = torch.ones(n, 1), torch.zeros(n, 1)\n"
        + body
        + "            sums = [s + v.item() * n for s, v in zip(sums, (d, g, ae))]\n"
        + "            count += n\n"
        + "        for values, total in zip(kept, sums):\n"
        + "            values.append(total / count)\n"
        + "    return kept\n"
    )


SEED = """
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
g = bce(disc(gen(z)), one) + ae
g.backward()
opt_eg.step()
"""
STYLES = {
    "as the seed has it": style(THREE, SEED, UNPACK),
    "a dict, from discriminator to encoder": style(
        """
return {"D": optim.Adam(model.discriminator.parameters(), lr, betas=(0.5, 0.999)),
        "G": optim.Adam(model.generator.parameters(), lr, betas=(0.5, 0.999)),
        "E": optim.Adam(model.encoder.parameters(), lr)}
""",
        SEED,
        "opt_d, opt_g, opt_e = (optimizers[name] for name in 'DGE')",
    ),
    "two optimizers, one step for encoder and generator": style(
        """
both = list(model.encoder.parameters()) + list(model.generator.parameters())
return [optim.Adam(both, lr=lr), optim.Adam(model.discriminator.parameters(), lr=lr)]
""",
        TOGETHER,
        "opt_eg, opt_d = optimizers",
    ),
    "an autoencoder that moves the generator too": style(
        """
both = [*model.encoder.parameters(), *model.generator.parameters()]
return (optim.Adam(both, lr=lr), optim.Adam(model.generator.parameters(), lr=lr),
        optim.Adam(model.discriminator.parameters(), lr=lr))
""",
        SEED.replace("e.zero_grad()", "opt_e.zero_grad()"),
        UNPACK,
    ),
    "one optimizer for all": style(
        "return optim.Adam(model.parameters(), lr=lr)",
        """
model.zero_grad()
z = torch.randn(n, model.latent_size)
d = bce(disc(x), one) + bce(disc(gen(z).detach()), nil)
d.backward()
optimizers.step()
model.zero_grad()
g = 0.5 * bce(disc(gen(z)), one) + mse(gen(e(x).detach()), x)
g.backward(inputs=list(gen.parameters()))
optimizers.step()
model.zero_grad()
ae = mse(gen(e(x)), x)
ae.backward(inputs=list(e.parameters()))
optimizers.step()
""",
    ),
    "plain gradient descent": style(
        THREE.replace("torch.optim.Adam", "torch.optim.SGD"),
        SEED.replace("0.9 *", "0.01 *"),
        UNPACK,
    ),
    "AdamW, cleared after the step": style(
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
    "the encoder first, RMSprop, logarithms": style(
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
d = -(torch.log(disc(x)) + torch.log(1 - disc(gen(z).detach()))).mean()
d.backward()
opt_d.step()
""",
        UNPACK,
    ),
    "another weight, momentum of its own, labels by full_like": style(
        THREE.replace("lr=lr)", "lr=lr, betas=(0.5, 0.9), foreach=True)"),
        SEED.replace("0.9 *", "3.0 *").replace(
            "bce(disc(gen(z)), one)", "bce(disc(gen(z)), torch.full_like(nil, 1))"
        ),
        UNPACK,
    ),
}


@pytest.mark.parametrize("seed", range(20))
def test_reference_scores_full(seed: int) -> None:
    assert lost(SOURCE, PART, seed) == {}, messages(results(SOURCE, PART, seed))


@pytest.mark.parametrize("name", STYLES)
@pytest.mark.parametrize("seed", range(3))
def test_right_answers_score_full(name: str, seed: int) -> None:
    assert lost(STYLES[name], PART, seed) == {}, messages(results(STYLES[name], PART, seed))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: f"{one.question}.{one.id}")
def test_mistakes_cost_on_their_own_question_and_get_their_sentence(mistake) -> None:  # type: ignore[no-untyped-def]
    source = mistake.source(SOURCE)
    said = messages(results(source, PART))
    assert {f"{PART}.{name}" for name in lost(source, PART)} == {mistake.question}, said
    assert mistake.sentence in said
    assert "form that this question does not allow" not in said


FORGED = {
    "nothing": "None",
    "the public number": "([1.3863], [0.9], [0.02])",
    "zeros": "([0.0], [0.0], [0.0])",
    "NaN": "([float('nan')],) * 3",
    "tensors": "(torch.zeros(3000),) * 3",
    "its model": "(model, model, model)",
    "strings": "(['1'], ['2'], ['3'])",
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_answers_earn_nothing(name: str) -> None:
    source = with_code(
        "def ae_gan_optimizers(model, lr=2e-4):\n    return None\n"
        f"def train_ae_gan(model, loader, optimizers, epochs):\n    return {FORGED[name]}\n"
    )
    assert lost(source, PART) == dict.fromkeys(QUESTIONS, 1.0), messages(results(source, PART))


@pytest.mark.parametrize("noise", ["p.add_(torch.randn_like(p))", "p.zero_()", "p.sub_(1e-4)"])
def test_weights_that_move_for_no_reason_earn_nothing(noise: str) -> None:
    source = with_code(
        f"""
def train_ae_gan(model, loader, optimizers, epochs):
    with torch.no_grad():
        for p in model.parameters():
            {noise}
    return [0.5], [0.5], [0.5]
"""
    )
    assert lost(source, PART) == dict.fromkeys(QUESTIONS - {"optimizers"}, 1.0)


@pytest.mark.parametrize(
    "code",
    ["", "ae_gan_optimizers = train_ae_gan = AutoEncoderGAN = None", "ae_gan_optimizers = int"],
)
def test_stubs_score_zero(code: str) -> None:
    source = f"import torch\nfrom torch import nn\n{code}\n"
    assert lost(source, PART) == dict.fromkeys(QUESTIONS, 1.0), messages(results(source, PART))


def test_unwritten_functions_cost_their_own_questions() -> None:
    todo = "(model, *a, **k):\n    raise NotImplementedError\n"
    both = with_code(f"def ae_gan_optimizers{todo}def train_ae_gan{todo}")
    assert lost(both, PART) == dict.fromkeys(QUESTIONS, 1.0)
    assert "not implemented yet" in messages(results(both, PART))
    one = with_code(f"def train_ae_gan{todo}")
    assert lost(one, PART) == dict.fromkeys(QUESTIONS - {"optimizers"}, 1.0)
