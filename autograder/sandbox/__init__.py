"""The outside half of the sandbox: starts the worker, and proves which protections hold."""
