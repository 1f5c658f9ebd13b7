"""A stand-in for systemd: listens on a datagram socket (a path, or @name for an abstract one) and writes each word with its arrival."""
import socket
import sys
import time

name, out = sys.argv[1], open(sys.argv[2], "w", buffering=1)
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind("\0" + name[1:] if name[0] == "@" else name)
start = time.monotonic()
while True:
    for word in server.recv(4096).decode().splitlines():
        out.write(f"{time.monotonic() - start:.3f} {word}\n")
