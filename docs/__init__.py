"""Documents of fad, and the programs that write some of them."""
