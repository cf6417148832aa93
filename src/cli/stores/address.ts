/**
 * The place of the store on a command line: a file, a PostgreSQL database, or an
 * etcd cluster.
 *
 * @module
 */
import { quoteText } from "../../base/messages.ts";
import { UsageError } from "../errors.ts";
import { isGranted } from "../permissions.ts";
import { isEtcdUrl, readEtcdUrl } from "./etcd_url.ts";
import {
  DB_VARIABLE,
  SCHEMA_VARIABLE,
  type StoreSettings,
} from "./settings.ts";

/** The place of a store. */
export type StoreAddress =
  | {
    readonly in: "file";
    /** A path, a `file:` URL or a DSN. */
    readonly path: string;
  }
  | {
    readonly in: "postgres";
    /** With the password, if it has one. */
    readonly url: string;
    /** Absent: the default schema. */
    readonly schema?: string;
  }
  | {
    readonly in: "etcd";
    /** With the password, if it has one. */
    readonly url: string;
  };

/** Whether a text is the URL of a PostgreSQL database. */
export function isPostgresUrl(text: string): boolean {
  return /^postgres(?:ql)?:\/\//i.test(text);
}

/** Whether a text is the URL of a store on servers. */
export function isServerUrl(text: string): boolean {
  return isPostgresUrl(text) || isEtcdUrl(text);
}

/** The place of the store. Throws `UsageError` if the settings name none, or contradict each other. */
export async function addressOf(
  settings: StoreSettings,
): Promise<StoreAddress> {
  const db = await dbOf(settings);
  if (isEtcdUrl(db)) return etcdAddress(db, settings);
  return isPostgresUrl(db)
    ? await postgresAddress(db, settings)
    : fileAddress(db, settings);
}

/** The name of the store. Throws `UsageError` if there is none. */
export async function dbOf(settings: StoreSettings): Promise<string> {
  const db = settings.db ?? await variable(DB_VARIABLE);
  if (db) return db;
  throw new UsageError(
    `Cannot open store: there is no path; give --db PATH, or set ${DB_VARIABLE} and run deno with --allow-env=${DB_VARIABLE}`,
  );
}

function fileAddress(path: string, { schema }: StoreSettings): StoreAddress {
  if (schema === undefined) return { in: "file", path };
  throw new UsageError(
    `Cannot open store at ${path}: --schema is for PostgreSQL, and this is a file; leave --schema out`,
  );
}

function etcdAddress(
  url: string,
  { driver, schema }: StoreSettings,
): StoreAddress {
  const [option] = [["--driver", driver], ["--schema", schema]]
    .filter(([, given]) => given !== undefined);
  if (option) {
    throw new UsageError(
      `Cannot open store: ${option[0]} is not for a store in etcd; leave ${
        option[0]
      } out`,
    );
  }
  readEtcdUrl(url);
  return { in: "etcd", url };
}

async function postgresAddress(
  url: string,
  { driver, schema }: StoreSettings,
): Promise<StoreAddress> {
  if (driver !== undefined) {
    throw new UsageError(
      "Cannot open store: --driver is for files, and this is a PostgreSQL URL; leave --driver out",
    );
  }
  const found = schema ?? await variable(SCHEMA_VARIABLE);
  if (/[?&]schema=/i.test(url)) {
    throw new UsageError(
      `Cannot open store: the URL has the parameter "schema"; give --schema NAME in its place`,
    );
  }
  if (schema === "") {
    throw new UsageError(
      `Cannot open store: ${quoteText(schema)} is not the name of a schema`,
    );
  }
  return { in: "postgres", url, ...(found ? { schema: found } : {}) };
}

async function variable(name: string): Promise<string | undefined> {
  return await isGranted({ name: "env", variable: name })
    ? Deno.env.get(name)
    : undefined;
}
