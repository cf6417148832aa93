// show.ts
import { openShop } from "./shop.ts";

await using shop = await openShop();
for (const [name, { amount }] of await shop.list("items")) {
  console.log(`${amount} ${name}`);
}
