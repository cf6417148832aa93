/// <reference lib="dom" />
/**
 * The page: creating, editing and deleting entries.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import type { Page } from "playwright-core";
import { openStore, type Store } from "../../mod.ts";
import {
  hides,
  reads,
  shows,
  showsKeys,
  testPage,
} from "../support/inspector/browsing.ts";

const WRITE = {
  write: true,
  openStore: () =>
    openStore({
      path: ":memory:",
      driver: "builtin",
      schemas: {
        users: z.object({
          name: z.string(),
          address: z.object({ zip: z.string("zip has to be a text") })
            .optional(),
        }),
      },
    }) as Promise<unknown> as Promise<Store>,
};

const pretty = (value: unknown) => JSON.stringify(value, null, 2);
const save = (page: Page) =>
  page.getByRole("button", { name: "Save", exact: true });
const editor = (page: Page) => page.locator("textarea");

testPage(
  "without permission nothing offers to write",
  async ({ store, open }) => {
    await store.set("users", "alice", { name: "Alice" });
    await store.set("users", "alice", { name: "Alice B." });
    const page = await open("#entries?kind=users&key=alice");
    await reads(page, ".value", pretty({ name: "Alice B." }));
    await shows(page.getByText("Read only"));
    const offers = /New entry|Edit|Delete|Bring/;
    assertEquals(await page.getByRole("link", { name: offers }).count(), 0);
    assertEquals(await page.getByRole("button", { name: offers }).count(), 0);
    await page.keyboard.press("e");
    await page.keyboard.press("c");
    await page.keyboard.press("h");
    await shows(page.locator(".history-item"));
    assertEquals(await page.locator("textarea").count(), 0);
    assertEquals(await page.getByRole("button", { name: offers }).count(), 0);
  },
);

testPage(
  "an entry is edited, by the button and by keys",
  async ({ store, open }) => {
    await store.set("users", "alice", { name: "Alice" });
    const page = await open("#entries?kind=users&key=alice");
    await page.getByRole("link", { name: "Edit" }).click();
    await shows(page.getByText("Saving replaces revision 1."));
    assert(await save(page).isDisabled(), "nothing is written yet");
    await editor(page).fill(pretty({ name: "Alice B." }));
    await save(page).click();
    await shows(page.getByText("Saved. The entry has version 2 now."));
    await reads(page, ".value", pretty({ name: "Alice B." }));
    assertEquals(await store.get("users", "alice"), { name: "Alice B." });

    await page.keyboard.press("e");
    await editor(page).fill(pretty({ name: "Alice C." }));
    await page.keyboard.press("Control+Enter");
    await reads(page, ".value", pretty({ name: "Alice C." }));
    assertEquals(await store.get("users", "alice"), { name: "Alice C." });

    // The key may follow the last letter before the page is drawn again.
    await page.keyboard.press("e");
    await shows(page.getByText("Saving replaces revision 3."));
    await editor(page).evaluate((field, text) => {
      (field as HTMLTextAreaElement).value = text;
      field.dispatchEvent(new InputEvent("input", { bubbles: true }));
      field.dispatchEvent(
        new KeyboardEvent("keydown", {
          key: "Enter",
          ctrlKey: true,
          bubbles: true,
        }),
      );
    }, pretty({ name: "Alice D." }));
    await reads(page, ".value", pretty({ name: "Alice D." }));
  },
  WRITE,
);

testPage(
  "the schema's messages stand at the field, with their lines",
  async ({ store, open }) => {
    await store.set("users", "alice", { name: "Alice" });
    const page = await open("#entries?kind=users&key=alice&tab=edit", {
      expects: /422/,
    });
    await editor(page).fill(pretty({ name: "A", address: { zip: 123 } }));
    await save(page).click();
    const mistake = page.locator(".mistake", { hasText: "address.zip" });
    await shows(mistake);
    assert((await mistake.innerText()).includes("zip has to be a text"));
    assertEquals(await editor(page).getAttribute("aria-invalid"), "true");
    assertEquals(await page.locator(".wrong-line").innerText(), "! 4");
    await mistake.getByRole("button", { name: "Line 4" }).click();
    const selected = await editor(page).evaluate((field) => {
      const { selectionStart, selectionEnd, value } =
        field as HTMLTextAreaElement;
      return value.slice(selectionStart, selectionEnd).trim();
    });
    assertEquals(selected, '"zip": 123');

    await editor(page).fill("{");
    await hides(mistake);
    await save(page).click();
    await shows(page.locator(".mistake"));
    assertEquals(await editor(page).inputValue(), "{", "the text is kept");
    assertEquals(await store.get("users", "alice"), { name: "Alice" });
  },
  WRITE,
);

testPage(
  "a conflict shows the other change, and both choices work",
  async ({ store, open }) => {
    await store.set("users", "alice", { name: "Alice" });
    const page = await open("#entries?kind=users&key=alice&tab=edit", {
      expects: /409/,
    });
    await shows(page.getByText("Saving replaces revision 1."));
    // As long as nothing is written, the editor follows the entry.
    await store.set("users", "alice", { name: "Alicia" });
    await shows(page.getByText("Saving replaces revision 2."));
    assertEquals(await editor(page).inputValue(), pretty({ name: "Alicia" }));

    await editor(page).fill(pretty({ name: "Mine" }));
    await store.set("users", "alice", { name: "Theirs" });
    await shows(page.getByText("The entry has changed since you began."));
    await save(page).click();
    const conflict = page.locator(".conflict");
    await shows(conflict.getByText("What changed meanwhile"));
    await shows(conflict.locator("ins", { hasText: "Theirs" }));
    await shows(conflict.locator("ins", { hasText: "Mine" }));
    await conflict.getByRole("button", { name: "Keep my text" }).click();
    await shows(page.getByText("Saving replaces revision 3."));
    assertEquals(await editor(page).inputValue(), pretty({ name: "Mine" }));
    await save(page).click();
    await reads(page, ".value", pretty({ name: "Mine" }));

    await page.keyboard.press("e");
    await editor(page).fill(pretty({ name: "Mine again" }));
    await store.set("users", "alice", { name: "Theirs again" });
    await page.getByRole("button", { name: "See what changed" }).click();
    await conflict.getByRole("button", { name: "Take theirs" }).click();
    await hides(conflict);
    assertEquals(await store.get("users", "alice"), { name: "Theirs again" });
  },
  WRITE,
);

testPage(
  "an entry that is deleted meanwhile can be created again",
  async ({ store, open }) => {
    await store.set("users", "alice", { name: "Alice" });
    const page = await open("#entries?kind=users&key=alice&tab=edit", {
      expects: /404|409/,
    });
    await editor(page).fill(pretty({ name: "Mine" }));
    await store.delete("users", "alice");
    await shows(page.getByText("The entry was deleted since you began."));
    await save(page).click();
    await page.getByRole("button", { name: "Keep my text" }).click();
    await shows(page.getByText("Saving creates the entry."));
    await save(page).click();
    await reads(page, ".value", pretty({ name: "Mine" }));
    assertEquals(await store.get("users", "alice"), { name: "Mine" });
  },
  WRITE,
);

testPage(
  "a text that is not saved stays while the user looks elsewhere",
  async ({ store, open }) => {
    await store.set("users", "alice", { name: "Alice" });
    await store.set("users", "bob", { name: "Bob" });
    const page = await open("#entries?kind=users&key=alice&tab=edit");
    await editor(page).fill(pretty({ name: "Half" }));
    await page.getByRole("link", { name: "bob" }).click();
    await reads(page, "#panel-title", "bob");
    await page.getByRole("link", { name: "alice" }).click();
    await page.getByRole("link", { name: "Edit, not saved" }).click();
    assertEquals(await editor(page).inputValue(), pretty({ name: "Half" }));
    await page.getByRole("button", { name: "Discard" }).click();
    await reads(page, ".value", pretty({ name: "Alice" }));
    await shows(page.getByRole("link", { name: "Edit", exact: true }));
  },
  WRITE,
);

testPage(
  "an entry is created, never over another, with an expiry",
  async ({ store, open }) => {
    await store.set("users", "alice", { name: "Alice" });
    const page = await open("#entries?kind=users", { expects: /409/ });
    await showsKeys(page, ["alice"]);
    await page.keyboard.press("c");
    await page.getByLabel("Key", { exact: true }).fill("alice");
    await editor(page).fill('{"name": "Other"}');
    await page.getByRole("button", { name: "Create" }).click();
    await shows(page.getByText("There is an entry with this key already."));
    assertEquals(await store.get("users", "alice"), { name: "Alice" });

    await page.getByLabel("Key", { exact: true }).fill("carol");
    await page.getByLabel("Expires").selectOption("In minutes");
    await page.getByLabel("Minutes from now").fill("none");
    await shows(page.getByText("Give a number above 0."));
    await page.getByLabel("Minutes from now").fill("90");
    await page.getByRole("button", { name: "Create" }).click();
    await reads(page, "#panel-title", "carol");
    await showsKeys(page, ["alice", "carol"]);
    const entry = await store.entry("users", "carol");
    assertEquals(entry!.value, { name: "Other" });
    const left = entry!.expiresAt!.getTime() - Date.now();
    assert(left > 60 * 60_000 && left <= 90 * 60_000, `${left}`);
  },
  WRITE,
);

testPage(
  "an entry is deleted after a question, and only as the user has seen it",
  async ({ store, open }) => {
    await store.set("users", "alice", { name: "Alice" });
    await store.set("users", "bob", { name: "Bob" });
    const page = await open("#entries?kind=users&key=alice", {
      expects: /404|409/,
    });
    const remove = page.getByRole("button", { name: "Delete" });
    await remove.click();
    const dialog = page.getByRole("dialog");
    // Before it is there, the key would close the entry.
    await shows(dialog);
    await page.keyboard.press("Escape");
    await hides(dialog);
    assertEquals(await store.has("users", "alice"), true);

    // The page's connection is held, so it cannot know of the change.
    await remove.click();
    await shows(dialog.getByText("revision 1."));
    await page.route("**/api/entry*", async (route) => {
      await store.set("users", "alice", { name: "Changed" });
      await route.continue();
    }, { times: 1 });
    await page.route("**/api/delete", async (route) => {
      await store.set("users", "alice", { name: "Changed again" });
      await route.continue();
    }, { times: 1 });
    await dialog.getByRole("button", { name: "Delete" }).click();
    await shows(dialog.getByText("The entry has changed meanwhile"));
    assertEquals(await store.has("users", "alice"), true);
    await page.unrouteAll({ behavior: "wait" });
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await hides(dialog);
    const { revision } = (await store.entry("users", "alice"))!;
    await shows(
      page.locator(".facts-entry dd").getByText(String(revision), {
        exact: true,
      }),
    );
    await remove.click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await shows(
      page.getByText("The entry is deleted. This is its last value."),
    );
    await showsKeys(page, ["bob"]);
    assertEquals(await store.has("users", "alice"), false);
  },
  WRITE,
);

testPage(
  "a long value is shown in part, and edited whole",
  async ({ store, open }) => {
    const long = "long ".repeat(80_000);
    await store.set("texts", "a", { long });
    const page = await open("#entries?kind=texts&key=a");
    await shows(page.getByText(/These are the first [\d,]+ of 400,0\d\d/));
    await page.keyboard.press("e");
    await shows(page.getByText("Saving replaces revision 1."));
    assertEquals(await editor(page).inputValue(), pretty({ long }));
    await editor(page).evaluate((field) => {
      const area = field as HTMLTextAreaElement;
      area.value = area.value.replace("long ", "LONG ");
      area.dispatchEvent(new InputEvent("input", { bubbles: true }));
    });
    await page.keyboard.press("Control+Enter");
    await shows(page.getByText("Saved. The entry has version 2 now."));
    assertEquals(await store.get("texts", "a"), {
      long: long.replace("long ", "LONG "),
    });
  },
  WRITE,
);

testPage(
  "the past is never edited, with any URL",
  async ({ store, open }) => {
    await store.set("users", "alice", { name: "Alice" });
    await store.set("users", "alice", { name: "Alice B." });
    const page = await open("#entries?kind=users&key=alice&at=1&tab=edit");
    await reads(page, ".value", pretty({ name: "Alice" }));
    assertEquals(await editor(page).count(), 0);
  },
  WRITE,
);
