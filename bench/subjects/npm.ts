/**
 * The npm packages that the store is compared with. They belong to the
 * neighbouring folder, not to the project: npm installs them when the benchmark
 * runs. So nothing else loads them, or fails if one is not available.
 *
 * @module
 */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** A package's exports; who loads it knows which. */
// deno-lint-ignore no-explicit-any -- see above
export type Exports = any;

const folder = fileURLToPath(new URL("../peers/", import.meta.url));

/** Installs the packages in `bench/peers/package.json`. Returns the reason if it cannot. */
export async function installPeers(): Promise<string | undefined> {
  const args = [
    "install",
    "--ignore-scripts",
    "--no-package-lock",
    "--prefer-offline",
    "--fetch-retries=0",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ];
  try {
    const { success, stderr } = await new Deno.Command("npm", {
      args,
      cwd: folder,
      stdout: "null",
    }).output();
    return success ? undefined : new TextDecoder().decode(stderr);
  } catch (error) {
    return `npm cannot be run: ${(error as Error).message}`;
  }
}

/** The packages with their versions. */
export function peerVersions(): string[] {
  const { dependencies } = JSON.parse(
    Deno.readTextFileSync(`${folder}package.json`),
  );
  return Object.entries(dependencies).map(([name, version]) =>
    `${name} ${version}`
  );
}

/** Loads one of the packages, or a file of it. */
export function requirePeer(name: string): Exports {
  return createRequire(folder)(name);
}
