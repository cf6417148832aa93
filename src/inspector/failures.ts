/**
 * Errors as data for the page.
 *
 * @module
 */
import { reasonOf } from "../base/messages.ts";
import {
  StoreError,
  type StoreErrorCode,
  ValidationError,
  VersionConflictError,
} from "../contract/errors.ts";
import type { ApiError, Failure } from "./api.ts";

/** A request that the inspector itself refuses. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly status: number;
  readonly code: string;
  readonly details: Partial<ApiError>;

  /** Takes the HTTP status, the code, the message, and more properties. */
  constructor(
    status: number,
    code: string,
    message: string,
    details: Partial<ApiError> = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

/** A request with an invalid parameter. */
export function badRequest(message: string, parameter?: string): RequestError {
  const details = parameter === undefined ? {} : { parameter };
  return new RequestError(400, "BAD_REQUEST", message, details);
}

/** The HTTP status of each error of a store. */
const STATUSES: Readonly<Record<StoreErrorCode, number>> = {
  OPEN: 500,
  CLOSED: 503,
  BUSY: 503,
  UNAVAILABLE: 503,
  UNSUPPORTED: 501,
  UNKNOWN_OUTCOME: 504,
  FULL: 507,
  TOO_LARGE: 413,
  CORRUPT: 500,
  READ_ONLY: 403,
  INVALID_NAME: 400,
  KEY_NOT_FOUND: 404,
  VERSION_CONFLICT: 409,
  VALIDATION: 422,
  CODEC: 422,
  WATCH_OVERFLOW: 410,
  REVISION_UNAVAILABLE: 410,
  IMPORT: 422,
  STORAGE: 500,
};

/** The response for a failed request. */
export interface FailedAnswer {
  readonly status: number;
  readonly body: Failure;
}

/** The response for a thrown value. */
export function failureOf(error: unknown): FailedAnswer {
  if (error instanceof RequestError) {
    const { status, code, message, details } = error;
    return { status, body: { error: { code, message, ...details } } };
  }
  if (error instanceof StoreError) {
    const { code, message } = error;
    return {
      status: STATUSES[code],
      body: { error: { code, message, ...detailsOf(error) } },
    };
  }
  const message = `The inspector failed: ${reasonOf(error)}`;
  return { status: 500, body: { error: { code: "INTERNAL", message } } };
}

function detailsOf(error: StoreError): Partial<ApiError> {
  if (error instanceof VersionConflictError) {
    return { foundRevision: error.found?.revision ?? 0 };
  }
  if (!(error instanceof ValidationError)) return {};
  const issues = error.issues.map(({ message, path = [] }) => ({
    message,
    path: path.map((part) => typeof part === "number" ? part : String(part)),
  }));
  return { issues };
}
