/**
 * Chooses the driver.
 *
 * @module
 */
import { isDeno, platform } from "../../base/platform.ts";
import { StoreOpenError } from "../../contract/errors.ts";
import { builtinDriver } from "./builtin.ts";
import type { Driver } from "./driver.ts";
import { isNativeLibraryHere } from "./native_library.ts";

/** The driver to use. See the `driver` option of `openStore`. */
export type DriverChoice = "auto" | "ffi" | "builtin" | Driver;

/** Whether a value is the name of a driver, or a driver. */
export function isDriverChoice(value: unknown): value is DriverChoice {
  return value === "auto" || value === "ffi" || value === "builtin" ||
    typeof (value as Partial<Driver> | null)?.open === "function";
}

// A failed import is not repeated with every store.
let ffiDriver: Promise<Driver> | undefined;

/**
 * Loads the chosen driver. Throws `StoreOpenError` if it cannot be loaded.
 * `claimed` is the driver with which this process has the file open already.
 * `"auto"` takes this one, because two SQLite libraries cannot share a file.
 */
export async function loadDriver(
  choice: DriverChoice,
  claimed?: string,
): Promise<Driver> {
  if (typeof choice !== "string") return choice;
  switch (choice) {
    case "builtin":
      return builtinDriver;
    case "ffi":
      if (!isDeno) throw withoutFfi();
      try {
        return await (ffiDriver ??= loadFfi());
      } catch (cause) {
        throw new StoreOpenError(
          `Cannot load the driver "ffi": ${
            messageOf(cause)
          }; grant --allow-ffi and see that @db/sqlite can be loaded, or use the driver "builtin"`,
          { cause },
        );
      }
    case "auto":
      if (!isDeno || claimed === builtinDriver.name) return builtinDriver;
      if (ffiDriver === undefined && !await mayLoadFfi()) return builtinDriver;
      return await (ffiDriver ??= loadFfi()).catch(() => builtinDriver);
  }
}

function withoutFfi(): StoreOpenError {
  return new StoreOpenError(
    `Cannot load the driver "ffi" in ${platform.name}: it calls the native library as Deno does; use the driver "builtin", which this runtime has`,
  );
}

async function loadFfi(): Promise<Driver> {
  const { loadFfiDriver } = await import("./ffi.ts");
  return await loadFfiDriver();
}

/** Whether the binding can be loaded from this machine, without asking for a permission. */
async function mayLoadFfi(): Promise<boolean> {
  // The binding reads the environment, too.
  for (const name of ["ffi", "env"] as const) {
    const { state, partial } = await Deno.permissions.query({ name });
    if (state !== "granted" || partial) return false;
  }
  const host = hostOfPackages();
  const { state } = await Deno.permissions.query({ name: "import", host });
  return state === "granted" && await isNativeLibraryHere();
}

/**
 * The host from which Deno downloads the binding if its cache does not have it
 * (https://docs.deno.com/runtime/reference/env_variables/).
 */
function hostOfPackages(): string {
  const { hostname, port } = new URL(
    Deno.env.get("JSR_URL") || "https://jsr.io",
  );
  return `${hostname}:${port || 443}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
