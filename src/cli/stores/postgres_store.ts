/**
 * A store in a PostgreSQL database. Its code is loaded only when one is opened,
 * and Deno never asks for a permission: a missing one is an error.
 *
 * @module
 */
import { reasonOf } from "../../base/messages.ts";
import { StoreOpenError } from "../../contract/errors.ts";
import { UsageError } from "../errors.ts";
import { isGranted } from "../permissions.ts";
import { type CodecName, codecNamed } from "./codecs.ts";
import { whatIsMissing } from "./missing.ts";
import { openOnServer } from "./server_access.ts";
import type { CliStore, OpenOptions } from "./settings.ts";

/** The default port of a URL. */
const DEFAULT_PORT = "5432";

/** Some of the variables that the client reads, even if they are not set. */
const VARIABLES = ["PGHOST", "PGUSER", "PGPASSWORD", "PGBINARY"];

/** The database, and the codec of its values. */
export interface PostgresSettings {
  readonly url: string;
  /** @default {"zestor"} */
  readonly schema?: string;
  readonly codec: CodecName;
}

/** Opens the store. Throws `UsageError` if the URL is invalid, or if permissions are missing. */
export async function openStoreInPostgres(
  { url, schema, codec }: PostgresSettings,
  { access, ...options }: OpenOptions,
): Promise<CliStore> {
  await assertPermitted(url);
  const { openPostgresStore } = await import(
    "../../postgres/open_postgres_store.ts"
  );
  const settings = { ...options, url, schema, codec: await codecNamed(codec) };
  const open = (readOnly: boolean) =>
    openPostgresStore({ ...settings, readOnly });
  try {
    return await openOnServer(open, access);
  } catch (error) {
    throw told(error);
  }
}

/** The error of a failed opening, with the names of the command line's options. */
function told(error: unknown): unknown {
  if (error instanceof TypeError) {
    return new UsageError(error.message, { cause: error });
  }
  if (!whatIsMissing(error)) return error;
  const [what] = reasonOf(error).split(", and it was opened only to read");
  return new StoreOpenError(
    `${what}; check the schema, or create it with "zestor set"`,
    { cause: error },
  );
}

async function assertPermitted(url: string): Promise<void> {
  const granted = await Promise.all(
    VARIABLES.map((variable) => isGranted({ name: "env", variable })),
  );
  if (granted.includes(false)) {
    throw new UsageError(
      "Cannot open store: the permission is missing; run deno with --allow-env='PG*'",
    );
  }
  const host = hostOf(url);
  if (host === undefined || await isGranted({ name: "net", host })) return;
  throw new UsageError(
    `Cannot connect to ${host}: the permission is missing; run deno with --allow-net=${host}`,
  );
}

/** The host and the port; `undefined` if the URL is invalid, or leads to a socket in a folder. */
function hostOf(url: string): string | undefined {
  const parsed = URL.parse(url);
  const host = parsed?.searchParams.get("host") || parsed?.hostname ||
    Deno.env.get("PGHOST") || "localhost";
  if (parsed === null || host.startsWith("/")) return undefined;
  const port = parsed.port || Deno.env.get("PGPORT") || DEFAULT_PORT;
  return `${host}:${port}`;
}
