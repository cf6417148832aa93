// report.ts
import { openShop } from "./shop.ts";

await using shop = await openShop();
const after = await shop.get("places", "report") ?? 0;
for await (const event of shop.watch("bought", { after, bookmarks: true })) {
  if (event.type === "create") {
    console.log(event.value.amount, event.value.name);
  }
  await shop.set("places", "report", event.cursor);
  if (event.type === "bookmark") break; // That was all, until now.
}
