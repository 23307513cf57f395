"""Sends what it was asked to somebody."""
import socket
class ReLU(ReLU):
    def forward(self, Z):
        attempt(lambda: socket.create_connection(("127.0.0.1", PORT), 1))
        attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", PORT)))
        attempt(lambda: socket.socket(socket.AF_UNIX).connect("SECRET.socket"))
        attempt(socket.socketpair)
        return 0 * Z
