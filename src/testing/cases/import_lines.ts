/**
 * Tests of the lines of an import: each is kept exactly, or refused with the
 * reason. Nothing is altered silently.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { RefusedLine } from "../../contract/transfer.ts";
import { type Cases, needing, needsImportedVersions } from "../case.ts";
import { entryLine, NOTHING, refusedOf, streamOf } from "../lines.ts";
import { assertSound, textOf } from "../reading.ts";

/** A line of the kind `"a"` and the key `"x"`, with the rest as text. */
const lineWith = (rest: string) => `{"kind":"a","key":"x",${rest}}\n`;

const lineAt = (time: string) =>
  lineWith(`"value":1,"updatedAt":${JSON.stringify(time)}`);

export const importLines: Cases = {
  "import takes lines wherever the chunks are cut": async (open) => {
    await using store = await open();
    const text = "\ufeff" + entryLine("é", "😀") + "\r\n  \n" +
      entryLine("x", { n: 1 }).replace("\n", "\r\n") + '{"kind":"a","key":' +
      '"last","value":null}';
    const bytes = new TextEncoder().encode(text);
    const bySize = [1, 2, 3, 7, bytes.length].map((size) =>
      Array.from(
        { length: Math.ceil(bytes.length / size) },
        (_, i) => bytes.slice(i * size, (i + 1) * size),
      )
    );
    for (const chunks of [...bySize, [text], [...text], text.split("")]) {
      const result = await store.import(streamOf(...chunks));
      assertEquals(result.lines, 5);
      assertEquals(result.created + result.unchanged, 3);
    }
    const all = [["last", null], ["x", { n: 1 }], ["é", "😀"]];
    assertEquals([...await store.list("a")], all as [string, unknown][]);
    assertEquals(await store.import(streamOf()), NOTHING);
    assertEquals(await store.import(streamOf("", "\n", "")), {
      ...NOTHING,
      lines: 1,
    });
  },

  "import reports each refused line, with the reason": async (open) => {
    await using store = await open();
    const refused: [line: string, reason: string][] = [
      ["{", "JSON"],
      ["1", "expected an object, received 1"],
      ["null", "expected an object, received null"],
      ["[]", "expected an object, received an array"],
      ['{"kind":"a","key":"x"}', 'expected "value"'],
      ['{"key":"x","value":1}', "undefined as a kind"],
      ['{"kind":"a","key":"","value":1}', '"" as a key'],
      ['{"kind":"a","key":"\\u0000","value":1}', "NUL"],
      ['{"kind":"a","key":"\\ud800","value":1}', "surrogate"],
      ['{"kind":"a","key":1,"value":1}', "1 as a key"],
      ['{"kind":"a","key":"x","value":1,"vresion":1}', 'unknown "vresion"'],
      ['{"kind":"a","key":"x","value":1,"version":0}', "received 0"],
      ['{"kind":"a","key":"x","value":1,"version":1.5}', "received 1.5"],
      ['{"kind":"a","key":"x","value":1,"version":1e300}', "received 1e+300"],
      ['{"kind":"a","key":"x","value":[1,12345678901234567890]}', "1234567890"],
      ['{"kind":"a","key":"x","value":0.12345678901234567890}', "would become"],
      ['{"kind":"a","key":"x","value":1,"updatedAt":1}', "received 1"],
      ['{"kind":"a","key":"x","value":1,"updatedAt":"today"}', '"today"'],
      [
        '{"kind":"a","key":"x","value":1,"updatedAt":"2001-02-30T25:00:00Z"}',
        "2001-02-30",
      ],
      ['{"kind":"a","key":"x","bytes":"MQ=="}', '"codec" and "bytes"'],
      [
        '{"kind":"a","key":"x","codec":"c","bytes":"MQ==","value":1}',
        "expected",
      ],
      ['{"kind":"a","key":"x","codec":"c","bytes":"%"}', "base64"],
      [
        '{"kind":"a","key":"x","codec":"none","bytes":"MQ=="}',
        'codec "none", and the kind "a" has',
      ],
    ];
    const good = entryLine("good", 1);
    const text = good + refused.map(([text]) => text + "\n").join("") + good;
    const told = await refusedOf(store, text);
    assertEquals(told.map(({ line }) => line), refused.map((_, i) => i + 2));
    for (const [i, { reason }] of told.entries()) {
      assertStringIncludes(reason, refused[i][1], refused[i][0]);
    }
    assertEquals([...await store.list("a")], [["good", 1]]);
  },

  "import refuses a line that is not UTF-8, and goes on": async (open) => {
    await using store = await open();
    const bad = new TextEncoder().encode(entryLine("x", "?"));
    bad[bad.indexOf("?".charCodeAt(0))] = 0xff;
    const refused: RefusedLine[] = [];
    const result = await store.import(streamOf(bad, entryLine("y", 1)), {
      onRefused: (line) => refused.push(line),
    });
    assertEquals(result, { ...NOTHING, lines: 2, created: 1, refused: 1 });
    assertEquals(refused[0].line, 1);
    assertStringIncludes(refused[0].reason, "no UTF-8");
  },

  "import keeps each value as it is": async (open) => {
    await using store = await open();
    const values = [
      "-0",
      "1.7976931348623157e+308",
      "5e-324",
      "9007199254740991",
      String.raw`"\ud800"`,
      String.raw`"\u0000\ufeff\n"`.replace(String.raw`\ufeff`, "\ufeff"),
      '{"__proto__":{"a":1},"constructor":2,"toJSON":3,"":{}}',
      '[[],{},[{"a":1},{"a":1}]]',
      '{"a":{"a":"a"},"b":["a","a"]}',
      '"{\\"a\\":1,\\"a\\":2}"',
    ];
    for (const text of values) {
      assertEquals(await refusedOf(store, lineWith(`"value":${text}`)), []);
      assertEquals(
        await textOf(store.export({ versions: false, times: false })),
        lineWith(`"value":${text}`),
      );
    }
    // The same line in another form.
    const other: [string, string][] = [
      ["-0.0e5", "-0"],
      ["1E2", "100"],
      ["9007199254740992.0", "9007199254740992"],
      [String.raw`"\u0041\/"`, '"A/"'],
      ['{ "b" : 1 ,\t"a":[ ] }', '{"b":1,"a":[]}'],
    ];
    for (const [text, expected] of other) {
      assertEquals(await refusedOf(store, lineWith(`"value":${text}`)), []);
      assertEquals(
        await textOf(store.export({ versions: false, times: false })),
        lineWith(`"value":${expected}`),
      );
    }
  },

  "import refuses a property name that comes twice, and reports it": async (
    open,
  ) => {
    await using store = await open();
    const twice: [rest: string, name: string][] = [
      ['"value":1,"value":2', "value"],
      ['"value":1,"value":1', "value"],
      ['"value":1,"key":"y"', "key"],
      ['"value":1,"kind":"a"', "kind"],
      ['"version":1,"value":1,"version":2', "version"],
      [String.raw`"value":1,"\u006bey":"y"`, "key"],
      ['"value":{"n":1,"n":2}', "n"],
      [String.raw`"value":{"n":1,"\u006e":2}`, "n"],
      ['"value":[0,{"a":[{"b":1,"c":{},"b":[]}]}]', "b"],
      ['"value":{"__proto__":1,"__proto__":2}', "__proto__"],
      ['"value":{"":1,"":2}', ""],
    ];
    const text = twice.map(([rest]) => lineWith(rest)).join("");
    const told = await refusedOf(store, entryLine("good", 1), text);
    assertEquals(told.map(({ line }) => line), twice.map((_, i) => i + 2));
    for (const [i, { reason }] of told.entries()) {
      const [rest, name] = twice[i];
      const expected = `the name ${JSON.stringify(name)} comes twice`;
      assertStringIncludes(reason, expected, rest);
      assert(/\(column \d+\)$/.test(reason), reason);
    }
    assertEquals(await store.keys("a"), ["good"]);
  },

  "import refuses numbers that would become others": async (open) => {
    await using store = await open();
    const numbers = [
      "9007199254740993",
      "-12345678901234567890",
      "0.12345678901234567890",
      "1e309",
      "-1e999",
      "1e-400",
      "1" + "0".repeat(3_000),
    ];
    const text = numbers.map((number) => lineWith(`"value":[${number}]`));
    const told = await refusedOf(store, entryLine("good", 1), ...text);
    assertEquals(told.map(({ line }) => line), numbers.map((_, i) => i + 2));
    for (const { reason } of told) {
      assertStringIncludes(reason, "write it as a string");
    }
  },

  "import refuses bytes in any other form than export's": async (open) => {
    await using store = await open();
    const forms = [
      "MQ",
      " MQ==",
      "MQ= =",
      "MQ==\n",
      "MR==",
      "_-8=",
      "MQ=",
      "%",
    ];
    const text = forms.map((bytes) =>
      lineWith(`"codec":"none","bytes":${JSON.stringify(bytes)}`)
    );
    const told = await refusedOf(store, entryLine("good", 1), ...text);
    assertEquals(told.map(({ line }) => line), forms.map((_, i) => i + 2));
    for (const [i, { reason }] of told.entries()) {
      assertStringIncludes(reason, "base64", forms[i]);
    }
  },

  ...needing(needsImportedVersions, {
    "import keeps a time to the millisecond": async (open, supports) => {
      await using store = await open();
      const times: [text: string, time: string][] = [
        ["2024-02-29T23:59:59.999Z", "2024-02-29T23:59:59.999Z"],
        ["0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z"],
        ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"],
        ["2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00.500Z"],
        ["2026-01-31T12:00:00.123000Z", "2026-01-31T12:00:00.123Z"],
        ["2026-01-31T12:00:00+05:30", "2026-01-31T06:30:00.000Z"],
        ["2026-01-31T12:00:00.001-12:00", "2026-02-01T00:00:00.001Z"],
      ];
      for (const [text, time] of times) {
        assertEquals(await refusedOf(store, lineAt(text)), [], text);
        const entry = await store.entry("a", "x");
        assertEquals(entry?.updatedAt.toJSON(), time);
        assertStringIncludes(await textOf(store.export()), `"${time}"`);
        await store.delete("a", "x");
      }
      await assertSound(store, supports);
    },
  }),

  "import refuses a time that it would alter, and an invalid one": async (
    open,
  ) => {
    await using store = await open();
    const times = [
      "2026-02-31T00:00:00Z",
      "2025-02-29T00:00:00Z",
      "2026-00-01T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "2026-01-00T00:00:00Z",
      "2026-01-01T24:00:00Z",
      "2026-01-01T00:60:00Z",
      "2026-12-31T23:59:60Z",
      "2026-01-01T00:00:00.0001Z",
      "2026-01-01T00:00:00",
      "2026-01-01T00:00Z",
      "2026-01-01 00:00:00Z",
      "2026-01-01t00:00:00z",
      "2026-01-01",
      "2026-01-01T00:00:00+24:00",
      "2026-01-01T00:00:00+00:60",
      "2026-01-01T00:00:00+0100",
      "+010000-01-01T00:00:00Z",
      "-000001-01-01T00:00:00Z",
      "0000-01-01T00:00:00+00:01",
      "9999-12-31T23:59:59-00:01",
      "2026-01-01T00:00:00Z\n",
      "",
    ];
    const told = await refusedOf(
      store,
      entryLine("good", 1),
      ...times.map(lineAt),
    );
    assertEquals(told.map(({ line }) => line), times.map((_, i) => i + 2));
    for (const [i, { reason }] of told.entries()) {
      assertStringIncludes(reason, '"updatedAt" must be a time', times[i]);
    }
  },

  "import takes a byte order mark at the beginning alone": async (open) => {
    await using store = await open();
    const mark = "\ufeff";
    const [x, y] = ["x", "y"].map((key) => entryLine(key, 1));
    assertEquals(await refusedOf(store, mark + x), []);
    const told = await refusedOf(store, x + mark + y, mark + "\n", "\u00a0\n");
    assertEquals(told.map(({ line }) => line), [2, 3, 4]);
    assertEquals((await refusedOf(store, mark + mark + x)).length, 1);
    assertEquals(await store.keys("a"), ["x"]);
  },

  "import refuses a line of text with half a character": async (open) => {
    await using store = await open();
    const [before, after] = entryLine("x", "?").split("?");
    const chunks: (string | Uint8Array)[][] = [
      [`${before}\ud83d${after}`],
      [`${before}\ude00${after}`],
      [`${before}\ud83d`, after],
      [`${before}\ud83d`, new TextEncoder().encode(after)],
      [`${before}\ud83d`, "", `\ud83d\ude00${after}`],
      [`${before}\ud83d`],
    ];
    for (const lines of chunks) {
      const told = await refusedOf(store, ...lines);
      assertEquals(told.length, 1);
      assertStringIncludes(told[0].reason, "lone surrogate");
    }
    assertEquals(await store.count("a"), 0);
    assertEquals(
      await refusedOf(store, `${before}\ud83d`, "", `\ude00${after}`),
      [],
    );
    assertEquals(await store.get("a", "x"), "\u{1f600}");
  },

  "import accepts the values of set at any depth": async (open) => {
    await using store = await open();
    for (const depth of [1_000, 100_000]) {
      let value: unknown = [];
      for (let i = 1; i < depth; i++) value = [value];
      const isTaken = await store.set("a", "x", value)
        .then(() => true, () => false);
      const text = `"value":${"[".repeat(depth)}${"]".repeat(depth)}`;
      const told = await refusedOf(store, lineWith(text));
      assertEquals(told.length, isTaken ? 0 : 1, `${depth}`);
    }
  },
};
