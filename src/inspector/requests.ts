/**
 * Reads the query and the body of a request. An invalid part is a
 * `RequestError` that names the parameter.
 *
 * @module
 */
import { describe, quoteText } from "../base/messages.ts";
import { assertName, assertText } from "../keys/names.ts";
import { LANGUAGES } from "../values/text/parse.ts";
import type { Language } from "./api.ts";
import { badRequest, RequestError } from "./failures.ts";

/** The longest body, in bytes. The largest value of a store in PostgreSQL fits. */
export const MOST_BODY = 20 * 1024 * 1024;

/** The parameters of a request, by name. */
export interface Parameters {
  /** A text; `undefined` if it is absent. */
  text(name: string): string | undefined;
  /** An integer from `least` to `most`; `undefined` if it is absent. */
  integer(name: string, least: number, most?: number): number | undefined;
  /** Whether a flag is set: `1` in a query, `true` in a body. */
  flag(name: string): boolean;
  /** The name of a kind or a key, which must be present. */
  name(name: "kind" | "key"): string;
  language(): Language | undefined;
  /** A property of the body, unchecked. */
  raw(name: string): unknown;
}

/** The parameters of a query. Throws if one is not among `names`, or is given twice. */
export function queryOf(url: URL, names: readonly string[]): Parameters {
  assertDecodable(url.search);
  const given: Record<string, unknown> = {};
  for (const [name, value] of url.searchParams) {
    assertKnown(name, names);
    if (Object.hasOwn(given, name)) {
      throw badRequest(`The parameter "${name}" is given twice`, name);
    }
    given[name] = value;
  }
  return parametersOf(given, (text) => {
    const isDecimal = typeof text === "string" && /^\d{1,16}$/.test(text);
    return isDecimal ? Number(text) : text;
  });
}

/** Throws unless a query is UTF-8, because other bytes would silently become another key. */
function assertDecodable(query: string): void {
  try {
    decodeURIComponent(query);
  } catch {
    throw badRequest("The query cannot be read as UTF-8");
  }
}

/** The parameters of a JSON body. */
export async function bodyOf(
  request: Request,
  names: readonly string[],
): Promise<Parameters> {
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/json *(;|$)/i.test(type)) {
    throw new RequestError(
      415,
      "BAD_REQUEST",
      "The body must be application/json",
    );
  }
  const body = parseBody(await readText(request));
  for (const name of Object.keys(body)) assertKnown(name, names);
  return parametersOf(body, (value) => value);
}

function parseBody(text: string): Record<string, unknown> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw badRequest("The body is not JSON");
  }
  if (typeof body === "object" && body !== null && !Array.isArray(body)) {
    return body as Record<string, unknown>;
  }
  throw badRequest(`The body must be an object, received ${describe(body)}`);
}

/** The body as text. It is read only up to the limit, whatever its header says. */
async function readText({ body }: Request): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let length = 0;
  try {
    for await (const chunk of body ?? []) {
      length += chunk.length;
      // This ends the loop, which cancels the body.
      if (length > MOST_BODY) throw tooLong();
      text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  } catch (error) {
    if (error instanceof RequestError) throw error;
    throw badRequest("The body cannot be read as UTF-8");
  }
}

function tooLong(): RequestError {
  return new RequestError(
    413,
    "TOO_LARGE",
    `The body has more than ${MOST_BODY} bytes`,
  );
}

function assertKnown(name: string, names: readonly string[]): void {
  if (names.includes(name)) return;
  const known = names.length === 0 ? "none" : names.join(", ");
  throw badRequest(
    `There is no parameter ${quoteText(name)}; there are: ${known}`,
  );
}

function parametersOf(
  given: Record<string, unknown>,
  toNumber: (value: unknown) => unknown,
): Parameters {
  const raw = (name: string) =>
    Object.hasOwn(given, name) ? given[name] : undefined;
  const wrong = (name: string, expected: string) =>
    badRequest(
      `The parameter "${name}" must be ${expected}, received ${
        describe(raw(name))
      }`,
      name,
    );
  const text = (name: string) => {
    const value = raw(name);
    if (value !== undefined && typeof value !== "string") {
      throw wrong(name, "text");
    }
    if (value !== undefined) assertText(name, value);
    return value;
  };
  return {
    raw,
    text,
    integer(name, least, most = Number.MAX_SAFE_INTEGER) {
      if (raw(name) === undefined) return undefined;
      const value = toNumber(raw(name));
      const isGood = Number.isSafeInteger(value) &&
        (value as number) >= least && (value as number) <= most;
      if (isGood) return value as number;
      throw wrong(name, `an integer from ${least} to ${most}`);
    },
    flag(name) {
      const value = raw(name);
      if (value === undefined || value === "0" || value === false) return false;
      if (value === "1" || value === true) return true;
      throw wrong(name, "1 or 0");
    },
    name(name) {
      const value = text(name);
      if (value === undefined) throw badRequest(`There is no "${name}"`, name);
      assertName(name, value);
      return value;
    },
    language() {
      const value = text("language");
      if (value === undefined) return undefined;
      if (LANGUAGES.includes(value as Language)) return value as Language;
      throw wrong("language", "json or yaml");
    },
  };
}
