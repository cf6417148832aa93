// buy.ts
import { openShop } from "./shop.ts";

const [name] = Deno.args;
await using shop = await openShop();
const item = await shop.entry("items", name);
if (!item) {
  console.log(`${name} is not on the list`);
} else {
  const { key, value, revision } = item;
  const result = await shop.atomic()
    .check({ kind: "items", key, revision })
    .delete("items", key)
    .set("bought", crypto.randomUUID(), { name: key, ...value }, {
      expireIn: 30 * 24 * 3600 * 1000, // In ms: it goes after 30 days.
    })
    .commit();
  console.log(result.ok ? `Bought ${value.amount} ${key}` : "Too late");
}
