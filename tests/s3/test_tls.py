"""The command line, TLS and proxies: whom it trusts, and which way it goes.

AKIDB is the program. The server is the tests' own, the proxy one of this file, all on loopback.
"""
import base64
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse
import uuid

import environment

AKIDB = os.environ["AKIDB"]
HERE = os.path.dirname(os.path.abspath(__file__))


class Proxy:
    """Forwards what is sent to it, by CONNECT or with a whole URL, and keeps the first lines."""

    def __init__(self, user=None):
        self.user, self.lines = user, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.forward, args=(client,), daemon=True).start()

    def close(self):
        self.listener.close()

    def forward(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = client.recv(1 << 16)
            if not piece:
                return client.close()
            head += piece
        line = head.split(b"\r\n", 1)[0].decode()
        self.lines.append(line)
        method, target, _ = line.split(" ")
        wanted = b"proxy-authorization: basic " + base64.b64encode((self.user or "").encode())
        if self.user is not None and wanted.lower() not in head.lower():
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                           b'Proxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n')
            return client.close()
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            server = socket.create_connection((host, int(port)))
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            url = urllib.parse.urlsplit(target)
            server = socket.create_connection((url.hostname, url.port))
            path = url.path + ("?" + url.query if url.query else "")
            # One request a connection, so that the next one shows itself too.
            server.sendall(head.replace(target.encode(), path.encode(), 1)
                           .replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        self.pump(client, server)

    @staticmethod
    def pump(client, server):
        with client, server:
            while True:
                for ready in select.select([client, server], [], [], 60)[0]:
                    piece = ready.recv(1 << 16)
                    if not piece:
                        return
                    (server if ready is client else client).sendall(piece)


class Server:
    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "server.py"), "--bucket", environment.BUCKET,
             *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.endpoint = self.process.stdout.readline().strip()

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Way(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="akidb-tls-")
        cls.certificates = cls.folder + "/certificates"
        subprocess.run([HERE + "/make_certificates.sh", cls.certificates], check=True)
        cls.source = cls.folder + "/in.jsonl"
        with open(cls.source, "w", encoding="ascii") as file:
            file.write('{"vector":[1,2,3]}\n')
        cls.authority = cls.certificates + "/ca.pem"

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def server(self, certificate=None):
        arguments = []
        if certificate is not None:
            path = f"{self.certificates}/{certificate}"
            arguments = ["--tls", path + ".pem", path + ".key"]
        server = Server(*arguments)
        self.addCleanup(server.close)
        return server.endpoint

    def proxy(self, user=None):
        proxy = Proxy(user)
        self.addCleanup(proxy.close)
        return proxy

    @staticmethod
    def akidb(*command, endpoint, **variables):
        env = {**environment.of("own", endpoint), "AWS_ENDPOINT_URL": endpoint, **variables}
        return subprocess.run([AKIDB, "--store", f"s3://{environment.BUCKET}/tls", *command],
                              env=env, text=True, capture_output=True, check=False)

    def assert_creates(self, endpoint, **variables):
        done = self.akidb("create", "words", self.source, endpoint=endpoint, **variables)
        self.assertEqual(done.returncode, 0, done.stderr)

    def assert_refused(self, *words, endpoint, **variables):
        done = self.akidb("show", "words", str(uuid.uuid4()), endpoint=endpoint, **variables)
        self.assertEqual(done.returncode, 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        return done.stderr


    def assert_fails_for_certain(self, word, endpoint, **variables):
        done = self.akidb("create", "words", self.source, endpoint=endpoint, **variables)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(word, done.stderr)
        for doubt in ("not known", "may or may not", "tries"):
            self.assertNotIn(doubt, done.stderr)


class Tls(Way):
    def test_an_authority_that_is_named_is_trusted(self):
        self.assert_creates(self.server("good"), AWS_CA_BUNDLE=self.authority)
        endpoint = self.server("good").replace("127.0.0.1", "localhost")
        self.assert_creates(endpoint, AWS_CA_BUNDLE=self.authority)

    def test_an_unknown_authority_is_refused(self):
        endpoint = self.server("good")
        self.assert_refused("certificate", "issuer", endpoint=endpoint)
        self.assert_refused("certificate", endpoint=endpoint,
                            AWS_CA_BUNDLE=self.certificates + "/stranger.pem")

    def test_a_certificate_of_another_host_is_refused(self):
        self.assert_refused("certificate", "127.0.0.1", endpoint=self.server("other_host"),
                            AWS_CA_BUNDLE=self.authority)

    def test_an_expired_certificate_is_refused(self):
        self.assert_refused("certificate has expired", endpoint=self.server("expired"),
                            AWS_CA_BUNDLE=self.authority)

    def test_authorities_that_cannot_be_read_are_named(self):
        nowhere = self.folder + "/nowhere.pem"
        self.assert_refused(nowhere, endpoint=self.server("good"), AWS_CA_BUNDLE=nowhere)

    def test_a_server_without_tls_is_told(self):
        endpoint = self.server().replace("http:", "https:")
        told = self.assert_refused("does not speak TLS", endpoint=endpoint,
                                   AWS_CA_BUNDLE=self.authority)
        self.assertNotIn("tries", told)
        self.assert_fails_for_certain("does not speak TLS", endpoint=endpoint,
                                      AWS_CA_BUNDLE=self.authority)


class Proxies(Way):
    def test_https_goes_through_the_proxy_of_https(self):
        endpoint, proxy = self.server("good"), self.proxy()
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            proxy.lines.clear()
            self.assert_creates(endpoint, AWS_CA_BUNDLE=self.authority,
                                **{name: "http://" + proxy.address})
            self.assertTrue(proxy.lines, name)
            for line in proxy.lines:
                self.assertEqual(line, f"CONNECT {endpoint[len('https://'):]} HTTP/1.1")

    def test_http_goes_through_the_proxy_of_http(self):
        endpoint, proxy = self.server(), self.proxy()
        self.assert_creates(endpoint, http_proxy="http://" + proxy.address)
        self.assertTrue(proxy.lines)
        for line in proxy.lines:
            self.assertIn(f"PUT {endpoint}/{environment.BUCKET}/tls/", line)

    def test_hosts_of_no_proxy_are_asked_directly(self):
        endpoint, proxy = self.server("good"), self.proxy()
        for name in ("no_proxy", "NO_PROXY"):
            self.assert_creates(endpoint, AWS_CA_BUNDLE=self.authority,
                                HTTPS_PROXY="http://" + proxy.address, **{name: "127.0.0.1"})
        self.assertEqual(proxy.lines, [])

    def test_a_proxy_gets_its_password_and_nobody_sees_it(self):
        endpoint, proxy = self.server("good"), self.proxy(user="me:pass-word")
        self.assert_creates(endpoint, AWS_CA_BUNDLE=self.authority,
                            HTTPS_PROXY="http://me:pass-word@" + proxy.address)
        told = self.assert_refused("407", endpoint=endpoint, AWS_CA_BUNDLE=self.authority,
                                   HTTPS_PROXY="http://me:other-word@" + proxy.address)
        self.assertNotIn("other-word", told)
        proxy.lines.clear()
        self.assert_fails_for_certain("407", endpoint, AWS_CA_BUNDLE=self.authority,
                                      HTTPS_PROXY="http://" + proxy.address)
        self.assertEqual(len(set(proxy.lines)), 1)
        self.assertLess(len(proxy.lines), 4)  # the put, and what looks whether anything is there

    def test_certificates_are_verified_behind_a_proxy_too(self):
        proxy = self.proxy()
        self.assert_refused("certificate", endpoint=self.server("good"),
                            HTTPS_PROXY="http://" + proxy.address)
        self.assertTrue(proxy.lines)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
