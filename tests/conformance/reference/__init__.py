"""Rules written a second time, from their descriptions and not from the C++ (see ../reference_test.py)."""
