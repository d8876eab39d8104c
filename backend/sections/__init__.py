"""The settings by what they are about; ``backend/env.py`` makes one table of them."""
