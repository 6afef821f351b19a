/**
 * Settings: the switches of Behavior in their order, each with its line; Save rests until something changed; what was
 * saved is there after a reload; a stale save is refused and nothing that was typed is lost; a field that cannot be
 * taken says so; a stack follows its repository to another address; a secret is never shown again; a stack goes only
 * when its name was typed.
 */
import { expect, test } from "../fixtures.ts";

const switches = [
  ["Autodeploy", "Plans of tracked runs are applied without asking, unless something holds them."],
  ["Autoretry", "After an apply, proposed runs that it may have outdated are planned again."],
  ["Protect from deletion", "The stack cannot be deleted while this is on."],
  [
    "Allow run promotion",
    "Proposed runs can be promoted (deployed) from the run page, the API or a GitHub pull request.",
  ],
  ["Enable secret masking", "Values of secret variables are masked in logs."],
] as const;

test("Behavior has its five switches in order, and saves them", async ({
  page,
  open,
  stack,
  axe,
  javaScriptEnabled,
}) => {
  await open(`${stack.home}/settings/behavior`);
  await expect(page.getByText("Advanced options")).toBeVisible();
  const all = page.getByRole("switch");
  await expect(all).toHaveCount(switches.length);
  for (const [index, [name, description]] of switches.entries()) {
    await expect(all.nth(index)).toHaveAccessibleName(name);
    await expect(all.nth(index)).toHaveAccessibleDescription(description);
  }

  const save = page.getByRole("button", { name: "Save" });
  const autoretry = page.getByRole("switch", { name: "Autoretry" });
  if (javaScriptEnabled) {
    await expect(save).toBeDisabled();
    await autoretry.check();
    await expect(save).toBeEnabled();
    await autoretry.uncheck();
    await expect(save).toBeDisabled();
  }
  const saved = page.getByRole("status").filter({ hasText: "Saved." });
  await expect(saved).toHaveCount(0);
  await autoretry.check();
  await save.click();
  await expect(saved).toBeVisible();
  await axe();
  // And once more: what is saved now is where the next save starts. "Saved." is there from before, so the version of
  // the form tells when the second answer has come.
  const version = page.locator('input[name="version"]');
  const before = await version.inputValue();
  await page.getByRole("switch", { name: "Autodeploy" }).uncheck();
  await save.click();
  await expect(version).not.toHaveValue(before);
  await expect(saved).toBeVisible();
  await expect(save).toBeEnabled({ enabled: !javaScriptEnabled });
  await expect(page.getByRole("alert")).toHaveCount(0);

  await page.goto(`${stack.home}/settings/behavior`);
  await expect(autoretry).toBeChecked();
  await expect(page.getByRole("switch", { name: "Autodeploy" })).not.toBeChecked();
  await expect(page.getByRole("switch", { name: "Allow run promotion" })).toBeChecked();
});

test("Cancel brings back what is saved", async ({ page, open, stack }) => {
  await open(`${stack.home}/settings/details`);
  await page.getByRole("textbox", { name: "Name" }).fill("Not this");
  await page.getByRole("link", { name: "Cancel" }).click();
  await expect(page.getByRole("textbox", { name: "Name" })).toHaveValue(stack.name);
});

test("a stale save is refused with what changed, and what was typed stays", async ({ page, open, stack, axe }) => {
  await open(`${stack.home}/settings/details`);
  await stack.behave({ autoretry: true });
  const description = page.getByRole("textbox", { name: "Description" });
  await description.fill("Typed meanwhile");
  const save = page.getByRole("button", { name: "Save" });
  const answer = page.waitForResponse((response) => response.status() === 409);
  await save.click();
  await answer;
  const alert = page.getByRole("alert");
  await expect(alert).toContainText("Somebody saved these settings while you edited.");
  await expect(alert).toContainText("Autoretry");
  await expect(description).toHaveValue("Typed meanwhile");
  await axe();
  await save.click();
  await expect(page.getByRole("status").filter({ hasText: "Saved." })).toBeVisible();
  await page.goto(`${stack.home}/settings/behavior`);
  await expect(page.getByRole("switch", { name: "Autoretry" })).toBeChecked();
  await page.goto(stack.home);
  await page.goto(`${stack.home}/settings/details`);
  await expect(description).toHaveValue("Typed meanwhile");
});

test("a name that cannot be taken is marked at its field, and stays there", async ({ page, open, stack, axe }) => {
  const long = "n".repeat(81);
  await open(`${stack.home}/settings/details`);
  const name = page.getByRole("textbox", { name: "Name" });
  await expect(name).not.toHaveAttribute("aria-invalid", "true");
  await name.fill(long);
  await page.getByRole("textbox", { name: "Labels" }).fill("kept, too");
  const answer = page.waitForResponse((response) => response.status() === 422);
  await page.getByRole("button", { name: "Save" }).click();
  await answer;
  await expect(name).toHaveAttribute("aria-invalid", "true");
  await expect(name).toHaveAccessibleDescription(/at most 80 characters/);
  await expect(name).toHaveValue(long);
  await expect(page.getByRole("textbox", { name: "Labels" })).toHaveValue("kept, too");
  await axe();
  // A title is text, whatever stands in it.
  await name.fill(`${stack.name} <b> & again`);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status").filter({ hasText: "Saved." })).toBeVisible();
  await expect(name).not.toHaveAttribute("aria-invalid", "true");
  // What was saved is not said beside what was not.
  await name.fill(long);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(name).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByRole("status").filter({ hasText: "Saved." })).toHaveCount(0);
  await page.goto(stack.home);
  await expect(page).toHaveTitle(`${stack.name} <b> & again · Headway`);
  await page.goto(`${stack.home}/proposed`);
  await expect(page).toHaveTitle(`Proposed runs · ${stack.name} <b> & again · Headway`);
});

test("a stack follows its repository to another address", async ({ page, open, stack, axe }) => {
  await open(`${stack.home}/settings/source`);
  const repository = page.getByRole("textbox", { name: "Repository" });
  await expect(repository).toHaveValue(stack.repository);
  const globs = page.getByRole("textbox", { name: "Additional globs" });
  await globs.fill("modules/**");
  await repository.fill(`${stack.repository}.nowhere`);
  const save = page.getByRole("button", { name: "Save" });
  const answer = page.waitForResponse((response) => response.status() === 422);
  await save.click();
  await answer;
  await expect(repository).toHaveAttribute("aria-invalid", "true");
  await expect(repository).toHaveAccessibleDescription(/There is no Git repository at this address/);
  await expect(repository).toHaveValue(`${stack.repository}.nowhere`);
  await expect(globs).toHaveValue("modules/**");
  await axe();

  const moved = `${stack.repository}.moved`;
  await stack.headway.git("clone", "--quiet", "--bare", stack.repository, moved);
  await repository.fill(moved);
  await save.click();
  await expect(page.getByRole("status").filter({ hasText: "Saved." })).toBeVisible();
  await expect(repository).not.toHaveAttribute("aria-invalid", "true");
  await page.goto(stack.home);
  await page.goto(`${stack.home}/settings/source`);
  await expect(repository).toHaveValue(moved);
  await expect(globs).toHaveValue("modules/**");
});

test("a secret variable is never shown again, a plain one is", async ({ page, open, stack, axe }) => {
  const secret = "canary-52d1e0";
  await open(`${stack.home}/settings/environment`);
  await expect(page.getByText("No variables yet.")).toBeVisible();
  const set = async (name: string, value: string, isSecret: boolean) => {
    await page.getByRole("textbox", { name: "Name" }).fill(name);
    await page.getByRole("textbox", { name: "Value" }).fill(value);
    await page.getByRole("switch", { name: "Secret" }).setChecked(isSecret);
    await page.getByRole("button", { name: "Set variable" }).click();
    await expect(page.getByRole("row").filter({ hasText: name })).toBeVisible();
  };
  await set("TF_VAR_token", secret, true);
  const token = page.getByRole("row").filter({ hasText: "TF_VAR_token" });
  await expect(token).toContainText("secret");
  await expect(page.getByRole("textbox", { name: "Value" })).toHaveValue("");
  expect(await page.content()).not.toContain(secret);
  await set("TF_VAR_region", "eu-west-1", false);
  await expect(page.getByRole("row").filter({ hasText: "TF_VAR_region" })).toContainText("eu-west-1");
  await axe();

  await page.goto(`${stack.home}/settings/environment`);
  await expect(token).toContainText("planning and applying");
  expect(await page.content()).not.toContain(secret);
  // Set anew elsewhere, it is removed only by somebody who was told.
  const seen = token.locator('input[name="seen"]');
  const before = await seen.inputValue();
  const fields = { name: "TF_VAR_token", value: "canary-9c3b77", secret: "true", planning: "true", seen: before };
  await stack.headway.call("set_variable", { stack: stack.id, ...fields });
  await page.getByRole("button", { name: "Remove TF_VAR_token" }).click();
  await expect(page.getByRole("alert")).toContainText("TF_VAR_token (another secret)");
  await expect(seen).not.toHaveValue(before);
  await page.getByRole("button", { name: "Remove TF_VAR_token" }).click();
  await expect(token).toHaveCount(0);
  await expect(page.getByRole("row").filter({ hasText: "TF_VAR_region" })).toBeVisible();
});

test("a variable is changed where it stands, and never under somebody's hands", async ({ page, open, stack, axe }) => {
  await open(`${stack.home}/settings/environment`);
  const name = page.getByRole("textbox", { name: "Name" });
  const value = page.getByRole("textbox", { name: "Value" });
  const set = page.getByRole("button", { name: "Set variable" });
  const row = page.getByRole("row").filter({ hasText: "TF_VAR_region" });
  await name.fill("TF_VAR_region");
  await value.fill("eu-west-1");
  await set.click();
  await expect(row).toContainText("eu-west-1");
  // A new one has no name that is taken.
  await name.fill("TF_VAR_region");
  await value.fill("eu-west-2");
  await set.click();
  await expect(name).toHaveAccessibleDescription(/There is a variable TF_VAR_region already/);
  await expect(value).toHaveValue("eu-west-2");

  await page.getByRole("link", { name: "Change TF_VAR_region" }).click();
  await expect(page.getByRole("heading", { name: "Change TF_VAR_region" })).toBeVisible();
  await expect(name).toHaveValue("TF_VAR_region");
  await expect(name).not.toBeEditable();
  await expect(value).toHaveValue("eu-west-1");
  await axe();
  const other = await page.context().newPage();
  await other.goto(page.url());
  await other.getByRole("textbox", { name: "Value" }).fill("eu-north-1");
  await other.getByRole("button", { name: "Set variable" }).click();
  await expect(other.getByRole("row").filter({ hasText: "eu-north-1" })).toBeVisible();
  await other.close();
  await value.fill("eu-west-3");
  await set.click();
  await expect(page.getByRole("alert")).toContainText('TF_VAR_region (now "eu-north-1")');
  await expect(value).toHaveValue("eu-west-3");
  // Whoever was told and sets it again means it.
  await set.click();
  await expect(row).toContainText("eu-west-3");
  await expect(page.getByRole("heading", { name: "Set a variable" })).toBeVisible();
  await expect(name).toHaveValue("");
});

test("a variable that cannot be set keeps what was typed", async ({ page, open, stack }) => {
  await open(`${stack.home}/settings/environment`);
  await page.getByRole("textbox", { name: "Name" }).fill("9 lives");
  await page.getByRole("textbox", { name: "Value" }).fill("kept");
  await page.getByRole("button", { name: "Set variable" }).click();
  const name = page.getByRole("textbox", { name: "Name" });
  await expect(name).toHaveAttribute("aria-invalid", "true");
  await expect(name).toHaveValue("9 lives");
  await expect(page.getByRole("textbox", { name: "Value" })).toHaveValue("kept");
});

test("a stack goes only when its name was typed and nothing protects it", async ({ page, open, stack, axe }) => {
  await stack.behave({ protect_from_deletion: true });
  await open(`${stack.home}/settings/deletion`);
  await expect(page.getByText("The stack is protected from deletion.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Delete the stack" })).toHaveCount(0);
  await stack.behave({ protect_from_deletion: false });
  await open(`${stack.home}/settings/deletion`);
  const name = page.getByRole("textbox", { name: "Name of the stack" });
  await name.fill("another");
  await page.getByRole("button", { name: "Delete the stack" }).click();
  await expect(name).toHaveAttribute("aria-invalid", "true");
  await axe();
  await name.fill(stack.name);
  await page.getByRole("button", { name: "Delete the stack" }).click();
  await expect(page).toHaveURL("/?deleted=true");
  await expect(page.getByRole("status").filter({ hasText: "The stack is deleted." })).toBeVisible();
  await expect(page.getByRole("link", { name: "Network" })).toBeVisible();
  await expect(page.getByRole("link", { name: stack.name })).toHaveCount(0);
  expect((await page.goto(stack.home))?.status()).toBe(404);
});
