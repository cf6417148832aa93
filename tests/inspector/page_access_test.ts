/// <reference lib="dom" />
/**
 * The page for everybody: screen readers, the keyboard, narrow screens, dark
 * and light, less motion.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import axe from "axe-core";
import type { Page } from "playwright-core";
import type { Store } from "../../mod.ts";
import {
  hides,
  reads,
  shows,
  showsKeys,
  testPage,
} from "../support/inspector/browsing.ts";

const WRITE = { write: true };

/** What of a page is checked, and how to get there. */
const VIEWS: readonly {
  readonly name: string;
  readonly fragment: string;
  readonly arrive: (page: Page) => Promise<unknown>;
}[] = [
  {
    name: "the table and a value",
    fragment: "#entries?kind=users&key=alice",
    arrive: (page) => shows(page.locator(".value")),
  },
  {
    name: "the history",
    fragment: "#entries?kind=users&key=alice&tab=history",
    arrive: (page) => shows(page.locator("ins")),
  },
  {
    name: "an editor with a mistake",
    fragment: "#entries?kind=users&key=alice&tab=edit",
    arrive: async (page) => {
      await page.locator("textarea").fill("{");
      await page.keyboard.press("Control+Enter");
      await shows(page.locator(".mistake"));
    },
  },
  {
    name: "a new entry",
    fragment: "#entries?kind=users&tab=new",
    arrive: (page) => shows(page.locator("textarea")),
  },
  {
    name: "the past",
    fragment: "#entries?kind=users&start=a&at=2",
    arrive: (page) => shows(page.locator(".time-bar.is-past")),
  },
  {
    name: "the changes",
    fragment: "#changes",
    arrive: (page) => shows(page.locator(".feed a")),
  },
  {
    name: "health",
    fragment: "#health",
    arrive: async (page) => {
      await shows(page.locator(".facts"));
      await page.getByRole("button", { name: "Check the store" }).click();
      await shows(page.locator(".note-good"));
    },
  },
  {
    name: "the help",
    fragment: "#entries?kind=users",
    arrive: async (page) => {
      await page.getByRole("button", { name: "Help with keys" }).click();
      await shows(page.getByRole("dialog"));
    },
  },
];

async function fill(store: Store): Promise<void> {
  await store.set("users", "alice", { name: "Alice", age: 1, isNew: true });
  await store.set("users", "alice", { name: "Alice", age: 2, isNew: null });
  await store.set("users", "bob", "Bob", { expireIn: 3_600_000 });
  await store.set("jobs", "j1", [1, 2, 3]);
  await store.delete("jobs", "j1");
}

/** What axe finds wrong, as text, by all of its rules or some. */
async function violationsOf(
  page: Page,
  rules: readonly string[] | undefined,
): Promise<string[]> {
  await page.evaluate(axe.source);
  return await page.evaluate(async (rules) => {
    const { axe } = globalThis as unknown as {
      axe: typeof import("axe-core");
    };
    const { violations } = await axe.run(
      rules ? { runOnly: [...rules] } : {},
    );
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) =>
        `${id}: ${html}\n${failureSummary}`
      )
    );
  }, rules);
}

/** How each view is looked at, one after the other, and by which rules. */
const LOOKS: readonly {
  readonly look: string;
  readonly media?: Parameters<Page["emulateMedia"]>[0];
  readonly width?: number;
  readonly rules?: readonly string[];
}[] = [
  { look: "in light" },
  // Of a scheme only the colours are others.
  {
    look: "in dark",
    media: { colorScheme: "dark" },
    rules: ["color-contrast"],
  },
  { look: "on 360 px", media: { colorScheme: "light" }, width: 360 },
];

testPage(
  "nothing hinders a screen reader, in light, in dark and on 360 px",
  async ({ store, open }) => {
    await fill(store);
    const found: string[] = [];
    for (const { name, fragment, arrive } of VIEWS) {
      const page = await open(fragment, {
        expects: /422/,
        colorScheme: "light",
        reducedMotion: "reduce",
      });
      await arrive(page);
      for (const { look, media, width, rules } of LOOKS) {
        if (media) await page.emulateMedia(media);
        if (width) await page.setViewportSize({ width, height: 640 });
        const violations = await violationsOf(page, rules);
        const problems = violations.map((it) => `${name}, ${look}: ${it}`);
        const overflow = await page.evaluate(() =>
          document.documentElement.scrollWidth - innerWidth
        );
        if (overflow > 0) {
          problems.push(`${name}, ${look}: ${overflow} px too wide`);
        }
        found.push(...problems);
      }
      await page.context().close();
    }
    assertEquals(found, []);
  },
  WRITE,
);

testPage(
  "the keyboard alone is enough, and the focus is never lost",
  async ({ store, open }) => {
    await fill(store);
    const page = await open("#entries?kind=users");
    await showsKeys(page, ["alice", "bob"]);
    const focus = () =>
      page.evaluate(() => {
        const { id, title, ariaLabel, textContent } = document
          .activeElement as HTMLElement;
        return id || title || ariaLabel || textContent;
      });
    await page.keyboard.press("j");
    assertEquals(await focus(), "alice");
    await page.keyboard.press("j");
    assertEquals(await focus(), "bob");
    await page.keyboard.press("k");
    await page.keyboard.press("Enter");
    await reads(page, "#panel-title", "alice");
    assertEquals(await focus(), "panel-title");
    await page.keyboard.press("h");
    await shows(page.locator(".history-item"));
    await page.keyboard.press("v");
    await shows(page.locator(".value"));
    await page.keyboard.press("Escape");
    await hides(page.locator(".panel"));
    assertEquals(await focus(), "alice");

    await page.keyboard.press("/");
    await page.keyboard.type("bo?");
    await shows(page.getByText("No key is in this range."));
    assertEquals(await page.getByRole("dialog").count(), 0, "it is a text");
    await page.keyboard.press("Escape");
    await showsKeys(page, ["alice", "bob"]);

    await page.keyboard.press("Tab");
    await page.keyboard.press("?");
    const dialog = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await shows(dialog);
    await dialog.getByRole("checkbox").uncheck();
    await page.keyboard.press("Escape");
    await hides(dialog);
    await page.keyboard.press("2");
    await page.keyboard.press("?");
    assertEquals(await dialog.count(), 0, "single keys are off");
    assertEquals(new URL(page.url()).hash, "#entries?kind=users");
  },
);

testPage(
  "views differ in the title and the focus",
  async ({ store, open }) => {
    await fill(store);
    const page = await open("#entries?kind=users");
    await showsKeys(page, ["alice", "bob"]);
    await page.keyboard.press("2");
    await page.waitForFunction(() =>
      document.activeElement?.id === "changes-title"
    );
    assert((await page.title()).startsWith("Changes · "), await page.title());
    await page.keyboard.press("3");
    await page.waitForFunction(() =>
      document.activeElement?.id === "health-title"
    );
    await page.goBack();
    await page.goBack();
    await page.waitForFunction(() =>
      document.activeElement?.id === "kind-title"
    );
  },
);

testPage(
  "dark and light follow the system, or the switch, also after a reload",
  async ({ store, open }) => {
    await fill(store);
    const page = await open("", { colorScheme: "dark" });
    const background = () =>
      page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const [dark, light] = ["rgb(20, 24, 29)", "rgb(255, 255, 255)"];
    assertEquals(await background(), dark);
    await page.emulateMedia({ colorScheme: "light" });
    assertEquals(await background(), light);
    await page.getByRole("button", { name: "Colours: Auto" }).click();
    await page.getByRole("button", { name: "Colours: Light" }).click();
    await shows(page.getByRole("button", { name: "Colours: Dark" }));
    assertEquals(await background(), dark);
    await page.reload();
    assertEquals(await background(), dark);
  },
);

testPage(
  "on a narrow screen the list of kinds is a menu, and the panel covers the table",
  async ({ store, open }) => {
    await fill(store);
    await store.set("jobs", "j2", 1);
    const page = await open("#entries?kind=users", {
      viewport: { width: 390, height: 700 },
    });
    await showsKeys(page, ["alice", "bob"]);
    await hides(page.locator("#sidebar"));
    await page.getByRole("button", { name: "Menu" }).click();
    await page.locator("#sidebar").getByRole("link", { name: "jobs" }).click();
    await hides(page.locator("#sidebar"));
    await showsKeys(page, ["j2"]);
    await page.getByRole("link", { name: "j2" }).click();
    const box = await page.locator(".panel").boundingBox();
    assertEquals([box!.x, box!.width], [0, 390]);
  },
);

testPage(
  "nothing moves when changes, counts and messages come",
  async ({ store, open, line }) => {
    await fill(store);
    const page = await open("#entries?kind=users", { expects: /ERR_/ });
    await showsKeys(page, ["alice", "bob"]);
    const places = () =>
      page.evaluate(() =>
        [".table-scroll", ".time-bar", ".state", ".total", "#sidebar"].map(
          (selector) => {
            const { x, y } = document.querySelector(selector)!
              .getBoundingClientRect();
            return [selector, x, y];
          },
        )
      );
    const before = await places();
    await store.set("users", "carol", "Carol");
    await showsKeys(page, ["alice", "bob", "carol"]);
    assertEquals(await places(), before);
    await line.refuse();
    line.cut();
    await shows(page.getByText("The connection to the server is lost."));
    assertEquals(await places(), before);
    line.mend();
    await shows(page.getByText("Connected again."));
    assertEquals(await places(), before);
  },
);

testPage(
  "with less motion a change is marked without a fade",
  async ({ store, open }) => {
    await fill(store);
    const page = await open("#entries?kind=users", { reducedMotion: "reduce" });
    await showsKeys(page, ["alice", "bob"]);
    await page.evaluate(() =>
      document.addEventListener("animationstart", ({ target }) => {
        const { animationTimingFunction } = getComputedStyle(target as Element);
        document.body.dataset.timing = animationTimingFunction;
      })
    );
    await store.set("users", "alice", 3);
    await shows(page.locator("body[data-timing]"));
    const timing = await page.locator("body").getAttribute("data-timing");
    assert(/steps/.test(timing!), timing!);
  },
);
