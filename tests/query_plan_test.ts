/**
 * How SQLite's planner runs each of the store's statements: by the primary key
 * alone, without a sort, whether or not the file has the Go store's second
 * index, and whether or not it has been analyzed.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  ALL_KEYS,
  type KeyRange,
  prefixRange,
  rangePast,
  rangeUpTo,
  singleKey,
} from "../src/keys/key_range.ts";
import type { Connection, SqlValue } from "../src/sqlite/driver/driver.ts";
import * as ofConnection from "../src/sqlite/connection/queries.ts";
import * as ofFormat from "../src/sqlite/format/queries.ts";
import * as ofChanges from "../src/sqlite/storage/change_queries.ts";
import * as ofStorage from "../src/sqlite/storage/queries.ts";
import { selectTexts, TRY_TEXTS } from "../src/sqlite/storage/text_queries.ts";
import * as ofVerification from "../src/sqlite/verification/queries.ts";
import { inspectFile } from "../src/sqlite/format/inspect_file.ts";
import { upgradeFile } from "../src/sqlite/format/upgrade_file.ts";
import { selectionOf } from "../src/store/options.ts";
import { Database } from "../src/sqlite/connection/database.ts";
import {
  adaptReads,
  findEarlierTables,
} from "../src/sqlite/format/earlier_format.ts";
import { connect, fileAt } from "./support/connect.ts";
import { type TestDriver, testOnEachDriver } from "./support/drivers.ts";
import { createFormat1File } from "./support/format_1_file.ts";
import { tempDir } from "./support/temp_dir.ts";

const queries = {
  ...ofConnection,
  ...ofFormat,
  ...ofStorage,
  ...ofChanges,
  selectTexts,
  TRY_TEXTS,
  ...ofVerification,
};

const {
  COMPARE_ENTRY,
  COUNT_CHANGES,
  COUNT_KINDS,
  COUNT_KINDS_THERE,
  countRange,
  DELETE_ENTRY,
  DELETE_EXPIRED,
  DELETE_THERE,
  GET_DATA_VERSION,
  GET_PAGE_COUNT,
  GET_PAGE_SIZE,
  GET_SCHEMA_VERSION,
  GET_SQLITE_VERSION,
  GET_USER_VERSION,
  LIST_CHANGES_OF,
  FIRST_ENTRY,
  GET_CHANGED_VALUE,
  GIVEN_REVISIONS,
  GET_ENTRY,
  GET_JOURNAL_MODE,
  GET_PREVIOUS,
  GET_SIZE,
  GET_VALUE,
  GET_STATE,
  GET_MARK,
  GET_META,
  GET_NEWEST,
  HAS_ENTRIES,
  HAS_ENTRY,
  HAS_EXPIRED,
  HEAD_REVISION,
  ENTRIES_AT_ONCE,
  INSERT_ENTRIES,
  INSERT_ENTRY,
  LIST_CHANGED_KINDS,
  LIST_FOUND_CHANGES,
  LIST_EXPIRED,
  LIST_KINDS,
  LIST_KINDS_THERE,
  NEXT_EXPIRY,
  keyParams,
  OLDEST_REVISION,
  PRUNE_LOG,
  rangeParams,
  selectChangedKeys,
  selectChanges,
  selectFoundEntries,
  selectRange,
  selectUnnamed,
  SEQUENCES,
  SET_REMOVAL,
  SET_TIME,
  UPDATE_ENTRY,
  UPDATE_EXPIRING,
  UPDATE_GUESSED,
  whichParams,
} = queries;

/** The files that a statement may meet. */
const FILES = [
  { secondIndex: false, analyzed: false },
  { secondIndex: false, analyzed: true },
  { secondIndex: true, analyzed: false },
  { secondIndex: true, analyzed: true },
];

/** One kind of 10 000 entries, and 1 000 kinds of one. */
async function skewedStore(
  driver: TestDriver,
  { secondIndex, analyzed }: typeof FILES[number],
): Promise<Connection & Disposable> {
  const db = await connect(driver);
  upgradeFile(db, inspectFile(db), new Map());
  if (secondIndex) db.exec("CREATE INDEX idx_kv_kind ON zestor_kv (kind)");
  db.exec(`
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10000)
      INSERT INTO zestor_kv (kind, key, value)
        SELECT 'big', printf('key%05d', i), zeroblob(50) FROM n;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000)
      INSERT INTO zestor_kv (kind, key, value)
        SELECT printf('small%04d', i), 'key00001', zeroblob(50) FROM n`);
  if (analyzed) db.exec("ANALYZE");
  return db;
}

/** Runs a check on every file and with kinds of every size. */
function testPlans(
  name: string,
  check: (db: Connection, kind: string) => void,
): void {
  testOnEachDriver(name, async (driver) => {
    for (const file of FILES) {
      using db = await skewedStore(driver, file);
      for (const kind of ["big", "small0500", "none"]) check(db, kind);
    }
  });
}

/** The steps of a plan that read a table or an index, or sort. */
function planOf(db: Connection, sql: string, ...params: SqlValue[]): string[] {
  const rows = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...params);
  return rows.map(({ detail }) => detail as string)
    .filter((step) => /zestor|TEMP/.test(step));
}

const PRIMARY_KEY = "sqlite_autoindex_zestor_kv_1";

/** How a large value is found that a row of the log does not have. */
const LARGE_VALUE = [
  `SEARCH zestor_kv USING INDEX ${PRIMARY_KEY} (kind=? AND key=?)`,
  "SEARCH later USING INDEX zestor_large (previous_revision=?)",
];

function assertSeeks(
  db: Connection,
  terms: string,
  sql: string,
  ...params: SqlValue[]
): void {
  const plan = planOf(db, sql, ...params);
  assertEquals(plan.length, 1, sql);
  const seek = plan[0].replace("COVERING ", "");
  assertEquals(
    seek,
    `SEARCH zestor_kv USING INDEX ${PRIMARY_KEY} ${terms}`,
    sql,
  );
}

const BYTES = new Uint8Array([1]);
const BOTH = "(kind=? AND key=?)";
const TIME = 1_700_000_000_000;
const NOW = new Date(TIME).toISOString();

testPlans("the planner finds an entry by the primary key", (db, kind) => {
  for (const sql of [GET_SIZE, HAS_ENTRY, DELETE_ENTRY]) {
    assertSeeks(db, BOTH, sql, kind, "key00001");
  }
  for (const sql of [GET_ENTRY, GET_VALUE, GET_STATE, DELETE_THERE]) {
    assertSeeks(db, BOTH, sql, kind, "key00001", TIME);
  }
  assertSeeks(db, BOTH, COMPARE_ENTRY, BYTES, TIME, kind, "key00001");
  const change = [NOW, 1, kind, "key00001"] as const;
  assertSeeks(db, BOTH, UPDATE_ENTRY, BYTES, ...change);
  assertSeeks(db, BOTH, UPDATE_GUESSED, BYTES, ...change, 1);
  assertSeeks(db, BOTH, UPDATE_EXPIRING, BYTES, null, ...change);
});

testPlans("the planner looks for nothing to insert an entry", (db, kind) => {
  assertEquals(
    planOf(db, INSERT_ENTRY, kind, "new", BYTES, 1, NOW, 1, null),
    [],
  );
  const many = Array.from(
    { length: ENTRIES_AT_ONCE },
    (_, i) => [`new${i}`, BYTES],
  );
  assertEquals(planOf(db, INSERT_ENTRIES, kind, NOW, 1, ...many.flat()), []);
});

testPlans("the planner finds expired entries with their index", (db) => {
  const index = "zestor_kv USING INDEX zestor_expiry";
  assertEquals(planOf(db, HAS_EXPIRED, TIME), [
    `SEARCH ${index.replace("INDEX", "COVERING INDEX")} (expires_at<?)`,
  ]);
  assertEquals(planOf(db, NEXT_EXPIRY), [
    `SEARCH ${index.replace("INDEX", "COVERING INDEX")} (expires_at>?)`,
  ]);
  assertEquals(planOf(db, LIST_EXPIRED, TIME, 64), [
    `SEARCH ${index} (expires_at<?)`,
  ]);
  assertEquals(planOf(db, DELETE_EXPIRED, TIME, 64), [
    `SEARCH zestor_kv USING COVERING INDEX ${PRIMARY_KEY} ${BOTH}`,
    `SEARCH ${index} (expires_at<?)`,
  ]);
});

const UP = "(kind=? AND key>?)";
const DOWN = "(kind=? AND key>? AND key<?)";

/** Ranges of each shape, and the terms that the planner has to use of them. */
const RANGES: [KeyRange, string][] = [
  [ALL_KEYS, UP],
  [selectionOf("list", { start: "key00500" }).keys, UP],
  [rangePast(ALL_KEYS, "key00500"), UP],
  [rangePast(ALL_KEYS, "key00500", true), DOWN],
  [selectionOf("list", { end: "key00500" }).keys, DOWN],
  [selectionOf("list", { start: "key00400", end: "key00500" }).keys, DOWN],
  [prefixRange("key"), DOWN],
  [prefixRange("none"), DOWN],
  [rangePast(prefixRange("key"), "key00500"), DOWN],
  [rangePast(prefixRange("key"), "key00500", true), DOWN],
  [singleKey("key00001"), DOWN],
  [rangeUpTo(ALL_KEYS, "key00500"), DOWN],
  [rangeUpTo(ALL_KEYS, "key00500", true), UP],
  [rangeUpTo(prefixRange("key"), "key00500", true), DOWN],
];

const VALUES = ["all", "small"] as const;

testPlans("the planner reads a range in order", (db, kind) => {
  for (const [range, terms] of RANGES) {
    const params = rangeParams(kind, range);
    for (const columns of ["key", "value", "entry"] as const) {
      for (const reverse of [false, true]) {
        for (const values of VALUES) {
          const read = { columns, range, reverse, values };
          const all = selectRange({ ...read, which: "all" });
          const there = selectRange({ ...read, which: "there" });
          const either = selectRange({ ...read, which: "thereOrAll" });
          for (const limit of [1, 256]) {
            assertSeeks(db, terms, all, ...params, limit);
            assertSeeks(db, terms, there, ...params, TIME, limit);
            const times = whichParams("thereOrAll", TIME);
            assertEquals(planOf(db, either, ...params, ...times, limit), [
              `SEARCH zestor_kv USING INDEX ${PRIMARY_KEY} ${terms}`,
              "SEARCH zestor_kv USING COVERING INDEX zestor_expiry (expires_at<?)",
            ]);
          }
        }
      }
    }
  }
});

testPlans("the planner reads a page of texts in order", (db, kind) => {
  for (const [range, terms] of RANGES) {
    const params = rangeParams(kind, range);
    for (const columns of ["value", "entry"] as const) {
      for (const reverse of [false, true]) {
        const read = { columns, range, reverse };
        const all = selectTexts({ ...read, there: false });
        const there = selectTexts({ ...read, there: true });
        const seek = `SEARCH zestor_kv USING INDEX ${PRIMARY_KEY} ${terms}`;
        assertEquals(planOf(db, there, ...params, TIME, 256), [seek]);
        assertEquals(planOf(db, all, TIME, ...params, 256).sort(), [
          "SEARCH zestor_kv USING COVERING INDEX zestor_expiry (expires_at<?)",
          seek,
        ]);
      }
    }
  }
});

testPlans(
  "the planner reads keys that are not whole in a range",
  (db, kind) => {
    for (const [range, terms] of RANGES) {
      const params = rangeParams(kind, range);
      assertSeeks(db, terms, selectUnnamed(range), ...params, 256);
      const which = "all";
      for (const values of VALUES) {
        const read = {
          columns: "entry",
          range,
          reverse: false,
          values,
        } as const;
        const whole = selectRange({ ...read, which, isWhole: true });
        assertSeeks(db, terms, whole, ...params, 256);
      }
    }
  },
);

testPlans("the planner counts a range in its index", (db, kind) => {
  for (const [range, terms] of RANGES) {
    const sql = countRange(range, "all");
    const params = rangeParams(kind, range);
    const plan = planOf(db, sql, ...params, -1);
    assertSeeks(db, terms, sql, ...params, -1);
    assertMatch(plan[0], /USING COVERING INDEX/);
    assertSeeks(db, terms, countRange(range, "there"), ...params, TIME, -1);
  }
});

testPlans("the planner finds the first entry without a sort", (db) => {
  assertEquals(planOf(db, FIRST_ENTRY), [
    `SCAN zestor_kv USING INDEX ${PRIMARY_KEY}`,
  ]);
});

testPlans("the planner looks for a kind's entries by a seek", (db, kind) => {
  assertSeeks(db, UP, HAS_ENTRIES, kind);
});

testPlans("the planner finds each kind by a seek", (db) => {
  assertEquals(planOf(db, LIST_KINDS), [
    // Of one row.
    `SCAN zestor_kv USING COVERING INDEX ${PRIMARY_KEY}`,
    `SEARCH zestor_kv USING COVERING INDEX ${PRIMARY_KEY} (kind>?)`,
  ]);
  const there = planOf(db, LIST_KINDS_THERE, TIME)
    // As newer versions of SQLite say.
    .map((step) => step.replace("EXISTS ", ""));
  assertEquals(there, [
    `SCAN zestor_kv USING COVERING INDEX ${PRIMARY_KEY}`,
    `SEARCH zestor_kv USING COVERING INDEX ${PRIMARY_KEY} (kind>?)`,
    `SEARCH zestor_kv USING INDEX ${PRIMARY_KEY} ${UP}`,
  ]);
  const kinds = db.prepare(LIST_KINDS).all().map(({ kind }) => kind);
  assertEquals(kinds.length, 1001);
  assertEquals(kinds, kinds.toSorted());
});

testPlans("the planner counts all kinds in one scan of the index", (db) => {
  assertEquals(planOf(db, COUNT_KINDS), [
    `SCAN zestor_kv USING COVERING INDEX ${PRIMARY_KEY}`,
  ]);
  // It reads each entry, so that each index will do that has its order.
  const [there, ...others] = planOf(db, COUNT_KINDS_THERE, TIME);
  assertMatch(there, /^SCAN zestor_kv USING INDEX (sqlite_auto|idx_kv_kind)/);
  assertEquals(others, []);
  const counts = db.prepare(COUNT_KINDS).all();
  assertEquals(counts.length, 1001);
  assertEquals(counts[0], { kind: "big", count: 10_000 });
  assertEquals(counts[1000], { kind: "small1000", count: 1 });
});

testPlans("the planner reads no table to describe a database", (db) => {
  assertEquals(planOf(db, TRY_TEXTS), []);
  const statements = [
    GET_DATA_VERSION,
    GET_JOURNAL_MODE,
    GET_PAGE_COUNT,
    GET_PAGE_SIZE,
    GET_SCHEMA_VERSION,
    GET_SQLITE_VERSION,
    GET_USER_VERSION,
  ];
  for (const sql of statements) assertEquals(planOf(db, sql), []);
});

testPlans(
  "the planner finds an entry's newest changes by revision",
  (db, kind) => {
    assertEquals(planOf(db, LIST_CHANGES_OF, null, null, 10_000, kind, "k"), [
      "SEARCH zestor_changes USING INTEGER PRIMARY KEY (rowid>?)",
      ...LARGE_VALUE,
    ]);
  },
);

const CHANGES_READS = [undefined, 1, 3].flatMap((kinds) =>
  [true, false].flatMap((reverse) =>
    VALUES.flatMap((values) =>
      [true, false].map((previous) => ({
        kinds,
        reverse,
        values,
        previous,
        times: previous,
      }))
    )
  )
);

testPlans("the planner reads the log by revision", (db, kind) => {
  const window = "SEARCH zestor_changes USING INTEGER PRIMARY KEY";
  for (const [range] of RANGES) {
    const params = rangeParams(kind, range);
    for (const [after, until] of [[0, 10_000], [500, 500], [10_990, 11_000]]) {
      for (const read of CHANGES_READS) {
        const sql = selectChanges({ ...read, range });
        const kinds = Array(read.kinds ?? 0).fill(kind);
        assertEquals(
          planOf(db, sql, after, until, ...kinds, ...keyParams(range), 128),
          [`${window} (rowid>? AND rowid<?)`, ...LARGE_VALUE],
        );
      }
      assertEquals(
        planOf(db, selectChangedKeys(range), after, until, ...params),
        [`${window} (rowid>? AND rowid<?)`],
      );
    }
  }
  assertEquals(planOf(db, LIST_CHANGED_KINDS, 500, 510), [
    `${window} (rowid>? AND rowid<?)`,
    "USE TEMP B-TREE FOR DISTINCT",
  ]);
  assertEquals(planOf(db, COUNT_CHANGES, 500, 510), [
    `${window} (rowid>? AND rowid<?)`,
  ]);
  assertEquals(planOf(db, LIST_FOUND_CHANGES, 500, 64), [
    `${window} (rowid>?)`,
    ...LARGE_VALUE,
  ]);
  assertEquals(planOf(db, GET_CHANGED_VALUE, 10), [
    `${window} (rowid=?)`,
    ...LARGE_VALUE,
  ]);
  assertEquals(planOf(db, PRUNE_LOG, 10), [
    `${window} (rowid<?)`,
    "SEARCH zestor_changes",
  ]);
  for (const sql of [GET_PREVIOUS, GET_MARK]) {
    assertEquals(planOf(db, sql, 10), [`${window} (rowid=?)`]);
  }
  assertEquals(planOf(db, SET_TIME, 10), [`${window} (rowid=?)`]);
  assertEquals(planOf(db, SET_REMOVAL, "expire", 10, 20, "delete"), [
    `${window} (rowid>? AND rowid<?)`,
  ]);
  assertMatch(planOf(db, GET_META, "mark")[0], /^SEARCH zestor_meta USING/);
});

testPlans(
  "the planner reads everything for a verification in order",
  (db, kind) => {
    assertEquals(planOf(db, selectFoundEntries("start"), 64), [
      `SCAN zestor_kv USING INDEX ${PRIMARY_KEY}`,
    ]);
    const name = new TextEncoder().encode(kind);
    for (const type of ["text", "blob"]) {
      const types = { kindType: type, keyType: type };
      const past = (
        position: ofVerification.Position,
        ...params: SqlValue[]
      ) => {
        const terms = position === "key" ? UP : "(kind>?)";
        const sql = selectFoundEntries(position, types);
        assertSeeks(db, terms, sql, ...params, 64);
      };
      past("key", name, name);
      past("kind", name);
    }
  },
);

testPlans("the planner finds the ends of the log by a seek", (db) => {
  for (
    const sql of [
      HEAD_REVISION,
      OLDEST_REVISION,
      GIVEN_REVISIONS,
      GET_NEWEST,
    ]
  ) {
    assertEquals(planOf(db, sql), ["SEARCH zestor_changes"]);
  }
  assertEquals(planOf(db, `SELECT 1 FROM ${SEQUENCES}`), []);
});

testOnEachDriver(
  "the planner reads a file of format 1 through views as it reads the tables",
  async (driver) => {
    await using dir = await tempDir();
    const path = dir.file("app.db");
    await createFormat1File(driver, path);
    using old = await connect(driver, fileAt(path));
    using current = await connect(driver);
    upgradeFile(current, inspectFile(current), new Map());
    const database = new Database(old, undefined);
    adaptReads(database, findEarlierTables((sql) => database.all(sql)));
    const statements: [sql: string, ...params: SqlValue[]][] = [
      [GET_VALUE, "k", "a", TIME],
      [FIRST_ENTRY],
      [HAS_ENTRIES, "k"],
      [LIST_KINDS],
      [COUNT_KINDS],
      [OLDEST_REVISION],
      [LIST_CHANGED_KINDS, 1, 2],
      [COUNT_CHANGES, 1, 2],
      [GET_PREVIOUS, 1],
      ...RANGES.flatMap(([range]): [string, ...SqlValue[]][] => {
        const params = rangeParams("k", range);
        return [
          [countRange(range, "all"), ...params, -1],
          [selectChangedKeys(range), 0, 9, ...params],
          ...(["key", "value"] as const).map((
            columns,
          ): [string, ...SqlValue[]] => [
            selectRange({
              columns,
              range,
              reverse: false,
              values: "small",
              which: "all",
            }),
            ...params,
            10,
          ]),
          ...CHANGES_READS.map((read): [string, ...SqlValue[]] => [
            selectChanges({ ...read, range }),
            ...[0, 9],
            ...Array(read.kinds ?? 0).fill("k"),
            ...keyParams(range),
            10,
          ]),
        ];
      }),
    ];
    for (const [sql, ...params] of statements) {
      const plan = planOf(old, sql, ...params)
        .map((step) => step.replace("main.", ""));
      const expected = planOf(current, sql, ...params);
      // In the log of format 1 no large value is missing, so none is looked for.
      const steps = expected.includes(LARGE_VALUE[1]) ? 1 : undefined;
      assertEquals(plan.slice(0, steps), expected.slice(0, steps), sql);
      old.prepare(sql).all(...params);
    }
    // The revision of each entry is the newest one, which is looked for once.
    const ofEntries: typeof statements = [
      [GET_ENTRY, "k", "a", TIME],
      [GET_STATE, "k", "a", TIME],
    ];
    for (const [sql, ...params] of ofEntries) {
      const [first, ...rest] = planOf(old, sql, ...params);
      assertMatch(first, new RegExp(`USING INDEX ${PRIMARY_KEY}`));
      for (const step of rest) {
        assertEquals(step, "SEARCH main.zestor_changes");
      }
      assertEquals(old.prepare(sql).all(...params)[0].revision, 5);
    }
  },
);

Deno.test("the plan of every statement is looked at", () => {
  const source = Deno.readTextFileSync(new URL(import.meta.url));
  const body = source.slice(source.indexOf("const FILES"));
  for (const name of Object.keys(queries)) {
    assert(body.includes(name), `${name} is not looked at`);
  }
});

Deno.test("no statement is planned anew at each run for its limit", async () => {
  const folder = new URL("../src/sqlite/", import.meta.url);
  const names = ["queries.ts", "change_queries.ts", "text_queries.ts"]
    .map((name) => `storage/${name}`);
  for (const name of [...names, "verification/queries.ts"]) {
    const source = await Deno.readTextFile(new URL(name, folder));
    assert(source.includes("LIMITED"), name);
    assert(!/LIMIT \?/.test(source), `${name}: use LIMITED`);
  }
});
