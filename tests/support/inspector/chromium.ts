/**
 * The browser of the tests: `CHROMIUM_PATH`, or else one that is installed. If
 * there is none, the tests in it are ignored, with the reason in their names, or
 * fail if `ZESTOR_REQUIRE_CHROMIUM` is `1`.
 *
 * @module
 */
import { type Browser, chromium } from "playwright-core";
import { testsThatNeed } from "../postgres/needs.ts";

/**
 * Where browsers of this family are installed. The first is Chromium without a
 * window: the same engine, for half of the CPU time.
 */
const PLACES: readonly string[] = [
  "/usr/bin/chromium-headless-shell",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/snap/bin/chromium",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
];

type Found = { readonly path: string } | { readonly reason: string };

function findChromium(): Found {
  const given = Deno.env.get("CHROMIUM_PATH");
  const path = (given ? [given] : PLACES).find(isFile);
  if (path !== undefined) return { path };
  return {
    reason: given
      ? `CHROMIUM_PATH is no file: ${given}`
      : "none is installed; install chromium, or set CHROMIUM_PATH",
  };
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** The browser of a file's tests: its launch costs more than most of them. */
let browser: Browser | undefined;

/** Launches it before the first test, and ends it after the last one. */
function launchBeforeTests(path: string): void {
  Deno.test.beforeAll(async () => {
    // Chromium refuses its sandbox to root, as whom containers run.
    const args = Deno.uid() === 0 ? ["--no-sandbox"] : [];
    browser = await chromium.launch({ executablePath: path, args });
  });
  Deno.test.afterAll(() => browser?.close());
}

const found = findChromium();
if ("path" in found) launchBeforeTests(found.path);

const register = testsThatNeed("a Chromium", found, {
  isRequired: Deno.env.get("ZESTOR_REQUIRE_CHROMIUM") === "1",
});

/** Registers a test in the file's browser. */
export function testInChromium(
  name: string,
  test: (browser: Browser) => Promise<void>,
): void {
  register(name, () => test(browser!));
}
