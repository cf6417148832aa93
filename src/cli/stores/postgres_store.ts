/**
 * A store in a PostgreSQL database. Nothing of the client is loaded before one
 * is opened, and no permission is ever asked for.
 *
 * @module
 */
import { UsageError } from "../errors.ts";
import type { CodecName } from "./codecs.ts";
import type { CliStore, OpenOptions } from "./settings.ts";

/** Which database, and how its values are kept. */
export interface PostgresSettings {
  readonly url: string;
  readonly schema?: string;
  readonly codec: CodecName;
}

/** Opens the store. Throws `UsageError` if the URL is none, or permissions are missing. */
// deno-lint-ignore require-await -- seam
export async function openStoreInPostgres(
  _settings: PostgresSettings,
  _options: OpenOptions,
): Promise<CliStore> {
  throw new UsageError("Cannot open store: PostgreSQL comes later");
}
