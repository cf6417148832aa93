/// <reference lib="dom" />
/**
 * The page on a kind of a million entries: it keeps and draws one page of them,
 * wherever in the kind it is. The figures of time and memory are printed.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { type AnyKinds, openStore } from "../../mod.ts";
import { PAGE_SIZE } from "../../src/inspector/page/model/entries.ts";
import {
  keysIn,
  reads,
  shows,
  testPage,
} from "../support/inspector/browsing.ts";
import { fill, keyOf, MILLION } from "../support/inspector/million.ts";

/** The most elements of the page with a table and a panel. */
const MOST_ELEMENTS = 3_000;

function elementsOf(page: Page): Promise<number> {
  return page.evaluate(() => document.querySelectorAll("*").length);
}

/** The bytes of the page's JavaScript heap, after a collection. */
async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  await session.send("Performance.enable");
  const { metrics } = await session.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === "JSHeapUsedSize")!.value;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

testPage(
  "a million entries: the page stays small, and every part is at hand",
  async ({ store, open }) => {
    const page = await open("#entries?kind=n");
    await page.reload();
    await shows(page.locator(`a[title="${keyOf(0)}"]`));
    const firstPaint = await page.evaluate(() => ({
      contentful: performance.getEntriesByName("first-contentful-paint")[0]
        ?.startTime,
      rows: performance.getEntriesByName("first-rows")[0]?.startTime,
    }));
    await reads(page, ".total", "1,000,000 entries");
    const first = {
      elements: await elementsOf(page),
      heap: await heapOf(page),
    };
    assertEquals((await keysIn(page)).length, PAGE_SIZE);
    assert(first.elements < MOST_ELEMENTS, `${first.elements} elements`);

    for (let turn = 1; turn <= 30; turn++) {
      await page.getByRole("button", { name: "Next page" }).click();
      await shows(page.locator(`a[title="${keyOf(turn * PAGE_SIZE)}"]`));
    }
    await page.getByRole("button", { name: "Last page" }).click();
    await shows(page.locator(`a[title="${keyOf(MILLION - 1)}"]`));
    assertEquals((await keysIn(page)).length, PAGE_SIZE);
    await page.getByLabel("Keys that begin with").fill("05000");
    await shows(page.locator(`a[title="${keyOf(500_000)}"]`));

    await store.set("n", keyOf(500_003), -1);
    await shows(page.locator(".c-value", { hasText: "-1" }));
    const last = { elements: await elementsOf(page), heap: await heapOf(page) };
    assertEquals((await keysIn(page)).length, PAGE_SIZE);
    assert(last.elements < MOST_ELEMENTS, `${last.elements} elements`);
    console.log(
      `First contentful paint ${firstPaint.contentful?.toFixed(0)} ms, ` +
        `first rows ${firstPaint.rows?.toFixed(0)} ms; ` +
        `${first.elements} elements and ${megabytes(first.heap)} of heap, ` +
        `after 33 pages ${last.elements} and ${megabytes(last.heap)}`,
    );
  },
  {
    openStore: async (dir) => {
      const path = dir.file("million.db");
      await fill(path);
      return await openStore<AnyKinds>({ path, driver: "builtin" });
    },
  },
);
