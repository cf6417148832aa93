/**
 * Every store of this package, for tests of what holds for all of them but is
 * not in the conformance suite.
 *
 * @module
 */
import {
  type InputsOf,
  openStore,
  type OutputsOf,
  type SchemasByKind,
  type Store,
  type StoreOptions,
} from "../../mod.ts";
import { openMemoryStore } from "../../src/memory/open_memory_store.ts";
import { drivers } from "./drivers.ts";
import { tempDir } from "./temp_dir.ts";

/** Opens an empty store of some kind. */
export interface OpenAny {
  <const Schemas extends SchemasByKind>(
    options:
      & Omit<StoreOptions<NoInfer<OutputsOf<Schemas>>>, "path">
      & { schemas: Schemas },
  ): Promise<Store<OutputsOf<Schemas>, InputsOf<Schemas>>>;
  (options?: Omit<StoreOptions, "path">): Promise<Store>;
}

/** Registers a test on each store; its name ends in `[builtin]` and so on. */
export function testOnEachStore(
  name: string,
  fn: (open: OpenAny) => Promise<void>,
): void {
  for (const { name: driver, test } of drivers) {
    test(`${name} [${driver}]`, () =>
      fn((options?: object) =>
        openStore({ path: ":memory:", ...options, driver })
      ));
  }
  const [{ test }] = drivers;
  test(
    `${name} [memory]`,
    () => fn((options?: object) => openMemoryStore(options)),
  );
}

/** The same, and in a file on each driver: `[builtin, file]`. */
export function testOnEachStoreAndFile(
  name: string,
  fn: (open: OpenAny) => Promise<void>,
): void {
  for (const { name: driver, test } of drivers) {
    test(`${name} [${driver}, file]`, async () => {
      await using dir = await tempDir();
      let files = 0;
      await fn((options?: object) =>
        openStore({
          path: dir.file(`${++files}.db`),
          durability: "normal",
          ...options,
          driver,
        })
      );
    });
  }
  testOnEachStore(name, fn);
}
