"""A small convolutional GAN: how this part is graded."""
