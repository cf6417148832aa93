/**
 * Settings and feature flags that people can read, also in the file: a small
 * command on a store with the YAML codec. As a task of deno.json,
 *
 *     "config": "deno run --allow-read=. --allow-write=. examples/config.ts"
 *
 * it is called like this:
 *
 *     deno task config set search 'enabled: true'
 *     deno task config set checkout '{ rollout: 0.25, regions: [eu, us] }'
 *     deno task config get checkout
 *     deno task config list
 *     deno task config delete search
 *     deno task config watch
 *
 * The store keeps the YAML text itself, and `watch` sees changes by other
 * processes and by plain SQL, too:
 *
 *     sqlite3 config.db "UPDATE zestor_kv SET value = 'enabled: false' WHERE key = 'search'"
 */
import { openStore, type Store } from "@zestor/store";
import { yaml } from "@zestor/store/yaml";

/** One kind, whose values may be anything that YAML can express. */
type Kinds = { config: unknown };
type Config = Store<Kinds>;

/** The subcommands, each with its arguments. */
const commands: Record<
  string,
  (config: Config, ...args: string[]) => Promise<void>
> = {
  async set(config, key, text) {
    const { status, version } = await config.set("config", key, parse(text));
    console.log(`${key}: ${status}, version ${version}`);
  },

  async get(config, key) {
    const value = await config.get("config", key);
    if (value === undefined) throw new Error(`There is no setting "${key}"`);
    print(value);
  },

  async list(config) {
    print(Object.fromEntries(await config.list("config")));
  },

  async delete(config, key) {
    const previous = await config.delete("config", key);
    console.log(`${key}: ${previous ? "deleted" : "was not there"}`);
  },

  async watch(config) {
    const interrupted = new AbortController();
    Deno.addSignalListener("SIGINT", () => interrupted.abort());
    const { signal } = interrupted;
    const changes = config.watch("config", { initial: true, signal });
    for await (const { type, key, value } of changes) {
      console.log(`--- # ${type} ${key}`);
      print(value);
    }
  },
};

// The codec is also how this program reads and prints values.
function parse(text: string): unknown {
  return yaml.decode(new TextEncoder().encode(text));
}

function print(value: unknown): void {
  console.log(new TextDecoder().decode(yaml.encode(value)).trimEnd());
}

const USAGE = `Usage:
  config set <key> <value, in YAML>
  config get <key>
  config list
  config delete <key>
  config watch`;

/** Runs a command line on the settings in a file, and gives the exit code. */
async function main(args: string[], path: string): Promise<number> {
  const [name, ...rest] = args;
  const command = Object.hasOwn(commands, name ?? "") && commands[name];
  // The first parameter of a command is the store.
  if (!command || rest.length !== command.length - 1) {
    console.error(USAGE);
    return 2;
  }
  try {
    await using config = await openStore<Kinds>({ path, codec: yaml });
    await command(config, ...rest);
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

if (import.meta.main) Deno.exitCode = await main(Deno.args, "config.db");
