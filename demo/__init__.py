"""The demonstration: fad at work on real data, with figures that can be checked."""
