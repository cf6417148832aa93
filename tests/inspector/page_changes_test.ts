/// <reference lib="dom" />
/**
 * The page: the feed of changes, its chart, and the health page.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { FEED_SIZE } from "../../src/inspector/page/model/feed.ts";
import {
  hides,
  reads,
  shows,
  testPage,
} from "../support/inspector/browsing.ts";

/** Waits until the feed shows these keys, the newest first. */
async function feeds(page: Page, keys: string[]): Promise<void> {
  await page.waitForFunction((keys) => {
    const links = document.querySelectorAll(".feed tbody a");
    const found = [...links].map((link) => link.textContent);
    return JSON.stringify(found) === JSON.stringify(keys);
  }, keys);
}

testPage(
  "the feed has the changes of all kinds, past and live",
  async ({ store, open }) => {
    await store.set("users", "alice", { age: 1 });
    await store.set("jobs", "j1", { tries: 1 });
    const page = await open("#changes");
    await feeds(page, ["j1", "alice"]);
    await store.set("users", "alice", { age: 2 });
    await store.delete("jobs", "j1");
    await feeds(page, ["j1", "alice", "j1", "alice"]);
    const rows = page.locator(".feed tbody tr");
    assertEquals(await rows.locator(".c-type").allTextContents(), [
      "deleted",
      "updated",
      "created",
      "created",
    ]);
    await rows.nth(1).getByRole("link").click();
    await reads(page, "#panel-title", "alice");
    await page.goBack();
    await feeds(page, ["j1", "alice", "j1", "alice"]);
  },
);

testPage(
  "an expiry is shown differently from a deletion",
  async ({ store, open }) => {
    const page = await open("#changes");
    await store.set("sessions", "s1", 1, { expireIn: 50 });
    await shows(page.locator(".feed .c-type", { hasText: "expired" }));
  },
);

testPage(
  "the pause holds changes back, and loses none",
  async ({ store, open }) => {
    const page = await open("#changes");
    await store.set("users", "a", 1);
    await feeds(page, ["a"]);
    await page.getByRole("button", { name: "Pause" }).click();
    await store.set("users", "b", 1);
    await store.set("users", "c", 1);
    await reads(page, ".waiting", "2 waiting");
    await feeds(page, ["a"]);
    await page.getByRole("button", { name: "Resume" }).click();
    await feeds(page, ["c", "b", "a"]);

    // A pause is no way to fill the memory: what is left out is told.
    await page.keyboard.press("p");
    const many = FEED_SIZE + 50;
    await store.setAll(
      "users",
      Array.from({ length: many }, (_, i) => [`u${i}`, i] as const),
    );
    await reads(page, ".waiting", `${many} waiting`);
    await page.keyboard.press("p");
    await shows(page.locator(".gap"));
    const text = await page.locator(".gap").textContent();
    assert(text!.startsWith("51 more changes came in the pause."), text!);
  },
);

testPage(
  "the feed is filtered by kind, key and type, and the URL has the filter",
  async ({ store, open }) => {
    await store.set("users", "alice", 1);
    await store.set("users", "bob", 1);
    await store.set("jobs", "alice", 1);
    await store.delete("jobs", "alice");
    const page = await open("#changes");
    await feeds(page, ["alice", "alice", "bob", "alice"]);
    await page.getByRole("combobox", { name: "Kind" }).selectOption("users");
    await feeds(page, ["bob", "alice"]);
    await page.getByLabel("Keys that contain").fill("lic");
    await feeds(page, ["alice"]);
    await store.set("users", "bob", 2);
    await store.set("jobs", "alice", 2);
    await store.set("users", "felicia", 2);
    await feeds(page, ["felicia", "alice"]);
    await page.reload();
    await feeds(page, ["felicia", "alice"]);
    assertEquals(
      await page.getByLabel("Keys that contain").inputValue(),
      "lic",
    );

    await page.getByRole("combobox", { name: "Kind" }).selectOption(
      "All kinds",
    );
    await page.getByLabel("created").uncheck();
    await page.getByLabel("updated").uncheck();
    await reads(page, ".feed .c-type:not(th)", "deleted");
    await feeds(page, ["alice"]);
  },
);

testPage("older changes are read on demand", async ({ store, open }) => {
  const keys = Array.from({ length: 150 }, (_, i) => `u${1000 + i}`);
  await store.setAll("users", keys.map((key) => [key, 1] as const));
  const page = await open("#changes");
  await feeds(page, keys.slice(50).toReversed());
  await page.getByRole("button", { name: "Show older changes" }).click();
  await feeds(page, keys.toReversed());
  await hides(page.getByRole("button", { name: "Show older changes" }));
  await shows(page.getByRole("button", { name: "Resume" }));
});

testPage(
  "the feed keeps a bounded number of rows in a flood",
  async ({ store, open }) => {
    const page = await open("#changes");
    for (let round = 0; round < 5; round++) {
      await store.setAll(
        "users",
        Array.from({ length: 1_000 }, (_, i) => [`u${i}`, round] as const),
      );
    }
    const last = await store.set("users", "last", 1);
    await shows(page.locator(".feed a", { hasText: "last" }));
    const rows = await page.locator(".feed tbody tr").count();
    assert(rows <= FEED_SIZE, `${rows} rows`);
    assertEquals(last.revision, 5_001);
  },
);

testPage(
  "the chart draws the changes of each second",
  async ({ store, open }) => {
    const page = await open("#changes");
    await shows(page.locator(".chart canvas"));
    await store.setAll(
      "users",
      Array.from({ length: 40 }, (_, i) => [`u${i}`, i] as const),
    );
    await page.waitForFunction(() =>
      /40 in the last minute/.test(
        document.querySelector(".rate-head")!.textContent!,
      )
    );
    // The bar of 40 has the accent's colour. It is drawn after the text is shown.
    await page.waitForFunction(() => {
      const canvas = document.querySelector<HTMLCanvasElement>(
        ".chart canvas",
      )!;
      const context = canvas.getContext("2d")!;
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      for (let i = 0; i < data.length; i += 4) {
        if (data[i] === 15 && data[i + 1] === 118 && data[i + 2] === 110) {
          return true;
        }
      }
      return false;
    });
  },
);

testPage(
  "the health page shows facts, and the findings of a check",
  async ({ store, open }) => {
    await store.set("users", "alice", 1);
    await store.set("jobs", "j1", 1);
    const page = await open("#health");
    await shows(page.getByText("2 changes, revisions 1 to 2"));
    const facts = await page.locator(".facts").innerText();
    for (const fact of ["SQLite", "Size", "Entries", "Inspector"]) {
      assert(facts.includes(fact), facts);
    }
    await page.getByRole("button", { name: "Check the store" }).click();
    await shows(page.getByText("Nothing is wrong."));
  },
);
