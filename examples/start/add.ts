// add.ts
import { openShop } from "./shop.ts";

const [name, amount = "1"] = Deno.args;
await using shop = await openShop();
const { value } = await shop.update(
  "items",
  name,
  (item) => ({ amount: item.amount + Number(amount) }),
  { initial: { amount: 0 } },
);
console.log(`${name}: ${value.amount}`);
