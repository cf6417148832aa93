// main.ts
import { openStore } from "@zestor/store";
import { instrument } from "@zestor/store/otel";

await using store = instrument(
  await openStore<{ users: { name: string } }>({ path: "app.db" }),
);
await store.set("users", "alice", { name: "Alice" });
console.log(await store.count("users")); // 1
