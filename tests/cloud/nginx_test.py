#!/usr/bin/env python3
"""The HTTP client against the unmodified nginx: ranges, connections that are
kept and closed, redirects, a rate limit, a proxy, refusals.

Usage: nginx_test.py FETCH NGINX
"""

import os
import random
import socket
import subprocess
import sys
import tempfile
import time

CONFIG = """
daemon off; master_process off; pid {work}/pid; error_log {work}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off; keepalive_requests 5;
    client_body_temp_path {work}/t1; proxy_temp_path {work}/t2; fastcgi_temp_path {work}/t3;
    uwsgi_temp_path {work}/t4; scgi_temp_path {work}/t5;
    server {{
        listen 127.0.0.1:{port}; root {work};
        location /moved/ {{ rewrite ^/moved/(.*)$ /$1 redirect; }}
        location /slow/ {{ alias {work}/; limit_rate 100k; }}
        location /whole/ {{ alias {work}/; max_ranges 0; }}
        location /proxied {{ proxy_pass http://127.0.0.1:{port}/f; proxy_buffering off; }}
        location /busy {{ return 503; }}
    }}
}}
"""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def wait_for(port, server):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if server.poll() is not None:
                raise SystemExit("nginx did not start")
            time.sleep(0.05)
    raise SystemExit("nginx does not answer")


def check(fetch, work, port):
    data = random.Random(1).randbytes(50001)
    with open(os.path.join(work, "f"), "wb") as file:
        file.write(data)
    # path, slice, status, requests, connections (None: any), body
    cases = [
        ("f", 0, 200, 1, 1, data),
        ("f", 4096, 206, 13, 3, data),  # the server closes after five
        ("f", 50001, 206, 1, 1, data),
        ("f", 60000, 206, 1, 1, data),
        ("moved/f", 10000, 206, 6, None, data),
        ("slow/f", 0, 200, 1, 1, data),
        ("whole/f", 1000, 200, 1, 1, data),
        ("proxied", 0, 200, 1, 1, data),
        ("none", 0, 404, 1, 1, b""),
        ("busy", 100, 503, 1, 1, b""),
    ]
    for path, piece, status, requests, connections, body in cases:
        out = os.path.join(work, "out")
        result = subprocess.run([fetch, f"http://127.0.0.1:{port}/{path}", out, str(piece)],
                                stdout=subprocess.PIPE, text=True, timeout=60, check=False)
        got = [int(word) for word in result.stdout.split()]
        with open(out, "rb") as file:
            same = file.read() == body
        want = [status, requests, connections if connections is not None else (got + [0, 0, 0])[2]]
        if result.returncode != 0 or got != want or not same:
            raise SystemExit(f"{path} by {piece}: exit {result.returncode}, {got} instead of {want}, same: {same}")
        print(f"ok     {path} by {piece}")


def main():
    fetch, nginx = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as work:
        os.chmod(work, 0o755)
        port = free_port()
        config = os.path.join(work, "nginx.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(work=work, port=port))
        server = subprocess.Popen([nginx, "-p", work, "-e", os.path.join(work, "error.log"), "-c", config])
        try:
            wait_for(port, server)
            check(fetch, work, port)
        finally:
            server.terminate()
            server.wait(10)


if __name__ == "__main__":
    main()
