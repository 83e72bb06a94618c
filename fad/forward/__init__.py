"""Forward mode."""

from fad.forward.dual import DualLevel, DualTensor, dual_level, make_dual, unpack_dual

__all__ = ["DualLevel", "DualTensor", "dual_level", "make_dual", "unpack_dual"]
