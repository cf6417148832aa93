/**
 * A store in an etcd cluster. Its code is loaded only when one is opened, and Deno
 * never asks for a permission: a missing one is an error.
 *
 * @module
 */
import { reasonOf } from "../../base/messages.ts";
import { StoreOpenError } from "../../contract/errors.ts";
import { UsageError } from "../errors.ts";
import { assertGranted, isGranted } from "../permissions.ts";
import { type CodecName, codecNamed } from "./codecs.ts";
import { readEtcdUrl } from "./etcd_url.ts";
import { whatIsMissing } from "./missing.ts";
import { openOnServer } from "./server_access.ts";
import type { CliStore, OpenOptions } from "./settings.ts";

/** The cluster, and the codec of its values. */
export interface EtcdSettings {
  readonly url: string;
  readonly codec: CodecName;
}

/** Opens the store. Throws `UsageError` if the URL is invalid, or if permissions are missing. */
export async function openStoreInEtcd(
  { url, codec }: EtcdSettings,
  { access, ...options }: OpenOptions,
): Promise<CliStore> {
  const { ca, ...address } = readEtcdUrl(url);
  for (const endpoint of address.endpoints) await assertPermitted(endpoint);
  const tls = ca === undefined
    ? {}
    : { tls: { caCerts: [await readFile(ca)] } };
  const { openEtcdStore } = await import("../../etcd/open_etcd_store.ts");
  const settings = {
    ...options,
    ...address,
    ...tls,
    codec: await codecNamed(codec),
  };
  const open = (readOnly: boolean) => openEtcdStore({ ...settings, readOnly });
  try {
    return await openOnServer(open, access);
  } catch (error) {
    throw told(error);
  }
}

async function assertPermitted(endpoint: string): Promise<void> {
  const host = endpoint.replace(/^https?:\/\//, "");
  if (await isGranted({ name: "net", host })) return;
  throw new UsageError(
    `Cannot connect to ${host}: the permission is missing; run deno with --allow-net=${host}`,
  );
}

async function readFile(path: string): Promise<string> {
  await assertGranted("read", path);
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    throw new UsageError(`Cannot read ${path}: ${reasonOf(cause)}`, { cause });
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
    `${what}; check the prefix, or create it with "zestor set"`,
    { cause: error },
  );
}
