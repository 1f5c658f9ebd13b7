"""Brokers that a client must not trust, on a free port of loopback, which is printed.
tls.py forward HOST PORT         passes bytes on to 127.0.0.1:PORT, reached as HOST, which the certificate does not name
tls.py serve CERTIFICATE KEY     takes part in handshakes with that certificate, and no more"""
import socket
import ssl
import sys
import threading


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    sink.close()


def forward(client):
    broker = socket.create_connection(("127.0.0.1", int(sys.argv[3])))
    threading.Thread(target=pump, args=(broker, client), daemon=True).start()
    pump(client, broker)


def serve(client):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    try:
        context.wrap_socket(client, server_side=True).recv(1)
    except OSError:
        pass


listener = socket.create_server((sys.argv[2] if sys.argv[1] == "forward" else "127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=forward if sys.argv[1] == "forward" else serve, args=(listener.accept()[0],), daemon=True).start()
