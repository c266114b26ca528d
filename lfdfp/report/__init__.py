"""Results as pictures to look at: colored maps, a contact sheet, one self-contained page."""
