/// <reference lib="dom" />
/**
 * Requests to the server, whose API is in `../../api.ts`.
 *
 * @module
 */
import type { ApiError, Failure } from "../../api.ts";

/** A request failed. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  /** The HTTP status; 0 if there was no answer. */
  readonly status: number;
  readonly error: ApiError;

  constructor(status: number, error: ApiError) {
    super(error.message);
    this.status = status;
    this.error = error;
  }
}

/** The code of an error if the server did not answer. */
export const NO_ANSWER = "NO_ANSWER";

/** The parameters of a `GET`. Those that are `undefined` are left out. */
export type Query = Readonly<
  Record<string, string | number | boolean | undefined>
>;

/** A path with parameters, relative to the page. */
export function pathOf(path: string, query: Query = {}): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === false) continue;
    given.set(name, value === true ? "1" : String(value));
  }
  const text = given.toString();
  return text === "" ? path : `${path}?${text}`;
}

/**
 * Reads from the server.
 *
 * @throws {RequestError} If the response is a failure, or there is none.
 */
export function read<T>(
  path: string,
  query: object = {},
  signal?: AbortSignal,
): Promise<T> {
  return request(pathOf(path, query as Query), { signal });
}

/**
 * Sends a request for an action.
 *
 * @throws {RequestError} If the response is a failure, or there is none.
 */
export function ask<T>(path: string, body: object): Promise<T> {
  return request(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

async function request<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(path, init);
    body = await response.json();
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new RequestError(0, {
      code: NO_ANSWER,
      message:
        "The server does not answer. Check that it runs; this page tries again by itself.",
    });
  }
  if (!response.ok) throw new RequestError(response.status, failure(body));
  return body as T;
}

function failure(body: unknown): ApiError {
  return (body as Failure | null)?.error ??
    {
      code: "INTERNAL",
      message: "The server gave an answer without a reason.",
    };
}

/** A thrown value as an error of the API. */
export function errorOf(thrown: unknown): ApiError {
  if (thrown instanceof RequestError) return thrown.error;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: "INTERNAL", message };
}
