import math
import torch as t
import torch.nn as nn

# I use H = 256 here: trains faster on my laptop and the pictures look the same.
HIDDEN = 256


def mlp(*widths):
    """Linear + ReLU, repeated."""
    mods = []
    for w_in, w_out in zip(widths, widths[1:]):
        mods.append(nn.Linear(w_in, w_out))
        mods.append(nn.ReLU())
    return mods


class VAE(nn.Module):

    def __init__(self, input_size, latent_size = 15):
        super(VAE, self).__init__()
        self.input_size, self.latent_size, self.hidden_dim = input_size, latent_size, HIDDEN
        self.encoder = nn.Sequential(nn.Flatten(start_dim=1), *mlp(input_size, HIDDEN, HIDDEN, HIDDEN))
        self.mu_layer, self.logvar_layer = (nn.Linear(HIDDEN, latent_size) for _ in range(2))
        self.decoder = nn.Sequential(*mlp(latent_size, HIDDEN, HIDDEN, HIDDEN),
                                     nn.Linear(HIDDEN, input_size),
                                     nn.Sigmoid(),
                                     nn.Unflatten(dim=-1, unflattened_size=(1, 28, 28)))

    def forward(self, x):
        feats = self.encoder(x)
        m, lv = self.mu_layer(feats), self.logvar_layer(feats)
        return self.decoder(reparametrize(m, lv)), m, lv


class CVAE(nn.Module):

    def __init__(self, input_size, num_classes = 10, latent_size = 15):
        super(CVAE, self).__init__()
        self.input_size, self.latent_size, self.num_classes = input_size, latent_size, num_classes
        self.hidden_dim = HIDDEN
        # the Flatten does nothing here but keeps it parallel to the VAE
        self.encoder = nn.Sequential(nn.Flatten(), *mlp(input_size + num_classes, HIDDEN, HIDDEN, HIDDEN))
        self.mu_layer = nn.Linear(HIDDEN, latent_size)
        self.logvar_layer = nn.Linear(HIDDEN, latent_size)
        self.decoder = nn.Sequential(*mlp(latent_size + num_classes, HIDDEN, HIDDEN, HIDDEN),
                                     nn.Linear(HIDDEN, input_size), nn.Sigmoid(),
                                     nn.Unflatten(1, (1, 28, 28)))

    def forward(self, x, c):
        feats = self.encoder(t.cat((x.reshape(len(x), -1), c.to(x.dtype)), -1))
        m, lv = self.mu_layer(feats), self.logvar_layer(feats)
        z = reparametrize(m, lv)
        return self.decoder(t.cat((z, c.to(z.dtype)), -1)), m, lv


def reparametrize(mu, logvar):
    # rsample() is the reparametrized sample of torch.distributions
    return t.distributions.Normal(mu, t.sqrt(t.exp(logvar))).rsample()


def loss_function(x_hat, x, mu, logvar):
    # log() is cut at -100 like torch does it, so that x_hat = 0 or 1 gives no nan
    log_p = x * x_hat.log().clamp(min=-100) + (1 - x) * (1 - x_hat).log().clamp(min=-100)
    rec = -log_p.reshape(x.shape[0], -1).sum(1)
    sigma2 = t.exp(logvar)
    kl = (-.5 * (1 + t.log(sigma2) - mu * mu - sigma2)).sum(1)
    return t.mean(rec + kl)


def count(model):
    total = 0
    for p in model.parameters():
        total += math.prod(p.shape)
    return total
