"""Fully connected VAE and conditional VAE: how this part is graded."""
