"""A real nginx in front of a test server, with a configuration of the test's own."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.live import free_port

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
REASON = "nginx is not installed (apt-get install nginx)"
START_TIMEOUT_S = 10.0
GOOD = {
    "proxy_http_version": "1.1",
    "proxy_set_header Host": "$http_host",
    "proxy_set_header X-Forwarded-For": "$remote_addr",
    "proxy_set_header X-Forwarded-Proto": "$scheme",
    "proxy_set_header Upgrade": "$http_upgrade",
    "proxy_set_header Connection": "$connection_upgrade",
    "proxy_buffering": "off",
}
"""The location that docs/install.md shows."""
_CONF = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/f;
    uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
    server {{
        listen 127.0.0.1:{port}{tls};
        {certificate}
        location / {{
            proxy_pass http://127.0.0.1:{upstream};
            {location}
        }}
    }}
}}
"""


@contextlib.contextmanager
def nginx(
    upstream: int, location: dict[str, str], *, certificate: tuple[Path, Path] | None = None
) -> Iterator[str]:
    """Give the address of an nginx that passes everything on to a port of this machine.

    ``certificate``: files with certificate and key; then it speaks HTTPS.
    """
    assert NGINX is not None, REASON
    port = free_port()
    directory = Path(tempfile.mkdtemp(prefix="corral-nginx-", dir="/tmp"))
    files = ""
    if certificate is not None:
        files = f"ssl_certificate {certificate[0]}; ssl_certificate_key {certificate[1]};"
    (directory / "nginx.conf").write_text(
        _CONF.format(
            dir=directory,
            port=port,
            upstream=upstream,
            tls=" ssl" if certificate else "",
            certificate=files,
            location=" ".join(f"{name} {value};" for name, value in location.items()),
        )
    )
    command = [NGINX, "-p", str(directory), "-e", f"{directory}/error.log"]
    process = subprocess.Popen(
        [*command, "-c", str(directory / "nginx.conf")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process, directory)
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)
        shutil.rmtree(directory, ignore_errors=True)


def _wait_for(port: int, process: subprocess.Popen[bytes], directory: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert process.poll() is None, (directory / "error.log").read_text()
        time.sleep(0.02)
    raise AssertionError(f"nginx does not listen: {(directory / 'error.log').read_text()}")
