/**
 * The attributes of spans and metrics, by OpenTelemetry's conventions for
 * databases (https://opentelemetry.io/docs/specs/semconv/db/).
 *
 * Each has few values: no key, no value, and no message, which may quote them.
 *
 * @module
 */
import type { Attributes } from "@opentelemetry/api";
import type { StorePlace } from "../store/inspection.ts";

/** The names of the conventions. */
export const SYSTEM = "db.system.name";
export const NAMESPACE = "db.namespace";
export const OPERATION = "db.operation.name";
export const COLLECTION = "db.collection.name";
export const BATCH_SIZE = "db.operation.batch.size";
export const ERROR_TYPE = "error.type";
const SERVER_ADDRESS = "server.address";
const SERVER_PORT = "server.port";

/** The key of an operation, if spans are to tell details. */
export const KEY = "zestor.key";
/** How long a commit waited for somebody else's lock, in s. */
export const LOCK_WAIT = "zestor.lock.wait.duration";

/** The names of databases that the conventions know by another one. */
const SYSTEMS: Record<string, string> = { postgres: "postgresql" };

/** The attributes that tell one store from another. */
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

/** Of a server's URL, which has no password. */
function serverAttributesOf(location: string, schema?: string): Attributes {
  const url = URL.parse(location);
  // A socket's folder may stand before it.
  const database = url?.pathname.split("/").at(-1) || undefined;
  const namespace = [database, schema].filter((name) => name !== undefined);
  return {
    ...(namespace.length > 0 ? { [NAMESPACE]: namespace.join("|") } : {}),
    ...(url?.hostname ? { [SERVER_ADDRESS]: url.hostname } : {}),
    ...(url?.port ? { [SERVER_PORT]: Number(url.port) } : {}),
  };
}

/** The class of an error: one of those that the contract names, or the platform's. */
export function errorTypeOf(error: unknown): string {
  return error instanceof Error ? error.name : "_OTHER";
}
