/**
 * The drivers that the tests run on. What a driver cannot run here is reported
 * as ignored, and the reason is printed once; it never passes unseen.
 *
 * @module
 */
import {
  type AnyKinds,
  openStore,
  type SqliteStore,
  type StoreOptions,
} from "../../mod.ts";
import type { TestFunction } from "../../src/testing/mod.ts";

/** How long a test may take before it counts as hanging, in ms. */
const HANGING = 300_000;

/** A driver, and how tests on it are registered. */
export interface TestDriver {
  readonly name: "builtin" | "ffi";
  /** Why it does not load here. */
  readonly unavailable?: string;
  /** Registers a test, as ignored where the driver does not load. */
  readonly test: TestFunction;
}

/** Both drivers, whether they load here or not. */
export const drivers: readonly TestDriver[] = [
  { name: "builtin", test: testFunction() },
  await ffi(),
];

/** Registers a test on each driver; `[builtin]` or `[ffi]` ends its name. */
export function testOnEachDriver(
  name: string,
  fn: (driver: TestDriver) => Promise<void>,
): void {
  for (const driver of drivers) {
    driver.test(`${name} [${driver.name}]`, () => fn(driver));
  }
}

/** Opens a store on a driver. */
export function openOn<Kinds extends object = AnyKinds>(
  driver: TestDriver,
  options: StoreOptions<NoInfer<Kinds>>,
): Promise<SqliteStore<Kinds>> {
  return openStore<Kinds>({ ...options, driver: driver.name });
}

async function ffi(): Promise<TestDriver> {
  const unavailable = await whyFfiIsUnavailable();
  if (unavailable === undefined) return { name: "ffi", test: testFunction() };
  console.warn(`Tests on @db/sqlite are ignored: ${unavailable}`);
  return {
    name: "ffi",
    unavailable,
    test: Object.assign(Deno.test.ignore, { ignore: Deno.test.ignore }),
  };
}

async function whyFfiIsUnavailable(): Promise<string | undefined> {
  try {
    const store = await openStore({ path: ":memory:", driver: "ffi" });
    await store.close();
    return undefined;
  } catch (error) {
    const { message, cause } = error as Error;
    return Deno.env.get("ZESTOR_FFI_UNAVAILABLE") ??
      (cause instanceof Error ? `${message}: ${cause.message}` : message);
  }
}

function testFunction(): TestFunction {
  return Object.assign(
    (name: string, fn: () => Promise<void>) =>
      Deno.test({ name, fn, timeout: HANGING }),
    { ignore: Deno.test.ignore },
  );
}
