"""What a process that runs llama.cpp gives up before it opens a model: network, writing, secrets.

A model file and the texts of visitors are read by a large native library. Should one of them ever
take it over, it is to find a process that can do nothing but answer. Linux only; elsewhere nothing
is taken away, and that is said. Standard library alone: no llama.cpp, no Django.
"""

from __future__ import annotations
