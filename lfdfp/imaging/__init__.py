"""What any picture needs: color, display, resampling, filters, tiles and noise."""
