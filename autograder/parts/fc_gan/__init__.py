"""Fully connected and deep convolutional GAN: how this part is graded."""
