// shop.ts
import { openStore } from "@zestor/store";

export interface Item {
  amount: number;
}

interface Kinds {
  /** What to buy. The key is the name. */
  items: Item;
  /** What was bought. The key is random. */
  bought: Item & { name: string };
  /** How far each program has read. The key is its name. */
  places: string;
}

export function openShop() {
  return openStore<Kinds>({ path: "shop.db" });
}
