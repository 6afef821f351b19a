/**
 * A new stack in two steps: the repository first, and with its branches and folders on offer the stack itself. A
 * repository that cannot be read is refused at its field; a new stack says on every page what to do next.
 */
import { randomUUID } from "node:crypto";
import { expect, test } from "../fixtures.ts";
import { createRepository, resource } from "../stack.ts";

test("two steps lead from a repository to a stack", async ({ page, headway, sample: _, axe, javaScriptEnabled }) => {
  const id = `shop-${randomUUID().slice(0, 8)}`;
  const files = { "dns/main.tf": resource("dns"), "network/main.tf": resource("network"), "README.md": "Hello\n" };
  const repository = await createRepository(headway, id, files);
  await headway.push("trial", { "trial/main.tf": resource("trial") }, "Try a folder", { repository });

  await page.goto("/");
  await page.getByRole("link", { name: "New stack" }).click();
  await expect(page.getByText("Step 1 of 2")).toBeVisible();
  const address = page.getByRole("textbox", { name: "Repository" });
  const next = page.getByRole("button", { name: "Next" });
  const nowhere = headway.path("nowhere.git");
  await address.fill(nowhere);
  const answer = page.waitForResponse((response) => response.status() === 422);
  await next.click();
  await answer;
  await expect(address).toHaveAttribute("aria-invalid", "true");
  await expect(address).toHaveAccessibleDescription(/\S\..*\S\./s);
  await expect(address).toHaveValue(nowhere);
  await axe();

  await address.fill(repository);
  await next.click();
  await expect(page.getByText("Step 2 of 2")).toBeVisible();
  const branch = page.getByRole("combobox", { name: "Tracked branch" });
  await expect(branch.getByRole("option")).toHaveText(["main", "trial"]);
  await expect(branch).toHaveValue("main");
  const folders = page.locator("#configurations option");
  // While the repository is read, a page without a script looks when it is told to; on the way there is nothing to see.
  const look = page.getByRole("button", { name: "Look for its folders" });
  const offered = async () => {
    if (await look.isVisible()) await look.click();
    return folders.evaluateAll((options) => options.map((option) => option.getAttribute("value"))).catch(() => []);
  };
  await expect.poll(offered).toEqual(["dns", "network"]);
  await expect(page.getByRole("combobox", { name: "Project root" })).toHaveValue("dns");
  await axe();
  // With a script the folders follow the branch by themselves; without, what is filled in stays.
  const showFolders = async () => {
    if (!javaScriptEnabled) await page.getByRole("button", { name: "Show its folders" }).click();
  };
  await expect(page.getByRole("button", { name: "Show its folders" })).toBeVisible({ visible: !javaScriptEnabled });
  await page.getByRole("textbox", { name: "Description" }).fill("kept");
  await branch.selectOption("trial");
  await showFolders();
  await expect.poll(offered).toEqual(["dns", "network", "trial"]);
  await expect(branch).toHaveValue("trial");
  await expect(page.getByRole("textbox", { name: "Description" })).toHaveValue("kept");
  await branch.selectOption("main");
  await showFolders();
  await expect.poll(offered).toEqual(["dns", "network"]);

  const name = page.getByRole("textbox", { name: "Name" });
  const root = page.getByRole("combobox", { name: "Project root" });
  const make = page.getByRole("button", { name: "Make the stack" });
  await page.getByRole("textbox", { name: "Description" }).fill("Where the shop lives");
  await name.fill("Network");
  await root.fill("network");
  await make.click();
  await expect(name).toHaveAttribute("aria-invalid", "true");
  await expect(name).toHaveAccessibleDescription(/Another stack is called/);
  await expect(name).toHaveValue("Network");
  await expect(root).toHaveValue("network");
  await expect(page.getByRole("textbox", { name: "Description" })).toHaveValue("Where the shop lives");
  await name.fill(id);
  await page.getByRole("switch", { name: "Allow run promotion" }).check();
  await make.click();

  await expect(page).toHaveURL(`/stack/${id}`);
  await expect(page.getByRole("heading", { level: 1 })).toContainText(id);
  await expect(page.getByRole("main")).toContainText("network");
  await expect(page.getByRole("heading", { name: "No tracked runs yet" })).toBeVisible();
  await expect(page.getByText("No current commit yet")).toBeVisible();
  await axe();
  await page.goto(`/stack/${id}/proposed`);
  await expect(page.getByRole("main")).toContainText("trial");
  await expect(page.getByRole("main")).toContainText("No proposed run yet");
  await page.goto(`/stack/${id}/settings/behavior`);
  await expect(page.getByRole("switch", { name: "Allow run promotion" })).toBeChecked();
  await expect(page.getByRole("switch", { name: "Autodeploy" })).not.toBeChecked();
  await page.goto(`/stack/${id}/settings/environment`);
  await expect(page.getByText("No variables yet.")).toBeVisible();
});

test("what is typed while the repository is read stays as its folders come", async ({
  page,
  open,
  headway,
  sample: _,
  javaScriptEnabled,
}) => {
  test.skip(!javaScriptEnabled, "without a script nothing comes by itself");
  const id = `slow-${randomUUID().slice(0, 8)}`;
  const repository = await createRepository(headway, id, { "dns/main.tf": resource("dns") });
  const { to } = await headway.call("add_repository", { address: repository });
  // As while a large repository is fetched for the first time.
  let unread = true;
  let asked = 0;
  await page.route("**/api/repository", async (route) => {
    const response = await route.fetch();
    asked += 1;
    const view = { ...(await response.json()), ...(unread && { configurations: null }) };
    await route.fulfill({ response, json: view });
  });
  await open("/");
  await page.getByRole("link", { name: "New stack" }).click();
  await page.getByRole("textbox", { name: "Repository" }).fill(repository);
  await page.getByRole("button", { name: "Next" }).click();
  await expect(page).toHaveURL(to);
  const reading = page.getByRole("status").filter({ hasText: "Headway is reading the repository" });
  await expect(reading).toBeVisible();
  const [name, description] = ["Name", "Description"].map((name) => page.getByRole("textbox", { name }));
  await name.fill("Half a na");
  await description.fill("half a sent");
  const before = asked;
  await expect.poll(() => asked).toBeGreaterThan(before + 1);
  await expect(description).toBeFocused();
  unread = false;
  await expect(reading).toHaveCount(0);
  await expect(page.getByRole("combobox", { name: "Project root" })).toHaveValue("dns");
  await expect(name).toHaveValue("Half a na");
  await expect(description).toHaveValue("half a sent");
  await expect(description).toBeFocused();
});

test("a stack without branches or runs says what to do next", async ({ page, open, stack }) => {
  await open(stack.home);
  await expect(page.getByRole("heading", { name: "No tracked runs yet" })).toBeVisible();
  await expect(page.getByText("Trigger starts one now, and a proposed run can be promoted to one.")).toBeVisible();
  await page.getByRole("link", { name: "Proposed runs" }).click();
  await expect(page.getByRole("heading", { name: "No branches besides the tracked one" })).toBeVisible();
  await expect(page.getByText("it gets a proposed run, which only plans, within half a minute")).toBeVisible();
});

test("Trigger runs the current commit", async ({ page, open, stack }) => {
  await open(stack.home);
  await page.getByRole("button", { name: "Trigger" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Begin");
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Finished");
  await page.getByRole("link", { name: /^Changes/ }).click();
  await expect(page.getByRole("region", { name: "Resources" })).toContainText("terraform_data.first");
});
