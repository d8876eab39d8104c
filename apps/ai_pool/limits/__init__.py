"""How much anybody may use, and who somebody is by the address they come from."""
