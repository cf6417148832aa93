/**
 * A store in memory: the same operations, watches and guarantees, without a
 * file or a driver. Its entries are lost when it is closed.
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
 * Options of {@linkcode openMemoryStore}. It accepts the options of `openStore`
 * for files, too, and ignores them, so that one function can replace the other.
 *
 * @typeParam Kinds A map from kind to value type.
 */
export interface MemoryStoreOptions<Kinds extends object = AnyKinds>
  extends CommonOptions<Kinds> {
  /** Ignored. Two stores with the same path share nothing. */
  path?: string | URL;
  /** Ignored. */
  driver?: unknown;
  /** Ignored, because nobody else holds a lock. */
  busyTimeout?: number;
  /** Ignored. */
  wal?: boolean;
  /** Ignored. */
  durability?: "full" | "normal";
  /** Ignored. */
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
 * @typeParam Inputs A map from kind to the type of the values to write.
 */
export interface MemoryStore<
  Kinds extends object = AnyKinds,
  Inputs extends { [Kind in keyof Kinds]: unknown } = Kinds,
> extends Store<Kinds, Inputs> {
  /** Always `"memory"`. */
  readonly driver: "memory";
}

/**
 * Opens a store in memory. It begins empty, and its entries are lost when it is
 * closed. Only the memory limits the size of a value.
 *
 * @typeParam Schemas The kinds' schemas, from which the kinds' types follow.
 * @param options The settings of the store.
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
 * Opens a store in memory with given types of kinds, and with schemas for the
 * values to write: `openMemoryStore<Kinds, typeof schemas>`. Use it if a schema
 * converts values, for example if it has defaults.
 */
export function openMemoryStore<
  Kinds extends object,
  Schemas extends SchemasFor<Kinds>,
>(
  options: MemoryStoreOptions<NoInfer<Kinds>> & {
    schemas: OnlyKinds<Kinds, Schemas>;
  },
): Promise<MemoryStore<Kinds, InputsWith<Kinds, Schemas>>>;
/** Opens a store in memory whose kinds have the given types, or the type `unknown`. */
export function openMemoryStore<Kinds extends object = AnyKinds>(
  options?: MemoryStoreOptions<NoInfer<Kinds>>,
): Promise<MemoryStore<Kinds>>;
/** Opens a store in memory whose kinds have the types of their codecs. */
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
