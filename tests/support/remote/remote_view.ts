/**
 * What can be read of a server's entries: each call is a request.
 *
 * @module
 */
import type {
  EntryState,
  StoredEntry,
  StoredValue,
} from "../../../src/engine/entries.ts";
import type { Page, PageOptions } from "../../../src/engine/page.ts";
import type { PastView, Snapshot, View } from "../../../src/engine/view.ts";
import type { KeyRange } from "../../../src/keys/key_range.ts";
import type { Client } from "./client.ts";
import type { At, MarkedMoment } from "./protocol.ts";

/** The entries as of a snapshot, of a past revision, or of the moment of each call. */
export class RemoteView implements View {
  readonly #client: Client;
  readonly #at: At["at"];

  /** Takes the client, and the moment if it is a fixed one. */
  constructor(client: Client, at?: At["at"]) {
    this.#client = client;
    this.#at = at;
  }

  value(
    kind: string,
    key: string,
    signal?: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    return this.#client.ask("value", { kind, key, at: this.#at }, signal);
  }

  entry(
    kind: string,
    key: string,
    signal?: AbortSignal,
  ): Promise<StoredEntry | undefined> {
    return this.#client.ask("entry", { kind, key, at: this.#at }, signal);
  }

  state(
    kind: string,
    key: string,
    signal?: AbortSignal,
  ): Promise<EntryState | undefined> {
    return this.#client.ask("state", { kind, key, at: this.#at }, signal);
  }

  some(
    kind: string,
    keys: readonly string[],
    signal?: AbortSignal,
  ): Promise<StoredValue[]> {
    return this.#client.ask("some", { kind, keys, at: this.#at }, signal);
  }

  keys(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
    signal?: AbortSignal,
  ): Promise<Page<string>> {
    return this.#client.ask("keys", this.#page(kind, range, page), signal);
  }

  values(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
    signal?: AbortSignal,
  ): Promise<Page<StoredValue>> {
    return this.#client.ask("values", this.#page(kind, range, page), signal);
  }

  entries(
    kind: string,
    range: KeyRange,
    page?: PageOptions,
    signal?: AbortSignal,
  ): Promise<Page<StoredEntry>> {
    return this.#client.ask("entries", this.#page(kind, range, page), signal);
  }

  count(
    kind: string,
    range: KeyRange,
    limit?: number,
    signal?: AbortSignal,
  ): Promise<number> {
    const ask = { kind, range, limit, at: this.#at };
    return this.#client.ask("count", ask, signal);
  }

  kinds(signal?: AbortSignal): Promise<string[]> {
    return this.#client.ask("kinds", { at: this.#at }, signal);
  }

  #page(kind: string, range: KeyRange, options: PageOptions = {}) {
    // The server keeps entries as they are to be.
    const { onUnreadable: _, ...page } = options;
    return { kind, range, page, at: this.#at };
  }
}

/** The entries as of one moment: the server holds it under an id. */
export class RemoteSnapshot extends RemoteView implements Snapshot {
  readonly #client: Client;
  readonly #id: string;
  #isClosed = false;

  private constructor(client: Client, id: string) {
    super(client, id);
    this.#client = client;
    this.#id = id;
  }

  /** Opens a snapshot. If the answer is lost, the same one is asked for again. */
  static async open(
    client: Client,
    signal?: AbortSignal,
  ): Promise<RemoteSnapshot> {
    const id = crypto.randomUUID();
    const snapshot = new RemoteSnapshot(client, id);
    try {
      await client.ask("openSnapshot", { client: client.id, id }, signal);
    } catch (error) {
      // The server may hold it all the same.
      snapshot.close();
      throw error;
    }
    return snapshot;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const ask = { client: this.#client.id, id: this.#id };
    // If it fails, the snapshot goes when the client says bye.
    await this.#client.ask("closeSnapshot", ask).catch(() => {});
  }
}

/** The entries as they were. Each request names the moment, so a server that was restarted reads on. */
export class RemotePast extends RemoteView implements PastView {
  readonly revision: number;

  private constructor(client: Client, moment: MarkedMoment) {
    super(client, moment);
    this.revision = moment.revision;
  }

  /** Asks the server which moment it is. */
  static async open(
    client: Client,
    ask: { readonly at?: number; readonly time?: number },
    signal?: AbortSignal,
  ): Promise<RemotePast> {
    return new RemotePast(client, await client.ask("openPast", ask, signal));
  }

  close(): void {}
}
