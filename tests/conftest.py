"""Settings of all tests."""

import torch

torch.set_num_threads(1)  # the networks are small: more threads would wait for one another
