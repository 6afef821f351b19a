/**
 * Promotion, the feature itself: a newcomer sees which branches may be promoted and why the others may not, promotes
 * the one that may, and watches it being applied; the two runs lead to each other. Without autodeploy the plan waits
 * for Confirm or Discard, and a discarded promotion puts everything back. Without a script an older browser can promote
 * as well.
 */
import { writeFile } from "node:fs/promises";
import type { Route } from "@playwright/test";
import { Headway, expect, test } from "../fixtures.ts";
import { gatedResource, resource, sampleOf } from "../stack.ts";

test("a newcomer promotes the sample's one promotable branch in their first minute", async ({ page, axe }) => {
  // Its own server: there is one such branch, and the other tests look at it.
  const headway = await Headway.start();
  try {
    await sampleOf(headway);
    await page.goto(headway.url);
    await expect(page.getByRole("complementary", { name: "About this sample" })).toContainText("Try anything");
    await page.getByRole("link", { name: "Network" }).click();
    await page.getByRole("link", { name: "Proposed runs" }).click();

    const branch = (name: string) =>
      page
        .getByRole("region", { name: "Branches" })
        .getByRole("listitem")
        .filter({ has: page.getByRole("heading", { name, exact: true }) });
    await expect(branch("add-subnets")).toContainText(/Cannot be promoted.*is older than the stack's current commit/);
    await expect(branch("firewall")).toContainText(/Cannot be promoted.*has diverged.*2 commits that this one lacks/);
    await expect(branch("dns-records")).toContainText(/Cannot be promoted.*Its plan failed/);
    await branch("add-cache").getByRole("link", { name: "Review and promote" }).click();

    await expect(page.getByRole("heading", { level: 1 })).toContainText("Add a cache to the private subnet");
    await expect(page.getByRole("region", { name: "Promotion" })).toContainText("every condition holds");
    await expect(page.getByRole("log")).toContainText("terraform_data.cache will be created");
    await page.getByRole("button", { name: "Promote", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Promote to Network?" });
    await expect(dialog).toContainText("will be applied at once");
    await axe();
    await dialog.getByRole("button", { name: "Promote and apply" }).click();

    await expect(page.getByText("Tracked run: plans, then applies")).toBeVisible();
    await expect(page.getByRole("heading", { level: 1 })).toContainText("Finished");
    const applying = page.getByRole("listitem").filter({ hasText: "Applying" });
    await expect(applying).toContainText("warming the cache, step 3 of 3");
    await axe();

    await page.getByRole("link", { name: "the proposed run that was reviewed" }).click();
    await expect(page.getByRole("region", { name: "Promotion" })).toContainText("It has been promoted.");
    await expect(page.getByRole("button", { name: "Promote", exact: true })).toHaveCount(0);
    await page.getByRole("list", { name: "Promotions of this run" }).getByRole("link").click();
    await expect(page.getByText("Tracked run: plans, then applies")).toBeVisible();

    await page.getByRole("link", { name: "Stacks", exact: true }).first().click();
    await expect(page.getByRole("main")).toContainText("Add a cache to the private subnet");
    // A live page would complain about the server that ends now.
    await page.goto("about:blank");
  } finally {
    await headway.remove();
  }
});

test("a promoted run shows its log as it is applied, without anybody reloading", async ({ page, open, stack }) => {
  const gate = stack.headway.path(`${stack.id}.gate`);
  await open(await stack.propose("gated", { "gated.tf": gatedResource("gated", gate) }, "Wait at a gate"));
  await page.getByRole("button", { name: "Promote", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Promote and apply" }).click();

  const title = page.getByRole("heading", { level: 1 });
  const log = page.getByRole("log");
  await expect(title).toContainText("Applying");
  await expect(log).toContainText("waits at the gate");
  await expect(log).not.toContainText("passed the gate");
  await writeFile(gate, "");
  await expect(log).toContainText("passed the gate");
  await expect(title).toContainText("Finished");
  await expect(page.getByRole("button", { name: "Retry" })).toBeVisible();
});

test("the dialog opens, closes and gives the focus back by the keyboard alone", async ({ page, open, sample }) => {
  await open(sample.promotable);
  const promote = page.getByRole("button", { name: "Promote", exact: true });
  const dialog = page.getByRole("dialog", { name: "Promote to Network?" });
  const cancel = dialog.getByRole("button", { name: "Cancel" });

  await promote.focus();
  await page.keyboard.press("Enter");
  await expect(dialog).toBeVisible();
  // A key that is held down presses nothing in it.
  const title = dialog.getByRole("heading");
  await expect(title).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(dialog).toBeVisible();
  await expect(title).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(promote).toBeFocused();

  await page.keyboard.press("Space");
  await expect(dialog).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(dialog.getByRole("button", { name: "Promote and apply" })).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(cancel).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(dialog).toBeHidden();
  await expect(promote).toBeFocused();
  await expect(page).toHaveURL(sample.promotable);
});

for (const [lacks, unknown] of [
  ["commands", ["commandfor"]],
  ["commands or popovers", ["commandfor", "popovertarget"]],
] as const) {
  test(`without a script Promote works in a browser without ${lacks}`, async ({ page, stack, javaScriptEnabled }) => {
    test.skip(javaScriptEnabled ?? true, "a script opens the dialog there");
    // As such a browser reads the page: what it does not know leads nowhere.
    const answer = async (route: Route, change: (text: string) => string) => {
      const response = await route.fetch();
      const { "content-encoding": _, "content-length": __, ...headers } = response.headers();
      await route.fulfill({ status: response.status(), headers, body: change(await response.text()) });
    };
    const nowhere = (text: string, name: string) => text.replaceAll(`${name}="promote-dialog"`, `${name}="none"`);
    await page.route("**/run/*", (route) => answer(route, (text) => unknown.reduce(nowhere, text)));
    const popovers = lacks === "commands";
    if (!popovers) {
      await page.route("**/*.css", (route) => answer(route, (text) => text.replaceAll(":popover-open", ":unknown-here")));
    }
    await page.goto(await stack.propose("old", { "old.tf": resource("old") }, "Use an old browser"));
    const promote = page.getByRole("button", { name: "Promote", exact: true });
    const dialog = page.getByRole("dialog", { name: `Promote to ${stack.name}?` });
    await expect(dialog).toBeVisible({ visible: !popovers });
    if (popovers) {
      await promote.click();
      await expect(dialog).toBeVisible();
      await dialog.getByRole("button", { name: "Cancel" }).click();
      await expect(dialog).toBeHidden();
      await promote.click();
    } else {
      // No button that does nothing.
      await expect(promote).toHaveCount(0);
      await expect(dialog.getByRole("button")).toHaveCount(1);
    }
    await expect(dialog).toContainText("will be applied at once");
    await dialog.getByRole("button", { name: "Promote and apply" }).click();
    await expect(page.getByText("Tracked run: plans, then applies")).toBeVisible();
  });
}

test("without autodeploy the plan waits, and Confirm applies it", async ({ page, open, stack }) => {
  await stack.behave({ autodeploy: false });
  await open(await stack.propose("second", { "second.tf": resource("second") }, "Make a second thing"));
  await page.getByRole("button", { name: "Promote", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("nothing is applied before somebody confirms that plan");
  await dialog.getByRole("button", { name: "Promote this commit" }).click();

  const title = page.getByRole("heading", { level: 1 });
  await expect(title).toContainText("Unconfirmed");
  await expect(page.getByText("Autodeploy is off: the plan waits for a person.")).toBeVisible();
  await page.goto("/");
  const row = page.getByRole("listitem").filter({ hasText: stack.name });
  await row.getByRole("link", { name: "Review the waiting plan" }).click();
  await page.getByRole("button", { name: "Confirm" }).click();
  await expect(title).toContainText("Finished");
  await expect(page.getByRole("listitem").filter({ hasText: /^Confirmed/ })).toContainText("by operator");
  await page.goto(stack.home);
  await expect(page.getByText(/^Current commit/)).toBeVisible();
  await expect(page.getByRole("main")).toContainText("promoted by operator");
});

test("a discarded promotion puts the current commit back, and can be promoted again", async ({ page, open, stack }) => {
  await stack.behave({ autodeploy: false });
  const proposed = await stack.propose("third", { "third.tf": resource("third") }, "Make a third thing");
  await open(proposed);
  await page.getByRole("button", { name: "Promote", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Promote this commit" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Unconfirmed");
  await page.goto(stack.home);
  const current = page.getByRole("paragraph").filter({ hasText: "Set current commit" });
  await expect(current).toContainText("Make a third thing");

  await page.goto(await stack.tracked("unconfirmed"));
  await page.getByRole("button", { name: "Discard" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Discarded");
  await page.goto(stack.home);
  await expect(current).toContainText("Begin");
  await page.goto(proposed);
  await expect(page.getByRole("region", { name: "Promotion" })).toContainText("every condition holds");
  await expect(page.getByRole("list", { name: "Promotions of this run" })).toContainText("Discarded");
  await expect(page.getByRole("button", { name: "Promote", exact: true })).toBeVisible();
});
