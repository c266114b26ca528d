"""The chain of stages: one capture, or many, from file to pictures."""
