/**
 * People: the first one follows the printed link and becomes the administrator, invites others, who sign in and are told
 * what they may not do; a writer may.
 */
import { expect, Headway, test } from "../fixtures.ts";
import { createRepository } from "../stack.ts";

const password = "umbrella-tractor-violin-38";

let team: Headway;

test.beforeEach(async () => {
  team = await Headway.start({ command: "serve" });
});

test.afterEach(async () => {
  await team.remove();
});

test("the first link makes the administrator, who lets others in as readers and writers", async ({
  browser,
  page,
  axe,
  javaScriptEnabled,
}) => {
  test.slow();
  const link = () => /http:\S+\/welcome\?link=\S+/.exec(team.output)?.[0] ?? "";
  await expect.poll(link).not.toBe("");
  await page.goto(link());
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Welcome to Headway");
  await axe();
  await page.getByLabel("Name").fill("ada");
  await page.getByLabel("Password").fill("password1");
  await page.getByRole("button", { name: "Choose and sign in" }).click();
  await expect(page.getByRole("alert")).toContainText("guessed too soon");
  await expect(page.getByLabel("Name")).toHaveValue("ada");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Choose and sign in" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Stacks");

  const invite = async (name: string, role: string) => {
    await page.goto(`${team.url}/settings/people`);
    const form = page.getByRole("region", { name: "Invite somebody" });
    await form.getByLabel("Name").fill(name);
    await form.getByLabel("Role in the whole").selectOption(role);
    await form.getByRole("button", { name: "Invite" }).click();
    const made = page.getByLabel("The link");
    await expect(made).toBeVisible();
    await axe();
    const context = await browser.newContext({ javaScriptEnabled });
    const theirs = await context.newPage();
    await theirs.goto(await made.inputValue());
    await theirs.getByLabel("Password").fill(password);
    await theirs.getByRole("button", { name: "Choose and sign in" }).click();
    await expect(theirs.getByRole("heading", { level: 1 })).toHaveText("Stacks");
    return theirs;
  };
  const reader = await invite("rosa", "reader");
  const writer = await invite("wanda", "writer");

  // A stack, made by the administrator.
  const repository = await createRepository(team, "network", { "main.tf": "" });
  await page.goto(`${team.url}/stacks/new`);
  await page.getByLabel("Repository").fill(repository);
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByLabel("Name").fill("Network");
  await page.getByRole("button", { name: "Make the stack" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Network");
  await page.getByRole("link", { name: "Who may do what" }).click();
  await expect(page.getByRole("region", { name: "Can promote" })).toContainText("wanda");
  await expect(page.getByRole("region", { name: "Can look" })).toContainText("rosa");
  await axe();

  await reader.goto(`${team.url}/stack/network`);
  await expect(reader.getByText("You are a reader here")).toBeVisible();
  await expect(reader.getByRole("button", { name: "Sync (takes the role writer)" })).toBeVisible();
  await reader.getByRole("button", { name: "Trigger" }).click();
  await expect(reader.getByRole("alert")).toContainText("That takes the role writer.");
  await writer.goto(`${team.url}/stack/network`);
  await expect(writer.getByText("You are a reader here")).toHaveCount(0);
  await expect(writer.getByText("takes the role")).toHaveCount(0);
  await writer.getByRole("button", { name: "Trigger" }).click();
  await expect(writer).toHaveURL(/\/stack\/network\/run\//);

  // Out, and in again; back to the page that was asked for.
  await reader.goto(`${team.url}/account`);
  await expect(reader.getByRole("region", { name: "rosa" })).toContainText("reader");
  await reader.getByRole("button", { name: "Sign out" }).click();
  await expect(reader.getByRole("heading", { level: 1 })).toHaveText("Sign in");
  await reader.goto(`${team.url}/stack/network`);
  await expect(reader.getByRole("heading", { level: 1 })).toHaveText("Sign in");
  await reader.getByLabel("Name").fill("rosa");
  await reader.getByLabel("Password").fill("not the password");
  await reader.getByRole("button", { name: "Sign in" }).click();
  await expect(reader.getByRole("alert")).toContainText("This name and password do not fit.");
  await reader.getByLabel("Password").fill(password);
  await reader.getByRole("button", { name: "Sign in" }).click();
  await expect(reader).toHaveURL(`${team.url}/stack/network`);

  // A token, shown once.
  await writer.goto(`${team.url}/account`);
  await writer.getByLabel("Name").fill("nightly");
  await writer.getByRole("button", { name: "Make token" }).click();
  const token = await writer.getByLabel("The new access token").inputValue();
  expect(token).toMatch(/^headway_/);
  const answer = await fetch(`${team.url}/stack/network`, { headers: { authorization: `Bearer ${token}` } });
  expect(answer.status).toBe(200);
  await writer.reload();
  await expect(writer.getByLabel("The new access token")).toHaveCount(0);
  await reader.context().close();
  await writer.context().close();
});
