"""The published Deep Fusion Prior, step by step."""
