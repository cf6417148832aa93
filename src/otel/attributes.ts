/**
 * The attributes of spans and metrics. They follow OpenTelemetry's conventions
 * for databases (https://opentelemetry.io/docs/specs/semconv/db/).
 *
 * Each attribute of a metric has few values. None holds a key, a value or an
 * error message, which may quote them.
 *
 * @module
 */
import type { Attributes } from "@opentelemetry/api";
import type { StorePlace } from "../store/inspection.ts";

// The names of the conventions.
export const SYSTEM = "db.system.name";
export const NAMESPACE = "db.namespace";
export const OPERATION = "db.operation.name";
export const COLLECTION = "db.collection.name";
export const BATCH_SIZE = "db.operation.batch.size";
export const ERROR_TYPE = "error.type";
const SERVER_ADDRESS = "server.address";
const SERVER_PORT = "server.port";

/** The key of an operation, on spans with details. */
export const KEY = "zestor.key";
/** How long a commit waited for the lock of another writer, in s. */
export const LOCK_WAIT = "zestor.lock.wait.duration";

/** The engines that have another name in the conventions. */
const SYSTEMS: Record<string, string> = { postgres: "postgresql" };

/** The attributes that identify a store. */
export function attributesOf(place: StorePlace): Attributes {
  const system = { [SYSTEM]: SYSTEMS[place.engine] ?? place.engine };
  if (place.location === undefined) return system;
  return place.engine === "sqlite"
    ? { ...system, [NAMESPACE]: fileNameOf(place.location) }
    : { ...system, ...serverAttributesOf(place.location, place.schema) };
}

function fileNameOf(path: string): string {
  return /[^/\\]+$/.exec(path)?.[0] ?? path;
}

/** The attributes of a server's URL, which has no password. */
function serverAttributesOf(location: string, schema?: string): Attributes {
  const url = URL.parse(location);
  // The folder of a socket may come before the name.
  const database = url?.pathname.split("/").at(-1) || undefined;
  const namespace = [database, schema].filter((name) => name !== undefined);
  return {
    ...(namespace.length > 0 ? { [NAMESPACE]: namespace.join("|") } : {}),
    ...(url?.hostname ? { [SERVER_ADDRESS]: url.hostname } : {}),
    ...(url?.port ? { [SERVER_PORT]: Number(url.port) } : {}),
  };
}

/** The class of an error: one of the contract's classes, or one of the runtime's. */
export function errorTypeOf(error: unknown): string {
  return error instanceof Error ? error.name : "_OTHER";
}
