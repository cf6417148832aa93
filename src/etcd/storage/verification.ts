/**
 * Verifies a store in etcd: whether a store wrote each key, and whether each value
 * can be read. It reads at one revision of etcd.
 *
 * @module
 */
import { quote } from "../../base/messages.ts";
import type { VerifyFinding, VerifyPart } from "../../contract/verify.ts";
import type { Judge } from "../../engine/engine.ts";
import { Findings } from "../../engine/findings.ts";
import { type Kept, unwrap } from "../format/envelope.ts";
import { bytesOf, type KeyValue, textOf } from "../gateway/messages.ts";
import type { ViewSource } from "./entry_view.ts";
import type { Now } from "./timeline.ts";

const PARTS: readonly VerifyPart[] = ["foreign", "log", "entries"];

/** How many keys one request reads. */
const KEYS_AT_ONCE = 64;

/** One verification. */
export class Verification {
  readonly #source: ViewSource;
  readonly #now: Now;
  readonly #judge: Judge;
  readonly #found = new Map<VerifyPart, Findings>(
    PARTS.map((part) => [part, new Findings(part)]),
  );

  /** Takes the source, the moment, and the function that judges values. */
  constructor(source: ViewSource, now: Now, judge: Judge) {
    this.#source = source;
    this.#now = now;
    this.#judge = judge;
  }

  /** Reads all entries, and returns the findings. */
  async findings(signal?: AbortSignal): Promise<VerifyFinding[]> {
    const { gateway, keys } = this.#source;
    let span = keys.entries;
    for (let more = true; more;) {
      const answer = await gateway.range({
        ...span,
        limit: KEYS_AT_ONCE,
        revision: String(this.#now.at),
      }, { signal });
      const { kvs = [] } = answer;
      for (const kv of kvs) await this.#look(kv);
      more = answer.more === true && kvs.length > 0;
      if (!more) break;
      span = { ...span, key: keys.after(kvs.at(-1)!.key) };
    }
    return [...this.#found.values()].flatMap((found) => found.list());
  }

  #add(finding: VerifyFinding): void {
    this.#found.get(finding.part)!.add(finding);
  }

  async #look(kv: KeyValue): Promise<void> {
    const name = this.#source.keys.nameOf(kv.key);
    const kept = name && unwrap(bytesOf(kv.value));
    if (!name || name.kind === "" || name.key === "" || !kept) {
      this.#add({
        part: "foreign",
        ...(name ?? {}),
        message: `No store wrote the key ${
          JSON.stringify(textOf(kv.key))
        } with this value; delete the key`,
      });
      return;
    }
    this.#lookAtRevision(name, kept);
    const problem = await this.#judge(name, kept.value);
    if (problem === undefined) return;
    this.#add({ part: "entries", ...name, message: problem });
  }

  #lookAtRevision(
    name: { kind: string; key: string },
    { revision }: Kept,
  ): void {
    const { head } = this.#now.record;
    if (revision <= head) return;
    this.#add({
      part: "log",
      ...name,
      revision,
      message: `${
        quote(name.kind, name.key)
      } has revision ${revision}, but the store is at ${head}; write the entry again`,
    });
  }
}
