/**
 * Refusals: no button lies. A page that went stale is refused on the server, in place, with the reason and the cure; a
 * live page shows the reason instead of the button as soon as it holds; and a run that may not be promoted says what is
 * missing, commit by commit.
 */
import { expect, test } from "../fixtures.ts";
import { resource } from "../stack.ts";

const switchedOff = "Run promotion is switched off for this stack.";
const cure = "Settings > Behavior > Advanced options > Allow run promotion";

test("Promote on a stale page is refused in place, with the reason and the cure", async ({
  page,
  open,
  stack,
  axe,
  problems,
  javaScriptEnabled,
}) => {
  const proposed = await stack.propose("late", { "late.tf": resource("late") }, "Come too late");
  // A page that hears nothing of the change: its connection to the server never comes about.
  problems.allow(/net::ERR_FAILED/);
  await page.route("**/events?*", (route) => route.abort());
  await open(proposed);
  await page.getByRole("button", { name: "Promote", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toBeVisible();
  await stack.behave({ allow_run_promotion: false });

  const answer = page.waitForResponse((response) => response.status() === 409);
  await dialog.getByRole("button", { name: "Promote and apply" }).click();
  // With a script it is the answer to the form; without, the status of the page that shows it.
  expect((await answer).request().isNavigationRequest()).toBe(!javaScriptEnabled);
  const alert = page.getByRole("alert");
  await expect(alert).toContainText(switchedOff);
  await expect(alert).toContainText(cure);
  // Whatever is in front of it would hide it, and keep it from a screen reader.
  await expect(page.locator("dialog[open]").filter({ hasNot: alert })).toHaveCount(0);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Come too late");
  expect(new URL(page.url()).pathname).toBe(proposed);
  await axe();

  await page.goto(stack.home);
  await expect(page.getByRole("heading", { name: "No tracked runs yet" })).toBeVisible();
  await page.goto(`/activity?stack=${stack.id}`);
  await expect(page.getByRole("row").filter({ hasText: "refused" })).toContainText(switchedOff);
});

test("a page that is opened afterwards has the reason instead of the button", async ({ page, open, stack }) => {
  const proposed = await stack.propose("off", { "off.tf": resource("off") }, "Stay a proposal");
  await stack.behave({ allow_run_promotion: false });
  await open(proposed);
  await expect(page.getByRole("button", { name: "Promote", exact: true })).toHaveCount(0);
  const promotion = page.getByRole("region", { name: "Promotion" });
  await expect(promotion).toContainText("It cannot be promoted, for one reason:");
  await expect(promotion.getByRole("listitem").first()).toContainText(switchedOff);
  await expect(promotion.getByRole("listitem").first()).toContainText(cure);
  // The others are there to read as well.
  await promotion.getByText("All 9 conditions").click();
  await expect(promotion.getByText("It planned exactly this commit.")).toBeVisible();
  await page.goto(`${stack.home}/proposed`);
  await expect(page.getByRole("listitem").filter({ hasText: "Stay a proposal" })).toContainText(switchedOff);
});

test("a live page replaces Promote by the reason, and the reason by Promote", async ({
  page,
  open,
  stack,
  javaScriptEnabled,
}) => {
  test.skip(!javaScriptEnabled, "without a script a page of an ended run stays as it came");
  await open(await stack.propose("live", { "live.tf": resource("live") }, "Be watched"));
  const promote = page.getByRole("button", { name: "Promote", exact: true });
  await expect(promote).toBeVisible();
  await stack.behave({ allow_run_promotion: false });
  await expect(promote).toHaveCount(0);
  await expect(page.getByRole("region", { name: "Promotion" })).toContainText(switchedOff);
  await stack.behave({ allow_run_promotion: true });
  await expect(promote).toBeVisible();
});

test("a run that has diverged lists the commits that it lacks", async ({ page, open, sample }) => {
  await open(sample.diverged);
  const promotion = page.getByRole("region", { name: "Promotion" });
  await expect(promotion).toContainText("the stack has 2 commits that this one lacks");
  await expect(promotion).toContainText("Merge or rebase the branch onto the current commit, push");
  const missing = promotion.getByRole("listitem").getByRole("listitem");
  await expect(missing).toContainText(["Open a gateway to the subnets", "Split the network into subnets"]);
  await expect(page.getByRole("button", { name: "Promote", exact: true })).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Retry" })).toBeVisible();
});

test("whoever promotes second is led to the first one's run", async ({ page, open, stack, problems }) => {
  const proposed = await stack.propose("twice", { "twice.tf": resource("twice") }, "Happen once");
  problems.allow(/net::ERR_FAILED/);
  await page.route("**/events?*", (route) => route.abort());
  await open(proposed);
  await page.getByRole("button", { name: "Promote", exact: true }).click();
  const run = proposed.split("/").pop() ?? "";
  const { to: first } = await stack.headway.call("promote_run", { stack: stack.id, run });
  await page.getByRole("dialog").getByRole("button", { name: "Promote and apply" }).click();
  await expect(page).toHaveURL(first);
  await stack.tracked("finished");
});
