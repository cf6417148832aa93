/**
 * A program that shares a file with Deno: the first argument says what it does,
 * the second is the file. It prints a line of JSON for each result, and ends by
 * itself.
 *
 * @module
 */
import { create, toJsonString } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { openStore, type Store, StoreError } from "@zestor/store";
import { protobuf } from "@zestor/store/protobuf";
import { structured } from "@zestor/store/structured";
import { yaml } from "@zestor/store/yaml";
import process from "node:process";

const [action, path, ...rest] = process.argv.slice(2);

function tell(result: unknown): void {
  console.log(JSON.stringify(result));
}

/** What an operation of a store fails with. */
async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return "nothing";
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return [error.code, error.message];
  }
}

const ACTIONS: Record<string, () => Promise<void>> = {
  /** Tells the changes of a kind up to the key "stop". */
  async watch() {
    const store = await openStore({ path });
    const events = store.watch("notes");
    tell("watching");
    for await (const { key, value } of events) {
      tell({ key, value });
      if (key === "stop") break;
    }
    await store.close();
  },

  async write() {
    const store = await openStore({ path });
    for (const key of rest) await store.set("notes", key, { from: "peer" });
    await store.close();
  },

  async backup() {
    const [copy] = rest;
    const store = await openStore({ path });
    await store.backup(copy);
    tell(await failureOf(store.backup(copy)));
    await store.backup(copy, { overwrite: true });
    tell((await store.verify()).length);
    await store.close();
  },

  /** Writes and reads values by each codec. */
  async codecs() {
    const store: Store = await openStore({
      path,
      codec: {
        notes: yaml,
        maps: structured,
        times: protobuf(TimestampSchema),
      },
    });
    tell(await store.get("notes", "a"));
    tell([...(await store.get("maps", "a")) as Map<string, Date>]);
    const time = await store.get("times", "a");
    tell(toJsonString(TimestampSchema, time as never));
    await store.set("notes", "b", { text: "two\nlines" });
    await store.set("maps", "b", new Map([["time", new Date(1)]]));
    await store.set("times", "b", create(TimestampSchema, { seconds: 2n }));
    await store.close();
  },

  /** Asks for what only Deno has. */
  async ffi() {
    tell(await failureOf(openStore({ path, driver: "ffi" })));
    const store = await openStore({ path });
    tell(store.driver);
    await store.close();
    tell(await import("@zestor/store/cli").catch(({ message }) => message));
  },

  /** Leaves the store and a watch that is not persistent open. */
  async leave() {
    const store = await openStore({ path });
    const reader = store.watch("notes", { persistent: false }).getReader();
    reader.read();
    await store.set("notes", "a", 1, { expireIn: 60_000 });
    tell("left");
  },
};

await ACTIONS[action]();
