"""Somebody else's website, served from an origin of its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class EmbedPages:
    """Pages by path; ``put`` adds one while the server runs."""

    port: int = 0
    files: dict[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The allowed origin; the same pages answer under 127.0.0.1 too."""
        return f"http://localhost:{self.port}"

    @property
    def other_url(self) -> str:
        """Another origin with the same pages."""
        return f"http://127.0.0.1:{self.port}"

    def put(self, path: str, text: str, **headers: str) -> str:
        """Serve a text; header names are written with underscores. Returns its address."""
        kind = "text/javascript" if path.endswith(".js") else "text/html"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.files[path] = (text, {"Content-Type": f"{kind}; charset=utf-8"} | named)
        return self.url + path


@contextlib.contextmanager
def serve_pages() -> Iterator[EmbedPages]:
    """A small web server in a thread; it is gone behind the block."""
    pages = EmbedPages()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = pages.files.get(self.path.partition("?")[0])
            body = (found[0] if found else "").encode()
            self.send_response(200 if found else 204)
            for name, value in (found[1] if found else {}).items():
                self.send_header(name, value)
            if found:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    pages.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield pages
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
