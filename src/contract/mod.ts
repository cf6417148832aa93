/**
 * The contract's types. `Store` states what every store guarantees.
 *
 * @module
 */
export type * from "./atomic.ts";
export type * from "./entry.ts";
export type * from "./kind_store.ts";
export type * from "./kinds.ts";
export type * from "./live_reads.ts";
export type * from "./mirror.ts";
export type * from "./operation.ts";
export type * from "./reads.ts";
export type * from "./snapshot.ts";
export type * from "./store.ts";
export type * from "./transfer.ts";
export type * from "./verify.ts";
export type * from "./watch.ts";
export type * from "./write.ts";
export type * from "./writes.ts";
