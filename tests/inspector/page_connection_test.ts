/// <reference lib="dom" />
/**
 * The page: a connection that is lost and comes back. Nothing is lost in silence.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { openMemoryStore } from "../../src/memory/open_memory_store.ts";
import {
  hides,
  reads,
  shows,
  showsKeys,
  testPage,
} from "../support/inspector/browsing.ts";

const expects = /ERR_|Failed to load/;

testPage(
  "a lost connection is shown; when it is back, no change is missing",
  async ({ store, open, line }) => {
    await store.set("users", "a", 1);
    const [page, feed] = [
      await open("#entries?kind=users", { expects }),
      await open("#changes", { expects }),
    ];
    await showsKeys(page, ["a"]);
    await shows(feed.locator(".feed a", { hasText: "a" }));

    await line.refuse();
    line.cut();
    const lost = "The connection to the server is lost.";
    await shows(page.getByText(lost));
    await shows(feed.getByText(lost));
    await reads(page, ".state", "Connection lost");
    await store.set("users", "b", 1);
    await store.delete("users", "a");
    await store.set("users", "c", 1);
    assertEquals(await page.getByText(lost).getAttribute("role"), "alert");

    line.mend();
    await hides(page.getByText(lost));
    await shows(page.getByText("Connected again. No change was missed."));
    await showsKeys(page, ["b", "c"]);
    await reads(page, "#sidebar .nav-link[href*=users] .nav-count", "2");
    await shows(feed.locator(".feed a", { hasText: "c" }));
    assertEquals(
      await feed.locator(".feed tbody a").allTextContents(),
      ["c", "a", "b", "a"],
    );
    assertEquals(await feed.locator(".gap").count(), 0);
  },
);

testPage(
  "data that could not be read while the server was away is read afterwards",
  async ({ store, open, line }) => {
    await store.set("users", "a", { age: 1 });
    await store.set("jobs", "j1", { age: 2 });
    const page = await open("#entries?kind=users", { expects });
    await showsKeys(page, ["a"]);
    await line.refuse();
    line.cut();
    await shows(page.getByText("The connection to the server is lost."));
    await page.locator("#sidebar").getByRole("link", { name: "jobs" }).click();
    await shows(page.getByText("The server does not answer."));
    line.mend();
    await showsKeys(page, ["j1"]);
    await hides(page.locator(".problem"));
  },
);

testPage(
  "a server that ends says good-bye; the user connects again",
  async ({ store, open, stop, serve }) => {
    await store.set("users", "a", 1);
    const page = await open("#entries?kind=users", { expects });
    await showsKeys(page, ["a"]);
    await stop();
    await shows(page.getByText("The connection has ended"));
    await reads(page, ".state", "Ended");
    await store.set("users", "b", 1);
    serve(store);
    await page.getByRole("button", { name: "Connect again" }).click();
    await shows(page.locator(".state-live"));
    await showsKeys(page, ["a", "b"]);
  },
);

testPage(
  "another store in its place is shown from its beginning, with a gap",
  async ({ store, open, line, stop, serve }) => {
    await store.set("users", "a", 1);
    const [page, feed] = [
      await open("#entries?kind=users", { expects }),
      await open("#changes", { expects }),
    ];
    await showsKeys(page, ["a"]);
    await line.refuse();
    line.cut();
    await shows(feed.getByText("The connection to the server is lost."));
    await stop();
    await using other = await openMemoryStore();
    await other.set("users", "x", 1);
    serve(other);
    line.mend();
    await showsKeys(page, ["x"]);
    await shows(feed.locator(".gap"));
    await other.set("users", "y", 1);
    await showsKeys(page, ["x", "y"]);
    await stop();
  },
);

testPage("the end of a session is shown", async ({ store, open, line }) => {
  await store.set("users", "a", 1);
  const page = await open("#entries?kind=users", { expects });
  await showsKeys(page, ["a"]);
  await line.refuse();
  line.cut();
  await shows(page.getByText("The connection to the server is lost."));
  await page.context().clearCookies();
  line.mend();
  await shows(page.locator(".state-refused"));
  const text = await page.locator(".bar").innerText();
  assert(/URL|token|session/i.test(text), text);
});

testPage(
  "the user's text stays while the server is away",
  async ({ store, open, line }) => {
    await store.set("users", "a", { age: 1 });
    const page = await open("#entries?kind=users&key=a&tab=edit", { expects });
    await page.locator("textarea").fill('{"age": 2}');
    await line.refuse();
    line.cut();
    await shows(page.getByText("The connection to the server is lost."));
    const save = page.getByRole("button", { name: "Save", exact: true });
    await save.click();
    await shows(page.locator(".form .problem"));
    assertEquals(await page.locator("textarea").inputValue(), '{"age": 2}');
    line.mend();
    await shows(page.locator(".state-live"));
    await save.click();
    await reads(page, ".value", '{\n  "age": 2\n}');
    assertEquals(await store.get("users", "a"), { age: 2 });
  },
  { write: true },
);
