/**
 * The main job by the keyboard alone, from the list of stacks to a finished deployment: every control is reached by
 * Tab, shows that it has the focus, and is worked by Enter or Space.
 */
import type { Locator, Page } from "@playwright/test";
import { expect, test } from "../fixtures.ts";
import { resource } from "../stack.ts";

/** Goes on by Tab until the control has the focus, and looks whether that can be seen. */
async function tabTo(page: Page, control: Locator): Promise<void> {
  await expect(control).toBeVisible();
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press("Tab");
    if (await control.evaluate((element) => element === document.activeElement)) {
      const outline = await control.evaluate((element) => getComputedStyle(element).outlineStyle);
      expect(outline, "the focus can be seen").not.toBe("none");
      await expect(control).toBeInViewport();
      return;
    }
  }
  throw new Error(`Tab never leads to ${control}`);
}

test("from the list of stacks to a finished deployment without a mouse", async ({ page, open, stack }) => {
  await stack.behave({ autodeploy: false });
  await stack.propose("keys", { "keys.tf": resource("keys") }, "Use the keyboard");
  const press = async (control: Locator, key = "Enter") => {
    await tabTo(page, control);
    await page.keyboard.press(key);
  };
  const title = page.getByRole("heading", { level: 1 });

  await open("/");
  await press(page.getByRole("link", { name: stack.name }));
  await expect(title).toContainText(stack.name);
  await press(page.getByRole("link", { name: "Settings", exact: true }));
  await expect(page).toHaveTitle(/^Stack details/);
  await press(page.getByRole("link", { name: "Behavior" }));
  await expect(page).toHaveTitle(/^Behavior/);
  await press(page.getByRole("switch", { name: "Autoretry" }), "Space");
  await expect(page.getByRole("switch", { name: "Autoretry" })).toBeChecked();
  await press(page.getByRole("button", { name: "Save" }));
  await expect(page.getByRole("status").filter({ hasText: "Saved." })).toBeVisible();
  await open(stack.home);
  await press(page.getByRole("link", { name: "Proposed runs" }));
  await press(page.getByRole("link", { name: "Review and promote" }));
  await expect(title).toContainText("Use the keyboard");

  const summary = page.getByText("All 9 conditions");
  await press(summary);
  await expect(page.getByText("It planned exactly this commit.")).toBeVisible();
  await page.goto(page.url());
  await press(page.getByRole("button", { name: "Promote", exact: true }));
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("heading")).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(dialog.getByRole("button", { name: "Promote this commit" })).toBeFocused();
  await page.keyboard.press("Enter");

  await expect(title).toContainText("Unconfirmed");
  await press(page.getByRole("button", { name: "Confirm" }));
  await expect(title).toContainText("Finished");
  await press(page.getByRole("link", { name: /^Changes/ }));
  await expect(page.getByRole("region", { name: "Resources" })).toContainText("terraform_data.keys");
});

test("the focus moves to the content when the page changes", async ({ page, open, sample, javaScriptEnabled }) => {
  test.skip(!javaScriptEnabled, "a browser does that by itself when it loads a page");
  await open(sample.stack.home);
  await page.getByRole("link", { name: "Proposed runs" }).press("Enter");
  await expect(page.getByRole("region", { name: "Branches" })).toBeVisible();
  await expect(page.getByRole("main")).toBeFocused();
});

test("the focus is never lost to a button that waited or went", async ({ page, open, stack, javaScriptEnabled }) => {
  test.skip(!javaScriptEnabled, "a browser does that by itself when it loads a page");
  const [main, title] = [page.getByRole("main"), page.getByRole("heading", { level: 1 })];
  await open(stack.home);
  const sync = page.getByRole("button", { name: "Sync" });
  await sync.press("Enter");
  await expect(page.getByText(/Fetched (now|\d+ s)/)).toBeVisible();
  await expect(sync).toBeFocused();

  await open(`${stack.home}/settings/behavior`);
  await page.getByRole("switch", { name: "Autodeploy" }).press("Space");
  await page.getByRole("button", { name: "Save" }).press("Enter");
  await expect(page.getByRole("status").filter({ hasText: "Saved." })).toBeVisible();
  await expect(main).toBeFocused();

  await stack.headway.call("trigger_run", { stack: stack.id });
  await open(await stack.tracked("unconfirmed"));
  await page.getByRole("button", { name: "Discard" }).press("Enter");
  await expect(title).toContainText("Discarded");
  await expect(main).toBeFocused();

  await open("/");
  await page.getByRole("link", { name: "New stack" }).press("Enter");
  await page.getByLabel("Repository").fill(stack.repository);
  await page.getByRole("button", { name: "Next" }).press("Enter");
  await expect(page.getByText("Step 2 of 2")).toBeVisible();
  await expect(main).toBeFocused();
});
