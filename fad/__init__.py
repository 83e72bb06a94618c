"""fad: functional automatic differentiation."""
