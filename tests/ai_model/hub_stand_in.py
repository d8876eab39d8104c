"""A stand-in for the Hugging Face hub on 127.0.0.1 that can be told to misbehave."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class HubStandIn(ThreadingHTTPServer):
    """Serves ``files`` (by file name) from any repository, the way ``fault`` says.

    Faults: "" none, "cut" ends every body after half of what is left and closes, "stall" sends half
    and then nothing, "short" announces fewer bytes than the file has, "html" answers 200 with a web
    page and no hub headers, "missing" 404, "broken" 500.
    """

    daemon_threads = True

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = files
        self.fault = ""
        self.ranges: list[str] = []
        self.num_gets = 0
        self.release = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: HubStandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self.server.num_gets += 1
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        fault = self.server.fault
        body = self.server.files.get(self.path.rpartition("/")[2])
        if fault == "html":
            return self._page(200, with_body)
        if fault == "broken":
            return self._page(500, with_body)
        if body is None or fault == "missing":
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        start = 0
        wanted = self.headers.get("Range", "")
        if wanted:
            self.server.ranges.append(wanted)
            start = int(wanted.removeprefix("bytes=").partition("-")[0])
        if fault == "short":
            body = body[:-100]
        self.send_response(206 if wanted else 200)
        self.send_header("ETag", '"0123456789abcdef"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(body) - start))
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        if with_body:
            self._send(body[start:], fault)
        return None

    def _send(self, body: bytes, fault: str) -> None:
        with contextlib.suppress(OSError):
            if fault in ("cut", "stall"):
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                if fault == "stall":
                    self.server.release.wait(30)
                self.close_connection = True
            else:
                self.wfile.write(body)

    def _page(self, status: int, with_body: bool) -> None:
        page = b"<!DOCTYPE html><html><body>Please log in to the guest network</body></html>"
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        if with_body:
            self.wfile.write(page)


@contextlib.contextmanager
def hub_stand_in(files: dict[str, bytes]) -> Iterator[HubStandIn]:
    """Run a HubStandIn for the length of a ``with`` block."""
    server = HubStandIn(files)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.release.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
