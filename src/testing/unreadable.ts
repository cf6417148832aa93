/**
 * Stores with values that can be written, and then no longer be read: by their
 * codec, or because their schema has come to refuse them.
 *
 * @module
 */
import { assertEquals, assertInstanceOf } from "@std/assert";
import type { Store } from "../contract/store.ts";
import { CodecError, ValidationError } from "../contract/errors.ts";
import type { Codec } from "../values/codecs/codec.ts";
import type { Open, OpenForTest } from "./case.ts";
import { turn } from "./reading.ts";
import { standardSchema } from "./schemas.ts";

/** What tells of a value that cannot be read. */
export type Unreadable = CodecError | ValidationError;

/** A store whose kind "users" has values that cannot be read when it is broken. */
export interface BrittleStore extends AsyncDisposable {
  readonly store: Store;
  /** Whether texts that begin with "bad" cannot be read. They can be written if not. */
  isBroken: boolean;
  /** Whether `where` can be asked of the kind. */
  readonly isFilterable: boolean;
  /** Asserts that an error is of an entry, and, if it is one of the codec's, of a change. */
  assertOf(error: unknown, key: string, revision?: number): void;
}

/** Opens a store, which is not broken yet. */
type OpenBrittle = (open: Open, options?: OpenForTest) => Promise<BrittleStore>;

/** What can make values unreadable. */
export const brittleStores: Readonly<Record<string, OpenBrittle>> = {
  "the codec": async (open, options) => {
    const state = { isBroken: false };
    const codec = { users: brittleCodec(state) };
    const store = await open({ ...options, codec });
    return brittleStore(state, store, true, (error, key, revision) => {
      assertInstanceOf(error, CodecError);
      assertEquals([error.code, error.kind, error.key], [
        "CODEC",
        "users",
        key,
      ]);
      assertEquals(error.revision, revision, "the revision of the error");
    });
  },
  "a schema": (open, options) => openWithSchema(open, false, options),
  "an asynchronous schema": (open, options) =>
    openWithSchema(open, true, options),
};

interface State {
  isBroken: boolean;
}

function isBad(value: unknown): boolean {
  return typeof value === "string" && value.startsWith("bad");
}

function brittleCodec(state: State): Codec {
  return {
    name: "brittle",
    encode: (value) => new TextEncoder().encode(JSON.stringify(value)),
    decode: (bytes) => {
      const value = JSON.parse(new TextDecoder().decode(bytes));
      if (state.isBroken && isBad(value)) throw new Error("It is broken");
      return value;
    },
  };
}

async function openWithSchema(
  open: Open,
  isAsync: boolean,
  options?: OpenForTest,
): Promise<BrittleStore> {
  const state = { isBroken: false };
  const find = (value: unknown) =>
    state.isBroken && isBad(value)
      ? { issues: [{ message: "It is broken" }] }
      : { value };
  const users = standardSchema((value) =>
    isAsync ? turn().then(() => find(value)) : find(value)
  );
  const store = await open({
    ...options,
    schemas: { users },
    validateReads: true,
  });
  return brittleStore(state, store, !isAsync, (error, key) => {
    assertInstanceOf(error, ValidationError);
    assertEquals([error.kind, error.key], ["users", key]);
  });
}

function brittleStore(
  state: State,
  store: Store,
  isFilterable: boolean,
  assertOf: BrittleStore["assertOf"],
): BrittleStore {
  return {
    store,
    isFilterable,
    assertOf,
    get isBroken() {
      return state.isBroken;
    },
    set isBroken(isBroken) {
      state.isBroken = isBroken;
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
