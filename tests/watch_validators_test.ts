/**
 * The validators of a watch's guarantees: what is sound passes, and each way to
 * break a guarantee is told by the validator that is named after it.
 *
 * @module
 */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { cursorOf } from "../src/engine/cursor.ts";
import {
  assertWatchGuarantees,
  type Change,
  findBreaches,
  type Item,
  type Session,
  type ToldChange,
  type Watched,
  type Written,
} from "./support/watches/watch_validators.ts";

/** Three transactions: one change, then three together, then two. */
const WRITTEN: Written = {
  changes: [
    change(1, "create", "k", "b", 1, "1"),
    change(2, "create", "k", "a", 1, "2"),
    change(3, "update", "k", "b", 2, "3"),
    change(4, "create", "l", "a", 1, "4"),
    change(5, "delete", "k", "a", 1, "2"),
    change(6, "create", "k", "c", 1, "6"),
  ],
  commits: new Set([1, 4, 6]),
};

function change(
  revision: number,
  type: Change["type"],
  kind: string,
  key: string,
  version: number,
  value: string,
): Change {
  return { revision, type, kind, key, version, value };
}

function cursor(revision: number): string {
  return cursorOf(revision, revision + 100);
}

function written(revision: number): ToldChange {
  return { ...WRITTEN.changes[revision - 1], cursor: cursor(revision) };
}

function replayed(revision: number): ToldChange {
  const entry = written(revision);
  return { ...entry, type: "create", revision: 0, cursor: cursor(0) };
}

function bookmark(revision: number): Item {
  return { type: "bookmark", revision, cursor: cursor(revision) };
}

/** A stream of everything, read to the end. */
const LIVE: Session = {
  kind: "k",
  options: {},
  start: 0,
  items: [1, 2, 3, 5, 6].map(written),
  until: 6,
};

/** The items of a stream that tells the values before. */
const PREVIOUS: ToldChange[] = [1, 2, 3, 5, 6].map((revision) =>
  revision === 3 ? { ...written(3), previous: "1" } : written(revision)
);

/** A stream that begins with a replay of revision 4. */
const REPLAY: Session = {
  kind: "k",
  options: { initial: true, bookmarks: true },
  items: [replayed(2), replayed(3), bookmark(4), written(5), written(6)],
  until: 6,
};

/** Two streams, the second of which resumes. */
const RESUMED: Watched = {
  name: "resumed",
  sessions: [
    { ...LIVE, items: [1, 2].map(written), until: undefined },
    {
      kind: "k",
      options: { after: 2 },
      items: [3, 5, 6].map(written),
      until: 6,
    },
  ],
};

function breachesOf(session: Session): string[] {
  return findBreaches(WRITTEN, { name: "w", sessions: [session] });
}

function guarantees(breaches: readonly string[]): string[] {
  return breaches.map((breach) => breach.split(" ")[0]);
}

Deno.test("`assertWatchGuarantees()` accepts sound watches", () => {
  const sound: Session[] = [
    LIVE,
    REPLAY,
    { ...LIVE, items: [], start: 6 },
    { ...LIVE, items: [1, 2, 3].map(written), until: undefined },
    { ...LIVE, options: { types: ["delete"] }, items: [written(5)] },
    { ...LIVE, options: { key: "a" }, items: [2, 5].map(written) },
    { ...LIVE, options: { prefix: "c" }, items: [written(6)] },
    { ...LIVE, options: { after: 3 }, start: 6, items: [5, 6].map(written) },
    { ...LIVE, start: 3, items: [5, 6].map(written) },
    {
      ...LIVE,
      kind: "l",
      options: { bookmarks: true },
      items: [bookmark(2), written(4), bookmark(6)],
    },
    {
      ...REPLAY,
      options: { initial: true },
      start: 4,
      items: REPLAY.items.filter((item) => item.type !== "bookmark"),
    },
    { ...REPLAY, items: [replayed(2)], until: undefined },
    { ...LIVE, options: { after: cursor(3) }, items: [5, 6].map(written) },
    { ...LIVE, options: { previous: true }, items: PREVIOUS },
    {
      ...LIVE,
      options: { types: ["delete"] },
      items: [{ ...written(5), expired: true }],
    },
  ];
  for (const session of sound) {
    assertWatchGuarantees(WRITTEN, { name: "sound", sessions: [session] });
  }
  assertWatchGuarantees(WRITTEN, RESUMED);
});

Deno.test("`assertWatchGuarantees()` names the watch and the broken guarantee", () => {
  const sessions = [{ ...LIVE, items: [2, 1].map(written), until: undefined }];
  const error = assertThrows(
    () => assertWatchGuarantees(WRITTEN, { name: "anna", sessions }),
    Error,
    'The watch "anna"',
  );
  assertStringIncludes(
    error.message,
    "W1 ordered: 1 create k/b@1 1 came after 2 create k/a@1 2",
  );
});

const BROKEN: Record<string, [guarantees: string[], session: Session]> = {
  "events that change places": [["W1"], {
    ...LIVE,
    items: [1, 3, 2, 5, 6].map(written),
  }],
  "a replay that is not in the order of keys": [["W1"], {
    ...REPLAY,
    items: [replayed(3), replayed(2), ...REPLAY.items.slice(2)],
  }],
  "a replayed entry after an event": [["W1", "W4"], {
    ...REPLAY,
    items: [replayed(2), bookmark(4), written(5), replayed(3), written(6)],
  }],
  "an event that comes twice": [["W2"], {
    ...LIVE,
    items: [1, 2, 2, 3, 5, 6].map(written),
  }],
  "a key that is replayed twice": [["W2", "W4"], {
    ...REPLAY,
    items: [replayed(2), ...REPLAY.items],
  }],
  "a gap": [["W3", "W7"], { ...LIVE, items: [1, 2, 5, 6].map(written) }],
  "a gap before the first": [["W3", "W7"], {
    ...LIVE,
    items: [3, 5, 6].map(written),
  }],
  "a replay in the middle of a transaction": [["W4"], {
    ...REPLAY,
    options: { initial: true },
    start: 3,
    items: [replayed(2), replayed(3), written(5), written(6)],
  }],
  "a replay that lacks an entry": [["W4"], {
    ...REPLAY,
    items: REPLAY.items.slice(1),
  }],
  "a replay that ends before its last entry": [["W4"], {
    ...REPLAY,
    options: { initial: true },
    start: 6,
    items: [replayed(3)],
  }],
  "a replay that is left, and has skipped an entry": [["W4"], {
    ...REPLAY,
    start: 4,
    items: [replayed(3)],
    until: undefined,
  }],
  "a replay of an entry that does not count as created": [["W4"], {
    ...REPLAY,
    items: [replayed(2), { ...replayed(3), type: "update" }, bookmark(4)],
    until: undefined,
  }],
  "a replay of an entry that was not there": [["W4"], {
    ...REPLAY,
    items: [...REPLAY.items.slice(0, 2), replayed(6), ...REPLAY.items.slice(2)],
  }],
  "a replay of an older value": [["W4"], {
    ...REPLAY,
    items: [replayed(2), replayed(1), ...REPLAY.items.slice(2)],
  }],
  "an event among those of another transaction": [["W1", "W4"], {
    ...LIVE,
    items: [1, 2, 5, 3, 6].map(written),
  }],
  "a resumed stream that begins too early": [["W5"], {
    ...LIVE,
    options: { after: 3 },
    items: [3, 5, 6].map(written),
  }],
  "a resumed stream that begins too late": [["W3", "W5", "W7"], {
    ...LIVE,
    options: { after: 2 },
    items: [5, 6].map(written),
  }],
  "a bookmark before an event that it covers": [["W1", "W6"], {
    ...LIVE,
    options: { bookmarks: true },
    items: [
      written(1),
      bookmark(3),
      written(2),
      written(3),
      ...[5, 6].map(written),
    ],
  }],
  "a bookmark that nobody asked for": [["W6"], {
    ...LIVE,
    items: [...LIVE.items, bookmark(6)],
  }],
  "a bookmark past the newest revision": [["W6"], {
    ...LIVE,
    options: { bookmarks: true },
    items: [...LIVE.items, bookmark(7)],
  }],
  "an event before the replay's bookmark": [["W6"], {
    ...REPLAY,
    start: 4,
    items: [replayed(2), replayed(3), written(5), bookmark(5), written(6)],
  }],
  "an event that is missing at the end": [["W7"], {
    ...LIVE,
    items: [1, 2, 3, 5].map(written),
  }],
  "an event of another value": [["W7"], {
    ...LIVE,
    items: [...LIVE.items.slice(0, 4), { ...written(6), value: "7" }],
  }],
  "an event of another version": [["W7"], {
    ...LIVE,
    items: [...LIVE.items.slice(0, 4), { ...written(6), version: 2 }],
  }],
  "an event that was never written": [["W7"], {
    ...LIVE,
    items: [
      ...LIVE.items,
      { ...written(6), revision: 7, cursor: cursor(7) },
    ],
  }],
  "an event that was not asked for": [["W7"], {
    ...LIVE,
    options: { types: ["create"] },
    items: [1, 2, 3, 6].map(written),
  }],
  "an event without a cursor": [["W5"], {
    ...LIVE,
    items: [...LIVE.items.slice(0, 4), { ...written(6), cursor: "" }],
  }],
  "an event with the cursor of another": [["W5"], {
    ...LIVE,
    items: [...LIVE.items.slice(0, 4), { ...written(6), cursor: cursor(5) }],
  }],
  "a bookmark with another cursor than its event": [["W5"], {
    ...LIVE,
    options: { bookmarks: true },
    items: [
      ...LIVE.items,
      { type: "bookmark", revision: 6, cursor: cursorOf(6, 1) },
    ],
  }],
  "replayed entries with several cursors": [["W5"], {
    ...REPLAY,
    items: [
      replayed(2),
      { ...replayed(3), cursor: cursorOf(0, 1) },
      ...REPLAY.items.slice(2),
    ],
  }],
  "a creation that expired": [["W7"], {
    ...LIVE,
    items: [...LIVE.items.slice(0, 4), { ...written(6), expired: true }],
  }],
  "an update that lacks the value before": [["W7"], {
    ...LIVE,
    options: { previous: true },
  }],
  "an update of another value before": [["W7"], {
    ...LIVE,
    options: { previous: true },
    items: PREVIOUS.map((item) =>
      item.previous ? { ...item, previous: "2" } : item
    ),
  }],
  "a value before that nobody asked for": [["W7"], {
    ...LIVE,
    items: PREVIOUS,
  }],
  "a value before a creation": [["W7"], {
    ...LIVE,
    options: { previous: true },
    items: [...PREVIOUS.slice(0, 4), { ...written(6), previous: "1" }],
  }],
  "nothing at all": [["W7"], { ...LIVE, items: [] }],
};

for (const [name, [expected, session]] of Object.entries(BROKEN)) {
  Deno.test(`\`findBreaches()\` finds ${name}`, () => {
    const breaches = breachesOf(session);
    assertEquals(guarantees(breaches), expected, breaches.join("\n"));
  });
}

Deno.test("`findBreaches()` finds events that a resumed stream repeats", () => {
  const [first, second] = RESUMED.sessions;
  const again = {
    ...second,
    options: { after: 1 },
    items: [2, 3, 5, 6].map(written),
  };
  const breaches = findBreaches(WRITTEN, {
    name: "w",
    sessions: [first, again],
  });
  assertEquals(guarantees(breaches), ["W2", "W5"], breaches.join("\n"));
});

Deno.test("`findBreaches()` finds a cursor that differs between two watches", () => {
  const written = { ...WRITTEN, cursors: new Map<number, string>() };
  const other = cursorOf(6, 1);
  const items = LIVE.items.map((item) =>
    item.revision === 6 ? { ...item, cursor: other } : item
  );
  const a = { name: "a", sessions: [LIVE] };
  const b = { name: "b", sessions: [{ ...LIVE, items }] };
  assertEquals(findBreaches(written, a), []);
  assertEquals(findBreaches(written, a), []);
  assertEquals(findBreaches(written, b), [
    `W5 cursors: 6 create k/c@1 6 has the cursor ${other}, and had ${
      cursor(6)
    }`,
  ]);
});
