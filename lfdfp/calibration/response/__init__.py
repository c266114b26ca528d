"""What each pixel measures of uniform light: lenslet vignetting and fall-off."""
