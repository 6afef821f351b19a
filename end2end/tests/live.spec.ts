/**
 * Live pages. With JavaScript, states and logs follow by server-sent events, on one and the same document; a lost
 * connection is said, mends itself, and the page is up to date again; a page that nobody sees has none. Without, a page
 * refreshes itself as long as what it shows is at work, and then stops.
 */
import { writeFile } from "node:fs/promises";
import type { Page, Request, Route } from "@playwright/test";
import { expect, test } from "../fixtures.ts";
import { gatedResource, resource } from "../stack.ts";

/** Marks the document, to tell it from one that was loaded anew. */
async function mark(page: Page): Promise<void> {
  await page.evaluate(() => document.documentElement.setAttribute("data-same", "true"));
}

async function expectSameDocument(page: Page): Promise<void> {
  await expect(page.locator("html")).toHaveAttribute("data-same", "true");
}

const refresh = (page: Page) => page.locator("meta[http-equiv=refresh]");

test.describe("with JavaScript", () => {
  test.skip(({ javaScriptEnabled }) => !javaScriptEnabled);

  test("the states and the log of a run follow without a navigation", async ({ page, open, stack }) => {
    const gate = stack.headway.path(`${stack.id}.gate`);
    const proposed = await stack.propose("gated", { "gated.tf": gatedResource("gated", gate) }, "Wait at a gate");
    const run = proposed.split("/").pop() ?? "";
    await stack.behave({ autodeploy: false });
    const { to: tracked } = await stack.headway.call("promote_run", { stack: stack.id, run });
    await open(tracked);
    await mark(page);
    const title = page.getByRole("heading", { level: 1 });
    await expect(title).toContainText("Unconfirmed");
    await stack.headway.call("confirm_run", { stack: stack.id, run: tracked.split("/").pop() ?? "" });
    await expect(title).toContainText("Applying");
    const log = page.getByRole("log");
    await expect(log).toContainText("waits at the gate");
    await writeFile(gate, "");
    await expect(log).toContainText("passed the gate");
    await expect(title).toContainText("Finished");
    await expectSameDocument(page);
  });

  test("the log of a phase opens by itself when its first line comes late", async ({ page, open, stack }) => {
    const [begin, end] = ["begin", "end"].map((name) => stack.headway.path(`${stack.id}.${name}`));
    await stack.behave({ autodeploy: false });
    // As an engine that has nothing to say at first.
    const engine = stack.headway.path(`${stack.id}.engine`);
    const wait = (gate: string) => `while [ ! -e '${gate}' ]; do sleep 0.1; done`;
    const apply = `${wait(begin)}; echo at last; ${wait(end)}; exec terraform "$@"`;
    await writeFile(engine, `#!/bin/sh\nif [ "$1" = plan ]; then ${apply}; fi\nexec terraform "$@"\n`, { mode: 0o755 });
    await stack.use(engine);
    const { to: tracked } = await stack.headway.call("trigger_run", { stack: stack.id });
    await open(tracked);
    await mark(page);
    await expect(page.getByRole("heading", { level: 1 })).toContainText("Planning");
    // Whatever the page still reads of the phase's beginning has been read.
    await page.waitForTimeout(1_500);
    await writeFile(begin, "");
    // Sooner than anything else would have the page read anew.
    await expect(page.getByRole("log")).toContainText("at last", { timeout: 8_000 });
    await writeFile(end, "");
    await expect(page.getByRole("heading", { level: 1 })).toContainText("Unconfirmed");
    await expectSameDocument(page);
  });

  test("lists follow as well: a push appears, plans and can be promoted", async ({ page, open, stack }) => {
    await open(`${stack.home}/proposed`);
    await mark(page);
    await expect(page.getByRole("heading", { name: "No branches besides the tracked one" })).toBeVisible();
    await stack.push("pushed", { "pushed.tf": resource("pushed") }, "Appear by itself");
    const row = page.getByRole("listitem").filter({ hasText: "Appear by itself" });
    await expect(row.getByRole("link", { name: "Review and promote" })).toBeVisible();
    await expectSameDocument(page);
  });

  test("what changed before the page came alive is seen as well", async ({ page, stack }) => {
    const proposed = await stack.propose("early", { "early.tf": resource("early") }, "Change while it loads");
    let loaded = () => {};
    const held = new Promise<void>((resolve) => (loaded = resolve));
    await page.route("**/*.wasm", async (route) => {
      await held;
      await route.continue();
    });
    await page.goto(proposed, { waitUntil: "commit" });
    const promote = page.getByRole("button", { name: "Promote", exact: true });
    await expect(promote).toBeVisible();
    await stack.behave({ allow_run_promotion: false });
    loaded();
    // Sooner than the next fetch of the repository, which would make the page read itself anew as well.
    await expect(promote).toHaveCount(0, { timeout: 15_000 });
    await expect(page.getByRole("region", { name: "Promotion" })).toContainText("Run promotion is switched off");
  });

  test("an open dialog, the focus and what is unfolded stay when something else changes", async ({
    page,
    open,
    stack,
  }) => {
    await open(await stack.propose("calm", { "calm.tf": resource("calm") }, "Be read in peace"));
    await page.getByText("All 9 conditions").click();
    await page.getByRole("button", { name: "Promote", exact: true }).click();
    const cancel = page.getByRole("dialog").getByRole("button", { name: "Cancel" });
    await cancel.focus();
    const read = page.waitForResponse((response) => response.url().endsWith("/api/run"));
    await stack.propose("other", { "other.tf": resource("other") }, "Change something elsewhere");
    await read;
    await expect(cancel).toBeFocused();
    await page.keyboard.press("Escape");
    await expect(page.getByText("It planned exactly this commit.")).toBeVisible();
  });

  test("what a person types into settings stays when something changes elsewhere", async ({ page, open, stack }) => {
    await open(`${stack.home}/settings/details`);
    await page.getByRole("textbox", { name: "Description" }).fill("half a sent");
    await stack.propose("other", { "other.tf": resource("other") }, "Change something elsewhere");
    await expect(page.getByRole("textbox", { name: "Description" })).toHaveValue("half a sent");
  });

  test("a page that nobody sees holds no connection, and is up to date when it is seen again", async ({
    page,
    open,
    stack,
  }) => {
    let held = 0;
    const listens = (request: Request) => request.url().includes("/events?");
    page.on("request", (request) => (held += listens(request) ? 1 : 0));
    for (const end of ["requestfailed", "requestfinished"] as const) {
      page.on(end, (request) => (held -= listens(request) ? 1 : 0));
    }
    await open(await stack.propose("unseen", { "unseen.tf": resource("unseen") }, "Be looked at later"));
    await mark(page);
    const promote = page.getByRole("button", { name: "Promote", exact: true });
    await expect(promote).toBeVisible();
    await expect.poll(() => held).toBe(1);
    // As browsers do when another tab comes to the front, and when somebody leaves a page and goes back to it.
    const turn = (away: boolean) =>
      page.evaluate((away) => {
        Object.defineProperty(document, "hidden", { configurable: true, value: away });
        Object.defineProperty(document, "visibilityState", { configurable: true, value: away ? "hidden" : "visible" });
        document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
      }, away);
    const leave = (away: boolean) =>
      page.evaluate((event) => {
        window.dispatchEvent(new PageTransitionEvent(event, { persisted: true }));
      }, away ? "pagehide" : "pageshow");
    let promotable = true;
    for (const go of [turn, leave]) {
      await go(true);
      await expect.poll(() => held).toBe(0);
      promotable = !promotable;
      await stack.behave({ allow_run_promotion: promotable });
      // Longer than a connection that was only lost stays away.
      await page.waitForTimeout(2_500);
      expect(held).toBe(0);
      await expect(promote).toHaveCount(promotable ? 0 : 1);
      await expect(page.getByText("The connection to Headway is lost.")).toBeHidden();
      await go(false);
      await expect(promote).toHaveCount(promotable ? 1 : 0);
      expect(held).toBe(1);
    }
    await expectSameDocument(page);
  });

  test("a lost connection is said, mends itself, and the page is up to date again", async ({
    page,
    open,
    stack,
    problems,
  }) => {
    problems.allow(/net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING)/);
    await open(await stack.propose("lost", { "lost.tf": resource("lost") }, "Outlive the connection"));
    await mark(page);
    const banner = page.getByText("The connection to Headway is lost.");
    await expect(banner).toBeHidden();
    await stack.headway.stop();
    await expect(banner).toBeVisible();
    await stack.headway.restart();
    await stack.behave({ allow_run_promotion: false });
    await expect(banner).toBeHidden();
    await expect(page.getByRole("region", { name: "Promotion" })).toContainText("Run promotion is switched off");
    await expect(page.getByRole("button", { name: "Promote", exact: true })).toHaveCount(0);
    await expectSameDocument(page);
  });

  for (const [name, answer] of [
    ["that nobody answers", (route: Route) => route.abort("connectionrefused")],
    [
      "that a proxy answers",
      (route: Route) => route.fulfill({ status: 502, contentType: "text/html", body: "<h1>Bad Gateway</h1>" }),
    ],
  ] as const) {
    test(`a page with news ${name} stays as it is, says so, and reads them later`, async ({
      page,
      open,
      stack,
      problems,
    }) => {
      problems.allow(/net::ERR_CONNECTION_REFUSED|status of 502/);
      await open(await stack.propose("quiet", { "quiet.tf": resource("quiet") }, "Outlive a silence"));
      await mark(page);
      const promote = page.getByRole("button", { name: "Promote", exact: true });
      const banner = page.getByText("The connection to Headway is lost.");
      const title = await page.title();
      await expect(promote).toHaveCount(1);
      await page.route("**/api/run", answer);
      const asked = page.waitForRequest("**/api/run");
      await stack.behave({ allow_run_promotion: false });
      await asked;
      await expect(banner).toBeVisible();
      await expect(promote).toHaveCount(1);
      expect(await page.title()).toBe(title);
      // What it never showed it cannot keep.
      await page.route("**/api/changes", answer);
      await page.getByRole("link", { name: "Changes" }).click();
      await expect(page.getByRole("heading", { name: "Something went wrong" })).toBeVisible();
      await expect(page.locator("main")).toContainText("Headway did not answer. Check the connection, then try again.");
      await page.unrouteAll();
      await page.goBack();
      await expect(page.getByRole("region", { name: "Promotion" })).toContainText("Run promotion is switched off");
      await expect(promote).toHaveCount(0);
      await expect(banner).toBeHidden();
      await expectSameDocument(page);
    });
  }

  test("a page that could not be read is there when it is tried again", async ({ page, open, stack, problems }) => {
    problems.allow(/net::ERR_CONNECTION_REFUSED/);
    await open(stack.home);
    await page.route("**/api/settings", (route) => route.abort("connectionrefused"));
    await page.getByRole("link", { name: "Settings" }).click();
    await expect(page.getByRole("heading", { name: "Something went wrong" })).toBeVisible();
    await page.unrouteAll();
    await page.getByRole("link", { name: "Try again" }).click();
    await expect(page.getByRole("heading", { name: "Something went wrong" })).toHaveCount(0);
    await expect(page).toHaveURL(/\/settings/);
    await expect(page.getByLabel("Name")).toBeVisible();
  });
});

test.describe("without JavaScript", () => {
  test.skip(({ javaScriptEnabled }) => javaScriptEnabled ?? true);

  test("pages refresh themselves while a run is at work, and stop when it has ended", async ({ page, stack }) => {
    const gate = stack.headway.path(`${stack.id}.gate`);
    const proposed = await stack.propose("gated", { "gated.tf": gatedResource("gated", gate) }, "Wait at a gate");
    await page.goto(proposed);
    await expect(refresh(page)).toHaveCount(0);
    const run = proposed.split("/").pop() ?? "";
    const { to: tracked } = await stack.headway.call("promote_run", { stack: stack.id, run });
    for (const address of ["/", stack.home, `${tracked}/changes`, tracked]) {
      await page.goto(address);
      await expect(refresh(page)).toHaveCount(1);
    }
    // Nobody reloads from here on.
    const log = page.getByRole("log");
    await expect(log).toContainText("waits at the gate");
    await writeFile(gate, "");
    await expect(log).toContainText("passed the gate");
    await expect(page.getByRole("heading", { level: 1 })).toContainText("Finished");
    for (const address of [tracked, stack.home, `${tracked}/changes`]) {
      await page.goto(address);
      await expect(refresh(page)).toHaveCount(0);
    }
  });

  test("pages stand still while a plan waits for a person, who would lose the focus", async ({ page, stack }) => {
    await stack.behave({ autodeploy: false });
    await stack.headway.call("trigger_run", { stack: stack.id });
    const tracked = await stack.tracked("unconfirmed");
    for (const address of [stack.home, `${tracked}/changes`, tracked]) {
      await page.goto(address);
      await expect(page.getByRole("heading", { level: 1 })).toContainText("Unconfirmed");
      await expect(refresh(page)).toHaveCount(0);
    }
    await page.getByRole("button", { name: "Confirm" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toContainText("Finished");
  });
});
