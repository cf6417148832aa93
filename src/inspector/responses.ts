/**
 * Responses, with the headers that keep a browser from doing more with them
 * than it has to.
 *
 * @module
 */
import type { Asset } from "./assets.ts";
import type { Download } from "./reading.ts";
import { failureOf } from "./failures.ts";

/**
 * The page may load scripts, styles and data from its own server alone. It has
 * no script and no style within it, and is shown in no other page.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const COMMON = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** A response with the headers of all, which is kept nowhere unless it says so. */
export function guarded(response: Response): Response {
  const { headers } = response;
  for (const [name, value] of Object.entries(COMMON)) headers.set(name, value);
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
  return response;
}

/** An answer as JSON. */
export function answer(body: unknown, status = 200): Response {
  return Response.json(body, { status });
}

/** A file of the page: a browser keeps it, and asks each time whether it is still the same. */
export function assetResponse(
  { type, body, etag }: Asset,
  request: Request,
): Response {
  const headers = { "content-type": type, "cache-control": "no-cache", etag };
  const isKnown = request.headers.get("if-none-match") === etag;
  return isKnown
    ? new Response(null, { status: 304, headers })
    : new Response(body, { headers });
}

/** A value to save as a file. */
export function downloadResponse({ name, type, body }: Download): Response {
  return new Response(body, {
    headers: {
      "content-type": type,
      "content-disposition": `attachment; filename="${name}"`,
    },
  });
}

/** A stream of Server-Sent Events. A server that compressed it would keep events back. */
export function eventsResponse(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): Response {
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store, no-transform",
    },
  });
}

/** What failed: as data for the page, and as a sentence for a person who opened a URL. */
export function failureResponse(error: unknown, isForPage: boolean): Response {
  const { status, body } = failureOf(error);
  return isForPage ? answer(body, status) : new Response(
    `${body.error.message}\n`,
    { status, headers: { "content-type": "text/plain; charset=utf-8" } },
  );
}
