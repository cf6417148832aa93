/**
 * Stores with values that can be written, and later become unreadable: the
 * codec cannot decode them, or the schema refuses them.
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

/** The error for an unreadable value. */
export type Unreadable = CodecError | ValidationError;

/** A store whose kind "users" has unreadable values while it is broken. */
export interface BrittleStore extends AsyncDisposable {
  readonly store: Store;
  /** Whether texts that begin with "bad" are unreadable. They can be written while it is not broken. */
  isBroken: boolean;
  /** Whether `where` can be used for the kind. */
  readonly isFilterable: boolean;
  /** Asserts that an error names an entry, and, if it comes from the codec, a change. */
  assertOf(error: unknown, key: string, revision?: number): void;
}

/** Opens a store that is not broken yet. */
type OpenBrittle = (open: Open, options?: OpenForTest) => Promise<BrittleStore>;

/** The causes of unreadable values. */
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
