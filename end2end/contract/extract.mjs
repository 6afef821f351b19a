/**
 * Takes from GitHub's published descriptions what the simulator is held to: the bodies of the requests that Headway
 * sends, and the webhooks that it reads. `node contract/extract.mjs` writes both files, `--check` says whether they are
 * still what the packages give.
 *
 * The description of the REST API unpacks to 385 MB, so it is no dependency: fetch it for the moment with
 * `npm install --no-save @octokit/openapi@23.0.2`.
 */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const here = import.meta.dirname;
const out = join(here, "../../simulator/contract");

const operations = [
  "GET /app",
  "GET /app/installations",
  "GET /app/installations/{installation_id}",
  "POST /app/installations/{installation_id}/access_tokens",
  "GET /app/hook/config",
  "PATCH /app/hook/config",
  "GET /app/hook/deliveries",
  "POST /app/hook/deliveries/{delivery_id}/attempts",
  "POST /app-manifests/{code}/conversions",
  "GET /installation/repositories",
  "GET /repos/{owner}/{repo}",
  "GET /repos/{owner}/{repo}/branches",
  "GET /repos/{owner}/{repo}/pulls",
  "GET /repos/{owner}/{repo}/pulls/{pull_number}",
  "GET /repos/{owner}/{repo}/collaborators/{username}/permission",
  "POST /repos/{owner}/{repo}/check-runs",
  "GET /repos/{owner}/{repo}/check-runs/{check_run_id}",
  "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}",
  "GET /repos/{owner}/{repo}/commits/{ref}/check-runs",
  "GET /repos/{owner}/{repo}/deployments",
  "POST /repos/{owner}/{repo}/deployments",
  "GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses",
  "POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses",
  "GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
  "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
  "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}",
];

export const events = {
  ping: null,
  push: null,
  pull_request: [
    "opened", "synchronize", "closed", "reopened", "edited", "converted_to_draft", "ready_for_review",
  ],
  check_run: ["created", "completed", "requested_action", "rerequested"],
  check_suite: ["requested", "rerequested", "completed"],
  installation: ["created", "deleted", "suspend", "unsuspend", "new_permissions_accepted"],
  installation_repositories: ["added", "removed"],
  repository: ["renamed", "transferred", "deleted"],
};

const spoken = new Set(["description", "title", "example", "examples", "x-github", "externalDocs", "tsAdditionalProperties"]);

/** A schema without its prose; `nullable` as JSON Schema has it. */
function bare(schema, inProperties = false) {
  if (Array.isArray(schema)) {
    return schema.map((item) => bare(item));
  }
  if (schema === null || typeof schema !== "object") {
    return schema;
  }
  const kept = {};
  for (const [key, value] of Object.entries(schema)) {
    if (inProperties || !(spoken.has(key) && (typeof value === "string" || key !== "title"))) {
      kept[key] = bare(value, key === "properties" && !inProperties);
    }
  }
  if (!inProperties && kept.nullable === true) {
    delete kept.nullable;
    return typeof kept.type === "string" ? { ...kept, type: [kept.type, "null"] } : { anyOf: [kept, { type: "null" }] };
  }
  return kept;
}

/** The schema with every reference replaced by what it refers to. */
function whole(root, schema) {
  if (Array.isArray(schema)) {
    return schema.map((item) => whole(root, item));
  }
  if (schema === null || typeof schema !== "object") {
    return schema;
  }
  if (typeof schema.$ref === "string") {
    const parts = schema.$ref.slice(2).split("/");
    return whole(root, parts.reduce((at, part) => at[part.replaceAll("~1", "/")], root));
  }
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, whole(root, value)]));
}

async function rest(folder) {
  const description = JSON.parse(await readFile(join(folder, "generated/api.github.com.json"), "utf8"));
  const { version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const found = {};
  for (const operation of operations) {
    const [method, path] = operation.split(" ");
    const known = description.paths[path]?.[method.toLowerCase()];
    if (!known) {
      throw new Error(`GitHub does not describe ${operation}`);
    }
    const schema = whole(description, known.requestBody ?? {}).content?.["application/json"]?.schema;
    found[operation] = schema ? bare(schema) : null;
  }
  return { source: `@octokit/openapi ${version}, MIT, GitHub`, operations: found };
}

async function webhooks() {
  const schema = require("@octokit/webhooks-schemas/schema.json");
  const { version } = require("@octokit/webhooks-schemas/package.json");
  const definitions = {};
  const wanted = Object.entries(events).flatMap(([event, actions]) =>
    actions ? actions.map((action) => `${event}$${action}`) : [`${event}$event`],
  );
  while (wanted.length > 0) {
    const name = wanted.pop();
    if (definitions[name]) {
      continue;
    }
    if (!schema.definitions[name]) {
      throw new Error(`GitHub has no webhook ${name}`);
    }
    definitions[name] = bare(schema.definitions[name]);
    for (const [, other] of JSON.stringify(definitions[name]).matchAll(/"#\/definitions\/([^"]+)"/g)) {
      wanted.push(other);
    }
  }
  const sorted = Object.fromEntries(Object.entries(definitions).sort(([one], [other]) => (one < other ? -1 : 1)));
  return { source: `@octokit/webhooks-schemas ${version}, MIT, GitHub`, definitions: sorted };
}

const check = process.argv.includes("--check");
const openapi = process.env.OCTOKIT_OPENAPI ?? join(here, "../node_modules/@octokit/openapi");
const made = { "webhooks.json": await webhooks() };
if (existsSync(openapi)) {
  made["rest.json"] = await rest(openapi);
} else {
  console.log("rest.json is left alone: npm install --no-save @octokit/openapi@23.0.2 brings what it is made of");
}
let differs = false;
for (const [name, content] of Object.entries(made)) {
  const text = `${JSON.stringify(content, null, 1)}\n`;
  const file = join(out, name);
  if (!check) {
    await writeFile(file, text);
  } else if ((await readFile(file, "utf8")) !== text) {
    differs = true;
    console.error(`${name} is not what the packages give: run node contract/extract.mjs`);
  }
}
process.exitCode = differs ? 1 : 0;
