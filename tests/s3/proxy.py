#!/usr/bin/env python3
"""Stands between a client and a real S3 server and breaks what passes, at the level of bytes.

    proxy.py SERVER [--rate R] [--seed N] [--faults a,b,...] [--port-file FILE]

SERVER is "http://host:port". Each request over a connection fails with probability R (0.3), by one
of the faults:

    refuse    the connection is reset before the server hears of it
    drop      ... after the server got half of the request
    lost      the server does it, and the connection is reset in place of the answer
    reset     ... within the answer's body, or its headers
    truncate  the same, but as if the server had finished
    stall     the answer stops half-way until the client gives up
    500, 503  an error that the server never sent

Prints its own "http://127.0.0.1:PORT" as a line, and ends when its standard input does.
"""
import argparse
import os
import random
import socket
import struct
import sys
import threading
import urllib.parse

FAULTS = ["refuse", "drop", "lost", "reset", "truncate", "500", "503"]
ANSWERS = {
    "500": (b"500 Internal Server Error", b"InternalError"),
    "503": (b"503 Service Unavailable", b"SlowDown"),
}
STALL_SECONDS = 20


class Ended(Exception):
    pass


class Reader:
    """The messages of one direction of a connection."""

    def __init__(self, connection):
        self.connection, self.buffer = connection, b""

    def more(self):
        piece = self.connection.recv(1 << 16)
        if not piece:
            raise Ended
        self.buffer += piece

    def head(self):
        """Bytes up to and with the empty line."""
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return head + b"\r\n\r\n"

    def exactly(self, size):
        while len(self.buffer) < size:
            self.more()
        piece, self.buffer = self.buffer[:size], self.buffer[size:]
        return piece

    def chunked(self):
        whole = b""
        while True:
            while b"\r\n" not in self.buffer:
                self.more()
            size = int(self.buffer.split(b"\r\n", 1)[0].split(b";")[0], 16)
            line = self.buffer.index(b"\r\n") + 2
            whole += self.exactly(line + size + 2)
            if size == 0:
                return whole


def header(head, name):
    for line in head.split(b"\r\n")[1:]:
        field, _, value = line.partition(b":")
        if field.strip().lower() == name:
            return value.strip()
    return None


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Exchange:
    """One client's connection, with one of its own to the server."""

    def __init__(self, client, proxy):
        self.client, self.proxy = client, proxy
        self.server = socket.create_connection(proxy.server, timeout=60)
        self.client.settimeout(120)

    def run(self):
        try:
            requests, answers = Reader(self.client), Reader(self.server)
            while True:
                self.pass_one(requests, answers)
        except (Ended, OSError, ValueError):
            pass
        finally:
            self.client.close()
            self.server.close()

    def pass_one(self, requests, answers):
        head = requests.head()
        fault = self.proxy.next_fault()
        if fault == "refuse":
            reset(self.client)
            raise Ended
        if header(head, b"expect"):
            self.client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            head = b"\r\n".join(line for line in head.split(b"\r\n")
                                if not line.lower().startswith(b"expect:"))
        body = requests.exactly(int(header(head, b"content-length") or 0))
        if fault == "drop":
            self.server.sendall((head + body)[:(len(head) + len(body)) // 2])
            reset(self.client)
            raise Ended
        if fault in ANSWERS:
            return self.answer_error(fault, head)
        self.server.sendall(head + body)
        self.pass_answer(head, answers, fault)

    def answer_error(self, fault, head):
        status, code = ANSWERS[fault]
        body = b"<Error><Code>" + code + b"</Code><Message>by the proxy</Message></Error>"
        if head.startswith(b"HEAD "):
            body = b""
        self.client.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: " +
                            str(len(body)).encode() + b"\r\n\r\n" + body)

    def pass_answer(self, request_head, answers, fault):
        head = answers.head()
        while head.split(b" ")[1] == b"100":
            head = answers.head()
        code = head.split(b" ")[1]
        if request_head.startswith(b"HEAD ") or code in (b"204", b"304"):
            body = b""
        elif (header(head, b"transfer-encoding") or b"").lower() == b"chunked":
            body = answers.chunked()
        else:
            body = answers.exactly(int(header(head, b"content-length") or 0))
        whole = head + body
        if fault is None:
            self.client.sendall(whole)
            if (header(head, b"connection") or b"").lower() == b"close":
                raise Ended
            return
        if fault != "lost":
            keep = len(head) + len(body) // 2 if body else len(head) // 2
            self.client.sendall(whole[:keep])
        if fault == "stall":
            self.proxy.stopping.wait(STALL_SECONDS)
        if fault != "truncate":
            reset(self.client)
        raise Ended


class Proxy:
    def __init__(self, server, rate, seed, faults):
        url = urllib.parse.urlsplit(server)
        self.server = (url.hostname, url.port)
        self.rate, self.dice, self.faults = rate, random.Random(seed), faults
        self.lock, self.stopping = threading.Lock(), threading.Event()

    def next_fault(self):
        with self.lock:
            return self.dice.choice(self.faults) if self.dice.random() < self.rate else None

    def serve(self, listener):
        while True:
            client, _ = listener.accept()
            try:
                exchange = Exchange(client, self)
            except OSError:
                client.close()
                continue
            threading.Thread(target=exchange.run, daemon=True).start()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("server")
    parser.add_argument("--rate", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", default=",".join(FAULTS))
    parser.add_argument("--port-file")
    arguments = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
    proxy = Proxy(arguments.server, arguments.rate, arguments.seed, arguments.faults.split(","))
    threading.Thread(target=proxy.serve, args=(listener,), daemon=True).start()
    if arguments.port_file:
        with open(arguments.port_file + ".new", "w", encoding="ascii") as file:
            file.write(endpoint + "\n")
        os.rename(arguments.port_file + ".new", arguments.port_file)
    print(endpoint, flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
