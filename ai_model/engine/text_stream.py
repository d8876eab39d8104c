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
        self._tail = ""
        """The end of what was shown before this stream began: a stop text may begin in it."""
        self._has_text = False
        self.is_stopped = False
        """True once a stop text was written; everything from it on is dropped."""

    def go_on_behind(self, data: bytes, shown: str) -> str:
        """Begin behind the bytes of earlier tokens, of which ``shown`` was shown; call it first.

        What they say beyond that is still to come. Returns the text they stand for: it is another
        one than ``shown`` when that had to be written differently for the model.
        """
        self._has_text = True
        self._tail = shown[-max((len(stop) for stop in self._stop), default=1) :]
        text = self._decode(data).lstrip()
        if not text.startswith(shown):
            return text
        self._held = text[len(shown) :]
        return shown

    def feed(self, piece: bytes) -> str:
        """Return the text that has become certain with these bytes, possibly none."""
        if self.is_stopped:
            return ""
        self._held += self._decode(piece)
        if not self._has_text:
            self._held = self._held.lstrip()
        self._has_text = self._has_text or bool(self._held)
        found = [at for at in map(self._find, self._stop) if at is not None]
        if found:
            self.is_stopped = True
            text, self._held = self._held[: max(0, min(found))], ""
            return text
        keep = self._num_held_back()
        text, self._held = (
            self._held[: len(self._held) - keep],
            self._held[len(self._held) - keep :],
        )
        if text:
            self._tail = ""  # nothing that a stop text may begin in is let go
        return text

    def finish(self) -> str:
        """Return what was held back. Half a character at the end is dropped, since it is none."""
        text, self._held = self._held, ""
        return "" if self.is_stopped else text

    def _decode(self, data: bytes) -> str:
        # A token may be a zero byte; it shows nothing, and not every database stores it.
        return self._decoder.decode(data).replace("\x00", "")

    def _find(self, stop: str) -> int | None:
        """Return where in the held text ``stop`` begins, less than 0 in what was shown before."""
        # What was shown counts only as the beginning: a whole stop text in it is past.
        start = max(0, len(self._tail) - len(stop) + 1)
        at = (self._tail + self._held).find(stop, start)
        return None if at < 0 else at - len(self._tail)

    def _num_held_back(self) -> int:
        """Return how many characters at the end may be part of the beginning of a stop text."""
        text = self._tail + self._held
        longest = 0
        for stop in self._stop:
            for size in range(min(len(stop) - 1, len(text)), longest, -1):
                if text.endswith(stop[:size]):
                    longest = size
                    break
        return min(longest, len(self._held))
