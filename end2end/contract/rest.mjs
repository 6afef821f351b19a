/** The operations of GitHub's REST interface that Headway uses, out of GitHub's own description. */
import { closure, distil } from "./schema.mjs";

const repository = "/repos/{owner}/{repo}";

const operations = [
  "GET /app",
  "GET /app/hook/config",
  "PATCH /app/hook/config",
  "GET /app/hook/deliveries",
  "POST /app/hook/deliveries/{delivery_id}/attempts",
  "GET /app/installations",
  "GET /app/installations/{installation_id}",
  "POST /app/installations/{installation_id}/access_tokens",
  "POST /app-manifests/{code}/conversions",
  "GET /installation/repositories",
  "GET /rate_limit",
  `GET ${repository}`,
  `GET ${repository}/branches`,
  `POST ${repository}/check-runs`,
  `GET ${repository}/check-runs/{check_run_id}`,
  `PATCH ${repository}/check-runs/{check_run_id}`,
  `GET ${repository}/collaborators/{username}/permission`,
  `GET ${repository}/commits/{ref}/check-runs`,
  `GET ${repository}/deployments`,
  `POST ${repository}/deployments`,
  `GET ${repository}/deployments/{deployment_id}/statuses`,
  `POST ${repository}/deployments/{deployment_id}/statuses`,
  `PATCH ${repository}/issues/comments/{comment_id}`,
  `GET ${repository}/issues/{issue_number}/comments`,
  `POST ${repository}/issues/{issue_number}/comments`,
  `GET ${repository}/pulls`,
  `GET ${repository}/pulls/{pull_number}`,
  "GET /user",
];

/** Per operation the parameters of its path that are numbers and, if it takes one, its body. */
export function restExtract(description) {
  const names = new Set();
  const extracted = operations.map((operation) => {
    const [method, path] = operation.split(" ");
    const published = description.paths[path]?.[method.toLowerCase()];
    if (!published) throw new Error(`the description has no operation ${operation}`);
    const extract = { numbers: numbers(published, description) };
    const body = published.requestBody;
    if (body) {
      extract.required = body.required ?? false;
      extract.body = distil(body.content["application/json"].schema, names);
    }
    return [operation, extract];
  });
  return { operations: Object.fromEntries(extracted), definitions: closure(names, description.components.schemas) };
}

function numbers(published, description) {
  const shared = description.components.parameters;
  return (published.parameters ?? [])
    .map((parameter) => (parameter.$ref ? shared[parameter.$ref.split("/").at(-1)] : parameter))
    .filter((parameter) => parameter.in === "path" && parameter.schema.type === "integer")
    .map((parameter) => parameter.name);
}
