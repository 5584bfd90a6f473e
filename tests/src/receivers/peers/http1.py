"""Answers every request with 200 and prints its path and its headers as a line of JSON.

The first line is its address, on loopback. An error in a request is printed to stderr.
"""

import http.server
import json
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        sys.stdout.write(json.dumps({"path": self.path, "headers": list(self.headers.items())}) + "\n")
        sys.stdout.flush()
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_request(self, code="-", size="-"):
        pass

    def log_error(self, format, *arguments):
        print(format % arguments, file=sys.stderr, flush=True)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(json.dumps({"http": "127.0.0.1:%d" % server.server_port, "https": ""}), flush=True)
server.serve_forever()
