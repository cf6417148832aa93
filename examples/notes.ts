/**
 * Notes that stay: each run finds the notes of earlier runs.
 *
 *     deno run --allow-read=. --allow-write=. examples/notes.ts [notes.db]
 *
 * Run it twice. The second run counts and replays the notes of the first one.
 */
import { openStore } from "@zestor/store";

interface Note {
  title: string;
  content: string;
  updated: string;
}

// `await using` closes the store at the end, also after an error.
await using store = await openStore<{ notes: Note }>({
  path: Deno.args[0] ?? "notes.db",
});
console.log(`Driver: ${store.driver}`);
console.log(`Kept from earlier runs: ${await store.count("notes")}\n`);

// A watch sees everything from the moment of this call on, and `initial` first
// shows the present entries. It may be read later: no write meanwhile is
// missed.
const changes = store.watch("notes", { initial: true });

await store.set("notes", "note-1", {
  title: "Meeting Notes",
  content: "Discussed Q4 planning...",
  updated: new Date().toISOString(),
});
const { revision: last } = await store.set("notes", "note-2", {
  title: "Ideas",
  content: "New feature brainstorm...",
  updated: new Date().toISOString(),
});

for await (const { type, value, revision } of changes) {
  console.log(`[${type}] ${value.title}`);
  if (revision >= last) break; // Without this line, the watch would go on, live.
}

const notes = await store.list("notes");
console.log();
for (const [key, { title, updated }] of notes) {
  console.log(`${key}: ${title}, updated ${updated}`);
}
console.log(`Total notes: ${notes.size}`);
