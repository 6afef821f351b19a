/**
 * A stack of a test's own, in a repository of its own, so that tests which promote, save or delete do not meet; and
 * the sample stack, which tests only look at.
 */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Headway } from "./headway.ts";

/** How long a run may take. */
const runLimit = 150_000;

const terminal = ["finished", "failed", "discarded", "canceled", "stopped"];

/** The switches of *Behavior*, by the names of their fields. */
export type Behavior = Record<
  "autodeploy" | "autoretry" | "protect_from_deletion" | "allow_run_promotion" | "secret_masking",
  boolean
>;

type RunRow = { id: string; state: string; commit: { hash: string; subject: string } };
type Proposed = { branches: { branch: string; run: [RunRow, unknown] | null }[] };
type Tracked = { groups: RunRow[][] };

/** One resource that needs no cloud, with more of its body if wanted. */
export function resource(name: string, body = ""): string {
  return `resource "terraform_data" "${name}" {\n  input = "${name}"\n${body}}\n`;
}

/** A resource whose apply says that it waits, waits until the file `gate` is there, and says that it went on. */
export function gatedResource(name: string, gate: string): string {
  // Terraform prints the command as well, so that what the command prints must not stand in it.
  const wait = `while [ ! -e '${gate}' ]; do sleep 0.1; done`;
  const command = `say() { echo "$1 the gate"; }; say "waits at"; ${wait}; say passed`;
  return resource(name, `  provisioner "local-exec" {\n    command = ${JSON.stringify(command)}\n  }\n`);
}

export class Stack {
  readonly headway: Headway;
  /** Its slug. */
  readonly id: string;
  /** Its name. */
  readonly name: string;
  /** Its bare repository. */
  readonly repository: string;

  constructor(headway: Headway, id: string, name: string, repository: string) {
    this.headway = headway;
    this.id = id;
    this.name = name;
    this.repository = repository;
  }

  /** Makes a repository with one commit on `main`, and a stack that stands there without having deployed anything. */
  static async create(headway: Headway, behavior: Partial<Behavior> = {}): Promise<Stack> {
    const id = `team-${randomUUID().slice(0, 8)}`;
    const name = id.replace("team-", "Team ");
    const repository = await createRepository(headway, id, { "main.tf": resource("first") });
    const { to } = await headway.call("add_repository", { address: repository });
    const known = new URL(to, headway.url).searchParams.get("repository") ?? "";
    const choices = { name, tracked_branch: "main", vendor: "terraform", manage_state: "true" };
    await headway.call("create_stack", { repository: known, ...choices });
    const stack = new Stack(headway, id, name, repository);
    await stack.behave({ autodeploy: true, allow_run_promotion: true, secret_masking: true, ...behavior });
    const commit = await headway.git("-C", repository, "rev-parse", "main");
    await headway.call("set_current_commit", { stack: id, commit });
    return stack;
  }

  /** The address of its page. */
  get home(): string {
    return `/stack/${this.id}`;
  }

  /** Saves *Behavior* behind the back of whoever looks at a page; switches that are not named stay. */
  async behave(change: Partial<Behavior>): Promise<void> {
    const stack = this.id;
    const { answer: saved } = await this.headway.call<{ version: number; behavior: Behavior }>("settings", { stack });
    const on = Object.entries({ ...saved.behavior, ...change }).filter(([, on]) => on);
    const fields = Object.fromEntries(on.map(([name]) => [name, "true"]));
    await this.headway.call("save_behavior", { stack, version: `${saved.version}`, ...fields });
  }

  /** Has its runs use the program at this path. */
  async use(engine: string): Promise<void> {
    const stack = this.id;
    const { answer: saved } = await this.headway.call<{ version: number }>("settings", { stack });
    const fields = { version: `${saved.version}`, vendor: "terraform", engine_binary: engine };
    await this.headway.call("save_vendor", { stack, ...fields });
  }

  /** Pushes a commit and has the stack look at its repository. Answers the commit. */
  async push(branch: string, files: Record<string, string | null>, message: string): Promise<string> {
    const commit = await this.headway.push(branch, files, message, { repository: this.repository });
    await this.headway.call("sync_stack", { stack: this.id });
    return commit;
  }

  /** Pushes a commit to a branch and waits until its proposed run has ended. Answers the run's address. */
  async propose(branch: string, files: Record<string, string | null>, message: string): Promise<string> {
    const commit = await this.push(branch, files, message);
    return this.proposed(branch, commit);
  }

  /** The address of a branch's newest proposed run, once it has ended. */
  async proposed(branch: string, commit?: string): Promise<string> {
    return this.#until(`a proposed run of ${branch}`, async () => {
      const { answer } = await this.headway.call<Proposed>("proposed", { stack: this.id });
      const run = answer.branches.find((row) => row.branch === branch)?.run?.[0];
      return run && (!commit || run.commit.hash === commit) && terminal.includes(run.state) ? run : undefined;
    });
  }

  /** The address of the newest tracked run, once it is in this state. */
  async tracked(state: string): Promise<string> {
    return this.#until(`a tracked run that is ${state}`, async () => {
      const { answer } = await this.headway.call<Tracked>("tracked", { stack: this.id });
      const newest = answer.groups[0]?.[0];
      return newest?.state === state ? newest : undefined;
    });
  }

  async #until(what: string, look: () => Promise<RunRow | undefined>): Promise<string> {
    for (const deadline = Date.now() + runLimit; Date.now() < deadline; await sleep(100)) {
      const run = await look();
      if (run) {
        return `${this.home}/run/${run.id}`;
      }
    }
    throw new Error(`${this.name} never got ${what}`);
  }
}

/** A new bare repository whose `main` has these files. Answers its path. */
export async function createRepository(headway: Headway, name: string, files: Record<string, string>): Promise<string> {
  const repository = headway.path(`${name}.git`);
  await headway.git("init", "--quiet", "--bare", "--initial-branch=main", repository);
  await headway.push("main", files, "Begin", { repository });
  return repository;
}

/** The runs of the sample, by what they show. */
export type Sample = {
  /** The stack. */
  stack: Stack;
  /** The proposed run of `add-cache`: every condition holds. */
  promotable: string;
  /** The proposed run of `add-subnets`: older than the current commit. */
  behind: string;
  /** The proposed run of `firewall`: two commits are missing. */
  diverged: string;
  /** The proposed run of `dns-records`: its plan failed. */
  failed: string;
  /** The deployment. */
  tracked: string;
};

/** The sample, once it is made and its runs have ended. */
export async function sampleOf(headway: Headway): Promise<Sample> {
  for (const deadline = Date.now() + runLimit; !existsSync(join(headway.data, "sample.made")); await sleep(100)) {
    if (Date.now() > deadline) {
      throw new Error(`The sample was never made:\n${headway.output}`);
    }
  }
  const stack = new Stack(headway, "network", "Network", headway.repository);
  const head = await headway.git("rev-parse", "firewall");
  const [promotable, behind, diverged, failed] = await Promise.all([
    stack.proposed("add-cache"),
    stack.proposed("add-subnets"),
    stack.proposed("firewall", head),
    stack.proposed("dns-records"),
  ]);
  return { stack, promotable, behind, diverged, failed, tracked: await stack.tracked("finished") };
}
