/**
 * The URL of a store in etcd, as a command line has it.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { UsageError } from "../../src/cli/errors.ts";
import { withoutPasswords } from "../../src/cli/output/passwords.ts";
import { addressOf } from "../../src/cli/stores/address.ts";
import {
  type EtcdUrl,
  isEtcdUrl,
  readEtcdUrl,
} from "../../src/cli/stores/etcd_url.ts";

const READ: Record<string, EtcdUrl> = {
  "etcd://127.0.0.1": { endpoints: ["http://127.0.0.1:2379"] },
  "etcd://127.0.0.1/": { endpoints: ["http://127.0.0.1:2379"] },
  "ETCD://h:1/app": { endpoints: ["http://h:1"], prefix: "app" },
  "etcd://[::1]:1,h/a/b": {
    endpoints: ["http://[::1]:1", "http://h:2379"],
    prefix: "a/b",
  },
  "etcds://u:p%40%2F@h/a%20b?ca=/x/ca.pem": {
    endpoints: ["https://h:2379"],
    prefix: "a b",
    username: "u",
    password: "p@/",
    ca: "/x/ca.pem",
  },
  "etcd://u:a/b@h": {
    endpoints: ["http://h:2379"],
    username: "u",
    password: "a/b",
  },
  "etcd://u:a:b@h": {
    endpoints: ["http://h:2379"],
    username: "u",
    password: "a:b",
  },
};

Deno.test("a URL of a store in etcd names members, prefix, user and authority", () => {
  for (const [url, expected] of Object.entries(READ)) {
    assert(isEtcdUrl(url), url);
    assertEquals(readEtcdUrl(url), expected, url);
  }
});

Deno.test("what is no URL of a store in etcd is told without its password", () => {
  const wrong = [
    "etcd://",
    "etcd://h:x/a",
    "etcd://h,,i",
    "etcd://user@h",
    "etcd://u:secret@h/%zz",
  ];
  for (const url of wrong) {
    const error = assertThrows(() => readEtcdUrl(url), UsageError);
    assert(!error.message.includes("secret"), url);
  }
  for (const path of ["etcd", "./etcd://", "postgres://h", "etcd:/h"]) {
    assert(!isEtcdUrl(path), path);
  }
});

Deno.test("the password in a URL of a store in etcd is never printed", () => {
  const text = "Cannot open etcds://u:s3cret@h:1,i:2/app: it is away";
  assertEquals(
    withoutPasswords(text),
    "Cannot open etcds://u:***@h:1,i:2/app: it is away",
  );
  const two = "from etcd://u:s3cret@h/a to postgres://v:s3cret@i/b";
  assert(!withoutPasswords(two).includes("s3cret"));
});

Deno.test("options for files and PostgreSQL are refused for a store in etcd", async () => {
  const settings = { db: "etcd://h/app", codec: "json" } as const;
  assertEquals(await addressOf(settings), { in: "etcd", url: "etcd://h/app" });
  for (const option of [{ driver: "ffi" }, { schema: "x" }] as const) {
    const error = await assertRejects(
      () => addressOf({ ...settings, ...option }),
      UsageError,
    );
    assert(error.message.includes(`--${Object.keys(option)[0]}`));
  }
});
