"""Tests of ai_chat."""
