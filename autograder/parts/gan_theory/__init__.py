"""Distances between distributions, and what a GAN minimises: how this part is graded."""
