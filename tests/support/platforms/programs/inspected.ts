/**
 * Serves the inspector of a store. Tells the paths of the files that a browser
 * gets, and a value that it reads.
 *
 * @module
 */
import { openMemoryStore } from "@zestor/store/memory";
import { inspector } from "@zestor/store/inspector";
// @ts-ignore: the package's exports do not have it; the project's folder does.
import { assetPaths } from "./node_modules/@zestor/store/src/inspector/assets.js";

const BASE = "http://127.0.0.1:8000/";

const store = await openMemoryStore();
await store.set("users", "alice", { name: "Alice" });
const inspect = inspector(store);
const { headers } = await inspect(new Request(inspect.url(BASE)));
const cookie = headers.get("set-cookie")!.split(";")[0];

/** What a browser gets that has the session. */
async function get(path: string): Promise<string> {
  const request = new Request(BASE + path, { headers: { cookie } });
  const response = await inspect(request);
  const text = await response.text();
  if (response.status !== 200 || text === "") {
    throw new Error(`${path}: ${text}`);
  }
  return text;
}

const paths: string[] = assetPaths();
const texts = await Promise.all(paths.map(get));
const scripts = texts.filter((_, i) => paths[i].endsWith(".ts"));
const typed = scripts.filter((text) => /^(interface|type) /m.test(text));
console.log(JSON.stringify([paths.sort(), typed.length]));
await store.close();
