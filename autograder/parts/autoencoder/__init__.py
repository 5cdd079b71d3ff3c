"""Autoencoder, beta-VAE and conditional beta-VAE: how this part is graded."""
