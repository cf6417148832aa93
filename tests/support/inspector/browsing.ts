/// <reference lib="dom" />
/**
 * The inspector's page in a browser. Whatever the page logs as an error, or the
 * Content-Security-Policy refuses, fails the test.
 *
 * @module
 */
import type {
  Browser,
  BrowserContextOptions,
  Locator,
  Page,
} from "playwright-core";
import { assertEquals } from "@std/assert";
import { type AnyKinds, openStore, type Store } from "../../../mod.ts";
import {
  inspector,
  type InspectorOptions,
} from "../../../src/inspector/inspector.ts";
import { type TempDir, tempDir } from "../temp_dir.ts";
import { openProxy, type Proxy } from "../postgres/proxy.ts";
import { testInChromium } from "./chromium.ts";

/** How long the page may take to show something, in ms. */
const PATIENCE = 60_000;

const TOKEN = "a-token-of-the-tests";

/** How a page is opened. */
export interface OpenOptions extends BrowserContextOptions {
  /** What the page may log as errors, because the test brings them about. */
  readonly expects?: RegExp;
}

/** A served inspector, and pages of it in a browser. */
export interface Browsing {
  /** The store that is shown. */
  readonly store: Store;
  /** Opens a page in a browser session of its own, at a fragment such as "#health". */
  open(fragment?: string, options?: OpenOptions): Promise<Page>;
  /** What is between the browser and the server. */
  readonly line: Proxy;
  /** Ends the server with a good-bye to its browsers. */
  stop(): Promise<void>;
  /** Serves another store in its place. */
  serve(store: Store): void;
}

/** Options of a test. */
export interface BrowsingOptions extends InspectorOptions {
  /** Opens the store; it may use the folder. @default {a database in memory} */
  readonly openStore?: (dir: TempDir) => Promise<Store>;
}

function openInMemory(): Promise<Store> {
  return openStore<AnyKinds>({ path: ":memory:", driver: "builtin" });
}

/** Registers a test of the page. */
export function testPage(
  name: string,
  test: (browsing: Browsing) => Promise<void>,
  { openStore = openInMemory, ...options }: BrowsingOptions = {},
): void {
  testInChromium(name, async (browser) => {
    await using dir = await tempDir();
    await using store = await openStore(dir);
    const server = new Server({ token: TOKEN, ...options });
    server.serve(store);
    await using line = openProxy(server.port);
    const pages = new Pages(browser, line);
    try {
      await test({
        store,
        line,
        open: (fragment = "", options = {}) => pages.open(fragment, options),
        stop: () => server.stop(),
        serve: (store) => server.serve(store),
      });
      assertEquals(pages.errors, []);
    } finally {
      await pages.close();
      await server.stop();
    }
  });
}

/** A server that stays at its port when it begins anew. */
class Server {
  readonly #options: InspectorOptions;
  #stopping = new AbortController();
  #server: Deno.HttpServer<Deno.NetAddr> | undefined;
  port = 0;

  constructor(options: InspectorOptions) {
    this.#options = options;
  }

  serve(store: Store): void {
    this.#stopping = new AbortController();
    const { signal } = this.#stopping;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: this.port, onListen() {} },
      inspector(store, { ...this.#options, signal }),
    );
    this.port = this.#server.addr.port;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#server?.shutdown();
    this.#server = undefined;
  }
}

class Pages {
  readonly errors: string[] = [];
  readonly #browser: Browser;
  readonly #line: Proxy;

  constructor(browser: Browser, line: Proxy) {
    this.#browser = browser;
    this.#line = line;
  }

  async open(
    fragment: string,
    { expects, ...options }: OpenOptions,
  ): Promise<Page> {
    const context = await this.#browser.newContext({
      viewport: { width: 1280, height: 800 },
      timezoneId: "UTC",
      ...options,
    });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    const note = (text: string) => {
      if (!expects?.test(text)) this.errors.push(text);
    };
    page.on("pageerror", (error) => note(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") note(message.text());
    });
    const base = `http://127.0.0.1:${this.#line.port}/`;
    await page.goto(`${base}?token=${TOKEN}`);
    if (fragment !== "") await page.goto(`${base}${fragment}`);
    await shows(page.locator(".state-live"));
    return page;
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#browser.contexts().map((context) => context.close()),
    );
  }
}

/** Waits until something is to be seen. */
export async function shows(locator: Locator): Promise<void> {
  await locator.first().waitFor({ state: "visible", timeout: PATIENCE });
}

/** Waits until something is not to be seen. */
export async function hides(locator: Locator): Promise<void> {
  await locator.first().waitFor({ state: "hidden", timeout: PATIENCE });
}

/** Waits until the text of an element is this. */
export async function reads(
  page: Page,
  selector: string,
  text: string,
): Promise<void> {
  await page.waitForFunction(
    ([selector, text]) =>
      document.querySelector(selector)?.textContent?.trim() === text,
    [selector, text],
    { timeout: PATIENCE },
  ).catch(async (error) => {
    const found = await page.locator(selector).first().textContent({
      timeout: 1_000,
    }).catch(() => "nothing");
    throw new Error(`${selector} reads "${found}", not "${text}"`, {
      cause: error,
    });
  });
}

/** The keys in the table, in the order of the rows. */
export function keysIn(page: Page): Promise<string[]> {
  return page.locator(".table tbody .c-key a").evaluateAll((links) =>
    links.map((link) => (link as HTMLAnchorElement).title)
  );
}

/** Waits until the table has these keys. */
export async function showsKeys(
  page: Page,
  keys: readonly string[],
): Promise<void> {
  await page.waitForFunction(
    (keys) => {
      const links = document.querySelectorAll(".table tbody .c-key a");
      const found = [...links].map((link) => link.getAttribute("title"));
      return JSON.stringify(found) === JSON.stringify(keys);
    },
    keys,
    { timeout: PATIENCE },
  ).catch(async (error) => {
    const found = (await keysIn(page)).join(", ");
    throw new Error(`The table has ${found}, not ${keys.join(", ")}`, {
      cause: error,
    });
  });
}

/** The count beside a kind in the list at the side. */
export function countOf(kind: string): string {
  return `#sidebar li:has(.nav-name:text-is("${kind}")) .nav-count`;
}
