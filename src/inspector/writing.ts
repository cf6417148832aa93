/**
 * The writes of the page. Each is on the condition that the entry is unchanged
 * since the page has seen it.
 *
 * @module
 */
import { reasonOf } from "../base/messages.ts";
import type { Store } from "../contract/store.ts";
import type { Inspection } from "../store/inspection.ts";
import { inOneLine, parseValue } from "../values/text/parse.ts";
import type { WriteAnswer } from "./api.ts";
import { badRequest, RequestError } from "./failures.ts";
import type { Parameters } from "./requests.ts";
import { languageOf } from "./shown_values.ts";

/** The parts that a write needs. */
export interface Writing {
  readonly store: Store;
  readonly inspection: Inspection;
  readonly parameters: Parameters;
}

/** The entry to write, and its required revision. */
interface Target {
  readonly kind: string;
  readonly key: string;
  readonly ifRevision: number;
}

function targetOf(parameters: Parameters): Target {
  const ifRevision = parameters.integer("ifRevision", 0);
  if (ifRevision === undefined) {
    throw badRequest(`There is no "ifRevision"`, "ifRevision");
  }
  return {
    kind: parameters.name("kind"),
    key: parameters.name("key"),
    ifRevision,
  };
}

/** The longest time until an expiry, in ms: 1000 years. */
const LONGEST_EXPIRY = 31_557_600_000_000;

/** The expiry. */
type Expiry = "keep" | "none" | number;

function expiryOf(parameters: Parameters): Expiry {
  const given = parameters.raw("expiry");
  if (given === undefined || given === "keep") return "keep";
  if (given === "none") return given;
  if (typeof given === "number" && given > 0 && given <= LONGEST_EXPIRY) {
    return given;
  }
  throw badRequest(
    `The parameter "expiry" must be "keep", "none" or a number of ms above 0, at most ${LONGEST_EXPIRY}`,
    "expiry",
  );
}

/** Creates or replaces an entry. */
export async function setEntry(writing: Writing): Promise<WriteAnswer> {
  const { inspection, parameters } = writing;
  const target = targetOf(parameters);
  const expiry = expiryOf(parameters);
  const value = await parsedValue(inspection, target.kind, parameters);
  return await write(writing, target, value, expiry);
}

async function write(
  { store, inspection }: Writing,
  { kind, key, ifRevision }: Target,
  value: unknown,
  expiry: Expiry,
): Promise<WriteAnswer> {
  const keeps = expiry === "keep" && ifRevision > 0 &&
    await hasExpiry(inspection, kind, key);
  const options = typeof expiry === "number"
    ? { ifRevision, expireIn: expiry }
    : { ifRevision };
  try {
    // Only an update keeps the expiry exactly.
    const { status, revision, version } = keeps
      ? await store.update(kind, key, () => value, options)
      : await store.set(kind, key, value, options);
    return { status, revision, version };
  } catch (error) {
    // For example, an update of a kind with an asynchronous schema.
    if (!(error instanceof TypeError)) throw error;
    throw new RequestError(422, "UNSUPPORTED", error.message);
  }
}

/** Whether an entry expires. If another writer changes that meanwhile, the revision differs, too. */
async function hasExpiry(
  { engine, read }: Inspection,
  kind: string,
  key: string,
): Promise<boolean> {
  const entry = await read("read entry", () => engine.entry(kind, key));
  return entry?.expiresAt !== undefined;
}

async function parsedValue(
  { values }: Inspection,
  kind: string,
  parameters: Parameters,
): Promise<unknown> {
  const text = parameters.raw("text");
  if (typeof text !== "string") throw badRequest(`There is no "text"`, "text");
  const codec = values.codecOf(kind);
  const language = parameters.language() ?? languageOf(codec);
  try {
    return await parseValue(text, language, codec);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw syntaxError(language.toUpperCase(), inOneLine(reasonOf(error)));
  }
}

/** The forms of a place in errors of parsers: "line 2, column 1", "line 2 column 1", or "(2:1)". */
const PLACE = /(?:\bline |\()(\d+)(?:,? column |:)(\d+)/;

function syntaxError(language: string, reason: string): RequestError {
  const [, line, column] = PLACE.exec(reason) ?? [];
  const details = line === undefined
    ? {}
    : { place: { line: Number(line), column: Number(column) } };
  const message = `Cannot read the value as ${language}: ${reason}`;
  return new RequestError(422, "SYNTAX", message, details);
}

/** Deletes an entry, even if its value cannot be decoded. */
export async function deleteEntry(
  { store, parameters }: Writing,
): Promise<WriteAnswer> {
  const { kind, key, ifRevision } = targetOf(parameters);
  if (ifRevision === 0) {
    throw badRequest(
      `"ifRevision" must be the revision of an entry`,
      "ifRevision",
    );
  }
  const result = await store.atomic()
    .check({ kind, key, revision: ifRevision })
    .delete(kind, key)
    .commit();
  if (!result.ok) throw result.conflict;
  return { status: "deleted", revision: result.revision, version: 0 };
}

/** Writes a past value of an entry. */
export async function restoreEntry(writing: Writing): Promise<WriteAnswer> {
  const { inspection, parameters } = writing;
  const target = targetOf(parameters);
  const at = parameters.integer("at", 0);
  if (at === undefined) throw badRequest(`There is no "at"`, "at");
  const { kind, key } = target;
  const bytes = await pastBytes(inspection, at, target);
  if (bytes === undefined) {
    throw new RequestError(
      404,
      "NOT_FOUND",
      `There was no such entry at revision ${at}`,
    );
  }
  const value = inspection.values.decode(kind, key, bytes);
  return await write(writing, target, value, "none");
}

async function pastBytes(
  { openPast, read }: Inspection,
  at: number,
  { kind, key }: Target,
): Promise<Uint8Array | undefined> {
  const view = await openPast(at);
  try {
    return await read("read entry", () => view.value(kind, key));
  } finally {
    await view.close();
  }
}
