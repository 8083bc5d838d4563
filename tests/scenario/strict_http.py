"""A strict reader of HTTP/1.1 messages, written apart from gatherd's own parser.

Every answer of gatherd and every request it sends to an upstream goes through here in the
scenario tests. It follows RFC 9112 and RFC 9110 to the letter of what a *sender* may
write: anything else raises Deviation, also what recipients are asked to tolerate.

    response, rest = parse_response(data, "GET")     # one, of bytes; Incomplete when cut short
    request, rest = parse_request(data)

    reader = Reader(sock, timeout=5)                 # of a socket, message by message
    response = reader.response("GET")                # the final one; .interim has the 1xx
    request = reader.request()
    reader.expect_end()                              # nothing more comes, EOF does
"""
import re
import socket


class Deviation(ValueError):
    """The bytes are not what a conforming sender writes."""


class Incomplete(Deviation):
    """The bytes ended inside a message."""


# --- grammar ------------------------------------------------------------------------------

_TCHAR = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_TOKEN = rb"(?:" + _TCHAR + rb"+)"
_QUOTED = rb'(?:"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*")'
_PCT = rb"%[0-9A-Fa-f]{2}"
_UNRESERVED = rb"A-Za-z0-9\-._~"
_SUB = rb"!$&'()*+,;="
_PCHAR = rb"(?:[" + _UNRESERVED + _SUB + rb":@]|" + _PCT + rb")"
_QUERY = rb"(?:\?(?:" + _PCHAR + rb"|[/?])*)?"
_PATH = rb"(?:/" + _PCHAR + rb"*)+"
_REG_NAME = rb"(?:[" + _UNRESERVED + _SUB + rb"]|" + _PCT + rb")*"
_IPV6 = rb"\[[0-9A-Fa-f:.]+\]"
_HOST = rb"(?:" + _IPV6 + rb"|" + _REG_NAME + rb")(?::[0-9]*)?"
_PARAMETER = rb"[ \t]*;[ \t]*(?:" + _TOKEN + rb"=(?:" + _TOKEN + rb"|" + _QUOTED + rb"))?"
_DAY = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"

_re = re.compile
TOKEN = _re(_TOKEN)
FIELD_VALUE = _re(rb"(?:[\x21-\x7e\x80-\xff](?:[\t \x21-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?")
FIELD_LINE = _re(rb"(" + _TOKEN + rb"):[ \t]*(.*?)[ \t]*", re.S)
STATUS_LINE = _re(rb"HTTP/1\.([01]) ([1-5][0-9][0-9]) ([\t \x21-\x7e\x80-\xff]*)")
REQUEST_LINE = _re(rb"(" + _TOKEN + rb") ([\x21-\x7e]+) HTTP/1\.([01])")
ORIGIN_FORM = _re(_PATH + _QUERY)
ABSOLUTE_FORM = _re(rb"(?i:https?)://(" + _HOST + rb")(?:" + _PATH + rb")?" + _QUERY)
AUTHORITY_FORM = _re(rb"(?:" + _IPV6 + rb"|" + _REG_NAME + rb"):[0-9]+")
HOST = _re(_HOST)
DIGITS = _re(rb"[0-9]+")
CHUNK_LINE = _re(rb"([0-9A-Fa-f]+)((?:[ \t]*;[ \t]*" + _TOKEN + rb"(?:[ \t]*=[ \t]*(?:" +
                 _TOKEN + rb"|" + _QUOTED + rb"))?)*)")
MEDIA_TYPE = _re(_TOKEN + rb"/" + _TOKEN + rb"(?:" + _PARAMETER + rb")*")
DATE = _re(_DAY + rb", [0-3][0-9] " + _MONTH + rb" [0-9]{4} "
           rb"[0-2][0-9]:[0-5][0-9]:[0-6][0-9] GMT")
URI_REFERENCE = _re(rb"(?:" + _PCHAR + rb"|[/?#\[\]])+")

# Fields that have one value and one line.
SINGLE = {b"age", b"authorization", b"content-length", b"content-location", b"content-range",
          b"content-type", b"date", b"etag", b"expires", b"from", b"host",
          b"if-modified-since", b"if-range", b"if-unmodified-since", b"last-modified",
          b"location", b"max-forwards", b"origin", b"proxy-authorization", b"range",
          b"referer", b"retry-after", b"server", b"user-agent"}
# RFC 9110 6.5.1: nothing for framing, routing or authentication belongs in trailers.
NOT_IN_TRAILERS = {b"authorization", b"connection", b"content-encoding", b"content-length",
                   b"content-range", b"content-type", b"cookie", b"host", b"keep-alive",
                   b"set-cookie", b"te", b"trailer", b"transfer-encoding", b"upgrade"}


def elements(value):
    """The elements of a comma-separated list; senders write no empty ones."""
    found = [element.strip(b" \t") for element in value.split(b",")]
    if b"" in found:
        raise Deviation(f"empty list element in {value!r}")
    return found


# --- sources of bytes ---------------------------------------------------------------------

class Source:
    """Bytes that are there, and a way to get more."""

    def __init__(self, data=b""):
        self.data = bytearray(data)

    def more(self):
        """Adds bytes to self.data; False at the end."""
        return False

    def need(self):
        if not self.more():
            raise Incomplete(f"ended after {bytes(self.data[-60:])!r}")

    def take(self, count):
        while len(self.data) < count:
            self.need()
        taken = bytes(self.data[:count])
        del self.data[:count]
        return taken

    def take_all(self):
        while self.more():
            pass
        return self.take(len(self.data))

    def line(self, limit=65536):
        """A line without its CRLF. A CR or LF elsewhere is a deviation."""
        start = 0
        while (end := self.data.find(b"\n", start)) < 0:
            start = len(self.data)
            if start > limit:
                raise Deviation("line without end")
            self.need()
        line = self.take(end + 1)
        if not line.endswith(b"\r\n"):
            raise Deviation(f"line ended by a bare LF: {line!r}")
        if b"\r" in line[:-2]:
            raise Deviation(f"bare CR in {line!r}")
        return line[:-2]


class SocketSource(Source):
    def __init__(self, sock, timeout):
        super().__init__()
        self.sock = sock
        self.timeout = timeout

    def more(self):
        self.sock.settimeout(self.timeout)
        try:
            data = self.sock.recv(65536)
        except socket.timeout:
            raise Incomplete(f"nothing came for {self.timeout} s after "
                             f"{bytes(self.data[-60:])!r}") from None
        self.data += data
        return bool(data)


# --- messages -----------------------------------------------------------------------------

class Message:
    """fields: (name, value) pairs of bytes, as sent. body: content, decoded."""

    def __init__(self):
        self.minor = 1
        self.fields = []
        self.body = b""
        self.chunked = False
        self.trailers = []

    def all(self, name):
        """The values of a field, one for each of its lines."""
        name = name.encode() if isinstance(name, str) else name
        return [v for n, v in self.fields if n.lower() == name.lower()]

    def get(self, name, default=None):
        """The value of a field as text; several lines are joined as lists are."""
        values = self.all(name)
        return b", ".join(values).decode("latin-1") if values else default

    def tokens(self, name):
        return [e.lower() for value in self.all(name) for e in elements(value)]

    @property
    def keep_alive(self):
        options = self.tokens("connection")
        if b"close" in options:
            return False
        return self.minor == 1 or b"keep-alive" in options


class Request(Message):
    method = target = host = None


class Response(Message):
    """interim: the 1xx answers before this one. to_eof: only the end of the connection
    ended the body."""
    status = reason = None
    to_eof = False

    def __init__(self):
        super().__init__()
        self.interim = []


def read_fields(source):
    fields = []
    while line := source.line():
        match = FIELD_LINE.fullmatch(line)
        if not match:
            raise Deviation(f"not a field line: {line!r}")
        if not FIELD_VALUE.fullmatch(match[2]):
            raise Deviation(f"not a field value: {line!r}")
        fields.append((match[1], match[2]))
    return fields


def check_form(message, name, pattern):
    for value in message.all(name):
        if not pattern.fullmatch(value):
            raise Deviation(f"{name} is {value!r}")


def check_fields(message):
    """What holds for requests and responses alike."""
    names = [name.lower() for name, _ in message.fields]
    for name in SINGLE.intersection(names):
        if names.count(name) > 1:
            raise Deviation(f"{name!r} is there {names.count(name)} times")
    check_form(message, "content-length", DIGITS)
    check_form(message, "content-type", MEDIA_TYPE)
    check_form(message, "date", DATE)
    for name in ("connection", "upgrade", "via", "te", "trailer", "transfer-encoding", "allow",
                 "vary"):
        for value in message.all(name):
            if value or name != "allow":  # only Allow may be empty
                elements(value)
    options = message.tokens("connection")
    for option in options:
        if not TOKEN.fullmatch(option):
            raise Deviation(f"Connection has {option!r}")
    for name in (b"upgrade", b"te", b"keep-alive"):
        if name in names and name not in options:
            raise Deviation(f"{name!r} without its option in Connection")
    for name in (b"content-length", b"transfer-encoding", b"host", b"content-type", b"date"):
        if name in options:
            raise Deviation(f"Connection names {name!r}")
    if b"close" in options and b"keep-alive" in options:
        raise Deviation("Connection says close and keep-alive")


def framing(message):
    """The transfer coding or length a message announces: "chunked", a number, or None."""
    codings = message.tokens("transfer-encoding")
    lengths = message.all("content-length")
    if codings and lengths:
        raise Deviation("Transfer-Encoding and Content-Length")
    if codings:
        if codings != [b"chunked"]:
            raise Deviation(f"Transfer-Encoding is {codings!r}")
        if message.minor == 0:
            raise Deviation("Transfer-Encoding in HTTP/1.0")
        return "chunked"
    return int(lengths[0]) if lengths else None


def read_chunked(source, message):
    message.chunked = True
    parts = []
    while True:
        line = source.line()
        match = CHUNK_LINE.fullmatch(line)
        if not match:
            raise Deviation(f"not a chunk line: {line!r}")
        size = int(match[1], 16)
        if size == 0:
            break
        parts.append(source.take(size))
        if source.take(2) != b"\r\n":
            raise Deviation("chunk data without its CRLF")
    message.trailers = read_fields(source)
    for name, _ in message.trailers:
        if name.lower() in NOT_IN_TRAILERS:
            raise Deviation(f"{name!r} among trailers")
    message.body = b"".join(parts)


# --- requests -----------------------------------------------------------------------------

def check_target(request):
    method, target = request.method.encode(), request.target.encode()
    absolute = ABSOLUTE_FORM.fullmatch(target)
    if method == b"CONNECT":
        valid = AUTHORITY_FORM.fullmatch(target)
    elif target == b"*":
        valid = method == b"OPTIONS"
    else:
        valid = absolute or ORIGIN_FORM.fullmatch(target)
    if not valid:
        raise Deviation(f"target {target!r} of {method!r}")
    hosts = request.all("host")
    if request.minor == 1 and len(hosts) != 1:
        raise Deviation(f"{len(hosts)} Host fields")
    check_form(request, "host", HOST)
    if absolute and hosts and hosts[0].lower() != absolute[1].lower():
        raise Deviation(f"Host {hosts[0]!r} is not that of {target!r}")
    request.host = hosts[0].decode("latin-1") if hosts else None


def read_request(source):
    request = Request()
    line = source.line()
    match = REQUEST_LINE.fullmatch(line)
    if not match:
        raise Deviation(f"not a request line: {line!r}")
    request.method, request.target = match[1].decode(), match[2].decode()
    request.minor = int(match[3])
    request.fields = read_fields(source)
    check_fields(request)
    check_target(request)
    for value in request.all("expect"):
        if value.lower() != b"100-continue":
            raise Deviation(f"Expect is {value!r}")
    length = framing(request)
    if request.all("expect") and not length:
        raise Deviation("Expect without content")
    if length == "chunked":
        read_chunked(source, request)
    elif length is not None:
        request.body = source.take(length)
    if request.body and request.method == "TRACE":
        raise Deviation("TRACE with content")
    return request


# --- responses ----------------------------------------------------------------------------

def read_response_head(source):
    response = Response()
    line = source.line()
    match = STATUS_LINE.fullmatch(line)
    if not match:
        raise Deviation(f"not a status line: {line!r}")
    response.minor, response.status = int(match[1]), int(match[2])
    response.reason = match[3].decode("latin-1")
    response.fields = read_fields(source)
    check_fields(response)
    return response


def check_response(response):
    """What a status asks for, and what fields of answers look like."""
    status = response.status
    for name, wanted in ((401, "www-authenticate"), (405, "allow"), (407, "proxy-authenticate"),
                         (426, "upgrade"), (101, "upgrade")):
        if status == name and not response.all(wanted):
            raise Deviation(f"{status} without {wanted}")
    check_form(response, "location", URI_REFERENCE)
    for value in response.all("retry-after"):
        if not DIGITS.fullmatch(value) and not DATE.fullmatch(value):
            raise Deviation(f"Retry-After is {value!r}")
    for value in response.all("allow"):
        for method in elements(value) if value else []:
            if not TOKEN.fullmatch(method):
                raise Deviation(f"Allow has {method!r}")
    for name in ("host", "expect", "te", "authorization"):
        if response.all(name):
            raise Deviation(f"{name} in a response")
    if (status < 200 or status == 204) and (response.all("content-length") or
                                            response.all("transfer-encoding")):
        raise Deviation(f"{status} announces content")


def read_content(source, response, method):
    length = framing(response)
    status = response.status
    if method == "HEAD" or status < 200 or status in (204, 304):
        return
    if method == "CONNECT" and status < 300:
        if length is not None:
            raise Deviation("answer to CONNECT announces content")
    elif length == "chunked":
        read_chunked(source, response)
    elif length is not None:
        response.body = source.take(length)
    else:
        if response.keep_alive:
            raise Deviation("content ends with the connection, which Connection denies")
        response.to_eof = True
        response.body = source.take_all()
    if status == 205 and response.body:
        raise Deviation("205 with content")


def read_one_response(source, method="GET", need_date=True):
    """One response, which may be an interim one."""
    response = read_response_head(source)
    check_response(response)
    if need_date and 200 <= response.status < 500 and not response.all("date"):
        raise Deviation(f"{response.status} without Date")
    read_content(source, response, method)
    return response


def read_response(source, method="GET", need_date=True):
    """The final response; 101 is final."""
    interim = []
    while True:
        response = read_one_response(source, method, need_date)
        if response.status >= 200 or response.status == 101:
            response.interim = interim
            return response
        interim.append(response)


# --- the ways in --------------------------------------------------------------------------

def parse_request(data):
    """(request, bytes behind it)"""
    source = Source(data)
    return read_request(source), bytes(source.data)


def parse_response(data, method="GET", need_date=True):
    """(response, bytes behind it); an interim response counts as one. data: up to the end
    of the connection, when only that ends the content. need_date: RFC 9110 6.6.1 wants a
    Date of every server that has a clock."""
    source = Source(data)
    return read_one_response(source, method, need_date), bytes(source.data)


class Reader:
    """Messages of a connected socket, one after the other."""

    def __init__(self, sock, timeout=5):
        self.source = SocketSource(sock, timeout)

    def response(self, method="GET", need_date=True):
        return read_response(self.source, method, need_date)

    def request(self):
        return read_request(self.source)

    def expect_end(self):
        rest = self.source.take_all()
        if rest:
            raise Deviation(f"unasked bytes: {rest[:200]!r}")
