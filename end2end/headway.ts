/**
 * A Headway for tests: the real binary on a free port, its data in a fresh folder, and Git to push to the sample
 * repository as a developer would.
 */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

const binary = process.env.HEADWAY_BINARY || resolve(import.meta.dirname, "../target/debug/headway");

/** How long a server may take to answer, and to end when it is asked to. */
const startLimit = 60_000;
const stopLimit = 20_000;

/** The same author and date everywhere, and nothing of the machine's own configuration. */
const gitEnvironment = {
  GIT_AUTHOR_NAME: "Ada Example",
  GIT_AUTHOR_EMAIL: "ada@example.com",
  GIT_COMMITTER_NAME: "Ada Example",
  GIT_COMMITTER_EMAIL: "ada@example.com",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
};

export class Headway {
  /** Where it answers. */
  readonly url: string;
  /** Its data folder. */
  readonly data: string;
  /** The bare repository of the sample stack. */
  readonly repository: string;
  /** What it has printed so far. */
  output = "";

  /** The simulated GitHub that the sample is on. */
  readonly #github: string | undefined;
  readonly #command: "demo" | "serve";
  readonly #port: number;
  readonly #folder: string;
  #process: ChildProcess | undefined;

  private constructor(port: number, folder: string, github: string | undefined, command: "demo" | "serve") {
    this.#github = github;
    this.#command = command;
    this.#port = port;
    this.#folder = folder;
    this.url = `http://127.0.0.1:${port}`;
    this.data = join(folder, "data");
    this.repository = join(this.data, "sample.git");
  }

  /**
   * Starts one with the sample stack, plain or on a simulated GitHub, or one of a team's own, where people sign in; and
   * waits until it answers.
   */
  static async start({ github, command }: { github?: string; command?: "demo" | "serve" } = {}): Promise<Headway> {
    const folder = await mkdtemp(join(tmpdir(), "headway-end2end-"));
    const headway = new Headway(await freePort(), folder, github, command ?? "demo");
    try {
      await headway.#start();
    } catch (error) {
      await headway.remove();
      throw error;
    }
    return headway;
  }

  /** Ends the server by a signal and starts it again on the same data; `SIGKILL` is a crash. */
  async restart({ signal = "SIGTERM" }: { signal?: NodeJS.Signals } = {}): Promise<void> {
    await this.stop({ signal });
    await this.#start();
  }

  /** Ends the server, if it runs; one that does not obey is killed. */
  async stop({ signal = "SIGTERM" }: { signal?: NodeJS.Signals } = {}): Promise<void> {
    const server = this.#process;
    this.#process = undefined;
    if (!server || server.exitCode !== null || server.signalCode !== null) {
      return;
    }
    const exit = once(server, "exit");
    server.kill(signal);
    const abort = new AbortController();
    const late = sleep(stopLimit, "late", { signal: abort.signal }).catch(() => "exited");
    if ((await Promise.race([exit, late])) === "late") {
      this.output += `still running ${stopLimit} ms after ${signal}\n`;
      server.kill("SIGKILL");
      await exit;
    }
    abort.abort();
  }

  /** Ends the server and removes its folder. */
  async remove(): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** A path in this server's folder, for whatever a test needs; goes with it. */
  path(name: string): string {
    return join(this.#folder, name);
  }

  /** Calls a function as a script would, and answers what it answered and where it leads; a refusal is an error. */
  async call<Answer = unknown>(name: string, fields: Record<string, string>): Promise<{ answer: Answer; to: string }> {
    const response = await fetch(`${this.url}/api/${name}`, {
      method: "POST",
      headers: { accept: "application/json" },
      body: new URLSearchParams(fields),
    });
    const text = await response.text();
    if (!response.ok) {
      throw new Error(`${name} answered ${response.status}: ${text}`);
    }
    return { answer: JSON.parse(text) as Answer, to: response.headers.get("location") ?? "" };
  }

  /** Runs Git, in the plain sample's repository unless `-C` says otherwise, and answers what it printed. */
  async git(...args: string[]): Promise<string> {
    const env = { ...process.env, ...gitEnvironment };
    const { stdout } = await run("git", args, { cwd: this.#github || this.#command === "serve" ? this.data : this.repository, env });
    return stdout.trim();
  }

  /**
   * Commits files to a branch of the sample repository, or of another, and pushes it; a branch that is not there yet
   * starts at `from`. A file whose text is `null` is removed. Answers the commit.
   */
  async push(
    branch: string,
    files: Record<string, string | null>,
    message: string,
    { from = "main", repository = this.repository }: { from?: string; repository?: string } = {},
  ): Promise<string> {
    const clone = await mkdtemp(join(this.#folder, "clone-"));
    try {
      await this.git("clone", "--quiet", "--no-checkout", repository, clone);
      const git = (...args: string[]) => this.git("-C", clone, ...args);
      const known = await git("branch", "--remotes", "--list", `origin/${branch}`);
      // `from` may be a branch or a commit.
      const start = known ? `origin/${branch}` : await git("rev-parse", `origin/${from}`).catch(() => from);
      const empty = (await git("branch", "--remotes")) === "";
      await git("checkout", "--quiet", ...(empty ? ["--orphan", branch] : ["--no-track", "-B", branch, start]));
      for (const [name, text] of Object.entries(files)) {
        const file = join(clone, name);
        if (text === null) {
          await rm(file);
        } else {
          await mkdir(dirname(file), { recursive: true });
          await writeFile(file, text);
        }
      }
      await git("add", "--all");
      await git("commit", "--quiet", "--allow-empty", `--message=${message}`);
      await git("push", "--quiet", "origin", branch);
      return await git("rev-parse", "HEAD");
    } finally {
      await rm(clone, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  async #start(): Promise<void> {
    // A setting of the machine must not reach the tests: it may name a real database.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("HEADWAY_")));
    const args = [this.#command, "--addr", `127.0.0.1:${this.#port}`, "--data", this.data];
    if (this.#github) {
      args.push("--sample-github", this.#github);
    }
    // Runs see what a test puts into the folder; of the data in it they see their own alone.
    args.push("--sandbox-read", this.#folder);
    // The simulated GitHub and providers that sign in are on this machine.
    args.push("--allow-network", "127.0.0.1,::1");
    const server = spawn(binary, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    this.#process = server;
    let failure = "";
    server.on("error", (error) => (failure = error.message));
    server.on("exit", (code, signal) => (failure ||= `it ended with ${code ?? signal}`));
    for (const stream of [server.stdout, server.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (this.output += text));
    }
    for (const deadline = Date.now() + startLimit; !(await this.#answers()); await sleep(50)) {
      if (failure || Date.now() > deadline) {
        throw new Error(`${binary} does not answer at ${this.url}: ${failure || "too late"}\n${this.output}`);
      }
    }
  }

  async #answers(): Promise<boolean> {
    const response = await fetch(`${this.url}/health`, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
    await response?.body?.cancel();
    return response?.status === 200;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
