/**
 * The two stores of a copy.
 *
 * @module
 */
import type { SqliteStore } from "../../sqlite/sqlite_store.ts";
import { UsageError } from "../errors.ts";
import {
  addressOf,
  dbOf,
  isPostgresUrl,
  isServerUrl,
  type StoreAddress,
} from "./address.ts";
import { openStoreOf } from "./open.ts";
import type { CliStore, StoreSettings } from "./settings.ts";

/** The names of two stores. An absent one means the store of the settings. */
export interface EndNames {
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** Two open stores; `await using` closes them. */
export interface Ends extends AsyncDisposable {
  readonly source: CliStore;
  readonly target: CliStore;
}

/** Opens the first store to read, and the second to write. Throws `UsageError` if they are the same. */
export async function openEnds(
  settings: StoreSettings,
  { from, to }: EndNames,
  signal: AbortSignal,
): Promise<Ends> {
  if (from !== undefined && to !== undefined && settings.db !== undefined) {
    throw new UsageError(
      "Cannot copy: --from and --to are both given, so --db has no meaning; leave --db out",
    );
  }
  const ends = [
    from ?? await dbOf(settings),
    to ?? await dbOf(settings),
  ];
  const [ofSource, ofTarget] = ends.map((db) => settingsOf(db, ends, settings));
  const [a, b] = [await addressOf(ofSource), await addressOf(ofTarget)];
  if (areSame(a, b)) throw sameStore();
  await using stack = new AsyncDisposableStack();
  const source = stack.use(
    await openStoreOf(ofSource, { access: "read", signal }),
  );
  const target = stack.use(
    await openStoreOf(ofTarget, { access: "create", signal }),
  );
  if (a.in === "file" && b.in === "file") await assertOther(source, target);
  const moved = stack.move();
  return {
    source,
    target,
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

/** If one store is a file and the other is on a server, the options of each apply only to that one. */
function settingsOf(
  db: string,
  ends: readonly string[],
  { driver, schema, ...settings }: StoreSettings,
): StoreSettings {
  const isOfOther = (isOf: (db: string) => boolean) =>
    !isOf(db) && ends.some(isOf);
  return {
    ...settings,
    db,
    driver: isOfOther((db) => !isServerUrl(db)) ? undefined : driver,
    schema: isOfOther(isPostgresUrl) ? undefined : schema,
  };
}

function areSame(a: StoreAddress, b: StoreAddress): boolean {
  return a.in !== "file" && b.in !== "file" && a.url === b.url;
}

/** Two paths may lead to one file. */
async function assertOther(source: CliStore, target: CliStore): Promise<void> {
  const [{ path: a }, { path: b }] = await Promise.all(
    [source, target].map((store) => (store as SqliteStore).info()),
  );
  if (a === b) throw sameStore();
}

function sameStore(): UsageError {
  return new UsageError(
    "Cannot copy: --from and --to are the same store; give another one",
  );
}
