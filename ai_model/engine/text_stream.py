"""From token bytes to text that may be shown: whole characters only, and nothing of a stop text."""

from __future__ import annotations

import codecs


class TextStream:
    """Turn the bytes of one answer's tokens into text, holding back what may still change.

    Bytes wait until they are whole characters, and text that may be the beginning of a stop text
    waits until it is clear that it is not. White space before the first word is dropped. Not
    thread-safe: one answer, one thread.
    """

    def __init__(self, stop: tuple[str, ...] = ()) -> None:
        self._stop = tuple(text for text in stop if text)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._held = ""
        self._has_text = False
        self.is_stopped = False
        """True once a stop text was written; everything from it on is dropped."""

    def feed(self, piece: bytes) -> str:
        """Return the text that has become certain with these bytes, possibly none."""
        if self.is_stopped:
            return ""
        self._held += self._decoder.decode(piece)
        if not self._has_text:
            self._held = self._held.lstrip()
        self._has_text = self._has_text or bool(self._held)
        cut = min((at for at in map(self._held.find, self._stop) if at >= 0), default=-1)
        if cut >= 0:
            self.is_stopped = True
            text, self._held = self._held[:cut], ""
            return text
        keep = self._num_held_back()
        text, self._held = (
            self._held[: len(self._held) - keep],
            self._held[len(self._held) - keep :],
        )
        return text

    def finish(self) -> str:
        """Return what was held back. Half a character at the end is dropped, since it is none."""
        text, self._held = self._held, ""
        return "" if self.is_stopped else text

    def _num_held_back(self) -> int:
        """Return how many characters at the end may be the beginning of a stop text."""
        longest = 0
        for stop in self._stop:
            for size in range(min(len(stop) - 1, len(self._held)), longest, -1):
                if self._held.endswith(stop[:size]):
                    longest = size
                    break
        return longest
