/**
 * Takes out of what GitHub publishes the part that the simulator is checked against: `simulator/contract/rest.json`
 * and `simulator/contract/webhooks.json`.
 *
 *     node contract/extract.mjs            writes both files
 *     node contract/extract.mjs --check    fails when a file is not what the packages say
 *
 * The REST description unpacks to 385 MB, so that it is not installed with everything else. Without it, `--check`
 * checks the webhooks only, and says so.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { handled } from "./handled.mjs";
import { restExtract } from "./rest.mjs";
import { closure, render } from "./schema.mjs";

const restPackage = { name: "@octokit/openapi", version: "23.0.2", copyright: "Octokit contributors" };
const webhooksPackage = { name: "@octokit/webhooks-schemas", version: "7.6.1", copyright: "Octokit contributors" };

const check = process.argv.includes("--check");

extract("webhooks.json", webhooksPackage, "schema.json", ({ definitions }) => {
  const names = Object.entries(handled).flatMap(([event, actions]) =>
    (actions ?? ["event"]).map((action) => `${event}$${action}`),
  );
  return { definitions: closure(names, definitions) };
});

const install = `npm install --no-save ${restPackage.name}@${restPackage.version}`;
if (existsSync(inPackage(restPackage, "package.json"))) {
  extract("rest.json", restPackage, "generated/api.github.com.json", restExtract);
} else if (check) {
  console.log(`rest.json: not checked; for that, ${install}`);
} else {
  console.error(`rest.json: ${restPackage.name} is missing; get it with ${install}`);
  process.exitCode = 1;
}

/** Writes or checks the extract that `take` makes of one file of a package. */
function extract(file, from, source, take) {
  const { version, license } = read(inPackage(from, "package.json"));
  if (version !== from.version) throw new Error(`${from.name} is ${version} instead of ${from.version}`);
  const head = {
    source: `${source} of ${from.name} ${version}, shortened by end2end/contract/extract.mjs`,
    licence: `${license}, GitHub and ${from.copyright}: see LICENSE`,
  };
  const text = render({ ...head, ...take(read(inPackage(from, source))) });
  const target = new URL(`../../simulator/contract/${file}`, import.meta.url);
  if (!check) {
    writeFileSync(target, text);
    console.log(`${file}: ${Math.round(Buffer.byteLength(text) / 1024)} KB from ${from.name} ${version}`);
  } else if (!existsSync(target) || readFileSync(target, "utf8") !== text) {
    console.error(`${file}: not what ${from.name} ${version} says; run node contract/extract.mjs`);
    process.exitCode = 1;
  } else {
    console.log(`${file}: as ${from.name} ${version} says`);
  }
}

function inPackage({ name }, file) {
  return new URL(`../node_modules/${name}/${file}`, import.meta.url);
}

function read(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}
