/**
 * Tests of the conformance suite itself: which cases it asks of which store.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type Store,
  type WatchBookmark,
  type WatchEvent,
  type WatchOptions,
  WatchOverflowError,
} from "../mod.ts";
import { openMemoryStore } from "../src/memory/open_memory_store.ts";
import {
  type OpenForTest,
  type Supports,
  testStore,
} from "../src/testing/mod.ts";
import { openRemoteStore } from "./support/remote/open_remote_store.ts";
import { withOperations } from "./support/with_operations.ts";

/** What the suite registers for a store. */
interface Registered {
  /** The cases that run, by name. */
  run: Map<string, () => Promise<void>>;
  /** The names of those that are ignored, with the reason. */
  ignored: string[];
}

function register(
  supports?: Supports,
  open: (options?: OpenForTest) => Promise<Store> = openMemoryStore,
  canReopen = true,
): Registered {
  const run = new Map<string, () => Promise<void>>();
  const ignored: string[] = [];
  const reopen = (store: Store) => store;
  testStore({
    name: "S",
    open,
    supports,
    ...(canReopen ? { reopen } : {}),
    test: Object.assign(
      (name: string, fn: () => Promise<void>) => run.set(name, fn),
      { skip: (name: string) => ignored.push(name) },
    ),
  });
  return { run, ignored };
}

/** The cases that are ignored for a manifest, but not if everything is supported. */
function lackingFor(supports: Supports): string[] {
  const before = new Set(register().ignored);
  return register(supports).ignored.filter((name) => !before.has(name));
}

const LIMITS = { nameBytes: 256, valueBytes: 4_096, changes: 32 };

/** The cases that need a limit to go past. */
const LIMIT_CASES = [
  "S: C4 a kind and key past the limit of names are refused alone, with TOO_LARGE (it has no limit of names)",
  "S: the longest kind and key that fit are written (it has no limit of names)",
  "S: C4 a value past the limit of values is refused alone, with TOO_LARGE (it has no limit of values)",
  "S: the largest value that fits is written (it has no limit of values)",
  "S: C4 more changes than the limit of a write are refused alone, with TOO_LARGE (it has no limit of changes in one write)",
  "S: as many changes as fit in one write are written (it has no limit of changes in one write)",
];

Deno.test("testStore: without supports it runs all tests, except those beyond a limit", () => {
  const all = register();
  assertEquals(all.ignored, LIMIT_CASES);
  const full: Supports = {
    limits: {},
    verify: true,
    importedVersions: true,
    checksBeforeEquals: true,
  };
  for (const supports of [{}, full, { verify: undefined }]) {
    const { run, ignored } = register(supports);
    assertEquals([...run.keys()], [...all.run.keys()]);
    assertEquals(ignored, all.ignored);
  }
});

Deno.test("testStore: without reopen the cases that reopen are ignored", () => {
  const { ignored } = register({}, openMemoryStore, false);
  const reopening = ignored.filter((name) => !LIMIT_CASES.includes(name));
  assertEquals(reopening.length, 14);
  for (const name of reopening) {
    assert(name.endsWith(" (it cannot be reopened)"), name);
  }
});

Deno.test("testStore: without verify its cases are ignored, and no others", () => {
  const lacking = lackingFor({ verify: false });
  assertEquals(lacking.length, 12);
  for (const name of lacking) {
    assert(/verify.* \(it has no verify\)$/.test(name), name);
  }
});

Deno.test("testStore: without importedVersions, dependent tests are ignored", () => {
  const reason = " (it gives imported entries versions of its own)";
  assertEquals(
    lackingFor({ importedVersions: false }),
    [
      "import writes exported entries identically",
      "import creates with the line's version and time",
      "import gives entries versions and times of their own, if asked",
      "import writes an existing entry as set does",
      "a watch has imported entries, with their versions",
      "import keeps a time to the millisecond",
      "a version at the end of safe integers comes back from everywhere",
      "no write makes a version that cannot be read back",
      "C4 a write past the last version fails no other",
      "import refuses a line past the last version, and writes the others",
      "snapshot: a later import is not in it",
      "history has the time of an import, not that of its lines",
    ].map((name) => `S: ${name}${reason}`),
  );
});

Deno.test("testStore: without checksBeforeEquals one case is ignored", () => {
  assertEquals(lackingFor({ checksBeforeEquals: false }), [
    "S: equals: is not called if the version differs (it may ask equals before it checks)",
  ]);
});

Deno.test("testStore: a limit brings its own cases, and ignores what is larger", () => {
  const small = lackingFor({ limits: LIMITS });
  const changes = " (it takes 32 changes in one write)";
  assertEquals(
    small,
    [
      "S: C8 a setAll of 100 000 entries keeps the event loop turning" +
      changes,
      "S: import keeps its transactions small if lines are large (it takes 4096 bytes in one value)",
      "S: C2 a long read is of one moment, and in its place among the writes" +
      changes,
      "S: C8 an atomic operation of 400 000 checks keeps the event loop turning" +
      changes,
      "S: watch previous: of large values (it takes 4096 bytes in one value)",
      "S: C7 setAll of a generator ends it when it is aborted" + changes,
      "S: C7 setAll of a generator ends it when it aborts itself" + changes,
      "S: setAll ends a generator if a schema refuses an entry later" +
      changes,
    ].sort((a, b) => small.indexOf(a) - small.indexOf(b)),
  );
  const { run, ignored } = register({ limits: LIMITS });
  for (const name of LIMIT_CASES) {
    assert(run.has(name.replace(/ \([^)]*\)$/, "")), name);
  }
  assertEquals(ignored.length, small.length);
  // Each limit stands alone, and one that is large enough ignores nothing.
  assertEquals(lackingFor({ limits: { nameBytes: 256 } }), []);
  assertEquals(lackingFor({ limits: { valueBytes: 1_000_000 } }), []);
  assertEquals(register({ limits: { nameBytes: 256 } }).ignored.length, 4);
});

Deno.test("testStore: refuses a manifest that makes no sense", () => {
  const wrong: [Supports, ErrorConstructor, string][] = [
    [
      { verfy: false } as Supports,
      TypeError,
      '"supports" has no field "verfy"',
    ],
    [
      { limits: { bytes: 1 } } as Supports,
      TypeError,
      '"supports.limits" has no field "bytes"',
    ],
    [{ verify: 0 } as unknown as Supports, TypeError, '"supports.verify"'],
    [{ limits: { nameBytes: 255 } }, RangeError, '"supports.limits.nameBytes"'],
    [{ limits: { valueBytes: 4_095 } }, RangeError, "at least 4096"],
    [{ limits: { changes: 31 } }, RangeError, "at least 32"],
    [{ limits: { changes: 99.5 } }, RangeError, "received 99.5"],
    [{ limits: { changes: NaN } }, RangeError, "received NaN"],
  ];
  for (const [supports, error, message] of wrong) {
    assertThrows(() => register(supports), error, message);
  }
});

Deno.test("testStore: a limit that a store does not keep is noticed", async () => {
  const promised = { limits: LIMITS };
  for (const [limit, kept] of Object.entries(LIMITS)) {
    // It takes one more, or one less.
    for (const limits of [kept + 1, kept - 1]) {
      const open = () =>
        openRemoteStore({
          limits: { ...LIMITS, shared: 16, [limit]: limits },
          longest: 0,
        });
      const { run } = register(promised, open);
      const cases = LIMIT_CASES
        .filter((name) => name.includes(REASONS[limit]))
        .map((name) => run.get(name.replace(/ \([^)]*\)$/, ""))!);
      const outcomes = await Promise.allSettled(cases.map((run) => run()));
      assert(outcomes.some(({ status }) => status === "rejected"), limit);
    }
  }
});

const REASONS: Record<string, string> = {
  nameBytes: "limit of names",
  valueBytes: "limit of values",
  changes: "limit of changes",
};

type Item = WatchEvent | WatchBookmark;

/** Cases, and a store that breaks what each is about. */
const BROKEN: Record<string, (store: Store) => Partial<Store>> = {
  "close: again waits for the same": (store) => {
    let closed: Promise<void> | undefined;
    return {
      close() {
        if (closed) return Promise.resolve();
        return closed = store.close();
      },
    };
  },
  "W3 a filter does not make a consumer that keeps up overflow": (store) => ({
    watch: ((kind: string, options?: WatchOptions) => {
      const watch = store.watch(kind, options);
      return options?.prefix === undefined ? watch : failing(watch);
    }) as Store["watch"],
  }),
  "W6 bookmarks keep a watch of a quiet kind resumable": (store) => ({
    watch:
      ((kind: string, options?: WatchOptions) =>
        store.watch(kind, { ...options, bookmarks: false })) as Store["watch"],
  }),
  "verify: reads go on meanwhile, and writes are in order": () => ({
    verify: () => Promise.resolve([]),
  }),
  "C6 an entry that is created again has another revision": (store) => ({
    set: (kind, key, value, options) => {
      const { ifRevision: _, ...others } = options ?? {};
      return store.set(kind, key, value, others);
    },
  }),
  "C9 an entry that expires gives one delete event, marked as expired": (
    store,
  ) => ({
    watch:
      ((kind: string, options?: WatchOptions) =>
        store.watch(kind, options).pipeThrough(
          new TransformStream<Item, Item>({
            transform(event, out) {
              if (event.type === "delete") delete event.expired;
              out.enqueue(event);
            },
          }),
        )) as Store["watch"],
  }),
  "getMany is as of one moment": (store) => ({
    async getMany(kind, keys) {
      const found = new Map();
      for (const key of keys) {
        const value = await store.get(kind, key);
        if (value !== undefined) found.set(key, value);
      }
      return found;
    },
  }),
  "C2 deleteAll of thousands is one transaction": (store) => ({
    async deleteAll(kind) {
      let result = { deleted: 0, revision: 0 };
      for (const key of await store.keys(kind)) {
        const gone = await store.delete(kind, key);
        if (!gone) continue;
        const { deleteRevision: revision } = gone;
        result = { deleted: result.deleted + 1, revision };
      }
      return result;
    },
  }),
  "C2 import writes in transactions, and reports each": (store) => ({
    import: (lines) => store.import(lines),
  }),
};

/** The stream, which errors instead of its first chunk. */
function failing<T>(stream: ReadableStream<T>): ReadableStream<T> {
  return stream.pipeThrough(
    new TransformStream({
      transform() {
        throw new WatchOverflowError("pruned", "It fell behind");
      },
    }),
  );
}

for (const [name, breakIt] of Object.entries(BROKEN)) {
  Deno.test(`testStore: a store that breaks it does not pass: ${name}`, async () => {
    const { run } = register({}, async (options) => {
      const store = await openMemoryStore(options);
      return withOperations(store, breakIt(store));
    });
    const test = run.get(`S: ${name}`);
    assert(test);
    await assertRejects(test);
  });
}
