"""An autoencoder and a GAN that share their generator: how this part is graded."""
