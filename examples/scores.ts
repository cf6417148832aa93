/**
 * The best three scores, live, with the points of all processes.
 *
 *     deno run --allow-read=. --allow-write=. examples/scores.ts
 *     deno run --allow-read=. --allow-write=. examples/scores.ts ann 7
 *
 * The first command shows the scores until it is stopped. Run the second one
 * beside it, as often as you like: it adds points.
 */
import { openStore } from "@zestor/store";

const [player, points] = Deno.args;

await using store = await openStore<{ scores: number }>({ path: "scores.db" });
if (player !== undefined) {
  const add = (score: number) => score + Number(points);
  const { value } = await store.update("scores", player, add, { initial: 0 });
  console.log(`${player} has ${value}`);
} else {
  await using best = await store.mirror("scores", {
    where: (_player, score) => score > 0,
    sortBy: (_player, score) => score,
    reverse: true,
  });
  // The mirror is a map in the order of the scores. Its reads do not wait.
  for await (const { patches } of best.changes({ initial: true })) {
    for (const { type, key } of patches) console.log(`  ${key} ${type}`);
    const top = best.entries().take(3);
    console.log(
      top.map(([key, score]) => `${key} ${score}`).toArray().join(", "),
    );
  }
}
