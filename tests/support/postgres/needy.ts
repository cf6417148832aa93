/**
 * A file of tests with one that needs PostgreSQL, for a test of `testServer`.
 *
 * @module
 */
import { testServer } from "./test_server.ts";

testServer("needs PostgreSQL", () => {});
