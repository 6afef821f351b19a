/**
 * What the two extracts have in common: a published schema without the prose, and everything that it refers to.
 *
 * A keyword that is not listed here stops the extraction: a newer package must not lose a rule silently.
 */

/** Keywords whose value is a schema, or `true` or `false`. */
const oneSchema = new Set(["items", "additionalProperties"]);
/** Keywords whose value is a list of schemas. */
const manySchemas = new Set(["allOf", "anyOf", "oneOf"]);
/** Keywords that say something about a value and are kept as they are. */
const rules = new Set(
  ["const", "enum", "format", "maxItems", "maxLength", "minItems", "minLength", "pattern", "required"],
);
/** Keywords that only explain; `tsAdditionalProperties` is for a generator of types. */
const prose = new Set(["$schema", "default", "description", "example", "examples", "title", "tsAdditionalProperties"]);

/**
 * The schema without prose, `nullable` of OpenAPI 3.0 as a type of JSON schema, and each reference `#/…/name` as
 * `#/definitions/name`. The names referred to are added to `names`.
 */
export function distil(schema, names) {
  if (typeof schema === "boolean") return schema;
  const out = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (prose.has(keyword)) continue;
    else if (rules.has(keyword)) out[keyword] = value;
    else if (keyword === "type") out.type = schema.nullable ? [value, "null"] : value;
    else if (keyword === "properties") out.properties = mapValues(value, (property) => distil(property, names));
    else if (oneSchema.has(keyword)) out[keyword] = distil(value, names);
    else if (manySchemas.has(keyword)) out[keyword] = value.map((branch) => distil(branch, names));
    else if (keyword === "$ref") out.$ref = `#/definitions/${note(value, names)}`;
    else if (keyword === "nullable" && typeof schema.type === "string" && !schema.enum) continue;
    else throw new Error(`the extraction does not know what to do with ${keyword}: ${JSON.stringify(value)}`);
  }
  return out;
}

/** The definitions of these names and of every name they refer to, in the order of their names. */
export function closure(names, published) {
  const definitions = new Map();
  const wanted = new Set(names);
  // A set is walked in the order of insertion, including what is added meanwhile.
  for (const name of wanted) {
    if (!published[name]) throw new Error(`the package has no definition ${name}`);
    definitions.set(name, distil(published[name], wanted));
  }
  return Object.fromEntries([...definitions].sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** The text of an extract: one line for each operation or definition, so that a difference can be read. */
export function render(extract) {
  const lines = Object.entries(extract).map(([key, value]) => {
    if (typeof value === "string") return `${JSON.stringify(key)}: ${JSON.stringify(value)}`;
    const entries = Object.entries(value).map(([name, entry]) => `${JSON.stringify(name)}: ${JSON.stringify(entry)}`);
    return entries.length === 0 ? `${JSON.stringify(key)}: {}` : `${JSON.stringify(key)}: {\n${entries.join(",\n")}\n}`;
  });
  return `{\n${lines.join(",\n")}\n}\n`;
}

function note(reference, names) {
  const name = reference.split("/").at(-1);
  names.add(name);
  return name;
}

function mapValues(object, change) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}
