"""The pool over REST: how it is doing, and what an operator may do to it."""
