// The two engines of the page, each started and ended by the tests: the program with its server, and a folder on a static host.
"use strict";
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { spawn } = require("node:child_process");

/** Milliseconds within which a server prints its address, on a machine that does much else. */
const STARTS = 60_000;

/** The program behind `mnist-study page`. */
class Native {
  kind = "native";
  #process = null;

  constructor(program, folder) {
    this.program = program;
    this.folder = folder;
    process.on("exit", () => this.#end("SIGKILL"));
  }

  /** Starts it, on any free port or on this one; answers the address, with its token. */
  async start(port = 0) {
    const options = ["page", "--show", "never", "--port", String(port), "--out", this.folder];
    // A group of its own, so that all of it is ended.
    const started = spawn(this.program, options, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    this.#process = started;
    let told = "";
    started.stderr.on("data", (text) => (told += text));
    this.address = await new Promise((resolve, reject) => {
      let printed = "";
      const failed = (why) => reject(new Error(`${this.program} page: ${why}\n${told}${printed}`));
      const timer = setTimeout(() => failed("no address"), STARTS);
      started.on("error", (error) => failed(error.message));
      started.on("exit", (code, signal) => failed(`ended with ${code ?? signal}`));
      started.stdout.on("data", (text) => {
        printed += text;
        const found = /http:\S+/.exec(printed);
        if (!found) return;
        clearTimeout(timer);
        resolve(found[0]);
      });
    });
    this.origin = new URL(this.address).origin;
    return this.address;
  }

  /** Ends it without a word, and waits until it is gone. */
  async kill() {
    const ended = this.#process;
    const gone = new Promise((resolve) => ended.on("exit", resolve));
    this.#end("SIGKILL");
    await gone;
  }

  #end(signal) {
    const ended = this.#process;
    this.#process = null;
    if (!ended || ended.exitCode !== null || ended.signalCode !== null) return;
    try {
      process.kill(-ended.pid, signal);
    } catch {
      // Already gone.
    }
  }

  async stop() {
    if (this.#process) await this.kill();
  }
}

const KINDS = { ".css": "text/css", ".gz": "application/gzip", ".html": "text/html", ".js": "text/javascript", ".json": "application/json", ".wasm": "application/wasm" };

/** A folder behind as plain a host as there is: no special headers, so no shared memory. */
class Site {
  kind = "browser";
  #server;

  constructor(folder) {
    const root = path.resolve(folder);
    this.#server = http.createServer((request, response) => {
      const name = path.normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
      const file = path.join(root, name.endsWith("/") ? `${name}index.html` : name);
      if (!file.startsWith(root) || !fs.existsSync(file) || !fs.statSync(file).isFile()) return response.writeHead(404).end();
      response.writeHead(200, { "Content-Type": KINDS[path.extname(file)] ?? "application/octet-stream" });
      fs.createReadStream(file).pipe(response);
    });
  }

  async start() {
    await new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.origin = `http://127.0.0.1:${this.#server.address().port}`;
    this.address = `${this.origin}/`;
    return this.address;
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

module.exports = { Native, Site };
