// An upstream made of Node's own HTTP server: peers.py starts it with KEY and CERT for TLS.
const fs = require("fs");
const http = require("http");
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
  } else if (request.url === "/echo") {
    request.pipe(response);
  } else {
    response.writeHead(404);
    response.end("there is nothing");
  }
}

const [, , port, key, cert] = process.argv;
const options = key ? { key: fs.readFileSync(key), cert: fs.readFileSync(cert) } : {};
const server = key ? https.createServer(options, answer) : http.createServer(answer);
server.listen(Number(port), "127.0.0.1");
process.stdin.on("end", () => process.exit(0)).resume();
