"""What ships learned: drawn scenes, simulated captures of them, and training on both."""
