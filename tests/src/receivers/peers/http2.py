"""Answers every request over HTTP/2 with 200 and prints its path and its headers as a line of JSON.

The first line is its address, on loopback. Arguments: certificate, key. It needs the package h2, which checks that
frames and header lists are valid; an error ends the connection and is printed to stderr.
"""

import json
import socket
import ssl
import sys
import threading

import h2.config
import h2.connection
import h2.events
import h2.exceptions

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
context.set_alpn_protocols(["h2"])


def serve(plain):
    try:
        connection = context.wrap_socket(plain, server_side=True)
        state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        state.initiate_connection()
        connection.sendall(state.data_to_send())
        while data := connection.recv(65536):
            for event in state.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    path = dict(event.headers)[":path"]
                    sys.stdout.write(json.dumps({"path": path, "headers": event.headers}) + "\n")
                    sys.stdout.flush()
                    state.send_headers(event.stream_id, [(":status", "200")], end_stream=True)
            connection.sendall(state.data_to_send())
    except h2.exceptions.ProtocolError as error:
        print("protocol error:", error, file=sys.stderr, flush=True)
    except OSError:
        pass  # The client closes connections when it ends.
    finally:
        plain.close()


listener = socket.create_server(("127.0.0.1", 0), backlog=128)
print(json.dumps({"http": "", "https": "127.0.0.1:%d" % listener.getsockname()[1]}), flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
