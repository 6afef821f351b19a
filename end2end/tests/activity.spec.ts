/**
 * The activity log: what was done with what was before and after, what was asked for in the address, and the whole of it
 * as JSON lines. Without JavaScript all the same.
 */
import { readFile } from "node:fs/promises";
import { expect, test } from "../fixtures.ts";

test("the activity log shows before and after, is narrowed by a form, and exported", async ({
  page,
  open,
  stack,
  axe,
}) => {
  await page.goto(`${stack.home}/settings/behavior`);
  await page.getByRole("switch", { name: "Autoretry" }).check();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status").filter({ hasText: "Saved." })).toBeVisible();

  await open("/activity");
  await page.getByLabel("Stack", { exact: true }).selectOption(stack.id);
  await page.getByLabel("Action").selectOption("change settings");
  // What happens meanwhile is told, and takes nothing away of what is being chosen.
  const elsewhere = await page.context().newPage();
  await elsewhere.goto(`${stack.home}/settings/behavior`);
  const autodeploy = elsewhere.getByRole("switch", { name: "Autodeploy" });
  await autodeploy.setChecked(!(await autodeploy.isChecked()));
  await elsewhere.getByRole("button", { name: "Save" }).click();
  await expect(elsewhere.getByRole("status").filter({ hasText: "Saved." })).toBeVisible();
  await elsewhere.close();
  if (test.info().project.name === "javascript") {
    await expect(page.getByRole("button", { name: "Show them" })).toBeVisible();
  }
  await expect(page.getByLabel("Action")).toHaveValue("change settings");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`stack=${stack.id}&.*action=change(\\+|%20)settings`));
  const log = page.getByRole("region", { name: "Activity log" });
  await expect(log.locator("tbody > tr").filter({ hasText: "create stack" })).toHaveCount(0);
  await expect(log).toContainText("Autoretry: off → on");
  // The form still says what was asked for.
  await expect(page.getByLabel("Action")).toHaveValue("change settings");

  const entry = log.getByRole("row").filter({ hasText: "Autoretry: off → on" }).first();
  await entry.locator("summary").click();
  await expect(entry.getByRole("row", { name: "Autoretry off on" })).toBeVisible();
  await expect(entry.locator("dd code")).toHaveText(/^[0-9a-f]{64}$/);
  await axe();

  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Export as JSON lines" }).click(),
  ]);
  const lines = (await readFile(await download.path(), "utf8")).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line))).toContainEqual(
    expect.objectContaining({
      action: "change settings",
      stack: stack.id,
      outcome: "done",
      differences: [{ field: "Autoretry", before: { text: "off" }, after: { text: "on" } }],
    }),
  );

  await page.getByLabel("Text").fill("nobody ever wrote this");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await expect(page.getByRole("heading", { name: "No entry fits" })).toBeVisible();
  await axe();
  await page.getByRole("main").getByRole("link", { name: "Show all" }).first().click();
  await expect(page.getByLabel("Action")).toHaveValue("");
  await expect(log).toContainText("create stack");
});
