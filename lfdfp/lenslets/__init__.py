"""The geometry of the microlens array that decoding, refocusing and the rays share."""
