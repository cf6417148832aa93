/**
 * Calls a cluster through the JSON gateway of its members.
 *
 * The invariants:
 * - Each call has a deadline.
 * - If a member fails, later calls go to the next member. Other calls that run
 *   are not aborted.
 * - If etcd refuses an expired token, the gateway renews the token and repeats
 *   the call once. This is safe: etcd checks the token before it does anything.
 *
 * @module
 */
import { isDeno, platform } from "../../base/platform.ts";
import { unlessAborted } from "../../base/promises.ts";
import { sleep } from "../../base/slice.ts";
import { StoreClosedError, StoreOpenError } from "../../contract/errors.ts";
import { Backoff } from "../../remote/backoff.ts";
import {
  Cut,
  cutOf,
  failureOf,
  isTokenRefused,
  isUntrusted,
} from "./failure.ts";
import { Lanes } from "./lanes.ts";
import { jsonLines } from "./lines.ts";
import { LinkedAbort } from "./linked_abort.ts";
import type { RangeAnswer, RangeRequest, Txn, TxnAnswer } from "./messages.ts";

/** The user that calls the cluster. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** The certificates and the key for TLS, as PEM. */
export interface TlsFiles {
  readonly ca?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
}

/** The settings of a gateway. */
export interface GatewayOptions {
  /** At least one URL, without a slash at the end. */
  readonly endpoints: readonly string[];
  readonly credentials?: Credentials;
  readonly tls?: TlsFiles;
  /** How long a call may take, in ms. */
  readonly callTimeout: number;
  /** How long reads are retried, in ms. */
  readonly patience: number;
}

/** Options of one call. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /**
   * Whether the runtime must not resend the request after a cut. It resends
   * a request if it has the whole body. @default {false}
   */
  readonly isSentOnce?: boolean;
}

/** Options of one request. */
interface PostOptions {
  readonly token?: string;
  readonly isSentOnce?: boolean;
  readonly abort: LinkedAbort;
}

/** Options of a stream. */
export interface StreamOptions {
  readonly signal: AbortSignal;
  /**
   * How long it may send nothing while an answer is awaited, in ms.
   * @default {without limit}
   */
  readonly silence?: number;
}

/** Options of a call that is retried. */
export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** In ms. @default {the gateway's} */
  readonly patience?: number;
  /** Whether it starts at once, without waiting for other reads. @default {false} */
  readonly isUrgent?: boolean;
}

/** The reads of a writer: one at a time, and the batch is retried instead of a read. */
export const READ_OF_WRITER: ReadOptions = { patience: 0, isUrgent: true };

/** The most reads that run at the same time, apart from urgent ones. */
const READS_AT_ONCE = 16;

/** The connection to a cluster. */
export class Gateway {
  readonly #lanes = new Lanes(READS_AT_ONCE);
  readonly #options: GatewayOptions;
  readonly #client: Deno.HttpClient | undefined;
  readonly #closer = new AbortController();
  /** The index of the endpoint for new calls. All calls use the same one. */
  #current = 0;
  #token: Promise<string> | undefined;

  /** Takes the settings. */
  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#client = clientFor(options.tls);
  }

  /** Aborts when the gateway closes. */
  get closed(): AbortSignal {
    return this.#closer.signal;
  }

  get isClosed(): boolean {
    return this.#closer.signal.aborted;
  }

  /** The endpoint for new calls. */
  get endpoint(): string {
    return this.#options.endpoints[this.#current];
  }

  /** Switches to the next endpoint, unless another call has already left this one. */
  leave(endpoint: string): void {
    const { endpoints } = this.#options;
    if (endpoint !== this.endpoint) return;
    this.#current = (this.#current + 1) % endpoints.length;
  }

  /** Calls without a retry. Rejects with `Cut`, or with `EtcdError` if etcd refuses. */
  async call<Answer>(
    path: string,
    body: unknown,
    options: CallOptions = {},
  ): Promise<Answer> {
    const { signal, isSentOnce } = options;
    const abort = new LinkedAbort(signal, this.closed);
    try {
      return await this.#withToken((token) =>
        this.#post(path, body, { token, isSentOnce, abort }, readJson)
      ) as Answer;
    } finally {
      abort.unlink();
    }
  }

  /** Calls, and retries after a cut on the next member. The call must be idempotent. */
  async read<Answer>(
    path: string,
    body: unknown,
    { signal, patience = this.#options.patience, isUrgent = false }:
      ReadOptions = {},
  ): Promise<Answer> {
    const deadline = performance.now() + patience;
    const backoff = new Backoff();
    for (;;) {
      signal?.throwIfAborted();
      try {
        const call = () => {
          signal?.throwIfAborted();
          return this.call<Answer>(path, body, { signal });
        };
        const calling = isUrgent ? call() : this.#lanes.run(call);
        return await unlessAborted(calling, signal);
      } catch (error) {
        if (!(error instanceof Cut)) throw error;
        signal?.throwIfAborted();
        if (this.isClosed) throw new StoreClosedError();
        if (performance.now() >= deadline) throw error;
      }
      await sleep(backoff.next(deadline), signal);
    }
  }

  /** Reads keys. */
  range(request: RangeRequest, options?: ReadOptions): Promise<RangeAnswer> {
    return this.read("kv/range", request, options);
  }

  /** Reads several ranges at one revision of etcd: the current one, or one that all requests name. */
  async ranges(
    requests: readonly RangeRequest[],
    options?: ReadOptions,
  ): Promise<{ revision: number; found: RangeAnswer[] }> {
    const txn: Txn = {
      success: requests.map((request) => ({ request_range: request })),
    };
    const { header, responses = [] } = await this.read<TxnAnswer>(
      "kv/txn",
      txn,
      options,
    );
    return {
      revision: Number(header.revision ?? 0),
      found: responses.map(({ response_range }) => response_range ?? {}),
    };
  }

  /**
   * Opens a stream. It gives answers until the signal aborts or the stream is
   * cut. Leaving the loop closes the stream.
   */
  async *stream(
    path: string,
    body: unknown,
    { signal, silence }: StreamOptions,
  ): AsyncGenerator<unknown, void> {
    const { endpoint } = this;
    const abort = new LinkedAbort(signal, this.closed);
    let isSilent = false;
    const startTimer = () =>
      silence === undefined ? undefined : setTimeout(() => {
        isSilent = true;
        abort.abort(new Error(`the member sent nothing for ${silence} ms`));
      }, silence);
    try {
      const stream = await this.#withToken((token) =>
        this.#post(path, body, { token, abort }, bodyOf)
      );
      let timer = startTimer();
      try {
        for await (const line of jsonLines(stream, abort.signal)) {
          clearTimeout(timer);
          yield resultOf(line as Line);
          timer = startTimer();
        }
      } finally {
        clearTimeout(timer);
      }
      throw new Cut(true, new Error("the stream ended"));
    } catch (error) {
      if (isSilent || !abort.signal.aborted) this.leave(endpoint);
      throw cutOf(error);
    } finally {
      abort.unlink();
    }
  }

  async #withToken<T>(call: (token?: string) => Promise<T>): Promise<T> {
    if (!this.#options.credentials) return await call();
    const token = await (this.#token ??= this.#logIn());
    try {
      return await call(token);
    } catch (error) {
      if (!isTokenRefused(error)) throw error;
      if (await this.#token === token) this.#token = undefined;
    }
    return await call(await (this.#token ??= this.#logIn()));
  }

  async #logIn(): Promise<string> {
    const { username: name, password } = this.#options.credentials!;
    const abort = new LinkedAbort(this.closed);
    try {
      const answer = await this.#post(
        "auth/authenticate",
        { name, password },
        { abort },
        readJson,
      );
      return (answer as { token: string }).token;
    } catch (error) {
      this.#token = undefined;
      // The request that needs the token was not sent.
      throw error instanceof Cut ? new Cut(false, error) : error;
    } finally {
      abort.unlink();
    }
  }

  /** Posts a request. A stream must begin within the call timeout; any other answer must end within it. */
  async #post<T>(
    path: string,
    body: unknown,
    { token, isSentOnce = false, abort }: PostOptions,
    read: (response: Response) => Promise<T>,
  ): Promise<T> {
    const { endpoint } = this;
    const { signal } = abort;
    const text = JSON.stringify(body);
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      abort.abort(new Error("the member did not answer in time"));
    }, this.#options.callTimeout);
    try {
      const response = await unlessAborted(
        fetch(`${endpoint}/v3/${path}`, {
          method: "POST",
          headers: {
            "content-type": "application/json",
            // With this header, a member that has no leader ends a stream. Without
            // it, the stream would stay open and silent.
            "grpc-metadata-hasleader": "true",
            ...(token === undefined ? {} : { authorization: token }),
          },
          body: isSentOnce ? new Blob([text]).stream() : text,
          signal,
          ...(this.#client ? { client: this.#client } : {}),
        } as RequestInit),
        signal,
      );
      const reading = response.ok ? read(response) : errorOf(response);
      const answer = await unlessAborted<T | Error>(reading, signal);
      if (response.ok) return answer as T;
      throw answer;
    } catch (error) {
      const cut = cutOf(error);
      const isOfMember = cut instanceof Cut || isUntrusted(cut);
      if (isOfMember && (isLate || !signal.aborted)) this.leave(endpoint);
      throw cut;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends every call. */
  close(): void {
    if (this.isClosed) return;
    this.#closer.abort(new StoreClosedError());
    this.#client?.close();
  }
}

function clientFor(tls: TlsFiles | undefined): Deno.HttpClient | undefined {
  if (!tls) return undefined;
  if (!isDeno) {
    throw new StoreOpenError(
      `Cannot open store: "tls" works only in Deno; in ${platform.name}, set NODE_EXTRA_CA_CERTS to the file with the authority's certificate`,
    );
  }
  const { ca, cert, key } = tls;
  return Deno.createHttpClient({
    ...(ca ? { caCerts: [...ca] } : {}),
    ...(cert && key ? { cert, key } : {}),
  });
}

/** A line of a stream. */
interface Line {
  readonly result?: unknown;
  readonly error?: ErrorBody | string;
}

interface ErrorBody {
  readonly code?: number;
  readonly grpc_code?: number;
  readonly message?: string;
  readonly error?: string;
}

function resultOf({ result, error }: Line): unknown {
  if (error === undefined) return result;
  const { code, grpc_code, message } = typeof error === "string"
    ? { code: undefined, grpc_code: undefined, message: error }
    : error;
  throw failureOf(grpc_code ?? code ?? 2, message ?? "the stream failed");
}

function readJson(response: Response): Promise<unknown> {
  return response.json();
}

function bodyOf(response: Response): Promise<ReadableStream<Uint8Array>> {
  return Promise.resolve(response.body!);
}

const UNAVAILABLE = 14;

async function errorOf(response: Response): Promise<Error> {
  const text = await response.text();
  let body: ErrorBody;
  try {
    body = JSON.parse(text);
  } catch {
    // The answer comes from an intermediary, such as a load balancer.
    const message = `the member answered ${response.status} ${text}`.trim();
    return failureOf(response.status >= 500 ? UNAVAILABLE : 2, message);
  }
  const message = body.message ?? body.error ?? text;
  return failureOf(body.code ?? body.grpc_code ?? 2, message);
}
