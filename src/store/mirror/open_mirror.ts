/**
 * Opens mirrors. It loads their code with the first one, because most programs
 * have none.
 *
 * @module
 */
import type { Mirror, MirrorOptions } from "../../contract/mirror.ts";
import type { MirrorStore } from "./feed.ts";
import { mirrorSettingsOf } from "./mirror_options.ts";

/** Opens a mirror; resolves when it is complete. */
export async function openMirror<T>(
  store: MirrorStore,
  kind: unknown,
  options: MirrorOptions<never> | undefined,
): Promise<Mirror<T>> {
  const settings = mirrorSettingsOf(kind, options);
  settings.signal?.throwIfAborted();
  const { StoreMirror } = await store.track(import("./mirror.ts"));
  store.closing.throwIfAborted();
  settings.signal?.throwIfAborted();
  const mirror = new StoreMirror<T>(store, settings);
  await mirror.complete();
  return mirror;
}
