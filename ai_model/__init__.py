"""The framework-free half of Corral: models, prompts, the engine and the pool. Never imports
Django."""
