/**
 * A store in memory: the same operations, watches and guarantees, with no file
 * and no driver. What it holds lives as long as it is open.
 *
 * @module
 */
import type { CodecsByKind } from "../values/codecs/kind_codecs.ts";
import type { AnyKinds, Store } from "../contract/mod.ts";
import { type OptionsSpec, readOptions, unchecked } from "../base/options.ts";
import { KvStore } from "../store/kv_store.ts";
import {
  COMMON,
  type CommonOptions,
  commonSettingsOf,
} from "../store/store_options.ts";
import type {
  InputsOf,
  InputsWith,
  OnlyKinds,
  OutputsOf,
  SchemasByKind,
  SchemasFor,
} from "../values/schemas/schema.ts";
import { LocalEngine } from "../local/local_engine.ts";
import { openSilentNotifier } from "../local/wakeup.ts";
import { MemoryStorage } from "./memory_storage.ts";

/**
 * Options of {@linkcode openMemoryStore}. Those of `openStore` that concern
 * a file are taken, so that one can stand in for the other, and change nothing.
 *
 * @typeParam Kinds A map from kind to value type.
 */
export interface MemoryStoreOptions<Kinds extends object = AnyKinds>
  extends CommonOptions<Kinds> {
  /** Of a file. Two stores of the same path share nothing. */
  path?: string | URL;
  /** Of a file. */
  driver?: unknown;
  /** Of a file: nobody else holds a lock. */
  busyTimeout?: number;
  /** Of a file. */
  wal?: boolean;
  /** Of a file. */
  durability?: "full" | "normal";
  /** Of a file. */
  secureDelete?: boolean;
}

const ignored = unchecked<unknown>();

const MEMORY_STORE = {
  ...COMMON,
  path: ignored,
  driver: ignored,
  busyTimeout: ignored,
  wal: ignored,
  durability: ignored,
  secureDelete: ignored,
} satisfies OptionsSpec<MemoryStoreOptions>;

/**
 * A store in memory.
 *
 * @typeParam Kinds A map from kind to value type.
 * @typeParam Inputs A map from kind to the type of what may be written.
 */
export interface MemoryStore<
  Kinds extends object = AnyKinds,
  Inputs extends { [Kind in keyof Kinds]: unknown } = Kinds,
> extends Store<Kinds, Inputs> {
  /** There is none: always `"memory"`. */
  readonly driver: "memory";
}

/**
 * Opens a store in memory, which begins empty and is gone when it is closed.
 * There is no limit to a value but that of memory.
 *
 * @typeParam Schemas The kinds' schemas, from which the kinds' types follow.
 * @param options How it works.
 * @returns The store. `await using` closes it.
 *
 * @example
 * ```ts
 * import { openMemoryStore } from "@zestor/store/memory";
 * import { assertEquals } from "@std/assert";
 *
 * await using store = await openMemoryStore<{ users: { name: string } }>();
 * await store.set("users", "alice", { name: "Alice" });
 * assertEquals(await store.get("users", "alice"), { name: "Alice" });
 * ```
 */
export function openMemoryStore<const Schemas extends SchemasByKind>(
  options:
    & MemoryStoreOptions<NoInfer<OutputsOf<Schemas>>>
    & { schemas: Schemas },
): Promise<MemoryStore<OutputsOf<Schemas>, InputsOf<Schemas>>>;
/**
 * Opens a store in memory whose kinds' types are given, and whose schemas tell what
 * may be written: `openMemoryStore<Kinds, typeof schemas>`. Use it if a schema takes
 * something else than it gives, such as one with defaults.
 */
export function openMemoryStore<
  Kinds extends object,
  Schemas extends SchemasFor<Kinds>,
>(
  options: MemoryStoreOptions<NoInfer<Kinds>> & {
    schemas: OnlyKinds<Kinds, Schemas>;
  },
): Promise<MemoryStore<Kinds, InputsWith<Kinds, Schemas>>>;
/** Opens a store in memory whose kinds' types are given, or are `unknown`. */
export function openMemoryStore<Kinds extends object = AnyKinds>(
  options?: MemoryStoreOptions<NoInfer<Kinds>>,
): Promise<MemoryStore<Kinds>>;
/** Opens a store in memory whose kinds' types are those of their codecs. */
export function openMemoryStore<Kinds extends object>(
  options:
    & MemoryStoreOptions<NoInfer<Kinds>>
    & { codec: CodecsByKind<Kinds> },
): Promise<MemoryStore<Kinds>>;
// deno-lint-ignore require-await -- so that what it throws is a rejection
export async function openMemoryStore<Kinds extends object>(
  options?: MemoryStoreOptions<Kinds>,
): Promise<MemoryStore<Kinds>> {
  const given = readOptions("open memory store", options, MEMORY_STORE);
  given.signal?.throwIfAborted();
  const { values, history } = commonSettingsOf(given);
  const engine = new LocalEngine({
    storage: new MemoryStorage(),
    busyTimeout: 0,
    history,
    head: 0,
    openNotifier: openSilentNotifier,
  });
  return new MemoryKvStore<Kinds>({
    engine,
    values,
    place: { engine: "memory" },
    busyTimeout: 0,
  });
}

class MemoryKvStore<Kinds extends object> extends KvStore<Kinds>
  implements MemoryStore<Kinds> {
  readonly driver = "memory";
}
