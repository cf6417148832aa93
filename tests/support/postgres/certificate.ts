/**
 * A certificate for a server on 127.0.0.1, and the authority that signed it.
 *
 * @module
 */
import { join } from "node:path";
import { generate } from "selfsigned";
import { giveToAccount } from "./commands.ts";
import type { Settings } from "./settings.ts";

/** A server's TLS. */
export interface Certificate {
  /** The file of the authority, for a client's `sslrootcert`. */
  readonly authority: string;
  /** The settings of a server that has the certificate. */
  readonly settings: Settings;
}

/** Makes an authority and a certificate in a folder. */
export async function certify(dir: string): Promise<Certificate> {
  const ca = await generate([{ name: "commonName", value: "Test authority" }], {
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, critical: true },
    ],
  });
  const made = await generate([{ name: "commonName", value: "Test server" }], {
    algorithm: "sha256",
    ca: { key: ca.private, cert: ca.cert },
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] },
    ],
  });
  const write = async (name: string, text: string) => {
    const path = join(dir, name);
    // The server refuses a key that others can read.
    await Deno.writeTextFile(path, text, { mode: 0o600 });
    giveToAccount(path);
    return path;
  };
  return {
    authority: await write("authority.crt", ca.cert),
    settings: {
      ssl: true,
      ssl_cert_file: await write("server.crt", made.cert),
      ssl_key_file: await write("server.key", made.private),
    },
  };
}
