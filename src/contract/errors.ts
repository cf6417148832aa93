/**
 * Every error that a store raises. Each carries a stable `code` to branch on,
 * a message, and the `cause` if another error is behind it. All messages have
 * one shape: `Cannot <do what> <to what>: <why>; <what to do>`.
 *
 * If a call's arguments have the wrong shape (a misspelt option, a negative
 * limit), the program has a mistake, and the store's state does not matter. The
 * call raises the platform's own `TypeError` or `RangeError`.
 *
 * @module
 */
export * from "./errors/history_errors.ts";
export * from "./errors/operation_errors.ts";
export * from "./errors/store_error.ts";
export * from "./errors/write_errors.ts";
