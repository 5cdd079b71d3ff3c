"""VAE of black and white digits with a code of two dimensions: how this part is graded."""
