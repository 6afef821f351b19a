/**
 * The changes of a run: a large plan comes in pieces, and a person finds in it what they look for; a long value is shown
 * as far as a page shows one, and is not taken for a secret.
 */
import { randomBytes } from "node:crypto";
import { expect, test } from "../fixtures.ts";
import { resource } from "../stack.ts";

test("a large plan is reviewed in pieces, by kind and by address", async ({ page, open, stack, axe, javaScriptEnabled }) => {
  const texts = Array.from({ length: 12 }, () => randomBytes(6_750).toString("base64"));
  const long = texts.map((text, n) => resource(`long${n}`).replace(`input = "long${n}"`, `input = "${text}"`));
  const changes = `${await stack.propose(
    "large",
    {
      "large.tf": resource("large").replace("input =", "count = 130\n  input ="),
      "long.tf": long.join(""),
      "out.tf": 'output "answer" {\n  value = "42"\n}\n',
    },
    "Make many",
  )}/changes`;
  await open(changes);
  const [pieces, rows] = [page.locator(".pieces"), page.locator(".change > summary > code")];
  // The resource that the stack began with was never deployed.
  await expect(pieces).toHaveText("Changes 1 to 100 of 144");
  await page.getByRole("link", { name: "Next changes" }).click();
  await expect(pieces).toHaveText("Changes 101 to 144 of 144");
  if (javaScriptEnabled) {
    await expect(page.getByRole("main")).toBeFocused();
  }
  await expect(page.getByText("answer")).toBeVisible();

  const search = page.getByRole("searchbox", { name: "Search changes" });
  await search.fill("TERRAFORM long");
  await search.press("Enter");
  await expect(rows).toHaveCount(texts.length);
  for (const [n, text] of texts.entries()) {
    const change = page.locator(".change").filter({ hasText: `terraform_data.long${n}create` });
    await expect(change).toContainText(text.slice(0, 3_900));
    await expect(change).toContainText("… (9002 characters)");
  }
  await axe();

  await search.fill("large[12");
  await page.getByRole("combobox", { name: "Show" }).selectOption("To add (143)");
  await page.getByRole("button", { name: "Search" }).click();
  await expect(rows).toHaveText([12, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129].map((n) => `terraform_data.large[${n}]`));
  await expect(page).toHaveURL(/words=large.*12&kind=add/);
  await expect(search).toHaveValue("large[12");

  await search.fill("nowhere");
  await search.press("Enter");
  await expect(page.getByRole("heading", { name: "No change fits" })).toBeVisible();
  await axe();
  await page.getByRole("link", { name: "Show all" }).click();
  await expect(pieces).toHaveText("Changes 1 to 100 of 144");
  // The form says what is shown, whichever way a person came there.
  await expect(search).toHaveValue("");
  await expect(page.getByRole("combobox", { name: "Show" })).toHaveValue("");
  await page.goBack();
  await expect(page.getByRole("heading", { name: "No change fits" })).toBeVisible();
  await expect(search).toHaveValue("nowhere");
  if (javaScriptEnabled) {
    // A browser that loads a page anew puts back what was typed there last.
    await page.goBack();
    await expect(rows).toHaveCount(11);
    await expect(search).toHaveValue("large[12");
    await expect(page.getByRole("combobox", { name: "Show" })).toHaveValue("add");
    // Whoever searches from another piece goes on in the field.
    await page.goto(`${changes}?from=100`);
    await expect(pieces).toHaveText("Changes 101 to 144 of 144");
    await search.fill("long1");
    await search.press("Enter");
    await expect(rows).toHaveCount(3);
    await expect(search).toBeFocused();
  }
});
