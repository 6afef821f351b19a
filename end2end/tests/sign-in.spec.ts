/**
 * Signing in elsewhere: with GitHub, after the account was connected, and with an OpenID Connect provider, whose groups have
 * roles here.
 */
import type { Page } from "@playwright/test";
import { expect, Headway, test } from "../fixtures.ts";
import { Github } from "../github.ts";
import { clientId, clientSecret, Provider } from "../provider.ts";

const password = "umbrella-tractor-violin-38";

let team: Headway;

test.beforeEach(async ({ page }) => {
  team = await Headway.start({ command: "serve" });
  const link = () => /http:\S+\/welcome\?link=\S+/.exec(team.output)?.[0] ?? "";
  await expect.poll(link).not.toBe("");
  await page.goto(`${team.url}/sign-in`);
  await expect(page.getByText("It has printed a link for its first administrator")).toBeVisible();
  await page.goto(link());
  await page.getByLabel("Name").fill("ada");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Choose and sign in" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Stacks");
});

test.afterEach(async () => {
  await team.remove();
});

/** Signs out, and looks at what the page offers then. */
async function signOut(page: Page): Promise<void> {
  await page.goto(`${team.url}/account`);
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Sign in");
  await expect(page.getByText("It has printed a link")).toHaveCount(0);
}

test("whoever has connected their account on GitHub signs in with it", async ({ page, axe }) => {
  test.slow();
  const github = await Github.start();
  try {
    await github.control("POST", "/repositories", { owner: "acme", name: "network", private: false });
    const app = await github.control<Record<"id" | "pem" | "webhook_secret" | "client_secret", string>>("POST", "/apps", {
      name: "Headway",
      owner: "acme",
      webhook_url: `${team.url}/webhooks/github`,
      permissions: { metadata: "read" },
      events: [],
      callback_urls: [`${team.url}/sign-in/callback`],
    });
    const connected = await page.request.post(`${team.url}/api/connect_github`, {
      headers: { accept: "application/json" },
      form: {
        app_id: String(app.id),
        private_key: app.pem,
        webhook_secret: app.webhook_secret,
        client_secret: app.client_secret,
        web_address: github.url,
        api_address: `${github.url}/api/v3`,
      },
    });
    expect(connected.ok(), await connected.text()).toBe(true);
    await page.goto(`${team.url}/settings/people`);
    await page.getByRole("switch", { name: "GitHub" }).check();
    await page.getByRole("button", { name: "Save the ways" }).click();
    await expect(page.getByRole("status")).toContainText("Saved.");

    // Nobody has connected it yet.
    await signOut(page);
    await axe();
    await page.getByRole("link", { name: "Continue with GitHub" }).click();
    await page.getByRole("button", { name: "Continue as acme" }).click();
    await expect(page.getByRole("alert")).toContainText("Nobody here has connected the GitHub account acme.");
    await axe();

    await page.getByLabel("Name").fill("ada");
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Stacks");
    await page.goto(`${team.url}/account`);
    await page.getByRole("link", { name: "Connect GitHub" }).click();
    await page.getByRole("button", { name: "Continue as acme" }).click();
    await expect(page).toHaveURL(`${team.url}/account`);
    await expect(page.getByText("You also sign in with GitHub as acme.")).toBeVisible();

    // Back to the page that was asked for.
    await signOut(page);
    await page.goto(`${team.url}/settings/people`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Sign in");
    await page.getByRole("link", { name: "Continue with GitHub" }).click();
    await page.getByRole("button", { name: "Continue as acme" }).click();
    await expect(page).toHaveURL(`${team.url}/settings/people`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("People");
  } finally {
    await github.remove();
  }
});

test("whoever an OpenID Connect provider names has the roles of their groups", async ({ page, axe }) => {
  test.slow();
  const provider = await Provider.start();
  try {
    provider.groups.grace = ["ops", "staff"];
    provider.groups.mallory = ["visitors"];
    await page.goto(`${team.url}/settings/people`);
    const ways = page.getByRole("region", { name: "Ways to sign in" });
    await ways.getByLabel("Provider's name").fill("Example");
    await ways.getByLabel("Provider's address").fill(provider.url);
    await ways.getByLabel("Client ID").fill(clientId);
    await ways.getByLabel("Client secret").fill(clientSecret);
    await ways.getByRole("button", { name: "Save the ways" }).click();
    await expect(page.getByRole("status")).toContainText("Saved.");
    const granted = await page.request.post(`${team.url}/api/set_role`, {
      headers: { accept: "application/json" },
      form: { group: "ops", role: "writer" },
    });
    expect(granted.ok(), await granted.text()).toBe(true);

    await signOut(page);
    await axe();
    await page.getByRole("link", { name: "Continue with Example" }).click();
    await page.getByRole("button", { name: "I am mallory" }).click();
    await expect(page.getByRole("alert")).toContainText("none of your groups has a role here");
    await axe();
    await page.goto(`${team.url}/account`);
    await page.getByRole("link", { name: "Continue with Example" }).click();
    await page.getByRole("button", { name: "I am grace" }).click();
    await expect(page).toHaveURL(`${team.url}/account`);
    await expect(page.getByRole("region", { name: "grace" })).toContainText("writer in the whole of this Headway");
    await expect(page.getByText("Groups: ops, staff")).toBeVisible();
    await axe();

    // Taken out of the group, the role is gone with the next sign-in.
    provider.groups.grace = ["staff"];
    await signOut(page);
    await page.getByRole("link", { name: "Continue with Example" }).click();
    await page.getByRole("button", { name: "I am grace" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Stacks");
    await page.goto(`${team.url}/account`);
    await expect(page.getByText("You have no role yet.")).toBeVisible();
  } finally {
    await provider.remove();
  }
});
