"""What is claimed about speed and size, as programs anyone can run: `python -m benchmarks`."""
