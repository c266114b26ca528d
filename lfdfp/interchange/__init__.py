"""Light fields in the formats of others: every reader gives, and every writer takes, a LightField.

===================  ==============================================================================
module               format
===================  ==============================================================================
``eslf``             ESLF picture of Lytro's Power Tools and the Stanford archive (PNG, 8/16 bit)
``lf_toolbox``       ``__Decoded.mat`` of the Light Field Toolbox for MATLAB (v7.3, which is HDF5)
``hci``              folder of the HCI 4-D light field benchmark, with ``parameters.cfg`` and PFM
``hci_2013``         ``lf.h5`` of the first HCI benchmark (read only)
``jpeg_pleno``       folder of ``RRR_CCC.ppm``, 10-bit content in 16-bit files
``view_folder``      folder of PNG or TIFF views named with two numbers, of any base, or with one
``view_mosaic``      one picture of all views beside each other (read only)
``plenpy``           ``LightField`` objects of the Python package plenpy (optional)
``formats``          recognizes a path's format, reads and writes any of them, and our HDF5
===================  ==============================================================================

Axes, signs and units inside are those of ``docs/conventions.md``; what differs in each format is
written in ``docs/interchange.md``.
"""
