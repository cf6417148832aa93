/**
 * Calls of a cluster by the JSON gateway of its members.
 *
 * The invariants:
 * - Each call has a deadline.
 * - A member that fails is left for the next one; the others go on.
 * - A token that has run out is renewed, and the call is made once more: etcd
 *   refuses it before it does anything.
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

/** Whom the cluster knows us as. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** What TLS needs, as PEM. */
export interface TlsFiles {
  readonly ca?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
}

/** How a cluster is reached. */
export interface GatewayOptions {
  /** At least one, each without a path's last slash. */
  readonly endpoints: readonly string[];
  readonly credentials?: Credentials;
  readonly tls?: TlsFiles;
  /** For how long a call may take, in ms. */
  readonly callTimeout: number;
  /** For how long reads are tried again, in ms. */
  readonly patience: number;
}

/** How one call is made. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /**
   * Whether the runtime must not send it again after a cut, as it does with
   * a body that it has whole. @default {false}
   */
  readonly isSentOnce?: boolean;
}

/** How a request is posted. */
interface PostOptions {
  readonly token?: string;
  readonly isSentOnce?: boolean;
  readonly abort: LinkedAbort;
}

/** How a call is made that is tried again. */
export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** In ms. @default {the gateway's} */
  readonly patience?: number;
}

/** How many reads run at once. */
const READS_AT_ONCE = 16;

/** A cluster. */
export class Gateway {
  readonly #lanes = new Lanes(READS_AT_ONCE);
  readonly #options: GatewayOptions;
  readonly #client: Deno.HttpClient | undefined;
  readonly #closer = new AbortController();
  /** Which endpoint is used: all go to the next one together. */
  #current = 0;
  #token: Promise<string> | undefined;

  /** Takes how the cluster is reached. */
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

  /** The endpoint that is used now. */
  get endpoint(): string {
    return this.#options.endpoints[this.#current];
  }

  /** Uses the next endpoint, unless somebody has left this one already. */
  leave(endpoint: string): void {
    const { endpoints } = this.#options;
    if (endpoint !== this.endpoint) return;
    this.#current = (this.#current + 1) % endpoints.length;
  }

  /** Calls once. Throws `Cut`, or `EtcdError` if etcd refuses. */
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

  /** Calls, and tries again after a cut, on the next member. The call must change nothing. */
  async read<Answer>(
    path: string,
    body: unknown,
    { signal, patience = this.#options.patience }: ReadOptions = {},
  ): Promise<Answer> {
    const deadline = performance.now() + patience;
    const backoff = new Backoff();
    for (;;) {
      signal?.throwIfAborted();
      try {
        const calling = this.#lanes.run(() => {
          signal?.throwIfAborted();
          return this.call<Answer>(path, body, { signal });
        });
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

  /** Reads several ranges as of one moment, or of a revision that all name. */
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
   * Opens a stream. Its answers come until the signal aborts, or the stream is
   * cut. Whoever leaves the loop ends it.
   */
  async *stream(
    path: string,
    body: unknown,
    signal: AbortSignal,
  ): AsyncGenerator<unknown, void> {
    const { endpoint } = this;
    const abort = new LinkedAbort(signal, this.closed);
    try {
      const stream = await this.#withToken((token) =>
        this.#post(path, body, { token, abort }, bodyOf)
      );
      for await (const line of jsonLines(stream, abort.signal)) {
        yield resultOf(line as Line);
      }
      throw new Cut(true, new Error("the stream ended"));
    } catch (error) {
      if (!abort.signal.aborted) this.leave(endpoint);
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
      // What the token was for was not sent.
      throw error instanceof Cut ? new Cut(false, error) : error;
    } finally {
      abort.unlink();
    }
  }

  /** Posts. The answer has to begin, and if it is no stream to end, in time. */
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
            // A member without a leader ends a stream: else it would be silent.
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
      `Cannot open store: "tls" works in Deno only; in ${platform.name} set NODE_EXTRA_CA_CERTS to the file of the authority`,
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
    // It comes from something between, such as a load balancer.
    const message = `the member answered ${response.status} ${text}`.trim();
    return failureOf(response.status >= 500 ? UNAVAILABLE : 2, message);
  }
  const message = body.message ?? body.error ?? text;
  return failureOf(body.code ?? body.grpc_code ?? 2, message);
}
