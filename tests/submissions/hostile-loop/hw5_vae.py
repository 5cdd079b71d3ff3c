# Loops without end: once while the file is loaded, once when a function is called. The second
# swallows whatever is thrown at it to make it stop (for a minute, should nobody stop it).
import time

import torch


def spin():
    n = 0
    while True:
        n += 1


def spin_and_swallow():
    ends = time.process_time() + 60
    while time.process_time() < ends:
        try:
            sum(range(10_000))
        except BaseException:
            pass


WARM = spin()


def reparametrize(mu, logvar):
    return mu + torch.randn_like(mu) * torch.exp(logvar / 2)


def loss_function(x_hat, x, mu, logvar):
    return spin_and_swallow()
