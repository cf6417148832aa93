/**
 * Chooses the driver.
 *
 * @module
 */
import { StoreOpenError } from "../../errors.ts";
import { builtinDriver } from "./builtin.ts";
import type { Driver } from "./driver.ts";
import { loadFfiDriver } from "./ffi.ts";

/** Which driver to use: see the `driver` option of `openStore`. */
export type DriverChoice = "auto" | "ffi" | "builtin" | Driver;

// A failed import is not worth trying again with every store.
let ffiDriver: Promise<Driver> | undefined;

/** Loads the chosen driver; throws `StoreOpenError` where it cannot be had. */
export async function loadDriver(choice: DriverChoice): Promise<Driver> {
  if (typeof (choice as Partial<Driver> | null)?.open === "function") {
    return choice as Driver;
  }
  switch (choice) {
    case "builtin":
      return builtinDriver;
    case "ffi":
      try {
        return await (ffiDriver ??= loadFfiDriver());
      } catch (cause) {
        throw new StoreOpenError(
          `Cannot load the driver "ffi": ${
            messageOf(cause)
          }; grant --allow-ffi and see that @db/sqlite can be loaded, or use the driver "builtin"`,
          { cause },
        );
      }
    case "auto": {
      const ffi = await Deno.permissions.query({ name: "ffi" });
      if (ffi.state !== "granted") return builtinDriver;
      return await (ffiDriver ??= loadFfiDriver()).catch(() => builtinDriver);
    }
    default:
      throw new TypeError(
        `Cannot open store: "driver" is "auto", "ffi", "builtin" or a driver, received ${
          Deno.inspect(choice)
        }`,
      );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
