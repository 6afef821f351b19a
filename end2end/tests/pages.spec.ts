/**
 * What every page promises, whatever it is about: its status, a title of its own, one heading of the first rank, the
 * landmarks, a way past the navigation, no sideways scrolling from a phone to a wide screen, and no barriers, in light
 * and in dark.
 */
import { expect, test } from "../fixtures.ts";
import type { Sample } from "../stack.ts";

type Page = { name: string; address: string | ((sample: Sample) => string); status?: number; changes?: string };

const pages: Page[] = [
  { name: "the list of stacks", address: "/" },
  { name: "the list of stacks, nothing found", address: "/?search=nothing-is-called-this" },
  { name: "a stack", address: "/stack/network" },
  { name: "proposed runs", address: "/stack/network/proposed" },
  { name: "a promotable run", address: (sample) => sample.promotable },
  { name: "a run that is behind", address: (sample) => sample.behind },
  { name: "a run that has diverged", address: (sample) => sample.diverged },
  { name: "a failed run", address: (sample) => sample.failed },
  { name: "a tracked run", address: (sample) => sample.tracked },
  { name: "changes", address: (sample) => `${sample.promotable}/changes` },
  { name: "no changes", address: (sample) => `${sample.failed}/changes` },
  { name: "stack details", address: "/stack/network/settings/details" },
  { name: "source code", address: "/stack/network/settings/source" },
  { name: "vendor", address: "/stack/network/settings/vendor" },
  { name: "behavior", address: "/stack/network/settings/behavior" },
  { name: "environment", address: "/stack/network/settings/environment" },
  { name: "integrations", address: "/stack/network/settings/integrations" },
  { name: "stack deletion", address: "/stack/network/settings/deletion" },
  { name: "lock", address: "/stack/network/lock" },
  { name: "set current commit", address: "/stack/network/current-commit" },
  { name: "a new stack", address: "/stacks/new" },
  { name: "activity", address: "/activity" },
  { name: "GitHub", address: "/settings/github" },
  { name: "deliveries", address: "/settings/github/deliveries" },
  { name: "your account", address: "/account" },
  { name: "people", address: "/settings/people" },
  { name: "access", address: "/stack/network/access" },
  { name: "no such page", address: "/nowhere", status: 404 },
  { name: "no such stack", address: "/stack/nowhere", status: 404 },
  { name: "no such run", address: "/stack/network/run/01ARZ3NDEKTSV4RRFFQ69G5FAV", status: 404 },
  { name: "no such settings", address: "/stack/network/settings/nowhere", status: 404 },
];

const at = (page: Page, sample: Sample) => (typeof page.address === "string" ? page.address : page.address(sample));

for (const described of pages) {
  test(`${described.name}: status, title, heading, landmarks, widths and barriers`, async ({ page, sample, axe }) => {
    const address = at(described, sample);
    const response = await page.goto(address);
    expect(response?.status()).toBe(described.status ?? 200);
    await expect(page).toHaveTitle(/^\S.* · Headway$/);
    await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
    await expect(page.getByRole("banner")).toHaveCount(1);
    await expect(page.getByRole("main")).toHaveCount(1);
    await expect(page.getByRole("navigation", { name: "Headway" })).toHaveCount(1);
    // Two navigations that are called the same cannot be told apart.
    const names = await page.getByRole("navigation").evaluateAll((all) => all.map((nav) => nav.ariaLabel));
    expect(new Set(names).size).toBe(names.length);

    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await axe();
    }
    for (const width of [360, 768, 1440, 2560]) {
      await page.setViewportSize({ width, height: 800 });
      const { scroll, client } = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return { scroll: scrollWidth, client: clientWidth };
      });
      expect(scroll, `nothing sticks out at ${width} px`).toBeLessThanOrEqual(client);
    }
  });
}

test("no two pages have the same title", async ({ request, sample }) => {
  const titles = new Map<string, string>();
  for (const described of pages.filter((page) => !page.status && !page.name.includes("nothing found"))) {
    const response = await request.get(at(described, sample));
    const title = /<title>(.*?)<\/title>/s.exec(await response.text())?.[1] ?? "";
    expect(titles.get(title), `another page is called “${title}” like ${described.name}`).toBeUndefined();
    titles.set(title, described.name);
  }
});

test("the first Tab offers a way past the navigation", async ({ page, sample }) => {
  for (const address of ["/", sample.promotable, "/stack/network/settings/behavior"]) {
    await page.goto(address);
    await page.keyboard.press("Tab");
    const skip = page.getByRole("link", { name: "Skip to the content" });
    await expect(skip).toBeFocused();
    await expect(skip).toBeInViewport();
    await page.keyboard.press("Enter");
    await expect(page.getByRole("main")).toBeFocused();
  }
});

test("the newest entry of a promotable run, as a screen reader has it", async ({ page, sample }) => {
  await page.goto(sample.promotable);
  const newest = page.getByRole("list", { name: "History, newest first" }).locator("> li").first();
  await expect(newest).toMatchAriaSnapshot(`
    - listitem:
      - text: Finished
      - time
      - text: by Headway
      - button "Promote"
      - button "Retry"
      - region "Promotion":
        - paragraph: "It can be promoted: every condition holds."
        - group: All 9 conditions
  `);
});

test("Behavior, as a screen reader has it", async ({ page, sample }) => {
  await page.goto(`${sample.stack.home}/settings/behavior`);
  await expect(page.getByRole("region", { name: "Behavior" })).toMatchAriaSnapshot(`
    - region "Behavior":
      - heading "Behavior" [level=2]
      - group:
        - text: Advanced options
        - switch "Autodeploy" [checked]
        - text: Autodeploy
        - paragraph: Plans of tracked runs are applied without asking, unless something holds them.
        - switch "Autoretry"
        - text: Autoretry
        - paragraph: After an apply, proposed runs that it may have outdated are planned again.
        - switch "Protect from deletion"
        - text: Protect from deletion
        - paragraph: The stack cannot be deleted while this is on.
        - switch "Allow run promotion" [checked]
        - text: Allow run promotion
        - paragraph: Proposed runs can be promoted (deployed) from the run page, the API or a GitHub pull request.
        - switch "Enable secret masking" [checked]
        - text: Enable secret masking
        - paragraph: Values of secret variables are masked in logs.
      - button "Save"
      - link "Cancel"
  `);
});
