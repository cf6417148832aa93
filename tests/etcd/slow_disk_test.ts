/**
 * A slow disk: `strace` delays each fsync of etcd. Writes wait and share commits.
 * Each takes effect once, even if its answer comes after the call timeout.
 *
 * @module
 */
import {
  assertEquals,
  assertGreaterOrEqual,
  assertInstanceOf,
  assertLessOrEqual,
} from "@std/assert";
import { StoreUnavailableError, UnknownOutcomeError } from "../../mod.ts";
import { startNode } from "../support/etcd/cluster.ts";
import { findEtcd } from "../support/etcd/find_etcd.ts";
import type { Member } from "../support/etcd/member.ts";
import { openTestStore } from "../support/etcd/stores.ts";
import { testsThatNeed } from "../support/postgres/needs.ts";
import { pidIn } from "../support/postgres/home.ts";

const DELAY_MS = 300;

/** Registers a test that delays the fsync of a server. */
const testSlowDisk = testsThatNeed(
  "etcd and strace",
  await reasonAgainst(),
  { isRequired: false },
);

async function reasonAgainst(): Promise<object | { reason: string }> {
  const etcd = await findEtcd();
  if ("reason" in etcd) return etcd;
  try {
    // Some systems do not let a process trace another one.
    const { success, stderr } = await new Deno.Command("strace", {
      args: ["-o", "/dev/null", "true"],
      stdout: "null",
      stderr: "piped",
    }).output();
    return success ? {} : { reason: new TextDecoder().decode(stderr).trim() };
  } catch (error) {
    return { reason: `strace cannot be run: ${(error as Error).message}` };
  }
}

/** Delays each fsync of a server, until the result is disposed of. */
async function slowDown({ dir }: Member): Promise<AsyncDisposable> {
  const calls = "fsync,fdatasync";
  const tracer = new Deno.Command("strace", {
    args: [
      ...["-f", "-p", `${await pidIn(dir)}`, "-o", "/dev/null"],
      ...["-e", `trace=${calls}`],
      ...["-e", `inject=${calls}:delay_exit=${DELAY_MS}ms`],
    ],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const messages = tracer.stderr.pipeThrough(new TextDecoderStream())
    .getReader();
  let said = "";
  while (!said.includes("attached")) {
    const { value, done } = await messages.read();
    if (done) throw new Error(`strace has ended: ${said}`);
    said += value;
  }
  const reading = (async () => {
    while (!(await messages.read()).done);
  })();
  return {
    async [Symbol.asyncDispose]() {
      // It detaches from the server, which continues.
      tracer.kill("SIGINT");
      await tracer.status;
      await reading;
    },
  };
}

testSlowDisk(
  "on a slow disk writes share commits, and watches see each once",
  async () => {
    await using node = await startNode({ fsync: true });
    await using store = await openTestStore({ endpoints: [node.url] });
    await store.set("k", "first", 0);
    await using _ = await slowDown(node);
    const watch = store.watch("k").getReader();
    const writes = Array.from(
      { length: 100 },
      (_, i) => store.set("k", `${i}`, i),
    );
    const revisions = (await Promise.all(writes)).map((it) => it.revision);
    assertEquals(revisions, writes.map((_, i) => i + 2));
    for (const revision of revisions) {
      assertEquals((await watch.read()).value?.revision, revision);
    }
    await watch.cancel();
  },
);

testSlowDisk(
  "answers that come later than a store waits for one double no write",
  async () => {
    await using node = await startNode({ fsync: true });
    const endpoints = [node.url];
    await using patient = await openTestStore({ endpoints });
    await patient.set("k", "n", 0);
    // Some answers come in time, and some do not.
    await using store = await openTestStore({
      endpoints,
      callTimeout: 1.5 * DELAY_MS,
      busyTimeout: 5 * DELAY_MS,
    });
    const values: number[] = [];
    let unknown = 0;
    {
      await using _ = await slowDown(node);
      for (let i = 0; i < 8; i++) {
        try {
          const { value } = await store.update("k", "n", (n) => n + 1);
          values.push(value);
        } catch (error) {
          // Nothing was written if not even a read was answered in time.
          if (error instanceof StoreUnavailableError) continue;
          assertInstanceOf(error, UnknownOutcomeError);
          unknown++;
        }
      }
    }
    assertEquals(new Set(values).size, values.length);
    const { value, version } = await patient.update("k", "n", (n) => n + 1);
    assertEquals(version, value + 1);
    // The last value is from the patient store.
    assertGreaterOrEqual(value, values.length + 1);
    assertLessOrEqual(value, values.length + unknown + 1);
  },
);
