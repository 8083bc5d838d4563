// An upstream made of Node's own HTTP servers: peers.py starts it with 1 or 2, the version
// that is spoken, its port, and KEY and CERT for TLS.
const fs = require("fs");
const http = require("http");
const http2 = require("http2");
const https = require("https");
const zlib = require("zlib");

function answer(request, response) {
  if (request.url === "/item.json") {
    const text = JSON.stringify({ by: "node", words: "n".repeat(2000) });
    const coded = /\bgzip\b/.test(request.headers["accept-encoding"] || "");
    response.setHeader("Content-Type", "application/json");
    if (coded) response.setHeader("Content-Encoding", "gzip");
    response.end(coded ? zlib.gzipSync(text) : text);
  } else if (request.url === "/large") {
    response.end(Buffer.alloc(8 << 20, "n"));
  } else if (request.url.startsWith("/head")) {
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(request.headers));
  } else if (request.url === "/echo") {
    request.pipe(response);
  } else {
    response.writeHead(404);
    response.end("there is nothing");
  }
}

const [, , version, port, key, cert] = process.argv;
const options = key ? { key: fs.readFileSync(key), cert: fs.readFileSync(cert) } : {};
const server =
  version === "2"
    ? key
      ? http2.createSecureServer({ ...options, allowHTTP1: true }, answer)
      : http2.createServer(answer)
    : key
      ? https.createServer(options, answer)
      : http.createServer(answer);
server.listen(Number(port), "127.0.0.1");
process.stdin.on("end", () => process.exit(0)).resume();
