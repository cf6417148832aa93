// app.ts
import { openStore } from "@zestor/store";

type Kinds = { orders: string; bills: string; places: string };
await using store = await openStore<Kinds>({ path: "app.db" });
for (const item of Deno.args) await store.set("orders", item, `1 ${item}`);

const after = await store.get("places", "biller") ?? 0;
for await (const order of store.watch("orders", { after })) {
  const bill = `Please pay for ${order.value}`;
  await store.atomic().set("bills", order.key, bill)
    .set("places", "biller", order.cursor).commit();
  console.log(bill);
}
