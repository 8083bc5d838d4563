"""The strict reader takes what conforming senders write, and nothing else."""
import socket
import unittest

from strict_http import (Deviation, Incomplete, Reader, parse_request, parse_response)

OK = b"HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 21:58:00 GMT\r\n"
GET = b"GET /a?b=%20 HTTP/1.1\r\nHost: a:80\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: a\r\n"

GOOD_RESPONSES = [
    (OK + b"Content-Length: 2\r\n\r\nhi", "GET", b"hi"),
    (OK + b"Content-Length: 2\r\n\r\n", "HEAD", b""),
    (OK + b"Content-Length: 0\r\nContent-Type: text/html; charset=\"utf-8\"\r\n\r\n", "GET", b""),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n0\r\nX: y\r\n\r\n", "GET", b"hi"),
    (OK + b"Connection: close\r\n\r\nhi", "GET", b"hi"),
    (b"HTTP/1.1 100 Continue\r\n\r\n", "POST", b""),
    (b"HTTP/1.1 503 \r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n", "GET", b""),
    (b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "GET", b""),
    (OK.replace(b"200 OK", b"204 No Content") + b"\r\n", "GET", b""),
    (OK.replace(b"200 OK", b"304 x") + b"Content-Length: 9\r\n\r\n", "GET", b""),
    (OK.replace(b"200 OK", b"405 x") + b"Allow:\r\nContent-Length: 0\r\n\r\n", "GET", b""),
]

BAD_RESPONSES = [
    b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 O\x00K\r\nContent-Length: 0\r\n\r\n",
    b"\r\n" + OK + b"Content-Length: 0\r\n\r\n",
    OK + b"\r\nhi",
    OK + b"Content-Length: 0\r\n folded\r\n\r\n",
    OK + b"Content-Length: 0\nX: y\r\n\r\n",
    OK + b"Content-Length: 0\r\nX: a\rb\r\n\r\n",
    OK + b"Content-Length: 0\r\nX : y\r\n\r\n",
    OK + b"Content-Length: 0\r\nX\r\n\r\n",
    OK + b"Content-Length: 0\r\n: y\r\n\r\n",
    OK + b"Content-Length: 0\r\nX: \x01\r\n\r\n",
    OK + b"Content-Length: 0\r\nX: \x7f\r\n\r\n",
    OK + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
    OK + b"Content-Length: 1, 1\r\n\r\nx",
    OK + b"Content-Length: +1\r\n\r\nx",
    OK + b"Content-Length:\r\n\r\n",
    OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\n2 \r\nhi\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\n0x2\r\nhi\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\n2\nhi\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi!\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\n2;=\r\nhi\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 1\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\nbad\r\n\r\n",
    OK + b"Content-Length: 0\r\nConnection: close, keep-alive\r\n\r\n",
    OK + b"Content-Length: 0\r\nConnection: a,,b\r\n\r\n",
    OK + b"Content-Length: 0\r\nConnection: a b\r\n\r\n",
    OK + b"Content-Length: 0\r\nUpgrade: x\r\n\r\n",
    OK + b"Content-Length: 0\r\nContent-Type: html\r\n\r\n",
    OK + b"Content-Length: 0\r\nDate: now\r\n\r\n",
    OK + b"Content-Length: 0\r\nLocation: /a b\r\n\r\n",
    OK + b"Content-Length: 0\r\nRetry-After: soon\r\n\r\n",
    OK + b"Content-Length: 0\r\nHost: a\r\n\r\n",
    OK.replace(b"200 OK", b"204 x") + b"Content-Length: 0\r\n\r\n",
    OK.replace(b"200 OK", b"205 x") + b"Content-Length: 1\r\n\r\nx",
    OK.replace(b"200 OK", b"405 x") + b"Content-Length: 0\r\n\r\n",
    OK.replace(b"200 OK", b"401 x") + b"Content-Length: 0\r\n\r\n",
    b"HTTP/1.1 100 x\r\nContent-Length: 0\r\n\r\n",
]

BAD_REQUESTS = [
    b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    b"G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET a HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /{a} HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /\"a HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    POST + b"Expect: 100-continue\r\n\r\n",
    POST + b"Expect: other\r\nContent-Length: 1\r\n\r\nx",
    GET + b"TE: trailers\r\n\r\n",
    GET + b"User-Agent: a\r\nUser-Agent: b\r\n\r\n",
    b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
]


class Responses(unittest.TestCase):
    def test_conforming_ones_are_taken(self):
        for data, method, body in GOOD_RESPONSES:
            with self.subTest(data=data):
                response, rest = parse_response(data, method)
                self.assertEqual((response.body, rest), (body, b""))

    def test_deviations_are_noticed(self):
        for data in BAD_RESPONSES:
            with self.subTest(data=data), self.assertRaises(Deviation) as caught:
                parse_response(data)
            self.assertNotIsInstance(caught.exception, Incomplete, data)

    def test_every_cut_is_incomplete(self):
        for data, method, _ in GOOD_RESPONSES[:6]:
            if b"Connection: close" in data:
                continue
            for end in range(len(data)):
                with self.subTest(data=data[:end]), self.assertRaises(Incomplete):
                    parse_response(data[:end], method)


class Requests(unittest.TestCase):
    def test_conforming_ones_are_taken(self):
        request, rest = parse_request(GET + b"X: \xc3\xa4 b\r\n\r\nnext")
        self.assertEqual((request.method, request.target, request.host, rest),
                         ("GET", "/a?b=%20", "a:80", b"next"))
        request, _ = parse_request(POST + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc")
        self.assertEqual((request.body, request.keep_alive), (b"abc", True))
        for target in (b"OPTIONS *", b"GET http://a/b", b"CONNECT a:80", b"GET //a/..?/?"):
            parse_request(target + b" HTTP/1.1\r\nHost: a\r\n\r\n")

    def test_deviations_are_noticed(self):
        for data in BAD_REQUESTS:
            with self.subTest(data=data), self.assertRaises(Deviation) as caught:
                parse_request(data)
            self.assertNotIsInstance(caught.exception, Incomplete, data)


class Sockets(unittest.TestCase):
    def test_messages_are_read_one_after_the_other(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.sendall(GOOD_RESPONSES[5][0] + GOOD_RESPONSES[0][0] + GOOD_RESPONSES[3][0])
            theirs.shutdown(socket.SHUT_WR)
            reader = Reader(ours)
            first = reader.response()
            self.assertEqual((first.body, [r.status for r in first.interim]), (b"hi", [100]))
            self.assertTrue(reader.response().chunked)
            reader.expect_end()

    def test_unasked_bytes_and_silence_are_noticed(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            reader = Reader(ours, timeout=0.05)
            with self.assertRaises(Incomplete):
                reader.response()
            theirs.sendall(b"x")
            theirs.shutdown(socket.SHUT_WR)
            with self.assertRaises(Deviation):
                reader.expect_end()


if __name__ == "__main__":
    unittest.main()
