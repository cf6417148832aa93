// follow.ts
import { openShop } from "./shop.ts";

await using shop = await openShop();
for await (const event of shop.watch("items", { initial: true })) {
  console.log(event.type, event.key, event.value.amount);
}
