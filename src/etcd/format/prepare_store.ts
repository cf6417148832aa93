/**
 * Reads a store's description in etcd, and creates a missing store.
 *
 * @module
 */
import { quoteText } from "../../base/messages.ts";
import { StoreOpenError } from "../../contract/errors.ts";
import { drawMark } from "../../engine/cursor.ts";
import {
  codecConflict,
  codecNames,
  type Meta,
  remembersCodecs,
} from "../../values/codecs/remembered_codecs.ts";
import type { KindCodecs } from "../../values/codecs/kind_codecs.ts";
import { EtcdError } from "../gateway/failure.ts";
import type { Gateway } from "../gateway/gateway.ts";
import {
  base64OfText,
  firstOf,
  type KeyValue,
  numberOf,
  textOf,
  type Txn,
  type TxnAnswer,
} from "../gateway/messages.ts";
import type { Keys } from "./keys.ts";
import { encodeRecord, recordOf } from "./record.ts";

/** The format that this code writes. */
export const FORMAT = 1;

/** How many times writing the codecs is tried if others write them at the same time. */
const FEW_TRIES = 10;

/** The settings of a store that is opened. */
export interface StoreSettings {
  readonly prefix: string;
  readonly codecs: KindCodecs;
  /** Whether opening must not create or change the store. */
  readonly readOnly: boolean;
}

/** The state of a store that was opened. */
export interface StoreState {
  /** The revision of etcd at which the store was created. */
  readonly born: number;
  /** The reason why the store is read-only; absent if it is writable. */
  readonly readOnly?: string;
}

/** Reads the store's description. Creates a missing store unless it is opened read-only. */
export async function prepareStore(
  gateway: Gateway,
  keys: Keys,
  settings: StoreSettings,
): Promise<StoreState> {
  let found = await lookAt(gateway, keys, settings);
  if (!found) {
    if (settings.readOnly) throw missing(settings.prefix);
    await make(gateway, keys, settings);
    found = await lookAt(gateway, keys, settings);
  }
  if (!found) throw missing(settings.prefix);
  await assertCodecs(gateway, keys, found.meta, settings.codecs);
  const { born } = found;
  if (settings.readOnly) {
    return { born, readOnly: "it was opened only to read" };
  }
  const readOnly = await rememberCodecs(gateway, keys, found, settings);
  return readOnly === undefined ? { born } : { born, readOnly };
}

interface FoundStore {
  readonly born: number;
  readonly meta: Meta;
  /** The revision of etcd at which `meta` was written. */
  readonly metaAt: string;
}

async function lookAt(
  gateway: Gateway,
  keys: Keys,
  { prefix }: StoreSettings,
): Promise<FoundStore | undefined> {
  const { found } = await gateway.ranges([
    { key: keys.meta },
    { key: keys.record },
  ]);
  const [meta, record] = found.map(firstOf);
  if (!meta && !record) return undefined;
  const read = meta && record && contentsOf(meta, record);
  if (!read) {
    throw new StoreOpenError(
      `Cannot open store: the keys of the prefix ${
        quoteText(prefix)
      } do not hold a store; use another prefix, or delete these keys`,
    );
  }
  const { format } = read;
  if (format > FORMAT) {
    throw new StoreOpenError(
      `Cannot open store: its format is ${format}, but this version knows formats up to ${FORMAT}; use a newer version of @zestor/store`,
    );
  }
  return {
    born: numberOf(record.create_revision),
    meta: read.names,
    metaAt: meta.mod_revision!,
  };
}

function contentsOf(
  meta: KeyValue,
  record: KeyValue,
): { format: number; names: Meta } | undefined {
  try {
    const { format, names } = JSON.parse(textOf(meta.value));
    const isStore = Number.isInteger(format) && format >= 1 &&
      Number.isInteger(recordOf(record).head);
    return isStore ? { format, names: new Map(names) } : undefined;
  } catch {
    return undefined;
  }
}

function metaOf(names: Meta): string {
  return base64OfText(JSON.stringify({ format: FORMAT, names: [...names] }));
}

async function make(
  gateway: Gateway,
  keys: Keys,
  { codecs }: StoreSettings,
): Promise<void> {
  const record = {
    first: 0,
    head: 0,
    mark: drawMark(),
    time: Date.now(),
    before: 0,
    by: "",
    batch: 0,
  };
  const txn: Txn = {
    compare: [keys.meta, keys.record].map((key) => ({
      key,
      target: "CREATE",
      result: "EQUAL",
      create_revision: "0",
    })),
    success: [
      { request_put: { key: keys.meta, value: metaOf(codecNames(codecs)) } },
      { request_put: { key: keys.record, value: encodeRecord(record) } },
    ],
  };
  // If this is sent twice, the second request finds the keys and writes nothing.
  await gateway.read("kv/txn", txn);
}

async function assertCodecs(
  gateway: Gateway,
  keys: Keys,
  meta: Meta,
  codecs: KindCodecs,
): Promise<void> {
  if (!remembersCodecs(meta)) return;
  const kinds: string[] = [];
  for (const kind of codecs.namedKinds) {
    const { kvs = [] } = await gateway.range({
      ...keys.range(kind, { lower: { key: "", inclusive: true } }),
      limit: 1,
      keys_only: true,
    });
    if (kvs.length > 0) kinds.push(kind);
  }
  const conflict = codecConflict(meta, codecs, kinds);
  if (conflict) throw new StoreOpenError(`Cannot open store: ${conflict}`);
}

/** Writes the codecs of new kinds to the description. If this is refused, returns the reason. */
async function rememberCodecs(
  gateway: Gateway,
  keys: Keys,
  found: FoundStore,
  settings: StoreSettings,
): Promise<string | undefined> {
  for (let tries = 0; tries < FEW_TRIES; tries++) {
    const { meta, metaAt } = tries === 0
      ? found
      : await lookAt(gateway, keys, settings) ?? found;
    const fresh = [...codecNames(settings.codecs)].filter(([name]) =>
      !meta.has(name)
    );
    if (fresh.length === 0) return undefined;
    const value = metaOf(new Map([...meta, ...fresh]));
    const txn: Txn = {
      compare: [{
        key: keys.meta,
        target: "MOD",
        result: "EQUAL",
        mod_revision: metaAt,
      }],
      success: [{ request_put: { key: keys.meta, value } }],
    };
    try {
      const { succeeded } = await gateway.read<TxnAnswer>("kv/txn", txn);
      if (succeeded) return undefined;
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      return `the store could not save the codecs of its kinds (${error.message})`;
    }
  }
  return undefined;
}

function missing(prefix: string): StoreOpenError {
  return new StoreOpenError(
    `Cannot open store: the prefix ${
      quoteText(prefix)
    } holds no store, and it was opened only to read; open it once to write`,
  );
}
