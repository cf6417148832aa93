/// <reference lib="dom" />
/**
 * The page: the store as it was, the history of a key, and the way back.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  hides,
  reads,
  shows,
  showsKeys,
  testPage,
} from "../support/inspector/browsing.ts";

const count = (kind: string) =>
  `#sidebar .nav-link[href*="kind=${kind}"] .nav-count`;

testPage("the slider shows the store as it was", async ({ store, open }) => {
  await store.set("users", "alice", { age: 1 }); // 1
  await store.set("users", "bob", { age: 2 }); // 2
  await store.set("users", "alice", { age: 3 }); // 3
  await store.delete("users", "bob"); // 4
  const page = await open("#entries?kind=users");
  await showsKeys(page, ["alice"]);
  const slider = page.getByRole("slider");
  assertEquals(await slider.getAttribute("min"), "0");
  assertEquals(await slider.getAttribute("max"), "4");

  await slider.fill("2");
  await showsKeys(page, ["alice", "bob"]);
  await reads(page, count("users"), "2");
  await shows(page.locator(".time-label", { hasText: "As of revision 2" }));
  assertEquals(new URL(page.url()).hash, "#entries?kind=users&at=2");
  await page.getByRole("link", { name: "alice" }).click();
  await reads(page, ".value", '{\n  "age": 1\n}');

  // What happens now does not show in the past.
  await store.set("users", "carol", { age: 4 });
  await page.getByRole("button", { name: "One revision forward" }).click();
  await reads(page, ".value", '{\n  "age": 3\n}');
  await showsKeys(page, ["alice", "bob"]);
  await page.keyboard.press("[");
  await reads(page, ".value", '{\n  "age": 1\n}');
  await page.keyboard.press(".");
  await showsKeys(page, ["alice", "carol"]);
  await reads(page, ".value", '{\n  "age": 3\n}');
  await reads(page, count("users"), "2");
});

testPage(
  "a revision that the log does not reach is an error with a way back",
  async ({ store, open }) => {
    await store.set("users", "alice", { age: 1 });
    const page = await open("#entries?kind=users&at=77", {
      expects: /Failed to load/,
    });
    await shows(page.locator(".problem"));
    await page.getByRole("button", { name: "Back to now" }).click();
    await showsKeys(page, ["alice"]);
  },
);

testPage(
  "the history of a key has the differences between versions",
  async ({ store, open }) => {
    for (let age = 1; age <= 25; age++) {
      await store.set("users", "alice", { name: "Alice", age });
    }
    await store.delete("users", "alice");
    await store.set("users", "alice", { name: "Alice", age: 99 });
    const page = await open("#entries?kind=users&key=alice&tab=history");
    const items = page.locator(".history-item");
    await shows(items.nth(0).getByText("created"));
    await shows(items.nth(0).locator("ins", { hasText: '"age": 99' }));

    await items.nth(2).locator("summary").click();
    assertEquals(await items.nth(2).locator("del").allTextContents(), [
      '  "age": 24',
    ]);
    assertEquals(await items.nth(2).locator("ins").allTextContents(), [
      '  "age": 25',
    ]);
    assertEquals(await items.count(), 20);
    await page.getByRole("button", { name: "Show older changes" }).click();
    await shows(page.getByText("This is as far back as the log reaches."));
    assertEquals(await items.count(), 27);

    // A new change comes to the top, and leaves the rest as it is.
    await store.set("users", "alice", { name: "Alice", age: 100 });
    await shows(items.nth(0).getByText("revision 28"));
    assertEquals(await items.count(), 28);
    assertEquals(await page.locator("details[open]").count(), 2);
  },
);

testPage(
  "a value is brought back, from the history, and after a deletion",
  async ({ store, open }) => {
    await store.set("users", "alice", { age: 1 });
    await store.set("users", "alice", { age: 2 });
    const page = await open("#entries?kind=users&key=alice&tab=history", {
      expects: /404/,
    });
    const items = page.locator(".history-item");
    await shows(items.nth(1));
    assertEquals(
      await items.nth(0).getByText("Bring this value back").count(),
      0,
      "the newest value is there already",
    );
    await items.nth(1).locator("summary").click();
    await items.nth(1).getByText("Bring this value back").click();
    const dialog = page.getByRole("dialog");
    await shows(dialog.locator("ins", { hasText: '"age": 1' }));
    await shows(dialog.locator("del", { hasText: '"age": 2' }));
    await dialog.getByRole("button", { name: "Bring it back" }).click();
    await reads(page, ".value", '{\n  "age": 1\n}');
    assertEquals(await store.get("users", "alice"), { age: 1 });

    await store.delete("users", "alice");
    await shows(
      page.getByText("The entry is deleted. This is its last value."),
    );
    await page.getByRole("button", { name: "Bring this value back" }).click();
    await dialog.getByRole("button", { name: "Bring it back" }).click();
    await hides(page.getByText("The entry is deleted."));
    assertEquals(await store.get("users", "alice"), { age: 1 });
  },
  { write: true },
);

testPage(
  "a value is not brought back over one that the user has not seen",
  async ({ store, open }) => {
    await store.set("users", "alice", { age: 1 });
    await store.set("users", "alice", { age: 2 });
    const page = await open("#entries?kind=users&key=alice&at=1", {
      expects: /409/,
    });
    await reads(page, ".value", '{\n  "age": 1\n}');
    await page.getByRole("button", { name: "Bring this value back" }).click();
    const dialog = page.getByRole("dialog");
    await shows(dialog.locator("del", { hasText: '"age": 2' }));
    await store.set("users", "alice", { age: 3 });
    await dialog.getByRole("button", { name: "Bring it back" }).click();
    await shows(dialog.getByText("The entry has changed meanwhile"));
    await shows(dialog.locator("del", { hasText: '"age": 3' }));
    assertEquals(await store.get("users", "alice"), { age: 3 });

    await dialog.getByRole("button", { name: "Bring it back" }).click();
    await hides(dialog);
    assertEquals(await store.get("users", "alice"), { age: 1 });
    assert(!new URL(page.url()).hash.includes("at="));
  },
  { write: true },
);
