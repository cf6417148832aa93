/// <reference lib="dom" />
/**
 * The page: kinds, the table of entries, and a value.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Store } from "../../mod.ts";
import { PAGE_SIZE } from "../../src/inspector/page/model/entries.ts";
import {
  hides,
  keysIn,
  reads,
  shows,
  showsKeys,
  testPage,
} from "../support/inspector/browsing.ts";

function keyOf(index: number): string {
  return `user-${String(index).padStart(4, "0")}`;
}

function keys(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => keyOf(from + i));
}

async function addUsers(store: Store, count: number): Promise<void> {
  await store.setAll(
    "users",
    keys(0, count).map((key, n) => [key, { name: `User ${n}` }] as const),
  );
}

const count = (kind: string) =>
  `#sidebar .nav-link[href*="kind=${kind}"] .nav-count`;

testPage(
  "the counts of kinds move, also those of new kinds",
  async ({ store, open }) => {
    await addUsers(store, 3);
    const page = await open();
    await reads(page, count("users"), "3");
    assertEquals(new URL(page.url()).hash, "#entries?kind=users");

    await store.set("users", "new", { name: "New" });
    await reads(page, count("users"), "4");
    await store.set("users", "new", { name: "Newer" });
    await store.delete("users", keyOf(0));
    await store.set("orders", "o1", {});
    await reads(page, count("orders"), "1");
    await reads(page, count("users"), "3");
    await store.delete("orders", "o1");
    await reads(page, count("orders"), "0");
  },
);

testPage(
  "an empty store says so, and shows its first entry",
  async ({ store, open }) => {
    const page = await open();
    await shows(page.getByText("The store has no entries yet"));
    await store.set("users", "alice", { name: "Alice" });
    await showsKeys(page, ["alice"]);
  },
);

testPage(
  "the table goes through pages, forward, back and to the end",
  async ({ store, open }) => {
    await addUsers(store, 2 * PAGE_SIZE + 50);
    const page = await open("#entries?kind=users");
    const turn = (name: string) => page.getByRole("button", { name });
    await showsKeys(page, keys(0, PAGE_SIZE));
    assert(await turn("First page").isDisabled());

    await turn("Next page").click();
    await showsKeys(page, keys(PAGE_SIZE, 2 * PAGE_SIZE));
    await turn("Next page").click();
    await showsKeys(page, keys(2 * PAGE_SIZE, 2 * PAGE_SIZE + 50));
    assert(await turn("Next page").isDisabled());

    await turn("Page before").click();
    await showsKeys(page, keys(PAGE_SIZE, 2 * PAGE_SIZE));
    await turn("Last page").click();
    await showsKeys(page, keys(PAGE_SIZE + 50, 2 * PAGE_SIZE + 50));
    await turn("Page before").click();
    await showsKeys(page, keys(50, PAGE_SIZE + 50));
    // The page before the first whole one is the first page.
    await turn("Page before").click();
    await showsKeys(page, keys(0, PAGE_SIZE));
    assert(await turn("First page").isDisabled());
  },
);

testPage(
  "the URL has the state: back, forward and reload work",
  async ({ store, open }) => {
    await addUsers(store, PAGE_SIZE + 20);
    const page = await open("#entries?kind=users");
    await showsKeys(page, keys(0, PAGE_SIZE));
    await page.getByRole("button", { name: "Next page" }).click();
    await showsKeys(page, keys(PAGE_SIZE, PAGE_SIZE + 20));
    await page.getByRole("link", { name: keyOf(PAGE_SIZE + 3) }).click();
    await reads(page, "#panel-title", keyOf(PAGE_SIZE + 3));

    await page.reload();
    await reads(page, "#panel-title", keyOf(PAGE_SIZE + 3));
    await showsKeys(page, keys(PAGE_SIZE, PAGE_SIZE + 20));
    await page.goBack();
    await page.goBack();
    await showsKeys(page, keys(0, PAGE_SIZE));
    await page.goForward();
    await showsKeys(page, keys(PAGE_SIZE, PAGE_SIZE + 20));
  },
);

testPage(
  "a prefix and a range narrow the table, and the count says how much",
  async ({ store, open }) => {
    await addUsers(store, 40);
    const page = await open("#entries?kind=users");
    await showsKeys(page, keys(0, 40));
    await page.getByLabel("Keys that begin with").fill("user-001");
    await showsKeys(page, keys(10, 20));
    await reads(page, ".total", "10 entries match");
    assertEquals(
      new URL(page.url()).hash,
      "#entries?kind=users&prefix=user-001",
    );

    await page.getByRole("button", { name: "Range" }).click();
    await page.getByLabel("From").fill(keyOf(13));
    await page.getByLabel("Before", { exact: true }).fill(keyOf(16));
    await showsKeys(page, keys(13, 16));
    await page.getByLabel("Keys that begin with").fill("");
    await page.getByRole("button", { name: "No range" }).click();
    await showsKeys(page, keys(0, 40));
    await page.getByLabel("Keys that begin with").fill("nobody");
    await shows(page.getByText("No key is in this range."));
  },
);

testPage(
  "keys with any characters keep the order of the store",
  async ({ store, open }) => {
    const odd = ["  ", "a b", "a/b?c#d&e=f%20", "z", "ä", "\uffee", "😀"];
    for (const key of odd) await store.set("odd kind/ü", key, key);
    const page = await open(
      `#entries?kind=${encodeURIComponent("odd kind/ü")}`,
    );
    await showsKeys(page, odd);
    // These come live, and have their places too.
    await store.set("odd kind/ü", "\uffef", 1);
    await store.set("odd kind/ü", "😁", 1);
    await showsKeys(page, [...odd.slice(0, -1), "\uffef", "😀", "😁"]);
    const links = page.locator(".table tbody a");
    for (const [index, key] of odd.slice(0, -1).entries()) {
      await links.nth(index).click();
      await reads(page, "#panel-title", key.trim());
      await reads(page, ".value", JSON.stringify(key));
    }
  },
);

testPage(
  "changes flash in the table, and rows come and go",
  async ({ store, open }) => {
    await addUsers(store, 5);
    const page = await open("#entries?kind=users");
    await showsKeys(page, keys(0, 5));
    const row = (key: string) =>
      page.locator(`.table tbody tr:has(a[title="${key}"])`);

    // Flashes are short, so they are noted as they begin.
    await page.evaluate(() => {
      const noted = new Set<string>();
      Object.assign(globalThis, { noted });
      document.addEventListener(
        "animationstart",
        ({ target, animationName }) => {
          const key = (target as Element).querySelector("a")?.title;
          noted.add(`${key} ${animationName.replace(/-\d$/, "")}`);
        },
      );
    });
    const flashes = (text: string) =>
      page.waitForFunction(
        (text) =>
          (globalThis as unknown as { noted: Set<string> }).noted.has(text),
        text,
      );
    await store.set("users", keyOf(2), { name: "Renamed" });
    await shows(row(keyOf(2)).getByText("Renamed"));
    await flashes(`${keyOf(2)} flash-update`);
    await store.set("users", "user-0002b", { name: "Between" });
    await shows(row("user-0002b").getByText("Between"));
    await flashes("user-0002b flash-create");
    await store.delete("users", keyOf(4));
    await showsKeys(page, [...keys(0, 3), "user-0002b", keyOf(3)]);
    // The marks go after a while.
    await hides(page.locator("[data-mark]"));
  },
);

testPage(
  "a value has colours, facts, and another language",
  async ({ store, open }) => {
    const value = {
      name: "Alice",
      age: 33,
      isNew: true,
      address: { zip: "1" },
    };
    await store.set("users", "alice", value, { expireIn: 3_600_000 });
    const page = await open("#entries?kind=users&key=alice", {
      expects: /404/,
    });
    await reads(page, ".value", JSON.stringify(value, null, 2));
    const piecesOf = (type: string) => page.locator(`.value .t-${type}`);
    assertEquals(await piecesOf("key").allTextContents(), [
      '"name"',
      '"age"',
      '"isNew"',
      '"address"',
      '"zip"',
    ]);
    assertEquals(await piecesOf("string").allTextContents(), [
      '"Alice"',
      '"1"',
    ]);
    assertEquals(await piecesOf("number").allTextContents(), ["33"]);
    assertEquals(await piecesOf("word").allTextContents(), ["true"]);

    const facts = await page.locator(".facts-entry").innerText();
    for (const title of ["Version", "Revision", "Size", "Codec", "Updated"]) {
      assert(facts.includes(title), facts);
    }
    assert(
      /Expires\s+\d{4}-\d\d-\d\d \d\d:\d\d:\d\d, in (59|60) min/.test(facts),
      facts,
    );

    await page.getByRole("button", { name: "YAML" }).click();
    await reads(
      page,
      ".value",
      "name: Alice\nage: 33\nisNew: true\naddress:\n  zip: '1'",
    ).catch(() =>
      reads(
        page,
        ".value",
        'name: Alice\nage: 33\nisNew: true\naddress:\n  zip: "1"',
      )
    );
    await store.set("users", "alice", { name: "Alice B." });
    await reads(page, ".value", "name: Alice B.");
    await store.delete("users", "alice");
    await shows(
      page.getByText("The entry is deleted. This is its last value."),
    );
  },
);

testPage(
  "a value, a key and a kind that are HTML stay text",
  async ({ store, open }) => {
    const html =
      `<script>globalThis.hacked=1</script><img src=x onerror="globalThis.hacked=1">`;
    await store.set(html, html, html);
    const page = await open();
    await showsKeys(page, [html]);
    await page.locator(".table tbody a").click();
    await reads(page, "#panel-title", html);
    await reads(page, ".value", JSON.stringify(html));
    await page.getByRole("link", { name: "History" }).click();
    await shows(page.locator("ins", { hasText: "<script>" }));
    await page.getByRole("link", { name: /^Changes/ }).click();
    await shows(page.locator(".feed .c-value", { hasText: "<script>" }));
    const found = await page.evaluate(() => [
      "hacked" in globalThis,
      document.querySelectorAll("img, script:not([src])").length,
    ]);
    assertEquals(found, [false, 0]);
  },
);

testPage("two browsers follow the same store", async ({ store, open }) => {
  await addUsers(store, 3);
  const [first, second] = [await open(), await open("#changes")];
  await showsKeys(first, keys(0, 3));
  await store.set("users", "user-9", { name: "Late" });
  await showsKeys(first, [...keys(0, 3), "user-9"]);
  await shows(second.locator(".feed a", { hasText: "user-9" }));
  await reads(second, count("users"), "4");
  assertEquals((await keysIn(first)).length, 4);
});
