/**
 * Runs every spec twice: with JavaScript, and plain, without. The browser is the one that `cargo xtask test browser`
 * found, or Playwright's own. Each worker starts a Headway of its own: see `fixtures.ts`.
 */
import { defineConfig } from "@playwright/test";

const isRoot = process.getuid?.() === 0;

export default defineConfig({
  testDir: "tests",
  outputDir: "results",
  workers: 2,
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  // Limits against hanging, not measures: tests wait for real plans, on machines that do other things as well.
  timeout: 180_000,
  expect: { timeout: 40_000 },
  reporter: [["list"], ["html", { outputFolder: "report", open: "never" }]],
  // One file for every system: pages are compared by what they mean, not by how they look.
  snapshotPathTemplate: "{testDir}/{testFileName}-snapshots/{arg}{ext}",
  use: {
    browserName: "chromium",
    locale: "en-GB",
    timezoneId: "UTC",
    // Colours are what they are at once, and not on their way there.
    contextOptions: { reducedMotion: "reduce" },
    screenshot: "only-on-failure",
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: process.env.HEADWAY_BROWSER || undefined,
      args: [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        ...(isRoot ? ["--no-sandbox"] : []),
      ],
    },
  },
  projects: [
    { name: "javascript", use: { javaScriptEnabled: true } },
    { name: "plain", use: { javaScriptEnabled: false } },
  ],
});
