/**
 * Settings of a server, as postgresql.conf has them.
 *
 * @module
 */

/** Values by the names of the settings. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

/** A line for each setting. */
export function settingLines(settings: Settings): string {
  return Object.entries(settings).map(([name, value]) =>
    `${name} = '${
      String(value).replaceAll("'", "''").replaceAll("\\", "\\\\")
    }'\n`
  ).join("");
}
