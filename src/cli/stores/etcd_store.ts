/**
 * A store in an etcd cluster. Nothing of it is loaded before one is opened, and
 * no permission is ever asked for: if one is missing, that is an error.
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

/** Which cluster, and how its values are kept. */
export interface EtcdSettings {
  readonly url: string;
  readonly codec: CodecName;
}

/** Opens the store. Throws `UsageError` if the URL is none, or permissions are missing. */
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

/** What is said of an opening that failed: options are words of a command line here. */
function told(error: unknown): unknown {
  if (error instanceof TypeError) {
    return new UsageError(error.message, { cause: error });
  }
  if (!whatIsMissing(error)) return error;
  const [what] = reasonOf(error).split(", and it was opened to be read only");
  return new StoreOpenError(
    `${what}; see that the prefix is right, or make it with "zestor set"`,
    { cause: error },
  );
}
