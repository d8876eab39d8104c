"""The demo model: the text it is trained on, its training, its export to GGUF and its checker."""
