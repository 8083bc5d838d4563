#!/usr/bin/env python3
"""One server of the bad weather (weather.py), a process of its own that can be killed.

usage: weather_server.py PORT; prints the port it has, and ends with its standard input.
Each request is answered with {"mark": the last segment of its path, "by": the port}.
SIGUSR1 makes it slow, SIGUSR2 quick again.
"""
import asyncio
import signal
import sys

QUICK_S, SLOW_S = 0.005, 0.6


class Server(asyncio.Protocol):
    delay = QUICK_S
    port = 0

    def connection_made(self, transport):
        self.transport, self.data = transport, b""

    def data_received(self, data):
        self.data += data
        while b"\r\n\r\n" in self.data:
            head, _, self.data = self.data.partition(b"\r\n\r\n")
            mark = head.split(b" ", 2)[1].rpartition(b"/")[2]
            body = b'{"mark": "%s", "by": %d}' % (mark, Server.port)
            asyncio.get_running_loop().call_later(Server.delay, self.answer, (
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                % len(body)) + body)

    def answer(self, reply):
        if not self.transport.is_closing():
            self.transport.write(reply)


def set_delay(seconds):
    Server.delay = seconds


async def serve(port):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Server, "127.0.0.1", port, backlog=1024)
    Server.port = server.sockets[0].getsockname()[1]
    loop.add_signal_handler(signal.SIGUSR1, set_delay, SLOW_S)
    loop.add_signal_handler(signal.SIGUSR2, set_delay, QUICK_S)
    print(Server.port, flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
