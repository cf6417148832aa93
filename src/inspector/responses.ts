/**
 * Responses, with headers that restrict the browser to what is necessary.
 *
 * @module
 */
import type { Asset } from "./assets.ts";
import type { Download } from "./reading.ts";
import { failureOf } from "./failures.ts";

/**
 * The page may load scripts, styles and data only from its own server. It has
 * no inline scripts or styles, and cannot be shown inside another page.
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

/** A response with the common headers. It is not cached, unless it says so. */
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

/** A file of the page. A browser caches it, and asks each time whether it has changed. */
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

/** A stream of Server-Sent Events. A server that compressed it would delay events. */
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

/** An error: as data for the page, or as a sentence for a person who opened a URL. */
export function failureResponse(error: unknown, isForPage: boolean): Response {
  const { status, body } = failureOf(error);
  return isForPage ? answer(body, status) : new Response(
    `${body.error.message}\n`,
    { status, headers: { "content-type": "text/plain; charset=utf-8" } },
  );
}
