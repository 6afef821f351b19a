/**
 * GitHub, simulated: a pull request's plan is a check there, Deploy in it promotes, the check and the deployment follow;
 * switched off, Deploy is gone, and a stale button is refused with the reason in the check. And how a team connects.
 */
import { createHmac } from "node:crypto";
import { createRequire } from "node:module";
import { Headway, expect, test as base } from "../fixtures.ts";
import { Github, type CheckRun } from "../github.ts";
import { resource } from "../stack.ts";

const PLAN = "headway/network";
const DEPLOY = "headway/network deploy";

type Connected = { github: Github; headway: Headway };

/** A sample of the test's own, on a simulated GitHub. */
const test = base.extend<{ connected: Connected }>({
  connected: async ({}, use) => {
    const github = await Github.start();
    const headway = await Headway.start({ github: github.url });
    await use({ github, headway });
    await headway.remove();
    await github.remove();
  },
});

/** Waits until a check is as wanted. */
async function until(github: Github, number: number, name: string, wanted: (run: CheckRun) => boolean): Promise<CheckRun> {
  let found: CheckRun | undefined;
  await expect
    .poll(async () => {
      found = await github.check(number, name);
      return found !== undefined && wanted(found);
    }, { timeout: 60_000 })
    .toBe(true);
  return found!;
}

const deployable = (run: CheckRun) => run.actions.some((action) => action.identifier === "deploy");

test("Deploy in the Checks tab of a pull request becomes a deployment", async ({ page, connected, axe }) => {
  const { github, headway } = connected;
  await until(github, 1, PLAN, deployable);
  await page.goto(headway.url);
  await page.getByRole("link", { name: "simulated GitHub" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Repositories" })).toBeVisible();
  await page.getByRole("link", { name: "Add a cache to the private subnet" }).click();
  await expect(page.getByRole("navigation", { name: "Check runs" })).toContainText("success headway/network");
  await expect(page.getByRole("heading", { level: 2 })).toHaveText("+1 ~0 -0, 1 output");
  await expect(page.getByText("+ terraform_data.cache create")).toBeVisible();
  await axe();
  await page.getByRole("button", { name: "Deploy" }).click();

  // The page shows by itself what comes of it.
  const checks = page.getByRole("navigation", { name: "Check runs" });
  await expect(checks.getByRole("link", { name: `success ${DEPLOY}` })).toBeVisible();
  await expect(page.getByRole("button", { name: "Deploy" })).toHaveCount(0);
  await checks.getByRole("link", { name: `success ${DEPLOY}` }).click();
  await expect(page.getByRole("heading", { level: 2 })).toHaveText(/^Applied \+1 ~0 -0/);
  await page.getByRole("link", { name: "Conversation" }).click();
  await expect(page.getByText("Deployment to Network: success")).toBeVisible();
  await axe();
  await page.getByText("Deployment to Network").getByRole("link").click();
  await expect(page.getByText("Promoted by github/acme")).toBeVisible();
  await expect(page.getByRole("list", { name: "Pull requests" })).toContainText("Add a cache to the private subnet #1");

  // Switched off, Deploy is gone from the next pull request.
  const repository = await github.repository();
  const files = { "queue.tf": resource("queue") };
  await headway.push("queue", files, "Add a queue", { from: "add-cache", repository });
  const number = await github.pullRequest("queue", "Add a queue");
  const stale = await until(github, number, PLAN, deployable);
  await page.goto(`${headway.url}/stack/network/settings/behavior`);
  await page.getByRole("switch", { name: "Allow run promotion" }).uncheck();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status")).toContainText("Saved.");
  await until(github, number, PLAN, (run) => !deployable(run));
  await page.goto(`${github.url}/acme/network/pull/${number}/checks`);
  await expect(page.getByRole("button", { name: "Preview" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Deploy" })).toHaveCount(0);

  // A tab that still shows the button: pressed there, nothing is done, and the check says why.
  await page.request.post(`${github.url}/acme/network/check-runs/${stale.id}/click`, {
    form: { identifier: "deploy", as: "acme", back: `/acme/network/pull/${number}/checks` },
  });
  await expect(page.getByText("Nothing was done.")).toBeVisible();
  await expect(page.getByRole("main")).toContainText("Run promotion is switched off for this stack.");
  await expect(page.getByRole("main")).toContainText("Allow run promotion");
  expect(await github.check(number, DEPLOY)).toBeUndefined();
});

test("a team connects its GitHub with one click", async ({ page, axe, headway, sample: _ }) => {
  const github = await Github.start();
  try {
    await github.control("POST", "/repositories", { owner: "acme", name: "network", private: true });
    await page.goto(`${headway.url}/settings/github`);
    await expect(page.getByRole("button", { name: "Create GitHub App" })).toBeVisible();
    await page.getByText("For an organization, or on GitHub Enterprise").click();
    await page.getByLabel("Address of GitHub").first().fill(github.url);
    await page.getByRole("button", { name: "Use these" }).click();
    await axe();
    await page.getByRole("button", { name: "Create GitHub App" }).click();
    await page.getByRole("button", { name: "Create GitHub App for acme" }).click();
    await expect(page.getByRole("heading", { name: /^Install / })).toBeVisible();
    await page.getByRole("button", { name: "Install" }).click();
    await expect(page.getByText("GitHub answers for it.")).toBeVisible();
    await expect(page.getByRole("listitem").filter({ hasText: "acme/network" }).last()).toBeVisible();
    await axe();
    await page.getByRole("link", { name: "All deliveries" }).click();
    const ping = page.getByRole("row").filter({ hasText: "installation created" });
    await expect(ping).toContainText("done");
    await ping.getByRole("button", { name: /^Replay/ }).click();
    await expect(ping).toContainText("The App may see 1 repository on acme");
    await axe();
    await page.goto(`${headway.url}/stacks/new`);
    await expect(page.getByLabel("From GitHub")).toHaveValue(`${github.url}/acme/network.git`);
    await page.goto(`${headway.url}/settings/github`);
    await page.getByText("Disconnect", { exact: true }).click();
    await page.getByRole("button", { name: "Disconnect the App" }).click();
    await expect(page.getByRole("button", { name: "Create GitHub App" })).toBeVisible();
  } finally {
    await github.remove();
  }
});

test("every published example of an event goes through the webhook", async ({ connected }, testInfo) => {
  test.skip(testInfo.project.name === "plain", "no page is looked at: once is enough");
  const { github, headway } = connected;
  await until(github, 1, PLAN, deployable);
  const secret = "a secret of the test's own";
  const app = await github.control<{ id: number; pem: string }>("POST", "/apps", {
    name: "Examples",
    webhook_url: `${headway.url}/webhooks/github`,
  });
  await headway.call("connect_github", {
    app_id: String(app.id),
    private_key: app.pem,
    webhook_secret: secret,
    web_address: github.url,
    api_address: `${github.url}/api/v3`,
  });
  type Published = { name: string; examples: Record<string, unknown>[] }[];
  const published = createRequire(import.meta.url)("@octokit/webhooks-examples/api.github.com/index.json") as Published;
  const events = new Map(published.map(({ name, examples }) => [name, examples]));
  let sent = 0;
  for (const [event, examples] of events) {
    for (const example of examples) {
      const body = JSON.stringify(example);
      const response = await fetch(`${headway.url}/webhooks/github`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-github-event": event,
          "x-github-delivery": `example-${(sent += 1)}`,
          "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
        },
        body,
      });
      expect([200, 202], `${event} ${String(example["action"])}`).toContain(response.status);
    }
  }
  expect(sent).toBeGreaterThan(100);
  type Row = { id: string; event: string; state: string; outcome: string };
  const rows: Row[] = [];
  await expect
    .poll(async () => {
      rows.length = 0;
      let older: [number, string] | null = null;
      do {
        const fields: Record<string, string> = older === null ? {} : { before: String(older[0]), id: older[1] };
        type Ledger = { deliveries: Row[]; older: [number, string] | null };
        const { answer } = await headway.call<Ledger>("deliveries", fields);
        rows.push(...answer.deliveries);
        older = answer.older;
      } while (older !== null);
      return rows.filter((row) => row.state === "waiting").length;
    }, { timeout: 60_000 })
    .toBe(0);
  expect(rows.filter((row) => row.id.startsWith("example-"))).toHaveLength(sent);
  // Examples of installations that are nobody's are looked up, and are not there: that is no error.
  const failed = rows.filter((row) => row.id.startsWith("example-") && row.state === "failed");
  expect(failed.map((row) => `${row.event}: ${row.outcome}`)).toEqual([]);
});
