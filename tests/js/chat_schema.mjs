// Checks frames against the schema that the server's tests use too; knows as much of JSON Schema
// as that file needs.
import { readFileSync } from "node:fs";

const path = new URL("../../apps/ai_chat/schemas/chat.v1.json", import.meta.url);
export const schema = JSON.parse(readFileSync(path, "utf8"));

const kinds = {
  null: (value) => value === null,
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isInteger(value),
  array: Array.isArray,
  object: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
};

const checks = {
  $ref: (at, value) => isValid(schema.$defs[at.replace("#/$defs/", "")], value),
  type: (at, value) => kinds[at](value),
  const: (at, value) => at === value,
  enum: (at, value) => at.includes(value),
  anyOf: (at, value) => at.some((one) => isValid(one, value)),
  allOf: (at, value) => at.every((one) => isValid(one, value)),
  if: (at, value, all) => !isValid(at, value) || isValid(all.then, value),
  then: () => true,
  minimum: (at, value) => typeof value !== "number" || value >= at,
  maximum: (at, value) => typeof value !== "number" || value <= at,
  maxLength: (at, value) => typeof value !== "string" || [...value].length <= at,
  pattern: (at, value) => typeof value !== "string" || new RegExp(at, "u").test(value),
  minItems: (at, value) => !Array.isArray(value) || value.length >= at,
  maxItems: (at, value) => !Array.isArray(value) || value.length <= at,
  prefixItems: (at, value) =>
    !Array.isArray(value) || at.every((one, i) => i >= value.length || isValid(one, value[i])),
  items: (at, value, all) =>
    !Array.isArray(value) ||
    value.slice(all.prefixItems?.length ?? 0).every((one) => isValid(at, one)),
  required: (at, value) => !kinds.object(value) || at.every((name) => Object.hasOwn(value, name)),
  maxProperties: (at, value) => !kinds.object(value) || Object.keys(value).length <= at,
  propertyNames: (at, value) =>
    !kinds.object(value) || Object.keys(value).every((name) => isValid(at, name)),
  properties: (at, value) =>
    !kinds.object(value) ||
    Object.keys(at).every((name) => !Object.hasOwn(value, name) || isValid(at[name], value[name])),
  additionalProperties: (at, value, all) =>
    !kinds.object(value) ||
    Object.keys(value).every(
      (name) => Object.hasOwn(all.properties ?? {}, name) || (at !== false && isValid(at, value[name])),
    ),
  description: () => true,
};

function isValid(rule, value) {
  return Object.entries(rule).every(([name, at]) => checks[name](at, value, rule));
}

/** True for a frame that a client may send. */
export const isClientFrame = (frame) => isValid(schema.$defs.client, frame);

/** True for a frame that the server may send. */
export const isServerFrame = (frame) => isValid(schema.$defs.server, frame);
