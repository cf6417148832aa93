/**
 * Compares random operations on a store in etcd with a model.
 * `tests/soak/model.ts --store=etcd` does the same with many more operations.
 *
 * @module
 */
import { openEtcdStore } from "../../src/etcd/open_etcd_store.ts";
import { freshPrefix, testEtcd } from "../support/etcd/test_etcd.ts";
import { simulate } from "../support/model/simulation.ts";
import { withSeed } from "../support/random.ts";

const OPERATIONS = 1_000;
/** The values of the option `history`. The second one makes watches fall behind. */
const HISTORIES = [100_000, 200];

for (const history of HISTORIES) {
  testEtcd(
    `a store does what the model does, with a history of ${history} [etcd]`,
    async ({ url }) => {
      const prefix = freshPrefix();
      await withSeed(`etcd ${history}`, (random) =>
        simulate(random, {
          open: () => openEtcdStore({ endpoints: [url], prefix, history }),
          kept: true,
          history,
          operations: OPERATIONS,
          round: 500,
        }));
    },
  );
}
