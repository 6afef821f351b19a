/** A simulated GitHub for tests: the real program on a free port, in a fresh folder, and what a team does there. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const headway = process.env.HEADWAY_BINARY || resolve(import.meta.dirname, "../target/debug/headway");

/** The simulator is never built optimised. */
const binary = resolve(dirname(headway), "../debug/headway-simulator");

/** How long it may take to start. */
const startLimit = 20_000;

export type CheckRun = {
  id: number;
  name: string;
  head_sha: string;
  status: string;
  conclusion: string | null;
  actions: { identifier: string }[];
  output: { title: string; summary: string; text: string | null };
};

export class Github {
  /** Where it answers. */
  readonly url: string;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(url: string, folder: string, process: ChildProcess) {
    this.url = url;
    this.#folder = folder;
    this.#process = process;
  }

  /** Starts one that knows nothing yet. */
  static async start(): Promise<Github> {
    const folder = await mkdtemp(join(tmpdir(), "headway-github-"));
    const child = spawn(binary, ["--addr", "127.0.0.1:0", "--root", folder], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    for (const deadline = Date.now() + startLimit; ; await sleep(20)) {
      const url = /is at (http:\S+)/.exec(output)?.[1];
      if (url) {
        return new Github(url, folder, child);
      }
      if (Date.now() > deadline || child.exitCode !== null) {
        throw new Error(`${binary} does not start: ${output}`);
      }
    }
  }

  /** Ends it and removes its folder. */
  async remove(): Promise<void> {
    const exit = once(this.#process, "exit");
    this.#process.kill();
    await exit;
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Tells it to do something. */
  async control<Answer = unknown>(method: string, path: string, body: unknown = {}): Promise<Answer> {
    const response = await fetch(`${this.url}/_${path}`, {
      method,
      headers: { "content-type": "application/json" },
      body: method === "GET" ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) {
      throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    }
    return JSON.parse(text) as Answer;
  }

  /** The folder of the sample's repository, to push to. */
  async repository(): Promise<string> {
    const state = await this.control<{ repositories: Record<string, { folder: string }> }>("GET", "/state");
    return join(this.#folder, Object.values(state.repositories)[0]!.folder);
  }

  /** Lets it notice what was pushed, and opens a pull request for the branch; its number. */
  async pullRequest(branch: string, title: string): Promise<number> {
    await this.control("POST", "/repositories/acme/network/notice");
    const pull = { title, head: branch, author: "acme" };
    return (await this.control<{ number: number }>("POST", "/repositories/acme/network/pulls", pull)).number;
  }

  /** The newest check run of this name on the newest commit of a pull request. */
  async check(number: number, name: string): Promise<CheckRun | undefined> {
    type State = { check_runs: Record<string, CheckRun>; pulls: { number: number; head_sha: string }[] };
    const state = await this.control<State>("GET", "/state");
    const commit = state.pulls.find((pull) => pull.number === number)?.head_sha;
    const runs = Object.values(state.check_runs).filter((run) => run.head_sha === commit && run.name === name);
    return runs.sort((one, other) => other.id - one.id)[0];
  }
}
