/**
 * Decides who may use the inspector. Every page in a browser can send requests
 * to this machine, and so can every program and user on it. So a request must
 * pass all of these checks:
 *
 * - **Host**: it names this machine. A page of another site can let its own
 *   name resolve to this machine's address (DNS rebinding), but the request
 *   still has that name.
 * - **Origin**: it is not from a page of another origin. `localhost:3000` is
 *   another origin than `localhost:8000`, but the same site, so the browser
 *   sends a cookie with `SameSite=Strict`.
 * - **Session**: it has the cookie for which the first URL was exchanged. The
 *   URL has a random token, which only its reader knows.
 *
 * @module
 */
import { toBase64Url } from "../base/byte_texts.ts";
import { createHash, timingSafeEqual } from "node:crypto";
import { RequestError } from "./failures.ts";

/** The names of this machine that are always accepted. */
const LOOPBACK: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/** Each of these means all addresses of the machine. */
const ANY_ADDRESS: readonly string[] = ["0.0.0.0", "[::]", "::"];

/** The parameter of the first URL. */
const TOKEN = "token";

/** A rule of the caller that decides who may use the inspector. */
export type Authorize = (request: Request) => boolean | Promise<boolean>;

/** The settings for access. */
export interface AccessConfig {
  /** Other names of the machine, in addition to those of the loopback address. */
  readonly hosts: readonly string[];
  /** The token of the first URL. */
  readonly token: string;
  /** Replaces the token. */
  readonly authorize?: Authorize;
}

/** Checks requests. */
export class Access {
  readonly #config: AccessConfig;
  /** The name of the cookie. */
  readonly #cookie: string;

  /** Takes the settings. */
  constructor(config: AccessConfig) {
    this.#config = config;
    this.#cookie = cookieName(config.token);
  }

  /**
   * Throws a `RequestError` if a request is for another host, or comes from a
   * page of another origin.
   */
  assertOwn(request: Request, url: URL): void {
    if (!this.#isOwnHost(url.hostname)) {
      throw new RequestError(
        421,
        "FORBIDDEN",
        `This server is not ${url.hostname}`,
      );
    }
    const origin = request.headers.get("origin");
    const isOwn = origin === null || URL.parse(origin)?.host === url.host;
    if (!isOwn || isForeignFetch(request)) {
      throw new RequestError(
        403,
        "FORBIDDEN",
        "Pages of other origins may not use the inspector",
      );
    }
  }

  #isOwnHost(hostname: string): boolean {
    const { hosts } = this.#config;
    return LOOPBACK.includes(hostname) ||
      hosts.some((host) => nameOf(host) === hostname) ||
      hosts.some((host) => ANY_ADDRESS.includes(host)) && isAddress(hostname);
  }

  /**
   * If a request has the token, the response that exchanges it for the cookie.
   * It redirects to the same page, without the token in the URL.
   */
  exchange(request: Request, url: URL): Response | undefined {
    const token = url.searchParams.get(TOKEN);
    if (token === null || this.#config.authorize) return undefined;
    if (request.method !== "GET") return undefined;
    if (!areSame(token, this.#config.token)) throw noSession();
    // Without a path, a browser sends the cookie only to the directory of this
    // URL.
    const cookie = `${this.#cookie}=${token}; HttpOnly; SameSite=Strict`;
    return new Response(null, {
      status: 303,
      headers: {
        location: "./",
        "set-cookie": url.protocol === "https:" ? `${cookie}; Secure` : cookie,
      },
    });
  }

  /** Throws a `RequestError` unless a request has the session's cookie, or is authorized. */
  async assertSession(request: Request): Promise<void> {
    const { authorize, token } = this.#config;
    const isAuthorized = authorize
      ? await authorize(request) === true
      : cookiesOf(request, this.#cookie).some((it) => areSame(it, token));
    if (!isAuthorized) throw noSession();
  }
}

/** Draws a token: 256 random bits. */
export function drawToken(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
}

/** The first URL of an inspector that is mounted at a URL. */
export function firstUrl(base: string | URL, token: string): string {
  const url = new URL(base);
  url.searchParams.set(TOKEN, token);
  return url.href;
}

function noSession(): RequestError {
  return new RequestError(
    401,
    "NO_SESSION",
    "There is no session: open the URL with the token, which the inspector gave when it started",
  );
}

/**
 * Whether a page of another origin sends the request. A link of another site
 * may lead to the page itself; then the browser sends no cookie.
 */
function isForeignFetch({ headers, method }: Request): boolean {
  const site = headers.get("sec-fetch-site");
  if (site === null || site === "same-origin" || site === "none") return false;
  const isVisit = method === "GET" &&
    headers.get("sec-fetch-mode") === "navigate" &&
    headers.get("sec-fetch-dest") === "document";
  return !isVisit;
}

/** Cookies do not depend on the port, so inspectors on several ports need several names. */
function cookieName(token: string): string {
  const hash = createHash("sha256").update(`zestor cookie of ${token}`);
  return `zestor-${hash.digest("hex").slice(0, 16)}`;
}

/** The values of a cookie in a request. */
function cookiesOf({ headers }: Request, name: string): string[] {
  const pairs = (headers.get("cookie") ?? "").split(";").map((it) => it.trim());
  return pairs
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
}

/** Whether two texts are equal. Its time does not show where they differ. */
function areSame(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => new TextEncoder().encode(text));
  return left.length === right.length && timingSafeEqual(left, right);
}

/** A host in the form of URLs: an IPv6 address is in brackets. */
function nameOf(host: string): string {
  const name = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return name.toLowerCase();
}

/** Whether a host is an address: no site can make an address lead elsewhere. */
function isAddress(hostname: string): boolean {
  return hostname.startsWith("[") || /^\d+\.\d+\.\d+\.\d+$/.test(hostname);
}
