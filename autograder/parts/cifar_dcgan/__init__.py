"""DCGAN on CIFAR-10, spectral norm and activation maximisation: how this part is graded."""
