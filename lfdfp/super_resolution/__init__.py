"""A fused picture on a finer grid, learned from the picture itself and from drawn shapes."""
