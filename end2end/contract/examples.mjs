/**
 * Writes the published examples of the webhooks that Headway handles to the file given as argument, as one JSON array
 * of `{ event, body }`:
 *
 *     node contract/examples.mjs examples.json
 */
import { readFileSync, writeFileSync } from "node:fs";
import { handled } from "./handled.mjs";

const target = process.argv[2];
if (!target) throw new Error("which file? node contract/examples.mjs FILE");

const index = new URL("../node_modules/@octokit/webhooks-examples/api.github.com/index.json", import.meta.url);
const published = JSON.parse(readFileSync(index, "utf8"));

const examples = published
  .filter(({ name }) => name in handled)
  .flatMap(({ name, examples }) => examples.map((body) => ({ event: name, body })))
  .filter(({ event, body }) => handled[event]?.includes(body.action) ?? true);

writeFileSync(target, JSON.stringify(examples));
