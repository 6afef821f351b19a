/**
 * What every spec works with. `headway` is a server of this worker's own, in a fresh folder; `sample` is its sample
 * stack, to look at, and `stack` one of the test's own, to change. `open` opens a page and waits until it is live;
 * `axe` looks for barriers; `problems` fails a test in which the browser complained, so that a broken content policy or
 * hydration is never overlooked. Import `test` and `expect` from here.
 */
import { AxeBuilder } from "@axe-core/playwright";
import { test as base, expect, type ConsoleMessage, type Request, type Response } from "@playwright/test";
import { Headway } from "./headway.ts";
import { Stack, sampleOf, type Sample } from "./stack.ts";

export { expect, Headway };

/** What the browser complained about in one test. */
export class Problems {
  readonly #found: string[] = [];
  // A page that refuses something has a status of 4xx, which the browser logs although all is well. A file of the
  // site that is missing is not such a page.
  readonly #allowed: RegExp[] = [
    /^error: Failed to load resource: the server responded with a status of 4\d\d .* at (?!.*\/pkg\/)/,
  ];

  /** Expects complaints that match, as when a test stops the server under an open page. */
  allow(pattern: RegExp): void {
    this.#allowed.push(pattern);
  }

  /** Every complaint so far that nobody expected. */
  unexpected(): string[] {
    return this.#found.filter((problem) => !this.#allowed.some((pattern) => pattern.test(problem)));
  }

  /** Keeps what a page logged, if it is an error. */
  hear(message: ConsoleMessage): void {
    if (message.type() === "error") {
      this.#found.push(`error: ${message.text()} at ${message.location().url}`);
    }
  }

  /** Keeps what a page threw. */
  fear(error: Error): void {
    this.#found.push(`thrown: ${error.stack ?? error.message}`);
  }
}

type TestFixtures = {
  /**
   * Expects that the page has no barrier that axe can find. Does nothing in the project `plain`: axe is a script, and
   * without JavaScript it would wait for ever. The pages are the same in both projects, so nothing goes unseen.
   */
  axe: () => Promise<void>;
  /** Opens a page that is live, and waits until it is: then its buttons do what the client makes of them. */
  open: (address: string) => Promise<Response | null>;
  /** A stack of this test's own, with autodeploy and promotion on. */
  stack: Stack;
  /** What the browser complained about; anything unexpected fails the test. */
  problems: Problems;
  /** Keeps what the server said, when the test failed. */
  serverLog: void;
};

type WorkerFixtures = {
  /** A server of this worker's own. */
  headway: Headway;
  /** The sample stack of that server, with all its runs ended. Other tests look at it too: leave it as it is. */
  sample: Sample;
};

export const test = base.extend<TestFixtures, WorkerFixtures>({
  headway: [
    async ({}, use) => {
      const headway = await Headway.start();
      await use(headway);
      await headway.remove();
    },
    { scope: "worker", timeout: 120_000 },
  ],

  sample: [
    async ({ headway }, use) => {
      await use(await sampleOf(headway));
    },
    { scope: "worker", timeout: 180_000 },
  ],

  // The sample comes first: it must not be at work any more when other stacks are looked at.
  stack: async ({ headway, sample: _ }, use) => {
    await use(await Stack.create(headway));
  },

  open: async ({ page, javaScriptEnabled }, use) => {
    await use(async (address) => {
      // The client listens to the server as soon as it has taken over the page.
      const listens = (request: Request) => request.url().includes("/events?");
      const alive = javaScriptEnabled ? page.waitForRequest(listens) : undefined;
      const [response] = await Promise.all([page.goto(address), alive]);
      return response;
    });
  },

  baseURL: async ({ headway }, use) => {
    await use(headway.url);
  },

  problems: [
    async ({ context }, use) => {
      const problems = new Problems();
      context.on("console", (message) => problems.hear(message));
      context.on("weberror", (error) => problems.fear(error.error()));
      await use(problems);
      expect(problems.unexpected(), "what the browser complained about").toEqual([]);
    },
    { auto: true },
  ],

  serverLog: [
    async ({ headway }, use, testInfo) => {
      const start = headway.output.length;
      await use();
      if (testInfo.status !== testInfo.expectedStatus) {
        await testInfo.attach("server.log", { body: headway.output.slice(start), contentType: "text/plain" });
      }
    },
    { auto: true },
  ],

  axe: async ({ page, javaScriptEnabled }, use) => {
    await use(async () => {
      if (!javaScriptEnabled) {
        return;
      }
      const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
      const { violations } = await new AxeBuilder({ page }).withTags(tags).analyze();
      const barriers = violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map(({ html }) => html) }));
      expect(barriers, "barriers on the page").toEqual([]);
    });
  },
});
